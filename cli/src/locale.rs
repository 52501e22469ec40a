//! The language that the person at this terminal reads: chosen once, before anything is shown.
//!
//! English texts stand where they are said, as the keys of `locales/ko.toml`. A command that speaks to programs, in
//! JSON or in the formats of CI services, speaks English whatever was chosen: [`speak_to_programs`].

mod said;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{Display, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use codementor_protocol::AnswerLanguage;
use codementord::settings::{Look, MessageLanguage};

/// Says an English text, which is a format string with named arguments, in the language of this process.
macro_rules! t {
    (@value $name:ident = $value:expr) => {
        $value
    };
    (@value $name:ident) => {
        $name
    };
    ($english:literal $(,)?) => {
        $crate::locale::told($english)
    };
    ($english:literal, $($name:ident $(= $value:expr)?),+ $(,)?) => {
        match $crate::locale::korean($english) {
            None => format!($english, $($name = t!(@value $name $(= $value)?)),+),
            Some(korean) => $crate::locale::fill(
                korean,
                &[$((stringify!($name), &t!(@value $name $(= $value)?) as &dyn std::fmt::Display)),+],
            ),
        }
    };
}

/// Says how many there are of something: `1 test`, `2 tests`, and in the catalogue `{n} test`.
macro_rules! count {
    ($n:expr, $noun:literal) => {
        $crate::locale::counted($n, $noun, concat!("{n} ", $noun))
    };
}

static CHOSEN: OnceLock<Choice> = OnceLock::new();

/// Whether what is said is for programs.
static FOR_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// How this process speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Choice {
    /// The language of messages.
    pub language: MessageLanguage,
    /// Whether somebody asked for that language, and it is not just the locale's.
    pub asked_for: bool,
    /// Whether somebody said that signs are to be of ASCII, or that they need not be.
    pub ascii: Option<bool>,
}

impl Choice {
    /// The decision, from nothing but its arguments: a flag beats its variable, which beats the configuration file, which
    /// beats the locale.
    pub fn decide(
        flag: impl Fn(&str) -> Option<String>,
        env: impl Fn(&str) -> Option<String>,
        look: impl FnOnce() -> Look,
    ) -> Self {
        let env = |name: &str| env(name).filter(|value| !value.is_empty());
        let lang = flag("--lang").or_else(|| env("CODEMENTOR_LANG")).and_then(|text| by_name(&text));
        let ascii =
            flag("--ascii").map(|_| true).or_else(|| env("CODEMENTOR_ASCII").map(|text| is_true(&text)));
        let look = if lang.is_some() && ascii.is_some() { Look::default() } else { look() };
        let asked = lang.or(look.lang);
        Self {
            language: asked.unwrap_or_else(|| by_locale(env)),
            asked_for: asked.is_some(),
            ascii: ascii.or(look.ascii),
        }
    }
}

/// Settles how this process speaks. Only the first call counts.
pub fn choose(choice: Choice) {
    let _ = CHOSEN.set(choice);
}

/// How this process speaks: English, where nothing was settled.
pub fn choice() -> Choice {
    CHOSEN.get().copied().unwrap_or_default()
}

/// From now on programs are spoken to, whose input must not depend on who reads along: all is English.
pub fn speak_to_programs() {
    FOR_PROGRAMS.store(true, Ordering::Relaxed);
}

/// Whether Korean is spoken.
pub fn is_korean() -> bool {
    choice().language == MessageLanguage::Ko && !FOR_PROGRAMS.load(Ordering::Relaxed)
}

/// The Korean text for an English one, where Korean is spoken.
pub fn korean(english: &str) -> Option<&'static str> {
    if !is_korean() {
        return None;
    }
    catalogue().get(english).map(String::as_str)
}

