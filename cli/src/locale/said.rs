//! Korean for what the daemon, the judges and the packages say. They say it in English, to whoever asks, and an older or
//! a newer one than this program may be at the other end; so what is said is known by its shape: by the words around the
//! names and numbers in it. What is not known stays as it is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use super::span;

/// How deep texts that stand in texts are followed.
const DEPTH: u8 = 6;
/// How many names may stand before a text.
const NAMES: usize = 8;
/// The longest text that is looked at: longer ones are logs and statements.
const LONGEST: usize = 4096;

/// A text with holes: what stands around them, and the names of what stands in them.
#[derive(Debug)]
struct Shape {
    pieces: Vec<String>,
    names: Vec<String>,
    korean: String,
}

#[derive(Debug, Default)]
struct Catalogue {
    whole: HashMap<String, String>,
    shapes: Vec<Shape>,
}

/// The Korean for a text that was said elsewhere, if it is known.
pub(super) fn korean(text: &str) -> Option<String> {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    let catalogue = CATALOGUE.get_or_init(|| {
        Catalogue::new(toml::from_str(include_str!("../../locales/ko-said.toml")).unwrap_or_default())
    });
    (text.len() <= LONGEST).then(|| catalogue.translate(text, DEPTH)).flatten()
}

impl Catalogue {
    fn new(texts: HashMap<String, String>) -> Self {
        let (holed, whole) = texts.into_iter().partition(|(english, _)| english.contains('{'));
        let _: &HashMap<String, String> = &holed;
        let mut shapes: Vec<Shape> =
            holed.into_iter().map(|(english, korean)| Shape::new(&english, korean)).collect();
        // Where several fit, the one that says the most itself is the right one.
        shapes.sort_by_key(|shape| {
            let words: usize = shape.pieces.iter().map(String::len).sum();
            (std::cmp::Reverse(words), shape.pieces.concat())
        });
        Self { whole, shapes }
    }

    /// Lines of which at least one is known; those that are not stay as they are.
    fn translate(&self, text: &str, depth: u8) -> Option<String> {
        if let Some(korean) = self.known(text, depth) {
            return Some(korean);
        }
        let mut any = false;
        let mut line = |line| {
            let korean = self.line(line, depth);
            any |= korean.is_some();
            korean.map_or(Cow::Borrowed(line), Cow::Owned)
        };
        let lines: Vec<Cow<'_, str>> = text.split('\n').map(&mut line).collect();
        any.then(|| lines.join("\n"))
    }

    /// One text, or several in a row that are all known.
    fn line(&self, line: &str, depth: u8) -> Option<String> {
        self.about(line, depth).or_else(|| {
            let parts: Option<Vec<String>> = line.split("; ").map(|part| self.about(part, depth)).collect();
            Some(parts?.join(". "))
        })
    }

    /// One text, or one about something that is named before it.
    fn about(&self, text: &str, depth: u8) -> Option<String> {
        self.known(text, depth).or_else(|| {
            text.match_indices(": ").take(NAMES).find_map(|(at, mark)| {
                let (before, after) = (&text[..at], &text[at + mark.len()..]);
                let after = self.known(after, depth)?;
                let before = self.known(before, depth).map_or(Cow::Borrowed(before), Cow::Owned);
                Some(format!("{before}{mark}{after}"))
            })
        })
    }

    /// One text. Only what stands in its holes is looked at again, so that no part of a text is read more often than it
    /// is deep.
    fn known(&self, text: &str, depth: u8) -> Option<String> {
        let deeper = depth.checked_sub(1)?;
        if let Some(korean) = self.whole.get(text) {
            return Some(korean.clone());
        }
        let (shape, holes) = self.shapes.iter().find_map(|shape| Some((shape, shape.holes(text)?)))?;
        Some(shape.fill(&holes, |inner| self.translate(inner, deeper)))
    }
}

