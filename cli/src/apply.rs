//! Writes a corrected program over the student's own: only over files that are here and are what was submitted, and
//! never without keeping what they were.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use codementor_protocol::SourceFile;

use crate::error::ExitStatus;

/// How many backups of one file are kept.
const MOST_BACKUPS: u32 = 999;

/// Why a corrected program is not written. Nothing was changed, except where the text says so.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file that was submitted is not here.
    #[error("{}", t!("{name} is not in this folder", name))]
    NotHere {
        /// The file.
        name: String,
    },
    /// Something else has the name of a file that was submitted.
    #[error("{}", t!("{name} is {what} here, and no regular file", name, what))]
    NotAFile {
        /// The name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// A file is not what was submitted any more.
    #[error("{}", t!("{name} has changed since you submitted it", name))]
    Changed {
        /// The file.
        name: String,
    },
    /// A file that was not submitted would be written.
    #[error("{}", t!(
        "the corrected program has a file {name} that you did not submit",
        name = format_args!("{:?}", name)
    ))]
    NotSubmitted {
        /// The name.
        name: String,
    },
    /// All names for a backup are taken.
    #[error("{}", t!("there are {most_backups} backups of {name} here", most_backups = MOST_BACKUPS, name))]
    TooManyBackups {
        /// The file.
        name: String,
    },
    /// A file cannot be read, kept or written.
    #[error("{}", t!("cannot {what} {name}: {source}", what, name, source))]
    Failed {
        /// What was tried.
        what: &'static str,
        /// The file.
        name: String,
        /// Why.
        source: io::Error,
    },
}

impl ApplyError {
    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotHere { .. } => Some(
                t!("only names are sent with a program, not their folders: go to the folder that you \
                    submitted it from, and try again there")
                .into(),
            ),
            Self::NotAFile { .. } => {
                Some(t!("put the file itself here, as you submitted it, and try again").into())
            }
            Self::Changed { .. } => Some(
                t!(
                    "see what differs with codementor fix; with --force it is written all the same, and your \
                    version is kept as .bak"
                )
                .into(),
            ),
            Self::TooManyBackups { .. } => Some(t!("remove those that you do not need").into()),
            Self::NotSubmitted { .. } | Self::Failed { .. } => None,
        }
    }

    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::NotHere { .. } => ExitStatus::NotFound,
            Self::NotAFile { .. } | Self::Changed { .. } | Self::TooManyBackups { .. } => ExitStatus::Refused,
            Self::Failed { source, .. } if source.kind() == io::ErrorKind::StorageFull => ExitStatus::Later,
            Self::NotSubmitted { .. } | Self::Failed { .. } => ExitStatus::OurFault,
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It was written.
    Written {
        /// The file.
        name: String,
        /// The file that holds what it was.
        backup: String,
    },
    /// It is as it should be already.
    Unchanged {
        /// The file.
        name: String,
    },
}

/// A file that will be written.
struct Change<'a> {
    file: &'a SourceFile,
    before: Vec<u8>,
    permissions: std::fs::Permissions,
}

/// Writes `fix` over the files in `dir`, which are `submitted` still unless `force` is given. All files are checked
/// before the first is written.
pub fn apply(
    dir: &Path,
    submitted: &[SourceFile],
    fix: &[SourceFile],
    force: bool,
) -> Result<Vec<Applied>, ApplyError> {
    let mut changes = Vec::new();
    let mut applied = Vec::new();
    for file in fix {
        let known = submitted.iter().find(|old| old.name == file.name).filter(|_| is_plain(&file.name));
        let old = known.ok_or_else(|| ApplyError::NotSubmitted { name: file.name.clone() })?;
        if old.text == file.text {
            continue;
        }
        let (before, permissions) = read(&dir.join(&file.name), &file.name)?;
        if before == file.text.as_bytes() {
            applied.push(Applied::Unchanged { name: file.name.clone() });
        } else if before == old.text.as_bytes() || force {
            changes.push(Change { file, before, permissions });
        } else {
            return Err(ApplyError::Changed { name: file.name.clone() });
        }
    }
    for change in changes {
        let name = &change.file.name;
        let failed = |what| {
            let name = name.clone();
            move |source| ApplyError::Failed { what, name, source }
        };
        let backup = keep(dir, name, &change.before, &change.permissions)?;
        replace(dir, name, change.file.text.as_bytes(), &change.permissions).map_err(failed(t!("write")))?;
        applied.push(Applied::Written { name: name.clone(), backup });
    }
    Ok(applied)
}

/// Whether a name can only be that of a file in the folder itself.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(['.', '-'])
        && !name.contains(|character: char| matches!(character, '/' | '\\') || character.is_control())
}

fn read(path: &Path, name: &str) -> Result<(Vec<u8>, std::fs::Permissions), ApplyError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => ApplyError::NotHere { name: name.into() },
        _ => ApplyError::Failed { what: t!("read"), name: name.into(), source },
    };
    // A link would lead the writing elsewhere, or be lost by it.
    let metadata = path.symlink_metadata().map_err(failed)?;
    let what = if metadata.is_symlink() {
        t!("a link")
    } else if metadata.is_dir() {
        t!("a folder")
    } else {
        t!("something special")
    };
    if !metadata.is_file() {
        return Err(ApplyError::NotAFile { name: name.into(), what });
    }
    Ok((std::fs::read(path).map_err(failed)?, metadata.permissions()))
}

