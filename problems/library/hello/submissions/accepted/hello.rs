fn main() {
    println!("Hello, CodeMentor!");
}
