//! What is wrong with the arguments, in the language of this process. In English it is what clap says.

use std::error::Error as _;
use std::fmt::Write;

use clap::builder::{StyledStr, Styles};
use clap::error::{ContextKind, ContextValue, ErrorFormatter, ErrorKind};

use crate::locale;

/// Prints what is wrong, or the help that was asked for.
pub(crate) fn print(error: clap::Error) -> std::io::Result<()> {
    if locale::is_korean() { error.apply::<Told>().print() } else { error.print() }
}

/// Says in another language what clap says in English.
struct Told;

impl ErrorFormatter for Told {
    fn format_error(error: &clap::error::Error<Self>) -> StyledStr {
        let styles = Styles::styled();
        let (bad, tip) = (styles.get_error(), styles.get_valid());
        let mut told = StyledStr::new();
        // A text that is built cannot fail to be written to.
        let _ = write!(told, "{bad}{}:{bad:#} {}", t!("error"), what(error));
        for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue]
        {
            if let Some(near) = text(error, kind) {
                let _ = write!(told, "\n\n  {tip}{}:{tip:#} {}", t!("tip"), t!("did you mean {near}?", near));
            }
        }
        if let Some(ContextValue::StyledStrs(tips)) = error.get(ContextKind::Suggested) {
            // Those that are not known say no more than the error has.
            for known in tips.iter().filter_map(|tip| locale::known(&tip.to_string())) {
                let _ = write!(told, "\n\n  {tip}{}:{tip:#} {known}", t!("tip"));
            }
        }
        if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
            let usage = usage.to_string();
            let usage = usage.strip_prefix("Usage:").unwrap_or(&usage).trim_start();
            let style = styles.get_usage();
            let _ = write!(told, "\n\n{style}{}{style:#} {usage}", t!("Usage:"));
        }
        let _ = writeln!(told, "\n\n{}", t!("For more information, try '--help'."));
        told
    }
}

/// What is wrong, in one sentence, and the values that there are.
fn what(error: &clap::error::Error<Told>) -> String {
    let argument =
        || text(error, ContextKind::InvalidArg).or_else(|| text(error, ContextKind::InvalidSubcommand));
    let argument = argument().unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue).unwrap_or_default();
    let number = |kind| match error.get(kind) {
        Some(ContextValue::Number(number)) => *number,
        _ => 0,
    };
    let said = match error.kind() {
        ErrorKind::ArgumentConflict => match text(error, ContextKind::PriorArg) {
            Some(other) if other != argument => {
                t!("the argument '{argument}' cannot be used with '{other}'", argument, other)
            }
            _ => t!("the argument '{argument}' cannot be used multiple times", argument),
        },
        ErrorKind::NoEquals => {
            t!("an equal sign is needed when assigning values to '{argument}'", argument)
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            t!("a value is required for '{argument}' but none was given", argument)
        }
        ErrorKind::InvalidValue => t!("invalid value '{value}' for '{argument}'", value, argument),
        ErrorKind::ValueValidation => match error.source() {
            Some(source) => {
                t!("invalid value '{value}' for '{argument}': {reason}", value, argument, reason = source)
            }
            None => t!("invalid value '{value}' for '{argument}'", value, argument),
        },
        ErrorKind::InvalidSubcommand => t!("there is no command '{command}'", command = argument),
        ErrorKind::MissingRequiredArgument => {
            t!("these arguments are missing: {arguments}", arguments = argument)
        }
        ErrorKind::MissingSubcommand => t!("'{command}' needs a command after it", command = argument),
        ErrorKind::TooManyValues => {
            t!("'{value}' is one value too many for '{argument}'", value, argument)
        }
        ErrorKind::TooFewValues => t!(
            "'{argument}' needs {least} values and has {actual}",
            argument,
            least = number(ContextKind::MinValues),
            actual = number(ContextKind::ActualNumValues)
        ),
        ErrorKind::WrongNumberOfValues => t!(
            "'{argument}' needs {least} values and has {actual}",
            argument,
            least = number(ContextKind::ExpectedNumValues),
            actual = number(ContextKind::ActualNumValues)
        ),
        ErrorKind::UnknownArgument => t!("unexpected argument '{argument}'", argument),
        ErrorKind::InvalidUtf8 => t!("an argument is not UTF-8").into(),
        other => other.as_str().unwrap_or_default().into(),
    };
    match text(error, ContextKind::ValidValue).or_else(|| text(error, ContextKind::ValidSubcommand)) {
        Some(names) if !names.is_empty() => format!("{said}\n  {}", t!("[possible values: {names}]", names)),
        _ => said,
    }
}

fn text(error: &clap::error::Error<Told>, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => Some(texts.join(", ")),
        ContextValue::StyledStr(text) => Some(text.to_string()),
        _ => None,
    }
}
