//! YAML with a line for every value. Only what packages use: texts, lists and maps with texts as keys; what a plain
//! text means (a number, a truth value) is up to the one who asks for it.

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::defect::{Defect, DefectKind, Place, Warning, WarningKind};

/// The largest YAML file that is read.
pub(crate) const MAX_YAML_BYTES: u64 = 1 << 20;

/// How many values a file may have, repeated ones counted each time, so that aliases cannot blow it up.
const MAX_NODES: usize = 100_000;

/// How deep values may stand in one another.
const MAX_DEPTH: usize = 32;

/// A value and the line it begins on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// The value as a text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value in words, for a message.
    pub(crate) fn describe(&self) -> String {
        match &self.value {
            Value::Null => "empty".into(),
            Value::Text(text) => format!("'{}'", text.chars().take(60).collect::<String>()),
            Value::List(_) => "a list".into(),
            Value::Map(_) => "a map".into(),
        }
    }
}

/// Why a text is not YAML that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub(crate) struct YamlError {
    pub(crate) line: u64,
    pub(crate) message: String,
}

/// Parses one document. An empty one is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, YamlError> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
        let (event, span) = event.map_err(|error| YamlError {
            line: error.marker().line() as u64,
            message: error.info().to_owned(),
        })?;
        let line = span.start.line() as u64;
        builder.event(event, line).map_err(|message| YamlError { line, message })?;
    }
    Ok(builder.root.unwrap_or(Node { line: 1, value: Value::Null }))
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    root: Option<Node>,
    nodes: usize,
}

/// A list or map that has not ended yet.
struct Open {
    line: u64,
    anchor: usize,
    nodes_before: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<(Node, Node)>, key: Option<Node>, keys: BTreeSet<String> },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, line: u64) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("a second document begins; keep one".into())
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value = match text.as_ref() {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
                    _ => Value::Text(text.into_owned()),
                };
                self.count(1)?;
                self.add(Node { line, value }, anchor, 1)
            }
            Event::Alias(anchor) => {
                let (node, nodes) =
                    self.anchors.get(&anchor).cloned().ok_or("an alias stands inside its own anchor")?;
                self.count(nodes)?;
                self.add(Node { line, ..node }, 0, nodes)
            }
            Event::SequenceStart(anchor, _) => self.start(line, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                let content = Content::Map { entries: Vec::new(), key: None, keys: BTreeSet::new() };
                self.start(line, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else {
                    return Err("a list or map ends that never began".into());
                };
                let value = match open.content {
                    Content::List(items) => Value::List(items),
                    Content::Map { entries, .. } => Value::Map(entries),
                };
                let nodes = self.nodes - open.nodes_before;
                self.add(Node { line: open.line, value }, open.anchor, nodes)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, line: u64, anchor: usize, content: Content) -> Result<(), String> {
        if self.open.len() == MAX_DEPTH {
            return Err(format!("values stand more than {MAX_DEPTH} deep in one another"));
        }
        let nodes_before = self.nodes;
        self.count(1)?;
        self.open.push(Open { line, anchor, nodes_before, content });
        Ok(())
    }

    fn count(&mut self, nodes: usize) -> Result<(), String> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES { Err(format!("there are more than {MAX_NODES} values")) } else { Ok(()) }
    }

    fn add(&mut self, node: Node, anchor: usize, nodes: usize) -> Result<(), String> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Map { entries, key, keys }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    let text = node.text().ok_or("a key is not a text")?;
                    if !keys.insert(text.to_owned()) {
                        return Err(format!("the key '{text}' stands here a second time"));
                    }
                    *key = Some(node);
                }
            },
        }
        Ok(())
    }
}

/// What was found on the way.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) defects: Vec<Defect>,
    pub(crate) warnings: Vec<Warning>,
}

impl Notes {
    pub(crate) fn defect(&mut self, at: Place, kind: DefectKind) {
        self.defects.push(Defect::new(at, kind));
    }

    pub(crate) fn warn(&mut self, at: Place, kind: WarningKind) {
        self.warnings.push(Warning::new(at, kind));
    }
}

/// A map of a file that is being read key by key. What is left when it ends was unknown.
pub(crate) struct Map<'a> {
    file: &'a str,
    prefix: String,
    entries: Vec<(&'a str, u64, &'a Node)>,
}

