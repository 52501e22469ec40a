//! What may be shown of a model's words: text without escapes, control characters and addresses, and without the code
//! that is for the student to find.

use std::collections::HashMap;

use super::edit::{Edit, RUN};
use super::tokens::SIGNS;

/// How often a text is cleaned again after what was taken out of it. Only texts made to deceive need more than two.
const PASSES: usize = 8;

/// The longest text and the longest address of a Markdown link that are looked for, in bytes.
const MAX_LINK: usize = 2000;

/// A text without terminal escapes, control characters other than line ends and tabs, invisible characters, characters
/// that turn the direction of writing, addresses of any kind, and Markdown's links and images, whose texts stay.
/// Cleaning a clean text changes nothing.
pub fn clean(text: &str) -> String {
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        let next = unlinked(&visible(&text));
        if next == text {
            return text;
        }
        text = next;
    }
    // Without these there is neither an address nor a link, nor a character that is written as a number.
    unlinked(&visible(&text)).replace([':', '[', '&', '<', '.'], " ")
}

/// A text without addresses, for what is no prose.
pub(super) fn without_addresses(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    unaddressed(text, &mut out);
    out
}

/// The text without what a terminal obeys or does not show.
fn visible(text: &str) -> String {
    let text = numbered(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\u{1b}' => after_escape(after),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => after_string(after),
            '\u{9b}' => after_sequence(after),
            _ => {
                match c {
                    '\r' if after.starts_with('\n') => {}
                    '\r' | '\u{2028}' | '\u{2029}' => out.push('\n'),
                    _ if is_invisible(c) => {}
                    _ => out.push(c),
                }
                after
            }
        };
    }
    out
}

/// Whether a character is one that terminals obey or do not show, and neither a line end nor a tab.
pub(super) fn is_invisible(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// What follows an escape character and what it begins.
fn after_escape(rest: &str) -> &str {
    match rest.chars().next() {
        Some('[') => after_sequence(&rest[1..]),
        Some(']' | 'P' | 'X' | '^' | '_') => after_string(&rest[1..]),
        // Intermediate characters, then a final one.
        Some(' '..='/') => {
            let rest = rest.trim_start_matches(|c: char| (' '..='/').contains(&c));
            rest.strip_prefix(|c: char| ('0'..='~').contains(&c)).unwrap_or(rest)
        }
        Some('0'..='~') => &rest[1..],
        _ => rest,
    }
}

/// What follows a control sequence: parameters, intermediates and a final character. What is cut off in the middle stays,
/// without its beginning it is only text.
fn after_sequence(rest: &str) -> &str {
    let end = rest.find(|c: char| !(' '..='?').contains(&c)).unwrap_or(rest.len());
    rest[end..].strip_prefix(|c: char| ('@'..='~').contains(&c)).unwrap_or(rest)
}

/// What follows a string for the terminal, up to its end. One that does not end is only text without its beginning.
fn after_string(rest: &str) -> &str {
    let end = rest.find(['\u{7}', '\u{9c}', '\u{1b}']);
    match end {
        Some(end) if rest[end..].starts_with('\u{1b}') => {
            rest[end..].strip_prefix("\u{1b}\\").unwrap_or(&rest[end..])
        }
        Some(end) => rest[end..].trim_start_matches(['\u{7}', '\u{9c}']),
        None => rest,
    }
}

/// Puts characters in place of their numbers, such as `&#58;`, which Markdown would turn into them after all is checked.
fn numbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let (digits, radix) = inner.strip_prefix(['x', 'X']).map_or((inner, 10), |digits| (digits, 16));
        let length = digits.bytes().take_while(|byte| (*byte as char).is_digit(radix)).count();
        let number = u32::from_str_radix(&digits[..length.min(9)], radix);
        match (number, digits[length..].strip_prefix(';')) {
            (Ok(number), Some(after)) => {
                // Nothing that could be part of another number, so that none comes about.
                let harmless =
                    |c: &char| !c.is_control() && !c.is_ascii_alphanumeric() && !"&#;".contains(*c);
                out.push(char::from_u32(number).filter(harmless).unwrap_or('\u{fffd}'));
                rest = after;
            }
            _ => {
                out.push_str("&#");
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    for (name, sign) in
        [("&colon;", ":"), ("&sol;", "/"), ("&period;", "."), ("&lsqb;", "["), ("&lpar;", "(")]
    {
        if out.contains(name) {
            out = out.replace(name, sign);
        }
    }
    out
}

/// The text without links and addresses.
fn unlinked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        // What is marked as code is no link, but terminals find addresses anywhere.
        if c == '`' {
            let ticks = rest.len() - rest.trim_start_matches('`').len();
            let code = code_span(rest, ticks);
            out.push_str(&rest[..ticks]);
            if let Some(code) = code {
                unaddressed(code, &mut out);
                out.push_str(&rest[..ticks]);
            }
            at += ticks + code.map_or(0, |code| code.len() + ticks);
            continue;
        }
        if let Some((text, length)) = link(rest) {
            out.push_str(text);
            at += length;
            continue;
        }
        if c == '<'
            && let Some(length) = autolink(rest)
        {
            at += length;
            continue;
        }
        let end =
            rest.char_indices().skip(1).find(|(_, c)| "`![<".contains(*c)).map_or(rest.len(), |(end, _)| end);
        unaddressed(&rest[..end], &mut out);
        at += end;
    }
    out
}

