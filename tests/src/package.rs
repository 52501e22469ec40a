//! Problem packages that tests write for themselves.

use std::io::Write;
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::Home;

/// A package's files, by their names in it.
#[derive(Debug, Clone)]
pub struct Draft {
    slug: String,
    files: Vec<(String, Vec<u8>)>,
}

impl Draft {
    /// A package without tests, with a time limit in whole seconds, so that nothing has to be calibrated.
    #[must_use]
    pub fn new(slug: &str, time_limit: u32) -> Self {
        let yaml =
            format!("problem_format_version: legacy\nname: {slug}\nlimits:\n    memory: 64\n    output: 1\n");
        Self { slug: slug.into(), files: Vec::new() }
            .file("problem.yaml", yaml)
            .file(".timelimit", format!("{time_limit}\n"))
    }

    /// Adds a file, or replaces it.
    #[must_use]
    pub fn file(mut self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.files.retain(|(known, _)| known != name);
        self.files.push((name.into(), content.as_ref().to_vec()));
        self
    }

    /// Adds a case that students may see.
    #[must_use]
    pub fn sample(self, name: &str, input: &str, answer: &str) -> Self {
        self.file(&format!("data/sample/{name}.in"), input).file(&format!("data/sample/{name}.ans"), answer)
    }

    /// Adds a case that nobody may see.
    #[must_use]
    pub fn secret(self, name: &str, input: &str, answer: &str) -> Self {
        self.file(&format!("data/secret/{name}.in"), input).file(&format!("data/secret/{name}.ans"), answer)
    }

    /// Writes the package as a folder.
    pub fn folder(&self, home: &Home) -> String {
        let root = PathBuf::from("packages").join(&self.slug);
        // Of an earlier version nothing may be left; that there is none is the usual case.
        let _ = std::fs::remove_dir_all(home.work().join(&root));
        for (name, content) in &self.files {
            home.write(text(&root.join(name)), content);
        }
        text(&home.work().join(root)).to_owned()
    }

    /// Writes the package as a zip.
    pub fn zip(&self, home: &Home) -> String {
        let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, content) in &self.files {
            zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("the entry is begun");
            zip.write_all(content).expect("the entry is written");
        }
        let bytes = zip.finish().expect("the zip is finished").into_inner();
        let path = home.write(&format!("packages/{}.zip", self.slug), bytes);
        text(&path).to_owned()
    }

    /// Writes the package and installs it.
    pub fn install(&self, home: &Home) {
        home.run(&["problem", "push", &self.folder(home)]).expect_code(0);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is a text")
}
