//! Requests about judging again: silently first, then for all at once or not at all.

use serde::{Deserialize, Serialize};

use crate::{AssignmentId, Slug, SubmissionId, Timestamp, UserName, Verdict};

/// The most submissions that can be named one by one.
pub const MAX_REJUDGED_BY_NUMBER: usize = 1000;

/// Judge submissions again by the versions of their problems that judge now. Nobody but whoever asks sees anything of it
/// until it is applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRejudge {
    /// Which submissions.
    pub what: RejudgeWhat,
    /// Also those that the version which judges now has judged.
    #[serde(default)]
    pub all: bool,
}

/// Which submissions are judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejudgeWhat {
    /// Those to a problem, as far as the asking user teaches their courses.
    Problem(Slug),
    /// Those to an assignment.
    Assignment(AssignmentId),
    /// These.
    Submissions(Vec<SubmissionId>),
}

/// How does it go, and whose result would move?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRejudge {
    /// Its number.
    pub id: u64,
    /// Only moves of later submissions than this one, for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<SubmissionId>,
}

/// Make the new results count, or forget them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndRejudge {
    /// Its number.
    pub id: u64,
    /// Whether they are to count.
    pub apply: bool,
}

/// What is being judged again, or waits to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRejudges {}

/// Where judging again stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejudgeState {
    /// Programs are being judged.
    Judging,
    /// All were; nothing counts yet.
    Ready,
    /// The new results count.
    Applied,
    /// They were forgotten.
    Dropped,
}

/// How judging again goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejudgeSummary {
    /// Its number.
    pub id: u64,
    /// What is judged again, in words.
    pub what: String,
    /// Who asked for it.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
    /// Where it stands.
    pub state: RejudgeState,
    /// How many submissions are judged again.
    pub total: u64,
    /// How many of them have been.
    pub done: u64,
    /// How many could not be, through faults of ours. They keep what they have.
    pub faults: u64,
    /// How many results move; known once all have been judged.
    pub moves: u64,
    /// Submissions that were still being judged when it began, and so are no part of it.
    pub open: u64,
}

/// How judging again goes, and some of the results that move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejudgePage {
    /// How it goes.
    pub summary: RejudgeSummary,
    /// The moves, by submission; empty until all have been judged, and once it is over.
    pub moves: Vec<RejudgeMove>,
    /// Whether there are more.
    pub more: bool,
}

/// A submission whose result moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejudgeMove {
    /// The submission.
    pub submission: SubmissionId,
    /// Whose it is.
    pub user: UserName,
    /// The problem.
    pub problem: Slug,
    /// The assignment that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// The verdict before; none where a fault of ours had ended it.
    pub was: Option<Verdict>,
    /// The verdict after.
    pub verdict: Verdict,
    /// The points before.
    pub had: Option<String>,
    /// The points after.
    pub score: String,
    /// The most points that there are.
    pub max_score: String,
}
