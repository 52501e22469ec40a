//! What a language is: its files, how a program in it is compiled and run, and how its failures read.
//!
//! A language is a folder with a Dockerfile and a `language.toml`; nothing in Rust knows one by name. The folders
//! of this repository are embedded; a further directory can add languages or replace embedded ones.

mod entry;
mod registry;

use std::collections::BTreeMap;

use codementor_protocol::{Exit, LanguageId, SourceFile};
use serde::Deserialize;

pub use entry::{Entry, EntryError};
pub use registry::{DetectError, Languages, LoadError};

use entry::EntryRules;

/// One language, as its folder describes it.
#[derive(Debug, Clone)]
pub struct Language {
    id: LanguageId,
    recipe: Recipe,
    folder: Vec<FolderFile>,
}

/// One file of a language's folder: the context that its image is built from.
#[derive(Debug, Clone)]
pub struct FolderFile {
    /// The path inside the folder.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The parts of a program that are known before it is compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it starts.
    pub entry: Entry,
    /// How many source files it has, the package's own included.
    pub sources: usize,
    /// The commands that build it, in order; the first that fails ends it.
    pub compile: Vec<Vec<String>>,
    /// The command that runs it.
    pub run: Vec<String>,
    /// The whole environment of all of these commands.
    pub environment: Vec<(String, String)>,
}

/// Limits that come from a language and not from a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageLimits {
    /// CPU time of the compiler, in milliseconds.
    pub compile_time_ms: u64,
    /// Memory of the compiler, in MiB.
    pub compile_memory_mib: u64,
    /// How many processes and threads one program may have at a time, those of its runtime included.
    pub pids: u32,
}

impl Default for LanguageLimits {
    fn default() -> Self {
        Self { compile_time_ms: 60_000, compile_memory_mib: 2048, pids: 64 }
    }
}

/// In which shape a compiler reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DiagnosticFormat {
    /// `file:line:column: error: …`, as GCC and Clang write it.
    Gcc,
    /// `file:line: error: …`, then the line, then a caret.
    Javac,
    /// One JSON object a line.
    Rustc,
    /// `file:line:column: …`.
    Go,
    /// The end of a Python traceback.
    Python,
    /// `file:line`, then the line, then carets, then the error.
    Node,
}

/// A sign that a program ended because its runtime could get no more memory. All that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Exhaustion {
    stderr: Option<String>,
    code: Option<i32>,
    signal: Option<i32>,
}

/// How much of a program's memory its runtime's heap may take.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Heap {
    /// What the runtime needs for itself.
    reserve_mib: u64,
    /// The share of the rest that becomes heap.
    percent: u64,
    /// Never less than this, or the runtime does not start.
    min_mib: u64,
}

/// `language.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    name: String,
    version: String,
    #[serde(default)]
    aliases: Vec<String>,
    extensions: Vec<String>,
    #[serde(default)]
    companions: Vec<String>,
    diagnostics: DiagnosticFormat,
    #[serde(default)]
    check_only: bool,
    compile: Vec<Vec<String>>,
    run: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    limits: LanguageLimits,
    #[serde(default)]
    heap: Option<Heap>,
    #[serde(default)]
    memory_exhausted: Vec<Exhaustion>,
    entry: EntryRules,
}

impl Language {
    /// The id, such as `cpp`.
    pub fn id(&self) -> &LanguageId {
        &self.id
    }

    /// The name for people, such as `C++`.
    pub fn name(&self) -> &str {
        &self.recipe.name
    }

    /// The compiler or runtime and the standard, such as `GCC 14, C++23`.
    pub fn version(&self) -> &str {
        &self.recipe.version
    }

    /// The extensions, without dots, that a file of this language can have; the first is the usual one.
    pub fn extensions(&self) -> &[String] {
        &self.recipe.extensions
    }

    /// Other names that people call it by.
    pub fn aliases(&self) -> &[String] {
        &self.recipe.aliases
    }

    /// In which shape its compiler reports.
    pub fn diagnostics(&self) -> DiagnosticFormat {
        self.recipe.diagnostics
    }

    /// Whether the compile step only looks for syntax errors and leaves nothing behind. Of a program that is one file
    /// it must find no more than the runtime itself finds, and tells on standard error, before it begins to run.
    pub fn check_only(&self) -> bool {
        self.recipe.check_only
    }

    /// The limits that come from the language.
    pub fn limits(&self) -> LanguageLimits {
        self.recipe.limits
    }

    /// What its image is built from: the Dockerfile and the files beside it.
    pub fn folder(&self) -> &[FolderFile] {
        &self.folder
    }

