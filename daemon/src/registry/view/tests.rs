//! What a view takes out of packages, and what it never does.

use std::io::Cursor;

use codementor_problems::read;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;

const YAML: &str = "problem_format_version: 2025-09\nname:\n  en: Sum\n  ko: 합\n\
                    uuid: 6a7a7a2e-0000-4000-8000-000000000000\nconstants:\n  most: 1000\n";

fn open(files: &[(&str, &str)]) -> Opened {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let fixed = [
        ("problem.yaml", YAML),
        ("input_validators/check.py", "CANARY-VALIDATOR"),
        ("submissions/accepted/sum.py", "CANARY-SOLUTION"),
        ("data/secret/1.in", "CANARY-INPUT\n"),
        ("data/secret/1.ans", "CANARY-ANSWER\n"),
        ("data/secret/CANARY-NAME.in", "1\n"),
        ("data/secret/CANARY-NAME.ans", "1\n"),
        ("data/secret/1.yaml", "hint: CANARY-HINT\ndescription: CANARY-DESCRIPTION\nfull_feedback: true\n"),
    ];
    for (name, content) in fixed.iter().chain(files) {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    read::open_bytes("sum", writer.finish().unwrap().into_inner()).unwrap()
}

fn view(files: &[(&str, &str)], answer_in: &str) -> PublicView {
    PublicView::of(&open(files), &Limits::default(), &answer_in.parse().unwrap()).unwrap()
}

fn statement(name: &str, text: &str) -> String {
    view(&[(name, text)], "en").statement
}

#[test]
fn the_statement_is_in_the_language_of_the_answer_if_there_is_one() {
    let both = [("statement/problem.en.md", "Add."), ("statement/problem.ko.md", "더하기.")];
    for (wanted, title, text) in [("ko", "합", "더하기.\n"), ("en", "Sum", "Add.\n"), ("fr", "Sum", "Add.\n")]
    {
        let view = view(&both, wanted);
        assert_eq!((view.title(), view.statement()), (title, text), "{wanted}");
    }
    assert_eq!(view(&[("statement/problem.sv.md", "Addera.")], "ko").statement(), "Addera.\n");
    let pdf = [("statement/problem.ko.pdf", "%PDF"), ("statement/problem.en.md", "Add.")];
    assert_eq!(view(&pdf, "ko").statement(), "Add.\n", "a page that cannot be read is no statement");
    assert_eq!(view(&pdf[..1], "ko").statement(), "");
    assert_eq!(view(&[], "ko").statement(), "");
}

#[test]
fn constants_are_filled_in() {
    let markdown = statement("statement/problem.en.md", "At most {{most}}, not {{other}}.");
    assert_eq!(markdown, "At most 1000, not {{other}}.\n");
    let tex = statement("statement/problem.en.tex", "At most \\constant{most}, and $n \\le 10$.");
    assert_eq!(tex, "At most 1000, and $n \\le 10$.\n");
}

#[test]
fn html_is_taken_out_of_markdown_and_what_only_looks_like_it_stays() {
    for (text, expected) in [
        ("A <b>bold</b> <span class=\"x\">word</span>.", "A bold word."),
        ("10<sup>5</sup> and a<SUB>i</SUB>", "10^5 and a_i"),
        ("one<br/>two", "one\ntwo"),
        ("a <!-- CANARY: the trick is\nparity --> b", "a  b"),
        ("a <script>alert('<b>')</script>b<style>x</style>", "a b"),
        ("<code>x</code> <a href=\"http://x\">there</a> <img src='x.png'/>.", "`x` there ."),
        (
            "read <n> and <m>, a<b and c>d, `#include <vector>`",
            "read <n> and <m>, a<b and c>d, `#include <vector>`",
        ),
        ("open <!-- CANARY", "open"),
    ] {
        assert_eq!(statement("statement/problem.en.md", text), format!("{expected}\n"), "{text}");
    }
}

#[test]
fn comments_in_tex_are_not_part_of_a_statement() {
    let text = statement("statement/problem.en.tex", "\\problemname{Sum}\nAdd. % CANARY: use a loop\n");
    assert_eq!(text, "Add.\n");
}

#[test]
fn samples_are_read_and_nothing_hidden_is() {
    let found = view(
        &[
            ("data/sample/1.in", "1 2\n"),
            ("data/sample/1.ans", "3\n"),
            ("data/sample/2.in", "4 5\n"),
            ("data/sample/2.ans", "9\n"),
            ("statement/problem.en.md", "Add."),
        ],
        "en",
    );
    let samples: Vec<_> = found.samples().iter().map(|sample| (sample.input(), sample.answer())).collect();
    assert_eq!(samples, [("1 2\n", "3\n"), ("4 5\n", "9\n")]);
    assert!(!format!("{found:?}").contains("CANARY"));
    let limits = Limits { time_ms: 1500, memory_mib: 64, ..Limits::default() };
    let with = PublicView::of(&open(&[]), &limits, &"en".parse().unwrap()).unwrap();
    assert_eq!((with.time_ms(), with.memory_mib(), with.samples().len()), (1500, 64, 0));
}

#[test]
fn evidence_goes_no_further_than_the_samples() {
    let long = "12345 ".repeat(5000);
    let found = view(
        &[
            ("data/sample/1.in", &long),
            ("data/sample/1.ans", "3\n"),
            ("data/sample/2.in", ""),
            ("data/sample/2.ans", ""),
        ],
        "en",
    );
    assert_eq!(found.samples()[0].input().len(), MAX_SAMPLE, "of a large sample the beginning is read");
    assert!(found.sample(&long, "3\n").is_some());
    assert!(found.sample(&format!("{}…", &long[..4096]), "3\n").is_some());
    assert!(found.sample("", "").is_some());
    assert!(found.sample("CANARY-INPUT\n", "CANARY-ANSWER\n").is_none());
    assert!(found.sample(&long, "4\n").is_none());
    assert!(found.sample("1", "3\n").is_none(), "a short beginning is no sample");
}

#[test]
fn a_sample_is_not_cut_within_a_character() {
    let long = format!("x{}", "한".repeat(5000));
    let found = view(&[("data/sample/1.in", &long), ("data/sample/1.ans", "")], "en");
    assert!(!found.samples()[0].input().contains('\u{fffd}'));
    assert!(found.sample(&long, "").is_some());
}
