//! Requests about grades.

use serde::{Deserialize, Serialize};

use crate::{
    AssignmentId, CourseRole, Member, Points, RosterRow, Slug, SubmissionId, Timestamp, UserName, Verdict,
};

/// The grades of an assignment, of all students of its course.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListGrades {
    /// The assignment.
    pub assignment: AssignmentId,
    /// How many students to leave out at the start, for the next page.
    #[serde(default)]
    pub from: u32,
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
    /// The most points.
    pub max_score: Points,
    /// What the assignment counts in the course.
    pub weight: Points,
    /// One row a student, by name.
    pub rows: Vec<Grade>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u32>,
}

/// The grade of one student for one assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grade {
    /// The user; absent while nobody has enrolled for the row of the roster.
    pub user: Option<UserName>,
    /// The name for people.
    pub name: String,
    /// The student id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student_id: Option<String>,
    /// The row of the roster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<RosterRow>,
    /// What kind of grade it is.
    pub standing: Standing,
    /// Points before lateness; absent where nothing was handed in.
    pub raw_score: Option<Points>,
    /// What lateness took away.
    pub late_penalty: Points,
    /// The points that count, one that was set included; absent where there are none to count.
    pub score: Option<Points>,
    /// When the last submission that counts was made.
    pub handed_in: Option<Timestamp>,
    /// The student's own deadline, where it is an extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended: Option<Timestamp>,
    /// By problem.
    pub problems: Vec<ProblemGrade>,
    /// The grade that a person has set, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
}

/// What kind of grade a student has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Handed in, in time.
    InTime,
    /// Handed in, and some of what counts was late.
    Late,
    /// Handed in, and something of it has no verdict: it waits, or we failed. No points can be said yet.
    Unjudged,
    /// Nothing was handed in.
    Missing,
    /// The student need not hand it in.
    Excused,
    /// The student has left the course.
    Withdrawn,
}

impl Standing {
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Self::InTime => "in time",
            Self::Late => "late",
            Self::Unjudged => "not judged",
            Self::Missing => "missing",
            Self::Excused => "excused",
            Self::Withdrawn => "withdrawn",
        }
    }
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
    pub score: Option<Points>,
    /// The most points.
    pub max_score: Points,
    /// How many submissions were judged and cost an attempt.
    pub attempts: u32,
    /// Whether what counts was late.
    pub late: bool,
    /// How many submissions have no verdict: they wait, or ended in a fault of ours.
    pub unjudged: u32,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OverrideTo {
    /// These points.
    Score(Points),
    /// The student need not hand it in.
    Excused,
}

/// The grade of one student: one's own, or for those who teach that of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowGrade {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The student, by user name or student id; oneself when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student: Option<String>,
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

/// What a submission counts for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The assignment.
    pub assignment: AssignmentId,
    /// The problem.
    pub problem: Slug,
}

impl Grade {
    /// A grade of nobody's work yet, for somebody of the roster.
    pub fn blank(member: &Member) -> Self {
        debug_assert_eq!(member.role, CourseRole::Student);
        Self {
            user: member.user.clone(),
            name: member.shown().to_owned(),
            student_id: member.student_id().map(str::to_owned),
            row: member.row.clone(),
            standing: if member.withdrawn { Standing::Withdrawn } else { Standing::Missing },
            raw_score: None,
            late_penalty: Points::ZERO,
            score: None,
            handed_in: None,
            extended: None,
            problems: Vec::new(),
            overridden: None,
        }
    }

    /// Whether there is something to grade: points that count.
    pub fn counts(&self) -> Option<Points> {
        match self.standing {
            Standing::InTime | Standing::Late | Standing::Missing => self.score,
            // What a person has set counts also while something is not judged.
            Standing::Unjudged => self.score.filter(|_| self.overridden.is_some()),
            Standing::Excused | Standing::Withdrawn => None,
        }
    }
}
