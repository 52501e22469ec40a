//! Neutral names for files, where nothing in the program depends on the names that they have.

use codementor_protocol::{LanguageId, SourceFile};

use crate::feedback::tokens::{Kind, Syntax, Token, tokens};

/// A name for each file: its own where the program speaks of it, else one that says nothing.
pub(super) fn neutral(files: &[SourceFile], language: &LanguageId) -> Vec<String> {
    let programs: Vec<Vec<Token<'_>>> =
        files.iter().map(|file| tokens(Syntax::of_file(&file.name), &file.text).tokens).collect();
    let (main, part) = if language.as_str() == "java" { ("Main", "Part") } else { ("main", "part") };
    let is_neutral = |name: &str| stem(name) == main || name == "__main__.py";
    let kept: Vec<bool> = files
        .iter()
        .zip(&programs)
        .map(|(file, own)| is_neutral(&file.name) || is_spoken_of(&file.name, own, &programs))
        .collect();
    let mut taken: Vec<String> =
        files.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(file, _)| file.name.clone()).collect();
    let mut names = Vec::with_capacity(files.len());
    for (file, kept) in files.iter().zip(kept) {
        if kept {
            names.push(file.name.clone());
            continue;
        }
        let extension = file.name.rsplit_once('.').map(|(_, extension)| extension);
        let called = |stem: String| extension.map_or(stem.clone(), |extension| format!("{stem}.{extension}"));
        let parts = (2..=files.len() + 1).map(|number| called(format!("{part}{number}")));
        // There is one more of them than there are names that can be taken.
        let name = std::iter::once(called(main.to_owned())).chain(parts).find(|name| !taken.contains(name));
        let name = name.unwrap_or_else(|| file.name.clone());
        taken.push(name.clone());
        names.push(name);
    }
    names
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Whether the program would not hold together under another name of this file.
fn is_spoken_of(name: &str, own: &[Token<'_>], programs: &[Vec<Token<'_>>]) -> bool {
    let stem = stem(name);
    // An include, a path, a file that is opened.
    let in_text = |token: &Token<'_>| token.kind == Kind::Text && last_part(token.text) == name;
    if programs.iter().flatten().any(in_text) {
        return true;
    }
    match Syntax::of_file(name) {
        // A public class stands in a file of its name.
        Syntax::Java => own.windows(2).any(|pair| {
            matches!(pair[0].text, "class" | "interface" | "enum" | "record") && pair[1].text == stem
        }),
        Syntax::Python => programs.iter().any(|program| {
            in_lines_with(program, &["import", "from", "import_module", "__import__"], |token| {
                token.text == stem || (token.kind == Kind::Text && last_part(token.text) == stem)
            })
        }),
        Syntax::JavaScript => programs.iter().any(|program| {
            in_lines_with(program, &["require", "import", "from"], |token| {
                token.kind == Kind::Text && last_part(token.text) == stem
            })
        }),
        Syntax::Rust => {
            let declares = |pair: &[Token<'_>]| pair[0].text == "mod" && pair[1].text == stem;
            programs.iter().any(|program| program.windows(2).any(declares))
        }
        Syntax::C | Syntax::Cpp | Syntax::Go => false,
    }
}

/// What stands after the last slash in a text, without its quotes.
fn last_part(text: &str) -> &str {
    let text = text.trim_matches(['"', '\'', '`']);
    text.rsplit('/').next().unwrap_or(text)
}

/// Whether a line that has one of these words has such a token too.
fn in_lines_with(program: &[Token<'_>], words: &[&str], is_one: impl Fn(&Token<'_>) -> bool) -> bool {
    program
        .chunk_by(|a, b| a.line == b.line)
        .any(|line| line.iter().any(|token| words.contains(&token.text)) && line.iter().any(&is_one))
}
