import re
import sys

text = sys.stdin.read()
if re.fullmatch(r"[1-9][0-9]{0,3} (?:0|[1-9][0-9]{0,3})\n(?:[1-9][0-9]{0,3} [1-9][0-9]{0,3} [1-9][0-9]{0,3}\n)*", text) is None:
    sys.exit("expected two numbers, and lines of three")
(stops, count), *lines = (tuple(map(int, line.split())) for line in text.splitlines())
if not 2 <= stops <= 2000 or count > 5000 or count != len(lines):
    sys.exit("the first line does not fit")
for a, b, minutes in lines:
    if a == b or max(a, b) > stops or minutes > 1000:
        sys.exit(f"not a tram line: {a} {b} {minutes}")
sys.exit(42)
