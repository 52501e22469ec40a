//! Neutral names for files, and the same for what the program calls its files: no text of a program has the name of a
//! file afterwards, nor has Java the class that is called after the file with the program.
//!
//! Modules and further classes are names of the program's own, and stay with their files: a file `Stack.java` is called
//! so by what is in it.

use codementor_protocol::{LanguageId, SourceFile};

use crate::feedback::tokens::{Kind, Syntax, Token, tokens};

/// The shortest name of a class that can say who wrote it.
const SHORTEST_CLASS: usize = 3;

/// What each file is called instead, in the order of the files.
#[derive(Debug, Clone)]
pub(super) struct Names(Vec<Name>);

#[derive(Debug, Clone)]
struct Name {
    own: String,
    neutral: String,
    /// Whether a class is called after the file, and gets another name with it.
    has_class: bool,
}

impl Names {
    /// Finds a name for each file.
    pub(super) fn new(files: &[SourceFile], language: &LanguageId) -> Self {
        let programs: Vec<Vec<Token<'_>>> =
            files.iter().map(|file| tokens(Syntax::of_file(&file.name), &file.text).tokens).collect();
        let (main, part) = if language.as_str() == "java" { ("Main", "Part") } else { ("main", "part") };
        let is_neutral = |name: &str| stem(name) == main || name == "__main__.py";
        let kept: Vec<bool> = files
            .iter()
            .zip(&programs)
            .map(|(file, own)| is_neutral(&file.name) || is_called_after_code(&file.name, own, &programs))
            .collect();
        let mut taken: Vec<String> =
            files.iter().zip(&kept).filter(|(_, kept)| **kept).map(|(file, _)| file.name.clone()).collect();
        let mut names = Vec::with_capacity(files.len());
        for ((file, kept), own) in files.iter().zip(kept).zip(&programs) {
            if kept {
                let (own, neutral) = (file.name.clone(), file.name.clone());
                names.push(Name { own, neutral, has_class: false });
                continue;
            }
            let extension = file.name.rsplit_once('.').map(|(_, extension)| extension);
            let called =
                |stem: String| extension.map_or(stem.clone(), |extension| format!("{stem}.{extension}"));
            let has_class = is_class(&file.name, own);
            let is_free = |name: &String| {
                let says = |token: &Token<'_>| match token.kind {
                    Kind::Text => last_part(token.text) == name || last_part(token.text) == stem(name),
                    Kind::Word => has_class && token.text == stem(name),
                    Kind::Sign | Kind::Layout => false,
                };
                !taken.contains(name) && !programs.iter().flatten().any(says)
            };
            let parts = (2..).map(|number| called(format!("{part}{number}")));
            let name = std::iter::once(called(main.to_owned())).chain(parts).find(is_free);
            // Programs are too short to hold all that are tried.
            let neutral = name.unwrap_or_else(|| file.name.clone());
            taken.push(neutral.clone());
            names.push(Name { own: file.name.clone(), neutral, has_class });
        }
        Self(names)
    }

    /// The neutral names.
    pub(super) fn neutral(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|name| name.neutral.as_str())
    }

    /// The names of files that differ: the student's, and the neutral ones.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|name| (name.own.as_str(), name.neutral.as_str()))
    }

    /// The same for classes.
    pub(super) fn classes(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.0.iter().filter(|name| name.has_class);
        named.map(|name| (stem(&name.own), stem(&name.neutral)))
    }

    /// Puts neutral names into a file of the student's.
    pub(super) fn take(&self, file: &str, text: &str) -> String {
        let (files, classes): (Vec<_>, Vec<_>) = (self.files().collect(), self.classes().collect());
        renamed(Syntax::of_file(file), text, &files, &classes)
    }

    /// Puts the student's own names back.
    pub(super) fn put_back(&self, file: &str, text: &str) -> String {
        fn turned<'a>((own, neutral): (&'a str, &'a str)) -> (&'a str, &'a str) {
            (neutral, own)
        }
        let files: Vec<_> = self.files().map(turned).collect();
        let classes: Vec<_> = self.classes().map(turned).collect();
        renamed(Syntax::of_file(file), text, &files, &classes)
    }
}

