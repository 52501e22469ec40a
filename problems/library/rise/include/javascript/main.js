const longestRise = require("./rise.js");

const words = require("fs").readFileSync(0, "utf8").trim().split(/\s+/).map(Number);
let next = 1;
for (let list = 0; list < words[0]; list++) {
  const count = words[next];
  console.log(longestRise(words.slice(next + 1, next + 1 + count)));
  next += 1 + count;
}
