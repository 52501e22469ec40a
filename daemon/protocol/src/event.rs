//! The events of a submission: the stream that everything a person sees is rendered from.
//!
//! The shape follows the NDJSON that `--json` prints: a header, a `type`, and the fields of that type beside it.
//! Readers ignore types and fields that they do not know.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentId, Diagnostic, Exit, Fault, Feedback, FeedbackEnd, Fix, LanguageId, PackageHash, Points,
    Purpose, Slug, SubmissionId, Timestamp, Verdict, Visibility,
};

/// The version of the schema, in every event.
pub const SCHEMA_VERSION: u8 = 1;

/// One event of one submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobEvent {
    /// The schema's version.
    pub v: u8,
    /// Dense within the submission, from 1, over all deliveries.
    pub seq: u64,
    /// The submission.
    pub submission: SubmissionId,
    /// Which delivery it belongs to, counted from 1; 0 before the first.
    pub delivery: u32,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen to a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// It was accepted for judging and will not be lost. Always the first event.
    Submission(Accepted),
    /// It waits for a judge.
    Queued(Queued),
    /// Its language is being made ready on the judge; the first time, that takes minutes.
    Preparing {
        /// What is being done.
        text: String,
    },
    /// A judge has taken it.
    Started(Started),
    /// What was reported so far is void; it is judged again. This costs no attempt.
    Restarted(Restarted),
    /// It had ended, and was judged again by another version of the problem. What was reported so far is what was; how
    /// the new run went follows.
    Rejudged(Rejudged),
    /// The compiler, or the syntax check, ended.
    Compiled(Compiled),
    /// A case was run.
    Test(TestEvent),
    /// The verdict.
    Result(Verdicted),
    /// It could not be judged: our fault, which costs no attempt. No `result` follows.
    Error(Failed),
    /// Somebody stopped it. No `result` follows.
    Cancelled,
    /// A piece of what a model says about the program. It can come before the result and after it, and never
    /// changes it.
    Feedback(Feedback),
    /// A corrected program that was judged on all tests and accepted; only under the policy `full`.
    Fix(Fix),
    /// The model has said all that it will say.
    FeedbackEnd(FeedbackEnd),
    /// Nothing follows.
    End(Ended),
    /// An event of a newer daemon, which this reader does not know.
    #[serde(other)]
    Unknown,
}

/// The facts of a submission as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Its number.
    pub id: SubmissionId,
    /// The problem.
    pub problem: Slug,
    /// The version of the problem that judges it.
    pub package: PackageHash,
    /// The runner.
    pub lang: LanguageId,
    /// Why it is judged.
    pub purpose: Purpose,
    /// Whether it came after the deadline.
    pub late: bool,
    /// How much of its points lateness takes, in percent, as it was when it was submitted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub late_percent: u32,
    /// Which try of this student at this problem it is, counted from 1.
    pub attempt: u32,
    /// The CPU time that one case may take, in milliseconds.
    pub time_limit_ms: u64,
    /// The memory that one case may take, in MiB.
    pub memory_limit_mib: u64,
    /// The assignment that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// The student's deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// How many attempts the student has in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_limit: Option<u32>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Accepted {
    /// What lateness leaves of a score; none where it takes nothing.
    pub fn less_lateness(&self, score: &str) -> Option<Points> {
        let score: Points = score.parse().ok()?;
        let left = score.less_percent(self.late_percent);
        (left != score).then_some(left)
    }
}

/// A submission that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// How many submissions are before it; 0 is next.
    pub position: u64,
}

/// A submission that a judge has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// How many cases will be run at most.
    pub total: u32,
}

/// A submission that is judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarted {
    /// Why, in words.
    pub reason: String,
}

/// A submission that was judged again after its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejudged {
    /// The version of the problem that judges it now.
    pub package: PackageHash,
    /// The verdict before; none where a fault of ours had ended it.
    pub verdict: Option<Verdict>,
    /// The points before.
    pub score: Option<String>,
}

/// What the compiler did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compiled {
    /// Whether there is a program to run.
    pub ok: bool,
    /// How long it took, in milliseconds of wall time.
    pub time_ms: u64,
    /// What it says, in one shape for every compiler.
    pub diagnostics: Vec<Diagnostic>,
    /// What it says, in its own words, capped. Untrusted text: a student's source can put anything into it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
}

/// One case that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestEvent {
    /// Its place, counted from 1.
    pub index: u32,
    /// How many cases there are.
    pub total: u32,
    /// Its name; null for a hidden case.
    pub name: Option<String>,
    /// Its group.
    pub group: String,
    /// Who may see its data.
    pub visibility: Visibility,
    /// The verdict.
    pub verdict: Verdict,
    /// CPU time, in milliseconds.
    pub time_ms: u64,
    /// Wall time, in milliseconds.
    pub wall_ms: u64,
    /// The largest resident set, in KiB.
    pub memory_kib: u64,
    /// The exit code, where the program returned one.
    pub exit_code: Option<i32>,
    /// The signal, where one ended it.
    pub signal: Option<i32>,
}

impl TestEvent {
    /// Splits how a process ended into the two fields of the schema.
    pub fn split_exit(exit: Exit) -> (Option<i32>, Option<i32>) {
        match exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal)),
        }
    }
}

/// The verdict of a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdicted {
    /// The verdict.
    pub verdict: Verdict,
    /// Points, as a decimal number in text, so that nothing is rounded.
    pub score: String,
    /// The most points that there are.
    pub max_score: String,
    /// How many cases were accepted; absent where the assignment does not show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passed: Option<u32>,
    /// How many cases there are.
    pub total: u32,
}

/// A submission that could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// What kind of failure.
    pub code: String,
    /// What happened.
    pub message: String,
    /// Whether submitting again later can help.
    pub retryable: bool,
}

impl From<&Fault> for Failed {
    fn from(fault: &Fault) -> Self {
        Self {
            code: format!("{}", fault.code),
            message: fault.message.clone(),
            retryable: fault.code.retryable(),
        }
    }
}

/// The end of the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// What the command line exits with; it fills this in when it prints the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_object_with_a_type() {
        let event = JobEvent {
            v: SCHEMA_VERSION,
            seq: 5,
            submission: SubmissionId(4821),
            delivery: 1,
            at: Timestamp(1_700_000_000_000),
            kind: EventKind::Result(Verdicted {
                verdict: Verdict::WrongAnswer,
                score: "0".into(),
                max_score: "100".into(),
                passed: Some(19),
                total: 20,
            }),
        };
        let text = serde_json::to_string(&event).expect("an event serialises");
        assert_eq!(
            text,
            r#"{"v":1,"seq":5,"submission":4821,"delivery":1,"at":1700000000000,"type":"result","verdict":"WRONG_ANSWER","score":"0","max_score":"100","passed":19,"total":20}"#
        );
        assert_eq!(serde_json::from_str::<JobEvent>(&text).expect("and is read again"), event);
    }

    #[test]
    fn types_and_fields_of_a_newer_daemon_are_ignored() {
        let text = r#"{"v":1,"seq":9,"submission":1,"delivery":1,"at":0,"type":"hologram","beams":3}"#;
        assert_eq!(serde_json::from_str::<JobEvent>(text).expect("is read").kind, EventKind::Unknown);
        let text =
            r#"{"v":1,"seq":9,"submission":1,"delivery":1,"at":0,"type":"queued","position":3,"eta_ms":4}"#;
        assert_eq!(
            serde_json::from_str::<JobEvent>(text).expect("is read").kind,
            EventKind::Queued(Queued { position: 3 })
        );
    }
}
