import sys

# A counter for every number that there might be: 8 GB of references.
seen = [0] * (10**9 + 1)
for sock in map(int, sys.stdin.read().split()[1:]):
    seen[sock] += 1
print(seen.index(1))
