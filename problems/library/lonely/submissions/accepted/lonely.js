const socks = require("fs").readFileSync(0, "utf8").trim().split("\n").slice(1).map(Number);
console.log(socks.reduce((left, sock) => left ^ sock, 0));
