use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let readings: Vec<u64> = text.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    let total: u64 = readings.iter().sum();
    let busiest = *readings.iter().max().unwrap();
    let times = readings.iter().filter(|&&reading| reading == busiest).count();
    println!("{total} {busiest} {times}");
}
