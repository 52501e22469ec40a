//! Programs as tokens: one small lexer for all seven languages. It never fails: what is no sound program is cut into
//! tokens all the same, since programs with mistakes are what feedback is about.
//!
//! White space counts only where it means something: Python's lines and indentation, the ends of Go's lines, the ends of
//! C's directives, and a line end after JavaScript's `return`.

use std::ops::Range;

/// The languages, as far as their tokens differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    C,
    Cpp,
    Go,
    Java,
    JavaScript,
    Python,
    Rust,
}

impl Syntax {
    /// The language of a file by its name. One that is not known is read as C, which most languages resemble.
    pub(crate) fn of_file(name: &str) -> Self {
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "cpp" | "cc" | "cxx" | "c++" | "h" | "hpp" | "hh" | "hxx" => Self::Cpp,
            "go" => Self::Go,
            "java" => Self::Java,
            "js" | "mjs" | "cjs" | "json" => Self::JavaScript,
            "py" => Self::Python,
            "rs" => Self::Rust,
            _ => Self::C,
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// A literal in quotes, or a regular expression.
    Text,
    /// An operator or a bracket.
    Sign,
    /// White space that means something.
    Layout,
}

/// A token. Those of layout have texts that no program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    /// The line that it begins on, counted from 1.
    pub(crate) line: usize,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
}

/// A program in pieces.
#[derive(Debug, Default)]
pub(crate) struct Tokens<'a> {
    pub(crate) tokens: Vec<Token<'a>>,
    /// Where the comments are, in bytes.
    pub(crate) comments: Vec<Range<usize>>,
}

const LINE_END: &str = "\n";
const INDENT: &str = "\t>";
const DEDENT: &str = "\t<";
/// Python refuses a line whose indentation mixes tabs and blanks otherwise than the lines around it.
const MIXED: &str = "\t?";
/// What Go puts in at the end of a line.
const SEMICOLON: &str = ";";

/// The operators of several characters, the longest first.
pub(crate) const SIGNS: [&str; 44] = [
    ">>>=", "<<=", ">>=", ">>>", "**=", "//=", "===", "!==", "...", "..=", "<=>", "&&=", "||=", "??=", "->*",
    "&^=", "==", "!=", "<=", ">=", "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=",
    "<<", ">>", "->", "=>", "::", "**", "//", "..", "??", "?.", ":=", "<-",
];

/// Cuts a program into tokens.
pub(crate) fn tokens(syntax: Syntax, text: &str) -> Tokens<'_> {
    let lexer = Lexer {
        syntax,
        text,
        at: 0,
        line: 1,
        depth: 0,
        indents: vec![(0, 0)],
        in_directive: false,
        found: Tokens::default(),
    };
    lexer.run()
}

struct Lexer<'a> {
    syntax: Syntax,
    text: &'a str,
    at: usize,
    line: usize,
    /// How many brackets are open: between them Python's lines do not count.
    depth: usize,
    /// Python's open indentations: the width with tabs to every eighth column, and with tabs as one.
    indents: Vec<(usize, usize)>,
    in_directive: bool,
    found: Tokens<'a>,
}

