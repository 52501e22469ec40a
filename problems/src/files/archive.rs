//! The files of a zip, which comes from a stranger: names are checked before anything else, sizes are bounded before
//! anything is unpacked, and what an entry holds beyond its declared size is never unpacked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use zip::ZipArchive;

use super::{Bounds, Entry, Found, Meter, Source};
use crate::defect::{DefectKind, Place};
use crate::yaml::Notes;

/// The longest target of a symbolic link.
const MAX_TARGET_BYTES: u64 = 4096;

/// How many links may lead to one another.
const MAX_LINKS: usize = 8;

/// Where a zip is.
#[derive(Debug)]
pub(super) enum Store {
    File(File),
    Bytes(Vec<u8>),
}

/// A zip that any number of readers use at once, each with a place of its own.
#[derive(Debug, Clone)]
pub(super) struct Archive(ZipArchive<Cursor>);

impl Archive {
    /// Copies an entry, but no more than `most` bytes.
    pub(super) fn copy(&self, index: usize, most: u64, to: &mut dyn Write) -> io::Result<u64> {
        let mut archive = self.0.clone();
        let entry = archive.by_index(index).map_err(io::Error::other)?;
        io::copy(&mut entry.take(most), to)
    }
}

/// Whether a file begins as a zip does, whatever it is called.
pub(super) fn looks_like_zip(path: &Path) -> bool {
    let mut start = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok()
        && (start == *b"PK\x03\x04" || start == *b"PK\x05\x06")
}

/// Lists a zip. `None` if nothing of it may be used.
pub(super) fn list(store: Store, bounds: &Bounds, notes: &mut Notes) -> Option<Vec<Found>> {
    let before = notes.defects.len();
    let mut zip = match ZipArchive::new(Cursor { store: Arc::new(store), at: 0 }) {
        Ok(zip) => zip,
        Err(error) => {
            notes.defect(Place::package(), DefectKind::BrokenZip(error.to_string()));
            return None;
        }
    };
    if zip.has_duplicate_names() {
        notes.defect(Place::package(), DefectKind::BrokenZip("a name stands in it more than once".into()));
    }
    let archive = Archive(zip.clone());
    let mut meter = Meter::new(bounds);
    let mut files = BTreeMap::new();
    let mut links = BTreeMap::new();
    for index in 0..zip.len() {
        let entry = match zip.by_index_raw(index) {
            Ok(entry) => entry,
            Err(error) => {
                notes.defect(Place::package(), DefectKind::BrokenZip(error.to_string()));
                return None;
            }
        };
        let raw = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let Some(name) = clean(&raw) else {
            notes.defect(Place::file(raw), DefectKind::LeadsOutside(String::new()));
            continue;
        };
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        if kind == 0o040_000 || raw.ends_with(['/', '\\']) || name.is_empty() {
            continue;
        }
        if let Err(defect) = meter.add(&name, entry.size()) {
            // One more entry is one too many, so that the list ends here.
            notes.defects.push(defect);
            return None;
        }
        if files.contains_key(&name) || links.contains_key(&name) {
            notes.defect(Place::file(name), DefectKind::DuplicateEntry);
            continue;
        }
        let (size, encrypted, method) = (entry.size(), entry.encrypted(), entry.compression());
        drop(entry);
        if encrypted {
            notes.defect(Place::file(name), DefectKind::UnreadableEntry("it is encrypted".into()));
        } else if !matches!(method, zip::CompressionMethod::Stored | zip::CompressionMethod::Deflated) {
            notes.defect(
                Place::file(name),
                DefectKind::UnreadableEntry(format!("its compression is {method}")),
            );
        } else if kind == 0o120_000 {
            let mut target = Vec::new();
            match archive.copy(index, MAX_TARGET_BYTES, &mut target) {
                Ok(_) => {
                    links.insert(name, String::from_utf8_lossy(&target).into_owned());
                }
                Err(error) => notes.defect(Place::file(name), DefectKind::BrokenZip(error.to_string())),
            }
        } else if kind == 0 || kind == 0o100_000 {
            files.insert(name, Entry { size, source: Source::Zip(archive.clone(), index) });
        } else {
            notes.defect(Place::file(name), DefectKind::SpecialFile);
        }
    }
    for name in files.keys() {
        if name.match_indices('/').any(|(at, _)| files.contains_key(&name[..at])) {
            let message = "a folder and a file have one name".to_owned();
            notes.defect(Place::file(name), DefectKind::BrokenZip(message));
        }
    }
    let linked = follow(&files, &links, &mut meter, notes);
    if notes.defects.len() > before {
        return None;
    }
    files.extend(linked);
    Some(files.into_iter().map(|(name, entry)| Found { name, entry }).collect())
}

