import re
import sys

text = sys.stdin.buffer.read()
if re.fullmatch(rb"[1-9][0-9]{0,6}\n(?:(?:0|[1-9][0-9]{0,5})\n)+", text) is None:
    sys.exit("expected a count, and readings of at most six digits, one a line")
count = int(text[: text.index(b"\n")])
if count > 1_500_000 or count != text.count(b"\n") - 1:
    sys.exit(f"the count is {count}, the file has {text.count(10) - 1} readings")
sys.exit(42)