    /// Whether a file of this name is a source file of this language.
    pub fn is_source(&self, name: &str) -> bool {
        has_extension(name, &self.recipe.extensions)
    }

    /// Whether a file of this name may accompany its source files, as a header does.
    pub fn is_companion(&self, name: &str) -> bool {
        has_extension(name, &self.recipe.companions)
    }

    /// Decides how a program is compiled and run.
    ///
    /// `submitted` are the student's files and `included` the package's own, which replace files of the same name
    /// and can carry the driver. `entry` is the file to start from where the student names one. `memory_mib` is
    /// what one run may use.
    pub fn program(
        &self,
        submitted: &[SourceFile],
        included: &[SourceFile],
        entry: Option<&str>,
        memory_mib: u64,
    ) -> Result<Program, EntryError> {
        let entry = self.recipe.entry.find(self, submitted, included, entry)?;
        let mut names: Vec<&str> = Vec::new();
        let kept = submitted.iter().filter(|file| !included.iter().any(|other| other.name == file.name));
        for file in kept.chain(included) {
            if self.is_source(&file.name) {
                names.push(&file.name);
            }
        }
        let fill = |argv: &[String]| self.fill(argv, &names, &entry, memory_mib);
        Ok(Program {
            compile: self.recipe.compile.iter().map(|argv| fill(argv)).collect(),
            run: fill(&self.recipe.run),
            sources: names.len(),
            environment: self.environment(&entry, memory_mib),
            entry,
        })
    }

    /// Whether a program that failed in this way had used up the memory that its runtime could get: a managed
    /// runtime ends long before the kernel would end it.
    pub fn memory_exhausted(&self, exit: Exit, stderr: &[u8]) -> bool {
        if exit == Exit::Code(0) {
            return false;
        }
        self.recipe.memory_exhausted.iter().any(|sign| {
            sign.code.is_none_or(|code| exit == Exit::Code(code))
                && sign.signal.is_none_or(|signal| exit == Exit::Signal(signal))
                && sign.stderr.as_ref().is_none_or(|text| contains(stderr, text.as_bytes()))
        })
    }

    /// How much memory a program holds at least when its runtime's heap is full, in KiB; zero for a runtime that has none.
    pub(crate) fn full_heap_kib(&self, memory_mib: u64) -> u64 {
        if self.recipe.heap.is_some() { self.heap_mib(memory_mib) * 1024 / 100 * 95 } else { 0 }
    }

    fn heap_mib(&self, memory_mib: u64) -> u64 {
        match self.recipe.heap {
            Some(heap) => {
                (memory_mib.saturating_sub(heap.reserve_mib) * heap.percent / 100).max(heap.min_mib)
            }
            None => memory_mib,
        }
    }

    fn environment(&self, entry: &Entry, memory_mib: u64) -> Vec<(String, String)> {
        let variables = self.recipe.environment.iter();
        variables.map(|(name, value)| (name.clone(), self.substitute(value, entry, memory_mib))).collect()
    }

    fn fill(&self, argv: &[String], names: &[&str], entry: &Entry, memory_mib: u64) -> Vec<String> {
        let mut filled = Vec::with_capacity(argv.len() + names.len());
        for argument in argv {
            if argument == "{files}" {
                filled.extend(names.iter().map(|name| as_argument(name)));
            } else {
                filled.push(self.substitute(argument, entry, memory_mib));
            }
        }
        filled
    }

    fn substitute(&self, template: &str, entry: &Entry, memory_mib: u64) -> String {
        let mut text = template.to_owned();
        for (placeholder, value) in [
            ("{entry}", as_argument(&entry.file)),
            ("{entry_stem}", stem(&entry.file).to_owned()),
            ("{entry_class}", entry.class.clone().unwrap_or_default()),
            ("{memory_mib}", memory_mib.to_string()),
            ("{heap_mib}", self.heap_mib(memory_mib).to_string()),
        ] {
            text = text.replace(placeholder, &value);
        }
        text
    }
}

/// A file name as a command's argument: compilers take a leading dash for an option and a leading `@` for a file
/// that holds options.
fn as_argument(name: &str) -> String {
    if name.starts_with(['-', '@']) { format!("./{name}") } else { name.to_owned() }
}

/// A file name without its last extension.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

fn has_extension(name: &str, extensions: &[String]) -> bool {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => {
            extensions.iter().any(|known| known.eq_ignore_ascii_case(extension))
        }
        _ => false,
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && haystack.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests;
