import re
import sys

text = sys.stdin.read()
match = re.fullmatch(r"([1-9][0-9]?)\n((?:[LR] [A-Za-z]+(?: [A-Za-z]+)*\n)+)", text)
if match is None:
    sys.exit("expected a count, and places")
places = match[2].splitlines()
if int(match[1]) != len(places) or len(places) > 50:
    sys.exit("the count is not the number of places, or is too large")
if max(map(len, places)) > len("L ") + 40:
    sys.exit("a name is too long")
sys.exit(42)
