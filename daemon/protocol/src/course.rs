//! Courses, assignments, and the rules by which submissions count.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentName, CourseName, FeedbackPolicy, IdError, LanguageId, Points, Slug, StopRule, Timestamp,
};

/// What a user is to one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CourseRole {
    /// Submits programs and sees what became of them.
    Student,
    /// Also sees the submissions and grades of the course's students.
    Assistant,
    /// Also changes the course: assignments, roster, codes, grades.
    Instructor,
}

impl CourseRole {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Student, Self::Assistant, Self::Instructor];

    /// The word for it in commands, in the database and in JSON.
    pub fn token(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Assistant => "assistant",
            Self::Instructor => "instructor",
        }
    }
}

impl fmt::Display for CourseRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

/// An assignment of a course, as it is typed: `course/assignment`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AssignmentId {
    /// The course.
    pub course: CourseName,
    /// The assignment's name in the course.
    pub assignment: AssignmentName,
}

impl fmt::Display for AssignmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.course, self.assignment)
    }
}

impl FromStr for AssignmentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (course, assignment) = text.split_once('/').ok_or_else(|| IdError {
            text: text.into(),
            what: "assignment",
            rule: "it is written COURSE/ASSIGNMENT, such as cs101/hw3",
        })?;
        Ok(Self { course: course.parse()?, assignment: assignment.parse()? })
    }
}

impl TryFrom<String> for AssignmentId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<AssignmentId> for String {
    fn from(id: AssignmentId) -> Self {
        id.to_string()
    }
}

/// A problem of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentProblem {
    /// The problem.
    pub problem: Slug,
    /// The points that an accepted submission is worth.
    pub points: Points,
}

/// What becomes of submissions after the deadline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatePolicy {
    /// How long after the deadline a submission does not count as late, in seconds.
    #[serde(default)]
    pub grace_s: u64,
    /// What each day begun after the deadline takes away, in percent of the points; 0 takes nothing away.
    #[serde(default)]
    pub percent_per_day: u32,
    /// How long after the deadline submissions are accepted at all, in seconds; absent for as long as the assignment is
    /// open. With 0 nothing late is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff_s: Option<u64>,
}

/// How often and how fast a student may try. Faults of ours and, unless said otherwise, compile errors cost nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptPolicy {
    /// How many attempts a student has at each problem; absent without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long a student waits between two attempts at a problem, in seconds.
    #[serde(default)]
    pub cool_down_s: u64,
}

/// What a student sees of the cases of a submission.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseVisibility {
    /// Every case that was run: samples with their data, hidden ones with their verdict.
    #[default]
    All,
    /// The samples only.
    Samples,
    /// The verdict of the submission only.
    Verdict,
}

/// Which of a student's submissions to a problem counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// The one with the most points, lateness counted; the earliest of those.
    #[default]
    Best,
    /// The last one.
    Last,
    /// The one that the student chose; the last one where none was chosen.
    Chosen,
}

/// Where an assignment is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentState {
    /// Students do not see it.
    #[default]
    Draft,
    /// Students may submit, from `opens` on.
    Open,
    /// Students see it and may not submit.
    Closed,
}

/// All that is set about an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Its name.
    pub id: AssignmentId,
    /// Its title.
    pub title: String,
    /// Its problems, in order.
    pub problems: Vec<AssignmentProblem>,
    /// Where it is in its life.
    pub state: AssignmentState,
    /// When it opens; absent at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Timestamp>,
    /// The deadline; absent for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The time zone that times are shown in, an IANA name such as `Asia/Seoul`.
    pub time_zone: String,
    /// What becomes of late submissions.
    #[serde(default)]
    pub late: LatePolicy,
    /// How often one may try.
    #[serde(default)]
    pub attempts: AttemptPolicy,
    /// Languages that are allowed; empty for all that the problem allows.
    #[serde(default)]
    pub languages: Vec<LanguageId>,
    /// Whether all cases are run, or only those up to the first failure.
    pub stop: StopRule,
    /// What students see of the cases.
    #[serde(default)]
    pub visibility: CaseVisibility,
    /// The most feedback that is given; absent for what problem and server allow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<FeedbackPolicy>,
    /// Which submission counts.
    #[serde(default)]
    pub counting: Counting,
    /// What it counts in the course, beside other assignments; absent for its points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Points>,
}
