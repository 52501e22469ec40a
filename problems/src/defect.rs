//! What is wrong with a package: a `Defect` stops it from being judged, a `Warning` does not.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::compare::FlagError;

/// A place in a package.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Place {
    /// The file or folder, relative to the package; empty for the package as a whole.
    pub file: String,
    /// The line in the file, counted from 1.
    pub line: Option<u64>,
}

impl Place {
    /// A file or folder as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: None }
    }

    /// A line of a file.
    pub fn line(file: impl Into<String>, line: u64) -> Self {
        Self { file: file.into(), line: Some(line) }
    }

    /// The package as a whole.
    pub fn package() -> Self {
        Self::default()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.as_str(), self.line) {
            ("", _) => f.write_str("the package"),
            (file, None) => f.write_str(&visible(file)),
            (file, Some(line)) => write!(f, "{}:{line}", visible(file)),
        }
    }
}

/// What makes a package impossible to judge, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct Defect {
    /// Where it is.
    pub at: Place,
    /// What it is.
    pub kind: DefectKind,
}

impl Defect {
    /// A defect at a place.
    pub fn new(at: Place, kind: DefectKind) -> Self {
        Self { at, kind }
    }
}

/// The ways in which a package is impossible to judge. Each message says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefectKind {
    /// The path could not be opened or read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// Neither a folder nor a zip.
    #[error("is neither a folder nor a zip; give a package's folder, its .zip or its .kpp")]
    NotAPackage,
    /// The zip's structure is damaged, or its content does not agree with what it declares.
    #[error("is not a sound zip: {0}; pack it again")]
    BrokenZip(String),
    /// A zip entry is encrypted or compressed by a method that is not read.
    #[error("cannot be unpacked ({0}); pack it again without a password, with deflate")]
    UnreadableEntry(String),
    /// An entry or a link of the package leads outside of it.
    #[error("leads outside the package{0}; a package may only hold paths and links inside itself")]
    LeadsOutside(String),
    /// A symbolic link that ends nowhere, or in a circle.
    #[error("is a symbolic link to '{0}', which does not lead to a file; remove or correct it")]
    BrokenLink(String),
    /// Neither a file, a folder nor a link.
    #[error("is neither a file nor a folder; remove it")]
    SpecialFile,
    /// Two entries have one name.
    #[error("is in the zip more than once; pack it again so that each name stands once")]
    DuplicateEntry,
    /// A bound on the package's size was passed.
    #[error("{what} is over the bound of {bound}; make the package smaller")]
    TooLarge {
        /// What was measured.
        what: &'static str,
        /// The bound, with its unit.
        bound: String,
    },
    /// A text file is not UTF-8.
    #[error("is not UTF-8; save it as UTF-8")]
    NotUtf8,
    /// The YAML cannot be parsed.
    #[error("is not YAML that can be read: {0}")]
    Yaml(String),
    /// The TOML cannot be parsed.
    #[error("is not TOML that can be read: {0}")]
    Toml(String),
    /// A key has a value that it cannot have.
    #[error("{key} is {found}, but must be {expected}")]
    BadValue {
        /// The key, with those above it.
        key: String,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
    },
    /// The format version is none that is known.
    #[error(
        "problem_format_version '{0}' is not known; the versions that are read are legacy, legacy-icpc, 2023-07, \
         2023-07-draft and 2025-09"
    )]
    UnknownFormat(String),
    /// There is no problem.yaml.
    #[error("has no problem.yaml; add one with at least a name")]
    NoProblemYaml,
    /// The package needs something that is not judged yet.
    #[error("{0} is not supported yet; only pass-fail problems with the default validator are judged")]
    Unsupported(Feature),
    /// There is no test at all.
    #[error("has no tests; put pairs of NAME.in and NAME.ans into data/sample and data/secret")]
    NoTests,
    /// An input without its answer.
    #[error("has no answer; add {0}, or remove the input")]
    NoAnswer(String),
    /// An answer without its input.
    #[error("has no input; add {0}, or remove the answer")]
    NoInput(String),
    /// The flags of the default validator are wrong.
    #[error("{0}")]
    Flags(FlagError),
    /// A generator recipe names a file that the package lacks.
    #[error("{role} '{name}' is not in the package; correct the path, which starts at the package's root")]
    NoProgram {
        /// `generator` or `solution`.
        role: &'static str,
        /// The name as written.
        name: String,
    },
    /// A case is described by more than one recipe.
    #[error("case '{0}' is generated twice; remove one of the two")]
    GeneratedTwice(String),
}

/// What a package may ask for that is not judged yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Feature {
    /// `type: scoring`, or a custom validator that scores.
    #[error("scoring")]
    Scoring,
    /// `type: interactive`.
    #[error("an interactive problem")]
    Interactive,
    /// `type: multi-pass`.
    #[error("a multi-pass problem")]
    MultiPass,
    /// `type: submit-answer`.
    #[error("a submit-answer problem")]
    SubmitAnswer,
    /// A validator of the package's own for the output.
    #[error("a custom output validator")]
    CustomValidator,
    /// A validator of the package's own for the source text.
    #[error("a static validator")]
    StaticValidator,
}

