//! Recorded events, as each view shows them.

use std::time::{Duration, Instant};

use codementor::error::{CliError, Outcome};
use codementor::render::json::Json;
use codementor::render::live::Live;
use codementor::render::plain::Plain;
use codementor::render::tally::Tally;
use codementor::render::{Renderer, block, diff};
use codementor::terminal::Paint;
use codementor_protocol::*;
use indicatif::{InMemoryTerm, ProgressDrawTarget, TermLike};

const UNICODE: Paint = Paint { unicode: true, ..Paint::PLAIN };
const COLOUR: Paint = Paint { colour: true, unicode: true, ..Paint::PLAIN };

/// Events of one submission, 100 ms apart.
fn events(kinds: Vec<EventKind>) -> Vec<JobEvent> {
    let mut delivery = 0;
    kinds
        .into_iter()
        .enumerate()
        .map(|(n, kind)| {
            if matches!(kind, EventKind::Started(_)) {
                delivery += 1;
            }
            JobEvent {
                v: SCHEMA_VERSION,
                seq: n as u64 + 1,
                submission: SubmissionId(4821),
                delivery,
                at: Timestamp(1_764_000_000_000 + n as i64 * 100),
                kind,
            }
        })
        .collect()
}

fn accepted(purpose: Purpose) -> EventKind {
    EventKind::Submission(Accepted {
        id: SubmissionId(4821),
        problem: Slug::new("two-sum").expect("a slug"),
        package: PackageHash::new("0".repeat(64)).expect("a hash"),
        lang: LanguageId::new("cpp").expect("a language"),
        purpose,
        late: false,
        late_percent: 0,
        attempt: 3,
        time_limit_ms: 1000,
        memory_limit_mib: 256,
        assignment: None,
        due: None,
        attempt_limit: None,
    })
}

fn queued(position: u64) -> EventKind {
    EventKind::Queued(Queued { position })
}

fn started(total: u32) -> EventKind {
    EventKind::Started(Started { total })
}

fn compiled() -> EventKind {
    EventKind::Compiled(Compiled { ok: true, time_ms: 1100, diagnostics: vec![], output: String::new() })
}

fn not_compiled(diagnostics: Vec<Diagnostic>, output: &str) -> EventKind {
    EventKind::Compiled(Compiled { ok: false, time_ms: 400, diagnostics, output: output.into() })
}

fn case(index: u32, total: u32, verdict: Verdict) -> TestEvent {
    let sample = index <= 2;
    TestEvent {
        index,
        total,
        name: sample.then(|| format!("sample-{index}")),
        group: if sample { "sample" } else { "secret" }.into(),
        visibility: if sample { Visibility::Sample } else { Visibility::Hidden },
        verdict,
        time_ms: u64::from(index) * 10,
        wall_ms: u64::from(index) * 12,
        memory_kib: 3900,
        exit_code: Some(0),
        signal: None,
    }
}

fn test(index: u32, total: u32, verdict: Verdict) -> EventKind {
    EventKind::Test(case(index, total, verdict))
}

fn result(verdict: Verdict, passed: u32, total: u32) -> EventKind {
    let score = if verdict == Verdict::Accepted { "100" } else { "0" };
    let passed = Some(passed);
    EventKind::Result(Verdicted { verdict, score: score.into(), max_score: "100".into(), passed, total })
}

fn end() -> EventKind {
    EventKind::End(Ended::default())
}

fn diagnostic(line: u32, column: u32, end: u32, message: &str, fix: Option<&str>) -> Diagnostic {
    Diagnostic {
        file: "main.cpp".into(),
        line,
        column: Some(column),
        end_column: Some(end),
        severity: Severity::Error,
        message: message.into(),
        fix: fix.map(Into::into),
    }
}

fn source() -> Vec<SourceFile> {
    vec![SourceFile {
        name: "main.cpp".into(),
        text: "#include <cstdio>\nint main() {\n\tprintf(\"%d\", 합)\n\treturn 0;\n}\n".into(),
    }]
}

fn outcome(events: &[JobEvent]) -> Outcome {
    events.iter().find_map(|event| Outcome::of(&event.kind)).unwrap_or(Outcome::Detached)
}

