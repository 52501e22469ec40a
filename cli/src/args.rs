//! The command line as types: parsing only, nothing is done here.

pub mod account;
pub mod course;
pub mod grade;
pub mod problem;
pub mod roster;

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Args, Parser, Subcommand, ValueEnum};
use codementor_protocol::{Points, SubmissionId};
use codementord::settings::{Flags, MessageLanguage};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
   0  accepted, or done
   1  judged, but not accepted
   2  wrong usage, unknown language, or a program that cannot be sent
   3  refused by the rules
   4  login required
   5  no such problem or submission
   6  nothing to grade
   8  still running at --timeout
   9  cancelled
  69  no daemon, NATS server, container engine or model can be reached
  70  our fault, after all retries
  75  try again later, or the disk is full
 130  interrupted before the verdict; judging goes on";

/// Submit a program, watch the verdict arrive
#[derive(Debug, Parser)]
#[command(
    name = "codementor",
    version,
    styles = STYLES,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "New here? Type: codementor try",
    after_long_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Server to use, by the name of its context; `private` for the private daemon [default: the current one]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_CONTEXT",
        hide_env_values = true,
        value_name = "NAME",
        hide_short_help = true
    )]
    pub context: Option<String>,
    /// When to use colours
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_COLOR",
        hide_env_values = true,
        value_enum,
        default_value_t,
        value_name = "WHEN"
    )]
    pub color: ColorChoice,
    /// Language of messages [default: by LC_ALL, LC_MESSAGES or LANG]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_LANG",
        hide_env_values = true,
        value_enum,
        value_name = "LANG",
        hide_short_help = true
    )]
    pub lang: Option<MessageLanguage>,
    /// Draw with signs of ASCII only [default: where the locale is not in UTF-8]
    #[arg(
        long,
        global = true,
        env = "CODEMENTOR_ASCII",
        hide_env_values = true,
        value_parser = clap::builder::FalseyValueParser::new(),
        hide_short_help = true
    )]
    pub ascii: bool,
    /// Every setting.
    #[command(flatten)]
    pub flags: Flags,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set everything up and see a right and a wrong program judged
    Try,
    /// Judge a program on all tests of a problem
    Submit(Submit),
    /// Judge a program on the samples only; nothing is recorded
    Test(Test),
    /// Watch a submission: everything that has happened, then live
    Watch(Watch),
    /// Show a submission
    Show(Show),
    /// Show where a sample's output first differs from what is expected
    Diff(Diff),
    /// Ask for the next hint on a submission, more telling than the last
    Hint(Hint),
    /// Show all feedback on a submission, and what is left to spend
    Feedback(Replay),
    /// Show the corrected program, or write it over yours
    Fix(Fix),
    /// List your submissions, the newest first
    History(History),
    /// List the problems
    List(course::Problems),
    /// List what you have to hand in, and what came of it so far
    Due(course::Due),
    /// Make a folder of a problem: statement, samples, files to start from
    Get(course::Get),
    /// Join a server, or a course on it, by a code
    Join(account::Join),
    /// Show who you are to the server
    Whoami(account::WhoAmI),
    /// Give up the credentials of this machine
    Logout(account::LogOut),
    /// Make a code by which you join from another machine
    Pair(account::Pair),
    /// Write all that the server keeps of you to a file
    Export(account::Export),
    /// The servers that you have joined
    #[command(subcommand)]
    Context(account::Context),
    /// What only administrators do
    #[command(subcommand)]
    Admin(account::Admin),
    /// Make and list courses
    #[command(subcommand)]
    Course(course::Course),
    /// Make, open, close, extend and delete assignments
    #[command(subcommand)]
    Assignment(course::Assignment),
    /// List, show, set and export grades
    #[command(subcommand)]
    Grade(grade::Grade),
    /// Show who changed what in a course
    Audit(roster::Audit),
    /// Show how an assignment goes: verdicts, failing cases, who fails alike
    Stats(course::Stats),
    /// Stop judging a submission
    Cancel(Cancel),
    /// Start the private daemon; other commands do it by themselves
    Up,
    /// Stop the private daemon once running jobs have ended
    Down,
    /// Show how the daemon is
    Status(Status),
    /// The languages and their container images
    #[command(subcommand)]
    Runners(Runners),
    /// Install and list problem packages
    #[command(subcommand)]
    Problem(problem::Problem),
    /// Grade a repository in CI
    #[command(subcommand)]
    Ci(Ci),
    /// Print the completion script of a shell
    Completion(Completion),
    /// Print the manual page
    Man(Man),
    /// Be the private daemon
    #[command(hide = true)]
    Daemon {
        /// Leave the terminal that it was started from
        #[arg(long)]
        detached: bool,
    },
}

