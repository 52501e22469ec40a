const 이름 = "홍길동"; let x = = 3;
console.log(이름);
