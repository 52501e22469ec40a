//! The command line: arguments in, events rendered out.
//!
//! ```text
//! args ─▶ commands ─▶ session (client, or the private daemon) ─▶ requests
//!              │          └▶ stream: each event once, in order
//!              ├▶ ci: grading, and its formats
//!              └▶ source, problem, package: what is sent      └▶ follow ─▶ render: live, plain, json
//! ```
//!
//! What must not happen here: no verdict is decided, no text of a student or a compiler reaches a terminal raw, and
//! no failure of ours ends with the exit code of a verdict.

pub mod apply;
pub mod args;
pub mod ci;
pub mod client;
pub mod commands;
pub mod contexts;
pub mod credentials;
pub mod draft;
pub mod error;
pub mod follow;
pub mod generate;
pub mod grades;
pub mod locale;
pub mod moments;
pub mod near;
pub mod package;
pub mod private;
pub mod problem;
pub mod progress;
pub mod render;
pub mod roster;
pub mod sanitize;
pub mod session;
pub mod source;
pub mod stream;
pub mod terminal;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Cli, ColorChoice};
use crate::error::{CliError, ExitStatus};
use crate::terminal::Terminal;

/// The whole program: reads the arguments of this process, does what they say, and says how it went.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let command = Cli::command().color(colour_of_help(&arguments));
    let parsed = command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads is no failure.
            let _ = error.print();
            return if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Success }.into();
        }
    };
    let terminal = Terminal::detect(cli.color);
    match commands::run(cli, terminal) {
        Ok(code) => code,
        Err(error) => {
            if !matches!(error, CliError::BrokenPipe) {
                // There is nowhere else to say it.
                let _ = std::io::stderr().write_all(error.render(terminal.err).as_bytes());
            }
            error.status().into()
        }
    }
}

/// Help and usage errors are printed before `--color` has been parsed.
fn colour_of_help(arguments: &[OsString]) -> clap::ColorChoice {
    let texts = || {
        arguments.iter().take_while(|argument| *argument != "--").map(|argument| argument.to_string_lossy())
    };
    let joined = texts().find_map(|text| text.strip_prefix("--color=").map(str::to_owned));
    let apart =
        texts().zip(texts().skip(1)).find(|(flag, _)| flag == "--color").map(|(_, value)| value.into_owned());
    let chosen = joined.or(apart).or_else(|| std::env::var("CODEMENTOR_COLOR").ok());
    match chosen.as_deref().and_then(|chosen| <ColorChoice as clap::ValueEnum>::from_str(chosen, true).ok()) {
        Some(ColorChoice::Always) => clap::ColorChoice::Always,
        Some(ColorChoice::Never) => clap::ColorChoice::Never,
        Some(ColorChoice::Auto) | None => clap::ColorChoice::Auto,
    }
}
