//! Where a program starts.

use codementor_protocol::SourceFile;
use regex_lite::Regex;
use serde::Deserialize;

use super::{Language, stem};

/// Where a program starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The file.
    pub file: String,
    /// The class in it, with its package, in languages that start from a class.
    pub class: Option<String>,
}

/// Why it is not clear where a program starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// There is nothing to start.
    #[error("there is no {language} source file among the submitted files")]
    NoSource {
        /// The language's name.
        language: String,
    },
    /// The named file was not submitted.
    #[error("the file to start from, {file}, is not among the submitted files")]
    NotSubmitted {
        /// The file as named.
        file: String,
    },
    /// Several files could be it.
    #[error(
        "it is not clear which file to start from: {}. Name one of them main.{extension}, or say which with --entry",
        files.join(", ")
    )]
    Ambiguous {
        /// The files that could be it.
        files: Vec<String>,
        /// The language's usual extension.
        extension: String,
    },
}

/// How the start of a program is found: the table `entry` of `language.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntryRules {
    /// The name that a driver of a problem package carries. It is the entry wherever it comes from.
    #[serde(default)]
    driver: Option<String>,
    /// Whether the commands need to know the entry. Where they do not, since everything is linked together, any
    /// file will do.
    needed: bool,
    /// What the main function looks like, in text without comments and strings.
    #[serde(default, with = "pattern")]
    main: Option<Regex>,
    /// What the beginning of a class looks like, in languages that start from a class; group 1 is its name.
    #[serde(default, with = "pattern")]
    class: Option<Regex>,
    /// What the declaration of a package looks like; group 1 is its name.
    #[serde(default, with = "pattern")]
    package: Option<Regex>,
    /// What begins a comment that lasts until the end of the line.
    line_comment: String,
}

impl EntryRules {
    /// The driver; else the named file; else the only one; else the one called main; else the only one with a main
    /// function. Included files are helpers unless they are the driver.
    pub(super) fn find(
        &self,
        language: &Language,
        submitted: &[SourceFile],
        included: &[SourceFile],
        named: Option<&str>,
    ) -> Result<Entry, EntryError> {
        if let Some(driver) = &self.driver
            && let Some(file) = included.iter().find(|file| &file.name == driver)
        {
            return Ok(self.entry(file));
        }
        let sources: Vec<&SourceFile> =
            submitted.iter().filter(|file| language.is_source(&file.name)).collect();
        if let Some(name) = named {
            return match submitted.iter().find(|file| file.name == name) {
                Some(file) => Ok(self.entry(file)),
                None => Err(EntryError::NotSubmitted { file: name.into() }),
            };
        }
        let Some(first) = sources.first() else {
            return Err(EntryError::NoSource { language: language.name().into() });
        };
        if sources.len() == 1 || !self.needed {
            return Ok(self.entry(first));
        }
        let is_driver = |file: &&&SourceFile| self.driver.as_ref() == Some(&file.name);
        let is_main = |file: &&&SourceFile| stem(&file.name).eq_ignore_ascii_case("main");
        if let Some(file) = sources.iter().find(is_driver).or_else(|| sources.iter().find(is_main)) {
            return Ok(self.entry(file));
        }
        let candidates: Vec<&SourceFile> = match &self.main {
            Some(main) => {
                sources.iter().copied().filter(|file| main.is_match(&self.code_only(&file.text))).collect()
            }
            None => Vec::new(),
        };
        match candidates[..] {
            [only] => Ok(self.entry(only)),
            _ => {
                let list = if candidates.is_empty() { &sources } else { &candidates };
                Err(EntryError::Ambiguous {
                    files: list.iter().map(|file| file.name.clone()).collect(),
                    extension: language.extensions()[0].clone(),
                })
            }
        }
    }

    fn entry(&self, file: &SourceFile) -> Entry {
        Entry { class: self.class_in(file), file: file.name.clone() }
    }

    /// The outermost class around the main function; the file's stem where main stands outside of any, or where
    /// there is no main, so that the runtime says what is missing.
    fn class_in(&self, file: &SourceFile) -> Option<String> {
        let class = self.class.as_ref()?;
        let code = self.code_only(&file.text);
        let main = self.main.as_ref().and_then(|main| main.find(&code)).map(|found| found.start());
        let mut depth = 0usize;
        let mut name = None;
        let mut classes = class.captures_iter(&code).peekable();
        for (at, byte) in code.bytes().enumerate() {
            while let Some(found) =
                classes.next_if(|found| found.get(0).is_some_and(|whole| whole.start() <= at))
            {
                if depth == 0 {
                    name = found.get(1).map(|name| name.as_str());
                }
            }
            if Some(at) == main {
                break;
            }
            match byte {
                b'{' => depth += 1,
                b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        let inside = main.is_some() && depth > 0;
        let name = name.filter(|_| inside).unwrap_or_else(|| stem(&file.name));
        let package = self.package.as_ref().and_then(|package| package.captures(&code));
        Some(match package.as_ref().and_then(|found| found.get(1)) {
            Some(package) => format!("{}.{name}", package.as_str()),
            None => name.to_owned(),
        })
    }

    /// The text with comments and strings replaced by spaces, byte for byte.
    fn code_only(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut code = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let length = if rest.starts_with(self.line_comment.as_bytes()) {
                rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
            } else if self.line_comment == "//" && rest.starts_with(b"/*") {
                find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4)
            } else {
                string_length(rest)
            };
            if length == 0 {
                code.push(bytes[at]);
                at += 1;
            } else {
                code.extend(rest[..length].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' }));
                at += length;
            }
        }
        // Whole characters were replaced or kept, so this is still UTF-8.
        String::from_utf8(code).unwrap_or_default()
    }
}

/// How many bytes of a string literal `rest` begins with; 0 where it begins with none.
fn string_length(rest: &[u8]) -> usize {
    let quote = match rest.first() {
        Some(&quote @ (b'"' | b'\'' | b'`')) => quote,
        _ => return 0,
    };
    let triple = [quote; 3];
    if quote != b'`' && rest.starts_with(&triple) {
        return find(&rest[3..], &triple).map_or(rest.len(), |end| end + 6);
    }
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if quote != b'`' => at += 1,
            byte if byte == quote => return at + 1,
            // A string that its line does not close is none: the quote of a lifetime, or an error.
            b'\n' if quote != b'`' => return 0,
            _ => {}
        }
        at += 1;
    }
    0
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A regular expression in TOML.
mod pattern {
    use regex_lite::Regex;
    use serde::{Deserialize, Deserializer, de::Error};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Regex>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text).map(Some).map_err(D::Error::custom)
    }
}
