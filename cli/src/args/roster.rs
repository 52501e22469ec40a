//! Arguments of the commands on rosters and the audit log.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use codementor_protocol::{CourseName, UserName};

/// Commands on the roster of a course.
#[derive(Debug, Subcommand)]
pub enum Roster {
    /// Put students on the roster, from a CSV file
    #[command(after_help = COLUMNS)]
    Import(Import),
    /// Show who is on the roster, who has joined, and who has left
    List {
        /// Course
        course: CourseName,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Take a student off the course; what was handed in stays
    Withdraw {
        /// Course
        course: CourseName,
        /// Student, by user name or student id
        student: String,
        /// Why, for the record
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
        /// Take the student in again
        #[arg(long)]
        undo: bool,
    },
    /// Say which student of the roster a user is who joined without a student id
    Link {
        /// Course
        course: CourseName,
        /// User
        user: UserName,
        /// Student id on the roster
        student_id: String,
    },
}

const COLUMNS: &str = "\
The first line names the columns, in any order and case; the exports of Canvas and Moodle do as they are:
  student_id   also 'SIS User ID', 'ID number', 학번
  name         also 'Student', 이름; or last_name and first_name
  email        also 'Email address', 이메일
  section      also 'Group', 분반
  login        also 'SIS Login ID', 'Username'
  canvas_id    also 'ID'
  code_host    account at GitHub or GitLab, for jobs in CI; also 'github', 'gitlab'
  withdrawn    yes or no

Commas, semicolons and tabs separate. What a row leaves empty stays as it was, and who is not in the file stays on the
roster. Where one row is wrong, nothing is imported.";

/// Arguments of `course roster import`.
#[derive(Debug, Args)]
pub struct Import {
    /// Course
    pub course: CourseName,
    /// CSV file, or - for standard input
    pub file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Encoding of the file, such as cp949 [default: UTF-8, or what its first bytes say]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `course remove`.
#[derive(Debug, Args)]
pub struct Remove {
    /// Course
    pub course: CourseName,
    /// Who, by user name or student id
    pub who: String,
    /// Why, for the record
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
pub struct Audit {
    /// Course
    pub course: CourseName,
    /// How many changes at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub limit: u32,
    /// Only what is older than this entry
    #[arg(long, value_name = "ENTRY")]
    pub before: Option<u64>,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}
