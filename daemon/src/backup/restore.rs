//! Putting a backup into an empty data directory.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{
    CONFIG, DATABASE, FORMAT, Hashing, MANIFEST, MARK, Manifest, PACKAGES, check_database, create, hex,
};
use crate::queue::now;
use crate::store::{Store, StoreError};

/// The largest manifest that is read: some hundred thousand packages.
const MAX_MANIFEST: u64 = 64 * 1024 * 1024;
/// The largest of the other entries that are read into memory.
const MAX_MARK: u64 = 64;

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RestoreError {
    #[error("{} is not empty, and nothing was changed: name an empty directory with --data-dir DIR", .0.display())]
    NotEmpty(PathBuf),
    #[error("cannot read the backup {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is no backup of a CodeMentor server", .0.display())]
    NoBackup(PathBuf),
    #[error("the backup {} has format {found}; this program knows {FORMAT}: use a newer one", path.display())]
    TooNew { path: PathBuf, found: String },
    #[error("the backup {} breaks off {after}: it was not copied as a whole", path.display())]
    Truncated { path: PathBuf, after: String },
    #[error("the backup {} is damaged: {what}", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RestoreError {
    /// Whether there was no room.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            Self::Write { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            Self::Store(error) => matches!(error, StoreError::DiskFull),
            _ => false,
        }
    }

    /// Whether what was typed is wrong.
    pub(crate) fn is_usage(&self) -> bool {
        !matches!(self, Self::Write { .. } | Self::Store(_))
    }
}

/// Puts the backup in `source` into `data`, which is empty or not there. What fails leaves it empty.
pub(crate) fn restore(source: &Path, data: &Path) -> Result<usize, RestoreError> {
    let write = |path: &Path| {
        let path = path.to_owned();
        move |source| RestoreError::Write { path, source }
    };
    let file =
        File::open(source).map_err(|error| RestoreError::Read { path: source.into(), source: error })?;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(write(data))?;
    if std::fs::read_dir(data).map_err(write(data))?.next().is_some() {
        return Err(RestoreError::NotEmpty(data.into()));
    }
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700)).map_err(write(data))?;
    // In a folder of its own until all of it is known to be right; dropped, it is removed.
    let place = tempfile::Builder::new().prefix(".restoring-").tempdir_in(data).map_err(write(data))?;
    let names = unpack(source, file, place.path())?;
    renew(source, &place.path().join(DATABASE))?;
    let config = place.path().join(CONFIG);
    if config.exists() {
        point_at(&config, data).map_err(write(&config))?;
    }
    // The database last: without it, the directory is nobody's server.
    let mut moved: Vec<_> = std::fs::read_dir(place.path())
        .map_err(write(data))?
        .map(|entry| Ok(entry?.file_name()))
        .collect::<io::Result<_>>()
        .map_err(write(data))?;
    moved.sort_by_key(|name| name == DATABASE);
    for name in moved {
        let target = data.join(&name);
        std::fs::rename(place.path().join(&name), &target).map_err(write(&target))?;
    }
    File::open(data).and_then(|folder| folder.sync_all()).map_err(write(data))?;
    Ok(names)
}

