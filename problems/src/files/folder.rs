//! The files of a folder. Symbolic links are followed as long as they stay inside it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Bounds, Entry, Found, Meter, Source};
use crate::defect::{Defect, DefectKind, Place, WarningKind};
use crate::names::{self, Name, Root};
use crate::yaml::Notes;

/// How deep folders may stand in one another.
const MAX_DEPTH: usize = 16;

/// Lists a folder. `None` if it cannot be listed at all; what is wrong in it is noted, and the rest listed.
pub(super) fn list(path: &Path, bounds: &Bounds, notes: &mut Notes) -> Option<Vec<Found>> {
    let root = match path.canonicalize() {
        Ok(root) => root,
        Err(error) => {
            notes.defect(super::place(path), DefectKind::Unreadable(error.to_string()));
            return None;
        }
    };
    let mut walk = Walk { root: root.clone(), meter: Meter::new(bounds), found: Vec::new(), notes };
    match walk.folder(&root, "", &mut vec![root.clone()]) {
        Ok(()) => Some(walk.found),
        Err(defect) => {
            notes.defects.push(defect);
            None
        }
    }
}

struct Walk<'a> {
    root: PathBuf,
    meter: Meter<'a>,
    found: Vec<Found>,
    notes: &'a mut Notes,
}

impl Walk<'_> {
    /// `above` holds the real paths of the folders that this one stands in, by which a circle of links is seen.
    fn folder(&mut self, path: &Path, name: &str, above: &mut Vec<PathBuf>) -> Result<(), Defect> {
        if above.len() > MAX_DEPTH {
            let (what, bound) = ("the depth of its folders", MAX_DEPTH.to_string());
            return Err(Defect::new(Place::file(name), DefectKind::TooLarge { what, bound }));
        }
        let unreadable =
            |error: std::io::Error| Defect::new(Place::file(name), DefectKind::Unreadable(error.to_string()));
        for entry in fs::read_dir(path).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let part = entry.file_name().to_string_lossy().into_owned();
            let inner = if name.is_empty() { part } else { format!("{name}/{part}") };
            // A version control folder may hold anything, and none of it concerns the package.
            if names::path(&inner) != Name::Auxiliary {
                self.entry(&entry.path(), inner, above)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, name: String, above: &mut Vec<PathBuf>) -> Result<(), Defect> {
        let link = fs::read_link(path).ok();
        let broken = |target: &Path| DefectKind::BrokenLink(target.to_string_lossy().into_owned());
        let real = match (path.canonicalize(), &link) {
            (Ok(real), _) => real,
            (Err(_), Some(target)) => {
                self.notes.defect(Place::file(name), broken(target));
                return Ok(());
            }
            (Err(error), None) => {
                return Err(Defect::new(Place::file(name), DefectKind::Unreadable(error.to_string())));
            }
        };
        if !real.starts_with(&self.root) {
            let target = link.unwrap_or(real);
            self.notes
                .defect(Place::file(name), DefectKind::LeadsOutside(format!(" to '{}'", target.display())));
            return Ok(());
        }
        let meta = fs::metadata(&real)
            .map_err(|error| Defect::new(Place::file(&name), DefectKind::Unreadable(error.to_string())))?;
        if meta.is_dir() {
            if let Root::UnknownFolder(folder) = names::root(&format!("{name}/")) {
                // It may be as large as a build folder; nothing in it is wanted.
                self.notes.warn(Place::file(folder), WarningKind::UnknownFolder);
                return Ok(());
            }
            if above.contains(&real) {
                self.notes.defect(Place::file(name), broken(&link.unwrap_or(real)));
                return Ok(());
            }
            above.push(real.clone());
            let done = self.folder(&real, &name, above);
            above.pop();
            done
        } else if meta.is_file() {
            self.meter.add(&name, meta.len())?;
            self.found.push(Found { name, entry: Entry { size: meta.len(), source: Source::Disk(real) } });
            Ok(())
        } else {
            self.notes.defect(Place::file(name), DefectKind::SpecialFile);
            Ok(())
        }
    }
}
