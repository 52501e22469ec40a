# Halves until the interval is empty, which it never is: RecursionError.
def depth(a, b, low, high):
    middle = (low + high) / 2
    if low > high:
        return middle
    if middle**3 + a * middle < b:
        return depth(a, b, middle, high)
    return depth(a, b, low, middle)


print(depth(*map(int, input().split()), 0.0, 1001.0))
