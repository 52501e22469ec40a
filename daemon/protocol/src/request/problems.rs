//! Requests about the versions of a problem: what a new one changes, and a package as it was pushed.

use serde::{Deserialize, Serialize};

use crate::{AssignmentId, AssignmentState, Limits, PackageHash, Slug};

/// The most names that a [`Names`] lists.
pub const MAX_NAMES: usize = 50;

/// What an installation means to replace, so that it replaces nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replaces {
    /// There was no such problem.
    Nothing,
    /// This version.
    Version(PackageHash),
}

/// What would a package change? It must have arrived. Nothing is changed by asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparePackage {
    /// The new version.
    pub package: PackageHash,
    /// The problem's name.
    pub slug: Slug,
}

/// What a new version of a problem changes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// The version that judges now; absent for a new problem.
    pub from: Option<PackageHash>,
    /// The limits of the version that judges now.
    pub now: Option<Limits>,
    /// The parts that differ, beside limits and cases.
    pub parts: Vec<PackagePart>,
    /// The limits before and after, where they differ.
    pub limits: Option<(Limits, Limits)>,
    /// Whether the new version states no time limit: it is measured when the package is installed.
    pub measured: bool,
    /// What differs of the cases that students see.
    pub samples: CaseChanges,
    /// What differs of the hidden cases.
    pub hidden: CaseChanges,
    /// What the change reaches.
    pub affects: Affected,
    /// What is odd about the new version.
    pub warnings: Vec<String>,
}

impl PackageChange {
    /// Whether a program could be judged otherwise than before. A time limit that is yet to be measured is not foreseen.
    pub fn judges_otherwise(&self) -> bool {
        self.limits.is_some()
            || !(self.samples.is_empty() && self.hidden.is_empty())
            || self.parts.iter().any(|part| part.judges())
    }
}

/// A part of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackagePart {
    /// Its title.
    Title,
    /// Its statements.
    Statement,
    /// How outputs are compared, or a validator's program.
    Validator,
    /// Files that are put over each submission.
    Include,
    /// Which languages are allowed.
    Languages,
    /// How large a program may be.
    CodeSize,
    /// What is asked of a model's feedback.
    Feedback,
    /// Files for students.
    Attachments,
    /// Its own submissions.
    Submissions,
    /// Anything else.
    Other,
}

impl PackagePart {
    /// Whether verdicts depend on it.
    pub fn judges(self) -> bool {
        matches!(self, Self::Validator | Self::Include)
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Statement => "statement",
            Self::Validator => "validator",
            Self::Include => "included files",
            Self::Languages => "allowed languages",
            Self::CodeSize => "size of programs",
            Self::Feedback => "feedback policy",
            Self::Attachments => "attachments",
            Self::Submissions => "own submissions",
            Self::Other => "other files",
        }
    }
}

/// Which cases differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseChanges {
    /// New ones.
    pub added: Names,
    /// Those that are gone.
    pub removed: Names,
    /// Those whose input, answer or arguments differ.
    pub changed: Names,
}

impl CaseChanges {
    /// Whether none differs.
    pub fn is_empty(&self) -> bool {
        [&self.added, &self.removed, &self.changed].iter().all(|names| names.count == 0)
    }
}

/// Names, the first of them only where there are many.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// How many there are.
    pub count: u32,
    /// The first.
    pub first: Vec<String>,
}

impl Names {
    /// Adds a name.
    pub fn push(&mut self, name: &str) {
        self.count += 1;
        if self.first.len() < MAX_NAMES {
            self.first.push(name.to_owned());
        }
    }
}

/// What a new version of a problem reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The assignments that have the problem, in courses that the asking user teaches.
    pub assignments: Vec<(AssignmentId, AssignmentState)>,
    /// How many assignments of other courses have it.
    pub elsewhere: u32,
    /// How many submissions that the asking user may have judged again were judged by another version.
    pub submissions: u64,
    /// How many of them are for assignments.
    pub graded: u64,
}

/// Read a piece of an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPackage {
    /// The problem.
    pub problem: Slug,
    /// The version; the one that judges now when absent. To be named from the second piece on, so that all are of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageHash>,
    /// Where the piece begins.
    pub offset: u64,
}

/// A piece of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackagePiece {
    /// The version.
    pub package: PackageHash,
    /// How many bytes the archive has in all.
    pub size: u64,
    /// The piece; empty at the end.
    #[serde(with = "crate::job::base64")]
    pub piece: Vec<u8>,
}
