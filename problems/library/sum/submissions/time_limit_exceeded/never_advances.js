// Takes the same word again and again: the index never moves.
const words = require("fs").readFileSync(0, "utf8").trim().split(/\s+/);
const count = Number(words[0]);
let total = 0;
let index = 0;
while (index < count) {
  total += Number(words[index + 1]);
}
console.log(total);
