//! The form in which CodeMentor asks, and wants to be answered.

use crate::{Request, Script};

impl Request {
    /// The key that the request was given, which its markers carry. Empty where there is none.
    pub fn key(&self) -> String {
        let text = self.message("user");
        let rest = text.split_once("KEY = ").map_or("", |(_, rest)| rest);
        rest.chars().take_while(char::is_ascii_alphanumeric).collect()
    }

    /// The names and texts of the student's files, as they were sent.
    pub fn program(&self) -> Vec<(String, String)> {
        let (text, key) = (self.message("user"), self.key());
        let (start, end) = (format!("=== {key} data program "), format!("\n=== {key} data end ==="));
        let parts = text.split(&start).skip(1);
        parts
            .filter_map(|part| {
                let (name, rest) = part.split_once(" ===\n")?;
                Some((name.to_owned(), format!("{}\n", rest.split(&end).next()?)))
            })
            .collect()
    }

    /// The name of the student's first file.
    pub fn file_name(&self) -> String {
        self.program().into_iter().next().map_or_else(|| "main.py".into(), |(name, _)| name)
    }

    /// Whether somebody was asked before, and what was answered did not do.
    pub fn is_repeated(&self) -> bool {
        self.message("user").contains("were asked before")
    }
}

/// The text of an answer that keeps to the form.
pub fn correction(request: &Request, fix: &str, hint: &str) -> String {
    let (key, name) = (request.key(), request.file_name());
    format!(
        "=== {key} file {name} ===\n{fix}=== {key} end ===\n=== {key} hint ===\n{hint}\n=== {key} end ===\n"
    )
}

impl Script {
    /// A whole answer that keeps to the form.
    pub fn correction(request: &Request, fix: &str, hint: &str) -> Self {
        Self::answer(&correction(request, fix, hint))
    }
}
