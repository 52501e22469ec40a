import sys


# One call deep for each minute: RecursionError after a thousand of them.
def total_from(readings, index):
    if index == len(readings):
        return 0
    return readings[index] + total_from(readings, index + 1)


readings = list(map(int, sys.stdin.buffer))[1:]
print(total_from(readings, 0), max(readings), readings.count(max(readings)))
