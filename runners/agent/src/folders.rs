//! The folders that a submission lives in: written, checked and emptied, with the rights of whoever owns the files.

use std::ffi::CString;
use std::fmt::Display;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::fs::{
    AtFlags, Mode, OFlags, RawDir, RenameFlags, SeekFrom, chmod, chmodat, fchmod, fstat, fstatvfs, mkdirat,
    open, openat, renameat_with, seek, statat, unlinkat,
};
use rustix::io::Errno;

use crate::process::{Owner, act_as};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Takes from the group of `/` its rights, which nobody needs: programs are in no group but their own. The kernel looks
/// for an access control list only where the group has some, and on a file system in user space that question, asked
/// for every absolute path, goes to another process each time.
pub(crate) fn quicken_look_ups() {
    // It fails where the root is read-only, which is how the host wants it on every other file system; and all that is
    // lost is time.
    let _ = chmod("/", Mode::from_raw_mode(0o705));
}

/// One folder that programs can leave something in.
pub(crate) struct Folder {
    pub(crate) path: &'static str,
    fd: OwnedFd,
}

impl Folder {
    pub(crate) fn open(path: &'static str) -> io::Result<Self> {
        Ok(Self { path, fd: open(path, FOLDER, Mode::empty())? })
    }

    pub(crate) fn is_empty(&self) -> io::Result<bool> {
        let mut empty = true;
        self.each(|_, _| {
            empty = false;
            io::Result::Ok(())
        })?;
        Ok(empty)
    }

    /// Lets everybody make entries here, or nobody but root.
    pub(crate) fn set_open(&self, to_all: bool) -> io::Result<()> {
        Ok(fchmod(&self.fd, Mode::from_raw_mode(if to_all { 0o1777 } else { 0o755 }))?)
    }

    /// How much of the container's memory the file system of this folder takes, in KiB.
    pub(crate) fn used_kib(&self) -> io::Result<u64> {
        let stat = fstatvfs(&self.fd)?;
        Ok(stat.f_blocks.saturating_sub(stat.f_bfree) * stat.f_frsize / 1024)
    }

    /// Makes a folder in this one that belongs to `owner`.
    pub(crate) fn make(&self, name: &str, owner: Owner) -> io::Result<OwnedFd> {
        act_as(owner, || {
            mkdirat(&self.fd, name, Mode::from_raw_mode(0o755))?;
            Ok(openat(&self.fd, name, FOLDER, Mode::empty())?)
        })
    }

    /// Removes everything in it. The folder itself must be root's, and nothing but the agent may be alive.
    ///
    /// Nothing here grows with what the student left: however deep a tree is, one folder is open at a time, because
    /// a folder found in another one is moved up to this one instead of being entered. Names are never joined to
    /// paths, links are removed and not followed, and no FIFO is opened.
    pub(crate) fn empty(&self, owners: &[Owner], until: Instant) -> Result<(), WipeError> {
        let mut moved = 0;
        loop {
            let mut found = false;
            self.each(|folder, name| {
                found = true;
                if Instant::now() > until {
                    return Err(WipeError::Time);
                }
                match unlinkat(folder, name, AtFlags::empty()) {
                    Err(Errno::ISDIR) => {}
                    result => return Ok(result?),
                }
                if unlinkat(folder, name, AtFlags::REMOVEDIR).is_err() {
                    self.hollow_out(name, owners, &mut moved, until)?;
                    unlinkat(folder, name, AtFlags::REMOVEDIR)?;
                }
                Ok(())
            })?;
            if !found {
                return Ok(());
            }
        }
    }

    /// Empties the folder `name` in this one, by moving the folders in it that are not empty up into this one.
    fn hollow_out(
        &self,
        name: &std::ffi::CStr,
        owners: &[Owner],
        moved: &mut u64,
        until: Instant,
    ) -> Result<(), WipeError> {
        let owner = self.take_hold(self.fd.as_fd(), name, owners)?;
        let folder = act_as(owner, || Ok(openat(&self.fd, name, FOLDER, Mode::empty())?))?;
        each_entry(folder.as_fd(), |folder, inner| {
            if Instant::now() > until {
                return Err(WipeError::Time);
            }
            let removed = act_as(owner, || match unlinkat(folder, inner, AtFlags::empty()) {
                Err(Errno::ISDIR) => Ok(unlinkat(folder, inner, AtFlags::REMOVEDIR)),
                result => Ok(result),
            })?;
            match removed {
                Ok(()) => return Ok(()),
                Err(Errno::NOTEMPTY) => {}
                Err(error) => return Err(error.into()),
            }
            // To move a folder, one needs to write to it; the owner of the outer one may be another than its own.
            self.take_hold(folder, inner, owners)?;
            loop {
                *moved += 1;
                let up = format!(".moved-{moved}");
                let rename = || Ok(renameat_with(folder, inner, &self.fd, &*up, RenameFlags::NOREPLACE));
                match act_as(owner, rename)? {
                    Err(Errno::EXIST) => continue,
                    result => return Ok(result?),
                }
            }
        })
    }

