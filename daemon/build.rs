//! Gives the daemon an id of its build, so that a command can tell a running daemon of another build from its own.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sha2::{Digest, Sha256};

fn main() -> io::Result<()> {
    let mut hash = Sha256::new();
    // Not as of when this was compiled: a folder of builds may move together with its sources.
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    for folder in ["../daemon", "../runners", "../problems/src", "../Cargo.lock"] {
        println!("cargo:rerun-if-changed={folder}");
        add(&here.join(folder), &mut hash)?;
    }
    let digest = hash.finalize();
    let id: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=CODEMENTOR_BUILD={}-{id}", env!("CARGO_PKG_VERSION"));
    Ok(())
}

/// Adds a file, or all files below a folder in the order of their names.
fn add(path: &Path, hash: &mut Sha256) -> io::Result<()> {
    if path.is_dir() {
        let mut entries =
            fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        entries.iter().try_for_each(|entry| add(entry, hash))
    } else {
        hash.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        hash.update(fs::read(path)?);
        Ok(())
    }
}
