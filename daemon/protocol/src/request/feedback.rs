//! Requests about what a model says.

use serde::{Deserialize, Serialize};

use crate::{
    Allowance, AnswerLanguage, AssignmentId, FeedbackOutcome, FeedbackPolicy, FeedbackStep, Fix, LanguageId,
    PackageHash, Slug, SourceFile, SubmissionId, Verdict,
};

/// The next, more telling step of feedback on a submission. Safe to repeat: the client asks again, naming the step,
/// until the outcome is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// The submission.
    pub submission: SubmissionId,
    /// The step, counted from 1; the one after the last that was given when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
}

/// Read all feedback that was given on a submission, and what is left of the budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadFeedback {
    /// The submission.
    pub submission: SubmissionId,
}

/// All feedback on a submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackDetail {
    /// The submission.
    pub submission: SubmissionId,
    /// What the rules allow for it.
    pub policy: FeedbackPolicy,
    /// What was said, by step.
    pub steps: Vec<FeedbackStep>,
    /// How many steps there can be.
    pub most_steps: u32,
    /// The corrected program, if there is one that was accepted and the policy shows it.
    pub fix: Option<Fix>,
    /// What the user may still spend today.
    pub left: Allowance,
}

/// See what a model would be sent for a program. Nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowPrompt {
    /// The problem.
    pub problem: Slug,
    /// The version of the problem, where the client wants one that is not the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageHash>,
    /// The runner.
    pub language: LanguageId,
    /// The program.
    pub files: Vec<SourceFile>,
    /// The language that feedback should be in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_in: Option<AnswerLanguage>,
    /// The assignment that it would be submitted to; the only one that is meant where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
}

/// What a model would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// What the rules allow for this problem; with `off` nothing is ever sent.
    pub policy: FeedbackPolicy,
    /// The endpoints that would be asked, in order; empty when none is configured.
    pub endpoints: Vec<String>,
    /// The body of the request, as JSON.
    pub body: String,
}

/// Try the feedback on a package's own wrong submissions. Safe to repeat: the client asks again until it is finished.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearse {
    /// The problem's name.
    pub problem: Slug,
    /// The version of the problem.
    pub package: PackageHash,
}

/// How a rehearsal goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsal {
    /// How many submissions there are to try.
    pub total: u32,
    /// What came of those that were tried so far.
    pub tried: Vec<Rehearsed>,
    /// Whether nothing more follows.
    pub finished: bool,
}

/// What feedback did for one wrong submission of a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The submission's name in the package.
    pub name: String,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// Whether a corrected program was accepted.
    pub verified: bool,
    /// How much of the program the correction changed, in percent of its tokens.
    pub changed_percent: Option<u32>,
    /// How many rounds it took.
    pub rounds: u32,
    /// Hints that gave too much of the correction away, and were held back.
    pub leaks: u32,
    /// How it ended.
    pub outcome: FeedbackOutcome,
    /// Tokens sent and received.
    pub tokens: u64,
    /// What it cost, in millionths of a US dollar.
    pub cost_micro: u64,
    /// How long it took, in milliseconds.
    pub time_ms: u64,
}
