//! Taking from an image whatever a program could write to.
//!
//! Where a container's root file system is not mounted read-only, the rights of its files are all that keeps programs
//! from changing it. So the last step of every image's build is this, run by root in the image itself: it needs no
//! tool of the image's, and works alike in every engine's builder.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use codementor_agent::{FIRST_USER, SCRATCH, WORK};

/// The right of everybody to write.
const OTHERS_WRITE: u32 = 0o002;

/// Seals the image that this program runs in: afterwards nothing in it can be written to by others, and nothing
/// belongs to a user or a group that a program could get.
pub(crate) fn seal() -> Result<(), SealError> {
    // Elsewhere this would take rights from whatever system it stands in.
    if std::env::current_exe().ok().as_deref() != Some(Path::new(codementor_agent::PATH)) {
        return Err(SealError::NotAnImage);
    }
    // What the builder mounts is not part of the image.
    let mut spared = mount_points().map_err(|error| SealError::At("/proc/self/mountinfo".into(), error))?;
    // Sandboxes cover these with a tmpfs, to which some versions of runc give the rights of what it covers.
    spared.extend(SCRATCH.iter().chain([&WORK]).map(PathBuf::from));
    let mut folders = vec![PathBuf::from("/")];
    close(&folders[0])?;
    while let Some(folder) = folders.pop() {
        let at = |error| SealError::At(folder.clone(), error);
        for entry in fs::read_dir(&folder).map_err(at)? {
            let path = entry.map_err(at)?.path();
            if !spared.contains(&path) && close(&path)? {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// Why an image could not be sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("only an image is sealed, by the agent in it")]
    NotAnImage,
    #[error("{}: {}", .0.display(), .1)]
    At(PathBuf, #[source] io::Error),
}

/// Takes one file or folder from programs, and says whether it is a folder.
fn close(path: &Path) -> Result<bool, SealError> {
    let closed = || {
        let found = fs::symlink_metadata(path)?;
        if found.uid() >= FIRST_USER || found.gid() >= FIRST_USER {
            lchown(path, Some(0), Some(0))?;
        }
        if !found.is_symlink() && found.mode() & OTHERS_WRITE != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(found.mode() & 0o7777 & !OTHERS_WRITE))?;
        }
        Ok(found.is_dir())
    };
    closed().map_err(|error| SealError::At(path.into(), error))
}

fn mount_points() -> io::Result<HashSet<PathBuf>> {
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    Ok(table
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|&path| path != "/")
        .map(PathBuf::from)
        .collect())
}