impl Shape {
    fn new(english: &str, korean: String) -> Self {
        let (mut pieces, mut names) = (vec![String::new()], Vec::new());
        let mut rest = english;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(before);
            }
            pieces.push(String::new());
            names.push(name.to_owned());
            rest = after;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(rest);
        }
        Self { pieces, names, korean }
    }

    /// What stands in the holes, if the text has this shape.
    fn holes<'a>(&self, text: &'a str) -> Option<Vec<&'a str>> {
        let (first, others) = self.pieces.split_first()?;
        let (last, middle) = others.split_last()?;
        let mut rest = text.strip_prefix(first.as_str())?;
        let mut holes = Vec::with_capacity(self.names.len());
        for piece in middle {
            let (hole, after) = rest.split_once(piece.as_str())?;
            holes.push(hole);
            rest = after;
        }
        holes.push(rest.strip_suffix(last.as_str())?);
        Some(holes)
    }

    /// The Korean text with what stood in the holes, put into Korean itself where a `~` asks for it.
    fn fill(&self, holes: &[&str], inner: impl Fn(&str) -> Option<String>) -> String {
        let mut filled = String::with_capacity(self.korean.len() + 32);
        let mut rest = self.korean.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else { break };
            let plain = name.trim_start_matches('~');
            let value = self.names.iter().position(|known| known == plain).and_then(|at| holes.get(at));
            let value = value.copied().unwrap_or_default();
            match (plain != name).then(|| inner(value).or_else(|| span(value))).flatten() {
                Some(korean) => filled.push_str(&korean),
                None => filled.push_str(value),
            }
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(texts: &[(&str, &str)]) -> Catalogue {
        Catalogue::new(texts.iter().map(|(english, korean)| ((*english).into(), (*korean).into())).collect())
    }

    #[test]
    fn a_text_is_known_by_what_stands_around_its_names() {
        let catalogue = catalogue(&[
            ("it is late", "늦었습니다"),
            ("there is no problem '{slug}'", "문제가 없습니다: '{slug}'"),
            ("'{slug}' has {n} cases", "{n}개: {slug}"),
            ("{got} instead of {expected}", "{expected} 대신 {got}"),
            ("{a} is ready", "{a} 준비됨"),
            ("the image {a} is ready", "이미지 {a}"),
        ]);
        for (english, korean) in [
            ("it is late", Some("늦었습니다")),
            ("it is late.", None),
            ("there is no problem 'it is late'", Some("문제가 없습니다: 'it is late'")),
            ("there is no problem ''", Some("문제가 없습니다: ''")),
            ("'sum' has 3 cases", Some("3개: sum")),
            ("4 instead of {got}", Some("{got} 대신 4")),
            // The one that says more.
            ("the image x is ready", Some("이미지 x")),
            ("", None),
        ] {
            assert_eq!(catalogue.translate(english, DEPTH).as_deref(), korean, "{english}");
        }
    }

    #[test]
    fn texts_in_texts_and_texts_in_a_row_are_known_too() {
        let catalogue = catalogue(&[
            ("row {0}: {wrong}", "{0}행: {~wrong}"),
            ("it has no name", "이름이 없습니다"),
            ("is not UTF-8; save it as UTF-8", "UTF-8이 아닙니다"),
            ("it is closed", "닫혔습니다"),
        ]);
        for (english, korean) in [
            ("row 3: it has no name", Some("3행: 이름이 없습니다")),
            ("row 3: it is odd", Some("3행: it is odd")),
            ("data/a: b.in: is not UTF-8; save it as UTF-8", Some("data/a: b.in: UTF-8이 아닙니다")),
            ("it is closed; it has no name", Some("닫혔습니다. 이름이 없습니다")),
            ("row 1: it has no name\nrow 2: it is closed", Some("1행: 이름이 없습니다\n2행: 닫혔습니다")),
            ("something else; it has no name", None),
        ] {
            assert_eq!(catalogue.translate(english, DEPTH).as_deref(), korean, "{english}");
        }
    }

    #[test]
    fn a_long_text_of_many_parts_is_soon_told() {
        let catalogue = catalogue(&[("row {0}: {wrong}", "{0}행: {~wrong}"), ("it is closed", "닫혔습니다")]);
        for unknown in ["a: ", "a; ", "a; b: ", "a: b\n", "\n"] {
            let text = unknown.repeat(1000);
            assert_eq!(catalogue.translate(&text, DEPTH), None, "{unknown}");
        }
        let rows = |row: &str| row.repeat(300);
        assert_eq!(
            catalogue.translate(&rows("row 1: it is closed\n"), DEPTH),
            Some(rows("1행: 닫혔습니다\n"))
        );
    }
}
