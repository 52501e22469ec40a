//! A model's answer, read while it comes: a corrected program between markers, then a hint.
//!
//! ```text
//! === KEY file main.py ===
//! the whole program
//! === KEY end ===
//! === KEY hint ===
//! the hint, in paragraphs
//! === KEY end ===
//! ```
//!
//! The key is made up for each request, so that nothing in a program can pass for a marker. Models keep to this more or
//! less; what is meant beyond doubt is understood:
//!
//! - A program counts only with its end marker: what broke off must not be judged.
//! - Of several complete programs the last one counts, since a model that corrects itself says the better one last. It
//!   is given on once the hint begins, so that there is one for each answer.
//! - A fence around the program is no part of it. What language the fence names makes no difference: that is for the
//!   judge to find out.
//! - Folders before a name are dropped. A file that is not the program's is dropped too, unless the program has one file
//!   and this is the answer's only one, of the same type.
//! - Without a hint marker, what stands outside of the program is the hint.

use codementor_protocol::SourceFile;

use super::prompt::Nonce;

/// How much of an answer is read, in bytes. A program that is not complete by then is none.
pub const MAX_REPLY: usize = 512 * 1024;

/// A part of an answer that is complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The corrected program: the files of the student's that the model wrote.
    Fix(Vec<SourceFile>),
    /// A whole paragraph of the hint.
    Hint(String),
}

/// An answer as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// The corrected program, if there is a complete one.
    pub fix: Option<Vec<SourceFile>>,
    /// The hint: its paragraphs with an empty line between them.
    pub hint: String,
    /// What was complete only at the end, and no piece yet.
    pub rest: Vec<Piece>,
}

/// Reads an answer piece by piece. However it is cut into pieces, the same comes of it.
#[derive(Debug)]
pub struct Reading {
    key: String,
    names: Vec<String>,
    /// What of the last line has come.
    line: String,
    read: usize,
    place: Place,
    /// The files since the program began.
    draft: Vec<SourceFile>,
    /// The last complete program.
    complete: Option<Vec<SourceFile>>,
    /// Whether the program was given on.
    given: bool,
    /// What stands outside of all markers.
    outside: Paragraphs,
    /// What follows the hint marker, if there was one.
    hint: Option<Paragraphs>,
}

#[derive(Debug)]
enum Place {
    Outside,
    File { name: Option<String>, lines: Vec<String> },
    Hint,
}

impl Reading {
    /// Begins to read an answer to a request with this key, about a program whose files have these names.
    pub fn new(nonce: &Nonce, names: &[String]) -> Self {
        Self {
            key: nonce.as_str().to_owned(),
            names: names.to_vec(),
            line: String::new(),
            read: 0,
            place: Place::Outside,
            draft: Vec::new(),
            complete: None,
            given: false,
            outside: Paragraphs::default(),
            hint: None,
        }
    }

    /// Takes in what has come, and says what is complete by it.
    pub fn push(&mut self, text: &str) -> Vec<Piece> {
        let text = &text[..text.floor_char_boundary(MAX_REPLY.saturating_sub(self.read))];
        self.read += text.len();
        let mut pieces = Vec::new();
        for part in text.split_inclusive('\n') {
            self.line.push_str(part);
            if self.line.ends_with('\n') {
                let line = std::mem::take(&mut self.line);
                self.line(line.trim_end_matches(['\n', '\r']), &mut pieces);
            }
        }
        pieces
    }

    /// Ends the answer.
    pub fn finish(mut self) -> Reply {
        let mut rest = Vec::new();
        let line = std::mem::take(&mut self.line);
        self.line(line.trim_end_matches('\r'), &mut rest);
        let hint = match self.hint.take() {
            Some(mut hint) => {
                rest.extend(hint.end().map(Piece::Hint));
                hint
            }
            None => {
                self.outside.end();
                rest.extend(self.outside.all.iter().cloned().map(Piece::Hint));
                self.outside
            }
        };
        if let (false, Some(fix)) = (self.given, &self.complete) {
            rest.insert(0, Piece::Fix(fix.clone()));
        }
        Reply { fix: self.complete, hint: hint.all.join("\n\n"), rest }
    }

    fn line(&mut self, line: &str, pieces: &mut Vec<Piece>) {
        let Some((before, marker)) = marker(line, &self.key) else { return self.content(line, pieces) };
        if !before.is_empty() {
            self.content(before, pieces);
        }
        match marker {
            Marker::File(name) => {
                self.close_file();
                if let Place::Hint = self.place {
                    self.end_paragraph(pieces);
                }
                let name = self.name(&name);
                // After a complete program, another of its files is the beginning of a new one.
                if self.draft.is_empty()
                    && let (Some(complete), Some(name)) = (&self.complete, &name)
                    && !complete.iter().any(|file| file.name == *name)
                {
                    self.draft = complete.clone();
                }
                self.place = Place::File { name, lines: Vec::new() };
            }
            Marker::End => {
                self.close_file();
                self.end_paragraph(pieces);
                // One that was given on is being judged; another would only be a second opinion of the same answer.
                if !self.draft.is_empty() && !self.given {
                    self.complete = Some(std::mem::take(&mut self.draft));
                }
                self.draft.clear();
                self.place = Place::Outside;
            }
            Marker::Hint => {
                self.close_file();
                // Without an end marker nothing says that the program is whole.
                self.draft.clear();
                if let (false, Some(fix)) = (self.given, &self.complete) {
                    self.given = true;
                    pieces.push(Piece::Fix(fix.clone()));
                }
                self.hint.get_or_insert_default();
                self.place = Place::Hint;
            }
            Marker::Other => {}
        }
    }

