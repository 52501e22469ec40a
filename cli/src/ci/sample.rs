//! Graded assignments for the tests of the formats: a usual one, and what hostile students would make of it.

use codementor_protocol::{
    Compiled, Diagnostic, LanguageId, Severity, SourceFile, SubmissionId, Timestamp, Verdict, Verdicted,
};

use crate::ci::graded::{Ending, Graded, Problem, Seen, Source, Test};
use crate::error::ExitStatus;

/// What a hostile student writes wherever it can be written.
const HOSTILE: &str = "x]]>\0</failure>\x1b[31m\n::error::forged\r\n ##[error]forged | `````\n<img src=//e.vil> @all \
    [a](https://e.vil) \u{202e}\u{7f} ${{ secrets }} %0A\n::notice title=Autograding report::{}";

fn test(index: u32, group: &str, verdict: Verdict, name: Option<&str>) -> Test {
    let seen = name.map(|name| Seen {
        name: Some(name.into()),
        time_ms: 412,
        memory_kib: 3900,
        reason: (verdict == Verdict::RuntimeError).then(|| "exit code 3".into()),
    });
    Test { index, group: group.into(), verdict, seen }
}

fn compiled(ok: bool, diagnostics: Vec<Diagnostic>) -> Option<Compiled> {
    Some(Compiled { ok, time_ms: 100, diagnostics, output: String::new() })
}

fn error(file: &str, message: &str) -> Diagnostic {
    Diagnostic {
        file: file.into(),
        line: 6,
        column: Some(45),
        end_column: Some(46),
        severity: Severity::Error,
        message: message.into(),
        fix: None,
    }
}

fn source(path: &str, text: &str) -> Source {
    let name = path.rsplit('/').next().unwrap_or(path);
    Source { file: SourceFile { name: name.into(), text: text.into() }, path: path.into() }
}

/// A problem that was judged: three tests, of which the second decides where it is not accepted.
pub(crate) fn judged(name: &str, verdict: Verdict, score: &str) -> Problem {
    let accepted = verdict == Verdict::Accepted;
    let mut tests = vec![test(1, "sample", verdict, Some("sample/1"))];
    if accepted {
        tests.extend([test(2, "secret", verdict, None), test(3, "secret", verdict, None)]);
    }
    let ran = verdict != Verdict::CompileError;
    Problem {
        name: name.into(),
        points: None,
        submission: Some(SubmissionId(7)),
        language: LanguageId::new("cpp").ok(),
        late: false,
        late_percent: 0,
        files: vec![source(&format!("hw3/{name}/main.cpp"), "int main() {}\n")],
        tests: if ran { tests } else { Vec::new() },
        total: 3,
        compiled: compiled(ran, Vec::new()),
        elapsed_ms: 1234,
        ending: Ending::Judged(Verdicted {
            verdict,
            score: score.into(),
            max_score: "100".into(),
            passed: Some(if accepted { 3 } else { 0 }),
            total: 3,
        }),
    }
}

/// A problem for which nothing was sent.
pub(crate) fn unsent(name: &str, missing: bool) -> Problem {
    Problem {
        submission: None,
        language: None,
        files: Vec::new(),
        tests: Vec::new(),
        total: 0,
        compiled: None,
        elapsed_ms: 0,
        ending: Ending::Unsent {
            missing,
            reason: match missing {
                true => format!("there is no source file in {name}"),
                false => format!("{name}/main.cpp is not a text file: it has a NUL byte at byte 2"),
            },
        },
        ..judged(name, Verdict::Accepted, "0")
    }
}

/// A problem that has no grade.
pub(crate) fn ungraded(name: &str, status: ExitStatus) -> Problem {
    Problem {
        tests: Vec::new(),
        compiled: None,
        ending: Ending::Ungraded {
            status,
            code: "sandbox".into(),
            message: "sandbox: the container died".into(),
        },
        ..judged(name, Verdict::Accepted, "0")
    }
}

/// One problem of each kind that has a grade.
pub(crate) fn graded() -> Graded {
    let late = Problem {
        late: true,
        tests: vec![
            test(1, "sample", Verdict::Accepted, Some("sample/1")),
            test(2, "secret", Verdict::TimeLimit, None),
        ],
        ..judged("two-sum", Verdict::TimeLimit, "0")
    };
    let broken = Problem {
        compiled: compiled(
            false,
            vec![
                error("main.cpp", "expected ‘;’ before ‘std’"),
                Diagnostic {
                    severity: Severity::Warning,
                    line: 3,
                    ..error("main.cpp", "unused variable ‘x’")
                },
                Diagnostic { severity: Severity::Note, ..error("main.cpp", "declared here") },
                Diagnostic { severity: Severity::Warning, ..error("bits/stdc++.h", "not the student's") },
            ],
        ),
        ..judged("tram", Verdict::CompileError, "0")
    };
    Graded {
        name: "hw3".into(),
        problems: vec![judged("sum", Verdict::Accepted, "100"), late, broken, unsent("fence", true)],
        at: Timestamp(1_795_000_000_000),
        elapsed_ms: 4321,
    }
}

/// Everything that a student or a package could have written is hostile.
pub(crate) fn hostile() -> Graded {
    let path = format!("hw3/{HOSTILE}.cpp");
    let broken = Problem {
        name: HOSTILE.into(),
        files: vec![Source { path, ..source(HOSTILE, &format!("{HOSTILE}\n").repeat(9)) }],
        compiled: compiled(false, vec![Diagnostic { fix: Some(HOSTILE.into()), ..error(HOSTILE, HOSTILE) }]),
        ..judged("x", Verdict::CompileError, "0")
    };
    // The file's name is the text itself, and not the part of it after the last slash.
    let broken = Problem {
        files: broken
            .files
            .into_iter()
            .map(|source| Source { file: SourceFile { name: HOSTILE.into(), ..source.file }, ..source })
            .collect(),
        ..broken
    };
    let failed = Problem {
        name: format!("2{HOSTILE}"),
        tests: vec![
            test(1, HOSTILE, Verdict::WrongAnswer, Some(HOSTILE)),
            test(2, HOSTILE, Verdict::WrongAnswer, Some(HOSTILE)),
            test(3, HOSTILE, Verdict::WrongAnswer, None),
        ],
        ..judged("y", Verdict::WrongAnswer, "0")
    };
    let unsent = Problem {
        name: format!("3{HOSTILE}"),
        ending: Ending::Unsent { missing: false, reason: HOSTILE.into() },
        ..unsent("z", false)
    };
    Graded { name: HOSTILE.into(), problems: vec![broken, failed, unsent], ..graded() }
}

/// A program with so many errors, all of the same words.
pub(crate) fn many_errors(count: u32) -> Graded {
    let errors = (1..=count).map(|line| Diagnostic { line, ..error("main.cpp", "no") }).collect();
    let problem = Problem { compiled: compiled(false, errors), ..judged("sum", Verdict::CompileError, "0") };
    Graded { problems: vec![problem], ..graded() }
}

/// More than a summary may hold.
pub(crate) fn huge() -> Graded {
    let said = "e".repeat(200_000);
    let problems = (0..100).map(|number| Problem {
        compiled: Some(Compiled {
            ok: false,
            time_ms: 1,
            diagnostics: vec![error("main.cpp", &said)],
            output: String::new(),
        }),
        ..judged(&format!("p{number}"), Verdict::CompileError, "0")
    });
    Graded { problems: problems.collect(), ..graded() }
}