/// The program with other names in the texts that name files, and for the classes that are called after them.
fn renamed(syntax: Syntax, text: &str, files: &[(&str, &str)], classes: &[(&str, &str)]) -> String {
    if files.iter().all(|(from, to)| from == to) {
        return text.to_owned();
    }
    let found = tokens(syntax, text).tokens;
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for line in found.chunk_by(|a, b| a.line == b.line) {
        let loads = syntax == Syntax::JavaScript
            && line.iter().any(|token| matches!(token.text, "require" | "import" | "from"));
        for token in line {
            let (part, to) = match token.kind {
                Kind::Text => {
                    let part = last_part(token.text);
                    let whole = files.iter().find(|(from, _)| *from == part).map(|(_, to)| *to);
                    let module = || files.iter().find(|(from, _)| stem(from) == part).map(|(_, to)| stem(to));
                    (part, whole.or_else(|| loads.then(module).flatten()))
                }
                Kind::Word if syntax == Syntax::Java => {
                    let class = classes.iter().find(|(from, _)| *from == token.text);
                    (token.text, class.map(|(_, to)| *to))
                }
                Kind::Word | Kind::Sign | Kind::Layout => continue,
            };
            let Some(to) = to else { continue };
            let start = token.start + unquoted_end(token.text) - part.len();
            out.push_str(&text[at..start]);
            out.push_str(to);
            at = start + part.len();
        }
    }
    out.push_str(&text[at..]);
    out
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// Whether the file is called after something in the program that is no text: a module that is imported, or a class that
/// is not the program itself.
fn is_called_after_code(name: &str, own: &[Token<'_>], programs: &[Vec<Token<'_>>]) -> bool {
    let stem = stem(name);
    match Syntax::of_file(name) {
        Syntax::Java => {
            let is_program = programs.len() == 1 || own.windows(2).any(|pair| is_pair(pair, "void", "main"));
            declares(own, stem) && !(is_program && is_class(name, own))
        }
        Syntax::Python => programs.iter().any(|program| {
            in_lines_with(program, &["import", "from", "import_module", "__import__"], |token| {
                token.text == stem || (token.kind == Kind::Text && last_part(token.text) == stem)
            })
        }),
        Syntax::Rust => {
            programs.iter().any(|program| program.windows(2).any(|pair| is_pair(pair, "mod", stem)))
        }
        Syntax::JavaScript | Syntax::C | Syntax::Cpp | Syntax::Go => false,
    }
}

/// Whether a Java file has a class of its name, as that of a public one must be.
fn is_class(name: &str, own: &[Token<'_>]) -> bool {
    let stem = stem(name);
    Syntax::of_file(name) == Syntax::Java && stem.chars().count() >= SHORTEST_CLASS && declares(own, stem)
}

fn declares(program: &[Token<'_>], class: &str) -> bool {
    let words = ["class", "interface", "enum", "record"];
    program.windows(2).any(|pair| words.contains(&pair[0].text) && pair[1].text == class)
}

fn is_pair(pair: &[Token<'_>], first: &str, second: &str) -> bool {
    pair[0].text == first && pair[1].text == second
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// What stands after the last slash in a text, without its quotes.
fn last_part(text: &str) -> &str {
    let text = text.trim_matches(QUOTES);
    text.rsplit('/').next().unwrap_or(text)
}

fn unquoted_end(text: &str) -> usize {
    text.trim_end_matches(QUOTES).len()
}

/// Whether a line that has one of these words has such a token too.
fn in_lines_with(program: &[Token<'_>], words: &[&str], is_one: impl Fn(&Token<'_>) -> bool) -> bool {
    program
        .chunk_by(|a, b| a.line == b.line)
        .any(|line| line.iter().any(|token| words.contains(&token.text)) && line.iter().any(&is_one))
}
