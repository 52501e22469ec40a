//! The help of commands and options in the language of this process.

use clap::builder::StyledStr;
use clap::{Arg, Command};

use crate::locale;

/// The definition of the command line with its help in the language of this process.
pub(crate) fn told(command: Command) -> Command {
    if locale::is_korean() { translated(command) } else { command }
}

fn translated(command: Command) -> Command {
    let (about, long) = (korean(command.get_about()), korean(command.get_long_about()));
    let (after, long_after) = (korean(command.get_after_help()), korean(command.get_after_long_help()));
    let mut command = command.mut_args(argument).mut_subcommands(translated);
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(long) = long {
        command = command.long_about(long);
    }
    if let Some(after) = after {
        command = command.after_help(after);
    }
    if let Some(after) = long_after {
        command = command.after_long_help(after);
    }
    command
}

fn argument(argument: Arg) -> Arg {
    let (help, long) = (korean(argument.get_help()), korean(argument.get_long_help()));
    let heading = argument.get_help_heading().and_then(locale::korean);
    let mut argument = argument;
    if let Some(help) = help {
        argument = argument.help(help);
    }
    if let Some(long) = long {
        argument = argument.long_help(long);
    }
    if let Some(heading) = heading {
        argument = argument.help_heading(heading);
    }
    argument
}

fn korean(text: Option<&StyledStr>) -> Option<&'static str> {
    text.and_then(|text| locale::korean(&text.to_string()))
}

/// Visits every text that a translation of the help needs.
pub fn texts(command: &Command, visit: &mut impl FnMut(&str)) {
    let of_command = [
        command.get_about(),
        command.get_long_about(),
        command.get_after_help(),
        command.get_after_long_help(),
    ];
    let of_arguments =
        command.get_arguments().flat_map(|argument| [argument.get_help(), argument.get_long_help()]);
    for text in of_command.into_iter().chain(of_arguments).flatten() {
        visit(&text.to_string());
    }
    command.get_arguments().filter_map(Arg::get_help_heading).for_each(&mut *visit);
    // What is hidden is no help.
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        texts(command, visit);
    }
}
