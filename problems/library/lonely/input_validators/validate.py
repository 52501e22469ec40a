import collections
import re
import sys

text = sys.stdin.read()
if re.fullmatch(r"(?:[1-9][0-9]{0,9}\n)+", text) is None:
    sys.exit("expected positive integers, one a line")
count, *socks = map(int, text.split())
if count != len(socks) or count > 1999:
    sys.exit(f"the count is {count}, there are {len(socks)} socks")
if max(socks) > 10**9:
    sys.exit("a number is out of range")
times = collections.Counter(collections.Counter(socks).values())
if times[1] != 1 or set(times) - {1, 2}:
    sys.exit("not one single sock among pairs")
sys.exit(42)
