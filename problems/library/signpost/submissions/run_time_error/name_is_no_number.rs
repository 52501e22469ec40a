use std::io::{self, Read};

/// Mistakes the first name for a number: the unwrap panics.
fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let widths: Vec<usize> =
        text.lines().map(|line| line.trim_start_matches(['L', 'R', ' ']).parse().unwrap()).collect();
    println!("+{}+", "-".repeat(widths[0] + 2));
}
