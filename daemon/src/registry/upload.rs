//! Packages that arrive in pieces. A transfer that was cut off goes on where it stopped.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use codementor_problems::defect::WarningKind;
use codementor_problems::read::{self, Opened};
use codementor_protocol::{PackageHash, PackageReceived, PutPackage, Refusal, RefusalCode};

/// The largest package that is taken.
const MAX_PACKAGE: u64 = 512 * 1024 * 1024;

/// How long a transfer that was cut off can go on where it stopped.
const KEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// Appends a piece if it is the next one. The answer says which byte is wanted next, whatever was sent.
pub(super) fn append(path: &Path, request: &PutPackage) -> Result<PackageReceived, Refusal> {
    if request.size > MAX_PACKAGE {
        let message =
            format!("the package has {} MiB; at most {} are taken", request.size >> 20, MAX_PACKAGE >> 20);
        return Err(Refusal::new(RefusalCode::Invalid, message));
    }
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(|error| failed(&error))?;
    let mut have = file.metadata().map_err(|error| failed(&error))?.len();
    if have > request.size {
        file.set_len(0).map_err(|error| failed(&error))?;
        have = 0;
    }
    let piece = &request.piece;
    if request.offset == have && have + piece.len() as u64 <= request.size {
        if let Err(error) = file.write_all(piece) {
            // Half a piece would shift all that follow.
            let _ = file.set_len(have);
            return Err(failed(&error));
        }
        have += piece.len() as u64;
    }
    Ok(PackageReceived { next: have, complete: false })
}

/// Moves an upload to where packages are kept, on disk before it has its name.
pub(super) fn keep(upload: &Path, kept: &Path) -> Result<(), Refusal> {
    let keep = || -> io::Result<()> {
        File::open(upload)?.sync_all()?;
        std::fs::rename(upload, kept)?;
        kept.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    };
    keep().map_err(|error| failed(&error))
}

/// Reads a piece of a package, and says how large the whole is.
pub(super) fn piece(path: &Path, offset: u64, most: usize) -> Result<(u64, Vec<u8>), Refusal> {
    let read = || -> io::Result<_> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(offset.min(size)))?;
        let mut piece = Vec::new();
        file.take(most as u64).read_to_end(&mut piece)?;
        Ok((size, piece))
    };
    read()
        .map_err(|error| Refusal::new(RefusalCode::Internal, format!("the package cannot be read: {error}")))
}

/// Removes what nobody has gone on sending for a long time. A file that cannot be looked at or removed stays.
pub(super) fn forget_old(uploads: &Path) {
    for entry in std::fs::read_dir(uploads).into_iter().flatten().flatten() {
        let changed = entry.metadata().and_then(|metadata| metadata.modified());
        let age = changed.ok().and_then(|changed| SystemTime::now().duration_since(changed).ok());
        if age.is_some_and(|age| age > KEEP) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn failed(error: &io::Error) -> Refusal {
    if error.kind() == io::ErrorKind::StorageFull {
        return Refusal::new(RefusalCode::Later, "the server's disk is full: the package was not stored")
            .hint("free some space and push again; what has arrived is kept");
    }
    Refusal::new(RefusalCode::Internal, format!("the package was not stored: {error}"))
}

/// Reads a package that was kept, or else the one that has arrived, and sees that it is the one that its hash names.
pub(super) fn arrived(kept: &Path, upload: &Path, hash: &PackageHash) -> Result<Opened, Refusal> {
    let source = if kept.exists() { kept } else { upload };
    if !source.exists() {
        let message = format!("package {} has not arrived", hash.short());
        return Err(Refusal::new(RefusalCode::NotFound, message).hint("push it again"));
    }
    let damaged = || {
        // Cleared, so that what is sent next does not meet the pieces of what cannot be right.
        let _ = std::fs::remove_file(upload);
        Refusal::new(RefusalCode::Later, "what arrived is not the package that was announced")
            .hint("push it again: it is sent from its first byte")
    };
    let mut opened = read::open(source).map_err(|defects| {
        // As above.
        let _ = std::fs::remove_file(upload);
        let lines: Vec<String> = defects.iter().map(ToString::to_string).collect();
        Refusal::new(RefusalCode::Invalid, format!("the package cannot be judged:\n{}", lines.join("\n")))
    })?;
    // The name of the file that it arrived in is ours.
    opened.warnings.retain(|warning| !matches!(warning.kind, WarningKind::MappedSlug { .. }));
    if !opened.package.generate.is_empty() {
        let message = "the package has cases that are still to be generated";
        return Err(
            Refusal::new(RefusalCode::Invalid, message).hint("push it with codementor, which builds it")
        );
    }
    match opened.files.content_hash() {
        Ok(found) if found == hash.as_str() => Ok(opened),
        Ok(_) | Err(_) => Err(damaged()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, offset: u64, piece: &[u8]) -> u64 {
        let package = codementor_protocol::PackageHash::new("a".repeat(64)).expect("a hash");
        append(path, &PutPackage { package, size: 10, offset, piece: piece.into() }).expect("is taken").next
    }

    #[test]
    fn a_transfer_goes_on_where_it_stopped() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("x.part");
        assert_eq!(put(&path, 0, b""), 0);
        assert_eq!(put(&path, 0, b"01234"), 5);
        assert_eq!(put(&path, 0, b"01234"), 5, "a piece that comes twice counts once");
        assert_eq!(put(&path, 7, b"789"), 5, "a piece that is not the next one does not count");
        assert_eq!(put(&path, 5, b"56789X"), 5, "no more than was announced");
        assert_eq!(put(&path, 5, b"56789"), 10);
        assert_eq!(std::fs::read(&path).expect("reads"), b"0123456789");
    }
}
