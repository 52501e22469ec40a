//! The program inside every container: PID 1, root there with no rights but to change its uid and to kill.

mod cgroup;
mod folders;
mod host;
mod process;
mod run;
mod seal;
mod serve;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|argument| argument == codementor_agent::SEAL) {
        return ended(seal::seal());
    }
    if std::process::id() != 1 {
        eprintln!("codementor-agent is the first process of a container; it is not to be started by hand");
        return ExitCode::from(2);
    }
    ended(serve::serve())
}

fn ended(result: Result<(), impl std::fmt::Display>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("codementor-agent: {error}");
            ExitCode::FAILURE
        }
    }
}
