use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let numbers: Vec<f64> = text.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap()).collect();
    let posts: Vec<&[f64]> = numbers.chunks(2).collect();
    let length: f64 = (0..posts.len())
        .map(|i| {
            let (here, next) = (posts[i], posts[(i + 1) % posts.len()]);
            (next[0] - here[0]).hypot(next[1] - here[1])
        })
        .sum();
    println!("{length:e}");
}
