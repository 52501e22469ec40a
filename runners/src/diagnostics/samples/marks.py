def f():
    if True:
        이름 = "홍길동"; print("가" "나" x y)
