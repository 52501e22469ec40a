//! `codementor stats`: what happened in an assignment, in the terminal or as a page.

use std::path::Path;

use codementor_protocol::{ProblemStats, ReadStats, Stats, Verdict};
use codementord::files::write_public;
use unicode_width::UnicodeWidthStr;

use crate::args::course;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::moments;
use crate::render::page::{self, page};
use crate::render::words;
use crate::sanitize;
use crate::terminal::Paint;

/// How many rows a plot in the terminal has.
const ROWS: usize = 10;
/// How many cells a bar has.
const BAR: usize = 24;
/// How many students a line names.
const NAMED: usize = 6;

pub(crate) async fn run(context: &Context, args: &course::Stats) -> Result<ExitStatus, CliError> {
    let request = ReadStats { assignment: args.assignment.clone() };
    let stats = context.session().await?.request(&request).await?;
    if let Some(path) = &args.html {
        write(path, &page(&stats))?;
        context.progress.note(&t!("wrote {path}", path = path.display()));
    }
    if args.json {
        context.print_json(&stats)?;
    } else if args.html.is_none() {
        context.print(&draw(&stats, context.terminal.out))?;
    }
    Ok(ExitStatus::Success)
}

fn write(path: &Path, page: &str) -> Result<(), CliError> {
    write_public(path, page.as_bytes()).map_err(|source| CliError::File { path: path.into(), source })
}

/// The plots, for a terminal.
fn draw(stats: &Stats, paint: Paint) -> String {
    let title = sanitize::line(&stats.title);
    let mut text = format!(
        "{}   {title}\n{}\n",
        paint.strong(&stats.assignment.to_string()),
        paint.faint(&page::head(stats))
    );
    for problem in &stats.problems {
        text.push_str(&format!("\n{}   {}\n", paint.strong(problem.problem.as_str()), page::solved(problem)));
        match problem.verdicts.is_empty() {
            true => text.push_str(t!("  nothing has been judged yet\n")),
            false => self::problem(&mut text, problem, &stats.time_zone, paint),
        }
    }
    text
}

fn problem(text: &mut String, problem: &ProblemStats, zone: &str, paint: Paint) {
    let glyphs = paint.glyphs();
    let spans = page::spans(problem);
    let in_span = |verdict: Verdict| -> Vec<u64> {
        let of = |verdicts: &[(Verdict, u64)]| {
            verdicts.iter().filter(|(one, _)| *one == verdict).map(|(_, n)| n).sum()
        };
        spans.iter().map(|(_, verdicts)| of(verdicts)).collect()
    };
    let most = problem.timeline.iter().flat_map(|(_, verdicts)| verdicts).map(|(_, n)| *n).max().unwrap_or(0);
    if let (Some((first, _)), Some((last, _))) = (spans.first(), spans.last()) {
        let (first, last) = (moments::shown(*first, zone), moments::shown(*last, zone));
        let when = if first == last { first } else { t!("{first} to {last}", first, last) };
        heading(
            text,
            paint,
            &t!("verdicts over time, each column {span}: {when}", span = page::span(problem), when),
        );
    }
    for (verdict, n) in &problem.verdicts {
        let columns = glyphs.columns(&in_span(*verdict), most);
        let columns = if *verdict == Verdict::Accepted { paint.good(&columns) } else { paint.bad(&columns) };
        text.push_str(&format!("  {:<14} {n:>5}  {columns}\n", verdict.token()));
    }
    let failed = |case: &codementor_protocol::CaseStats| case.failed.iter().map(|(_, n)| n).sum::<u64>();
    let rows = problem.cases.iter().take(ROWS).map(|case| {
        let how: Vec<String> = case.failed.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect();
        let group = if case.sample { t!("sample").into() } else { sanitize::line(&case.group).into_owned() };
        let told =
            t!("{failed} of {run}  {how}", failed = failed(case), run = case.run, how = how.join(", "));
        (format!("{} {group}", case.index), failed(case), told)
    });
    bars(text, paint, t!("cases that fail, of those who ran them"), rows.collect());
    if !problem.clusters.is_empty() {
        heading(text, paint, t!("who fails alike, by the newest submission"));
        for cluster in problem.clusters.iter().take(ROWS) {
            let mut shown = cluster.clone();
            shown.users.truncate(NAMED);
            text.push_str(&format!(
                "  {:>4}  {}: {}   {}\n",
                cluster.count,
                page::alike(cluster),
                page::who(&shown),
                paint.faint(&format!("codementor show {}", cluster.example))
            ));
        }
    }
    let times = page::classes(&problem.times_ms, ROWS as u64);
    let times =
        times.into_iter().map(|(ms, n)| (t!("from {ms}", ms = words::duration(ms)), n, n.to_string()));
    bars(text, paint, t!("CPU time of accepted programs"), times.collect());
    let attempts = page::attempts(problem).into_iter().map(|(label, n)| (label, n, n.to_string()));
    bars(text, paint, t!("attempts until it was solved"), attempts.collect());
}

