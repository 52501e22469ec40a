//! What goes into a sandbox and what comes out of it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use codementor_protocol::{Capture, Exit, Exited, SourceFile};

use crate::language::Language;

/// A program as it is given to a sandbox.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What it is written in.
    pub language: &'a Arc<Language>,
    /// The student's files.
    pub submitted: &'a [SourceFile],
    /// The files that the problem adds to every submission. They replace files of the same name.
    pub included: &'a [SourceFile],
    /// The file to start from, where somebody names one; else the language's rules find it.
    pub entry: Option<&'a str>,
}

/// How building a program ended.
#[derive(Debug, Clone)]
pub struct Build {
    /// Whether there is a program to run.
    pub ok: bool,
    /// How the last step of the build ended; absent where the language has none, where the first case has shown that
    /// none is needed, or where no step could be begun because the program has no file to start from. Then `output`
    /// says why.
    pub exited: Option<Exited>,
    /// What the compiler wrote, standard output and standard error as they came, at most [`MAX_KEPT`] bytes of it.
    pub output: Capture,
    /// How long the whole of it took.
    pub time: Duration,
}

/// The most bytes that are kept of a compiler's output and of a case's standard error.
pub const MAX_KEPT: usize = 64 * 1024;

/// The name of a file in the judge's cache of inputs: the SHA-256 of its content, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InputName(String);

impl InputName {
    /// The name of `content`.
    pub fn of(content: &[u8]) -> Self {
        use sha2::Digest;
        Self(data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(content)))
    }

    /// Takes a name that was computed before; `None` where it is not a SHA-256 in hexadecimal.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (hex.len() == 64 && hex.bytes().all(digits)).then(|| Self(hex.into()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a case's standard input comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CaseInput {
    /// Nothing to read.
    #[default]
    Nothing,
    /// A file in the cache of inputs.
    Input(InputName),
    /// These bytes; at most 16 MiB.
    Bytes(Bytes),
}

/// One case to run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseRun {
    /// The standard input.
    pub stdin: CaseInput,
    /// Arguments behind those of the language.
    pub args: Vec<String>,
    /// Files that stand in the program's folder while the case runs: their names there and in the cache.
    pub files: Vec<(String, InputName)>,
}

/// How one case ended.
#[derive(Debug, Clone)]
pub struct CaseDone {
    /// Its place among the cases given, from 0.
    pub index: usize,
    /// How the program ended.
    pub exited: Exited,
    /// All of its standard output, or as much as the limit allowed.
    pub stdout: Bytes,
    /// Its standard error, at most [`MAX_KEPT`] bytes of it.
    pub stderr: Capture,
}

impl CaseDone {
    /// Whether it ended well and complained of nothing.
    pub(super) fn is_silent_success(&self) -> bool {
        self.exited.exit == Exit::Code(0) && self.exited.stopped_by.is_none() && self.stderr.total == 0
    }
}