/// Both streams of the view that only adds lines, with the exit code.
fn plain(kinds: Vec<EventKind>) -> String {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let events = events(kinds);
    let outcome = outcome(&events);
    let mut view = Plain::new(&mut out, &mut err, UNICODE);
    for event in &events {
        view.event(event).expect("it is written");
    }
    view.finish(&outcome, &source()).expect("it is written");
    drop(view);
    let [out, err] = [out, err].map(|bytes| String::from_utf8(bytes).expect("it is text"));
    format!("exit code: {}\n--- stdout\n{out}--- stderr\n{err}", outcome.status().code())
}

/// The lines for programs.
fn json(kinds: Vec<EventKind>) -> String {
    let mut out = Vec::new();
    let events = events(kinds);
    let mut view = Json::new(&mut out);
    for event in &events {
        view.event(event).expect("it is written");
    }
    view.finish(&outcome(&events), &[]).expect("it is written");
    String::from_utf8(out).expect("it is text")
}

fn all_right() -> Vec<EventKind> {
    vec![
        accepted(Purpose::Submission),
        queued(4),
        queued(2),
        queued(0),
        started(4),
        compiled(),
        test(1, 4, Verdict::Accepted),
        test(2, 4, Verdict::Accepted),
        test(3, 4, Verdict::Accepted),
        test(4, 4, Verdict::Accepted),
        result(Verdict::Accepted, 4, 4),
        end(),
    ]
}

fn failing(tests: Vec<TestEvent>, verdict: Verdict, passed: u32) -> Vec<EventKind> {
    let total = tests.first().map_or(0, |test| test.total);
    let mut kinds = vec![accepted(Purpose::Submission), queued(0), started(total), compiled()];
    kinds.extend(tests.into_iter().map(EventKind::Test));
    kinds.extend([result(verdict, passed, total), end()]);
    kinds
}

#[test]
fn accepted_programs() {
    insta::assert_snapshot!(plain(all_right()));
}

#[test]
fn what_lateness_takes_stands_with_the_verdict() {
    let late = |percent: u32, events: Vec<EventKind>| {
        let told = events.into_iter().map(|kind| match kind {
            EventKind::Submission(facts) => {
                EventKind::Submission(Accepted { late: true, late_percent: percent, ..facts })
            }
            kind => kind,
        });
        plain(told.collect())
    };
    let shown = late(10, all_right());
    assert!(shown.contains("\n  late: 90 count\n"), "{shown}");
    // Where nothing is taken, be it for want of points, nothing is said.
    let wrong = failing(vec![case(1, 4, Verdict::WrongAnswer)], Verdict::WrongAnswer, 0);
    for shown in [late(0, all_right()), late(10, wrong)] {
        assert!(!shown.contains("count"), "{shown}");
    }
}

#[test]
fn wrong_answers_of_samples_lead_to_the_diff() {
    let tests = vec![case(1, 4, Verdict::Accepted), case(2, 4, Verdict::WrongAnswer)];
    insta::assert_snapshot!(plain(failing(tests, Verdict::WrongAnswer, 1)));
}

#[test]
fn wrong_answers_of_hidden_tests_show_nothing_of_them() {
    let tests = (1..=3).map(|n| case(n, 20, Verdict::Accepted)).chain([case(4, 20, Verdict::WrongAnswer)]);
    insta::assert_snapshot!(plain(failing(tests.collect(), Verdict::WrongAnswer, 3)));
}

