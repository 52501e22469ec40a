//! `codementord`, built for the tests.

fn main() -> std::process::ExitCode {
    codementord::main()
}
