import heapq
import sys


def main():
    stops, _, *numbers = map(int, sys.stdin.read().split())
    trams = [[] for _ in range(stops + 1)]
    for a, b, minutes in zip(*[iter(numbers)] * 3):
        trams[a].append((b, minutes))
        trams[b].append((a, minutes))
    arrival = {}
    queue = [(0, 1)]
    while queue:
        now, stop = heapq.heappop(queue)
        if stop in arrival:
            continue
        arrival[stop] = now
        for other, minutes in trams[stop]:
            heapq.heappush(queue, (now + minutes, other))
    print(arrival.get(stops, "walk"))


main()
