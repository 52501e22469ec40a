//! Requests about what happened in an assignment.

use serde::{Deserialize, Serialize};

use crate::{AssignmentId, Points, Slug, SubmissionId, Timestamp, UserName, Verdict};

/// The most spans of time, cases and clusters that are told of a problem.
pub const MAX_STATS: usize = 40;
/// The most students that are named in a cluster.
pub const MAX_NAMED: usize = 30;

/// What happened in an assignment?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadStats {
    /// The assignment.
    pub assignment: AssignmentId,
}

/// What happened in an assignment, counted. Its size does not grow with the number of submissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Its title.
    pub title: String,
    /// The deadline of those without an extension.
    pub due: Option<Timestamp>,
    /// The time zone of its times.
    pub time_zone: String,
    /// How many students the course has.
    pub students: u32,
    /// How many submissions have a verdict.
    pub submissions: u64,
    /// By problem, in the order of the assignment.
    pub problems: Vec<ProblemStats>,
}

/// What happened at one problem of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemStats {
    /// The problem.
    pub problem: Slug,
    /// What it is worth.
    pub points: Points,
    /// How many students tried.
    pub tried: u32,
    /// How many solved it.
    pub solved: u32,
    /// How many submissions had each verdict, the most frequent first.
    pub verdicts: Vec<(Verdict, u64)>,
    /// How long each span of the timeline is, in hours.
    pub span_hours: u64,
    /// Submissions over time: the begin of each span in which there were any, and their verdicts.
    pub timeline: Vec<(Timestamp, Vec<(Verdict, u64)>)>,
    /// Cases that fail, the most frequent first.
    pub cases: Vec<CaseStats>,
    /// Students who have not solved it and whose newest submission fails the same case alike, the most first.
    pub clusters: Vec<FailureCluster>,
    /// Greatest CPU time of a case of accepted submissions: the least of each class, in milliseconds, and how many.
    pub times_ms: Vec<(u64, u64)>,
    /// How many attempts those who solved it needed, and how many students.
    pub attempts: Vec<(u32, u64)>,
}

/// How a case fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseStats {
    /// Its place, counted from 1.
    pub index: u32,
    /// Its group.
    pub group: String,
    /// Whether students may see it.
    pub sample: bool,
    /// How many submissions ran it.
    pub run: u64,
    /// How many failed it, by verdict, the most frequent first.
    pub failed: Vec<(Verdict, u64)>,
}

/// Students who fail alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureCluster {
    /// The case's place; absent where the program does not compile.
    pub index: Option<u32>,
    /// How they fail.
    pub verdict: Verdict,
    /// How many they are.
    pub count: u32,
    /// Some of them.
    pub users: Vec<UserName>,
    /// A submission to look at.
    pub example: SubmissionId,
}
