//! What a problem is, once its package was read. The content of files stays where it is; a `FileRef` names it.

use std::collections::{BTreeMap, BTreeSet};

use codementor_protocol::FeedbackPolicy;
use serde::{Deserialize, Serialize};

use crate::compare::{FlagError, Flags};

/// A file of the package, by its name in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileRef {
    /// The path from the package's root, with `/` between folders.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
}

/// The version of the format that a package follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Format {
    /// The Kattis format before it had versions.
    #[serde(rename = "legacy")]
    Legacy,
    /// Its subset for ICPC contests.
    #[serde(rename = "legacy-icpc")]
    LegacyIcpc,
    /// The draft that was renamed before it was finished.
    #[serde(rename = "2023-07")]
    V2023,
    /// The current version.
    #[serde(rename = "2025-09")]
    V2025,
}

impl Format {
    /// Whether this is one of the versions before 2023-07.
    pub fn is_legacy(self) -> bool {
        matches!(self, Self::Legacy | Self::LegacyIcpc)
    }
}

/// A problem: everything about it that judging, showing and checking it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Package {
    /// The short name, made from the name of the folder or zip.
    pub slug: String,
    /// The full name by language code. There is always at least one.
    pub names: BTreeMap<String, String>,
    /// The version of the format.
    pub format: Format,
    /// The identity that outlives renaming.
    pub uuid: Option<String>,
    /// The limits.
    pub limits: Limits,
    /// The licence, as written; `unknown` if none is.
    pub license: String,
    /// Who made it, as far as that is one text.
    pub author: Option<String>,
    /// Who owns the rights.
    pub rights_owner: Option<String>,
    /// Where it was first used.
    pub sources: Vec<Source>,
    /// The keywords.
    pub keywords: Vec<String>,
    /// The languages that submissions may be in; `None` allows all.
    pub languages: Option<Vec<String>>,
    /// Whether submissions may write files.
    pub allow_file_writing: bool,
    /// The constants to put into statements, included files and example submissions.
    pub constants: Constants,
    /// The statements.
    pub statements: Vec<Statement>,
    /// The files put over each submission, by language code or `default`.
    pub include: BTreeMap<String, Vec<NamedFile>>,
    /// Files for the students.
    pub attachments: Vec<NamedFile>,
    /// The tests in the order in which they are judged: samples first.
    pub cases: Vec<Case>,
    /// The example submissions, by name.
    pub submissions: Vec<Submission>,
    /// Cases that are to be generated when the package is built. Empty in a built one.
    pub generate: Vec<Recipe>,
    /// What the package asks of a model's feedback.
    pub feedback: FeedbackRules,
}

impl Package {
    /// The name in English if there is one, else in the first language.
    pub fn name(&self) -> &str {
        self.names.get("en").or_else(|| self.names.values().next()).map_or(&self.slug, String::as_str)
    }

    /// The files put over a submission in `language`: those of the language, or else the default ones.
    pub fn include_for(&self, language: &str) -> &[NamedFile] {
        self.include.get(language).or_else(|| self.include.get("default")).map_or(&[], Vec::as_slice)
    }

    /// Whether submissions in `language` are allowed.
    pub fn allows(&self, language: &str) -> bool {
        self.languages.as_ref().is_none_or(|list| list.iter().any(|l| l == language))
    }

    /// The samples.
    pub fn samples(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().filter(|case| case.visibility == Visibility::Sample)
    }
}

/// The limits of a problem, in the units in which packages state them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// CPU seconds for a test, if stated.
    pub time_limit: Option<f64>,
    /// A calibrated time limit is a multiple of this many seconds.
    pub time_resolution: f64,
    /// The time limit is at least this many times the slowest accepted submission (`time_multiplier` in legacy).
    pub ac_to_time_limit: f64,
    /// A submission that is to be too slow takes at least this many times the limit (`time_safety_margin` in legacy).
    pub time_limit_to_tle: f64,
    /// MiB of memory for a test.
    pub memory_mib: u64,
    /// MiB of output for a test.
    pub output_mib: u64,
    /// KiB of source text, before files are included.
    pub code_kib: u64,
    /// Seconds to compile.
    pub compilation_seconds: f64,
    /// MiB to compile.
    pub compilation_memory_mib: u64,
    /// Seconds for a validator.
    pub validation_seconds: f64,
    /// MiB of memory for a validator.
    pub validation_memory_mib: u64,
    /// MiB of output of a validator.
    pub validation_output_mib: u64,
}

impl Limits {
    /// What holds where a package states nothing.
    pub fn default_for(format: Format) -> Self {
        Self {
            time_limit: None,
            time_resolution: 1.0,
            ac_to_time_limit: if format.is_legacy() { 5.0 } else { 2.0 },
            time_limit_to_tle: if format.is_legacy() { 2.0 } else { 1.5 },
            memory_mib: 2048,
            output_mib: 8,
            code_kib: 128,
            compilation_seconds: 60.0,
            compilation_memory_mib: 2048,
            validation_seconds: 60.0,
            validation_memory_mib: 2048,
            validation_output_mib: 8,
        }
    }
}

/// Where a problem was first used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The name of the contest or course.
    pub name: String,
    /// Where to read about it.
    pub url: Option<String>,
}

/// The constants of a package by `name`, or by `name.variant`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Constants(pub BTreeMap<String, String>);

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The language code; `en` if the file names none.
    pub language: String,
    /// The file's type.
    pub markup: Markup,
    /// The file.
    pub file: FileRef,
}

/// What a statement is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Markup {
    /// CommonMark.
    Markdown,
    /// LaTeX.
    Tex,
    /// A finished page.
    Pdf,
}

