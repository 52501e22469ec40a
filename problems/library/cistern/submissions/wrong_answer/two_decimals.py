# The depth is right, but rounded to two decimals.
a, b = map(int, input().split())
low, high = 0.0, 1001.0
for _ in range(100):
    middle = (low + high) / 2
    if middle**3 + a * middle < b:
        low = middle
    else:
        high = middle
print(f"{low:.2f}")
