# Feels its way up in steps of a billionth: minutes for a shallow cistern, a day for a deep one.
a, b = map(int, input().split())
depth = 0.0
while depth**3 + a * depth < b:
    depth += 1e-9
print(depth)
