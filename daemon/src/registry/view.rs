//! A problem as a model may see it. [`PublicView`] and [`PublicSample`] are made here and nowhere else, and only samples,
//! statements and limits are ever opened for them: whoever holds one holds nothing hidden.

use std::io::{self, Write};

use codementor_problems::files::{Files, ReadError};
use codementor_problems::package::{Constants, FileRef, Markup, Package, Statement};
use codementor_problems::read::Opened;
use codementor_protocol::{AnswerLanguage, Limits};

use super::statement;

/// How much of a statement is read, in bytes.
const MAX_STATEMENT: usize = 64 * 1024;
/// How much of an input or an answer is read, in bytes.
const MAX_SAMPLE: usize = 8 * 1024;
/// How many samples are read.
const MAX_SAMPLES: usize = 64;
/// Two texts that agree in so many bytes and go on in only one of them are the same one, cut.
const CUT: usize = 1000;

/// What every student may see of a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicView {
    title: String,
    statement: String,
    time_ms: u64,
    memory_mib: u64,
    samples: Vec<PublicSample>,
}

/// A sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicSample {
    input: String,
    answer: String,
}

impl PublicView {
    /// Reads it from a package. The statement is the one in the wanted language, else the English one, else the first;
    /// one that exists as a PDF only is left out. The limits are those that judge, which a package need not state.
    pub fn of(opened: &Opened, limits: &Limits, answer_in: &AnswerLanguage) -> Result<Self, ReadError> {
        let Opened { package, files, .. } = opened;
        let wanted = answer_in.as_str();
        let statement = match choose(package, wanted) {
            Some(chosen) => read_statement(files, chosen, &package.constants)?,
            None => String::new(),
        };
        let mut samples = Vec::new();
        for case in package.samples().take(MAX_SAMPLES) {
            samples
                .push(PublicSample { input: head(files, &case.input)?, answer: head(files, &case.answer)? });
        }
        Ok(Self {
            title: package.names.get(wanted).map_or_else(|| package.name(), String::as_str).to_owned(),
            statement,
            time_ms: limits.time_ms,
            memory_mib: limits.memory_mib,
            samples,
        })
    }

    /// The problem's name.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The statement as Markdown; empty where there is none that can be read.
    pub fn statement(&self) -> &str {
        &self.statement
    }

    /// CPU time of one case, in milliseconds.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Memory of one case, in MiB.
    pub fn memory_mib(&self) -> u64 {
        self.memory_mib
    }

    /// The samples, the first ones if there are many.
    pub fn samples(&self) -> &[PublicSample] {
        &self.samples
    }

    /// The sample with this input and answer, which may be cut. What is no sample is not found, so that evidence about a
    /// case goes no further than the samples.
    pub fn sample(&self, input: &str, answer: &str) -> Option<&PublicSample> {
        self.samples.iter().find(|sample| is_same(&sample.input, input) && is_same(&sample.answer, answer))
    }

    /// A view for tests.
    #[cfg(test)]
    pub(crate) fn sketch(title: &str, statement: &str, samples: &[(&str, &str)]) -> Self {
        let sample = |(input, answer): &(&str, &str)| PublicSample {
            input: (*input).into(),
            answer: (*answer).into(),
        };
        Self {
            title: title.into(),
            statement: statement.into(),
            time_ms: 1000,
            memory_mib: 256,
            samples: samples.iter().map(sample).collect(),
        }
    }
}

impl PublicSample {
    /// What a program reads.
    pub fn input(&self) -> &str {
        &self.input
    }

    /// What it should print.
    pub fn answer(&self) -> &str {
        &self.answer
    }
}

fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('…'), b.trim_end_matches('…'));
    a == b || (a.len().min(b.len()) >= CUT && (a.starts_with(b) || b.starts_with(a)))
}

fn choose<'a>(package: &'a Package, wanted: &str) -> Option<&'a Statement> {
    package
        .statements
        .iter()
        .filter(|statement| statement.markup != Markup::Pdf)
        .min_by_key(|statement| (statement.language != wanted, statement.language != "en"))
}

fn read_statement(files: &Files, chosen: &Statement, constants: &Constants) -> Result<String, ReadError> {
    let text = constants.substitute(beginning(files, &chosen.file, MAX_STATEMENT)?);
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(match chosen.markup {
        Markup::Tex => statement::markdown(&with_tex_constants(&text, constants), Markup::Tex),
        markup => statement::markdown(&without_html(&text), markup),
    })
}