impl<'a> Lexer<'a> {
    fn run(mut self) -> Tokens<'a> {
        if self.rest().starts_with("#!") && !self.rest().starts_with("#![") {
            self.comment_to_line_end();
        }
        let mut line_begins = true;
        while let Some(c) = self.peek() {
            if std::mem::take(&mut line_begins) && self.syntax == Syntax::Python && self.depth == 0 {
                self.indentation();
                continue;
            }
            match c {
                '\n' => {
                    self.line_end();
                    self.at += 1;
                    self.line += 1;
                    line_begins = true;
                }
                '\\' if self.line_is_continued() => {
                    self.at =
                        self.text[self.at..].find('\n').map_or(self.text.len(), |end| self.at + end + 1);
                    self.line += 1;
                }
                _ if c.is_whitespace() => self.at += c.len_utf8(),
                _ if self.comment() => {}
                _ if c.is_ascii_digit() => self.number(),
                '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => self.number(),
                '"' | '\'' => self.quoted(self.at),
                '`' if matches!(self.syntax, Syntax::Go | Syntax::JavaScript) => self.quoted(self.at),
                '/' if self.syntax == Syntax::JavaScript && self.regex() => {}
                _ if is_word(c) => self.word(),
                _ => self.sign(c),
            }
        }
        self.line_end();
        self.found
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn last(&self) -> Option<Token<'a>> {
        self.found.tokens.last().copied()
    }

    /// Adds what stands from `start` to here.
    fn push(&mut self, kind: Kind, start: usize) {
        let text = &self.text[start..self.at];
        self.found.tokens.push(Token { kind, text, line: self.line, start });
        self.line += text.bytes().filter(|byte| *byte == b'\n').count();
    }

    fn layout(&mut self, text: &'static str) {
        self.found.tokens.push(Token { kind: Kind::Layout, text, line: self.line, start: self.at });
    }

    fn line_is_continued(&self) -> bool {
        matches!(self.syntax, Syntax::Python | Syntax::C | Syntax::Cpp)
            && self.rest()[1..].trim_start_matches('\r').starts_with('\n')
    }

    /// The end of a line, or of the program.
    fn line_end(&mut self) {
        let Some(last) = self.last() else { return };
        match self.syntax {
            Syntax::Python if self.depth == 0 && last.kind != Kind::Layout => self.layout(LINE_END),
            Syntax::C | Syntax::Cpp if std::mem::take(&mut self.in_directive) => self.layout(LINE_END),
            Syntax::Go if ends_a_statement(last) => self.layout(SEMICOLON),
            Syntax::JavaScript
                if matches!(last.text, "return" | "break" | "continue" | "throw" | "yield") =>
            {
                self.layout(LINE_END);
            }
            _ => {}
        }
    }

    /// The white space at the beginning of a line of Python.
    fn indentation(&mut self) {
        let (mut width, mut characters) = (0, 0);
        while let Some(c @ (' ' | '\t' | '\u{c}')) = self.peek() {
            width = if c == '\t' { (width / 8 + 1) * 8 } else { width + 1 };
            characters += 1;
            self.at += 1;
        }
        // Lines with nothing but a comment do not count.
        if matches!(self.peek(), None | Some('\n' | '\r' | '#')) {
            return;
        }
        let here = (width, characters);
        let top = self.indents.last().copied().unwrap_or_default();
        if (width.cmp(&top.0)) != (characters.cmp(&top.1)) {
            self.layout(MIXED);
        }
        if width > top.0 {
            self.indents.push(here);
            self.layout(INDENT);
            return;
        }
        while self.indents.last().is_some_and(|open| open.0 > width) {
            self.indents.pop();
            self.layout(DEDENT);
        }
        if self.indents.last().is_none_or(|open| open.0 != width) {
            // A way back to an indentation that no line before has.
            self.indents.push(here);
            self.layout(MIXED);
        }
    }

    fn comment(&mut self) -> bool {
        let rest = self.rest();
        if self.syntax == Syntax::Python {
            let is_one = rest.starts_with('#');
            if is_one {
                self.comment_to_line_end();
            }
            return is_one;
        }
        if rest.starts_with("//") {
            self.comment_to_line_end();
            return true;
        }
        if !rest.starts_with("/*") {
            return false;
        }
        let (start, mut open) = (self.at, 0_usize);
        while self.at < self.text.len() {
            let rest = self.rest();
            if rest.starts_with("*/") {
                self.at += 2;
                open = open.saturating_sub(1);
            } else if rest.starts_with("/*") && (open == 0 || self.syntax == Syntax::Rust) {
                self.at += 2;
                open += 1;
            } else {
                self.at += rest.chars().next().map_or(1, char::len_utf8);
            }
            if open == 0 {
                break;
            }
        }
        self.line += self.text[start..self.at].bytes().filter(|byte| *byte == b'\n').count();
        self.found.comments.push(start..self.at);
        true
    }

    fn comment_to_line_end(&mut self) {
        let start = self.at;
        self.at = self.rest().find('\n').map_or(self.text.len(), |end| start + end);
        let end = start + self.text[start..self.at].trim_end().len();
        self.found.comments.push(start..end);
    }

    fn word(&mut self) {
        let start = self.at;
        self.skip_word();
        let word = &self.text[start..self.at];
        let rest = self.rest();
        let is_prefix = match self.syntax {
            Syntax::Python => {
                word.len() <= 2
                    && word.chars().all(|c| "rbfutRBFUT".contains(c))
                    && rest.starts_with(['"', '\''])
            }
            Syntax::Rust => self.rust_prefix(start),
            Syntax::C | Syntax::Cpp => {
                ["L", "u", "U", "u8", "R", "LR", "uR", "UR", "u8R"].contains(&word)
                    && rest.starts_with(['"', '\''])
            }
            _ => false,
        };
        if is_prefix { self.quoted(start) } else { self.push(Kind::Word, start) }
    }

    /// Whether the word from `start` begins a literal. A raw name, such as `r#match`, is taken along.
    fn rust_prefix(&mut self, start: usize) -> bool {
        let (word, rest) = (&self.text[start..self.at], self.rest());
        match word {
            "b" => rest.starts_with(['"', '\'']),
            "c" => rest.starts_with('"'),
            "r" | "br" | "cr" => {
                let after = rest.trim_start_matches('#');
                if word == "r" && rest.len() == after.len() + 1 && after.starts_with(is_word) {
                    self.at += 1;
                    self.skip_word();
                }
                after.starts_with('"')
            }
            _ => false,
        }
    }

    fn skip_word(&mut self) {
        while let Some(c) = self.peek()
            && (is_word(c) || c.is_ascii_digit())
        {
            self.at += c.len_utf8();
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let is_hexadecimal = self.rest().starts_with("0x") || self.rest().starts_with("0X");
        let mut before = ' ';
        while let Some(c) = self.peek() {
            let next = self.rest()[c.len_utf8()..].chars().next().unwrap_or(' ');
            let belongs = c.is_ascii_alphanumeric()
                || c == '_'
                || (c == '.' && next.is_ascii_digit())
                || (c == '\''
                    && next.is_ascii_alphanumeric()
                    && matches!(self.syntax, Syntax::C | Syntax::Cpp))
                || ("+-".contains(c) && "eE".contains(before) && !is_hexadecimal && next.is_ascii_digit());
            if !belongs {
                break;
            }
            before = c;
            self.at += 1;
        }
        self.push(Kind::Word, start);
    }

    /// A literal in quotes, whose prefix begins at `start` and whose quote is here. One that is not closed ends with its
    /// line.
    fn quoted(&mut self, start: usize) {
        let rest = self.rest();
        let prefix = &self.text[start..self.at];
        if self.syntax == Syntax::Rust && rest.starts_with('\'') && self.lifetime(start) {
            return;
        }
        if self.syntax == Syntax::Rust && prefix.contains('r') {
            let hashes = rest.len() - rest.trim_start_matches('#').len();
            return self.until(start, hashes + 1, &format!("\"{}", "#".repeat(hashes)), false);
        }
        if self.syntax == Syntax::Cpp && prefix.ends_with('R') && rest.starts_with('"') {
            // A delimiter has 16 characters at most.
            if let Some(open) = rest.bytes().take(18).position(|byte| byte == b'(') {
                return self.until(start, open + 1, &format!("){}\"", &rest[1..open]), false);
            }
        }
        let quote = if rest.starts_with('\'') {
            "'"
        } else if rest.starts_with('`') {
            "`"
        } else {
            "\""
        };
        let triple = quote.repeat(3);
        let has_triple = match self.syntax {
            Syntax::Python => quote != "`",
            Syntax::Java => quote == "\"",
            _ => false,
        };
        if has_triple && rest.starts_with(&triple) {
            return self.until(start, 3, &triple, true);
        }
        if quote == "`" || (self.syntax == Syntax::Rust && quote == "\"") {
            return self.until(start, 1, quote, self.syntax != Syntax::Go);
        }
        let mut escaped = false;
        let mut end = rest.len();
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                '\n' if !escaped => {
                    end = at;
                    break;
                }
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if quote.starts_with(c) => {
                    end = at + 1;
                    break;
                }
                _ => {}
            }
        }
        self.at += end;
        self.push(Kind::Text, start);
    }

    /// A literal that may go over several lines.
    fn until(&mut self, start: usize, opening: usize, closing: &str, has_escapes: bool) {
        self.at += opening.min(self.rest().len());
        while self.at < self.text.len() {
            let rest = self.rest();
            if rest.starts_with(closing) {
                self.at += closing.len();
                break;
            }
            let mut characters = rest.chars();
            let first = characters.next().map_or(0, char::len_utf8);
            let second = if has_escapes && rest.starts_with('\\') { characters.next() } else { None };
            self.at += first + second.map_or(0, char::len_utf8);
        }
        self.push(Kind::Text, start);
    }

    /// Rust's `'a`, which is no character.
    fn lifetime(&mut self, start: usize) -> bool {
        let mut after = self.rest().chars().skip(1);
        let (first, second) = (after.next(), after.next());
        let is_one = first.is_some_and(is_word) && second != Some('\'');
        if is_one {
            self.at += 1;
            self.skip_word();
            self.push(Kind::Word, start);
        }
        is_one
    }

    /// A regular expression, where a division cannot stand.
    fn regex(&mut self) -> bool {
        let divides = self.last().is_some_and(|last| match last.kind {
            Kind::Word => {
                !matches!(last.text, "return" | "typeof" | "case" | "in" | "of" | "do" | "else" | "yield")
            }
            Kind::Text => true,
            Kind::Sign => matches!(last.text, ")" | "]" | "}" | "++" | "--"),
            Kind::Layout => false,
        });
        if divides {
            return false;
        }
        let (mut escaped, mut in_class) = (false, false);
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                '\n' => return false,
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => {
                    let start = self.at;
                    self.at += at + 1;
                    self.skip_word();
                    self.push(Kind::Text, start);
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    fn sign(&mut self, c: char) {
        let start = self.at;
        let long = SIGNS.iter().find(|sign| self.rest().starts_with(**sign));
        self.at += long.map_or(c.len_utf8(), |sign| sign.len());
        match c {
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth = self.depth.saturating_sub(1),
            '#' if matches!(self.syntax, Syntax::C | Syntax::Cpp) => {
                self.in_directive |= self.last().is_none_or(|last| last.line < self.line);
            }
            _ => {}
        }
        // Go leaves the choice whether the last statement before a bracket has one.
        if self.syntax == Syntax::Go
            && matches!(c, ')' | '}')
            && self.last().is_some_and(|last| last.text == SEMICOLON)
        {
            self.found.tokens.pop();
        }
        self.push(Kind::Sign, start);
    }
}

/// Whether a character can be in a name. All beyond ASCII can, which is simpler than the languages' rules and does no
/// harm here.
fn is_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '$' || (!c.is_ascii() && !c.is_whitespace())
}

/// Whether Go puts in a semicolon where a line ends with this token.
fn ends_a_statement(last: Token<'_>) -> bool {
    const OPEN: [&str; 21] = [
        "case",
        "chan",
        "const",
        "default",
        "defer",
        "else",
        "for",
        "func",
        "go",
        "goto",
        "if",
        "import",
        "interface",
        "map",
        "package",
        "range",
        "select",
        "struct",
        "switch",
        "type",
        "var",
    ];
    match last.kind {
        Kind::Word => !OPEN.contains(&last.text),
        Kind::Text => true,
        Kind::Sign => matches!(last.text, ")" | "]" | "}" | "++" | "--"),
        Kind::Layout => false,
    }
}

#[cfg(test)]
mod tests;
