//! Which files of the cache go when it is too large.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Such a part of the bound is free after tidying up, so that it is not done for each package again.
const FREE: u64 = 10;

/// A package and its files.
pub(super) struct Owner<Id> {
    pub(super) id: Id,
    pub(super) files: Vec<PathBuf>,
    /// The larger, the later it was used.
    pub(super) used: u64,
    /// Whether a job needs its files.
    pub(super) in_use: bool,
}

/// Removes files from the folders where these hold more than `bound`: first those that have no owner, the oldest first,
/// then those of the owners that were used the longest ago. What an owner in use needs stays, even where that is too
/// much. Returns the owners that have lost files.
pub(super) fn make_room<Id: Clone>(
    folders: &[PathBuf],
    bound: u64,
    mut owners: Vec<Owner<Id>>,
) -> io::Result<Vec<Id>> {
    let mut sizes: HashMap<PathBuf, (u64, SystemTime)> = HashMap::new();
    for folder in folders {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            sizes.insert(entry.path(), (metadata.len(), metadata.modified()?));
        }
    }
    let mut total: u64 = sizes.values().map(|(size, _)| size).sum();
    if total <= bound {
        return Ok(Vec::new());
    }
    let enough = bound - bound / FREE;
    let owned: HashSet<&Path> = owners.iter().flat_map(|owner| &owner.files).map(PathBuf::as_path).collect();
    let mut nobodys: Vec<_> = sizes
        .iter()
        .filter(|(path, _)| !owned.contains(path.as_path()))
        .map(|(path, at)| (at.1, path.clone()))
        .collect();
    nobodys.sort();
    for (_, path) in nobodys {
        if total <= enough {
            break;
        }
        total -= remove(&path, &mut sizes)?;
    }
    owners.sort_by_key(|owner| (owner.in_use, owner.used));
    let mut removed = Vec::new();
    for at in 0..owners.len() {
        let owner = &owners[at];
        // Those in use come last.
        if total <= enough || owner.in_use {
            break;
        }
        let shared: HashSet<&PathBuf> = owners[at + 1..].iter().flat_map(|later| &later.files).collect();
        for path in owner.files.iter().filter(|path| !shared.contains(path)) {
            total -= remove(path, &mut sizes)?;
        }
        removed.push(owner.id.clone());
    }
    tracing::info!(packages = removed.len(), bytes = total, "tidied up the cache of packages");
    Ok(removed)
}

/// Removes a file, and returns how large it was. A file that two cases of a package share is there once.
fn remove(path: &Path, sizes: &mut HashMap<PathBuf, (u64, SystemTime)>) -> io::Result<u64> {
    let Some((size, _)) = sizes.remove(path) else { return Ok(0) };
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Cache(tempfile::TempDir);

    impl Cache {
        fn new(files: &[&str]) -> Self {
            let dir = tempfile::tempdir().expect("a temporary directory");
            for name in files {
                std::fs::write(dir.path().join(name), [0; 100]).expect("is written");
            }
            Self(dir)
        }

        fn owner(&self, id: char, used: u64, in_use: bool, files: &[&str]) -> Owner<char> {
            Owner { id, files: files.iter().map(|name| self.0.path().join(name)).collect(), used, in_use }
        }

        fn trim(&self, bound: u64, owners: Vec<Owner<char>>) -> (Vec<char>, Vec<String>) {
            let removed = make_room(&[self.0.path().to_owned()], bound, owners).expect("is tidied up");
            let entries = std::fs::read_dir(self.0.path()).expect("is listed");
            let mut left: Vec<String> = entries
                .map(|entry| entry.expect("is there").file_name().to_string_lossy().into_owned())
                .collect();
            left.sort();
            (removed, left)
        }
    }

    #[test]
    fn what_was_used_the_longest_ago_goes_first_and_never_what_is_in_use() {
        let files = ["a1", "a2", "b1", "c1", "shared"];
        let cache = Cache::new(&[&files[..], &["nobodys"]].concat());
        let owners = || {
            vec![
                cache.owner('a', 1, true, &["a1", "a2", "shared"]),
                cache.owner('b', 2, false, &["b1", "b1", "shared"]),
                cache.owner('c', 3, false, &["c1"]),
            ]
        };
        assert_eq!(cache.trim(600, owners()).0, [' '; 0], "there is room");
        assert_eq!(cache.trim(560, owners()), (vec![], files.map(str::to_owned).to_vec()));
        assert_eq!(
            cache.trim(490, owners()),
            (vec!['b'], ["a1", "a2", "c1", "shared"].map(str::to_owned).to_vec())
        );
        let owners = || vec![owners().remove(0), owners().remove(2)];
        let left = ["a1", "a2", "shared"].map(str::to_owned).to_vec();
        assert_eq!(cache.trim(1, owners()), (vec!['c'], left), "what is in use stays");
    }
}
