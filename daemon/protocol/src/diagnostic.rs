//! What a compiler says of a program, in one shape for every language.

use serde::{Deserialize, Serialize};

/// One message of a compiler or of a syntax check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The source file's name as submitted.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted in characters from 1; absent where the compiler gives none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// The column after the last marked character.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_column: Option<u32>,
    /// How bad it is.
    pub severity: Severity,
    /// The compiler's words.
    pub message: String,
    /// What the compiler proposes to write instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// An explanation of another diagnostic.
    Note,
    /// The program was built all the same.
    Warning,
    /// The program could not be built.
    Error,
}