/// What the links lead to, under the names of the links.
fn follow(
    files: &BTreeMap<String, Entry>,
    links: &BTreeMap<String, String>,
    meter: &mut Meter<'_>,
    notes: &mut Notes,
) -> Vec<(String, Entry)> {
    let mut linked = Vec::new();
    for (name, first) in links {
        let (mut from, mut target) = (name.clone(), first);
        let mut end = None;
        for _ in 0..MAX_LINKS {
            let Some(path) = join(&from, target) else {
                notes.defect(Place::file(name), DefectKind::LeadsOutside(format!(" to '{target}'")));
                break;
            };
            match links.get(&path) {
                Some(next) => (from, target) = (path, next),
                None => {
                    end = Some(path);
                    break;
                }
            }
        }
        let Some(end) = end else {
            if !notes.defects.iter().any(|defect| defect.at.file == *name) {
                notes.defect(Place::file(name), DefectKind::BrokenLink(first.clone()));
            }
            continue;
        };
        let inside = format!("{end}/");
        let targets: Vec<_> = match files.get(&end) {
            Some(entry) => vec![(name.clone(), entry.clone())],
            None => files
                .range(inside.clone()..)
                .map_while(|(path, entry)| {
                    Some((format!("{name}/{}", path.strip_prefix(&inside)?), entry.clone()))
                })
                .collect(),
        };
        if targets.is_empty() {
            notes.defect(Place::file(name), DefectKind::BrokenLink(first.clone()));
        }
        for (name, entry) in targets {
            if let Err(defect) = meter.add(&name, entry.size) {
                notes.defects.push(defect);
                return Vec::new();
            }
            linked.push((name, entry));
        }
    }
    linked
}

/// The path that a link's target names, if it stays inside.
fn join(link: &str, target: &str) -> Option<String> {
    if is_absolute(target) {
        return None;
    }
    let mut parts: Vec<_> = link.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The name of an entry with single slashes, if it stays inside. Some packers write `\` between folders.
fn clean(raw: &str) -> Option<String> {
    let name = raw.replace('\\', "/");
    if is_absolute(&name) || name.split('/').any(|part| part == "..") {
        return None;
    }
    Some(name.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/"))
}

fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    path.starts_with('/') || (bytes.len() >= 2 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':')
}

/// A place in a zip. Clones share the zip and nothing else.
#[derive(Debug, Clone)]
struct Cursor {
    store: Arc<Store>,
    at: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &*self.store {
            Store::File(file) => file.read_at(buffer, self.at)?,
            Store::Bytes(bytes) => {
                let start = usize::try_from(self.at).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[start..]).read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = match &*self.store {
            Store::File(file) => file.metadata()?.len(),
            Store::Bytes(bytes) => bytes.len() as u64,
        };
        let place = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => length.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned_or_refused() {
        assert_eq!(clean("a//b/./c").as_deref(), Some("a/b/c"));
        assert_eq!(clean("a\\b").as_deref(), Some("a/b"));
        for outside in
            ["../a", "a/../../b", "a/..", "/etc/passwd", "\\a", "..\\a", "a\\..\\b", "C:\\a", "c:a"]
        {
            assert_eq!(clean(outside), None, "{outside}");
        }
    }

    #[test]
    fn links_are_joined_or_refused() {
        assert_eq!(join("data/secret/2.in", "../sample/1.in").as_deref(), Some("data/sample/1.in"));
        assert_eq!(join("a", "./b").as_deref(), Some("b"));
        for outside in ["../../../x", "/etc/passwd", "..//../../x"] {
            assert_eq!(join("data/secret/2.in", outside), None, "{outside}");
        }
    }
}
