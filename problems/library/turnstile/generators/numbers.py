"""Writes a count and that many readings: numbers.py COUNT SEED."""

import sys

# A linear congruential generator of our own (Knuth's constants for MMIX): what
# the random module draws for a seed may differ between versions of Python.
MULTIPLIER = 6364136223846793005
INCREMENT = 1442695040888963407
MASK = 2**64 - 1


def readings(count, seed):
    state = seed
    for _ in range(count):
        state = (state * MULTIPLIER + INCREMENT) & MASK
        # The low bits of such a generator repeat soon.
        yield (state >> 33) % 1_000_000


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    lines = [str(count)]
    lines.extend(map(str, readings(count, seed)))
    sys.stdout.write("\n".join(lines) + "\n")


main()
