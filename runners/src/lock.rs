//! One process at a time, on one host: whoever comes second waits and finds the work done.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::progress::{Progress, ProgressEvent};

/// How often a lock that somebody else holds is tried again.
const INTERVAL: Duration = Duration::from_millis(100);
/// Longer than building everything takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Holds the lock until dropped. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

/// Why a lock could not be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The file cannot be used.
    #[error("cannot lock {}: {source}", path.display())]
    File {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody holds it for ever.
    #[error("another process has been making {what} for an hour; end it and try again (its lock is {})", path.display())]
    Held {
        /// What it claims to be making.
        what: String,
        /// The lock file.
        path: PathBuf,
    },
}

/// Waits for the lock `name` in `folder`, which is made where it is missing.
pub(crate) async fn acquire(
    folder: &Path,
    name: &str,
    what: &str,
    progress: &dyn Progress,
) -> Result<Lock, LockError> {
    let path = folder.join(format!("{name}.lock"));
    let failed = |source| LockError::File { path: path.clone(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    let began = Instant::now();
    let mut waiting = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
            Err(TryLockError::WouldBlock) => {}
        }
        if began.elapsed() > PATIENCE {
            return Err(LockError::Held { what: what.into(), path });
        }
        if !std::mem::replace(&mut waiting, true) {
            progress.report(ProgressEvent::Waiting { what: what.into() });
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
