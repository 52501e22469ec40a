// Adds and subtracts in turn, as if the second sock of a pair always came at an even distance.
const socks = require("fs").readFileSync(0, "utf8").trim().split("\n").slice(1).map(Number);
console.log(socks.reduce((sum, sock, i) => (i % 2 === 0 ? sum + sock : sum - sock), 0));