/// Which program, for which problem.
#[derive(Debug, Args)]
pub struct Program {
    /// Source files [default: the only source file here, or main.*]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Problem: a name from `codementor list`, COURSE/ASSIGNMENT/PROBLEM, or the path of a package
    /// [default: from .codementor/problem.toml here or above]
    #[arg(short, long, env = "CODEMENTOR_PROBLEM", hide_env_values = true, value_name = "PROBLEM")]
    pub problem: Option<PathBuf>,
    /// Language, such as python3 or cpp [default: by the files' extension]
    #[arg(short, long, env = "CODEMENTOR_LANGUAGE", hide_env_values = true, value_name = "LANG")]
    pub language: Option<String>,
    /// File to start from, where there are several
    #[arg(long, value_name = "FILE")]
    pub entry: Option<String>,
    /// Take all source files that lie here, and submit also where it is late or the last attempt, without asking
    #[arg(short, long)]
    pub yes: bool,
}

/// How a submission is watched.
#[derive(Debug, Args)]
pub struct Following {
    /// Print the events as JSON, one a line
    #[arg(long)]
    pub json: bool,
    /// Stop watching after this many seconds; judging goes on
    #[arg(long, env = "CODEMENTOR_TIMEOUT", hide_env_values = true, value_name = "SECONDS")]
    pub timeout: Option<u64>,
}

/// Whether a model is heard.
#[derive(Debug, Args)]
pub struct Feedback {
    /// Wait for feedback too [default: on a terminal, without --json]
    #[arg(long, overrides_with = "no_feedback")]
    pub feedback: bool,
    /// Want no feedback: the verdict is all
    #[arg(long, overrides_with = "feedback")]
    pub no_feedback: bool,
}

/// Arguments of `submit`.
#[derive(Debug, Args)]
pub struct Submit {
    /// Which program.
    #[command(flatten)]
    pub program: Program,
    /// How to watch.
    #[command(flatten)]
    pub following: Following,
    /// Whether a model is heard.
    #[command(flatten)]
    pub feedback: Feedback,
    /// Show what a model would be sent, and send nothing
    #[arg(long)]
    pub show_prompt: bool,
    /// Return as soon as the submission has its number
    #[arg(long)]
    pub no_wait: bool,
}

/// Arguments of `test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Which program.
    #[command(flatten)]
    pub program: Program,
    /// How to watch.
    #[command(flatten)]
    pub following: Following,
}

/// Arguments of `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// First event to show
    #[arg(long, value_name = "SEQ", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub from: u64,
    /// How to watch.
    #[command(flatten)]
    pub following: Following,
    /// Whether a model is heard.
    #[command(flatten)]
    pub feedback: Feedback,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// Print the program itself
    #[arg(long)]
    pub code: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// Sample, by name or number [default: the first that was not accepted]
    #[arg(long, value_name = "CASE")]
    pub case: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `hint`.
