//! How a run ended, and what that says about the student's program.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the tests say about a student's program. What went wrong on our side is a [`Fault`](crate::Fault).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// The output is right, within all limits.
    Accepted,
    /// The output is wrong.
    WrongAnswer,
    /// The program used more CPU time or wall time than allowed.
    TimeLimit,
    /// The program used more memory than allowed.
    MemoryLimit,
    /// The program wrote more than allowed.
    OutputLimit,
    /// The program ended by a signal or with an exit code other than zero.
    RuntimeError,
    /// The program could not be built.
    CompileError,
    /// The case was not run.
    Skipped,
}

impl Verdict {
    /// The token of this verdict in JSON, in exports and on the terminal. Never translated.
    pub fn token(self) -> &'static str {
        match self {
            Self::Accepted => "ACCEPTED",
            Self::WrongAnswer => "WRONG_ANSWER",
            Self::TimeLimit => "TIME_LIMIT",
            Self::MemoryLimit => "MEMORY_LIMIT",
            Self::OutputLimit => "OUTPUT_LIMIT",
            Self::RuntimeError => "RUNTIME_ERROR",
            Self::CompileError => "COMPILE_ERROR",
            Self::Skipped => "SKIPPED",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

/// Whether the student may see a case's input, expected answer and own output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// All of it: the samples.
    Sample,
    /// Only that it exists and how it ended.
    Hidden,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
}

/// What a process and all its descendants used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time, user and system together, in microseconds.
    pub cpu_us: u64,
    /// Time from start to end, in microseconds.
    pub wall_us: u64,
    /// The largest resident set, in KiB.
    pub memory_kib: u64,
}

/// A limit that a run went over, as it was observed while the process ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// CPU time.
    CpuTime,
    /// Wall time.
    WallTime,
    /// Memory.
    Memory,
    /// Bytes written to standard output and standard error, or to one file.
    Output,
}

/// One finished run of one program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exited {
    /// How the process ended.
    pub exit: Exit,
    /// What it used.
    pub usage: Usage,
    /// The limit it went over, when it went over one.
    pub stopped_by: Option<Limit>,
}

/// What comparing the output with the answer gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The same, by the problem's rules.
    Same,
    /// Not the same.
    Different,
}

/// The verdict of one case. The order of the arms is the precedence: reaching the memory limit counts before
/// running out of time, and both count before the exit code that they cause.
///
/// ```
/// use codementor_protocol::*;
/// let killed = Exited {
///     exit: Exit::Signal(9),
///     usage: Usage { cpu_us: 2_000_000, wall_us: 2_100_000, memory_kib: 262_144 },
///     stopped_by: Some(Limit::Memory),
/// };
/// assert_eq!(classify(&killed, &Limits::default(), Comparison::Different), Verdict::MemoryLimit);
/// ```
pub fn classify(exited: &Exited, limits: &crate::Limits, comparison: Comparison) -> Verdict {
    let usage = &exited.usage;
    match (exited.stopped_by, exited.exit) {
        (Some(Limit::Memory), _) => Verdict::MemoryLimit,
        _ if usage.memory_kib > limits.memory_mib * 1024 => Verdict::MemoryLimit,
        (Some(Limit::CpuTime | Limit::WallTime), _) => Verdict::TimeLimit,
        _ if usage.cpu_us > limits.time_ms * 1000 => Verdict::TimeLimit,
        (Some(Limit::Output), _) => Verdict::OutputLimit,
        (None, Exit::Signal(_)) => Verdict::RuntimeError,
        (None, Exit::Code(code)) if code != 0 => Verdict::RuntimeError,
        (None, Exit::Code(_)) => match comparison {
            Comparison::Same => Verdict::Accepted,
            Comparison::Different => Verdict::WrongAnswer,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn the_precedence_of_verdicts_is_the_table() {
        use Comparison::{Different, Same};
        let limits = Limits { time_ms: 1000, memory_mib: 64, ..Limits::default() };
        let over_memory = 64 * 1024 + 1;
        #[rustfmt::skip]
        let table = [
            // exit,            cpu µs,    KiB,         stopped by,             comparison, verdict
            (Exit::Code(0),     500_000,   1024,        None,                   Same,       Verdict::Accepted),
            (Exit::Code(0),     1_000_000, 64 * 1024,   None,                   Same,       Verdict::Accepted),
            (Exit::Code(0),     500_000,   1024,        None,                   Different,  Verdict::WrongAnswer),
            (Exit::Code(3),     500_000,   1024,        None,                   Same,       Verdict::RuntimeError),
            (Exit::Signal(11),  500_000,   1024,        None,                   Same,       Verdict::RuntimeError),
            (Exit::Code(0),     1_000_001, 1024,        None,                   Same,       Verdict::TimeLimit),
            (Exit::Signal(9),   1_100_000, 1024,        Some(Limit::CpuTime),   Same,       Verdict::TimeLimit),
            (Exit::Signal(9),   10,        1024,        Some(Limit::WallTime),  Different,  Verdict::TimeLimit),
            (Exit::Signal(9),   1_100_000, over_memory, Some(Limit::CpuTime),   Same,       Verdict::MemoryLimit),
            (Exit::Code(1),     500_000,   1024,        Some(Limit::Memory),    Same,       Verdict::MemoryLimit),
            (Exit::Code(0),     500_000,   over_memory, None,                   Same,       Verdict::MemoryLimit),
            (Exit::Signal(9),   500_000,   1024,        Some(Limit::Output),    Different,  Verdict::OutputLimit),
            (Exit::Signal(25),  500_000,   1024,        Some(Limit::Output),    Different,  Verdict::OutputLimit),
        ];
        for (exit, cpu_us, memory_kib, stopped_by, comparison, verdict) in table {
            let exited = Exited { exit, usage: Usage { cpu_us, wall_us: cpu_us, memory_kib }, stopped_by };
            assert_eq!(classify(&exited, &limits, comparison), verdict, "{exited:?} {comparison:?}");
        }
    }
}