/// What stands between backticks, if they are closed in the same paragraph.
fn code_span(rest: &str, ticks: usize) -> Option<&str> {
    let inner = &rest[ticks..];
    let paragraph = &inner[..inner.find("\n\n").unwrap_or(inner.len())];
    let mut at = 0;
    while let Some(found) = paragraph[at..].find('`') {
        let start = at + found;
        let length = paragraph[start..].len() - paragraph[start..].trim_start_matches('`').len();
        if length == ticks {
            return Some(&paragraph[..start]);
        }
        at = start + length;
    }
    None
}

/// A link or an image at the beginning of a text: its own text, and its length.
fn link(rest: &str) -> Option<(&str, usize)> {
    let mark = usize::from(rest.starts_with('!'));
    let inner = rest[mark..].strip_prefix('[')?;
    let text = enclosed(inner, '[', ']')?;
    let target = enclosed(inner[text.len() + 1..].strip_prefix('(')?, '(', ')')?;
    Some((text, mark + text.len() + target.len() + 4))
}

/// What stands before the closing bracket, others in between being open and closed again.
fn enclosed(inner: &str, open: char, close: char) -> Option<&str> {
    let mut depth = 0_usize;
    let mut escaped = false;
    let mut before = ' ';
    for (at, c) in inner.char_indices().take_while(|(at, _)| *at < MAX_LINK) {
        if c == '\n' && before == '\n' {
            return None;
        }
        before = c;
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == open => depth += 1,
            _ if c == close && depth == 0 => return Some(&inner[..at]),
            _ if c == close => depth -= 1,
            _ => {}
        }
    }
    None
}

/// The length of `<scheme:anything>`. Names such as `<std::vector>` are none.
fn autolink(rest: &str) -> Option<usize> {
    let inner = &rest[1..];
    let scheme = inner.bytes().take_while(|byte| is_scheme(*byte)).count();
    let after = inner[scheme..].strip_prefix(':')?;
    let end = after.find(|c: char| c.is_whitespace() || c == '<' || c == '>')?;
    let is_one = scheme >= 2 && after[end..].starts_with('>') && end > 0 && !after.starts_with(':');
    is_one.then_some(scheme + end + 3)
}

fn is_scheme(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+.-".contains(&byte)
}

/// Appends a text without addresses.
fn unaddressed(text: &str, out: &mut String) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let run = rest.bytes().take_while(|byte| is_scheme(*byte)).count();
        if run == 0 {
            let end = rest.bytes().position(is_scheme).unwrap_or(rest.len());
            out.push_str(&rest[..end]);
            at += end;
        } else if is_address(&rest[..run], &rest[run..]) {
            at += rest.find(ends_address).unwrap_or(rest.len());
        } else {
            out.push_str(&rest[..run]);
            at += run;
        }
    }
}

