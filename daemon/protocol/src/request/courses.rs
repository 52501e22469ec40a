//! Requests about courses, assignments and rosters.

use serde::{Deserialize, Serialize};

use crate::{
    Assignment, AssignmentId, AssignmentState, CourseName, CourseRole, LanguageId, Limits, PackageHash, Slug,
    SourceFile, Timestamp, UserName, Verdict,
};

/// Make a course, or change its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutCourse {
    /// The course.
    pub course: CourseName,
    /// Its title.
    pub title: String,
}

/// List the courses that I belong to; an administrator sees all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListCourses {}

/// A course in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseSummary {
    /// The course.
    pub course: CourseName,
    /// Its title.
    pub title: String,
    /// What the asking user is to it; absent for an administrator who is not in it.
    pub role: Option<CourseRole>,
    /// How many students it has.
    pub students: u32,
    /// How many assignments it has.
    pub assignments: u32,
}

/// Make an assignment, or change one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAssignment {
    /// The assignment as it is to be.
    pub assignment: Assignment,
    /// Whether it must not exist yet.
    pub create: bool,
}

/// List assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListAssignments {
    /// Only of this course.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub course: Option<CourseName>,
}

/// Open or close an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAssignmentState {
    /// The assignment.
    pub assignment: AssignmentId,
    /// What it is to be.
    pub state: AssignmentState,
}

/// Move the deadline, for all or for one student.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendAssignment {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Only for this student.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub student: Option<UserName>,
    /// The new deadline; absent takes a student's extension back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Why, for the record.
    pub reason: String,
}

/// Delete an assignment. Submissions to it stay, each with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteAssignment {
    /// The assignment.
    pub assignment: AssignmentId,
}

/// What a deletion left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssignmentDeleted {
    /// How many submissions there are to it. An assignment made again under the same name takes them up again.
    pub submissions: u64,
}

/// What have I to hand in?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDue {}

/// An assignment as one student sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueAssignment {
    /// The assignment, with the student's own deadline.
    pub assignment: Assignment,
    /// Whether the student's deadline is an extension.
    pub extended: bool,
    /// Its problems, with what the student has so far.
    pub problems: Vec<DueProblem>,
}

/// A problem of an assignment as one student sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueProblem {
    /// The problem.
    pub problem: Slug,
    /// Its title.
    pub title: String,
    /// The verdict of the submission that counts.
    pub verdict: Option<Verdict>,
    /// Its points, lateness counted.
    pub score: Option<String>,
    /// The most points.
    pub max_score: String,
    /// How many attempts were used.
    pub attempts: u32,
}

/// Read a problem: its statement, its samples, its templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadProblem {
    /// The problem.
    pub problem: Slug,
    /// The assignment through which it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment: Option<AssignmentId>,
    /// The language that the statement should be in, such as `ko`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statement_in: Option<String>,
}

/// A problem as a student may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemText {
    /// Its name.
    pub problem: Slug,
    /// Its title.
    pub title: String,
    /// The version.
    pub package: PackageHash,
    /// The limits.
    pub limits: Limits,
    /// The statement, as Markdown.
    pub statement: String,
    /// The language of the statement.
    pub statement_in: Option<String>,
    /// The samples: name, input, expected answer.
    pub samples: Vec<(String, String, String)>,
    /// How many further samples there are, which are too large to be shown.
    #[serde(default)]
    pub samples_left_out: u32,
    /// Files to start from, by language.
    pub templates: Vec<(LanguageId, Vec<SourceFile>)>,
    /// Other files that belong to the statement.
    #[serde(default)]
    pub attachments: Vec<SourceFile>,
}