    /// Makes the folder `name` in `outer` accessible to everybody, as its owner, and says who that is.
    fn take_hold(
        &self,
        outer: BorrowedFd<'_>,
        name: &std::ffi::CStr,
        owners: &[Owner],
    ) -> Result<Owner, WipeError> {
        let owner = statat(outer, name, AtFlags::SYMLINK_NOFOLLOW)?.st_uid;
        if !owners.contains(&owner) {
            return Err(WipeError::Stranger(owner));
        }
        // It follows links, but this is a folder and nobody is alive who could replace it.
        act_as(owner, || Ok(chmodat(outer, name, Mode::from_raw_mode(0o777), AtFlags::empty())?))?;
        Ok(owner)
    }

    fn each<E: From<io::Error>>(
        &self,
        visit: impl FnMut(BorrowedFd<'_>, &std::ffi::CStr) -> Result<(), E>,
    ) -> Result<(), E> {
        seek(&self.fd, SeekFrom::Start(0)).map_err(io::Error::from)?;
        each_entry(self.fd.as_fd(), visit)
    }
}

/// Why a folder could not be emptied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WipeError {
    #[error("it took too long")]
    Time,
    #[error("something in it belongs to user {0}")]
    Stranger(Owner),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Errno> for WipeError {
    fn from(error: Errno) -> Self {
        Self::Io(error.into())
    }
}

fn each_entry<E: From<io::Error>>(
    folder: BorrowedFd<'_>,
    mut visit: impl FnMut(BorrowedFd<'_>, &std::ffi::CStr) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut entries = RawDir::new(folder, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(io::Error::from)?;
        if ![c".", c".."].contains(&entry.file_name()) {
            visit(folder, entry.file_name())?;
        }
    }
    Ok(())
}

/// Whether `path` leads to something below the folder that it starts from, and names it in one way only.
pub(crate) fn is_plain(path: &[u8]) -> bool {
    path.len() < 1024
        && !path.contains(&0)
        && path.split(|&byte| byte == b'/').all(|part| !part.is_empty() && part != b"." && part != b"..")
}

/// Opens a file of the submission for writing, and the folders before it, as `owner`.
pub(crate) fn create(
    folder: BorrowedFd<'_>,
    path: &[u8],
    owner: Owner,
    append: bool,
    executable: bool,
) -> io::Result<OwnedFd> {
    if !is_plain(path) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a path below the folder"));
    }
    let how = if append { OFlags::APPEND } else { OFlags::CREATE | OFlags::EXCL };
    let mode = Mode::from_raw_mode(if executable { 0o755 } else { 0o644 });
    act_as(owner, || {
        let mut at = None::<OwnedFd>;
        let mut parts = path.split(|&byte| byte == b'/').peekable();
        loop {
            let here = at.as_ref().map_or(folder, |fd| fd.as_fd());
            let part = CString::new(parts.next().unwrap_or_default())?;
            if parts.peek().is_none() {
                let flags = how | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                return Ok(openat(here, &*part, flags, mode)?);
            }
            match mkdirat(here, &*part, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => at = Some(openat(here, &*part, FOLDER, Mode::empty())?),
                Err(error) => return Err(error.into()),
            }
        }
    })
}

/// The folder of inputs: readable for whoever the host made it for, root or the daemon's own user, and never for a
/// program.
pub(crate) struct Inputs {
    folder: Option<(OwnedFd, Owner)>,
}

impl Inputs {
    /// A container of another purpose may have no inputs; then none can be opened.
    pub(crate) fn open(path: &str) -> Self {
        let folder = || -> io::Result<(OwnedFd, Owner)> {
            // The path may lead through a link of the image; nothing of a program's is on it.
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = open(path, flags, Mode::empty())?;
            let owner = fstat(&fd)?.st_uid;
            Ok((fd, owner))
        };
        Self { folder: folder().ok() }
    }

    pub(crate) fn get(&self, name: &[u8]) -> io::Result<OwnedFd> {
        let Some((folder, owner)) = &self.folder else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no folder of inputs"));
        };
        if !is_plain(name) || name.contains(&b'/') {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not the name of an input"));
        }
        act_as(*owner, || {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(openat(folder, name, flags, Mode::empty())?)
        })
    }
}

/// Copies what is left of `from` to `to`.
pub(crate) fn copy(from: &OwnedFd, to: &OwnedFd) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    loop {
        match rustix::io::read(from, &mut buffer)? {
            0 => return Ok(()),
            n => write_all(to, &buffer[..n])?,
        }
    }
}

/// Writes all of `bytes`.
pub(crate) fn write_all(to: &OwnedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::write(to, bytes)?;
        bytes = &bytes[written..];
    }
    Ok(())
}

/// Removes a file of the submission that was placed there for one run.
pub(crate) fn remove(folder: BorrowedFd<'_>, name: &[u8], owner: Owner) -> io::Result<()> {
    act_as(owner, || Ok(unlinkat(folder, name, AtFlags::empty())?))
}

/// Says which place an error is about.
pub(crate) fn at<E: Display>(place: impl Display) -> impl FnOnce(E) -> String {
    move |error| format!("{place}: {error}")
}
