x = "\d"
print("홍길동" x)
