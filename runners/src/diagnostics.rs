//! What compilers say, read into one shape.
//!
//! Every compiler counts columns in a unit of its own: bytes, UTF-16 code units, characters, or the cells that a
//! terminal would use. All are turned into characters, which needs the source. Output that cannot be read gives no
//! diagnostics and never an error: the compiler's own words are kept as well.

mod gcc;
mod go;
mod javac;
mod node;
mod python;
mod rustc;

use codementor_protocol::{Diagnostic, Severity, SourceFile};

use crate::language::DiagnosticFormat;

/// No more than this is kept of one compilation; nobody reads further.
const MOST: usize = 50;

/// One compilation's output, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// What was understood of it, in the compiler's order.
    pub diagnostics: Vec<Diagnostic>,
    /// The output as people read it: without what is there for programs.
    pub text: String,
}

/// Reads a compiler's output. `files` are the sources that were compiled.
pub fn read(format: DiagnosticFormat, output: &str, files: &[SourceFile]) -> Reading {
    let sources = Sources(files);
    let mut reading = match format {
        DiagnosticFormat::Gcc => gcc::read(output, sources),
        DiagnosticFormat::Javac => javac::read(output, sources),
        DiagnosticFormat::Rustc => rustc::read(output),
        DiagnosticFormat::Go => go::read(output, sources),
        DiagnosticFormat::Python => python::read(output, sources),
        DiagnosticFormat::Node => node::read(output, sources),
    };
    // Remarks about the library's own lines are in the text, for whoever wants them.
    reading.diagnostics.retain(|found| found.severity != Severity::Note || sources.has(&found.file));
    reading.diagnostics.truncate(MOST);
    reading
}

/// The sources that were compiled.
#[derive(Debug, Clone, Copy)]
struct Sources<'a>(&'a [SourceFile]);

impl<'a> Sources<'a> {
    /// A line without its end.
    fn line(self, file: &str, line: u32) -> Option<&'a str> {
        let source = self.0.iter().find(|source| source.name == file)?;
        let index = usize::try_from(line.checked_sub(1)?).ok()?;
        source.text.split('\n').nth(index).map(|line| line.strip_suffix('\r').unwrap_or(line))
    }

    fn has(self, file: &str) -> bool {
        self.0.iter().any(|source| source.name == file)
    }

    /// The column in characters for one in bytes, both from 1.
    fn column_of_byte(self, file: &str, line: u32, byte: u32) -> Option<u32> {
        let text = self.line(file, line)?;
        let byte = usize::try_from(byte.checked_sub(1)?).ok()?;
        Some(1 + count(text.char_indices().take_while(|(at, _)| *at < byte)))
    }

    /// The column in characters, from 1, of the character after so many UTF-16 code units.
    fn column_after_units(self, file: &str, line: u32, units: usize) -> Option<u32> {
        let text = self.line(file, line)?;
        let mut left = units;
        let before = text.chars().take_while(|character| {
            let fits = left > 0;
            left = left.saturating_sub(character.len_utf16());
            fits
        });
        Some(1 + count(before))
    }
}

/// The name under which a file was submitted: compilers put the working directory in front, which is `/work` or a
/// numbered folder in it.
fn submitted_name(path: &str) -> &str {
    let Some(below) = path.strip_prefix("/work/") else { return path.strip_prefix("./").unwrap_or(path) };
    match below.split_once('/') {
        Some((number, name)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => below,
    }
}

/// Where the first run of `^` and `~` in a line begins and how long it is, in characters.
fn caret(line: &str) -> Option<(usize, usize)> {
    let is_mark = |character: char| character == '^' || character == '~';
    if line.chars().any(|character| !is_mark(character) && !character.is_whitespace()) {
        return None;
    }
    let start = line.chars().position(is_mark)?;
    Some((start, line.chars().skip(start).take_while(|&character| is_mark(character)).count()))
}

fn count(items: impl Iterator) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