impl<'a> Map<'a> {
    /// Begins to read a map. A missing one is empty.
    pub(crate) fn open(file: &'a str, prefix: &str, node: &'a Node, notes: &mut Notes) -> Self {
        let entries = match &node.value {
            Value::Map(entries) => {
                entries.iter().filter_map(|(key, value)| Some((key.text()?, key.line, value))).collect()
            }
            Value::Null => Vec::new(),
            _ => {
                let key = if prefix.is_empty() { "the file" } else { prefix }.to_owned();
                let expected = "a map of keys to values".into();
                notes.defect(
                    Place::line(file, node.line),
                    DefectKind::BadValue { key, found: node.describe(), expected },
                );
                Vec::new()
            }
        };
        Self { file, prefix: prefix.to_owned(), entries }
    }

    /// The keys that were not taken yet, in their order.
    pub(crate) fn keys(&self) -> Vec<&'a str> {
        self.entries.iter().map(|(key, ..)| *key).collect()
    }

    /// The full name of a key.
    pub(crate) fn full(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}.{key}", self.prefix) }
    }

    /// Whether the key is there and was not taken yet.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.0 == key)
    }

    /// A key's value that is itself a map, without taking it.
    pub(crate) fn map_value(&self, key: &str) -> Option<&'a Node> {
        let node = self.entries.iter().find(|entry| entry.0 == key)?.2;
        matches!(node.value, Value::Map(_)).then_some(node)
    }

    /// The line of a key that was not taken yet, else that of the file.
    pub(crate) fn place(&self, key: &str) -> Place {
        let line = self.entries.iter().find(|entry| entry.0 == key).map(|entry| entry.1);
        Place { file: self.file.to_owned(), line }
    }

    /// Takes a key's value. One without a value is as if it were not there.
    pub(crate) fn take(&mut self, key: &str, notes: &mut Notes) -> Option<&'a Node> {
        let index = self.entries.iter().position(|entry| entry.0 == key)?;
        let (_, line, node) = self.entries.remove(index);
        if node.value == Value::Null {
            notes.warn(Place::line(self.file, line), WarningKind::NullValue(self.full(key)));
            return None;
        }
        Some(node)
    }

    /// Takes a key's value as a text.
    pub(crate) fn string(&mut self, key: &str, notes: &mut Notes) -> Option<String> {
        let node = self.take(key, notes)?;
        match node.text() {
            Some(text) => Some(text.to_owned()),
            None => self.bad(key, node, "a text", notes),
        }
    }

    /// Takes a key's value as a number above zero.
    pub(crate) fn positive(&mut self, key: &str, notes: &mut Notes) -> Option<f64> {
        let node = self.take(key, notes)?;
        match node.text().and_then(|text| text.trim().parse::<f64>().ok()) {
            Some(number) if number.is_finite() && number > 0.0 => Some(number),
            _ => self.bad(key, node, "a number above 0", notes),
        }
    }

    /// Takes a key's value as a whole number above zero. `512.0` is one too.
    pub(crate) fn whole(&mut self, key: &str, notes: &mut Notes) -> Option<u64> {
        let node = self.take(key, notes)?;
        match node.text().and_then(|text| text.trim().parse::<f64>().ok()) {
            Some(number) if number >= 1.0 && number.fract() == 0.0 && number < 1e15 => Some(number as u64),
            _ => self.bad(key, node, "a whole number above 0", notes),
        }
    }

    /// Takes a key's value as a truth value.
    pub(crate) fn boolean(&mut self, key: &str, notes: &mut Notes) -> Option<bool> {
        let node = self.take(key, notes)?;
        match node.text().map(str::to_ascii_lowercase).as_deref() {
            Some("true" | "yes" | "on") => Some(true),
            Some("false" | "no" | "off") => Some(false),
            _ => self.bad(key, node, "true or false", notes),
        }
    }

    /// Takes a key's value as texts: a list of them, or one text that is split at white space.
    pub(crate) fn strings(&mut self, key: &str, notes: &mut Notes) -> Option<Vec<String>> {
        let node = self.take(key, notes)?;
        let texts = match &node.value {
            Value::Text(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
            Value::List(items) => items.iter().map(|item| item.text().map(str::to_owned)).collect(),
            _ => None,
        };
        match texts {
            Some(texts) => Some(texts),
            None => self.bad(key, node, "a list of texts", notes),
        }
    }

    /// Passes over keys that are known and not needed.
    pub(crate) fn skip(&mut self, keys: &[&str]) {
        self.entries.retain(|entry| !keys.contains(&entry.0));
    }

    /// Warns about a key that belongs to another version, if it is there, and leaves it to be taken.
    pub(crate) fn foreign(&self, key: &str, notes: &mut Notes) {
        if self.has(key) {
            notes.warn(self.place(key), WarningKind::ForeignKey(self.full(key)));
        }
    }

    /// Takes keys that matter for scoring only, with a warning.
    pub(crate) fn scoring(&mut self, keys: &[&str], notes: &mut Notes) {
        for key in keys.iter().filter(|key| self.has(key)) {
            notes.warn(self.place(key), WarningKind::ScoringKey(self.full(key)));
        }
        self.skip(keys);
    }

    /// Ends the map: what was not taken is unknown.
    pub(crate) fn finish(self, notes: &mut Notes) {
        for (key, line, _) in &self.entries {
            notes.warn(Place::line(self.file, *line), WarningKind::UnknownKey(self.full(key)));
        }
    }

    /// Records that a value is not what it must be.
    pub(crate) fn bad<T>(&self, key: &str, node: &Node, expected: &str, notes: &mut Notes) -> Option<T> {
        let (found, expected) = (node.describe(), expected.to_owned());
        notes.defect(
            Place::line(self.file, node.line),
            DefectKind::BadValue { key: self.full(key), found, expected },
        );
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_lines() {
        let node = parse("a: 1\nb:\n  - x\n  - \"null\"\nc:\nd: ~\n").unwrap();
        let Value::Map(entries) = &node.value else { panic!("{node:?}") };
        let lines: Vec<_> = entries.iter().map(|(key, _)| (key.text().unwrap(), key.line)).collect();
        assert_eq!(lines, [("a", 1), ("b", 2), ("c", 5), ("d", 6)]);
        let Value::List(items) = &entries[1].1.value else { panic!("{node:?}") };
        assert_eq!((items[0].line, items[1].text()), (3, Some("null")));
        assert_eq!((&entries[2].1.value, &entries[3].1.value), (&Value::Null, &Value::Null));
    }

    #[test]
    fn what_cannot_be_read_says_on_which_line() {
        for (text, line, message) in [
            ("a: 1\nb: [1, 2\n", 3, ""),
            ("a: 1\n b: 2\n", 2, ""),
            ("a: 1\nb: 2\na: 3\n", 3, "the key 'a' stands here a second time"),
            ("a: 1\n---\nb: 2\n", 2, "a second document"),
            ("a: 1\n? [x]\n: y\n", 2, "a key is not a text"),
            ("a: &x\n  - *x\n", 2, ""),
            ("a: *nowhere\n", 1, ""),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text:?}: {error}");
            assert!(error.message.contains(message), "{text:?}: {error}");
        }
    }

    #[test]
    fn aliases_are_followed_but_cannot_multiply_without_end() {
        let node = parse("a: &x [1, 2]\nb: *x\n").unwrap();
        let Value::Map(entries) = &node.value else { panic!("{node:?}") };
        assert_eq!(entries[0].1.value, entries[1].1.value);

        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for i in 1..9 {
            let items = vec![format!("*a{}", i - 1); 10].join(", ");
            bomb += &format!("a{i}: &a{i} [{items}]\n");
        }
        assert!(parse(&bomb).unwrap_err().message.contains("more than 100000 values"));
        let deep = "[".repeat(MAX_DEPTH + 1) + &"]".repeat(MAX_DEPTH + 1);
        assert!(parse(&deep).unwrap_err().message.contains("deep"));
    }

    #[test]
    fn nothing_is_an_empty_document() {
        for text in ["", "# only a comment\n", "---\n", "\u{feff}"] {
            assert_eq!(parse(text).unwrap().value, Value::Null, "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(text in "[a-c0-9 :\\-\\[\\]{}&*!|>'\"#~,?\n\t%]{0,60}") {
            // Whatever it is, it is read or refused.
            let _ = parse(&text);
        }
    }
}
