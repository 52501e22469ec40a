//! Files that are written whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file that only its owner may read, so that a reader sees the old content or the new one. A link is followed;
/// what is no regular file, such as a pipe or a device, is written to and stays what it is.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content, 0o600)
}

/// The same for a file that everybody may read.
pub fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    write_whole(path, content, 0o666)
}

/// Whether a file cannot be written for what its path is, and not for what happens on the way: a folder that is not
/// there, or that one may not write to.
pub fn is_of_the_path(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::IsADirectory
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::InvalidFilename
    )
}

fn write_whole(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let path = match fs::metadata(path) {
        Ok(there) if there.is_file() => fs::canonicalize(path)?,
        Ok(_) => return OpenOptions::new().write(true).open(path)?.write_all(content),
        // A link that leads nowhere is an error, and nothing that is to be replaced.
        Err(error) if path.is_symlink() => return Err(error),
        Err(_) => path.to_path_buf(),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let written = fill(&temporary, content, mode).and_then(|()| fs::rename(&temporary, &path));
    if let Err(error) = written {
        // The error itself is what counts.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    // The new name itself must survive a loss of power too.
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn fill(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_a_link_followed_and_a_device_left() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| dir.path().join(name);
        write_private(&at("file"), b"one").expect("is written");
        symlink(at("file"), at("link")).expect("is made");
        write_public(&at("link"), b"two").expect("is written");
        assert!(at("link").is_symlink());
        assert_eq!(fs::read(at("file")).expect("is read"), b"two");
        write_private(&at("file"), b"three").expect("is written");
        assert_eq!(fs::metadata(at("file")).expect("is there").permissions().mode() & 0o777, 0o600);

        symlink("/dev/null", at("null")).expect("is made");
        write_private(&at("null"), b"nothing").expect("is written");
        assert!(at("null").is_symlink() && !fs::metadata("/dev/null").expect("is there").is_file());
        symlink(at("nowhere"), at("dangling")).expect("is made");
        assert!(write_private(&at("dangling"), b"x").is_err() && at("dangling").is_symlink());
        assert!(write_private(dir.path(), b"x").is_err());
        assert!(write_private(&at("no/folder"), b"x").is_err());
        let left = fs::read_dir(dir.path()).expect("is read").count();
        assert_eq!(left, 4, "nothing temporary is left");
    }
}
