//! What a Korean reads: the views of recorded events, and errors of the program itself.

use std::process::{Command, Stdio};

use codementor::error::{CliError, Outcome};
use codementor::locale::{self, Choice};
use codementor::render::plain::Plain;
use codementor::render::{Renderer, diff};
use codementor::source::SourceError;
use codementor::terminal::Paint;
use codementor_protocol::*;
use codementord::settings::MessageLanguage;

/// All tests of this file speak Korean.
fn speak() {
    locale::choose(Choice { language: MessageLanguage::Ko, ..Choice::default() });
}

fn case(index: u32, verdict: Verdict) -> EventKind {
    EventKind::Test(TestEvent {
        index,
        total: 3,
        name: (index == 1).then(|| "sample-1".into()),
        group: if index == 1 { "sample" } else { "secret" }.into(),
        visibility: if index == 1 { Visibility::Sample } else { Visibility::Hidden },
        verdict,
        time_ms: 2400,
        wall_ms: 2500,
        memory_kib: 3900,
        exit_code: Some(0),
        signal: None,
    })
}

fn facts() -> EventKind {
    EventKind::Submission(Accepted {
        id: SubmissionId(4821),
        problem: Slug::new("two-sum").expect("a slug"),
        package: PackageHash::new("0".repeat(64)).expect("a hash"),
        lang: LanguageId::new("cpp").expect("a language"),
        purpose: Purpose::Submission,
        late: false,
        late_percent: 0,
        attempt: 3,
        time_limit_ms: 2000,
        memory_limit_mib: 256,
        assignment: Some("cs101/hw3".parse().expect("an assignment")),
        due: Some(Timestamp(1_764_000_000_000 + 15_120_000)),
        attempt_limit: Some(20),
    })
}

fn result(verdict: Verdict, passed: u32) -> EventKind {
    EventKind::Result(Verdicted {
        verdict,
        score: "0".into(),
        max_score: "100".into(),
        passed: Some(passed),
        total: 3,
    })
}

fn shown(kinds: Vec<EventKind>) -> String {
    speak();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut view = Plain::new(&mut out, &mut err, Paint::PLAIN);
    let mut outcome = Outcome::NotAwaited;
    for (n, kind) in kinds.into_iter().enumerate() {
        let (seq, at) = (n as u64 + 1, Timestamp(1_764_000_000_000 + n as i64 * 100));
        outcome = Outcome::of(&kind).unwrap_or(outcome);
        let event =
            JobEvent { v: SCHEMA_VERSION, seq, submission: SubmissionId(4821), delivery: 1, at, kind };
        view.event(&event).expect("writing to memory works");
    }
    view.finish(&outcome, &[]).expect("writing to memory works");
    drop(view);
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    format!("--- stderr\n{}--- stdout\n{}", text(err), text(out))
}

#[test]
fn a_submission_is_told_in_korean() {
    let compiled = Compiled { ok: true, time_ms: 1100, diagnostics: vec![], output: String::new() };
    insta::assert_snapshot!(shown(vec![
        facts(),
        EventKind::Queued(Queued { position: 4 }),
        EventKind::Started(Started { total: 3 }),
        EventKind::Compiled(compiled),
        case(1, Verdict::Accepted),
        case(2, Verdict::TimeLimit),
        result(Verdict::TimeLimit, 1),
    ]));
}

#[test]
fn a_fault_is_told_in_korean() {
    let failed =
        Failed { code: "engine".into(), message: "the engine does not answer".into(), retryable: true };
    insta::assert_snapshot!(shown(vec![facts(), EventKind::Error(failed)]));
}

#[test]
fn a_difference_is_told_in_korean_and_its_lines_stand_under_each_other() {
    speak();
    let capture = |text: &str| Capture { bytes: text.as_bytes().to_vec(), total: text.len() as u64 };
    let case = CaseDetail {
        submission: SubmissionId(4821),
        index: 1,
        name: "sample-1".into(),
        verdict: Verdict::WrongAnswer,
        difference: None,
        input: capture("1 2\n"),
        stdout: capture("합계: 6 \n"),
        expected: capture("합계: 6\n"),
        stderr: capture(""),
    };
    insta::assert_snapshot!(diff::render(&case, Paint::PLAIN));
}

#[test]
fn errors_and_hints_are_told_in_korean_and_what_a_server_says_stays() {
    speak();
    let name = || "main.py".to_owned();
    let refusal = Refusal::new(RefusalCode::Forbidden, "the assignment is closed").hint("ask for more time");
    let errors: [CliError; 3] = [
        SourceError::Ambiguous { names: vec![name(), "b.py".into()], together: true }.into(),
        refusal.into(),
        CliError::NoSubmissions,
    ];
    let text: String = errors.iter().map(|error| error.render(Paint::PLAIN)).collect();
    insta::assert_snapshot!(text, @r"
    오류: 소스 파일이 2개 있습니다: main.py, b.py
    힌트: 함께 제출할 파일을 지정하거나 --yes 옵션으로 모두 제출하십시오
    오류: 규칙에 따라 할 수 없습니다: the assignment is closed
    힌트: ask for more time
    오류: 아직 제출한 것이 없습니다
    힌트: 먼저 프로그램을 제출하십시오: codementor submit 파일 -p 문제
    ");
}

/// Exit code, standard output and standard error of the program itself.
fn run(locale: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(dir.path().join("a.py"), "print(6)\n").expect("is written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_codementor"));
    command.args(arguments).current_dir(dir.path()).env_clear().env("HOME", dir.path()).env("LC_ALL", locale);
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_program_speaks_the_language_of_its_locale_and_to_programs_english() {
    let call = ["submit", "a.py", "-l", "pyhton3", "-p", "hello"];
    let (code, _, korean) = run("ko_KR.UTF-8", &call);
    assert_eq!(code, Some(2));
    assert!(korean.starts_with("오류: 모르는 언어입니다: 'pyhton3'"), "{korean}");
    let (_, _, english) = run("C.UTF-8", &call);
    assert!(english.starts_with("error: unknown language 'pyhton3', did you mean python3?"), "{english}");
    let json = [&call[..], &["--json"]].concat();
    assert_eq!(run("ko_KR.UTF-8", &json), run("C.UTF-8", &json));
}
