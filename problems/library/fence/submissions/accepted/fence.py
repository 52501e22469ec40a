import math
import sys

numbers = list(map(int, sys.stdin.read().split()))[1:]
posts = list(zip(numbers[::2], numbers[1::2]))
# Index -1 is the last post, which closes the fence.
print(sum(math.dist(posts[i - 1], posts[i]) for i in range(len(posts))))
