//! Arguments of the commands on problems.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use codementor_protocol::{AssignmentId, PackageHash, Slug};

use super::{List, Rehearse};

/// Commands on problems.
#[derive(Debug, Subcommand)]
pub enum Problem {
    /// Install problem packages, each a folder or a zip, and say what that changes
    Push(Push),
    /// Fetch a package as it was pushed
    Pull(Pull),
    /// Judge submissions again, see whose result would move, and make it count
    Rejudge(Rejudge),
    /// Try the feedback on the wrong programs of a package
    Rehearse(Rehearse),
    /// List the problems, with the version that judges
    List(List),
}

/// Arguments of `problem push`.
#[derive(Debug, Args)]
pub struct Push {
    /// Packages
    #[arg(value_name = "DIR|ZIP", required = true)]
    pub packages: Vec<PathBuf>,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// What of the submissions that are there is judged again
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    pub rejudge: Which,
    /// Make new results count without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
}

/// Which submissions are judged again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// None
    #[default]
    None,
    /// Those that another version has judged, where the new one could judge otherwise
    Affected,
    /// All
    All,
}

/// Arguments of `problem pull`.
#[derive(Debug, Args)]
pub struct Pull {
    /// Problem
    pub problem: Slug,
    /// Folder to make, or a file that ends in .zip [default: the problem's name]
    #[arg(value_name = "DIR|ZIP")]
    pub dir: Option<PathBuf>,
    /// Version, as 64 hexadecimal digits [default: the one that judges]
    #[arg(long, value_name = "HASH")]
    pub version: Option<PackageHash>,
}

/// Arguments of `problem rejudge`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["what", "assignment", "list", "show", "cancel"]))]
pub struct Rejudge {
    /// Problem, or numbers of submissions
    #[arg(value_name = "PROBLEM|ID")]
    pub what: Vec<String>,
    /// All submissions to an assignment, such as cs101/hw3
    #[arg(long, value_name = "ASSIGNMENT", conflicts_with = "what")]
    pub assignment: Option<AssignmentId>,
    /// Also those that the version which judges now has judged
    #[arg(long)]
    pub all: bool,
    /// Only judge and show what would move; nothing counts until --apply
    #[arg(long, conflicts_with = "apply")]
    pub preview: bool,
    /// Make it count without asking
    #[arg(long)]
    pub apply: bool,
    /// List what is being judged again, or waits to be applied
    #[arg(long, conflicts_with_all = ["assignment", "all"])]
    pub list: bool,
    /// Go on with one that was begun, by its number; with --apply it counts
    #[arg(long, value_name = "N", conflicts_with_all = ["assignment", "all"])]
    pub show: Option<u64>,
    /// Forget one that was begun: nothing changes for anybody
    #[arg(long, value_name = "N", conflicts_with_all = ["assignment", "all", "apply", "preview"])]
    pub cancel: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
