//! Grading in CI: what lies in a repository is submitted, followed to its end, and reported in the formats that CI
//! services and learning platforms read.
//!
//! ```text
//! plan ─▶ grade (submit, follow) ─▶ Graded ─▶ log, junit, summary, annotations, outputs, code_quality,
//!                                              classroom, gradescope, json
//! ```
//!
//! What must not happen here: no text of a student reaches the log of a job where its runner would obey it, nothing of
//! a hidden test but its place, group and verdict is in a format, and no failure of ours becomes a grade.

pub mod annotations;
pub mod classroom;
pub mod code_quality;
pub mod environment;
pub mod grade;
pub mod graded;
pub mod gradescope;
pub mod init;
pub mod json;
pub mod junit;
pub mod log;
pub mod outputs;
pub mod plan;
#[cfg(test)]
mod sample;
pub mod summary;

use std::path::PathBuf;

use codementor_protocol::{AssignmentId, Points, Slug};

use crate::ci::environment::Service;
use crate::error::ExitStatus;
use crate::problem::ProblemError;

/// Points as a number of JSON. The nearest binary fraction is written with the fewest digits that mean it, which are the
/// decimal ones.
fn number(points: Points) -> serde_json::Number {
    let text = points.to_string();
    let whole = text.parse::<u64>().ok().map(serde_json::Number::from);
    whole.or_else(|| text.parse().ok().and_then(serde_json::Number::from_f64)).unwrap_or_else(|| 0.into())
}

/// Why there is nothing that could be graded, or nothing that could be set up.
#[derive(Debug, thiserror::Error)]
pub enum CiError {
    /// A server without credentials for it.
    #[error("{}", match url {
        Some(url) => t!("there are no credentials for {url}", url),
        None => t!("there are no credentials").into(),
    })]
    NoCredentials {
        /// The server, where one is set.
        url: Option<String>,
        /// Which CI this is.
        service: Option<Service>,
        /// Whether the job runs for a pull request.
        pull_request: bool,
    },
    /// A job that its CI service gave no ID token.
    #[error("{}", t!("this job has no ID token: CODEMENTOR_ID_TOKEN is not set, or empty"))]
    NoIdToken {
        /// Which CI this is.
        service: Option<Service>,
    },
    /// Neither an argument nor a file names a problem.
    #[error("{}", t!(
        "which problems? Neither -p nor a {manifest} nor a .codementor/problem.toml here or above names one",
        manifest = plan::MANIFEST
    ))]
    NotNamed,
    /// Nothing names a problem that the graded repository has no say in.
    #[error("{}", t!(
        "which problems? For Gradescope it does not count what a submission says of itself, and neither -p nor \
         --assignment names one"
    ))]
    NotNamedApart,
    /// An assignment that is not there, or not for this student.
    #[error("{}", t!("there is no assignment {id} for you", id))]
    NoSuchAssignment {
        /// The assignment.
        id: AssignmentId,
    },
    /// More than one may be meant.
    #[error("{}", t!("which assignment: {ids}?", ids = ids.join(" or ")))]
    WhichAssignment {
        /// The open ones.
        ids: Vec<String>,
    },
    /// An assignment that has none.
    #[error("{}", t!("the assignment {id} has no problems", id))]
    NoProblems {
        /// The assignment.
        id: AssignmentId,
    },
    /// A problem cannot be told.
    #[error(transparent)]
    Problem(ProblemError),
    /// A manifest is not what it should be.
    #[error("{} is wrong: {reason}", path.display())]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// One problem, two times.
    #[error("{}", t!("{problem} is named twice", problem))]
    Twice {
        /// The problem.
        problem: String,
    },
    /// More than is graded at once.
    #[error("{}", t!("{count} problems are too many: at most {most} may be graded at once", count, most))]
    TooMany {
        /// How many there are.
        count: usize,
        /// The bound.
        most: usize,
    },
    /// Which problem the files belong to is not clear.
    #[error("{}", t!("files are named, but there are several problems"))]
    FilesForSeveral,
    /// The folder of `--local` has no package.
    #[error("{}", t!("there is no problem package in {dir}", dir = dir.display()))]
    NoPackages {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder of `--local` lacks one.
    #[error("{}", t!("there is no package of the problem {problem} in the folder of --local", problem))]
    NotInFolder {
        /// The problem.
        problem: Slug,
    },
    /// Variables of later steps can be set on GitHub only.
    #[error("{}", t!("--classroom env needs GitHub Actions: GITHUB_ENV is not set"))]
    NotOnGitHub,
    /// Where the repository is hosted cannot be told.
    #[error("{}", t!(
        "it cannot be told where this repository is graded{what}",
        what = if found.is_empty() { String::new() } else { t!(": it may be {found}", found = found.join(" or ")) }
    ))]
    UnknownService {
        /// What it may be.
        found: Vec<&'static str>,
    },
    /// A file is there already.
    #[error("{}", t!("{path} exists", path = path.display()))]
    Exists {
        /// The file.
        path: PathBuf,
    },
}

