import sys

# An empty pile is not considered: IndexError.
pile = []
for line in sys.stdin.read().splitlines()[1:]:
    if line == "take":
        print(pile.pop())
    elif line == "turn":
        pile.reverse()
    else:
        pile.append(line.removeprefix("put "))