/// Whether an address begins with these characters.
fn is_address(run: &str, after: &str) -> bool {
    let run = run.to_ascii_lowercase();
    if after.starts_with("://") || (run.starts_with("www.") && run.len() > 4) {
        return true;
    }
    let Some(after) = after.strip_prefix(':') else { return false };
    let goes_on = after.starts_with(|c: char| !c.is_whitespace() && !ends_address(c) && c != ':');
    match run.as_str() {
        "javascript" | "vbscript" | "mailto" => goes_on,
        "file" => after.starts_with('/'),
        "tel" | "sms" => after.starts_with(|c: char| c == '+' || c.is_ascii_digit()),
        "data" => after.split([';', ',']).next().is_some_and(|kind| {
            kind.len() < after.len()
                && kind.contains('/')
                && kind.bytes().all(|byte| is_scheme(byte) || byte == b'/')
        }),
        _ => false,
    }
}

fn ends_address(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_whitespace() || "`<>\"'()[]{}*|\\^".contains(c)
}

/// What of a hint gives the correction away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leak {
    /// A block of code.
    Fence,
    /// A row of tokens out of the lines that the correction changes.
    Run {
        /// How many.
        tokens: usize,
    },
}

/// Whether a hint gives the correction away: by a block of code, or by [`RUN`] or more tokens in a row out of the lines
/// that the correction changes. White space, line ends, Markdown's marks, upper and lower case and what stands between
/// two pieces marked as code make no difference. A row that the student's own program has too, the whole of it in one
/// piece, is no secret: a hint may quote the line with the mistake.
pub fn gives_away(hint: &str, edit: &Edit) -> Option<Leak> {
    if has_block(hint) {
        return Some(Leak::Fence);
    }
    let mut numbers = HashMap::new();
    let said = pieces(hint, &mut numbers);
    let marked = pieces(&code_spans(hint), &mut numbers);
    let mut most = 0;
    for (tokens, known) in edit.changed.iter().zip(&edit.known) {
        let secret = Secret::new(tokens, known, &mut numbers);
        most = most.max(secret.longest_in(&said)).max(secret.longest_in(&marked));
    }
    (most >= RUN).then_some(Leak::Run { tokens: most })
}

/// Whether a text has a block of code: fenced, indented by two lines or more, or in HTML.
pub(super) fn has_block(text: &str) -> bool {
    if text.contains("```") || text.to_ascii_lowercase().contains("<pre") {
        return true;
    }
    // What stands in a list is indented without being code. `base` is where the text of the open list item begins.
    let (mut base, mut block, mut after_blank) = (0, 0, true);
    for line in text.lines() {
        let line = unquoted(line);
        let body = line.trim_start();
        if body.starts_with("~~~") || after_marker(body).is_some_and(|item| item.starts_with("~~~")) {
            return true;
        }
        if body.is_empty() {
            after_blank = true;
            continue;
        }
        let indent: usize =
            line[..line.len() - body.len()].chars().map(|c| if c == '\t' { 4 } else { 1 }).sum();
        if after_blank && indent < base {
            base = 0;
        }
        if indent >= base + 4 && (after_blank || block > 0) {
            block += 1;
            if block >= 2 {
                return true;
            }
        } else {
            block = 0;
            if let Some(item) = after_marker(body) {
                base = indent + body.len() - item.len();
            }
        }
        after_blank = false;
    }
    false
}

/// A line without the marks of a quotation.
fn unquoted(line: &str) -> &str {
    let mut line = line;
    while let Some(inner) = line.trim_start_matches(' ').strip_prefix('>') {
        line = inner.strip_prefix(' ').unwrap_or(inner);
    }
    line
}

/// What follows the marker of a list item.
fn after_marker(line: &str) -> Option<&str> {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = match digits {
        0 => line.strip_prefix(['-', '*', '+'])?,
        1..=9 => line[digits..].strip_prefix(['.', ')'])?,
        _ => return None,
    };
    rest.starts_with([' ', '\t']).then(|| rest.trim_start())
}

/// All that is marked as code within lines, one piece after the other.
fn code_spans(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('`') {
        let from = &rest[at..];
        let ticks = from.len() - from.trim_start_matches('`').len();
        let code = code_span(from, ticks);
        if let Some(code) = code {
            out.push_str(code);
            out.push('\n');
        }
        rest = &from[ticks + code.map_or(0, |code| code.len() + ticks)..];
    }
    out
}

