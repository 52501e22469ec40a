//! The summary of a step of GitHub Actions, in Markdown.

use codementor_protocol::Points;

use crate::ci::graded::{Ending, Graded, Problem, Test};
use crate::ci::log;
use crate::render::words;
use crate::sanitize;

/// GitHub refuses a summary of more than 1 MiB; other commands of the step may write there too.
pub const MOST_BYTES: usize = 900 * 1024;
/// How many tests of a problem are listed.
const MOST_TESTS: usize = 50;
/// How much of what a compiler said is shown, in characters.
const MOST_SAID: usize = 20_000;

/// The summary.
pub fn render(graded: &Graded, threshold: Option<Points>) -> String {
    let mut text = format!("## {}\n\n", escape(&graded.name));
    match graded.score().zip(graded.passes(threshold)) {
        Some((score, passes)) => {
            let passes = if passes { "passed" } else { "not passed" };
            let threshold = threshold.map(|percent| format!(", threshold {percent} %")).unwrap_or_default();
            text.push_str(&format!("**{}/{}** points{threshold}: {passes}\n\n", score.got, score.most));
        }
        None => text.push_str("**Not graded.** This is no zero: the grade is open.\n\n"),
    }
    text.push_str("| problem | result | points | tests | submission |\n|---|---|---:|---:|---:|\n");
    for problem in &graded.problems {
        text.push_str(&row(problem));
    }
    for problem in &graded.problems {
        text.push_str(&details(problem));
    }
    cut(text)
}

/// Why there is no grade at all, for a student who looks at the summary instead of the log.
pub fn refusal(message: &str, hint: Option<&str>) -> String {
    let hint = hint.map(|hint| format!("{}\n\n", escape(hint))).unwrap_or_default();
    cut(format!("## Not graded\n\n{}\n\n{hint}This is no zero: nothing was submitted.\n", escape(message)))
}

fn row(problem: &Problem) -> String {
    let points = problem.score().map_or_else(|| "-".into(), |score| format!("{}/{}", score.got, score.most));
    let tests = match &problem.ending {
        Ending::Judged(result) => {
            result.passed.map_or_else(|| "-".into(), |passed| format!("{passed}/{}", result.total))
        }
        Ending::Unsent { .. } | Ending::Ungraded { .. } => "-".into(),
    };
    let id = problem.submission.map_or_else(|| "-".into(), |id| id.to_string());
    let late = problem.lateness().map(|late| format!(" ({late})")).unwrap_or_default();
    format!("| {} | `{}`{late} | {points} | {tests} | {id} |\n", escape(&problem.name), problem.token())
}

fn details(problem: &Problem) -> String {
    let title = format!("\n### {}\n\n", escape(&problem.name));
    match &problem.ending {
        Ending::Judged(_) if problem.accepted() => String::new(),
        Ending::Judged(_) if !problem.compiles() => {
            let said = log::compiler(problem);
            let shown: String = sanitize::text(&said).chars().take(MOST_SAID).collect();
            let more = if shown.len() < said.len() { "\nThe compiler said more.\n" } else { "" };
            format!("{title}{}{more}", fenced(&shown))
        }
        Ending::Judged(_) => {
            let mut text = title;
            let failed: Vec<&Test> = problem.tests.iter().filter(|test| test.failed()).collect();
            if failed.is_empty() {
                text.push_str("The tests that failed are not shown.\n");
                return text;
            }
            text.push_str("| test | verdict | time | memory | |\n|---|---|---:|---:|---|\n");
            for test in failed.iter().take(MOST_TESTS) {
                text.push_str(&failure(test));
            }
            if failed.len() > MOST_TESTS {
                text.push_str(&format!("\nand {} more\n", failed.len() - MOST_TESTS));
            }
            let rest = problem.not_run().count();
            if rest > 0 {
                text.push_str(&format!("\nNot run after it: {}.\n", count!(rest as u64, "test")));
            }
            text
        }
        Ending::Unsent { reason, .. } => format!("{title}{}\n", escape(reason)),
        Ending::Ungraded { code, message, .. } => {
            format!("{title}{}: {}\n\nThis is no zero.\n", escape(code), escape(message))
        }
    }
}

fn failure(test: &Test) -> String {
    let verdict = test.verdict;
    match &test.seen {
        None => format!("| {} | `{verdict}` | | | hidden |\n", escape(&test.name())),
        Some(seen) => format!(
            "| {} | `{verdict}` | {} | {} | {} |\n",
            escape(&test.name()),
            words::duration(seen.time_ms),
            words::memory(seen.memory_kib),
            seen.reason.as_deref().map(escape).unwrap_or_default()
        ),
    }
}

/// Foreign text on one line, in which nothing is Markdown or HTML, and nobody is mentioned.
fn escape(raw: &str) -> String {
    let mut shown = String::with_capacity(raw.len());
    for character in sanitize::line(raw).chars() {
        match character {
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' => shown.push_str("&#64;"),
            // A bare address would become a link.
            ':' => shown.push_str("&#58;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' => {
                shown.push('\\');
                shown.push(character);
            }
            character => shown.push(character),
        }
    }
    // What makes a list or a line at the beginning of a line does so only there; all foreign text is within one, but
    // for a title or a paragraph of its own.
    match shown.chars().next() {
        Some('-' | '+' | '=') => format!("\\{shown}"),
        Some(digit) if digit.is_ascii_digit() => shown.replacen('.', "\\.", 1),
        _ => shown,
    }
}

/// Foreign text as it is, between fences that are longer than any in it.
fn fenced(clean: &str) -> String {
    let longest = clean.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let end = if clean.ends_with('\n') { "" } else { "\n" };
    format!("{fence}text\n{clean}{end}{fence}\n")
}

fn cut(mut text: String) -> String {
    if text.len() > MOST_BYTES {
        let mut end = MOST_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // A row or a block that is cut would swallow the words after it.
        let end = text[..end].rfind("\n### ").unwrap_or(end);
        text.truncate(end);
        text.push_str("\n\nThere is more than a summary may hold.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ci::sample;

    #[test]
    fn the_summary_says_what_a_student_asks() {
        insta::assert_snapshot!(render(&sample::graded(), "60".parse().ok()));
    }

    #[test]
    fn whatever_a_student_writes_it_is_text() {
        let text = render(&sample::hostile(), None);
        let mut fence: Option<String> = None;
        let mut blocks = 0;
        for line in text.lines() {
            let ticks: String = line.chars().take_while(|character| *character == '`').collect();
            match &fence {
                None if ticks.len() >= 3 => fence = Some(ticks),
                None => {
                    assert!(!line.contains('<') && !line.contains("://") && !line.contains('@'), "{line}");
                    assert!(!line.contains("]("), "{line}");
                }
                Some(open) if line == open => {
                    fence = None;
                    blocks += 1;
                }
                Some(open) => assert!(!line.trim_start().starts_with(open.as_str()), "{line} ends the block"),
            }
        }
        assert_eq!((fence, blocks), (None, 1), "{text}");
        assert!(text.chars().all(|c| matches!(c, '\n' | '\t') || sanitize::escape(c).is_none()), "{text:?}");
        // Every row of the tables has the cells that it should have.
        for row in text.lines().filter(|line| line.starts_with('|')) {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
        }
    }

    #[test]
    fn a_summary_is_never_larger_than_github_takes() {
        let text = render(&sample::huge(), None);
        assert!(text.len() < 1024 * 1024, "{}", text.len());
        assert!(text.ends_with("There is more than a summary may hold.\n"));
    }
}
