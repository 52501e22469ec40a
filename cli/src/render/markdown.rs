//! Markdown as a terminal shows it: paragraphs wrapped by cells, headings and **bold** in bold, lists with a hanging
//! indent, code as it stands. What else Markdown knows stays as it was written. Off a terminal nothing is laid out.
//!
//! Each line stands behind a bar, as all foreign text: no line of it can pass for one of ours.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::render::layout::{Blanks, Layout, units};
use crate::sanitize;
use crate::terminal::Paint;

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;
/// How much room a word has at least, however deep a list is.
const NARROWEST: usize = 16;

/// What is read piece by piece: a block of code may go on in the next piece.
#[derive(Debug, Clone, Default)]
pub struct Markdown {
    fenced: bool,
    began: bool,
}

/// How a part of a word stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Strong,
    Code,
}

/// Parts without a space between them.
type Word = Vec<(Style, String)>;

/// A paragraph or an item of a list that is being read.
#[derive(Default)]
struct Block {
    /// What stands before its first line; the others are indented by as much.
    mark: String,
    heading: bool,
    text: String,
}

impl Markdown {
    /// Lays out a piece of one or more whole paragraphs. Each line of what it gives ends in a line end.
    pub fn render(&mut self, piece: &str, paint: Paint) -> String {
        let clean = sanitize::text(piece.trim_matches('\n'));
        if clean.trim().is_empty() {
            return String::new();
        }
        let mut lines = Vec::new();
        if self.began {
            lines.push(String::new());
        }
        self.began = true;
        if paint.terminal {
            self.lay_out(&clean, paint, &mut lines);
        } else {
            lines.extend(clean.lines().map(|line| line.trim_end().to_owned()));
        }
        lines.iter().map(|line| bar(line, paint)).collect()
    }

    fn lay_out(&mut self, text: &str, paint: Paint, lines: &mut Vec<String>) {
        let width = paint.width.min(WIDEST).saturating_sub(4).max(NARROWEST);
        let mut block: Option<Block> = None;
        for line in text.lines() {
            let line = line.trim_end().replace('\t', "    ");
            let inner = line.trim_start();
            if inner.starts_with("```") || inner.starts_with("~~~") {
                flush(&mut block, width, paint, lines);
                self.fenced = !self.fenced;
            } else if self.fenced {
                let room = width.saturating_sub(4);
                let (code, _) =
                    Layout::new(&units(line.as_bytes()), Blanks::Plain, paint).window(0..0, room, paint);
                lines.push(format!("    {code}").trim_end().to_owned());
            } else if inner.is_empty() {
                flush(&mut block, width, paint, lines);
                if lines.last().is_some_and(|last| !last.is_empty()) {
                    lines.push(String::new());
                }
            } else if let Some(text) = heading(inner) {
                flush(&mut block, width, paint, lines);
                block = Some(Block { mark: String::new(), heading: true, text: text.into() });
                flush(&mut block, width, paint, lines);
            } else if let Some((mark, text)) = item(inner) {
                flush(&mut block, width, paint, lines);
                let indent = line.width().saturating_sub(inner.width()).min(8);
                let mark = format!("{}{mark} ", " ".repeat(indent));
                block = Some(Block { mark, heading: false, text: text.into() });
            } else {
                let block = block.get_or_insert_default();
                if !block.text.is_empty() {
                    block.text.push(' ');
                }
                block.text.push_str(inner);
            }
        }
        flush(&mut block, width, paint, lines);
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
    }
}

/// One line of foreign text behind its bar.
pub(crate) fn bar(line: &str, paint: Paint) -> String {
    let edge = paint.faint("|");
    if line.is_empty() { format!("  {edge}\n") } else { format!("  {edge} {line}\n") }
}

/// The text of a heading.
fn heading(line: &str) -> Option<&str> {
    let rest = line.trim_start_matches('#');
    let depth = line.len() - rest.len();
    let text = rest.strip_prefix(' ')?;
    (1..=6).contains(&depth).then(|| text.trim_end_matches('#').trim())
}

/// The mark and the text of an item of a list.
fn item(line: &str) -> Option<(&str, &str)> {
    let (mark, text) = line.split_once(' ')?;
    let number = mark.strip_suffix(['.', ')']);
    let numbered = number
        .is_some_and(|digits| (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()));
    (numbered || matches!(mark, "-" | "*" | "+")).then(|| (if mark == "*" { "-" } else { mark }, text.trim()))
}

