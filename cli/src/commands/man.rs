//! `codementor man`: the manual page, or the pages of all commands.

use clap::CommandFactory;

use crate::args::{Cli, Man};
use crate::error::{CliError, ExitStatus};

pub(crate) fn run(args: &Man) -> Result<ExitStatus, CliError> {
    match &args.dir {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            std::io::Write::write_all(&mut std::io::stdout(), &page)?;
        }
        Some(dir) => {
            let unwritten = |source| CliError::File { path: dir.clone(), source };
            std::fs::create_dir_all(dir).map_err(unwritten)?;
            clap_mangen::generate_to(Cli::command(), dir).map_err(unwritten)?;
        }
    }
    Ok(ExitStatus::Success)
}