/// `\constant{name}` is how statements in TeX name a constant.
fn with_tex_constants(text: &str, constants: &Constants) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\constant{") {
        out.push_str(before);
        let value =
            after.split_once('}').and_then(|(name, after)| Some((constants.0.get(name.trim())?, after)));
        match value {
            Some((value, after)) => {
                out.push_str(value);
                rest = after;
            }
            None => {
                out.push_str("\\constant{");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The tags that statements have, and what is written in their place. Others, such as `<n>`, are not of HTML.
const TAGS: [(&str, &str, &str); 50] = [
    ("sup", "^", ""),
    ("sub", "_", ""),
    ("br", "\n", "\n"),
    ("hr", "\n", "\n"),
    ("p", "\n", "\n"),
    ("div", "\n", "\n"),
    ("li", "\n- ", ""),
    ("tr", "\n", "\n"),
    ("td", " | ", ""),
    ("th", " | ", ""),
    ("pre", "\n", "\n"),
    ("code", "`", "`"),
    ("tt", "`", "`"),
    ("kbd", "`", "`"),
    ("var", "", ""),
    ("a", "", ""),
    ("b", "", ""),
    ("i", "", ""),
    ("u", "", ""),
    ("s", "", ""),
    ("em", "", ""),
    ("strong", "", ""),
    ("small", "", ""),
    ("big", "", ""),
    ("span", "", ""),
    ("font", "", ""),
    ("center", "", ""),
    ("img", "", ""),
    ("figure", "", ""),
    ("figcaption", "", ""),
    ("table", "\n", "\n"),
    ("thead", "", ""),
    ("tbody", "", ""),
    ("ul", "\n", "\n"),
    ("ol", "\n", "\n"),
    ("h1", "\n# ", "\n"),
    ("h2", "\n## ", "\n"),
    ("h3", "\n### ", "\n"),
    ("h4", "\n#### ", "\n"),
    ("h5", "\n##### ", "\n"),
    ("h6", "\n###### ", "\n"),
    ("blockquote", "\n", "\n"),
    ("details", "\n", "\n"),
    ("summary", "\n", "\n"),
    ("section", "\n", "\n"),
    ("article", "\n", "\n"),
    ("iframe", "", ""),
    ("video", "", ""),
    ("svg", "", ""),
    ("html", "", ""),
];

/// Markdown without HTML: comments, which nobody sees, go with what they hold, tags leave what they enclose.
fn without_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = match hidden(from).or_else(|| tag(from, &mut out)) {
            Some(after) => after,
            None => {
                out.push('<');
                &from[1..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// What follows a comment, a script or a style at the beginning of a text. One that is not closed has no end.
fn hidden(from: &str) -> Option<&str> {
    let lower = |text: &str, length: usize| text.get(..length).map(str::to_ascii_lowercase);
    for (open, close) in [("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>")] {
        if lower(from, open.len()).is_some_and(|start| start == open) {
            let end = from
                .match_indices(close.chars().next()?)
                .find(|(at, _)| lower(&from[*at..], close.len()).is_some_and(|found| found == close));
            return Some(end.map_or("", |(at, _)| &from[at + close.len()..]));
        }
    }
    None
}

fn tag<'a>(from: &'a str, out: &mut String) -> Option<&'a str> {
    let inner = &from[1..];
    let closes = inner.starts_with('/');
    let inner = inner.strip_prefix('/').unwrap_or(inner);
    let length = inner.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, after) = (inner[..length].to_ascii_lowercase(), &inner[length..]);
    let (_, opened, closed) = TAGS.iter().find(|(known, _, _)| *known == name)?;
    let end = after.find('>')?;
    let attributes = &after[..end];
    // `a<b and c>d` compares.
    let is_tag = matches!(attributes.trim(), "" | "/") || attributes.contains('=');
    if !is_tag || attributes.contains('<') {
        return None;
    }
    out.push_str(if closes { closed } else { opened });
    Some(&after[end + 1..])
}

/// The beginning of a file as text. A character that was cut is left out.
fn head(files: &Files, file: &FileRef) -> Result<String, ReadError> {
    let bytes = beginning(files, file, MAX_SAMPLE)?;
    let text = String::from_utf8_lossy(&bytes);
    let is_cut = (bytes.len() as u64) < file.size;
    Ok(if is_cut { text.trim_end_matches('\u{fffd}') } else { text.as_ref() }.to_owned())
}

/// The first bytes of a file, however large it is.
fn beginning(files: &Files, file: &FileRef, most: usize) -> Result<Vec<u8>, ReadError> {
    let mut head = Head { bytes: Vec::new(), most };
    match files.copy(&file.name, &mut head) {
        // Whatever ended the copy, enough was read.
        Err(_) if head.bytes.len() == most => Ok(head.bytes),
        copied => copied.map(|()| head.bytes),
    }
}

/// Takes bytes until it has enough, and then no more.
struct Head {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.most - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
