//! Which problem is meant: an installed one by its name, or a package by its path.

use std::path::{Path, PathBuf};

use codementor_protocol::{AssignmentId, IdError, Slug};
use serde::Deserialize;

use crate::foreign;

/// Where a directory names its problem.
const MANIFEST: &str = ".codementor/problem.toml";

/// A problem as it was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// One that is installed.
    Installed(Slug),
    /// A package: a folder or a zip.
    Package(PathBuf),
}

/// A problem as it was named, and the assignment that was named with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The problem.
    pub named: Named,
    /// The assignment.
    pub assignment: Option<AssignmentId>,
}

/// Why it cannot be told which problem is meant.
#[derive(Debug, thiserror::Error)]
pub enum ProblemError {
    /// Nothing names one.
    #[error("{}", t!(
        "which problem? Neither -p nor a {manifest} here or above names one",
        manifest = MANIFEST
    ))]
    NotNamed,
    /// A path that leads nowhere.
    #[error("{}", t!("there is no problem package at {path}", path = path.display()))]
    NoSuchPath {
        /// The path.
        path: PathBuf,
    },
    /// A path that leads to something else.
    #[error("{}", t!("{path} is not a problem package: {reason}", path = path.display(), reason))]
    NotAPackage {
        /// The path.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// Neither a name nor a path.
    #[error("{}", foreign::id(.0))]
    BadName(IdError),
    /// The manifest is not what it should be.
    #[error("{}", t!("{path} is wrong: {reason}", path = path.display(), reason))]
    BadManifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl ProblemError {
    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NotNamed => t!("name it with -p PROBLEM; the installed ones: codementor list"),
                Self::NoSuchPath { .. } => t!("an installed problem goes by its name alone: codementor list"),
                Self::NotAPackage { .. } => t!("a package is a folder with a problem.yaml, or a zip of one"),
                Self::BadName(_) => t!("the installed ones: codementor list; a package goes by its path"),
                Self::BadManifest { .. } => {
                    t!("it says: problem = \"NAME or PATH\", and perhaps: assignment = \"COURSE/NAME\"")
                }
            }
            .into(),
        )
    }
}

/// The content of a manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    problem: PathBuf,
    assignment: Option<AssignmentId>,
}

/// Tells which problem is meant: by what is `given`, else by what is found in `dir` and above it.
pub fn name(given: Option<&Path>, dir: &Path) -> Result<Named, ProblemError> {
    meant(given, dir).map(|meant| meant.named)
}

/// The same, with the assignment: `course/assignment/problem`, or what a manifest names.
pub fn meant(given: Option<&Path>, dir: &Path) -> Result<Meant, ProblemError> {
    match given {
        Some(given) => interpret(given, dir),
        None => search(dir),
    }
}

fn interpret(given: &Path, base: &Path) -> Result<Meant, ProblemError> {
    let named = |named| Meant { named, assignment: None };
    let path = base.join(given);
    let text = given.to_string_lossy();
    let is_path =
        text.contains('/') || text.ends_with(".zip") || text.ends_with(".kpp") || text.starts_with('.');
    if path.join("problem.yaml").is_file() {
        return Ok(named(Named::Package(path)));
    }
    if !is_path {
        return Slug::new(text).map(Named::Installed).map(named).map_err(ProblemError::BadName);
    }
    if let Some(meant) = assigned(&text).filter(|_| !path.exists()) {
        return Ok(meant);
    }
    let given = given.to_path_buf();
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(named(Named::Package(path))),
        Ok(metadata) if metadata.is_dir() => {
            Err(ProblemError::NotAPackage { path: given, reason: t!("there is no problem.yaml in it") })
        }
        Ok(_) => {
            Err(ProblemError::NotAPackage { path: given, reason: t!("it is neither a folder nor a file") })
        }
        Err(_) => Err(ProblemError::NoSuchPath { path: given }),
    }
}

/// Reads `course/assignment/problem`.
fn assigned(text: &str) -> Option<Meant> {
    let (assignment, problem) = text.rsplit_once('/')?;
    let named = Named::Installed(problem.parse().ok()?);
    Some(Meant { named, assignment: Some(assignment.parse().ok()?) })
}