/// A text as numbers for its words and signs. The same is done to code and to what is said about it, so that what
/// Markdown, a keyboard or taste changes makes no difference.
fn pieces(text: &str, numbers: &mut HashMap<String, u32>) -> Vec<u32> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut text = text.to_lowercase();
    for (name, sign) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")] {
        text = text.replace(name, sign);
    }
    let mut flush = |word: &mut String, found: &mut Vec<u32>| {
        if !word.is_empty() {
            let next = numbers.len() as u32;
            found.push(*numbers.entry(std::mem::take(word)).or_insert(next));
        }
    };
    let text: String = text.chars().flat_map(plain).collect();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        // A particle that is written to a name, as in Korean, is not part of it.
        let joins =
            c.is_alphanumeric() && word.chars().next_back().is_none_or(|l| l.is_ascii() == c.is_ascii());
        if !joins {
            flush(&mut word, &mut found);
        }
        if c.is_alphanumeric() {
            word.push(c);
        } else if !c.is_whitespace() && !is_mark(c) {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign) && !sign.contains(is_mark));
            length = sign.map_or(length, |sign| sign.len());
            word.push_str(&rest[..length]);
            flush(&mut word, &mut found);
        }
        rest = &rest[length..];
    }
    flush(&mut word, &mut found);
    found
}

/// What Markdown marks text with. As operators they count as tokens all the same.
fn is_mark(c: char) -> bool {
    "*_`\\~".contains(c)
}

/// A character as a keyboard has it.
fn plain(c: char) -> Vec<char> {
    let one = |c: char| vec![c];
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).map_or_else(Vec::new, one),
        '“' | '”' | '„' => one('"'),
        '‘' | '’' => one('\''),
        '≤' => vec!['<', '='],
        '≥' => vec!['>', '='],
        '≠' => vec!['!', '='],
        '−' | '–' => one('-'),
        _ => one(c),
    }
}

/// A row of tokens that must not be said.
struct Secret<'a> {
    pieces: Vec<u32>,
    /// For each piece, its token and whether it is that token's first and last.
    tokens: Vec<(usize, bool, bool)>,
    /// For each token, how many from there on the student has in one piece.
    known: &'a [usize],
}

impl<'a> Secret<'a> {
    fn new(run: &[String], known: &'a [usize], numbers: &mut HashMap<String, u32>) -> Self {
        let (mut all, mut tokens) = (Vec::new(), Vec::new());
        for (index, token) in run.iter().enumerate() {
            let found = pieces(token, numbers);
            let last = found.len().saturating_sub(1);
            tokens.extend((0..found.len()).map(|at| (index, at == 0, at == last)));
            all.extend(found);
        }
        Self { pieces: all, tokens, known }
    }

    /// The most tokens that are said in a row, unless the student has the same row.
    fn longest_in(&self, said: &[u32]) -> usize {
        let mut longest = 0;
        let mut above = vec![0_usize; self.pieces.len() + 1];
        let mut row = above.clone();
        for piece in said {
            for (at, secret) in self.pieces.iter().enumerate() {
                row[at + 1] = if piece == secret { above[at] + 1 } else { 0 };
                // Counted where the row of pieces cannot be a longer one by a piece before it.
                if row[at + 1] > 1 {
                    longest = longest.max(self.count(at + 1 - row[at + 1], at));
                }
            }
            std::mem::swap(&mut above, &mut row);
        }
        longest
    }

    /// How many whole tokens there are from one piece to another, if the student does not have them in one piece.
    fn count(&self, first: usize, last: usize) -> usize {
        let (from, is_first, _) = self.tokens[first];
        let (to, _, is_last) = self.tokens[last];
        let (from, end) = (from + usize::from(!is_first), to + usize::from(is_last));
        let count = end.saturating_sub(from);
        let is_known = self.known.get(from).is_some_and(|known| *known >= count);
        if count < RUN || is_known { 0 } else { count }
    }
}

#[cfg(test)]
mod tests;
