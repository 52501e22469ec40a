// The pile can be turned over, but never back.
const events = require("fs").readFileSync(0, "utf8").trim().split("\n").slice(1);
const pile = [];
let turned = false;
for (const event of events) {
  const [word, name] = event.split(" ");
  if (word === "turn") {
    turned = true;
  } else if (word === "take") {
    console.log((turned ? pile.shift() : pile.pop()) ?? "-");
  } else if (turned) {
    pile.unshift(name);
  } else {
    pile.push(name);
  }
}