fn search(dir: &Path) -> Result<Meant, ProblemError> {
    for folder in dir.ancestors() {
        let manifest = folder.join(MANIFEST);
        match std::fs::read_to_string(&manifest) {
            Ok(text) => {
                let wrong = |reason: String| ProblemError::BadManifest { path: manifest.clone(), reason };
                let read: Manifest = toml::from_str(&text).map_err(|error| wrong(error.message().into()))?;
                let meant = interpret(&read.problem, folder).map_err(|error| wrong(error.to_string()))?;
                let assignment = read.assignment.or(meant.assignment);
                if assignment.is_some() && matches!(meant.named, Named::Package(_)) {
                    return Err(wrong(t!("an assignment has its problems by name, not by path").into()));
                }
                return Ok(Meant { named: meant.named, assignment });
            }
            // A folder that may not be read, or that is a file, names no problem.
            Err(_) if folder.join("problem.yaml").is_file() => {
                return Ok(Meant { named: Named::Package(folder.into()), assignment: None });
            }
            Err(_) => {}
        }
    }
    Err(ProblemError::NotNamed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_the_table() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let root = dir.path();
        let make = |path: &str, text: &str| {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
            std::fs::write(path, text).expect("is written");
        };
        make("pack/problem.yaml", "name: x");
        make("pack/submissions/accepted/a.py", "x");
        make("p.zip", "PK");
        make("empty/file", "x");
        make("class/.codementor/problem.toml", "problem = \"two-sum\"");
        make("class/deep/er/file", "x");
        make("local/.codementor/problem.toml", "problem = \"../pack\"");
        make("bad/.codementor/problem.toml", "problme = \"x\"");
        make("hw3/.codementor/problem.toml", "problem = \"sum\"\nassignment = \"cs101/hw3\"");
        make("hw4/.codementor/problem.toml", "problem = \"cs101/hw4/sum\"");
        make("mixed/.codementor/problem.toml", "problem = \"../pack\"\nassignment = \"cs101/hw3\"");
        make("cs101/hw5/sum/problem.yaml", "name: x");
        make("gone/.codementor/problem.toml", "problem = \"./nowhere\"");
        #[rustfmt::skip]
        let table = [
            // given, from, what is meant
            (Some("hello"),        "",                           "installed hello"),
            (Some("pack"),         "",                           "package pack"),
            (Some("./pack"),       "",                           "package ./pack"),
            (Some("p.zip"),        "",                           "package p.zip"),
            (Some("Hello!"),       "",                           "'Hello!' is no problem name: it has 1 to 64 of the characters a-z, 0-9 and -, and does not begin with -"),
            (Some("no/where"),     "",                           "there is no problem package at no/where"),
            (Some("./empty"),      "",                           "./empty is not a problem package: there is no problem.yaml in it"),
            (Some("empty"),        "",                           "installed empty"),
            (Some("."),            "pack",                       "package pack/."),
            (None,                 "pack/submissions/accepted",  "package pack"),
            (None,                 "class/deep/er",              "installed two-sum"),
            (None,                 "local",                      "package local/../pack"),
            (Some("hello"),        "class",                      "installed hello"),
            (None,                 "bad",                        "bad/.codementor/problem.toml is wrong: unknown field `problme`, expected `problem` or `assignment`"),
            (Some("cs101/hw3/sum"), "",                          "installed sum for cs101/hw3"),
            (Some("cs101/hw5/sum"), "",                          "package cs101/hw5/sum"),
            (Some("a/b/c/d"),      "",                           "there is no problem package at a/b/c/d"),
            (None,                 "hw3",                        "installed sum for cs101/hw3"),
            (None,                 "hw4",                        "installed sum for cs101/hw4"),
            (None,                 "mixed",                      "mixed/.codementor/problem.toml is wrong: an assignment has its problems by name, not by path"),
            (None,                 "gone",                       "gone/.codementor/problem.toml is wrong: there is no problem package at ./nowhere"),
        ];
        for (given, from, expected) in table {
            let meant = match super::meant(given.map(Path::new), &root.join(from)) {
                Ok(Meant { named: Named::Installed(slug), assignment: None }) => format!("installed {slug}"),
                Ok(Meant { named: Named::Installed(slug), assignment: Some(id) }) => {
                    format!("installed {slug} for {id}")
                }
                Ok(Meant { named: Named::Package(path), .. }) => format!("package {}", path.display()),
                Err(error) => error.to_string(),
            };
            let meant = meant.replace(&format!("{}/", root.display()), "");
            assert_eq!(meant, expected, "{given:?} from {from:?}");
        }
        assert!(matches!(name(None, &root.join("empty")), Err(ProblemError::NotNamed)));
    }
}