fn flush(block: &mut Option<Block>, width: usize, paint: Paint, lines: &mut Vec<String>) {
    let Some(block) = block.take() else { return };
    let indent = block.mark.width();
    let room = width.saturating_sub(indent).max(NARROWEST);
    for (n, line) in wrap(words(&block.text), room).iter().enumerate() {
        let mut text = if n == 0 { block.mark.clone() } else { " ".repeat(indent) };
        for (place, word) in line.iter().enumerate() {
            if place > 0 {
                text.push(' ');
            }
            for (style, part) in word {
                text.push_str(&match style {
                    Style::Plain if !block.heading => part.clone(),
                    Style::Plain | Style::Strong => paint.strong(part),
                    Style::Code => paint.place(part),
                });
            }
        }
        lines.push(text);
    }
}

/// Splits a text into words, each of parts in one style. A mark that is never closed is a text like any other.
fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut joined = false;
    let mut add = |style: Style, text: &str| {
        for (n, part) in text.split(' ').enumerate() {
            joined &= n == 0;
            if !part.is_empty() {
                match words.last_mut() {
                    Some(word) if joined => word.push((style, part.to_owned())),
                    _ => words.push(vec![(style, part.to_owned())]),
                }
                joined = true;
            }
        }
    };
    let mut rest = text;
    while let Some(at) = rest.find(['`', '*']) {
        let (before, marked) = rest.split_at(at);
        let found = if let Some(inner) = marked.strip_prefix('`') {
            // The marks stay: without colours they are all that tells code from prose.
            inner.find('`').filter(|end| *end > 0).map(|end| (Style::Code, 0..end + 2, end + 2))
        } else if let Some(inner) = marked.strip_prefix("**") {
            inner.find("**").filter(|end| *end > 0).map(|end| (Style::Strong, 2..end + 2, end + 4))
        } else {
            None
        };
        add(Style::Plain, before);
        match found {
            Some((style, shown, length)) => {
                add(style, &marked[shown]);
                rest = &marked[length..];
            }
            None => {
                let mark = if marked.starts_with("**") { 2 } else { 1 };
                add(Style::Plain, &marked[..mark]);
                rest = &marked[mark..];
            }
        }
    }
    add(Style::Plain, rest);
    words
}

fn cells(word: &Word) -> usize {
    word.iter().map(|(_, part)| part.width()).sum()
}

/// Fills lines of at most `room` cells. A word that is longer than a line is cut where the line ends.
fn wrap(words: Vec<Word>, room: usize) -> Vec<Vec<Word>> {
    let mut lines: Vec<Vec<Word>> = vec![Vec::new()];
    let mut used = 0;
    for word in words.into_iter().flat_map(|word| cut(word, room)) {
        let width = cells(&word);
        if used > 0 && used + 1 + width > room {
            lines.push(Vec::new());
            used = 0;
        }
        used += width + usize::from(used > 0);
        if let Some(line) = lines.last_mut() {
            line.push(word);
        }
    }
    lines
}

fn cut(word: Word, room: usize) -> Vec<Word> {
    if cells(&word) <= room {
        return vec![word];
    }
    let mut pieces: Vec<Word> = vec![Vec::new()];
    let mut used = 0;
    for (style, part) in word {
        let mut text = String::new();
        for character in part.chars() {
            let width = character.width().unwrap_or(0);
            if used + width > room {
                if let Some(piece) = pieces.last_mut().filter(|_| !text.is_empty()) {
                    piece.push((style, std::mem::take(&mut text)));
                }
                pieces.push(Vec::new());
                used = 0;
            }
            used += width;
            text.push(character);
        }
        if let Some(piece) = pieces.last_mut().filter(|_| !text.is_empty()) {
            piece.push((style, text));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TERMINAL: Paint = Paint { terminal: true, ..Paint::PLAIN };

    proptest! {
        /// Whatever a model says, no line is wider than the terminal, and each stands behind its bar.
        #[test]
        fn no_line_leaves_its_place(text in "(?s).{0,400}", width in 24usize..120) {
            let paint = Paint { width, ..TERMINAL };
            let shown = Markdown::default().render(&text, paint);
            for line in shown.lines() {
                prop_assert!(line.starts_with("  |"), "{line:?}");
                prop_assert!(line.width() <= width, "{line:?}");
            }
            prop_assert!(!shown.contains('\x1b'));
        }
    }

    #[test]
    fn a_mark_that_is_never_closed_stays() {
        for text in ["2 ** 3 is 8", "a`b", "`", "**", "a*b*c", "`` and ****"] {
            assert_eq!(Markdown::default().render(text, TERMINAL), format!("  | {text}\n"));
        }
    }
}
