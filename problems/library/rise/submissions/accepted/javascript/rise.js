module.exports = function (temperatures) {
  let longest = 0;
  let run = 0;
  let yesterday = Infinity;
  for (const today of temperatures) {
    run = today > yesterday ? run + 1 : 1;
    longest = Math.max(longest, run);
    yesterday = today;
  }
  return longest;
};
