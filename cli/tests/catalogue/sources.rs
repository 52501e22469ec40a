//! The strings of a crate's sources, each with where it stands.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

/// A string of a source file.
#[derive(Debug)]
pub(super) struct Text {
    /// The file, from the crate's `src` on.
    pub(super) file: PathBuf,
    pub(super) line: usize,
    /// What it stands in, the innermost last: `t!` for a macro, `expect` for a call, `#error` for an attribute.
    pub(super) within: Vec<String>,
    /// How many strings stand before it in the innermost.
    pub(super) place: usize,
    pub(super) value: String,
}

impl Text {
    pub(super) fn is_in(&self, name: &str) -> bool {
        self.within.last().is_some_and(|last| last == name)
    }
}

/// The strings of all sources of a folder, without those of tests.
pub(super) fn texts(folder: &Path) -> Vec<Text> {
    let mut paths = Vec::new();
    files(folder, &mut paths);
    let mut found = Vec::new();
    for path in paths {
        let source = std::fs::read_to_string(&path).expect("a source is read");
        let tokens: TokenStream =
            source.parse().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let file = path.strip_prefix(folder).expect("it lies there");
        walk(tokens, file, &mut Vec::new(), &mut found);
    }
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("it has a name").to_string_lossy();
        match path.is_dir() {
            true if name != "tests" => files(&path, found),
            false if name.ends_with(".rs") && name != "tests.rs" => found.push(path),
            _ => {}
        }
    }
}

fn walk(tokens: TokenStream, file: &Path, within: &mut Vec<String>, found: &mut Vec<Text>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let (mut at, mut place) = (0, 0);
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token {
            TokenTree::Punct(sign) if sign.as_char() == '#' => {
                let inner = matches!(tokens.get(at), Some(TokenTree::Punct(sign)) if sign.as_char() == '!');
                let Some(TokenTree::Group(attribute)) = tokens.get(at + usize::from(inner)) else { continue };
                at += usize::from(inner) + 1;
                let text = attribute.stream().to_string();
                if text.replace(' ', "") == "cfg(test)" {
                    // Over with the item that follows.
                    let ends = |token: &TokenTree| match token {
                        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                        TokenTree::Punct(sign) => sign.as_char() == ';',
                        _ => false,
                    };
                    at += tokens[at..].iter().position(ends).map_or(0, |end| end + 1);
                    continue;
                }
                let name = text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
                within.push(format!("#{name}"));
                walk(attribute.stream(), file, within, found);
                within.pop();
            }
            TokenTree::Group(group) => {
                let name = match (&tokens[..at - 1], group.delimiter()) {
                    ([.., TokenTree::Ident(name), TokenTree::Punct(sign)], _) if sign.as_char() == '!' => {
                        format!("{name}!")
                    }
                    ([.., TokenTree::Ident(name)], Delimiter::Parenthesis) => name.to_string(),
                    // An inner part of what it stands in, and not the argument itself.
                    _ => String::new(),
                };
                within.push(name);
                walk(group.stream(), file, within, found);
                within.pop();
            }
            TokenTree::Literal(literal) => {
                // A pattern is what is read, and not what is said.
                let is = |at: usize, sign: char| matches!(tokens.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == sign);
                let is_pattern = is(at, '|') || (is(at, '=') && is(at + 1, '>'));
                if let Ok(text) = syn::parse_str::<LitStr>(&literal.to_string())
                    && !is_pattern
                {
                    found.push(Text {
                        file: file.into(),
                        line: literal.span().start().line,
                        within: within.clone(),
                        place,
                        value: text.value(),
                    });
                    place += 1;
                }
            }
            _ => {}
        }
    }
}