    fn content(&mut self, line: &str, pieces: &mut Vec<Piece>) {
        match &mut self.place {
            Place::File { lines, .. } => lines.push(line.to_owned()),
            Place::Hint => {
                let paragraph = self.hint.get_or_insert_default().line(line);
                pieces.extend(paragraph.map(Piece::Hint));
            }
            Place::Outside => {
                self.outside.line(line);
            }
        }
    }

    fn end_paragraph(&mut self, pieces: &mut Vec<Piece>) {
        if let Some(hint) = &mut self.hint {
            pieces.extend(hint.end().map(Piece::Hint));
        }
    }

    fn close_file(&mut self) {
        if !matches!(self.place, Place::File { .. }) {
            return;
        }
        let Place::File { name, lines } = std::mem::replace(&mut self.place, Place::Outside) else { return };
        let text = unfenced(&lines);
        let Some(name) = name.filter(|_| !text.trim().is_empty()) else { return };
        self.draft.retain(|file| file.name != name);
        self.draft.push(SourceFile { name, text });
    }

    /// The program's own name for a file that the model calls so.
    fn name(&self, said: &str) -> Option<String> {
        let said = said.trim_matches(|c: char| c.is_whitespace() || "`'\"*:=<>()#-[]".contains(c));
        let last = said.rsplit(['/', '\\']).next().unwrap_or_default();
        let same = self.names.iter().find(|name| *name == last);
        let alike = || self.names.iter().find(|name| name.eq_ignore_ascii_case(last));
        let only = || {
            let [only] = &self.names[..] else { return None };
            let alone = self.draft.is_empty() && (last.is_empty() || extension(last) == extension(only));
            alone.then_some(only)
        };
        same.or_else(alike).or_else(only).cloned()
    }
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

enum Marker {
    File(String),
    Hint,
    End,
    /// One of the request's own, which a model repeats.
    Other,
}

/// What models put before a marker to set it off, comment signs of the languages among them.
const DECORATION: &[char] = &['=', '#', '/', '*', '-', '<', '>', '`', '[', ' ', '\t', '"', ';', '|'];

/// A marker in a line, with what stands before it.
fn marker<'a>(line: &'a str, key: &str) -> Option<(&'a str, Marker)> {
    let at = line.find(key)?;
    let before = match line[..at].trim_end() {
        decoration if decoration.trim_start_matches(DECORATION).is_empty() => "",
        // The last line of a program, which the model did not end.
        code => code.trim_end_matches('=').trim_end(),
    };
    let after = line[at + key.len()..].trim_start_matches([' ', '\t', ':', ']', '-']);
    let length = after.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, rest) = after.split_at(length);
    let marker = match word.to_ascii_lowercase().as_str() {
        "file" => Marker::File(rest.to_owned()),
        "hint" => Marker::Hint,
        "end" => Marker::End,
        _ => Marker::Other,
    };
    Some((before, marker))
}

/// How many lines may stand before a fence that is around a program: a sentence or two. After more it is the program
/// itself that has a text with a fence in it.
const MAX_PREAMBLE: usize = 3;

/// The text of a file without the fence around it, if there is one, and without what stands around the fence.
fn unfenced(lines: &[String]) -> String {
    let opening = lines.iter().enumerate().find_map(|(at, line)| fence(line).map(|found| (at, found)));
    let inner = match opening {
        Some((at, (mark, length, _)))
            if lines[..at].iter().filter(|line| !line.trim().is_empty()).count() <= MAX_PREAMBLE =>
        {
            let inner = &lines[at + 1..];
            let closes = |line: &String| {
                fence(line).is_some_and(|(m, l, info)| m == mark && l >= length && info.is_empty())
            };
            // The last one closes it: a program can hold texts with fences.
            &inner[..inner.iter().rposition(closes).unwrap_or(inner.len())]
        }
        _ => lines,
    };
    let mut text = inner.join("\n");
    text.push('\n');
    text
}

/// The mark of a fence, its length and what it names.
fn fence(line: &str) -> Option<(char, usize, &str)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| *c == '`' || *c == '~')?;
    let length = line.len() - line.trim_start_matches(mark).len();
    (length >= 3).then_some((mark, length, line[length..].trim()))
}

/// Lines as paragraphs. A fence holds its empty lines together, so that what is looked at piece by piece is seen whole.
#[derive(Debug, Default)]
struct Paragraphs {
    open: String,
    in_fence: bool,
    all: Vec<String>,
}

impl Paragraphs {
    fn line(&mut self, line: &str) -> Option<String> {
        if fence(line).is_some() {
            self.in_fence = !self.in_fence;
        }
        if line.trim().is_empty() && !self.in_fence {
            return self.end();
        }
        if !self.open.is_empty() {
            self.open.push('\n');
        }
        self.open.push_str(line.trim_end());
        None
    }

    fn end(&mut self) -> Option<String> {
        self.in_fence = false;
        let paragraph = std::mem::take(&mut self.open);
        let is_empty = paragraph.trim().is_empty();
        if !is_empty {
            self.all.push(paragraph.clone());
        }
        (!is_empty).then_some(paragraph)
    }
}

#[cfg(test)]
mod tests;
