//! `codementor`, built for the tests.

fn main() -> std::process::ExitCode {
    codementor::main()
}
