//! One daemon's identity on its host, and how to tell whether another one lives.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use codementor_protocol::InstanceId;
use rand::Rng;
use rustix::fs::{FlockOperation, flock};

use crate::files::write_private;

/// A data directory that is held by this process alone, for as long as this value lives. The kernel lets go of the
/// lock whichever way the process ends.
pub(crate) struct Instance {
    /// What this daemon's containers are labelled with.
    pub(crate) id: InstanceId,
    lock_path: PathBuf,
    _lock: File,
}

/// Why a data directory cannot be held.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another daemon holds it.
    #[error("another daemon is running on {0}")]
    Held(PathBuf),
    /// It cannot be written.
    #[error("cannot use {path}: {source}")]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Instance {
    /// Takes hold of `directory` by its lock file `lock`.
    pub(crate) fn hold(directory: &Path, lock: &Path) -> Result<Self, InstanceError> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| InstanceError::Unusable { path, source }
        };
        std::fs::create_dir_all(directory).map_err(unusable(directory))?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(lock);
        let file = file.map_err(unusable(lock))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(InstanceError::Held(directory.into())),
            Err(error) => return Err(unusable(lock)(error.into())),
        }
        let id_file = directory.join("instance.id");
        let known = std::fs::read_to_string(&id_file).ok().and_then(|text| InstanceId::new(text.trim()).ok());
        let id = match known {
            Some(id) => id,
            None => {
                let random: [u8; 8] = rand::rng().random();
                let id = InstanceId::new(data_encoding::HEXLOWER.encode(&random))
                    .map_err(|error| unusable(&id_file)(io::Error::other(error)))?;
                write_private(&id_file, id.as_str().as_bytes()).map_err(unusable(&id_file))?;
                id
            }
        };
        Ok(Self { id, lock_path: lock.into(), _lock: file })
    }

    /// Where the lock is.
    pub(crate) fn lock_path(&self) -> &Path {
        &self.lock_path
    }
}

/// Whether somebody holds this lock. What cannot be looked at counts as held: what belongs to a daemon that lives must
/// never be removed.
pub fn is_held(lock: &Path) -> bool {
    match File::open(lock) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockShared).is_err(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

/// Whether what carries the path of this lock belongs to nobody that lives. In a container, the file systems of others
/// are not seen: a lock that is not there says nothing then.
pub(crate) fn is_stray(lock: &Path, in_container: bool) -> bool {
    !is_held(lock) && (!in_container || lock.exists())
}

/// Whether this process is in a container.
pub(crate) fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"].iter().any(|mark| Path::new(mark).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_from_a_container_may_live() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let lock = dir.path().join("daemon.lock");
        assert!(is_stray(&lock, false), "its directory is gone, and it with it");
        assert!(!is_stray(&lock, true));
        let held = Instance::hold(dir.path(), &lock).expect("is held");
        assert!(!is_stray(&lock, false) && !is_stray(&lock, true));
        drop(held);
        assert!(is_stray(&lock, false) && is_stray(&lock, true));
    }

    #[test]
    fn a_directory_is_held_once_and_keeps_its_identity() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let lock = dir.path().join("daemon.lock");
        assert!(!is_held(&lock));
        let first = Instance::hold(dir.path(), &lock).expect("is held");
        assert!(is_held(&lock));
        assert!(matches!(Instance::hold(dir.path(), &lock), Err(InstanceError::Held(_))));
        let id = first.id.clone();
        drop(first);
        assert!(!is_held(&lock));
        assert_eq!(Instance::hold(dir.path(), &lock).expect("is held again").id, id);
    }
}
