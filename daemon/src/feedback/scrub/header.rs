//! The comment at the top of a file, where assignments want names, numbers and courses.

use codementor_protocol::SourceFile;

use super::known::Known;
use super::marks;
use crate::feedback::tokens::{Kind, Syntax, tokens};

/// What stood at the top of a file, and how its lines ended.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    /// What only Windows' editors put there.
    mark: &'static str,
    /// The lines that say how to read or to run the file. They are sent.
    lead: String,
    /// The comments, up to the code.
    comments: String,
    /// Whether each line ended with a carriage return.
    returns: bool,
    /// Whether the last line had no end.
    open_end: bool,
}

const BYTE_ORDER_MARK: &str = "\u{feff}";

impl Header {
    /// Takes the header off a file. In its place there are as many empty lines.
    pub(super) fn take(file: &SourceFile, known: &Known) -> (Self, String) {
        let syntax = Syntax::of_file(&file.name);
        let (mark, text) = match file.text.strip_prefix(BYTE_ORDER_MARK) {
            Some(text) => (BYTE_ORDER_MARK, text),
            None => ("", file.text.as_str()),
        };
        let returns = text.contains("\r\n") && text.matches('\n').count() == text.matches("\r\n").count();
        let text = if returns { text.replace("\r\n", "\n") } else { text.to_owned() };
        let lead = lead(syntax, &text);
        let end = end(syntax, &text, lead, known);
        let (lead, comments, rest) = (&text[..lead], &text[lead..end], &text[end..]);
        let lines = "\n".repeat(comments.matches('\n').count());
        let scrubbed = format!("{lead}{lines}{rest}");
        let open_end = !text.is_empty() && !text.ends_with('\n');
        (Self { mark, lead: lead.to_owned(), comments: comments.to_owned(), returns, open_end }, scrubbed)
    }

    /// Puts it back on top of a file.
    pub(super) fn put_back(&self, text: &str) -> String {
        let mut body = text;
        if !self.lead.is_empty() || !self.comments.is_empty() {
            // What a model leaves of the lines at the top is not to be relied on.
            body = without_blank_lines(body);
            body = body.strip_prefix(self.lead.as_str()).unwrap_or_else(|| {
                body.strip_prefix(self.lead.trim_end())
                    .map_or(body, |rest| rest.strip_prefix('\n').unwrap_or(rest))
            });
            body = if self.comments.is_empty() { body } else { without_blank_lines(body) };
        }
        let mut whole = format!("{}{}{body}", self.lead, self.comments);
        if self.open_end && whole.ends_with('\n') {
            whole.pop();
        }
        if self.returns {
            whole = whole.replace("\r\n", "\n").replace('\n', "\r\n");
        }
        format!("{}{whole}", self.mark)
    }
}

fn without_blank_lines(text: &str) -> &str {
    let mut text = text;
    while let Some((line, rest)) = text.split_once('\n')
        && line.trim().is_empty()
    {
        text = rest;
    }
    text
}

/// Where the lines end that say how to read or to run the file.
fn lead(syntax: Syntax, text: &str) -> usize {
    let mut end = 0;
    for (number, line) in text.split_inclusive('\n').take(2).enumerate() {
        let runs = number == 0 && line.starts_with("#!") && !line.starts_with("#![");
        let reads = syntax == Syntax::Python
            && line.trim_start().starts_with('#')
            && line.split_once("coding").is_some_and(|(_, after)| after.starts_with([':', '=']));
        if !runs && !reads {
            break;
        }
        end += line.len();
    }
    end
}

/// Where the comments at the top end; `from` if there are none.
fn end(syntax: Syntax, text: &str, from: usize, known: &Known) -> usize {
    let found = tokens(syntax, text);
    let mut code = found.tokens.iter().filter(|token| token.kind != Kind::Layout).peekable();
    let mut has_text = false;
    if syntax == Syntax::Python
        && let Some(first) = code.peek()
        && first.kind == Kind::Text
        && marks::is_personal(first.text, known)
        && found
            .tokens
            .iter()
            .find(|token| token.start > first.start)
            .is_none_or(|next| next.kind == Kind::Layout)
    {
        // A text that stands alone at the top is a comment to all but Python.
        has_text = true;
        code.next();
    }
    let first = code.next().map_or(text.len(), |token| token.start);
    // What is written for a tool is no comment for people.
    let is_directive = |range: &&std::ops::Range<usize>| {
        let comment = &text[(*range).clone()];
        syntax == Syntax::Go && (comment.starts_with("//go:") || comment.starts_with("// +build"))
    };
    let first = found.comments.iter().find(is_directive).map_or(first, |range| first.min(range.start));
    let has_comment = found.comments.iter().any(|range| range.start >= from && range.start < first);
    if !has_comment && !has_text {
        return from;
    }
    let line = text[..first].rfind('\n').map_or(0, |end| end + 1).max(from);
    if text[line..first].trim().is_empty() { line } else { first }
}
