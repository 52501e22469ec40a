fn main() {
    let 이름 = "홍길동"; let x: i32 = 가나;
    let y: i32 = "안녕";
    let mut z = 3;
    Strin::new();
    let s = String::new(); s.push('a');
}
