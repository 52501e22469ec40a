//! Arguments of the commands on courses and assignments.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use codementor_protocol::{
    AssignmentId, CaseVisibility, Counting, CourseName, FeedbackPolicy, StopRule, UserName,
};

use super::List;

/// Commands on courses.
#[derive(Debug, Subcommand)]
pub enum Course {
    /// Make a course, or change its title
    Create {
        /// Short name, such as cs101
        course: CourseName,
        /// Title [default: the short name]
        #[arg(long)]
        title: Option<String>,
    },
    /// List your courses
    List(List),
    /// Codes that let people join a course
    #[command(subcommand)]
    Code(super::account::Code),
    /// Who is meant to be in a course
    #[command(subcommand)]
    Roster(super::roster::Roster),
    /// Take somebody out of a course
    Remove(super::roster::Remove),
}

/// Commands on assignments.
#[derive(Debug, Subcommand)]
pub enum Assignment {
    /// List the assignments of your courses
    List {
        /// Only of this course
        course: Option<CourseName>,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make an assignment, from flags, a file, or both
    #[command(after_help = FILE)]
    Create(Box<Create>),
    /// Let students see it and submit, from its opening time on
    Open {
        /// Assignment, such as cs101/hw3
        assignment: AssignmentId,
    },
    /// Take no more submissions; students go on seeing it
    Close {
        /// Assignment, such as cs101/hw3
        assignment: AssignmentId,
    },
    /// Move the deadline, for all or for one student
    Extend(Extend),
    /// Delete an assignment; submissions to it stay, and are judged to the end
    Delete {
        /// Assignment, such as cs101/hw3
        assignment: AssignmentId,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
}

const FILE: &str = "\
Times are '2026-12-04 23:59' in the time zone, RFC 3339 as 2026-12-04T23:59:00+09:00, or +7d from now.
Spans are such as 90s, 10m, 2h, 3d, 1w or 1d12h.

A file holds the same, and flags win over it:
  title = \"Homework 3\"
  problems = [\"sum:20\", \"tram:30\"]
  opens = \"2026-11-27 09:00\"
  due = \"2026-12-04 23:59\"
  time_zone = \"Asia/Seoul\"
  late = { grace = \"10m\", percent_per_day = 10, cutoff = \"3d\" }
  attempts = { limit = 20, cool_down = \"1m\" }
  languages = [\"python3\", \"cpp\"]
  stop = \"first_failure\"      # or never
  visibility = \"all\"          # or samples, verdict
  feedback = \"hints\"          # or off, full
  counting = \"best\"           # or last, chosen
  weight = 10                  # in the course; its points without it";

/// Arguments of `assignment create`.
#[derive(Debug, Args)]
pub struct Create {
    /// Assignment, such as cs101/hw3
    pub assignment: AssignmentId,
    /// Change the assignment that is there; what is not given stays
    #[arg(long)]
    pub update: bool,
    /// What is set about it.
    #[command(flatten)]
    pub terms: Terms,
}

/// What is set about an assignment.
#[derive(Debug, Default, Args)]
pub struct Terms {
    /// Read it from a TOML file
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Title [default: its short name]
    #[arg(long)]
    pub title: Option<String>,
    /// Problem and its points [default: 100]; may be given several times
    #[arg(short, long = "problem", value_name = "NAME[:POINTS]")]
    pub problems: Vec<String>,
    /// When it opens [default: at once]
    #[arg(long, value_name = "TIME")]
    pub opens: Option<String>,
    /// Deadline [default: none]
    #[arg(long, value_name = "TIME")]
    pub due: Option<String>,
    /// Time zone of all its times [default: that of this machine]
    #[arg(long, value_name = "ZONE")]
    pub time_zone: Option<String>,
    /// How long after the deadline nothing counts as late
    #[arg(long, value_name = "SPAN")]
    pub grace: Option<String>,
    /// Percent of the points that each day begun after the deadline takes away
    #[arg(long, value_name = "PERCENT")]
    pub late_percent: Option<u32>,
    /// How long after the deadline submissions are taken at all; 0s for none [default: as long as it is open]
    #[arg(long, value_name = "SPAN")]
    pub cutoff: Option<String>,
    /// How many attempts a student has at each problem [default: without limit]
    #[arg(long, value_name = "N")]
    pub attempts: Option<u32>,
    /// How long a student waits between two attempts at a problem
    #[arg(long, value_name = "SPAN")]
    pub cool_down: Option<String>,
    /// Language that is allowed; may be given several times [default: all that the problem allows]
    #[arg(short, long = "language", value_name = "LANG")]
    pub languages: Vec<String>,
    /// When judging stops
    #[arg(long, value_enum, value_name = "WHEN")]
    pub stop: Option<Stop>,
    /// What students see of the cases
    #[arg(long, value_enum, value_name = "WHAT")]
    pub visibility: Option<Visibility>,
    /// The most feedback that a model may give
    #[arg(long, value_enum, value_name = "POLICY")]
    pub feedback: Option<Feedback>,
    /// Which submission counts
    #[arg(long, value_enum, value_name = "WHICH")]
    pub count: Option<Count>,
    /// What it counts in the course, beside other assignments [default: its points]
    #[arg(long, value_name = "WEIGHT")]
    pub weight: Option<String>,
    /// Open it now
    #[arg(long)]
    pub open: bool,
}

/// Arguments of `assignment extend`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("until").required(true).args(["due", "withdraw"]))]
pub struct Extend {
    /// Assignment, such as cs101/hw3
    pub assignment: AssignmentId,
    /// New deadline, such as '2026-12-06 23:59' in the assignment's time zone, or +2d from the old one
    pub due: Option<String>,
    /// Only for this student
    #[arg(long, value_name = "USER")]
    pub student: Option<UserName>,
    /// Take a student's extension back
    #[arg(long, requires = "student")]
    pub withdraw: bool,
    /// Why, for the record
    #[arg(long, default_value = "", hide_default_value = true)]
    pub reason: String,
}

/// Arguments of `stats`.
#[derive(Debug, Args)]
pub struct Stats {
    /// Assignment, such as cs101/hw3
    pub assignment: AssignmentId,
    /// Write a page with the same plots, which needs nothing else
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `due`.
#[derive(Debug, Args)]
pub struct Due {
    /// Also assignments that are closed
    #[arg(short, long)]
    pub all: bool,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `get`.
#[derive(Debug, Args)]
pub struct Get {
    /// Problem, as COURSE/ASSIGNMENT/PROBLEM or by its name alone
    pub problem: String,
    /// Folder to make [default: the problem's name]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print the statement and write nothing
    #[arg(long, conflicts_with = "dir")]
    pub print: bool,
    /// Only take the files to start from in this language
    #[arg(short, long, value_name = "LANG")]
    pub language: Option<String>,
    /// Language of the statement, such as ko [default: yours]
    #[arg(long, value_name = "CODE")]
    pub statement_in: Option<String>,
    /// Print one JSON object
    #[arg(long, conflicts_with = "dir")]
    pub json: bool,
}

/// When judging stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stop {
    /// At the first case that is not accepted
    FirstFailure,
    /// After the last case
    Never,
}

impl From<Stop> for StopRule {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::FirstFailure => Self::FirstFailure,
            Stop::Never => Self::Never,
        }
    }
}

/// What students see of the cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Visibility {
    /// Every case that was run; of hidden ones the verdict
    All,
    /// The samples only
    Samples,
    /// The verdict of the submission only
    Verdict,
}

impl From<Visibility> for CaseVisibility {
    fn from(visibility: Visibility) -> Self {
        match visibility {
            Visibility::All => Self::All,
            Visibility::Samples => Self::Samples,
            Visibility::Verdict => Self::Verdict,
        }
    }
}

/// How much a model may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Feedback {
    /// Nothing
    Off,
    /// Hints
    Hints,
    /// Hints, and a corrected program
    Full,
}

impl From<Feedback> for FeedbackPolicy {
    fn from(feedback: Feedback) -> Self {
        match feedback {
            Feedback::Off => Self::Off,
            Feedback::Hints => Self::Hints,
            Feedback::Full => Self::Full,
        }
    }
}

/// Which submission counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Count {
    /// The one with the most points, lateness counted
    Best,
    /// The last one
    Last,
    /// The one that the student chooses
    Chosen,
}

impl From<Count> for Counting {
    fn from(count: Count) -> Self {
        match count {
            Count::Best => Self::Best,
            Count::Last => Self::Last,
            Count::Chosen => Self::Chosen,
        }
    }
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct Problems {
    /// Only the problems of this assignment, such as cs101/hw3
    pub assignment: Option<AssignmentId>,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

impl From<List> for Problems {
    fn from(list: List) -> Self {
        Self { assignment: None, json: list.json }
    }
}
