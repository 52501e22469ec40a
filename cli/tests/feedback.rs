//! What a model says, as each view shows it: under the verdict, marked, and never instead of it.

use std::time::{Duration, Instant};

use codementor::error::Outcome;
use codementor::render::json::Json;
use codementor::render::live::Live;
use codementor::render::markdown::Markdown;
use codementor::render::plain::Plain;
use codementor::render::{Renderer, diff, fix};
use codementor::terminal::Paint;
use codementor_protocol::*;
use indicatif::{InMemoryTerm, ProgressDrawTarget};

const PIPE: Paint = Paint { unicode: true, ..Paint::PLAIN };
const TERMINAL: Paint = Paint { terminal: true, ..PIPE };
const COLOUR: Paint = Paint { colour: true, ..TERMINAL };

/// Events of one submission, numbered from 1.
fn events(kinds: Vec<EventKind>) -> Vec<JobEvent> {
    let event = |(n, kind)| JobEvent {
        v: SCHEMA_VERSION,
        seq: n as u64 + 1,
        submission: SubmissionId(12),
        delivery: 1,
        at: Timestamp(1_764_000_000_000 + n as i64 * 100),
        kind,
    };
    kinds.into_iter().enumerate().map(event).collect()
}

/// A submission up to where its verdict is due.
fn judging() -> Vec<EventKind> {
    let json = serde_json::json!({
        "type": "submission", "id": 12, "problem": "sum", "package": "0".repeat(64), "lang": "python3",
        "purpose": "submission", "late": false, "attempt": 1, "time_limit_ms": 1000, "memory_limit_mib": 256,
    });
    let submission = serde_json::from_value(json).expect("it is an event");
    vec![submission, EventKind::Started(Started { total: 2 }), compiled(), test(1), test(2)]
}

fn compiled() -> EventKind {
    EventKind::Compiled(Compiled { ok: true, time_ms: 10, diagnostics: vec![], output: String::new() })
}

fn test(index: u32) -> EventKind {
    EventKind::Test(TestEvent {
        index,
        total: 2,
        name: Some(format!("sample/{index}")),
        group: "sample".into(),
        visibility: Visibility::Sample,
        verdict: if index == 1 { Verdict::Accepted } else { Verdict::WrongAnswer },
        time_ms: 10,
        wall_ms: 10,
        memory_kib: 3900,
        exit_code: Some(0),
        signal: None,
    })
}

fn result() -> EventKind {
    let json = serde_json::json!({
        "type": "result", "verdict": "WRONG_ANSWER", "score": "0", "max_score": "100", "passed": 1, "total": 2,
    });
    serde_json::from_value(json).expect("it is an event")
}

fn says(step: u32, delta: &str) -> EventKind {
    EventKind::Feedback(Feedback { step, delta: delta.into() })
}

fn ends(outcome: FeedbackOutcome, message: &str) -> EventKind {
    EventKind::FeedbackEnd(FeedbackEnd { step: 1, outcome, message: message.into() })
}

fn end() -> EventKind {
    EventKind::End(Ended::default())
}

fn source() -> Vec<SourceFile> {
    let text = "import sys\n\nnumbers = map(int, sys.stdin.read().split())\nprint(sum(numbers))\n";
    vec![SourceFile { name: "sum.py".into(), text: text.into() }]
}

fn corrected() -> Fix {
    let text = "import sys\n\nnumbers = map(int, sys.stdin.read().split()[1:])\nprint(sum(numbers))\n";
    let files = vec![SourceFile { name: "sum.py".into(), text: text.into() }];
    Fix { files, edits: 4, changed_percent: 13, rewrite: false }
}

fn sample() -> CaseDetail {
    let whole = |text: &str| Capture::new(text.as_bytes(), text.len() as u64, text.len());
    CaseDetail {
        submission: SubmissionId(12),
        index: 2,
        name: "sample/2".into(),
        verdict: Verdict::WrongAnswer,
        input: whole("1\n2\n"),
        expected: whole("2\n"),
        stdout: whole("3\n"),
        stderr: Capture::default(),
        difference: Some("line 1, column 1: '3' instead of '2'".into()),
    }
}

/// Shows events as a command does that watches to the end.
fn watch(view: &mut dyn Renderer, kinds: Vec<EventKind>) {
    let mut known = Outcome::NotAwaited;
    for event in events(kinds) {
        view.event(&event).expect("it is written");
        if let Some(outcome) = Outcome::of(&event.kind) {
            view.settle(&outcome, &source()).expect("it is written");
            if view.wants_sample().is_some() {
                view.sample(&sample()).expect("it is written");
            }
            known = outcome;
        }
    }
    view.finish(&known, &source()).expect("it is written");
}

fn plain(kinds: Vec<EventKind>, paint: Paint) -> String {
    let mut out = Vec::new();
    watch(&mut Plain::new(&mut out, Vec::new(), paint), kinds);
    String::from_utf8(out).expect("it is text")
}

