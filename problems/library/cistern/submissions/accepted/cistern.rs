use std::io;

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let numbers: Vec<f64> = line.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let (a, b) = (numbers[0], numbers[1]);
    let (mut low, mut high) = (0.0, 1001.0);
    for _ in 0..100 {
        let middle: f64 = (low + high) / 2.0;
        if middle.powi(3) + a * middle < b {
            low = middle;
        } else {
            high = middle;
        }
    }
    println!("{low:.9}");
}
