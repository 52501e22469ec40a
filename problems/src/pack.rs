//! Packing: from a folder or zip as its author left it to one zip that judges use, named by its content.
//!
//! The zip holds what belongs to the format and nothing else, generated cases included, in the order of its names,
//! with fixed times and modes. The hash is made of names and contents, so that it does not depend on how the zip was
//! written; a packed zip that is packed again has the same hash.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Cursor, Write};
use std::path::Path;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::defect::{Defect, DefectKind, Place, Warning};
use crate::files::{Bounds, Files, MAX_FILE_BYTES, MAX_TOTAL_BYTES, ReadError};
use crate::package::{NamedFile, Package};
use crate::read;
use crate::yaml::Notes;

/// What the hash begins with, so that another way to hash could never be taken for this one.
const HASH_DOMAIN: &[u8] = b"codementor package 1\n";

/// A package in the form in which it is stored, sent and judged.
#[derive(Debug, Clone)]
pub struct Packed {
    /// The SHA-256 of its content in hexadecimal.
    pub hash: String,
    /// The zip.
    pub bytes: Vec<u8>,
    /// The problem.
    pub package: Package,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}

/// Why a package was not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It cannot be judged.
    #[error("{}", lines(.0))]
    Defects(Vec<Defect>),
    /// A program that makes a case failed.
    #[error("case '{case}' was not generated: {program}: {source}")]
    Generate {
        /// The case.
        case: String,
        /// The program.
        program: String,
        /// What happened.
        source: GenerateError,
    },
    /// A file could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The zip could not be written.
    #[error("the zip could not be written: {0}")]
    Write(String),
}

/// Why a program that makes a case gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum GenerateError {
    /// The program is at fault: it does not compile, crashed, or took too long. The text is for its author.
    #[error("{0}")]
    Program(String),
    /// We are: it could not be run.
    #[error("it could not be run: {0}")]
    Fault(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Runs the programs that make cases. Packages come from strangers, so that whoever implements this runs them in a
/// sandbox.
pub trait Generate {
    /// Runs a program to its end and returns what it printed.
    fn run(&mut self, program: &Program, args: &[String], stdin: &[u8]) -> Result<Vec<u8>, GenerateError>;
}

/// A program of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The file or folder in the package, such as `generators/numbers.py`.
    pub name: String,
    /// Its source files.
    pub files: Vec<ProgramFile>,
    /// For solutions: the files that are put over it, by language or `default`.
    pub include: BTreeMap<String, Vec<ProgramFile>>,
}

/// A source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramFile {
    /// The path in the folder to compile in.
    pub path: String,
    /// The content.
    pub content: Vec<u8>,
}

impl Program {
    /// The files to compile in a language: its own, with the included ones over them.
    pub fn files_in(&self, language: &str) -> Vec<&ProgramFile> {
        let include = self.include.get(language).or_else(|| self.include.get("default"));
        let include = include.map_or(&[][..], Vec::as_slice);
        let kept = self.files.iter().filter(|file| include.iter().all(|over| over.path != file.path));
        kept.chain(include).collect()
    }
}

/// Packs a folder, a `.zip` or a `.kpp`, and makes the cases that are to be generated.
pub fn pack(source: &Path, generate: &mut dyn Generate) -> Result<Packed, PackError> {
    let mut notes = Notes::default();
    let files = Files::open(source, &Bounds::default(), &mut notes);
    let about_files = notes.warnings.clone();
    let mut opened = read::finish(files, notes).map_err(PackError::Defects)?;
    if !opened.package.generate.is_empty() {
        make_cases(&opened.package, &mut opened.files, generate)?;
        let notes = Notes { defects: Vec::new(), warnings: about_files };
        opened = read::finish(Some(opened.files), notes).map_err(PackError::Defects)?;
    }
    let (hash, bytes) = write(&opened.files)?;
    Ok(Packed { hash, bytes, package: opened.package, warnings: opened.warnings })
}

/// The hash of a package as its author left it: the same as long as packing it would read the same. It is that of
/// the packed one only if no case is generated.
pub fn source_hash(source: &Path) -> Result<String, PackError> {
    let mut notes = Notes::default();
    match Files::open(source, &Bounds::default(), &mut notes) {
        Some(files) if notes.defects.is_empty() => Ok(files.content_hash()?),
        _ => Err(PackError::Defects(notes.defects)),
    }
}

