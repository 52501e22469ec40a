//! Arguments of the commands on accounts and contexts.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use codementor_protocol::{AssignmentId, CourseName, CourseRole, UserName};

/// Arguments of `join`.
#[derive(Debug, Args)]
pub struct Join {
    /// Server, as host, host:port or URL (tls://, wss://, nats://)
    pub server: String,
    /// Code, as your instructor or `codementor pair` gave it
    pub code: String,
    /// Your name
    #[arg(long)]
    pub name: Option<String>,
    /// Your student id
    #[arg(long, value_name = "ID")]
    pub student_id: Option<String>,
    /// Certificate to trust the server by, as PEM [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
}

/// Arguments of `whoami`.
#[derive(Debug, Args)]
pub struct WhoAmI {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `logout`.
#[derive(Debug, Args)]
pub struct LogOut {
    /// Forget the credentials even where the server cannot be told that they are void
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `pair`.
#[derive(Debug, Args)]
pub struct Pair {
    /// For somebody else, whose machine is lost; administrators only
    #[arg(long, value_name = "USER")]
    pub user: Option<UserName>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands on contexts.
#[derive(Debug, Subcommand)]
pub enum Context {
    /// List the servers that you have joined
    List(super::List),
    /// Send commands to another server from now on
    Use {
        /// Context, or `private` for the private daemon
        name: String,
    },
    /// Forget a server on this machine; codementor logout also makes the credentials void
    Remove {
        /// Context
        name: String,
    },
}

/// Commands of administrators.
#[derive(Debug, Subcommand)]
pub enum Admin {
    /// Cut a user off at once; submissions stay
    Revoke {
        /// User
        user: UserName,
    },
    /// Remove all that the server keeps of somebody, for good
    Erase(Erase),
}

/// Arguments of `admin erase`.
#[derive(Debug, Args)]
pub struct Erase {
    /// Who: a user, or the student id of somebody who has not joined
    pub who: String,
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Arguments of `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// File to write, as JSON; - for standard output
    pub file: PathBuf,
    /// Of somebody else, by user name or student id; administrators only
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
}

/// Commands on the codes of a course.
#[derive(Debug, Subcommand)]
pub enum Code {
    /// Make a code that lets people join a course
    Make(MakeCode),
    /// List the codes of a course, without the codes themselves
    List {
        /// Course
        course: CourseName,
        /// Print one JSON array
        #[arg(long)]
        json: bool,
    },
    /// Make a code void
    Drop {
        /// Course
        course: CourseName,
        /// Number of the code, from the list
        id: u64,
    },
}

/// Arguments of `course code make`.
#[derive(Debug, Args)]
pub struct MakeCode {
    /// Course
    pub course: CourseName,
    /// What those who use it become
    #[arg(long, value_enum, default_value_t)]
    pub role: Role,
    /// How long it holds, such as 90m, 12h, 2w
    #[arg(long = "for", value_name = "SPAN", default_value = "2w")]
    pub lasts: String,
    /// How many people it lets in [default: any number]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub uses: Option<u32>,
    /// Let in only student ids on the roster
    #[arg(long)]
    pub roster: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What a user is to a course.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Submits programs
    #[default]
    Student,
    /// Also sees the submissions and grades of students
    Assistant,
    /// Also changes the course
    Instructor,
}

impl From<Role> for CourseRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Student => Self::Student,
            Role::Assistant => Self::Assistant,
            Role::Instructor => Self::Instructor,
        }
    }
}

/// Arguments of `ci login`.
#[derive(Debug, Args)]
pub struct CiLogin {
    /// Server, as host, host:port or URL (tls://, wss://, nats://)
    pub server: String,
    /// The only assignment that the credentials are good for, such as cs101/hw3
    pub assignment: AssignmentId,
    /// ID token of this job, for the audience that the server wants
    #[arg(long, env = "CODEMENTOR_ID_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub id_token: Option<String>,
    /// Certificate to trust the server by, as PEM [default: those of the system]
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// Where to write the credentials: name it in CODEMENTOR_CREDS
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// Arguments of `ci creds`.
#[derive(Debug, Args)]
pub struct CiCreds {
    /// The only assignment that they are good for, such as cs101/hw3
    pub assignment: AssignmentId,
    /// How long they hold, in days
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=400))]
    pub days: u32,
    /// Write them to a file [default: print them in one line, as the value of the secret CODEMENTOR_CREDS]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}
