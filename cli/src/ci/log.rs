//! Lines for the log of a CI job. Such a log is also a command channel: GitHub obeys a line that begins with `::`,
//! blanks before it or not, and takes `##[…]` for a command wherever in a line it stands; others have such marks too.
//! So no line may begin with foreign text, and no two `#` may stand together.

use std::io::{self, Write};

use codementor_protocol::{Points, SourceFile};

use crate::ci::graded::{Ending, Graded, Problem, Source};
use crate::render::compile;
use crate::sanitize;
use crate::terminal::Paint;

/// The most bytes of a line that is held back until it ends.
const LONGEST: usize = 64 * 1024;

/// Foreign text as one line that no CI runner obeys.
pub fn line(raw: &str) -> String {
    tame(&sanitize::line(raw))
}

/// Foreign text of any number of lines, each behind a bar.
pub fn quote(raw: &str) -> String {
    sanitize::text(raw).lines().map(|line| format!("  | {}\n", tame(line))).collect()
}

/// Our own text, foreign words in it included, with every line made harmless.
pub fn lines(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", tame(line))).collect()
}

fn tame(line: &str) -> String {
    let mut shown = String::with_capacity(line.len() + 2);
    if line.trim_start().starts_with("::") {
        shown.push_str("| ");
    }
    for character in line.chars() {
        if character == '#' && shown.ends_with('#') {
            shown.push(' ');
        }
        shown.push(character);
    }
    shown
}

/// JSON as it may stand in a log: `##` can only be in its texts, where it can be written otherwise.
pub fn json(raw: &str) -> String {
    raw.replace("##", "#\\u0023")
}

/// Passes on what is written to it line by line, each made harmless.
pub struct Guard<W: Write> {
    inner: W,
    held: Vec<u8>,
}

