a, b = map(int, input().split())
low, high = 0.0, 1001.0
# Each round halves the error, and a hundred rounds leave none that a float can express.
for _ in range(100):
    middle = (low + high) / 2
    if middle**3 + a * middle < b:
        low = middle
    else:
        high = middle
print(low)
