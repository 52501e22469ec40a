//! The files of a package, wherever they are: in a folder, in a zip, or made just now. Content is read when it is
//! asked for. Entries of a zip are read by their place in it; no name of a package ever becomes a path to write to.

mod archive;
mod folder;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::defect::{Defect, DefectKind, Place, WarningKind};
use crate::names::{self, Name, Root};
use crate::package::{Constants, FileRef};
use crate::yaml::Notes;

use archive::Archive;

/// The most files that a package may have.
pub const MAX_FILES: usize = 20_000;
/// The largest file of a package, unpacked.
pub const MAX_FILE_BYTES: u64 = 512 << 20;
/// The largest package, unpacked.
pub const MAX_TOTAL_BYTES: u64 = 2 << 30;

/// Bounds on a package, which a zip that declares too much passes before anything of it is unpacked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) files: usize,
    pub(crate) file_bytes: u64,
    pub(crate) total_bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { files: MAX_FILES, file_bytes: MAX_FILE_BYTES, total_bytes: MAX_TOTAL_BYTES }
    }
}

/// Why the content of a file could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such file.
    #[error("'{0}' is not in the package")]
    NotThere(String),
    /// It is not as long as it was, or as its zip declares.
    #[error("'{0}' is not as long as it was when the package was opened; open the package again")]
    Changed(String),
    /// Reading failed, or the zip is damaged.
    #[error("'{name}' cannot be read: {source}")]
    Io {
        /// The file.
        name: String,
        /// The cause.
        source: io::Error,
    },
}

/// The files of a package.
#[derive(Debug, Clone)]
pub struct Files {
    name: String,
    entries: BTreeMap<String, Entry>,
    folders: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Entry {
    size: u64,
    source: Source,
}

#[derive(Debug, Clone)]
enum Source {
    Disk(PathBuf),
    Zip(Archive, usize),
    Memory(Arc<[u8]>),
}

/// A file as a folder or zip lists it, before it is known to belong to the package.
struct Found {
    name: String,
    entry: Entry,
}

impl Files {
    /// Lists the files of a folder, a `.zip` or a `.kpp`.
    pub(crate) fn open(path: &Path, bounds: &Bounds, notes: &mut Notes) -> Option<Self> {
        let meta = match path.metadata() {
            Ok(meta) => meta,
            Err(error) => {
                notes.defect(place(path), DefectKind::Unreadable(error.to_string()));
                return None;
            }
        };
        if meta.is_dir() {
            let found = folder::list(path, bounds, notes)?;
            // A path such as `.` has no name of its own.
            let name = path.canonicalize().ok().as_deref().and_then(file_name).unwrap_or_default();
            return Some(Self::choose(name, found, notes));
        }
        if !meta.is_file() || !archive::looks_like_zip(path) {
            notes.defect(place(path), DefectKind::NotAPackage);
            return None;
        }
        match File::open(path) {
            Ok(file) => {
                let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
                Self::from_archive(stem.unwrap_or_default(), archive::Store::File(file), bounds, notes)
            }
            Err(error) => {
                notes.defect(place(path), DefectKind::Unreadable(error.to_string()));
                None
            }
        }
    }

    /// Lists the files of a zip in memory.
    pub(crate) fn open_bytes(name: &str, bytes: Vec<u8>, bounds: &Bounds, notes: &mut Notes) -> Option<Self> {
        Self::from_archive(name.to_owned(), archive::Store::Bytes(bytes), bounds, notes)
    }

    fn from_archive(name: String, store: archive::Store, bounds: &Bounds, notes: &mut Notes) -> Option<Self> {
        let mut found = archive::list(store, bounds, notes)?;
        let top = top_folder(&found);
        if let Some(top) = &top {
            found.retain_mut(|file| {
                match file.name.strip_prefix(top.as_str()).and_then(|n| n.strip_prefix('/')) {
                    Some(rest) => {
                        file.name = rest.to_owned();
                        true
                    }
                    None => false,
                }
            });
        }
        Some(Self::choose(top.unwrap_or(name), found, notes))
    }

    /// Keeps what belongs to a package.
    fn choose(name: String, found: Vec<Found>, notes: &mut Notes) -> Self {
        let mut files = Self { name, entries: BTreeMap::new(), folders: BTreeSet::new() };
        let mut unknown = BTreeSet::new();
        for Found { name, entry } in found {
            let kind = names::path(&name);
            if kind == Name::Auxiliary {
                continue;
            }
            match names::root(&name) {
                Root::Known => {}
                Root::UnknownFolder(folder) => {
                    unknown.insert(folder.to_owned());
                    continue;
                }
                Root::ForeignSettings => {
                    notes.warn(Place::file(&name), WarningKind::ForeignSettings);
                    continue;
                }
                Root::Beside => continue,
            }
            match kind {
                Name::Unusable => {
                    notes.warn(Place::file(&name), WarningKind::UnusableName);
                    continue;
                }
                Name::Odd => notes.warn(Place::file(&name), WarningKind::OddName),
                Name::Plain | Name::Auxiliary => {}
            }
            files.insert(name, entry);
        }
        for folder in unknown {
            notes.warn(Place::file(folder), WarningKind::UnknownFolder);
        }
        files
    }

    fn insert(&mut self, name: String, entry: Entry) {
        for (at, _) in name.match_indices('/') {
            self.folders.insert(name[..at].to_owned());
        }
        self.entries.insert(name, entry);
    }