/// All that is said here, some of it before the verdict.
fn told() -> Vec<EventKind> {
    let mut kinds = judging();
    kinds.insert(3, says(1, "The **first** number says how many follow: `numbers` holds it too."));
    let list = "What to look at:\n\n1. the input's first line\n2. what `split()` gives, and what of that is \
                a number that counts; \x1b[31m합계가 하나 더 큽니다. 첫 번째 수는 개수입니다.";
    kinds.extend([
        result(),
        says(1, list),
        EventKind::Fix(corrected()),
        ends(FeedbackOutcome::Complete, ""),
        end(),
    ]);
    kinds
}

#[test]
fn on_a_terminal_it_is_laid_out_under_the_verdict() {
    insta::assert_snapshot!(plain(told(), TERMINAL));
}

#[test]
fn in_a_pipe_it_is_whole_paragraphs_as_they_came() {
    insta::assert_snapshot!(plain(told(), PIPE));
}

#[test]
fn what_comes_before_the_verdict_is_kept_until_it_is_there() {
    let shown = plain(told(), PIPE);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(place("✗ WRONG_ANSWER") < place("instead of") && place("instead of") < place("-- feedback"));
    assert!(place("The **first** number") < place("What to look at"), "{shown}");
    assert_eq!(shown.matches("-- feedback").count(), 1, "{shown}");
}

#[test]
fn without_wanting_feedback_the_verdict_and_its_facts_are_all() {
    let mut out = Vec::new();
    watch(&mut Plain::new(&mut out, Vec::new(), PIPE).with_feedback(false), told());
    let shown = String::from_utf8(out).expect("it is text");
    insta::assert_snapshot!(shown);
}

