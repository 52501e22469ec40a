//! Each language's tokens, and that no text is too odd.

use proptest::prelude::*;

use super::*;

const ALL: [Syntax; 7] =
    [Syntax::C, Syntax::Cpp, Syntax::Go, Syntax::Java, Syntax::JavaScript, Syntax::Python, Syntax::Rust];

fn texts(syntax: Syntax, text: &str) -> Vec<&str> {
    tokens(syntax, text).tokens.iter().map(|token| token.text).collect()
}

#[test]
fn each_language_has_its_literals_comments_and_operators() {
    use Syntax::{C, Cpp, Go, Java, JavaScript, Python, Rust};
    #[rustfmt::skip]
    let table: [(Syntax, &str, &[&str]); 25] = [
        (C, "x >>= 1; // no\n/* no */y", &["x", ">>=", "1", ";", "y"]),
        (C, "#define A \"//\"\nint", &["#", "define", "A", "\"//\"", "\n", "int"]),
        (C, "#define A \\\n 1\nint", &["#", "define", "A", "1", "\n", "int"]),
        (C, "a = 'x', b = '\\'', c = \"open\nd", &["a", "=", "'x'", ",", "b", "=", "'\\''", ",", "c", "=", "\"open", "d"]),
        (Cpp, "u8R\"k(a\n)\" b)k\" 1'000 a->*b", &["u8R\"k(a\n)\" b)k\"", "1'000", "a", "->*", "b"]),
        (Cpp, "std::cout<<1.5e-3", &["std", "::", "cout", "<<", "1.5e-3"]),
        (Go, "x := `a\n\\`\nreturn\n", &["x", ":=", "`a\n\\`", ";", "return", ";"]),
        (Go, "func f() {\n\tg()\n}", &["func", "f", "(", ")", "{", "g", "(", ")", "}", ";"]),
        (Go, "func f()\n{ g() }", &["func", "f", "(", ")", ";", "{", "g", "(", ")", "}", ";"]),
        (Java, "s = \"\"\"\n \"a\" \"\"\"; @A", &["s", "=", "\"\"\"\n \"a\" \"\"\"", ";", "@", "A"]),
        (JavaScript, "a = /[/\"]\\//g.test(b) / 2", &["a", "=", "/[/\"]\\//g", ".", "test", "(", "b", ")", "/", "2"]),
        (JavaScript, "return\n`a\n${b}`", &["return", "\n", "`a\n${b}`"]),
        (JavaScript, "a\n=\nb ?? c", &["a", "=", "b", "??", "c"]),
        (Python, "if a: # no\n  b\nc", &["if", "a", ":", "\n", INDENT, "b", "\n", DEDENT, "c", "\n"]),
        (Python, "f(a,\n     b)\n\n\n", &["f", "(", "a", ",", "b", ")", "\n"]),
        (Python, "a = rb'\\'' + \\\n  f\"{b}\" // 2", &["a", "=", "rb'\\''", "+", "f\"{b}\"", "//", "2", "\n"]),
        (Python, "\"\"\"a\n#b\"\"\"\n", &["\"\"\"a\n#b\"\"\"", "\n"]),
        (Python, "if a:\n        b\n\tc", &["if", "a", ":", "\n", INDENT, "b", "\n", MIXED, "c", "\n"]),
        (Python, "if a:\n    b\n  c", &["if", "a", ":", "\n", INDENT, "b", "\n", DEDENT, MIXED, "c", "\n"]),
        (Python, "#!/usr/bin/python3\na\n# b\n", &["a", "\n"]),
        (Rust, "fn f<'a>(x: &'a str) -> char { 'a' }", &["fn", "f", "<", "'a", ">", "(", "x", ":", "&", "'a", "str", ")", "->", "char", "{", "'a'", "}"]),
        (Rust, "r#\"a\"b\"# r#match b'\\'' 1..=2 '\\n'", &["r#\"a\"b\"#", "r#match", "b'\\''", "1", "..=", "2", "'\\n'"]),
        (Rust, "/* a /* b */ c */ d \"x\n\\\"y\"", &["d", "\"x\n\\\"y\""]),
        (Rust, "#![allow(x)]", &["#", "!", "[", "allow", "(", "x", ")", "]"]),
        (Cpp, "변수 = 1；", &["변수", "=", "1", "；"]),
    ];
    for (syntax, text, expected) in table {
        assert_eq!(texts(syntax, text), expected, "{syntax:?} {text:?}");
    }
}

#[test]
fn comments_and_lines_are_known_by_their_places() {
    let text = "/* a\nb */ x = \"// c\"; // d\ny";
    let found = tokens(Syntax::Java, text);
    let comments: Vec<_> = found.comments.iter().map(|range| &text[range.clone()]).collect();
    assert_eq!(comments, ["/* a\nb */", "// d"]);
    let lines: Vec<_> = found.tokens.iter().map(|token| (token.text, token.line)).collect();
    assert_eq!(lines, [("x", 2), ("=", 2), ("\"// c\"", 2), (";", 2), ("y", 3)]);
}

#[test]
fn the_language_follows_from_the_name() {
    for (name, syntax) in [
        ("a.py", Syntax::Python),
        ("A.java", Syntax::Java),
        ("a.b.rs", Syntax::Rust),
        ("a.hpp", Syntax::Cpp),
        ("a.mjs", Syntax::JavaScript),
        ("a.c", Syntax::C),
        ("a", Syntax::C),
    ] {
        assert_eq!(Syntax::of_file(name), syntax, "{name}");
    }
}

proptest! {
    #[test]
    fn whatever_is_written_becomes_tokens_in_the_order_of_the_text(
        text in "([a-z0-9 \t\n\r'\"`/\\*#(){}\\[\\]._$+<>:=\\\\rRbu-]|é|；){0,60}",
    ) {
        for syntax in ALL {
            let found = tokens(syntax, &text);
            let mut end = 0;
            let mut seen = String::new();
            for token in found.tokens.iter().filter(|token| token.kind != Kind::Layout) {
                prop_assert!(token.start >= end, "{syntax:?} {token:?}");
                prop_assert_eq!(&text[token.start..token.start + token.text.len()], token.text);
                prop_assert_eq!(token.line, text[..token.start].matches('\n').count() + 1);
                end = token.start + token.text.len();
                seen.push_str(token.text);
            }
            for range in found.comments {
                seen.push_str(&text[range]);
            }
            // Nothing but white space and continued lines is lost.
            let count = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '\\').count();
            prop_assert_eq!(count(&seen), count(&text), "{:?}", syntax);
        }
    }
}
