import sys

# A route may visit every stop.
sys.setrecursionlimit(10_000)


# Tries every route that visits no stop twice: their number doubles with each crossing.
def ride(stop, now):
    global best
    if stop == stops:
        best = now if best is None else min(best, now)
        return
    visited[stop] = True
    for other, minutes in trams[stop]:
        if not visited[other]:
            ride(other, now + minutes)
    visited[stop] = False


stops, _, *numbers = map(int, sys.stdin.read().split())
trams = [[] for _ in range(stops + 1)]
for a, b, minutes in zip(*[iter(numbers)] * 3):
    trams[a].append((b, minutes))
    trams[b].append((a, minutes))
visited = [False] * (stops + 1)
best = None
ride(1, 0)
print("walk" if best is None else best)
