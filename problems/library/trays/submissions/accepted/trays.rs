use std::collections::VecDeque;
use std::io::{self, Read};

fn main() {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).unwrap();
    let mut pile = VecDeque::new();
    let mut turned = false;
    for event in text.lines().skip(1) {
        match event.strip_prefix("put ") {
            Some(name) if turned => pile.push_front(name),
            Some(name) => pile.push_back(name),
            None if event == "turn" => turned = !turned,
            None => {
                let tray = if turned { pile.pop_front() } else { pile.pop_back() };
                println!("{}", tray.unwrap_or("-"));
            }
        }
    }
}
