# Expects each number on a line of its own: int() raises ValueError, or input() EOFError.
count = int(input())
print(sum(int(input()) for _ in range(count)) + int(input()))
