use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let numbers: Vec<usize> = text.split_ascii_whitespace().map(|word| word.parse().unwrap()).collect();
    let stops = numbers[0];
    let mut trams = vec![Vec::new(); stops + 1];
    for tram in numbers[2..].chunks(3) {
        trams[tram[0]].push((tram[1], tram[2]));
        trams[tram[1]].push((tram[0], tram[2]));
    }
    let mut arrival = vec![None; stops + 1];
    let mut queue = BinaryHeap::from([Reverse((0, 1))]);
    while let Some(Reverse((now, stop))) = queue.pop() {
        if arrival[stop].is_some() {
            continue;
        }
        arrival[stop] = Some(now);
        for &(other, minutes) in &trams[stop] {
            queue.push(Reverse((now + minutes, other)));
        }
    }
    match arrival[stops] {
        Some(minutes) => println!("{minutes}"),
        None => println!("walk"),
    }
}
