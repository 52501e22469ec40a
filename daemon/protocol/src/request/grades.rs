//! Requests about grades, statistics and judging again.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentId, CourseName, Limits, PackageHash, RosterRow, Slug, SubmissionId, Timestamp, UserName,
    Verdict,
};

/// The grades of an assignment, of all students of its course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListGrades {
    /// The assignment.
    pub assignment: AssignmentId,
}

/// The grades of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GradeTable {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Its title.
    pub title: String,
    /// The deadline for those without an extension.
    pub due: Option<Timestamp>,
    /// The most points, as a decimal number in text.
    pub max_score: String,
    /// One row a student, by name.
    pub rows: Vec<Grade>,
}

/// The grade of one student for one assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// The user; absent while nobody has enrolled for the row of the roster.
    pub user: Option<UserName>,
    /// The row of the roster.
    pub row: Option<RosterRow>,
    /// What kind of grade it is.
    pub standing: Standing,
    /// Points before lateness, as a decimal number in text; absent where nothing was handed in.
    pub raw_score: Option<String>,
    /// What lateness took away.
    pub late_penalty: String,
    /// The points that count, an override included; absent where there are none to count.
    pub score: Option<String>,
    /// When the last submission that counts was made.
    pub handed_in: Option<Timestamp>,
    /// By problem.
    pub problems: Vec<ProblemGrade>,
    /// The override, if there is one.
    pub overridden: Option<Override>,
}

/// What kind of grade a student has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Handed in, in time.
    InTime,
    /// Handed in, and what counts was late.
    Late,
    /// Nothing was handed in.
    Missing,
    /// The student need not hand it in.
    Excused,
    /// The student has left the course.
    Withdrawn,
}

/// The grade of one student for one problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemGrade {
    /// The problem.
    pub problem: Slug,
    /// The submission that counts.
    pub submission: Option<SubmissionId>,
    /// Its verdict.
    pub verdict: Option<Verdict>,
    /// Its points, lateness counted.
    pub score: Option<String>,
    /// The most points.
    pub max_score: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// Whether what counts was late.
    pub late: bool,
}

/// A grade that a person has set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    /// What it was set to.
    pub to: OverrideTo,
    /// Why.
    pub reason: String,
    /// By whom.
    pub by: UserName,
    /// When.
    pub at: Timestamp,
}

/// What a grade can be set to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideTo {
    /// These points, as a decimal number in text.
    Score(String),
    /// The student need not hand it in.
    Excused,
}

/// Set a grade, or take back what was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideGrade {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The student, by user name or student id.
    pub student: String,
    /// What to set; absent takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<OverrideTo>,
    /// Why: kept for good.
    pub reason: String,
}

/// Choose the submission that counts, where the assignment lets students choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseSubmission {
    /// The submission.
    pub submission: SubmissionId,
}

/// Who changed what in a course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadAudit {
    /// The course.
    pub course: CourseName,
    /// Only what is older than this entry, for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// How many at most.
    pub limit: u32,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number.
    pub id: u64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: UserName,
    /// What was done, such as `grade-override`.
    pub action: String,
    /// To what: an assignment, a student, a code.
    pub target: String,
    /// Before and after, and the reason.
    pub detail: serde_json::Value,
}

/// What happened in an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStats {
    /// The assignment.
    pub assignment: AssignmentId,
}

/// What happened in an assignment, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Its title.
    pub title: String,
    /// The deadline.
    pub due: Option<Timestamp>,
    /// How many students the course has.
    pub students: u32,
    /// By problem.
    pub problems: Vec<ProblemStats>,
}

/// What happened at one problem of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemStats {
    /// The problem.
    pub problem: Slug,
    /// How many students tried.
    pub tried: u32,
    /// How many solved it.
    pub solved: u32,
    /// Submissions over time: the begin of each span and how many had each verdict in it.
    pub timeline: Vec<(Timestamp, Vec<(Verdict, u32)>)>,
    /// How wide each span is, in seconds.
    pub span_s: u64,
    /// By case: its place, how many failed there first, and with what.
    pub failures: Vec<CaseFailures>,
    /// Students whose last failure was at the same case and of the same kind.
    pub clusters: Vec<FailureCluster>,
    /// Greatest CPU time of accepted submissions, in milliseconds, sorted.
    pub times_ms: Vec<u64>,
    /// How many attempts those who solved it needed: attempts and how many students.
    pub attempts: Vec<(u32, u32)>,
}

/// How a case fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFailures {
    /// The case's place, counted from 1.
    pub index: u32,
    /// Its group.
    pub group: String,
    /// How many submissions failed there first, by verdict.
    pub verdicts: Vec<(Verdict, u32)>,
}

/// Students who fail alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCluster {
    /// The case's place.
    pub index: u32,
    /// How they fail.
    pub verdict: Verdict,
    /// The students.
    pub users: Vec<UserName>,
    /// A submission to look at.
    pub example: SubmissionId,
}

/// Read a piece of an installed package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetPackage {
    /// The problem.
    pub problem: Slug,
    /// The version; the current one when absent.
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

/// What would installing a package change? It must have arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparePackage {
    /// The problem.
    pub problem: Slug,
    /// The new version.
    pub package: PackageHash,
}

/// What a new version changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// The version that judges now; absent for a new problem.
    pub from: Option<PackageHash>,
    /// The limits now and then, where they differ.
    pub limits: Option<(Limits, Limits)>,
    /// Cases that are new, by name.
    pub added: Vec<String>,
    /// Cases that are gone.
    pub removed: Vec<String>,
    /// Cases whose input or answer differs.
    pub changed: Vec<String>,
    /// Whether anything else differs: statement, included files, validator flags.
    pub other: bool,
    /// How many submissions were judged by another version than the new one.
    pub submissions: u64,
    /// How many of them count for a grade.
    pub graded: u64,
}

/// Judge submissions of a problem again by its current version. Safe to repeat: the client asks again until it is
/// ready, then applies it or drops it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejudge {
    /// The problem.
    pub problem: Slug,
    /// Only submissions of this assignment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// Which submissions.
    pub which: RejudgeWhich,
    /// What to do.
    pub step: RejudgeStep,
}

/// Which submissions are judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejudgeWhich {
    /// Those that were judged by another version of the problem.
    Affected,
    /// All.
    All,
}

/// A step of judging again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejudgeStep {
    /// Judge silently; nobody sees anything yet.
    Preview,
    /// Make the new results count, all in one transaction.
    Apply,
    /// Forget the new results.
    Drop,
}

/// How judging again goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejudgePreview {
    /// How many submissions were judged again.
    pub done: u32,
    /// How many there are.
    pub total: u32,
    /// Whose result moves.
    pub moves: Vec<RejudgeMove>,
    /// Submissions that could not be judged again, through faults of ours.
    pub faults: u32,
    /// Whether it has been applied.
    pub applied: bool,
}

/// A submission whose result moves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejudgeMove {
    /// The submission.
    pub submission: SubmissionId,
    /// Whose it is.
    pub user: UserName,
    /// The verdict before and after.
    pub verdict: (Option<Verdict>, Verdict),
    /// The points before and after.
    pub score: (Option<String>, String),
}
