//! `codementor`: the command line.

fn main() -> std::process::ExitCode {
    codementor::main()
}
