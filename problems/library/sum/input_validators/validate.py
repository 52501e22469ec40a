import re
import sys

LIMIT = 10**12
INTEGER = r"(?:0|-?[1-9][0-9]*)"

text = sys.stdin.read()
match = re.fullmatch(rf"([1-9][0-9]*)\n({INTEGER}(?: {INTEGER})*)\n", text)
if match is None:
    sys.exit("expected a count, and a line of integers")
count = int(match[1])
numbers = [int(word) for word in match[2].split(" ")]
if not 1 <= count <= 1000 or count != len(numbers):
    sys.exit(f"the count is {count}, the line has {len(numbers)} integers")
if any(abs(number) > LIMIT for number in numbers):
    sys.exit("an integer is out of range")
sys.exit(42)
