import sys

from rise import longest_rise


def main():
    words = map(int, sys.stdin.read().split())
    for _ in range(next(words)):
        count = next(words)
        print(longest_rise([next(words) for _ in range(count)]))


main()