/// Unpacks all entries and compares them with the manifest. Returns how many there are.
fn unpack(source: &Path, file: File, place: &Path) -> Result<usize, RestoreError> {
    let damaged = |what: String| RestoreError::Damaged { path: source.into(), what };
    let mut archive = tar::Archive::new(io::BufReader::new(file));
    let mut entries =
        archive.entries().map_err(|error| RestoreError::Read { path: source.into(), source: error })?;
    // A file that is no archive has no first entry, or one that is not ours.
    let Some(Ok(mut first)) = entries.next() else { return Err(RestoreError::NoBackup(source.into())) };
    if name_of(&first).as_deref() != Some(MARK) {
        return Err(RestoreError::NoBackup(source.into()));
    }
    let mut mark = String::new();
    let read = first.by_ref().take(MAX_MARK).read_to_string(&mut mark);
    if read.is_err() || mark.is_empty() {
        return Err(RestoreError::Truncated { path: source.into(), after: "at its beginning".into() });
    }
    if mark.trim() != FORMAT.to_string() {
        return Err(RestoreError::TooNew {
            path: source.into(),
            found: mark.trim().escape_debug().to_string(),
        });
    }

    let mut found: HashMap<String, (u64, String)> = HashMap::new();
    let mut last = MARK.to_owned();
    let mut manifest: Option<Manifest> = None;
    for entry in entries {
        let broken =
            |last: &str| RestoreError::Truncated { path: source.into(), after: format!("after {last}") };
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(broken(&last)),
            Err(error) => return Err(damaged(format!("after {last}: {error}"))),
        };
        let name = name_of(&entry).ok_or_else(|| damaged(format!("the entry after {last} has no name")))?;
        if name == MANIFEST {
            let mut json = Vec::new();
            entry.by_ref().take(MAX_MANIFEST).read_to_end(&mut json).map_err(|_| broken(&last))?;
            let read = serde_json::from_slice(&json);
            manifest = Some(read.map_err(|error| damaged(format!("its list of files: {error}")))?);
            break;
        }
        if !is_ours(&name) || !entry.header().entry_type().is_file() || found.contains_key(&name) {
            return Err(damaged(format!("{} does not belong there", name.escape_debug())));
        }
        let target = place.join(&name);
        let write = |error| RestoreError::Write { path: target.clone(), source: error };
        if let Some(folder) = target.parent() {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(write)?;
        }
        let mut output = create(&target).map_err(write)?;
        let mut reading = Hashing { inner: &mut entry, hash: Sha256::new(), failed: false };
        let copied = io::copy(&mut reading, &mut output);
        let size = match copied {
            Ok(size) => size,
            Err(_) if reading.failed => return Err(broken(&last)),
            Err(error) => return Err(write(error)),
        };
        let hash = hex(reading.hash);
        output.sync_all().map_err(write)?;
        found.insert(name.clone(), (size, hash));
        last = name;
    }
    let manifest = manifest
        .ok_or_else(|| RestoreError::Truncated { path: source.into(), after: format!("after {last}") })?;
    for entry in &manifest.files {
        match found.remove(&entry.name) {
            None => return Err(damaged(format!("{} is missing", entry.name.escape_debug()))),
            Some((size, hash)) if size != entry.size || hash != entry.sha256 => {
                return Err(damaged(format!("{} is not what was backed up", entry.name.escape_debug())));
            }
            Some(_) => {}
        }
    }
    if let Some(name) = found.into_keys().next() {
        return Err(damaged(format!("{} is in no list", name.escape_debug())));
    }
    for needed in [DATABASE, "keys/keys.json"] {
        if !manifest.files.iter().any(|entry| entry.name == needed) {
            return Err(damaged(format!("{needed} is missing")));
        }
    }
    Ok(manifest.files.len())
}

fn name_of<R: Read>(entry: &tar::Entry<'_, R>) -> Option<String> {
    Some(entry.path().ok()?.to_str()?.to_owned())
}

/// Whether a backup holds such a file. Nothing else is written, wherever an entry says that it lies.
pub(super) fn is_ours(name: &str) -> bool {
    let known = [DATABASE, CONFIG, "keys/keys.json", "user.creds", "enrol.code", "server.json", "nats/port"];
    let package = name.strip_prefix(PACKAGES).and_then(|name| name.strip_prefix('/'));
    let is_package = package.and_then(|name| name.strip_suffix(".zip")).is_some_and(|hash| {
        hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    known.contains(&name) || is_package
}

/// Makes a database that was copied one that a daemon can begin with: its NATS server has none of the old one's streams.
fn renew(source: &Path, database: &Path) -> Result<(), RestoreError> {
    let damaged = |what: String| RestoreError::Damaged { path: source.into(), what };
    let sqlite = |error: rusqlite::Error| RestoreError::Store(StoreError::from(error).sorted());
    let db = Connection::open(database).map_err(sqlite)?;
    check_database(&db).map_err(sqlite)?.map_err(|what| damaged(format!("its database: {what}")))?;
    drop(db);
    // Brings it to the newest version too, or says that it is of a newer program.
    let mut db = Store::migrated(database)?;
    let change = db.transaction().map_err(sqlite)?;
    crate::submissions::publish_all_again(&change, now())?;
    change.execute("DELETE FROM positions", []).map_err(sqlite)?;
    change.commit().map_err(sqlite)?;
    db.pragma_update(None, "journal_mode", "DELETE").map_err(sqlite)
}

/// Has the configuration name the directory that it was restored to.
fn point_at(config: &Path, data: &Path) -> io::Result<()> {
    let data = std::path::absolute(data)?;
    let text = std::fs::read_to_string(config)?;
    let mut top = true;
    let mut changed = String::with_capacity(text.len());
    for line in text.lines() {
        top = top && !line.trim_start().starts_with('[');
        let key = line.split('=').next().unwrap_or_default().trim();
        if top && key == "data_dir" {
            changed.push_str(&format!("data_dir = {}", serde_json::json!(data)));
        } else {
            changed.push_str(line);
        }
        changed.push('\n');
    }
    let mut file = File::options().write(true).truncate(true).open(config)?;
    file.write_all(changed.as_bytes())?;
    file.sync_all()
}
