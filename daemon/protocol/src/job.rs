//! What the daemon asks of a judge, and what the judge reports.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Diagnostic, Exit, Fault, LanguageId, PackageHash, Slug, SubmissionId, Timestamp, Usage, Verdict,
    Visibility,
};

/// The order in which jobs are taken, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// A person waits for it.
    Interactive,
    /// A corrected program is being checked, or a time limit is being measured.
    Verify,
    /// Nobody waits for it.
    Batch,
}

impl Lane {
    /// Every lane, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Interactive, Self::Verify, Self::Batch];

    /// The lane's word in a subject.
    pub fn token(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Verify => "verify",
            Self::Batch => "batch",
        }
    }
}

/// One source file of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// A plain file name, without folders.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// The limits that a submission is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// CPU time of one case, in milliseconds. Wall time is limited to twice that and two seconds.
    pub time_ms: u64,
    /// Memory of one case, in MiB.
    pub memory_mib: u64,
    /// Standard output and standard error of one case together, in MiB.
    pub output_mib: u64,
    /// CPU time of the compiler, in milliseconds.
    pub compile_time_ms: u64,
    /// Memory of the compiler, in MiB.
    pub compile_memory_mib: u64,
}

impl Limits {
    /// The wall time that one case may take, in milliseconds: generous, so that a busy host does not fail a program
    /// that spends no more CPU time than it may.
    pub fn wall_ms(&self) -> u64 {
        self.time_ms * 2 + 2000
    }
}

impl Default for Limits {
    /// The defaults of the problem package format, with five seconds where a package gives no time limit.
    fn default() -> Self {
        Self {
            time_ms: 5000,
            memory_mib: 2048,
            output_mib: 8,
            compile_time_ms: 60_000,
            compile_memory_mib: 2048,
        }
    }
}

/// Which cases a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseSelection {
    /// Samples first, then the hidden cases.
    All,
    /// Only what the student may see.
    Samples,
}

/// When a job stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopRule {
    /// At the first case that is not accepted; the others are skipped.
    FirstFailure,
    /// After the last case.
    Never,
}

/// Why a program is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// A student's attempt.
    Submission,
    /// A try on the samples: kept only until it has been read.
    Trial,
    /// Measuring a package's own submission to set a time limit.
    Calibration,
    /// Checking a program that a model has corrected.
    Verification,
    /// Judging a student's attempt again, with nobody watching.
    Rejudge,
}

/// A job: all that a judge needs, but for the package, which it fetches by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Whose program it is, by number only.
    pub submission: SubmissionId,
    /// How often the daemon has published this job, counted from 1.
    pub generation: u32,
    /// The problem's name.
    pub problem: Slug,
    /// The version of the problem to judge by.
    pub package: PackageHash,
    /// The runner.
    pub language: LanguageId,
    /// The program.
    pub files: Vec<SourceFile>,
    /// The file to start from, where the student or the package names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Which cases to run.
    pub cases: CaseSelection,
    /// When to stop.
    pub stop: StopRule,
    /// What to judge by.
    pub limits: Limits,
}

/// Which delivery of a job a report belongs to. A later delivery is greater; reports of any but the greatest that
/// has started are dropped, since NATS accepts acks of a delivery that it has already given to somebody else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DeliveryToken {
    /// The generation of the job.
    pub generation: u32,
    /// How often NATS has delivered that generation, counted from 1.
    pub redelivery: u32,
}

impl fmt::Display for DeliveryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation, self.redelivery)
    }
}

/// Reports that crossed together. Those that wait while an earlier message is being stored travel in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// The submission that is being judged.
    pub submission: SubmissionId,
    /// The delivery that they belong to.
    pub token: DeliveryToken,
    /// The reports, in order.
    pub reports: Vec<Report>,
}

/// One thing that a judge has to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Dense within the delivery, from 0.
    pub n: u32,
    /// When it happened, by the judge's clock.
    pub at: Timestamp,
    /// What happened.
    pub kind: ReportKind,
}

/// What a judge can report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ReportKind {
    /// The language is being made ready; may come before [`ReportKind::Started`].
    Preparing {
        /// What is being done.
        text: String,
    },
    /// A judge has all that it needs and begins.
    Started {
        /// The judge's name.
        judge: String,
        /// How many cases will be run at most.
        total: u32,
    },
    /// The compiler ended.
    Compiled {
        /// Whether there is a program to run.
        ok: bool,
        /// How long it took, in milliseconds of wall time.
        time_ms: u64,
        /// What the compiler says, in our shape.
        diagnostics: Vec<Diagnostic>,
        /// What the compiler says, in its own words, capped.
        output: String,
    },
    /// A case was run.
    Case(CaseReport),
    /// The last report of a delivery.
    Finished(Finish),
}

/// How a delivery ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Finish {
    /// With a verdict.
    Judged {
        /// The verdict.
        verdict: Verdict,
        /// How many cases were accepted.
        passed: u32,
        /// How many cases there are.
        total: u32,
    },
    /// With a fault of ours.
    Faulted(Fault),
}

/// How one case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseReport {
    /// The case's place, counted from 1.
    pub index: u32,
    /// Its name; the daemon passes on the names of samples only.
    pub name: String,
    /// Its group, such as `sample` or `secret`.
    pub group: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// The verdict.
    pub verdict: Verdict,
    /// How the process ended.
    pub exit: Exit,
    /// What it used.
    pub usage: Usage,
    /// The program's standard output, capped, in base64; only of samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<Capture>,
    /// The program's standard error, capped, in base64; only of samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr: Option<Capture>,
}

/// Bytes that a program wrote, up to a bound.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// The first bytes.
    #[serde(with = "crate::job::base64")]
    pub bytes: Vec<u8>,
    /// How many bytes there were in all.
    pub total: u64,
}

impl Capture {
    /// Keeps at most `cap` bytes.
    pub fn new(bytes: &[u8], total: u64, cap: usize) -> Self {
        Self { bytes: bytes[..bytes.len().min(cap)].to_vec(), total }
    }

    /// Whether bytes are missing at the end.
    pub fn truncated(&self) -> bool {
        self.total > self.bytes.len() as u64
    }
}

/// Bytes as base64 text.
pub(crate) mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        BASE64.decode(text.as_bytes()).map_err(serde::de::Error::custom)
    }
}
