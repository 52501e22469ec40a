// A space too many at the end of each line: nobody sees it, but it is there.
const lines = require("fs").readFileSync(0, "utf8").split("\n");
const places = lines.slice(1, 1 + Number(lines[0])).map((line) => [line[0], line.slice(2)]);
const width = Math.max(...places.map(([, name]) => name.length));
const edge = `+${"-".repeat(width + 2)}+`;
console.log(edge);
for (const [side, name] of places) {
  console.log(`| ${side === "L" ? name.padEnd(width) : name.padStart(width)} | `);
}
console.log(edge);
