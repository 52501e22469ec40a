//! A program without what says who wrote it: neutral file names, no comment at the top, no e-mail addresses, handles,
//! numbers of students or home folders. Lines keep their numbers, and all of it comes back with the correction.
//!
//! What is code stays as it is, but for the class that Java wants to be called after the file with the program.

mod header;
mod imports;
mod known;
mod marks;
mod names;

use std::collections::HashMap;

use codementor_protocol::{Diagnostic, LanguageId, SourceFile};

use header::Header;
pub use known::Author;
use known::Known;
use marks::Marks;
use names::Names;

/// A program as it may be sent, and what was taken out of it.
#[derive(Debug, Clone)]
pub struct Scrubbed {
    /// The program as it may be sent, file by file in the order of the student's.
    pub files: Vec<SourceFile>,
    originals: Vec<Original>,
    marks: Marks,
    names: Names,
}

#[derive(Debug, Clone)]
struct Original {
    file: SourceFile,
    header: Header,
}

impl Scrubbed {
    /// Scrubs a program, of all that says who wrote it and of what is known of whoever that is.
    pub fn new(files: &[SourceFile], language: &LanguageId, author: &Author) -> Self {
        let names = Names::new(files, language);
        let mut marks = Marks::new(files, Known::new(author));
        let mut scrubbed = Vec::with_capacity(files.len());
        let mut originals = Vec::with_capacity(files.len());
        for (file, name) in files.iter().zip(names.neutral()) {
            let (header, text) = Header::take(file, marks.known());
            let text = names.take(&file.name, &marks.take(&file.name, &text));
            scrubbed.push(SourceFile { text, name: name.to_owned() });
            originals.push(Original { file: file.clone(), header });
        }
        Self { files: scrubbed, originals, marks, names }
    }

    /// Puts back what was taken out. Files that a correction leaves out are added as they were, and files that are not
    /// the program's are dropped.
    pub fn restore(&self, fix: Vec<SourceFile>) -> Vec<SourceFile> {
        let mut fixed: HashMap<String, String> = fix.into_iter().map(|file| (file.name, file.text)).collect();
        let pairs = self.files.iter().zip(&self.originals);
        pairs
            .map(|(scrubbed, original)| match fixed.remove(&scrubbed.name) {
                Some(text) => {
                    SourceFile { name: original.file.name.clone(), text: self.restored(original, &text) }
                }
                None => original.file.clone(),
            })
            .collect()
    }

    fn restored(&self, original: &Original, text: &str) -> String {
        let text = self.names.put_back(&original.file.name, text);
        original.header.put_back(&self.marks.put_back(&text))
    }

    /// Words about the scrubbed program as words about the student's: with the names of the student's files, and where
    /// they are marked as code, of the student's classes.
    pub fn restore_text(&self, text: &str) -> String {
        let text = self.marks.put_back(text);
        let text = replaced(&text, in_names, self.names.files().map(|(own, neutral)| (neutral, own)));
        let classes: Vec<_> = self.names.classes().map(|(own, neutral)| (neutral, own)).collect();
        if classes.is_empty() {
            return text;
        }
        let parts = text.split('`').enumerate().map(|(number, part)| match number % 2 {
            0 => part.to_owned(),
            _ => replaced(part, in_names, classes.iter().copied()),
        });
        parts.collect::<Vec<_>>().join("`")
    }

    /// A compiler's words about the student's program as words about the scrubbed one.
    pub fn scrub_text(&self, text: &str) -> String {
        self.scrub_output(&replaced(text, in_names, self.names.files().chain(self.names.classes())))
    }

    /// What the student's program wrote as what the scrubbed one would write. A class is meant only where it is part of a
    /// trace: it may be called by a word of the problem.
    pub fn scrub_output(&self, text: &str) -> String {
        let text = replaced(text, in_names, self.names.files());
        let classes: Vec<_> = self
            .names
            .classes()
            .map(|(own, neutral)| (format!("at {own}."), format!("at {neutral}.")))
            .collect();
        let text =
            replaced(&text, in_names, classes.iter().map(|(own, neutral)| (own.as_str(), neutral.as_str())));
        self.marks.take_known(&text)
    }

    /// Messages about the student's program as messages about the scrubbed one. Lines are the same in both.
    pub fn diagnostics(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let scrub = |one: &Diagnostic| Diagnostic {
            file: self.scrub_text(&one.file),
            message: self.scrub_text(&one.message),
            fix: one.fix.as_deref().map(|fix| self.scrub_text(fix)),
            ..one.clone()
        };
        diagnostics.iter().map(scrub).collect()
    }
}

/// Whether a character makes another name of one that it is written to.
fn in_names(c: char) -> bool {
    // In Korean and others a particle is written to the name.
    c.is_ascii_alphanumeric() || c == '_'
}

/// Replaces each of some texts where no character that joins is written to it, in one go, so that nothing is replaced
/// twice.
fn replaced<'a>(
    text: &str,
    joins: impl Fn(char) -> bool,
    pairs: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let mut pairs: Vec<_> = pairs.filter(|(from, to)| from != to && !from.is_empty()).collect();
    pairs.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    if !pairs.iter().any(|(from, _)| text.contains(from)) {
        return text.to_owned();
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let stands_alone = |from: &str| {
            let (first, after) = (from.starts_with(is_word), rest[from.len()..].chars().next());
            let begins = !(first && joins(before));
            let ends = !(from.ends_with(is_word) && after.is_some_and(&joins));
            begins && ends
        };
        let found = pairs.iter().find(|(from, _)| rest.starts_with(from) && stands_alone(from));
        let (taken, put) =
            found.map_or((&rest[..c.len_utf8()], &rest[..c.len_utf8()]), |(from, to)| (*from, *to));
        out.push_str(put);
        before = taken.chars().next_back().unwrap_or(' ');
        rest = &rest[taken.len()..];
    }
    out
}

#[cfg(test)]
mod tests;