impl CiError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::NoCredentials { .. } | Self::NoIdToken { .. } => ExitStatus::Login,
            Self::NoSuchAssignment { .. } => ExitStatus::NotFound,
            Self::NoProblems { .. } => ExitStatus::NothingToGrade,
            Self::NotNamed
            | Self::NotNamedApart
            | Self::WhichAssignment { .. }
            | Self::Problem(_)
            | Self::BadManifest { .. }
            | Self::Twice { .. }
            | Self::TooMany { .. }
            | Self::FilesForSeveral
            | Self::NoPackages { .. }
            | Self::NotInFolder { .. }
            | Self::NotOnGitHub
            | Self::UnknownService { .. }
            | Self::Exists { .. } => ExitStatus::Usage,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoCredentials { service, pull_request, .. } => {
                Some(what_a_fork_lacks(*service, *pull_request))
            }
            Self::NoIdToken { service } => Some(what_gives_a_token(*service)),
            Self::NotNamed => {
                Some(t!("list them in {manifest}: docs/CI.md shows how", manifest = plan::MANIFEST))
            }
            Self::NotNamedApart => Some(
                t!("list them in a file, and name it with --assignment FILE: docs/CI.md shows how").into(),
            ),
            Self::NoSuchAssignment { .. } | Self::WhichAssignment { .. } => Some(t!(
                "name the one that is meant in {manifest}, with a line such as: assignment = \"cs101/hw3\"",
                manifest = plan::MANIFEST
            )),
            Self::Problem(error) => error.hint(),
            Self::BadManifest { .. } => Some(t!("docs/CI.md shows what it may hold").into()),
            Self::FilesForSeveral => {
                Some(t!("name one problem with -p, or the files in {manifest}", manifest = plan::MANIFEST))
            }
            Self::NoPackages { .. } => {
                Some(t!("a package is a folder with a problem.yaml, or a zip of one").into())
            }
            Self::NotOnGitHub => Some(t!("name a file: --classroom FILE").into()),
            Self::UnknownService { .. } => {
                Some(t!("say where: codementor ci init github|gitlab|jenkins|gradescope").into())
            }
            Self::Exists { .. } => {
                Some(t!("to replace it: --force; to see what would be written: --print").into())
            }
            Self::NoProblems { .. }
            | Self::Twice { .. }
            | Self::TooMany { .. }
            | Self::NotInFolder { .. } => None,
        }
    }
}

fn what_gives_a_token(service: Option<Service>) -> String {
    let github = t!(
        "on GitHub the job needs permissions: id-token: write, and asks for the token itself, as docs/CI.md shows"
    );
    let gitlab = t!("on GitLab the job lists it: id_tokens: CODEMENTOR_ID_TOKEN, with the server's audience");
    let place = match service {
        Some(Service::GitHub) => github.to_owned(),
        Some(Service::GitLab) => gitlab.to_owned(),
        Some(Service::Jenkins | Service::Other) | None => format!("{github}; {gitlab}"),
    };
    t!("{place}. Jobs of a fork are given none", place)
}

fn what_a_fork_lacks(service: Option<Service>, pull_request: bool) -> String {
    let fork = match (service, pull_request) {
        (None, _) => {
            return t!(
                "name them with --creds FILE; for CI you get some by: codementor ci creds COURSE/ASSIGNMENT"
            )
            .into();
        }
        (Some(_), true) => t!("this job runs for a pull request: jobs of a fork are given no secrets"),
        (Some(_), false) => t!("a fork has none of the secrets of the repository that it was made from"),
    };
    let place = match service {
        Some(Service::GitHub) => t!(
            "In your own repository, store what codementor ci creds COURSE/ASSIGNMENT prints as the secret \
             CODEMENTOR_CREDS (Settings, Secrets and variables, Actions), and push there"
        ),
        Some(Service::GitLab) => t!(
            "In your own project, store what codementor ci creds COURSE/ASSIGNMENT prints as the masked variable \
             CODEMENTOR_CREDS (Settings, CI/CD, Variables), and push there; a protected variable reaches protected \
             branches only"
        ),
        Some(Service::Jenkins) => t!(
            "Store what codementor ci creds COURSE/ASSIGNMENT prints as a secret text with the id codementor-creds"
        ),
        Some(Service::Other) | None => {
            t!("Set CODEMENTOR_CREDS to what codementor ci creds COURSE/ASSIGNMENT prints")
        }
    };
    t!("{fork}. {place}. Nothing was submitted, and this is no zero", fork, place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_the_same_digits_in_json() {
        for text in ["0", "65", "12.5", "33.333333", "0.1", "999999.9999"] {
            let points: Points = text.parse().expect("is an amount of points");
            assert_eq!(number(points).to_string(), text);
        }
    }

    #[test]
    fn a_fork_is_told_what_it_lacks() {
        let told = |service, pull_request| {
            let error = CiError::NoCredentials { url: Some("tls://x".into()), service, pull_request };
            assert_eq!(error.status(), ExitStatus::Login);
            error.hint().expect("it says what to do")
        };
        let github = told(Some(Service::GitHub), true);
        assert!(
            github.contains("fork")
                && github.contains("secret CODEMENTOR_CREDS")
                && github.contains("no zero")
        );
        assert!(told(Some(Service::GitLab), false).contains("masked variable"));
        assert!(told(Some(Service::Jenkins), false).contains("codementor-creds"));
        assert!(!told(None, false).contains("fork"));
    }
}
