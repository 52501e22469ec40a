import re
import sys

text = sys.stdin.read()
if re.fullmatch(r"[1-9][0-9]{0,3}\n(?:put [a-z]{1,10}\n|take\n|turn\n)+", text) is None:
    sys.exit("expected a count, and the events")
events = text.split("\n")[1:-1]
if int(text.split("\n")[0]) != len(events) or len(events) > 2000:
    sys.exit("the count is not the number of events, or is too large")
if "take" not in events:
    sys.exit("nothing is taken")
sys.exit(42)
