//! `codementor completion`: the completion script of a shell.

use clap::CommandFactory;

use crate::args::{Cli, Completion};
use crate::error::{CliError, ExitStatus};

pub(crate) fn run(args: &Completion) -> Result<ExitStatus, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "codementor", &mut script);
    std::io::Write::write_all(&mut std::io::stdout(), &script)?;
    Ok(ExitStatus::Success)
}