impl<W: Write> Guard<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, held: Vec::new() }
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.held.extend_from_slice(part);
            if part.ends_with(b"\n") || self.held.len() > LONGEST {
                let held = std::mem::take(&mut self.held);
                self.inner.write_all(lines(&String::from_utf8_lossy(&held)).as_bytes())?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// The result: a line for each problem, what a compiler said, and the sum.
pub fn report(graded: &Graded, threshold: Option<Points>) -> String {
    let mut text: String = graded.problems.iter().map(problem).collect();
    if graded.problems.len() == 1 && threshold.is_none() {
        return text;
    }
    let name = line(&graded.name);
    let Some((score, passes)) = graded.score().zip(graded.passes(threshold)) else {
        text.push_str(&format!("{name}: not graded; this is no zero\n"));
        return text;
    };
    let passes = if passes { "PASS" } else { "FAIL" };
    let threshold = threshold.map(|percent| format!(", threshold {percent} %")).unwrap_or_default();
    text.push_str(&format!("{name}: {}/{}{threshold}: {passes}\n", score.got, score.most));
    text
}

fn problem(problem: &Problem) -> String {
    let name = line(&problem.name);
    let number = problem.submission.map(|id| format!("  #{id}")).unwrap_or_default();
    let late = problem.lateness().map(|late| format!("  {late}")).unwrap_or_default();
    let score = problem.score().map(|score| format!("{}/{} ", score.got, score.most)).unwrap_or_default();
    let token = problem.token();
    match &problem.ending {
        Ending::Judged(result) => {
            let mut text = format!("{name}: {score}{token}");
            if let Some(failure) = problem.first_failure() {
                text.push_str(&format!(" (first failure: {})", line(&failure.name())));
            } else if result.total > 0 && problem.accepted() {
                text.push_str(&format!(" ({})", count!(result.total.into(), "test")));
            }
            text.push_str(&format!("{late}{number}\n"));
            if !problem.compiles() {
                text.push_str(&quote(&compiler(problem)));
            }
            text
        }
        Ending::Unsent { reason, .. } => format!("{name}: {score}{token}: {}\n", line(reason)),
        Ending::Ungraded { message, .. } => format!("{name}: {token}: {}{number}\n", line(message)),
    }
}

/// What the compiler said, with places and carets, in plain text. Every format but the annotations shows it so.
pub fn compiler(problem: &Problem) -> String {
    let files: Vec<SourceFile> = problem.files.iter().map(|Source { file, .. }| file.clone()).collect();
    problem.compiled.as_ref().map_or_else(String::new, |compiled| {
        compile::render(&compiled.diagnostics, &compiled.output, &files, Paint::PLAIN)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ci::sample;
    use crate::error::ExitStatus;

    /// What the runner of GitHub Actions obeys, by its own rules.
    fn is_obeyed(line: &str) -> bool {
        line.trim_start().starts_with("::") || line.contains("##[")
    }

    #[test]
    fn a_log_line_that_would_be_a_command_is_none() {
        for (raw, shown) in [
            ("::error::x", "| ::error::x"),
            ("  \u{3000}::error::x", "|   \u{3000}::error::x"),
            ("a ::error::x", "a ::error::x"),
            ("x ##[error]y", "x # #[error]y"),
            ("###[error]", "# # #[error]"),
            ("a\n::error::", "a\\n::error::"),
            ("\x1b[31mred", "\\x1b[31mred"),
        ] {
            assert_eq!(line(raw), shown);
        }
        assert_eq!(quote("::a\n ::b"), "  | | ::a\n  | |  ::b\n");
    }

    #[test]
    fn what_is_written_in_pieces_is_made_harmless_as_a_line() {
        let mut guard = Guard::new(Vec::new());
        for piece in [" :", ":err", "or::x\nab #", "#[error]\n", "end"] {
            guard.write_all(piece.as_bytes()).expect("is written");
        }
        assert_eq!(String::from_utf8(guard.inner).expect("is UTF-8"), "|  ::error::x\nab # #[error]\n");
    }

    #[test]
    fn the_report_has_a_line_for_each_problem_and_the_sum() {
        let graded = Graded {
            name: "hw3".into(),
            problems: vec![
                sample::judged("sum", codementor_protocol::Verdict::Accepted, "100"),
                sample::judged("two-sum", codementor_protocol::Verdict::WrongAnswer, "30"),
                sample::unsent("tram", true),
            ],
            ..sample::graded()
        };
        insta::assert_snapshot!(report(&graded, "60".parse().ok()), @r"
        sum: 100/100 ACCEPTED (3 tests)  #7
        two-sum: 30/100 WRONG_ANSWER (first failure: sample/1)  #7
        tram: 0/100 MISSING: there is no source file in tram
        hw3: 130/300, threshold 60 %: FAIL
        ");
        let graded = Graded { problems: vec![sample::ungraded("sum", ExitStatus::OurFault)], ..graded };
        insta::assert_snapshot!(report(&graded, None), @"sum: JUDGE_ERROR: sandbox: the container died  #7");
    }

    #[test]
    fn nothing_that_a_student_writes_is_obeyed() {
        let text = report(&sample::hostile(), None);
        assert!(text.contains("error"), "the compiler's words are there: {text}");
        assert!(text.lines().all(|line| !is_obeyed(line) && !line.starts_with("::")), "{text}");
        assert!(text.chars().all(|c| c == '\n' || sanitize::escape(c).is_none()), "{text:?}");
    }

    proptest! {
        #[test]
        fn no_text_is_obeyed(raw in "[ \t\n:#\\[\\]a\u{3000}\u{85}\u{2028}%]{0,40}") {
            prop_assert!(!is_obeyed(&line(&raw)), "{:?}", line(&raw));
            prop_assert!(lines(&raw).lines().all(|line| !is_obeyed(line)));
            prop_assert!(!json(&serde_json::to_string(&raw).expect("is JSON")).contains("##"));
            let read: String = serde_json::from_str(&json(&serde_json::to_string(&raw).expect("is JSON"))).expect("still");
            prop_assert_eq!(read, raw);
        }
    }
}
