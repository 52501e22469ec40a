// Says hello once too often: the number of words has to match too.
fn main() {
    for _ in 0..2 {
        println!("Hello, CodeMentor!");
    }
}
