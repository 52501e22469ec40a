import re
import sys

INTEGER = r"(?:0|-?[1-9][0-9]{0,2})"

lines = sys.stdin.read().split("\n")
if lines.pop() != "":
    sys.exit("the last line has no end")
if not lines or re.fullmatch(r"[1-9][0-9]?", lines[0]) is None or int(lines[0]) > 20:
    sys.exit("expected the number of lists, at most 20")
if len(lines) != 1 + 2 * int(lines[0]):
    sys.exit("expected two lines for each list")
for length, temperatures in zip(lines[1::2], lines[2::2]):
    if re.fullmatch(r"[1-9][0-9]{0,3}", length) is None or int(length) > 1000:
        sys.exit(f"not a length: {length!r}")
    if re.fullmatch(rf"{INTEGER}(?: {INTEGER})*", temperatures) is None:
        sys.exit("expected integers separated by single spaces")
    numbers = list(map(int, temperatures.split(" ")))
    if len(numbers) != int(length) or any(abs(number) > 100 for number in numbers):
        sys.exit("a list has another length, or a temperature is out of range")
sys.exit(42)
