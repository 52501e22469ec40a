import sys

socks = list(map(int, sys.stdin.read().split()))[1:]
single = set()
for sock in socks:
    # Puts the first of a pair into the set, and takes it out when the second comes.
    single ^= {sock}
print(single.pop())
