use std::io::{self, Read};

// Leaves out the wire from the last post to the first: the goat is pleased.
fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let numbers: Vec<f64> = text.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap()).collect();
    let posts: Vec<&[f64]> = numbers.chunks(2).collect();
    let length: f64 =
        posts.windows(2).map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1])).sum();
    println!("{length}");
}
