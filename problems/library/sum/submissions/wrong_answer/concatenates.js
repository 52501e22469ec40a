// Forgets to turn the words into numbers, so that + glues them together.
const words = require("fs").readFileSync(0, "utf8").trim().split(/\s+/);
let total = 0;
for (const word of words.slice(1)) {
  total += word;
}
console.log(total);
