use std::io;

/// Reads until a line says "end". None does, and at the end of the input `read_line` returns
/// at once with nothing, again and again.
fn main() {
    let mut pile: Vec<String> = Vec::new();
    loop {
        let mut event = String::new();
        io::stdin().read_line(&mut event).unwrap();
        match event.trim() {
            "end" => break,
            "turn" => pile.reverse(),
            "take" => println!("{}", pile.pop().unwrap_or("-".to_string())),
            other => {
                if let Some(name) = other.strip_prefix("put ") {
                    pile.push(name.to_string());
                }
            }
        }
    }
}
