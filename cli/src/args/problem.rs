//! Arguments of the commands on problems.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use codementor_protocol::{PackageHash, Slug};

use super::{List, Rehearse};

/// Commands on problems.
#[derive(Debug, Subcommand)]
pub enum Problem {
    /// Install problem packages, each a folder or a zip, and say what that changes
    Push(Push),
    /// Fetch a package as it was pushed
    Pull(Pull),
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
    /// Print one JSON array
    #[arg(long)]
    pub json: bool,
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
