const [count, ...numbers] = require("fs").readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
let length = 0;
for (let post = 0; post < count; post++) {
  const next = (post + 1) % count;
  length += Math.hypot(
    numbers[2 * next] - numbers[2 * post],
    numbers[2 * next + 1] - numbers[2 * post + 1],
  );
}
console.log(length.toFixed(8));