#[test]
fn limits_and_crashes_say_by_how_much_and_how() {
    let cpu = TestEvent { time_ms: 2010, wall_ms: 2100, ..case(3, 4, Verdict::TimeLimit) };
    let wall = TestEvent { time_ms: 20, wall_ms: 3000, ..case(3, 4, Verdict::TimeLimit) };
    let memory = TestEvent { memory_kib: 262_200, ..case(3, 4, Verdict::MemoryLimit) };
    let output = case(3, 4, Verdict::OutputLimit);
    let crash = TestEvent { exit_code: None, signal: Some(11), ..case(3, 4, Verdict::RuntimeError) };
    let code = TestEvent { exit_code: Some(3), ..case(3, 4, Verdict::RuntimeError) };
    let mut text = String::new();
    for test in [cpu, wall, memory, output, crash, code] {
        let mut tally = Tally::default();
        let verdict = test.verdict;
        for event in events(failing(vec![case(1, 4, Verdict::Accepted), test], verdict, 1)) {
            tally.apply(&event);
        }
        text.push_str(&block::render(&tally, &[], UNICODE));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn compile_errors_have_a_caret_under_the_place_also_after_hangul() {
    let kinds = vec![
        accepted(Purpose::Submission),
        queued(0),
        started(4),
        not_compiled(
            vec![
                diagnostic(3, 15, 16, "expected ';' before 'return'", Some(";")),
                diagnostic(3, 14, 15, "'합' was not declared in this scope", None),
                diagnostic(2, 5, 9, "a range\nwith a second line", None),
                diagnostic(99, 1, 2, "a line that is not there", None),
                Diagnostic { severity: Severity::Warning, ..diagnostic(1, 1, 2, "not shown", None) },
            ],
            "unused",
        ),
        result(Verdict::CompileError, 0, 4),
        end(),
    ];
    insta::assert_snapshot!(plain(kinds));
}

#[test]
fn what_a_compiler_says_in_its_own_words_is_quoted_and_harmless() {
    let words = "\x1b[31mmain.cpp:1: \x07error\u{202e}\r\n::error file=x::not a command\n";
    let kinds = vec![
        accepted(Purpose::Submission),
        started(4),
        not_compiled(vec![], words),
        result(Verdict::CompileError, 0, 4),
    ];
    insta::assert_snapshot!(plain(kinds));
}

#[test]
fn hundreds_of_compile_errors_are_cut() {
    let many = (1..=200).map(|n| diagnostic(1, 1, 2, &format!("error {n}"), None)).collect();
    let kinds = vec![
        accepted(Purpose::Submission),
        started(1),
        not_compiled(many, ""),
        result(Verdict::CompileError, 0, 1),
    ];
    let shown = plain(kinds);
    assert!(shown.contains("error 10\n") && !shown.contains("error 11\n"), "{shown}");
    assert!(shown.contains("… and 190 more"), "{shown}");
}

fn faulted() -> Vec<EventKind> {
    let fault = Fault::new(FaultCode::Sandbox, "the container\x1b[2J died");
    vec![
        accepted(Purpose::Submission),
        queued(0),
        started(4),
        compiled(),
        test(1, 4, Verdict::Accepted),
        EventKind::Restarted(Restarted { reason: "its judge was lost".into() }),
        queued(0),
        started(4),
        EventKind::Error(Failed::from(&fault)),
        end(),
    ]
}

#[test]
fn faults_are_ours_and_no_verdict() {
    insta::assert_snapshot!(plain(faulted()));
}

#[test]
fn what_was_reported_before_a_restart_does_not_count() {
    let mut kinds = vec![
        accepted(Purpose::Submission),
        queued(0),
        started(4),
        compiled(),
        test(1, 4, Verdict::WrongAnswer),
        EventKind::Restarted(Restarted { reason: "its judge was lost".into() }),
    ];
    kinds.extend(all_right().into_iter().skip(3));
    let shown = plain(kinds);
    insta::assert_snapshot!(shown);
}

#[test]
fn cancelled_and_preparing() {
    insta::assert_snapshot!(plain(vec![
        accepted(Purpose::Submission),
        queued(0),
        EventKind::Preparing { text: "step 2/7: RUN apt-get \x1b[31minstall".into() },
        EventKind::Cancelled,
        end(),
    ]));
}

#[test]
fn leaving_says_how_to_come_back() {
    insta::assert_snapshot!(plain(vec![accepted(Purpose::Submission), queued(7)]));
}

#[test]
fn trials_have_no_number_and_lead_to_the_submission() {
    let mut kinds = all_right();
    kinds[0] = accepted(Purpose::Trial);
    insta::assert_snapshot!(plain(kinds));
}

#[test]
fn a_long_silence_is_broken_every_thirty_seconds() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut view = Plain::new(&mut out, &mut err, UNICODE);
    let begin = Instant::now();
    for event in events(vec![accepted(Purpose::Submission), queued(7)]) {
        view.event(&event).expect("it is written");
    }
    for second in 0..95 {
        view.tick(begin + Duration::from_millis(500) + Duration::from_secs(second)).expect("it is written");
    }
    drop(view);
    let err = String::from_utf8(err).expect("it is text");
    let beats: Vec<&str> = err.lines().filter(|line| line.starts_with("still running")).collect();
    assert_eq!(beats.len(), 3, "{err}");
    assert!(beats[0].ends_with(": queued, 7 before it"), "{err}");
}

#[test]
fn json_is_the_events_and_one_end_with_the_exit_code() {
    let lines = json(failing(
        vec![case(1, 2, Verdict::Accepted), case(2, 2, Verdict::WrongAnswer)],
        Verdict::WrongAnswer,
        1,
    ));
    insta::assert_snapshot!(lines);
}

#[test]
fn json_of_a_fault_has_no_result() {
    let lines = json(faulted());
    assert!(!lines.contains("\"result\""), "{lines}");
    assert!(lines.contains("\"type\":\"error\",\"code\":\"sandbox\""), "{lines}");
    assert!(lines.ends_with("\"type\":\"end\",\"exit_code\":70}\n"), "{lines}");
    assert_eq!(lines.matches("\"type\":\"end\"").count(), 1, "{lines}");
    assert!(!lines.contains('\x1b'), "JSON escapes control characters: {lines}");
}

#[test]
fn json_of_a_failure_to_watch_is_an_error_and_an_end() {
    let mut out = Vec::new();
    let mut view = Json::new(&mut out);
    for event in events(vec![accepted(Purpose::Submission)]) {
        view.event(&event).expect("it is written");
    }
    view.fail(&CliError::NoSubmissions).expect("it is written");
    let lines = String::from_utf8(out).expect("it is text");
    let mut lines = lines.lines().skip(1);
    assert_eq!(
        lines.next(),
        Some(
            r#"{"v":1,"seq":2,"type":"error","code":"not_found","message":"you have not submitted anything yet","hint":"submit a program first: codementor submit FILE -p PROBLEM","retryable":false}"#
        )
    );
    assert_eq!(lines.next(), Some(r#"{"v":1,"seq":3,"type":"end","exit_code":5}"#));
    assert_eq!(lines.next(), None);
}

/// What stands on a terminal after each of the events, and what is left at the end.
fn live(kinds: Vec<EventKind>) -> String {
    let terminal = InMemoryTerm::new(12, 80);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    let mut out = Vec::new();
    let events = events(kinds);
    let outcome = outcome(&events);
    let mut view = Live::new(target, &mut out, ToTerminal(terminal.clone()), UNICODE, UNICODE);
    let mut screens = String::new();
    for event in &events {
        view.event(event).expect("it is written");
        // Drawing is limited to a rate; a tick is drawn in any case.
        view.tick(Instant::now()).expect("it is drawn");
        screens.push_str(&format!("--- {}\n{}\n", event.seq, terminal.contents()));
    }
    view.finish(&outcome, &source()).expect("it is written");
    drop(view);
    let out = String::from_utf8(out).expect("it is text");
    format!("{screens}--- left\n{}\n--- stdout\n{out}", terminal.contents())
}

/// Standard error is the terminal that the bar is drawn on.
struct ToTerminal(InMemoryTerm);

impl std::io::Write for ToTerminal {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write_str(&String::from_utf8_lossy(bytes).replace('\n', "\r\n"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn the_live_view_redraws_and_leaves_the_header() {
    let shown = live(all_right());
    let left = shown.split("--- left\n").nth(1).expect("it has an end");
    insta::assert_snapshot!(left);
    assert!(shown.contains("queued, 4 before it"), "{shown}");
    assert!(shown.contains("Ctrl-C detaches; judging goes on: codementor watch 4821"), "{shown}");
    assert!(shown.contains("[##########..........] 2/4  slowest sample-2: 0.02 s of 1.00 s"), "{shown}");
}

#[test]
fn the_live_view_shows_no_escapes_of_others() {
    let shown = live(vec![
        accepted(Purpose::Submission),
        EventKind::Preparing { text: "\x1b[2Jgone".into() },
        EventKind::Restarted(Restarted { reason: "\x1b[2Jgone".into() }),
    ]);
    assert!(shown.contains("\\x1b[2Jgone"), "{shown}");
}

#[test]
fn colours_only_surround_the_words() {
    let mut tally = Tally::default();
    for event in events(failing(vec![case(1, 4, Verdict::WrongAnswer)], Verdict::WrongAnswer, 0)) {
        tally.apply(&event);
    }
    let plain = block::render(&tally, &[], UNICODE);
    let coloured = block::render(&tally, &[], COLOUR);
    assert!(coloured.contains("\x1b[31;1m✗ WRONG_ANSWER\x1b[0m"), "{coloured}");
    let mut stripped = coloured;
    for code in ["\x1b[0m", "\x1b[31;1m", "\x1b[36m", "\x1b[1m", "\x1b[2m"] {
        stripped = stripped.replace(code, "");
    }
    assert_eq!(stripped, plain);
}

fn sample(input: &str, expected: &[u8], stdout: &[u8], difference: Option<&str>) -> CaseDetail {
    let whole = |bytes: &[u8]| Capture::new(bytes, bytes.len() as u64, bytes.len());
    CaseDetail {
        submission: SubmissionId(4821),
        index: 2,
        name: "sample-2".into(),
        verdict: Verdict::WrongAnswer,
        input: whole(input.as_bytes()),
        expected: whole(expected),
        stdout: whole(stdout),
        stderr: Capture::default(),
        difference: difference.map(Into::into),
    }
}

#[test]
fn the_diff_starts_at_the_first_difference_and_shows_white_space() {
    let long = format!("{}7{}", "1 ".repeat(80), " 2".repeat(80));
    let long_wrong = format!("{}8{}", "1 ".repeat(80), " 2".repeat(80));
    let floats = "line 2, column 1: 2.5 is too far from 2.0 (absolute error 0.5)";
    let table = [
        ("a trailing space", sample("", "합계: 6\n".as_bytes(), "합계: 6 \n".as_bytes(), None)),
        ("a token", sample("1 2\n3 4\n", b"3\n7\n", b"3\n8\n", Some("line 2, column 1: expected 7, got 8"))),
        ("a token after wide ones", sample("", "합계 6\n".as_bytes(), "합계 7\n".as_bytes(), None)),
        ("what the rules name", sample("", b"1.0\n2.0\n", b"1.0000001\n2.5\n", Some(floats))),
        ("upper and lower case", sample("", b"YES\n", b"Yes\n", None)),
        ("too short", sample("", b"1\n2\n3\n", b"1\n2\n", None)),
        ("too long", sample("", b"1\n", b"1\n2\n", None)),
        ("nothing at all", sample("", b"1\n", b"", None)),
        ("no line end", sample("", b"1\n", b"1", None)),
        ("a blank line too many", sample("", b"1\n", b"1\n\n", None)),
        ("a tab for a space", sample("", b"1 2\n", b"1\t2\n", None)),
        ("a carriage return", sample("", b"1\n2\n", b"1\r\n2\n", None)),
        ("other lines", sample("", b"1\n2\n4\n", b"1 2 3\n", None)),
        ("CP949", sample("", "합\n".as_bytes(), b"\xc7\xd5\n", None)),
        ("escapes", sample("\x1b[31m\n", b"1\n", b"\x1b[2J\n", None)),
        ("a long line", sample("", long.as_bytes(), long_wrong.as_bytes(), None)),
    ];
    let text: String =
        table.iter().map(|(name, case)| format!("=== {name}\n{}", diff::render(case, UNICODE))).collect();
    insta::assert_snapshot!(text);
}

#[test]
fn the_diff_in_ascii_explains_its_marks() {
    let case = sample("", b"6\n", b"6 \n", None);
    insta::assert_snapshot!(diff::render(&case, Paint::PLAIN));
}

#[test]
fn what_is_cut_off_is_not_taken_for_a_difference() {
    let mut case = sample("", b"1\n2\n3", b"1\n2\n", None);
    case.stdout.total = 100_000;
    let shown = diff::render(&case, UNICODE);
    assert!(shown.contains("The first 4 bytes are the same; more is not kept."), "{shown}");
}
