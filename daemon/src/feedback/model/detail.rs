//! What an endpoint says of its failures, made fit for a student's eyes and a log.

use std::error::Error;
use std::fmt;

use crate::feedback::scan;

/// How much of it is shown, in characters.
const MAX_DETAIL: usize = 300;
/// Shorter words are no secrets, and would be found everywhere.
const MIN_SECRET: usize = 4;

/// What no message may hold, and `{:?}` does not show.
#[derive(Clone, Default)]
pub(super) struct Secrets(Vec<String>);

impl Secrets {
    pub(super) fn add(&mut self, secret: &str) {
        if secret.len() >= MIN_SECRET {
            self.0.push(secret.to_owned());
        }
    }

    fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret.as_str(), "[key]"))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} secrets]", self.0.len())
    }
}

/// Takes out secrets, and what could deceive a reader or a terminal, addresses among it; cuts what is long.
pub(super) fn clean(text: &str, secrets: &Secrets) -> String {
    // Before and after: white space may hide a secret, and so may what is taken out.
    let text = secrets.hide(text);
    let text = scan::clean(&text);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = secrets.hide(&text);
    match text.char_indices().nth(MAX_DETAIL) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// An error with its causes, without the URL that it happened at, which may hold a key.
pub(super) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some repeat their cause in their own words.
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
