//! The samples are programs and what the compilers in our images said of them, byte for byte.

use codementor_protocol::Severity::{Error, Note, Warning};

use super::*;

macro_rules! sample {
    ($name:literal) => {
        (
            SourceFile { name: $name.into(), text: include_str!(concat!("samples/", $name)).into() },
            include_str!(concat!("samples/", $name, ".out")),
        )
    };
}

/// The diagnostics without their files, and the words that each marks.
fn marked(format: DiagnosticFormat, (source, output): (SourceFile, &str)) -> Vec<(u32, String, Diagnostic)> {
    let files = [source];
    let reading = read(format, output, &files);
    let word = |diagnostic: &Diagnostic| {
        let line = Sources(&files).line(&diagnostic.file, diagnostic.line).unwrap_or_default();
        let start = diagnostic.column.unwrap_or(1) as usize - 1;
        let end = diagnostic.end_column.map_or(usize::MAX, |end| end as usize - 1);
        line.chars().skip(start).take(end - start).collect()
    };
    for diagnostic in &reading.diagnostics {
        assert_eq!(diagnostic.file, files[0].name);
    }
    reading.diagnostics.into_iter().map(|d| (d.line, word(&d), d)).collect()
}

fn short(list: &[(u32, String, Diagnostic)]) -> Vec<(u32, &str, &str)> {
    list.iter().map(|(line, word, diagnostic)| (*line, word.as_str(), diagnostic.message.as_str())).collect()
}

#[test]
fn gcc_marks_words_after_hangul_and_tabs() {
    let list = marked(DiagnosticFormat::Gcc, sample!("marks.cpp"));
    assert_eq!(
        short(&list),
        [
            (4, "가나", "‘가나’ was not declared in this scope"),
            (5, "", "expected ‘;’ before ‘int’"),
            (
                7,
                "push_bak",
                "‘class std::vector<int>’ has no member named ‘push_bak’; did you mean ‘push_back’?"
            ),
        ]
    );
    assert_eq!(list[1].2.fix.as_deref(), Some(";"));
    assert_eq!(list[2].2.fix.as_deref(), Some("push_back"));
    let list = marked(DiagnosticFormat::Gcc, sample!("marks.c"));
    assert_eq!(list.iter().map(|(_, _, d)| d.severity).collect::<Vec<_>>(), [Error, Note, Error]);
    assert_eq!((list[0].0, list[0].1.as_str()), (3, "y"));
}

#[test]
fn corrections_for_programs_are_not_shown_to_people() {
    let (source, output) = sample!("marks.cpp");
    assert!(output.contains("fix-it:"));
    let text = read(DiagnosticFormat::Gcc, output, &[source]).text;
    assert!(!text.contains("fix-it:") && text.contains("push_bak(3)"));
}

#[test]
fn an_error_in_the_library_is_shown_where_the_program_caused_it() {
    let list = marked(DiagnosticFormat::Gcc, sample!("library.cpp"));
    let (line, word, diagnostic) = &list[0];
    assert_eq!((*line, diagnostic.severity), (3, Error));
    assert!(word.starts_with('(') && diagnostic.message.starts_with("no match for ‘operator-’"), "{list:?}");
}

#[test]
fn javac_marks_the_character_and_tells_the_details() {
    let list = marked(DiagnosticFormat::Javac, sample!("Marks.java"));
    assert_eq!(
        short(&list),
        [
            (4, "가나;", "cannot find symbol; symbol: variable 가나; location: class Marks"),
            (5, "\"안녕\";", "incompatible types: String cannot be converted to int"),
            (
                7,
                ".printn(\"x\");",
                "cannot find symbol; symbol: method printn(String); location: variable out of type PrintStream"
            ),
        ]
    );
}

#[test]
fn python_marks_words_in_the_unindented_line() {
    let list = marked(DiagnosticFormat::Python, sample!("marks.py"));
    assert_eq!(short(&list), [(3, "\"가\" \"나\" x", "invalid syntax. Perhaps you forgot a comma?")]);
    let list = marked(DiagnosticFormat::Python, sample!("warning.py"));
    assert_eq!((list[0].2.severity, list[0].0), (Warning, 1));
    assert_eq!((list[1].2.severity, list[1].1.as_str()), (Error, "\"홍길동\" x"));
}

#[test]
fn node_marks_the_character() {
    let list = marked(DiagnosticFormat::Node, sample!("marks.js"));
    assert_eq!(short(&list), [(1, "=", "Unexpected token '='")]);
}

#[test]
fn rustc_marks_and_corrects_words() {
    let list = marked(DiagnosticFormat::Rustc, sample!("marks.rs"));
    assert_eq!(
        short(&list),
        [
            (2, "가나", "cannot find value `가나` in this scope: not found in this scope"),
            (3, "\"안녕\"", "mismatched types: expected `i32`, found `&str`"),
            (5, "Strin", "failed to resolve: use of undeclared type `Strin`"),
        ]
    );
    assert_eq!(list[2].2.fix.as_deref(), Some("String"));
    let (source, output) = sample!("marks.rs");
    let text = read(DiagnosticFormat::Rustc, output, &[source]).text;
    assert!(text.starts_with("error[E0425]: cannot find value") && !text.contains("{\""), "{text}");
}

#[test]
fn go_counts_bytes() {
    let list = marked(DiagnosticFormat::Go, sample!("marks.go"));
    let places: Vec<(u32, Option<u32>)> = list.iter().map(|(line, _, d)| (*line, d.column)).collect();
    assert_eq!(places, [(5, Some(2)), (9, Some(27)), (10, Some(2))]);
    assert_eq!(list[1].1, "가나");
}

#[test]
fn what_cannot_be_read_gives_nothing_and_is_kept() {
    for format in [
        DiagnosticFormat::Gcc,
        DiagnosticFormat::Javac,
        DiagnosticFormat::Rustc,
        DiagnosticFormat::Go,
        DiagnosticFormat::Python,
        DiagnosticFormat::Node,
    ] {
        let hostile =
            "a.c:99999999999:1: error: x\n:::\n | ^\nfix-it:\"\n  File \"\", line \n^\nx.java:: error: \n";
        let reading = read(format, hostile, &[]);
        assert_eq!(reading.diagnostics, [], "{format:?}");
        assert!(reading.text.contains(":::"));
    }
}

#[test]
fn a_file_has_the_name_that_it_was_submitted_under() {
    for (path, name) in [
        ("/work/a.js", "a.js"),
        ("/work/17/a.js", "a.js"),
        ("/work/17", "17"),
        ("./a.go", "a.go"),
        ("/usr/include/stdio.h", "/usr/include/stdio.h"),
    ] {
        assert_eq!(submitted_name(path), name);
    }
}