/// Writes what a file was under the first name that is free, and gives that name.
fn keep(
    dir: &Path,
    name: &str,
    bytes: &[u8],
    permissions: &std::fs::Permissions,
) -> Result<String, ApplyError> {
    for n in 0..=MOST_BACKUPS {
        let backup = if n == 0 { format!("{name}.bak") } else { format!("{name}.bak.{n}") };
        match create(&dir.join(&backup), bytes, permissions) {
            Ok(()) => return Ok(backup),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(ApplyError::Failed { what: t!("write"), name: backup, source }),
        }
    }
    Err(ApplyError::TooManyBackups { name: name.into() })
}

/// Replaces a file as a whole or not at all.
fn replace(dir: &Path, name: &str, bytes: &[u8], permissions: &std::fs::Permissions) -> io::Result<()> {
    let fresh = dir.join(format!(".{name}.{}.new", std::process::id()));
    create(&fresh, bytes, permissions)?;
    std::fs::rename(&fresh, dir.join(name)).inspect_err(|_| {
        // It is of no use; where it cannot be removed, it does no harm.
        let _ = std::fs::remove_file(&fresh);
    })
}

/// Writes a file that does not exist yet; nothing of it is left where that fails halfway.
fn create(path: &Path, bytes: &[u8], permissions: &std::fs::Permissions) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let written = write(&mut file, bytes, permissions);
    if written.is_err() {
        // As above.
        let _ = std::fs::remove_file(path);
    }
    written
}

fn write(file: &mut File, bytes: &[u8], permissions: &std::fs::Permissions) -> io::Result<()> {
    file.write_all(bytes)?;
    file.set_permissions(permissions.clone())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn file(name: &str, text: &str) -> SourceFile {
        SourceFile { name: name.into(), text: text.into() }
    }

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("is written");
        }
        dir
    }

    /// All that lies in the folder.
    fn content(dir: &tempfile::TempDir) -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(dir.path()).expect("is listed");
        entries
            .map(|entry| entry.expect("is listed").path())
            .map(|path| {
                let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
                (name, std::fs::read_to_string(&path).unwrap_or_else(|_| "unreadable".into()))
            })
            .collect()
    }

    fn map(files: &[(&str, &str)]) -> BTreeMap<String, String> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn each_time_what_was_there_is_kept_under_a_name_of_its_own() {
        let dir = folder(&[("a.py", "1"), ("a.py.bak", "older"), ("b.py", "b")]);
        std::fs::set_permissions(dir.path().join("a.py"), std::fs::Permissions::from_mode(0o750))
            .expect("is set");
        let submitted = [file("a.py", "1"), file("b.py", "b")];
        let fix = [file("a.py", "2"), file("b.py", "b")];
        let applied = apply(dir.path(), &submitted, &fix, false).expect("is written");
        assert_eq!(applied, [Applied::Written { name: "a.py".into(), backup: "a.py.bak.1".into() }]);
        let after = map(&[("a.py", "2"), ("a.py.bak", "older"), ("a.py.bak.1", "1"), ("b.py", "b")]);
        assert_eq!(content(&dir), after);
        let mode = dir.path().join("a.py").metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o750);
        let again = apply(dir.path(), &submitted, &fix, false).expect("is there already");
        assert_eq!(again, [Applied::Unchanged { name: "a.py".into() }]);
        assert_eq!(content(&dir), after);
    }

    #[test]
    fn a_file_that_was_changed_since_is_written_only_by_force() {
        let dir = folder(&[("a.py", "1, and more"), ("b.py", "b")]);
        let submitted = [file("b.py", "b"), file("a.py", "1")];
        let fix = [file("b.py", "B"), file("a.py", "2")];
        let before = content(&dir);
        let error = apply(dir.path(), &submitted, &fix, false).expect_err("is refused");
        assert!(matches!(error, ApplyError::Changed { ref name } if name == "a.py"), "{error}");
        assert_eq!(content(&dir), before, "not even the file before it was written");
        apply(dir.path(), &submitted, &fix, true).expect("is written");
        let after = map(&[("a.py", "2"), ("a.py.bak", "1, and more"), ("b.py", "B"), ("b.py.bak", "b")]);
        assert_eq!(content(&dir), after);
    }

    #[test]
    fn only_regular_files_that_are_here_and_were_submitted_are_written() {
        let outside = folder(&[("a.py", "1")]);
        for force in [false, true] {
            let dir = folder(&[("c.py", "1")]);
            symlink(outside.path().join("a.py"), dir.path().join("a.py")).expect("is linked");
            std::fs::create_dir(dir.path().join("d.py")).expect("is made");
            let before = content(&dir);
            for (name, expected) in [
                ("a.py", "a.py is a link here, and no regular file"),
                ("d.py", "d.py is a folder here, and no regular file"),
                ("gone.py", "gone.py is not in this folder"),
            ] {
                let error = apply(dir.path(), &[file(name, "1")], &[file(name, "2")], force);
                assert_eq!(error.expect_err("is refused").to_string(), expected);
            }
            for name in ["c.py", "../a.py", "/etc/passwd", "", ".bashrc", "-rf"] {
                // A name that was never submitted, and names that no submission can have.
                let submitted = if name == "c.py" { "other.py" } else { name };
                let error = apply(dir.path(), &[file(submitted, "1")], &[file(name, "2")], force);
                let error = error.expect_err("is refused");
                assert!(matches!(error, ApplyError::NotSubmitted { .. }), "{name}: {error}");
            }
            assert_eq!(content(&dir), before);
        }
        assert_eq!(content(&outside), map(&[("a.py", "1")]));
    }
}
