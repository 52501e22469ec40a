//! `codementord backup` and `restore`: everything that must not be lost, as one file.
//!
//! ```text
//! codementor-backup   the first entry, by which such a file is told: the version of this format
//! codementor.db       a copy that SQLite makes while the daemon writes: all that was committed when it began
//! keys/  packages/    …  taken after the database, so that whatever it names is there
//! manifest.json       the last entry: size and SHA-256 of each of them
//! ```
//!
//! What is in NATS is not kept: the database knows which jobs are under way, and a restored one has them published
//! again. The certificate of the server is not kept either: it lies where its owner renews it.

mod restore;

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::is_of_the_path;
use crate::queue::now;
use crate::settings::Paths;
use crate::store::StoreError;

pub(crate) use restore::{RestoreError, restore};

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;
/// The names of the first and the last entry.
const MARK: &str = "codementor-backup";
const MANIFEST: &str = "manifest.json";
/// The names of the others.
const DATABASE: &str = "codementor.db";
const CONFIG: &str = "config.toml";
const PACKAGES: &str = "packages";
/// How long the database may be locked by somebody else.
const BUSY: Duration = Duration::from_secs(30);

/// What the last entry says.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    /// The program that made it.
    program: String,
    /// When, in milliseconds of Unix time.
    made: i64,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    size: u64,
    sha256: String,
}

/// What was backed up.
#[derive(Debug)]
pub(crate) struct BackedUp {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackupError {
    #[error("there is no server in {}: name its directory with --data-dir DIR", .0.display())]
    NoServer(PathBuf),
    #[error("{} exists already: name another file", .0.display())]
    Exists(PathBuf),
    #[error(
        "cannot write the backup {}: {source}; name a file in a folder that is there, and that you may write to",
        path.display()
    )]
    Place { path: PathBuf, source: io::Error },
    #[error("cannot write the backup {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the database cannot be copied: {0}")]
    Database(#[from] StoreError),
    #[error("the database is damaged, and no backup was made of it: {0}")]
    Damaged(String),
}

impl BackupError {
    /// Whether there was no room.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            Self::Write { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Database(error) => matches!(error, StoreError::DiskFull),
            _ => false,
        }
    }

    /// Whether what was typed is wrong.
    pub(crate) fn is_usage(&self) -> bool {
        matches!(self, Self::NoServer(_) | Self::Exists(_) | Self::Place { .. })
    }
}

/// Writes everything of a data directory into `target`, whether its daemon runs or not.
pub(crate) fn backup(paths: &Paths, target: &Path) -> Result<BackedUp, BackupError> {
    if !paths.database().exists() || !paths.keys().exists() {
        return Err(BackupError::NoServer(paths.data.clone()));
    }
    if target.exists() {
        return Err(BackupError::Exists(target.into()));
    }
    let write = |source| match is_of_the_path(&source) {
        true => BackupError::Place { path: target.into(), source },
        false => BackupError::Write { path: target.into(), source },
    };
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Beside the target, where there must be room anyway; gone with an error, whatever it is.
    let copy = tempfile::Builder::new().prefix(".codementor-db-").tempfile_in(folder).map_err(write)?;
    copy_database(&paths.database(), copy.path())?;
    let archive =
        tempfile::Builder::new().prefix(".codementor-backup-").tempfile_in(folder).map_err(write)?;

    let mut builder = tar::Builder::new(io::BufWriter::new(archive));
    let mark = format!("{FORMAT}\n");
    append(&mut builder, MARK, mark.len() as u64, &mut mark.as_bytes()).map_err(write)?;
    let mut manifest =
        Manifest { program: env!("CARGO_PKG_VERSION").into(), made: now().0, files: Vec::new() };
    let mut add = |name: String, path: &Path| {
        let read = |source| BackupError::Read { path: path.into(), source };
        let file = File::open(path).map_err(read)?;
        let size = file.metadata().map_err(read)?.len();
        // One that grows meanwhile is kept as long as it was.
        let mut reading = Hashing { inner: file.take(size), hash: Sha256::new(), failed: false };
        append(&mut builder, &name, size, &mut reading).map_err(|source| match reading.failed {
            true => read(source),
            false => write(source),
        })?;
        manifest.files.push(Entry { name, size, sha256: hex(reading.hash) });
        Ok::<(), BackupError>(())
    };
    add(DATABASE.into(), copy.path())?;
    add("keys/keys.json".into(), &paths.keys().join("keys.json"))?;
    for (name, path) in [
        (CONFIG, paths.config.clone()),
        ("user.creds", paths.user_creds()),
        ("enrol.code", paths.enrol_code()),
        ("server.json", paths.server_mark()),
        // Credentials name the port, so a restored server listens where this one does.
        ("nats/port", paths.nats().join("port")),
    ] {
        if path.is_file() {
            add(name.into(), &path)?;
        }
    }
    for path in packages(&paths.packages())? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        add(format!("{PACKAGES}/{name}"), &path)?;
    }
    let bytes = manifest.files.iter().map(|file| file.size).sum();
    let files = manifest.files.len();
    let json = serde_json::to_vec_pretty(&manifest).map_err(|error| write(error.into()))?;
    append(&mut builder, MANIFEST, json.len() as u64, &mut json.as_slice()).map_err(write)?;
    let archive =
        builder.into_inner().map_err(write)?.into_inner().map_err(|error| write(error.into_error()))?;
    archive.as_file().sync_all().map_err(write)?;
    archive.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(target.into()),
        _ => write(error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(write)?;
    Ok(BackedUp { files, bytes })
}

/// The packages, in the order of their names. What is only arriving has another name.
fn packages(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let read = |source| BackupError::Read { path: folder.into(), source };
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(read)?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(read)?.path();
        if path.extension().is_some_and(|extension| extension == "zip") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a database that somebody may be writing to: all of it as it is at one moment, in one file.
fn copy_database(from: &Path, to: &Path) -> Result<(), BackupError> {
    let sqlite = |error: rusqlite::Error| BackupError::Database(StoreError::from(error).sorted());
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(sqlite)?;
    source.busy_timeout(BUSY).map_err(sqlite)?;
    let mut copy = Connection::open(to).map_err(sqlite)?;
    {
        let backup = rusqlite::backup::Backup::new(&source, &mut copy).map_err(sqlite)?;
        // All pages in one step see one moment. Writers go on meanwhile: in WAL mode no reader holds them up.
        while backup.step(-1).map_err(sqlite)? != rusqlite::backup::StepResult::Done {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    // No file beside it: the copy travels alone.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(sqlite)?;
    check_database(&copy).map_err(sqlite)?.map_err(BackupError::Damaged)
}

/// Looks through a whole database; the inner error is what is wrong with it.
fn check_database(db: &Connection) -> Result<Result<(), String>, rusqlite::Error> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(if found == "ok" { Ok(()) } else { Err(found) })
}

fn append<W: Write>(
    builder: &mut tar::Builder<W>,
    name: &str,
    size: u64,
    content: &mut dyn Read,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o600);
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mtime(now().0.unsigned_abs() / 1000);
    let mut counted = content.take(size);
    builder.append_data(&mut header, name, &mut counted)?;
    if counted.limit() > 0 {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it became shorter while it was read"));
    }
    Ok(())
}

/// Hashes what passes, and remembers whether reading failed.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
    failed: bool,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.hash.update(&buffer[..count]);
                Ok(count)
            }
            Err(error) => {
                self.failed = true;
                Err(error)
            }
        }
    }
}

fn hex(hash: Sha256) -> String {
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// A file that only its owner may read, and that is not there yet.
fn create(path: &Path) -> io::Result<File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests;