/// A text without arguments.
pub fn told(english: &'static str) -> &'static str {
    korean(english).unwrap_or(english)
}

/// How many there are of something; `key` is how the catalogue names it.
pub fn counted(n: u64, noun: &str, key: &str) -> String {
    match korean(key) {
        Some(korean) => fill(korean, &[("n", &n)]),
        None if n == 1 => format!("1 {noun}"),
        None => format!("{n} {noun}s"),
    }
}

/// Arguments that say in English what others found wrong.
const SAID: [&str; 3] = ["error", "reason", "source"];

/// Puts arguments into a text of the catalogue. A test sees to it that it has the same as the English one.
pub fn fill(text: &str, arguments: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        if let Some((_, value)) = arguments.iter().find(|(known, _)| *known == name) {
            // A text that is built cannot fail to be written to.
            let _ = match SAID.contains(&name) {
                true => write!(filled, "{}", said(&value.to_string())),
                false => write!(filled, "{value}"),
            };
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// English texts and their Korean ones. The file is part of the program, and a test reads it.
fn catalogue() -> &'static HashMap<String, String> {
    static CATALOGUE: OnceLock<HashMap<String, String>> = OnceLock::new();
    CATALOGUE.get_or_init(|| toml::from_str(include_str!("../locales/ko.toml")).unwrap_or_default())
}

/// A text that the daemon, a judge or a package said: in the language of this process, where it is known.
pub fn said(text: &str) -> Cow<'_, str> {
    known(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The Korean for a text that was said elsewhere, where Korean is spoken and the text is known.
pub fn known(text: &str) -> Option<String> {
    if is_korean() { said::korean(text) } else { None }
}

/// A span of time as somebody else has written it; none if the text is no span.
pub fn span(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(' ').collect();
    let parts: Option<Vec<String>> = words
        .chunks(2)
        .map(|part| match part {
            [number, _] if !number.bytes().all(|digit| digit.is_ascii_digit()) => None,
            [days, "d"] => Some(t!("{days} d", days = days)),
            [hours, "h"] => Some(t!("{hours} h", hours = hours)),
            [minutes, "min"] => Some(t!("{minutes} min", minutes = minutes)),
            [seconds, "s"] => Some(t!("{seconds} s", seconds = seconds)),
            _ => None,
        })
        .collect();
    Some(parts?.join(" "))
}

/// The language that a model should answer in, and that statements are preferred in. English is what a system speaks
/// where nobody has chosen, and so says nothing: then the server's choice holds.
pub fn answers() -> Option<AnswerLanguage> {
    let choice = choice();
    match (choice.asked_for, choice.language) {
        (true, MessageLanguage::Ko) => "ko".parse().ok(),
        (true, MessageLanguage::En) => "en".parse().ok(),
        (false, _) => language(|name| std::env::var(name).ok()),
    }
}

/// The language that the locale names, unless it is English.
fn language(variable: impl Fn(&str) -> Option<String>) -> Option<AnswerLanguage> {
    let code = code(&first(&["LC_ALL", "LC_MESSAGES", "LANG"], variable)?).to_owned();
    code.parse().ok().filter(|language: &AnswerLanguage| language.as_str() != "en")
}

fn by_name(text: &str) -> Option<MessageLanguage> {
    match text.to_ascii_lowercase().as_str() {
        "en" => Some(MessageLanguage::En),
        "ko" => Some(MessageLanguage::Ko),
        _ => None,
    }
}

/// The language of the locale, as far as it is one of ours. All that is printed is UTF-8: where the locale names another
/// encoding, Korean could not be read.
fn by_locale(env: impl Fn(&str) -> Option<String>) -> MessageLanguage {
    let messages = first(&["LC_ALL", "LC_MESSAGES", "LANG"], &env);
    let readable = first(&["LC_ALL", "LC_CTYPE", "LANG"], &env)
        .is_none_or(|locale| is_utf8(&locale) || !locale.contains('.'));
    match messages {
        Some(locale) if code(&locale) == "ko" && readable => MessageLanguage::Ko,
        _ => MessageLanguage::En,
    }
}

/// Whether a locale says that its encoding is UTF-8.
pub fn is_utf8(locale: &str) -> bool {
    let locale = locale.split('@').next().unwrap_or_default().to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}

/// The first of these variables that is set, and not to nothing.
fn first(names: &[&str], variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    names.iter().filter_map(|name| variable(name)).find(|value| !value.is_empty())
}

fn code(locale: &str) -> &str {
    locale.split(['_', '.', '@']).next().unwrap_or_default()
}

/// What a variable that is on or off says, by the words that clap takes for off.
fn is_true(text: &str) -> bool {
    !matches!(text.to_ascii_lowercase().as_str(), "n" | "no" | "f" | "false" | "off" | "0")
}

#[cfg(test)]
mod tests;
