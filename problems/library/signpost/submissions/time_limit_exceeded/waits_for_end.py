import sys

# Waits for a line "END". At the end of the input, readline() returns "" without end.
places = []
sys.stdin.readline()
while (line := sys.stdin.readline().rstrip("\n")) != "END":
    if line:
        places.append(line.split(" ", 1))
width = max(len(name) for _, name in places)
print(f"+{'-' * (width + 2)}+")