/// What is odd about a package that is judged all the same, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct Warning {
    /// Where it is.
    pub at: Place,
    /// What it is.
    pub kind: WarningKind,
}

impl Warning {
    /// A warning about a place.
    pub fn new(at: Place, kind: WarningKind) -> Self {
        Self { at, kind }
    }
}

/// The ways in which packages commonly break their format. Each message says what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WarningKind {
    /// No program checks the inputs.
    #[error("has no input validator; its inputs are taken as they are")]
    NoInputValidator,
    /// No submission is promised to be accepted.
    #[error("has no accepted submission; nothing shows that it can be solved")]
    NoAcceptedSubmission,
    /// There is no statement.
    #[error("has no statement")]
    NoStatement,
    /// There are samples, and nothing else.
    #[error("has samples only; a program that prints the sample answers is accepted")]
    SamplesOnly,
    /// A required key is missing.
    #[error("{key} is missing; '{used}' is used")]
    MissingKey {
        /// The key.
        key: &'static str,
        /// What takes its place.
        used: String,
    },
    /// A key without a value.
    #[error("{0} has no value; its default is used")]
    NullValue(String),
    /// A key that the format does not have.
    #[error("{0} is not a key of this format version; it is ignored")]
    UnknownKey(String),
    /// A key of another version of the format.
    #[error("{0} is not a key of this format version; it is used all the same")]
    ForeignKey(String),
    /// A key that only scoring problems have.
    #[error("{0} only matters where points are given; it is ignored")]
    ScoringKey(String),
    /// A value that the format does not allow, where one can go on without it.
    #[error("{key} is {found}, but should be {expected}; {then}")]
    OddValue {
        /// The key.
        key: String,
        /// What was found.
        found: String,
        /// What would be right.
        expected: String,
        /// What is done.
        then: String,
    },
    /// The format would let programs write files where they run.
    #[error("allow_file_writing is not supported yet; programs can write to /tmp only")]
    FileWriting,
    /// The slug is not the folder's name.
    #[error("its name '{name}' is not one of a package; it is called '{slug}'")]
    MappedSlug {
        /// The name of the folder or zip.
        name: String,
        /// The slug made of it.
        slug: String,
    },
    /// A name that the format does not allow, of a file that is used.
    #[error("has a name that the format does not allow (A-Z a-z 0-9 _ . - only); it is used all the same")]
    OddName,
    /// A name that cannot be used.
    #[error("has a name that cannot be used; the file is left out")]
    UnusableName,
    /// A folder that belongs to another version of the format.
    #[error("is not where this format version puts it; it is read all the same")]
    ForeignFolder,
    /// A folder in the root that no version of the format has.
    #[error("is not a folder of the package format; it is left out")]
    UnknownFolder,
    /// A settings file of another system.
    #[error("is another judge's file and is not read; problem.yaml and submissions.yaml are")]
    ForeignSettings,
    /// Tests in a place where the format has none.
    #[error(
        "is not a place for tests in this format version; they are judged, as hidden ones unless under sample"
    )]
    OddTestFolder,
    /// A group's settings in a place where the format has none.
    #[error("is not where this format version puts a group's settings; it is used all the same")]
    OddGroupSettings,
    /// Settings of a test that is not there.
    #[error("belongs to no test; it is ignored")]
    Orphan,
    /// The time limit is stated twice, with two values.
    #[error("says {other} s, problem.yaml says {used} s; {used} s is used")]
    TwoTimeLimits {
        /// The limit in `.timelimit`.
        other: String,
        /// The limit in `problem.yaml`.
        used: String,
    },
    /// A validator beside `validation: default`.
    #[error("is not used, since the default validator is asked for")]
    UnusedValidator,
    /// A submission beside the folders.
    #[error("is in none of the folders that say what to expect; it is left out")]
    LooseSubmission,
    /// A submission in a folder that promises nothing.
    #[error("is not a folder that the format knows; nothing is expected of the submissions in it")]
    UnknownSubmissionFolder,
    /// A submission whose expected results cannot be read.
    #[error("'{0}' is not a result that can be expected; it is ignored")]
    UnknownResult(String),
    /// A pattern in submissions.yaml that fits nothing.
    #[error("'{0}' fits no submission")]
    UnusedPattern(String),
    /// Nothing to calibrate the time limit from.
    #[error("states no time limit, and no accepted submission was timed; {0} s is used")]
    UncalibratedTimeLimit(String),
    /// The stated time limit is tight for the accepted submissions.
    #[error("an accepted submission takes {slowest} s, too near the time limit of {limit} s")]
    TightTimeLimit {
        /// The slowest accepted submission.
        slowest: String,
        /// The limit.
        limit: String,
    },
    /// The time limit lets submissions pass that should be too slow.
    #[error("a submission that should be too slow takes {fastest} s, too near the time limit of {limit} s")]
    LooseTimeLimit {
        /// The fastest submission that should exceed the limit.
        fastest: String,
        /// The limit.
        limit: String,
    },
}

/// Makes control characters of a name visible, since names come from strangers and messages go to terminals.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}