/// A file together with the name that it is to have where it is put.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedFile {
    /// The path to put it at, relative to the folder that it is put into.
    pub path: String,
    /// The file.
    pub file: FileRef,
}

/// Whether students may see a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Shown in the statement.
    Sample,
    /// Never shown.
    Hidden,
}

/// A test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The path under `data` without its extension, such as `secret/group/02`.
    pub name: String,
    /// The folder under `data`, such as `secret/group`.
    pub group: String,
    /// Whether students may see it.
    pub visibility: Visibility,
    /// What the program reads.
    pub input: FileRef,
    /// What it should print.
    pub answer: FileRef,
    /// Arguments for the program.
    pub args: Vec<String>,
    /// Files to put beside the program.
    pub files: Vec<NamedFile>,
    /// A hint for students whose program fails here.
    pub hint: Option<String>,
    /// What the case is about.
    pub description: Option<String>,
    /// Whether a student whose program fails here may see the case.
    pub full_feedback: bool,
    /// The flags of the default validator, inherited ones included.
    pub validator_flags: Vec<String>,
}

impl Case {
    /// The validator's flags, parsed. Reading a package has checked them.
    pub fn flags(&self) -> Result<Flags, FlagError> {
        Flags::parse(&self.validator_flags)
    }
}

/// A result as the format knows it. Exceeding the memory or the output limit counts as `Rte`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Outcome {
    /// Accepted.
    Ac,
    /// Wrong answer.
    Wa,
    /// Too slow.
    Tle,
    /// Crashed, or over the memory or output limit.
    Rte,
    /// Does not compile: DOMjudge's addition.
    Ce,
}

/// An example submission and what is promised about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The path under `submissions`, such as `accepted/sum.py`, of a file or a folder.
    pub name: String,
    /// The folder under `submissions`, such as `accepted`.
    pub directory: String,
    /// The source files.
    pub files: Vec<NamedFile>,
    /// The language, where the package says it.
    pub language: Option<String>,
    /// The entry point, where the package says it.
    pub entrypoint: Option<String>,
    /// Whether it is the authors' model.
    pub model_solution: bool,
    /// All of these hold.
    pub expectations: Vec<Expectation>,
}

/// What is promised about a submission on some of the tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// A pattern for the tests it is about; `None` means all.
    pub tests: Option<String>,
    /// Each test ends in one of these.
    pub permitted: BTreeSet<Outcome>,
    /// Unless empty, some test ends in one of these.
    pub required: BTreeSet<Outcome>,
    /// Unless absent, some judge message has this in it.
    pub message: Option<String>,
    /// How it takes part in calibrating the time limit.
    pub time_limit: TimeLimitUse,
}

/// How a submission takes part in calibrating the time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeLimitUse {
    /// As what is promised about it implies.
    Implied,
    /// Not at all.
    No,
    /// The limit must let it pass.
    Lower,
    /// The limit must stop it.
    Upper,
}

/// How to make a case when the package is built: `[[generate]]` in `codementor.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// The case, such as `secret/03-big`.
    pub case: String,
    /// The program that prints the input, by its path in the package.
    pub generator: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// The program that prints the answer when it reads the input.
    pub solution: String,
}

/// The largest number of steps that a package can ask for.
pub const MAX_FEEDBACK_STEPS: u32 = 10;

/// What a package asks of a model's feedback: `[feedback]` in `codementor.toml`. What it does not say is up to the
/// server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackRules {
    /// The most that a student may be shown: `off`, `hints` or `full`.
    pub policy: Option<FeedbackPolicy>,
    /// How many hints there are, each more telling than the one before: from 1 to [`MAX_FEEDBACK_STEPS`].
    pub steps: Option<u32>,
    /// Whether a hint is held back until the correction that it comes from was judged and accepted.
    pub hold: Option<bool>,
    /// Whether an accepted program gets a comment on style and complexity.
    pub comment: Option<bool>,
}

impl Constants {
    /// Puts the constants into a text: `{{name}}` and `{{name.variant}}` become their values, whatever else stands in
    /// braces stays.
    pub fn substitute(&self, text: Vec<u8>) -> Vec<u8> {
        if self.0.is_empty() {
            return text;
        }
        let mut result = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(start) = rest.windows(2).position(|pair| pair == b"{{") {
            let inner = &rest[start + 2..];
            let length = inner.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_.".contains(b)).count();
            let value = std::str::from_utf8(&inner[..length]).ok().and_then(|name| self.0.get(name));
            result.extend_from_slice(&rest[..start]);
            match value {
                Some(value) if inner[length..].starts_with(b"}}") => {
                    result.extend_from_slice(value.as_bytes());
                    rest = &inner[length + 2..];
                }
                // One brace at a time, for `{{{name}}`.
                _ => {
                    result.push(b'{');
                    rest = &rest[start + 1..];
                }
            }
        }
        result.extend_from_slice(rest);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_put_in_and_nothing_else_changes() {
        let constants = [("n", "100"), ("n.tex", "10^2"), ("self", "{{n}}")];
        let constants = Constants(constants.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
        for (text, expected) in [
            ("n = {{n}};", "n = 100;"),
            ("{{n.tex}}{{n}}", "10^2100"),
            ("{{{n}}}", "{100}"),
            ("{{m}} {{ n }} {n} {{n} {{n", "{{m}} {{ n }} {n} {{n} {{n"),
            ("{{self}}", "{{n}}"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf8(constants.substitute(text.into())).unwrap(), expected, "{text}");
        }
        assert_eq!(Constants::default().substitute(b"{{n}}".to_vec()), b"{{n}}");
        assert_eq!(constants.substitute(b"\xff{{n}}\xfe".to_vec()), b"\xff100\xfe");
    }
}