    /// Adds a file that was made just now.
    pub(crate) fn add(&mut self, name: String, content: Vec<u8>) {
        let entry = Entry { size: content.len() as u64, source: Source::Memory(content.into()) };
        self.insert(name, entry);
    }

    /// The name of the folder or zip.
    pub(crate) fn package_name(&self) -> &str {
        &self.name
    }

    /// All files in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = FileRef> {
        self.entries.iter().map(|(name, entry)| FileRef { name: name.clone(), size: entry.size })
    }

    /// The files in a folder, at any depth, each with its path in that folder.
    pub(crate) fn under<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, FileRef)> {
        self.entries.range(format!("{folder}/")..).map_while(move |(name, entry)| {
            let rest = name.strip_prefix(folder)?.strip_prefix('/')?;
            Some((rest, FileRef { name: name.clone(), size: entry.size }))
        })
    }

    /// Whether a folder with this name has a file in it.
    pub(crate) fn has_folder(&self, name: &str) -> bool {
        self.folders.contains(name)
    }

    /// A file by its name.
    pub fn get(&self, name: &str) -> Option<FileRef> {
        self.entries.get(name).map(|entry| FileRef { name: name.to_owned(), size: entry.size })
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ReadError> {
        let size = self.entries.get(name).map_or(0, |entry| entry.size);
        let mut content = Vec::with_capacity(size as usize);
        self.copy(name, &mut content)?;
        Ok(content)
    }

    /// Reads a file and puts the constants into it, as the format wants it for statements, included files and example
    /// submissions.
    pub fn read_with(&self, name: &str, constants: &Constants) -> Result<Vec<u8>, ReadError> {
        Ok(constants.substitute(self.read(name)?))
    }

    /// Copies a file's content. It is an error if that is not as long as was said.
    pub fn copy(&self, name: &str, to: &mut dyn Write) -> Result<(), ReadError> {
        let entry = self.entries.get(name).ok_or_else(|| ReadError::NotThere(name.to_owned()))?;
        let io = |source| ReadError::Io { name: name.to_owned(), source };
        let copied = match &entry.source {
            Source::Memory(content) => to.write_all(content).map(|()| entry.size),
            Source::Disk(path) => {
                File::open(path).and_then(|file| io::copy(&mut file.take(entry.size + 1), to))
            }
            Source::Zip(archive, index) => archive.copy(*index, entry.size + 1, to),
        };
        if copied.map_err(io)? == entry.size { Ok(()) } else { Err(ReadError::Changed(name.to_owned())) }
    }

    /// The SHA-256 of a file's content in hexadecimal.
    pub fn hash(&self, name: &str) -> Result<String, ReadError> {
        let mut hasher = Sha256::new();
        self.copy(name, &mut hasher)?;
        Ok(HEXLOWER.encode(&hasher.finalize()))
    }

    /// Writes a file into a folder under the SHA-256 of its content, and says that name. A file that is there already
    /// is kept; one that appears is whole from the start.
    pub fn store(&self, name: &str, folder: &Path) -> Result<String, ReadError> {
        let io = |source| ReadError::Io { name: name.to_owned(), source };
        let hash = self.hash(name)?;
        let target = folder.join(&hash);
        if target.exists() {
            return Ok(hash);
        }
        // Two writers of one content use one temporary name only if they are one process and thread.
        let temporary =
            folder.join(format!("{hash}.{}.{:?}", std::process::id(), std::thread::current().id()));
        let mut file = File::create(&temporary).map_err(io)?;
        let written = self.copy(name, &mut file).and_then(|()| file.sync_all().map_err(io));
        let done = written.and_then(|()| std::fs::rename(&temporary, &target).map_err(io));
        if done.is_err() {
            // The error that is reported is the one that led here.
            let _ = std::fs::remove_file(&temporary);
        }
        done.map(|()| hash)
    }
}

/// The one folder in which a zip holds its package, if its root holds nothing else.
fn top_folder(found: &[Found]) -> Option<String> {
    let mut visible = found.iter().filter(|file| names::path(&file.name) != Name::Auxiliary);
    let top = visible.next()?.name.split_once('/')?.0;
    let one = visible.all(|file| file.name.split_once('/').is_some_and(|(first, _)| first == top));
    (one && !names_a_package_folder(found, top)).then(|| top.to_owned())
}

/// A zip with nothing but `data/…` has its files at the root, and no problem.yaml.
fn names_a_package_folder(found: &[Found], top: &str) -> bool {
    names::root(&format!("{top}/x")) == Root::Known
        && !found.iter().any(|file| file.name == format!("{top}/problem.yaml"))
}

fn file_name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

fn place(path: &Path) -> Place {
    Place::file(path.to_string_lossy())
}

/// Adds up what a package holds, and says when it is too much.
struct Meter<'a> {
    bounds: &'a Bounds,
    files: usize,
    total: u64,
}

impl<'a> Meter<'a> {
    fn new(bounds: &'a Bounds) -> Self {
        Self { bounds, files: 0, total: 0 }
    }

    fn add(&mut self, name: &str, size: u64) -> Result<(), Defect> {
        self.files += 1;
        self.total = self.total.saturating_add(size);
        let over = |at, what, bound| Err(Defect::new(at, DefectKind::TooLarge { what, bound }));
        if self.files > self.bounds.files {
            over(Place::package(), "the number of files", self.bounds.files.to_string())
        } else if size > self.bounds.file_bytes {
            over(Place::file(name), "its size", format!("{} bytes", self.bounds.file_bytes))
        } else if self.total > self.bounds.total_bytes {
            over(Place::package(), "the size of all files", format!("{} bytes", self.bounds.total_bytes))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