impl Files {
    /// The SHA-256 of all names and contents in hexadecimal.
    pub fn content_hash(&self) -> Result<String, ReadError> {
        let mut hash = ContentHash::new();
        for file in self.iter() {
            let mut content = Sha256::new();
            self.copy(&file.name, &mut content)?;
            hash.add(&file.name, content);
        }
        Ok(hash.finish())
    }

    /// A program of the package, with the constants put in where the format wants it.
    fn program(&self, name: &str, package: &Package, solution: bool) -> Result<Program, ReadError> {
        let read = |file: &NamedFile| {
            let content = self.read(&file.file.name)?;
            let content = if solution { package.constants.substitute(content) } else { content };
            Ok(ProgramFile { path: file.path.clone(), content })
        };
        let files = match self.get(name) {
            Some(file) => {
                let path = name.rsplit('/').next().unwrap_or(name).to_owned();
                vec![NamedFile { path, file }]
            }
            None => self.under(name).map(|(path, file)| NamedFile { path: path.to_owned(), file }).collect(),
        };
        let mut include = BTreeMap::new();
        if solution {
            for (language, files) in &package.include {
                include.insert(language.clone(), files.iter().map(read).collect::<Result<_, ReadError>>()?);
            }
        }
        let files = files.iter().map(read).collect::<Result<_, ReadError>>()?;
        Ok(Program { name: name.to_owned(), files, include })
    }
}

fn make_cases(package: &Package, files: &mut Files, generate: &mut dyn Generate) -> Result<(), PackError> {
    for recipe in &package.generate {
        let mut run = |program: Program, args: &[String], stdin: &[u8]| {
            generate.run(&program, args, stdin).map_err(|source| PackError::Generate {
                case: recipe.case.clone(),
                program: program.name.clone(),
                source,
            })
        };
        let input = run(files.program(&recipe.generator, package, false)?, &recipe.args, b"")?;
        let answer = run(files.program(&recipe.solution, package, true)?, &[], &input)?;
        for (extension, content) in [("in", input), ("ans", answer)] {
            let name = format!("data/{}.{extension}", recipe.case);
            if content.len() as u64 > MAX_FILE_BYTES {
                return Err(too_large(Place::file(name), "its size", MAX_FILE_BYTES));
            }
            files.add(name, content);
        }
        if files.iter().map(|file| file.size).sum::<u64>() > MAX_TOTAL_BYTES {
            return Err(too_large(Place::package(), "the size of all files", MAX_TOTAL_BYTES));
        }
    }
    Ok(())
}

fn too_large(at: Place, what: &'static str, bound: u64) -> PackError {
    let bound = format!("{bound} bytes");
    PackError::Defects(vec![Defect::new(at, DefectKind::TooLarge { what, bound })])
}

/// Writes the zip and hashes the content on the way.
fn write(files: &Files) -> Result<(String, Vec<u8>), PackError> {
    let failed = |error: &dyn fmt::Display| PackError::Write(error.to_string());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    let mut hash = ContentHash::new();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files.iter() {
        zip.start_file(&file.name, options).map_err(|error| failed(&error))?;
        let mut both = Tee { zip: &mut zip, hasher: Sha256::new() };
        files.copy(&file.name, &mut both)?;
        hash.add(&file.name, both.hasher);
    }
    let bytes = zip.finish().map_err(|error| failed(&error))?.into_inner();
    Ok((hash.finish(), bytes))
}

/// Hashes the names and contents of a package, which come in the order of the names.
struct ContentHash(Sha256);

impl ContentHash {
    fn new() -> Self {
        Self(Sha256::new_with_prefix(HASH_DOMAIN))
    }

    /// The length comes first, so that no name can run into what follows it.
    fn add(&mut self, name: &str, content: Sha256) {
        self.0.update((name.len() as u64).to_le_bytes());
        self.0.update(name);
        self.0.update(content.finalize());
    }

    fn finish(self) -> String {
        HEXLOWER.encode(&self.0.finalize())
    }
}

struct Tee<'a, W: Write> {
    zip: &'a mut W,
    hasher: Sha256,
}

impl<W: Write> Write for Tee<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}

fn lines(defects: &[Defect]) -> String {
    defects.iter().map(Defect::to_string).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
