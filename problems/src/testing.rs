//! Small packages for tests: a sound one of each version, to be changed in one place.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The files of a package by name.
#[derive(Clone)]
pub(crate) struct Sketch(pub(crate) BTreeMap<String, Vec<u8>>);

impl Sketch {
    /// A legacy package that gives no warning.
    pub(crate) fn legacy() -> Self {
        Self(BTreeMap::new())
            .with("problem.yaml", "name: Sum\n")
            .with("problem_statement/problem.en.tex", "\\problemname{Sum}\n")
            .with("input_validators/check.py", "")
            .with("submissions/accepted/sum.py", "print(sum(map(int, input().split())))\n")
            .with("data/sample/1.in", "1 2\n")
            .with("data/sample/1.ans", "3\n")
            .with("data/secret/1.in", "3 4\n")
            .with("data/secret/1.ans", "7\n")
    }

    /// A 2025-09 package that gives no warning.
    pub(crate) fn current() -> Self {
        let yaml = "problem_format_version: 2025-09\nname: Sum\nuuid: 6a7a7a2e-0000-4000-8000-000000000000\n";
        Self::legacy()
            .with("problem.yaml", yaml)
            .without("problem_statement/problem.en.tex")
            .with("statement/problem.en.md", "Add two numbers.\n")
    }

    pub(crate) fn with(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.0.insert(name.to_owned(), content.as_ref().to_vec());
        self
    }

    /// Appends lines to problem.yaml.
    pub(crate) fn yaml(self, lines: &str) -> Self {
        let yaml = [self.0["problem.yaml"].as_slice(), lines.as_bytes(), b"\n"].concat();
        self.with("problem.yaml", yaml)
    }

    /// Leaves out a file, or a folder with all that is in it.
    pub(crate) fn without(mut self, name: &str) -> Self {
        let folder = format!("{name}/");
        self.0.retain(|file, _| file != name && !file.starts_with(&folder));
        self
    }

    /// Writes the package into a folder called `sum`.
    pub(crate) fn folder(&self) -> (TempDir, PathBuf) {
        self.folder_called("sum")
    }

    pub(crate) fn folder_called(&self, called: &str) -> (TempDir, PathBuf) {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join(called);
        for (name, content) in &self.0 {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        (temporary, root)
    }

    /// The package as a zip whose names begin with `prefix`.
    pub(crate) fn zip(&self, prefix: &str) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in &self.0 {
            writer.start_file(format!("{prefix}{name}"), SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }
}