#[derive(Debug, Args)]
pub struct Hint {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `feedback`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `fix`.
#[derive(Debug, Args)]
pub struct Fix {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
    /// Write it into the files here; what they were is kept beside them as .bak
    #[arg(long)]
    pub apply: bool,
    /// Write it also over files that have changed since they were submitted
    #[arg(long, requires = "apply")]
    pub force: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `history`.
#[derive(Debug, Args)]
pub struct History {
    /// Only submissions to this problem, as PROBLEM or COURSE/ASSIGNMENT/PROBLEM, or to an assignment
    #[arg(short, long, value_name = "PROBLEM")]
    pub problem: Option<String>,
    /// How many at most
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `cancel`.
#[derive(Debug, Args)]
pub struct Cancel {
    /// Submission [default: your newest]
    pub id: Option<SubmissionId>,
}

/// Arguments of `problem rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// Package
    #[arg(value_name = "DIR|ZIP")]
    pub package: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Commands on runners.
#[derive(Debug, Subcommand)]
pub enum Runners {
    /// List the languages and whether their images are built
    List(List),
    /// Remove images and volumes of earlier versions, and of languages that are no more
    Prune,
    /// Build the images of languages now, not at the first submission
    Build {
        /// Languages [default: all]
        #[arg(value_name = "LANG")]
        languages: Vec<String>,
    },
}

/// Commands for CI.
#[derive(Debug, Subcommand)]
pub enum Ci {
    /// Submit what lies here and report the grade in the formats of CI services
    Grade(Box<CiGrade>),
    /// Have a CI job let in by its ID token, for a quarter of an hour and one assignment
    Login(account::CiLogin),
    /// Make credentials of yours for CI, good for one assignment
    Creds(account::CiCreds),
    /// Make credentials for CI void
    Drop {
        /// Their name, from `codementor whoami`
        name: codementor_protocol::UserName,
    },
    /// Write the file that makes a CI service grade this repository
    Init(CiInit),
}

/// Arguments of `ci grade`.
#[derive(Debug, Args)]
pub struct CiGrade {
    /// Source files, where there is one problem [default: those that lie here]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Problem, as for `submit`; may be given several times
    /// [default: from .codementor/assignment.toml or problem.toml here or above]
    #[arg(short, long = "problem", value_name = "PROBLEM")]
    pub problems: Vec<PathBuf>,
    /// List of problems, files and points [default: .codementor/assignment.toml here or above]
    #[arg(long, value_name = "FILE")]
    pub assignment: Option<PathBuf>,
    /// Language, such as python3 or cpp [default: by the files' extension]
    #[arg(short, long, value_name = "LANG")]
    pub language: Option<String>,
    /// Pass with so many percent of the points [default: everything has to be accepted]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub min_score: Option<Points>,
    /// Count it even where it is late or the last attempt; take all source files of a folder as one program
    #[arg(short, long)]
    pub yes: bool,
    /// Grade with the packages in this folder and the private daemon, without a server
    #[arg(long, value_name = "DIR")]
    pub local: Option<PathBuf>,
    /// Stop waiting after this many seconds in all; judging goes on
    #[arg(long, env = "CODEMENTOR_TIMEOUT", hide_env_values = true, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write a summary in Markdown [default on GitHub: the step's summary]
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
    /// Write a Code Quality report for GitLab
    #[arg(long, value_name = "FILE")]
    pub code_quality: Option<PathBuf>,
    /// Write the result for GitHub Classroom to a file, or with `env` to later steps' environment
    #[arg(long, value_name = "FILE|env")]
    pub classroom: Option<PathBuf>,
    /// Write results.json for Gradescope; what the checkout says of itself does not count then
    #[arg(long, value_name = "FILE")]
    pub gradescope: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn percent(text: &str) -> Result<Points, String> {
    let percent: Option<Points> = text.parse().ok();
    percent
        .filter(|percent| *percent <= Points::FULL)
        .ok_or_else(|| t!("it is a number from 0 to 100").into())
}

/// Arguments of `ci init`.
#[derive(Debug, Args)]
pub struct CiInit {
    /// Where the repository is graded [default: by what lies in it]
    #[arg(value_enum, value_name = "WHERE")]
    pub host: Option<Host>,
    /// Replace a file that is there
    #[arg(long)]
    pub force: bool,
    /// Print what would be written
    #[arg(long)]
    pub print: bool,
}

/// What grades repositories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Host {
    /// GitHub Actions
    Github,
    /// GitLab CI
    Gitlab,
    /// Jenkins
    Jenkins,
    /// Gradescope
    Gradescope,
}

impl Host {
    /// Its name on the command line.
    pub fn token(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Jenkins => "jenkins",
            Self::Gradescope => "gradescope",
        }
    }
}

/// Arguments of `completion`.
#[derive(Debug, Args)]
pub struct Completion {
    /// Shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn feedback_is_a_matter_of_the_last_word_and_force_needs_something_to_force() {
        let parse = |arguments: &[&str]| Cli::try_parse_from([&["codementor"], arguments].concat());
        for (arguments, wanted) in [
            (&["submit"][..], (false, false)),
            (&["submit", "--feedback"], (true, false)),
            (&["submit", "--no-feedback"], (false, true)),
            (&["submit", "--no-feedback", "--feedback"], (true, false)),
            (&["watch", "7", "--feedback", "--no-feedback"], (false, true)),
        ] {
            let feedback = match parse(arguments).expect("is understood").command {
                Command::Submit(submit) => submit.feedback,
                Command::Watch(watch) => watch.feedback,
                _ => panic!("another command"),
            };
            assert_eq!((feedback.feedback, feedback.no_feedback), wanted, "{arguments:?}");
        }
        assert!(parse(&["fix", "--force"]).is_err());
        assert!(parse(&["fix", "7", "--apply", "--force"]).is_ok());
        assert!(parse(&["test", "--feedback"]).is_err(), "a trial never asks a model");
        assert!(parse(&["hint", "7", "--answer-in", "korean"]).is_err());
        assert!(parse(&["problem", "rehearse", "library/sum", "--json"]).is_ok());
    }

    #[test]
    fn file_names_that_begin_with_a_dash_follow_two_dashes() {
        let cli = Cli::try_parse_from(["codementor", "submit", "-p", "hello", "--", "-x.py", "a b.py"])
            .expect("is understood");
        let Command::Submit(submit) = cli.command else { panic!("not a submission") };
        assert_eq!(submit.program.files, [PathBuf::from("-x.py"), PathBuf::from("a b.py")]);
        assert_eq!(submit.program.problem, Some("hello".into()));
    }
}
