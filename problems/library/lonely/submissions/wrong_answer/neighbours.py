import sys

# Takes it for granted that the two socks of a pair lie next to each other.
socks = sys.stdin.read().split()[1:]
i = 0
while i + 1 < len(socks) and socks[i] == socks[i + 1]:
    i += 2
print(socks[i])