#[test]
fn each_way_to_end_is_one_quiet_line() {
    let mut text = String::new();
    for (outcome, message) in [
        (FeedbackOutcome::Complete, ""),
        (FeedbackOutcome::Accepted, "it was accepted"),
        (FeedbackOutcome::Stopped, ""),
        (FeedbackOutcome::OverBudget, "nothing is left today;\nask tomorrow \x1b[2J"),
        (FeedbackOutcome::Withheld, ""),
        (FeedbackOutcome::Stalled, ""),
        (FeedbackOutcome::Unknown, ""),
    ] {
        let mut kinds = judging();
        kinds.extend([result(), ends(outcome, message), end()]);
        let shown = plain(kinds, PIPE);
        let (_, said) = shown.split_once("    ^\n").unwrap_or(("", &shown));
        text.push_str(&format!("=== {outcome}\n{said}"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn after_a_hint_the_next_one_is_named() {
    let mut kinds = judging();
    kinds.extend([result(), says(1, "Look."), ends(FeedbackOutcome::Complete, ""), end()]);
    let shown = plain(kinds, PIPE);
    assert!(shown.ends_with("  | Look.\n  next: codementor hint 12\n"), "{shown}");
}

#[test]
fn a_model_cannot_pass_for_the_judge_or_for_a_ci_command() {
    let evil =
        "✓ ACCEPTED   100/100\n::error file=x::no\n  ::set-output::x\n\x1b[2J\u{202e}\r\n-- feedback --";
    for paint in [PIPE, TERMINAL] {
        let mut kinds = judging();
        kinds.extend([result(), says(1, evil), end()]);
        let shown = plain(kinds, paint);
        let (_, said) = shown.split_once("may be wrong) --\n").expect("it is marked");
        assert!(said.lines().all(|line| line.starts_with("  | ")), "{said}");
        assert!(!shown.contains(['\x1b', '\u{202e}', '\r']), "{shown}");
    }
}

#[test]
fn json_passes_it_on_and_ends_once() {
    let mut out = Vec::new();
    watch(&mut Json::new(&mut out), told());
    let lines = String::from_utf8(out).expect("it is text");
    let types: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("it is JSON"))
        .map(|event| event["type"].as_str().expect("it has a type").to_owned())
        .collect();
    let expected = [
        "submission",
        "started",
        "compiled",
        "feedback",
        "test",
        "test",
        "result",
        "feedback",
        "fix",
        "feedback_end",
        "end",
    ];
    assert_eq!(types, expected);
    assert!(lines.ends_with("\"type\":\"end\",\"exit_code\":1}\n"), "{lines}");
    assert!(!lines.contains('\x1b'), "{lines}");
    let mut out = Vec::new();
    watch(&mut Json::new(&mut out).with_feedback(false), told());
    let lines = String::from_utf8(out).expect("it is text");
    assert!(!lines.contains("feedback") && !lines.contains("\"fix\""), "{lines}");
}

#[test]
fn the_live_view_says_that_it_waits_and_leaves_nothing_of_that() {
    let terminal = InMemoryTerm::new(12, 80);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut out = Vec::new();
    let mut view = Live::new(target, &mut out, Vec::new(), TERMINAL, TERMINAL);
    let mut kinds = judging();
    kinds.push(result());
    for event in events(kinds) {
        view.event(&event).expect("it is drawn");
    }
    let outcome = Outcome::Judged(Verdict::WrongAnswer, 2);
    view.settle(&outcome, &source()).expect("it is written");
    assert_eq!(terminal.contents(), "", "nothing is waited for until time passes");
    assert!(view.is_silent());
    view.tick(Instant::now()).expect("it is drawn");
    assert!(terminal.contents().contains("a model reads your program"), "{}", terminal.contents());
    assert!(terminal.contents().contains("Ctrl-C leaves; the verdict stands"), "{}", terminal.contents());
    view.event(&events(vec![says(1, "Look.")]).remove(0)).expect("it is written");
    assert!(!view.is_silent());
    view.finish(&outcome, &source()).expect("it is written");
    assert_eq!(terminal.contents(), "");
    drop(view);
    let shown = String::from_utf8(out).expect("it is text");
    assert_eq!(shown.matches("WRONG_ANSWER").count(), 1, "the block is printed once: {shown}");
    assert!(shown.ends_with("  | Look.\n"), "{shown}");
}

#[test]
fn a_long_wait_off_a_terminal_is_broken_every_thirty_seconds() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut view = Plain::new(&mut out, &mut err, PIPE);
    let mut kinds = judging();
    kinds.push(result());
    for event in events(kinds) {
        view.event(&event).expect("it is written");
    }
    view.settle(&Outcome::Judged(Verdict::WrongAnswer, 2), &source()).expect("it is written");
    let begin = Instant::now();
    for second in 0..95 {
        view.tick(begin + Duration::from_millis(500) + Duration::from_secs(second)).expect("it is written");
    }
    drop(view);
    let err = String::from_utf8(err).expect("it is text");
    assert_eq!(err.matches("waiting for feedback").count(), 3, "{err}");
}

#[test]
fn markdown_on_a_terminal() {
    let text = "# The idea\n\nA paragraph that goes on and on, so that it has to be wrapped somewhere before its \
                end, **with bold that is wrapped too, wherever that falls**, and `code`.\n\n- an item\n  that goes \
                on\n- another, with 한글이 섞여 있어서 칸 수가 글자 수와 다른 아주 긴 문장이 줄을 넘어갑니다 그렇지요\n    * \
                deeper\n\n```python\nfor i in range(10):\n\tprint(i)\n```\n\n1) one\n2) two\n\n2 * 3 * 4 is 24, \
                a_b_c is a name, and 가나다라마바사아자차카타파하가나다라마바사아자차카타파하가나다라마바사아자차카타파하 is long.";
    insta::assert_snapshot!(Markdown::default().render(text, TERMINAL));
}

#[test]
fn markdown_that_comes_in_pieces_is_the_same_as_whole() {
    let pieces = ["One.", "```\ncode\n\nmore code", "and more\n```", "- an item"];
    let mut markdown = Markdown::default();
    let shown: String = pieces.iter().map(|piece| markdown.render(piece, TERMINAL)).collect();
    assert_eq!(shown, Markdown::default().render(&pieces.join("\n\n"), TERMINAL));
}

#[test]
fn a_fix_is_a_diff_of_what_was_submitted() {
    let shown = fix::render(&corrected(), &source(), Some(SubmissionId(12)), COLOUR);
    for (part, code) in [
        ("-numbers = map(int, sys.stdin.read().split())", "31;1"),
        ("+numbers = map(int, sys.stdin.read().split()[1:])", "32;1"),
    ] {
        assert!(shown.contains(&format!("\x1b[{code}m{part}\x1b[0m\n")), "{shown}");
    }
    let rewrite = Fix { rewrite: true, changed_percent: 73, ..corrected() };
    let label = "-- rewrite (accepted on all tests; 4 edits, 73 % changed: not your program any more) --";
    assert_eq!(fix::label(&rewrite), label);
}

#[test]
fn what_a_fix_contains_cannot_steer_the_terminal_and_its_length_is_bounded() {
    let text: String = (0..500).map(|n| format!("print({n}) # \x1b[2J\u{202e}\n")).collect();
    let files = vec![SourceFile { name: "sum.py".into(), text }];
    let long = Fix { files, ..corrected() };
    let shown = fix::render(&long, &source(), Some(SubmissionId(12)), TERMINAL);
    assert!(!shown.contains(['\x1b', '\u{202e}']), "{shown}");
    assert!(shown.lines().count() < 90, "{shown}");
    assert!(shown.contains("more lines: codementor fix 12\n"), "{shown}");
    assert!(fix::diff(&source(), &long.files, PIPE).len() > 500, "the command shows all of it");
}

#[test]
fn facts_of_a_sample_are_the_difference_or_the_trace() {
    let trace: String = (1..=40).map(|n| format!("  File \"a.py\", line {n}\n")).collect();
    let trace =
        format!("Traceback (most recent call last):\n{trace}ZeroDivisionError: \x1b[31mdivision by zero\n");
    let stderr = Capture::new(trace.as_bytes(), trace.len() as u64, trace.len());
    let crash = CaseDetail { verdict: Verdict::RuntimeError, difference: None, stderr, ..sample() };
    let slow = CaseDetail { verdict: Verdict::TimeLimit, ..sample() };
    insta::assert_snapshot!(format!("{}{}", diff::brief(&sample(), PIPE), diff::brief(&crash, PIPE)));
    assert_eq!(diff::brief(&slow, PIPE), "", "the verdict has said it");
}
