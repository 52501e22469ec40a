// A counter for every number that there might be: the heap is full long before the last one.
const seen = [];
for (let number = 0; number <= 1_000_000_000; number++) {
  seen.push(0);
}
const socks = require("fs").readFileSync(0, "utf8").trim().split("\n").slice(1).map(Number);
for (const sock of socks) {
  seen[sock]++;
}
console.log(seen.indexOf(1));
