//! Arguments of the commands on grades.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use codementor_protocol::{AssignmentId, Points, PointsError, SubmissionId};

/// Commands on grades.
#[derive(Debug, Subcommand)]
pub enum Grade {
    /// List the grades of an assignment, or of all assignments of a course
    List {
        /// Assignment, such as cs101/hw3, or course
        of: String,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Show a grade by problem: your own, or for those who teach that of a student
    Show {
        /// Assignment, such as cs101/hw3
        assignment: AssignmentId,
        /// Student, by user name or student id
        student: Option<String>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Set the grade of a student, or excuse one
    Override(Override),
    /// Choose the submission that counts, where the assignment lets you choose
    Choose {
        /// Submission
        id: SubmissionId,
    },
    /// Write the grades in the form that a learning platform takes
    Export(Export),
}

/// Arguments of `grade override`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("to").required(true).args(["score", "excuse", "undo"]))]
pub struct Override {
    /// Assignment, such as cs101/hw3
    pub assignment: AssignmentId,
    /// Student, by user name or student id
    pub student: String,
    /// Points
    pub score: Option<Points>,
    /// The student need not hand it in
    #[arg(long)]
    pub excuse: bool,
    /// Take back what was set
    #[arg(long)]
    pub undo: bool,
    /// Why; kept for good
    #[arg(long)]
    pub reason: String,
}

/// Arguments of `grade export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Assignment, such as cs101/hw3; with csv and json also a course
    pub of: String,
    /// Who is to read it
    #[arg(short, long, value_enum)]
    pub format: Format,
    /// File to write; with gradescope a folder [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// What those get who handed nothing in
    #[arg(long, value_enum, default_value_t)]
    pub missing: Missing,
    /// Canvas's own number of the assignment, so that it is found whatever its title is
    #[arg(long, value_name = "ID")]
    pub canvas_id: Option<u64>,
    /// Scale the grades, so that this is the most [default: the points of the assignment]
    #[arg(long, value_name = "POINTS", value_parser = more_than_none)]
    pub out_of: Option<Points>,
    /// Begin with a byte order mark, as Excel wants it for text that is not English
    #[arg(long)]
    pub bom: bool,
}

fn more_than_none(text: &str) -> Result<Points, String> {
    match text.parse() {
        Ok(Points::ZERO) => Err(t!("it is more than 0").into()),
        other => other.map_err(|error: PointsError| error.to_string()),
    }
}

/// Who reads an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Canvas's gradebook
    Canvas,
    /// Moodle's import of grades
    Moodle,
    /// One line for each student and assignment, in nbgrader's columns
    Csv,
    /// Gradescope's results.json, a file for each student
    Gradescope,
    /// Everything, for programs
    Json,
}

/// What those get who handed nothing in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Missing {
    /// Nothing: they are left out, or blank
    #[default]
    Blank,
    /// No points
    Zero,
}
