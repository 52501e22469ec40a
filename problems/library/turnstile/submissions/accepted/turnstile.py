import sys

# Iterating over the bytes avoids decoding ten megabytes of text.
readings = list(map(int, sys.stdin.buffer))
del readings[0]
busiest = max(readings)
print(sum(readings), busiest, readings.count(busiest))
