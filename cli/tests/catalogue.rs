//! The Korean catalogue against the sources: every text that is said has its Korean, with the same arguments; nothing in
//! the catalogue is left over; and no sign outside of ASCII stands anywhere but where its plain form stands too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use codementor::args::Cli;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, found),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
}

/// A token of Rust, as far as it matters here.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    Sign(char),
}

/// Reads strings, words and signs, and passes over comments, letters and lifetimes.
fn tokens(source: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(sign) = rest.chars().next() {
        let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').count();
        rest = if let Some(after) = rest.strip_prefix("//") {
            after.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(after) = rest.strip_prefix("r#\"") {
            let (text, after) = after.split_once("\"#").expect("a raw string ends");
            tokens.push(Token::Text(text.into()));
            after
        } else if let Some(after) = rest.strip_prefix('"') {
            let (text, after) = string(after);
            tokens.push(Token::Text(text));
            after
        } else if let Some(after) = rest.strip_prefix('\'') {
            letter(after)
        } else if word(rest) > 0 {
            let end = rest.char_indices().nth(word(rest)).map_or(rest.len(), |(end, _)| end);
            tokens.push(Token::Word(rest[..end].into()));
            &rest[end..]
        } else {
            if !sign.is_whitespace() {
                tokens.push(Token::Sign(sign));
            }
            &rest[sign.len_utf8()..]
        };
    }
    tokens
}

/// A string after its first quote: its value, and what follows its last one.
fn string(text: &str) -> (String, &str) {
    let (mut value, mut rest) = (String::new(), text);
    loop {
        let sign = rest.chars().next().expect("a string ends");
        rest = &rest[sign.len_utf8()..];
        match sign {
            '"' => return (value, rest),
            '\\' => {
                let escaped = rest.chars().next().expect("a string ends");
                rest = &rest[escaped.len_utf8()..];
                match escaped {
                    'n' => value.push('\n'),
                    '\n' => rest = rest.trim_start(),
                    '"' | '\\' | '\'' => value.push(escaped),
                    // Escapes that no text of ours has.
                    _ => value.push('\u{7f}'),
                }
            }
            sign => value.push(sign),
        }
    }
}

/// What follows a letter or a lifetime, after its first quote.
fn letter(text: &str) -> &str {
    let mut signs = text.char_indices();
    let first = signs.next().map(|(_, sign)| sign);
    match (first, signs.next()) {
        (Some('\\'), Some((at, escaped))) => {
            let after = &text[at + escaped.len_utf8()..];
            after.split_once('\'').expect("a letter ends").1
        }
        (Some(_), Some((at, '\''))) => &text[at + 1..],
        _ => text,
    }
}

/// The tokens of each source file, without those of its tests.
fn read() -> Vec<(PathBuf, Vec<Token>)> {
    let mut found = Vec::new();
    files(&sources(), &mut found);
    found
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a source is read");
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            (path.strip_prefix(sources()).expect("it lies there").to_path_buf(), tokens(code))
        })
        .collect()
}

/// The strings that each call of a macro is given itself, and not what it calls.
fn calls(tokens: &[Token], name: &str) -> Vec<Vec<String>> {
    let head = [Token::Word(name.into()), Token::Sign('!'), Token::Sign('(')];
    let starts = (0..tokens.len()).filter(|at| tokens[*at..].starts_with(&head));
    starts
        .map(|at| {
            let (mut depth, mut texts) = (1, Vec::new());
            for token in &tokens[at + head.len()..] {
                match token {
                    Token::Sign('(' | '[' | '{') => depth += 1,
                    Token::Sign(')' | ']' | '}') => depth -= 1,
                    Token::Text(text) if depth == 1 => texts.push(text.clone()),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            texts
        })
        .collect()
}

/// Every text that is said, with the file where it is.
fn said() -> BTreeMap<String, PathBuf> {
    let mut keys: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, tokens) in read() {
        let texts = calls(&tokens, "t").into_iter().filter_map(|given| given.into_iter().next());
        keys.extend(texts.map(|key| (key, path.clone())));
        let nouns = calls(&tokens, "count").into_iter().filter_map(|given| given.into_iter().next_back());
        keys.extend(nouns.map(|noun| (format!("{{n}} {noun}"), path.clone())));
    }
    codementor::help::texts(&Cli::command(), &mut |text| {
        keys.entry(text.to_owned()).or_insert_with(|| "args.rs".into());
    });
    keys
}

fn catalogue() -> BTreeMap<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales/ko.toml");
    toml::from_str(&std::fs::read_to_string(path).expect("the catalogue is there")).expect("it is TOML")
}

fn arguments(text: &str) -> BTreeSet<&str> {
    let parts = text.split('{').skip(1);
    parts.map(|part| part.split_once('}').expect("an argument ends").0).collect()
}

#[test]
fn every_text_has_its_korean_and_no_korean_is_left_over() {
    let (said, catalogue) = (said(), catalogue());
    assert!(said.len() > 500, "only {} texts were found", said.len());
    let missing: Vec<_> = said.iter().filter(|(key, _)| !catalogue.contains_key(*key)).collect();
    assert!(missing.is_empty(), "without Korean: {missing:#?}");
    let unused: Vec<_> = catalogue.keys().filter(|key| !said.contains_key(*key)).collect();
    assert!(unused.is_empty(), "said nowhere: {unused:#?}");
}

#[test]
fn korean_texts_have_the_arguments_and_the_margins_of_the_english_ones() {
    for (english, korean) in catalogue() {
        // Help texts have braces of their own, and no arguments.
        assert_eq!(arguments(&english), arguments(&korean), "{english}");
        let ends = |text: &str| (text.ends_with('\n'), text.starts_with("  "), text.starts_with('>'));
        assert_eq!(ends(&english), ends(&korean), "{english}");
        assert!(!korean.contains("을(를)") && !korean.contains("이(가)"), "{korean}");
        for token in ["ACCEPTED", "WRONG_ANSWER", "JUDGE_ERROR", "CODEMENTOR_CREDS"] {
            assert_eq!(english.contains(token), korean.contains(token), "{english}");
        }
    }
}

#[test]
fn commands_to_type_are_the_same_in_both_languages() {
    let commands = |text: &str| -> BTreeSet<String> {
        let parts = text.split("codementor ").skip(1);
        let word = |part: &str| part.chars().take_while(|letter| letter.is_ascii_lowercase()).collect();
        parts.map(word).collect()
    };
    for (english, korean) in catalogue() {
        assert_eq!(commands(&english), commands(&korean), "{english}");
    }
}

#[test]
fn signs_outside_of_ascii_stand_only_where_their_plain_form_stands_too() {
    // Names of columns that are read, answers that are read, examples of them in the help, and what tests are made of.
    let exempt = ["render/glyphs.rs", "roster.rs", "args/roster.rs", "commands.rs", "ci/sample.rs"];
    for (path, tokens) in read() {
        if exempt.iter().any(|exempt| path == Path::new(exempt)) {
            continue;
        }
        for token in tokens {
            let is_a_sign = matches!(&token, Token::Text(text) if !text.is_ascii());
            assert!(!is_a_sign, "{}: {token:?}", path.display());
        }
    }
}
