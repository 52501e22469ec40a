//! Embeds the sample problem that `codementor try` uses, so that it needs no checkout.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or(io::ErrorKind::NotFound)?);
    let sample = root.join("../problems/library/hello").canonicalize()?;
    println!("cargo::rerun-if-changed={}", sample.display());
    let mut files = Vec::new();
    list(&sample, &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&sample).map_err(io::Error::other)?;
        // Writing to a String cannot fail.
        let _ = writeln!(table, "    ({:?}, include_bytes!({:?})),", name.to_string_lossy(), file);
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    fs::write(out.join("hello.rs"), table)
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}