fn heading(text: &mut String, paint: Paint, words: &str) {
    text.push_str(&format!("  {}\n", paint.faint(words)));
}

/// Words, a bar, and what it stands for, line by line.
fn bars(text: &mut String, paint: Paint, title: &str, rows: Vec<(String, u64, String)>) {
    if rows.is_empty() {
        return;
    }
    heading(text, paint, title);
    let glyphs = paint.glyphs();
    let widest = rows.iter().map(|(label, _, _)| label.width()).max().unwrap_or(0);
    let most = rows.iter().map(|(_, n, _)| *n).max().unwrap_or(0);
    for (label, n, told) in rows {
        let (bar, pad) = (glyphs.bar(n, most, BAR), " ".repeat(widest - label.width()));
        let rest = " ".repeat(BAR.saturating_sub(bar.width()));
        text.push_str(&format!("  {pad}{label}  {bar}{rest}  {told}\n"));
    }
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{CaseStats, FailureCluster, SubmissionId, Timestamp};

    use super::*;

    /// With everything that a page must not take for its own.
    pub(super) fn sample() -> Stats {
        let problem = ProblemStats {
            problem: "sum".parse().expect("a slug"),
            points: "20".parse().expect("points"),
            tried: 40,
            solved: 25,
            verdicts: vec![
                (Verdict::WrongAnswer, 61),
                (Verdict::Accepted, 25),
                (Verdict::TimeLimit, 9),
                (Verdict::CompileError, 4),
            ],
            span_hours: 6,
            timeline: vec![
                (Timestamp(1_795_600_800_000), vec![(Verdict::WrongAnswer, 40), (Verdict::Accepted, 5)]),
                (Timestamp(1_795_644_000_000), vec![(Verdict::TimeLimit, 9), (Verdict::Accepted, 12)]),
                (
                    Timestamp(1_795_665_600_000),
                    vec![(Verdict::WrongAnswer, 21), (Verdict::Accepted, 8), (Verdict::CompileError, 4)],
                ),
            ],
            cases: vec![
                CaseStats {
                    index: 4,
                    group: "secret/<script>alert(1)</script>".into(),
                    sample: false,
                    run: 80,
                    failed: vec![(Verdict::WrongAnswer, 51), (Verdict::TimeLimit, 9)],
                },
                CaseStats {
                    index: 1,
                    group: "sample".into(),
                    sample: true,
                    run: 95,
                    failed: vec![(Verdict::WrongAnswer, 10)],
                },
            ],
            clusters: vec![
                FailureCluster {
                    index: Some(4),
                    verdict: Verdict::WrongAnswer,
                    count: 12,
                    users: ["kim", "lee", "park", "choi", "yoon", "jung", "kang"]
                        .map(|name| name.parse().expect("a user"))
                        .into(),
                    example: SubmissionId(4821),
                },
                FailureCluster {
                    index: None,
                    verdict: Verdict::CompileError,
                    count: 1,
                    users: vec!["seo".parse().expect("a user")],
                    example: SubmissionId(4799),
                },
            ],
            times_ms: vec![(3, 4), (120, 12), (130, 5), (900, 4)],
            attempts: vec![(1, 10), (2, 9), (5, 4), (22, 2)],
        };
        Stats {
            assignment: "cs101/hw1".parse().expect("an assignment"),
            title: "합계 & \"<b>sums</b>\"\u{1b}[31m".into(),
            due: Some(Timestamp(1_795_700_000_000)),
            time_zone: "Asia/Seoul".into(),
            students: 42,
            submissions: 99,
            problems: vec![problem],
        }
    }

    #[test]
    fn the_terminal_shows_what_the_page_shows() {
        let plain = draw(&sample(), Paint::PLAIN);
        let text = draw(&sample(), Paint { unicode: true, ..Paint::PLAIN });
        assert!(plain.lines().all(|line| line.chars().filter(|c| !c.is_ascii()).all(|c| "합계".contains(c))));
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in [
            "solved by 25 of 40 who tried; worth 20",
            "  WRONG_ANSWER      61  █  ▄",
            "  4 secret/<script>alert(1)</script>  ████████████████████████  60 of 80  WRONG_ANSWER 51, TIME_LIMIT 9",
            "    12  WRONG_ANSWER at case 4: kim, lee, park, choi, yoon, jung and 6 more   codementor show 4821",
            "     1  COMPILE_ERROR: seo   codementor show 4799",
            "16 and more",
        ] {
            assert!(text.contains(line), "'{line}' in\n{text}");
        }
    }

    #[test]
    fn the_page_stands_alone_and_holds_nothing_that_runs() {
        let html = page(&sample());
        assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"));
        for foreign in
            ["<script", "<b>", "javascript:", "http://", "https://", "src=", "href=", "url(", "@import"]
        {
            assert!(!html.contains(foreign), "{foreign} in\n{html}");
        }
        assert!(!html.contains('\u{1b}'));
        assert!(html.contains("합계 &amp; &quot;&lt;b&gt;sums&lt;/b&gt;&quot;"));
        assert!(html.contains("secret/&lt;script&gt;alert(1)&lt;/script&gt;"));
        assert!(html.contains("prefers-color-scheme:dark"));
        // Every element that is opened is closed: with the void ones left out, the page is XML.
        let xml: String =
            html.lines().skip(1).filter(|line| !line.starts_with("<meta")).collect::<Vec<_>>().join("\n");
        let mut reader = quick_xml_check(&xml);
        assert_eq!(reader.pop(), None, "left open");
    }

    /// The elements that are left open at the end; fails where one is closed that is not the last opened.
    fn quick_xml_check(xml: &str) -> Vec<String> {
        let mut open: Vec<String> = Vec::new();
        let mut rest = xml;
        while let Some(at) = rest.find('<') {
            let end = at + rest[at..].find('>').expect("a tag ends");
            let tag = &rest[at + 1..end];
            rest = &rest[end + 1..];
            let name = |tag: &str| tag.split_whitespace().next().unwrap_or_default().to_owned();
            match tag.strip_prefix('/') {
                Some(closed) => assert_eq!(open.pop().as_deref(), Some(closed), "before {:.40}", rest),
                None if tag.ends_with('/') => {}
                None => open.push(name(tag)),
            }
        }
        open
    }

    #[test]
    fn nothing_that_was_counted_is_lost_in_classes() {
        for times in [vec![], vec![(0, 3)], vec![(3, 4), (120, 12), (60_000, 1)], vec![(u64::MAX / 2, 1)]] {
            let classes = page::classes(&times, 10);
            assert!(classes.len() <= 10, "{classes:?}");
            let sum = |all: &[(u64, u64)]| all.iter().map(|(_, n)| n).sum::<u64>();
            assert_eq!(sum(&classes), sum(&times), "{times:?}");
        }
    }
}
