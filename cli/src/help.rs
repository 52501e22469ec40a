//! The help of commands and options in Korean, the frame that clap puts around it included.

use clap::builder::{PossibleValue, StyledStr, Styles};
use clap::{Arg, Command};

use crate::locale;

/// The definition of the command line with its help in Korean. What else is to be set for all of it has to be set
/// before.
pub(crate) fn told(mut command: Command) -> Command {
    // What clap adds itself, `--help` and `help`, is there only then.
    command.build();
    translated(command)
}

fn translated(command: Command) -> Command {
    let (about, long) = (korean(command.get_about()), korean(command.get_long_about()));
    let (after, long_after) = (korean(command.get_after_help()), korean(command.get_after_long_help()));
    let usage = Styles::styled().get_usage().to_owned();
    let frame = format!(
        "{{before-help}}{{about-with-newline}}\n{usage}{}{usage:#} {{usage}}\n\n{{all-args}}{{after-help}}",
        t!("Usage:")
    );
    let mut command = command
        .mut_args(argument)
        .mut_subcommands(translated)
        .help_template(frame)
        .subcommand_help_heading(t!("Commands"));
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
    let heading = match argument.get_help_heading() {
        Some(heading) => locale::korean(heading),
        None if argument.is_positional() => Some(t!("Arguments")),
        None => Some(t!("Options")),
    };
    let facts = Facts::of(&argument);
    let short = match (facts.short(), help) {
        (facts, Some(help)) if facts.is_empty() => help.to_owned(),
        (facts, Some(help)) => format!("{help} {facts}"),
        (facts, None) => facts,
    };
    let long = match (facts.long(), long.or(help)) {
        (facts, Some(help)) if facts.is_empty() => help.to_owned(),
        (facts, Some(help)) => format!("{help}\n\n{facts}"),
        (facts, None) => facts,
    };
    let mut argument = argument.hide_possible_values(true).hide_default_value(true).hide_env(true);
    if !short.is_empty() {
        argument = argument.help(short).long_help(long);
    }
    if let Some(heading) = heading {
        argument = argument.help_heading(heading);
    }
    argument
}

/// What clap says of an argument by itself.
struct Facts {
    variable: Option<String>,
    default: Option<String>,
    values: Vec<PossibleValue>,
}

impl Facts {
    fn of(argument: &Arg) -> Self {
        let default: Vec<_> =
            argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let takes = argument.get_action().takes_values();
        Self {
            variable: argument
                .get_env()
                .filter(|_| !argument.is_hide_env_set())
                .map(|name| name.to_string_lossy().into_owned()),
            default: (takes && !default.is_empty() && !argument.is_hide_default_value_set())
                .then(|| default.join(" ")),
            values: match argument.is_hide_possible_values_set() {
                true => Vec::new(),
                false => {
                    argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect()
                }
            },
        }
    }

    fn of_all(&self) -> impl Iterator<Item = String> {
        let variable = self.variable.as_ref().map(|name| t!("[env: {name}]", name));
        let default = self.default.as_ref().map(|value| t!("[default: {value}]", value));
        variable.into_iter().chain(default)
    }

    fn names(&self) -> Option<String> {
        let names: Vec<_> = self.values.iter().map(PossibleValue::get_name).collect();
        (!names.is_empty()).then(|| t!("[possible values: {names}]", names = names.join(", ")))
    }

    fn short(&self) -> String {
        self.of_all().chain(self.names()).collect::<Vec<_>>().join(" ")
    }

    /// The same, with what each value means where that is said.
    fn long(&self) -> String {
        let mut parts = Vec::new();
        if self.values.iter().any(|value| value.get_help().is_some()) {
            let mut list = t!("Possible values:").to_owned();
            for value in &self.values {
                list.push_str(&format!("\n- {}", value.get_name()));
                if let Some(help) = value.get_help() {
                    let help = help.to_string();
                    list.push_str(&format!(": {}", locale::korean(&help).unwrap_or(&help)));
                }
            }
            parts.push(list);
        } else {
            parts.extend(self.names());
        }
        parts.splice(0..0, self.of_all());
        parts.join("\n\n")
    }
}

fn korean(text: Option<&StyledStr>) -> Option<&'static str> {
    let text = text?.to_string();
    Some(match text.as_str() {
        // clap's own.
        "Print help" => t!("Print help"),
        "Print help (see more with '--help')" => t!("Print help (see more with '--help')"),
        "Print help (see a summary with '-h')" => t!("Print help (see a summary with '-h')"),
        "Print version" => t!("Print version"),
        "Print this message or the help of the given subcommand(s)" => {
            t!("Print this message or the help of the given subcommand(s)")
        }
        "Print help for the subcommand(s)" => t!("Print help for the subcommand(s)"),
        ours => return locale::korean(ours),
    })
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
    for argument in command.get_arguments() {
        argument.get_help_heading().into_iter().for_each(&mut *visit);
        for value in argument.get_possible_values() {
            value.get_help().into_iter().for_each(|help| visit(&help.to_string()));
        }
    }
    // What is hidden is no help.
    for command in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        texts(command, visit);
    }
}
