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

#[macro_use]
pub mod locale;

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
mod foreign;
pub mod generate;
pub mod grades;
pub mod help;
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
mod usage;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use codementord::settings::Look;

use crate::args::{Ci, Cli, ColorChoice, Command};
use crate::error::{CliError, ExitStatus};
use crate::locale::Choice;
use crate::terminal::Terminal;

/// The whole program: reads the arguments of this process, does what they say, and says how it went.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    locale::choose(choice(&arguments));
    let parse = |command: clap::Command| {
        command.try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches))
    };
    let command = || Cli::command().color(colour_of_help(&arguments));
    // To put all of the help into another language takes time, and most commands print none.
    let cli = match parse(command())
        .or_else(|error| if locale::is_korean() { parse(help::told(command())) } else { Err(error) })
    {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads is no failure.
            let status = if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Success };
            let _ = usage::print(error);
            return status.into();
        }
    };
    if is_for_programs(&arguments, &cli) {
        locale::speak_to_programs();
    }
    let terminal = Terminal::detect(cli.color, locale::choice().ascii);
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

/// An option that is needed before the arguments have been parsed: for help and usage errors.
fn given(arguments: &[OsString], flag: &str) -> Option<String> {
    let texts = || {
        arguments.iter().take_while(|argument| *argument != "--").map(|argument| argument.to_string_lossy())
    };
    let joined = texts().find_map(|text| text.strip_prefix(flag)?.strip_prefix('=').map(str::to_owned));
    let apart = || {
        let at = texts().position(|text| text == flag)?;
        Some(texts().nth(at + 1).unwrap_or_default().into_owned())
    };
    joined.or_else(apart)
}

/// How this process speaks.
fn choice(arguments: &[OsString]) -> Choice {
    let path = |flag: &str, variable: &str| {
        given(arguments, flag).map(PathBuf::from).or_else(|| std::env::var_os(variable).map(PathBuf::from))
    };
    Choice::decide(
        |flag| given(arguments, flag),
        |name| std::env::var(name).ok(),
        || {
            let data = path("--data-dir", "CODEMENTOR_DATA_DIR");
            Look::read(path("--config", "CODEMENTOR_CONFIG"), data.as_deref())
        },
    )
}

/// Whether a program reads what is printed, be it beside a person: JSON, what a CI job reports, a daemon's log.
fn is_for_programs(arguments: &[OsString], cli: &Cli) -> bool {
    matches!(cli.command, Command::Ci(Ci::Grade(_)) | Command::Daemon { .. })
        || given(arguments, "--json").is_some()
}

/// Help and usage errors are printed before `--color` has been parsed.
fn colour_of_help(arguments: &[OsString]) -> clap::ColorChoice {
    let chosen = given(arguments, "--color").or_else(|| std::env::var("CODEMENTOR_COLOR").ok());
    match chosen.as_deref().and_then(|chosen| <ColorChoice as clap::ValueEnum>::from_str(chosen, true).ok()) {
        Some(ColorChoice::Always) => clap::ColorChoice::Always,
        Some(ColorChoice::Never) => clap::ColorChoice::Never,
        Some(ColorChoice::Auto) | None => clap::ColorChoice::Auto,
    }
}
