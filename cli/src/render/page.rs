//! One page with the plots of an assignment: HTML and SVG, without scripts and without anything from elsewhere. Every text
//! from outside is escaped; what colours say, words say too.

use std::fmt::Write as _;

use codementor_protocol::{FailureCluster, ProblemStats, Span, Stats, Timestamp, Verdict};

use crate::locale;
use crate::moments;
use crate::render::words;

/// How wide plots are.
const WIDTH: u64 = 640;
/// How high plots with columns are.
const HEIGHT: u64 = 120;
/// How wide the words before a bar are.
const LABEL: u64 = 190;
/// How high a bar and its gap are.
const ROW: u64 = 20;

const STYLE: &str = "\
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1f24;--faint:#59636e;--line:#d1d9e0;--bar:#3b6fb6;\
--good:#1a7f37;--wrong:#c3372f;--slow:#b26a00;--crash:#8250df;--other:#6e7781}\
@media(prefers-color-scheme:dark){:root{--paper:#0f1419;--ink:#e6edf3;--faint:#9198a1;--line:#30363d;--bar:#6ea8fe;\
--good:#3fb950;--wrong:#f47067;--slow:#e3a03b;--crash:#b98cf5;--other:#8b949e}}\
*{box-sizing:border-box}body{margin:2rem auto;max-width:46rem;padding:0 1rem;background:var(--paper);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}h1{margin-bottom:0}h2{margin-top:2.5rem;border-top:1px solid var(--line);\
padding-top:1rem}h3{font-size:1rem;margin-bottom:.25rem}p,li{overflow-wrap:anywhere}.faint{color:var(--faint)}\
svg{display:block;width:100%;height:auto;margin:.25rem 0}svg text{fill:var(--ink);font:12px system-ui,sans-serif}\
svg .axis{stroke:var(--line)}.bar{fill:var(--bar)}.good{fill:var(--good)}.wrong{fill:var(--wrong)}\
.slow{fill:var(--slow)}.crash{fill:var(--crash)}.other{fill:var(--other)}ul.key{list-style:none;padding:0;display:flex;\
flex-wrap:wrap;gap:.25rem 1rem}ul.key svg{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 0}";

/// The page.
pub fn page(stats: &Stats) -> String {
    let title = format!("{}: {}", stats.assignment, stats.title);
    let mut page = String::new();
    // A text that is built cannot fail to be written to, here and below.
    let _ = write!(
        page,
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n<p class=\"faint\">{}</p>\n",
        escape(&head(stats)),
        lang = if locale::is_korean() { "ko" } else { "en" },
        title = escape(&title),
    );
    for problem in &stats.problems {
        section(&mut page, problem, &stats.time_zone);
    }
    page.push_str("</body>\n</html>\n");
    page
}

/// What the assignment is, in a line.
pub fn head(stats: &Stats) -> String {
    let students = count!(stats.students.into(), "student");
    let submissions = count!(stats.submissions, "judged submission");
    let due = stats
        .due
        .map_or(String::new(), |due| t!(", due {shown}", shown = moments::shown(due, &stats.time_zone)));
    format!("{students}, {submissions}{due}")
}

/// How many solved a problem, in a line.
pub fn solved(problem: &ProblemStats) -> String {
    t!(
        "solved by {solved} of {tried} who tried; worth {points}",
        solved = problem.solved,
        tried = problem.tried,
        points = problem.points
    )
}

/// Which students a cluster has, in a line.
pub fn who(cluster: &FailureCluster) -> String {
    let names: Vec<&str> = cluster.users.iter().map(|user| user.as_str()).collect();
    let left = (cluster.count as usize).saturating_sub(names.len());
    let more = if left > 0 { t!(" and {left} more", left) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Where and how a cluster fails.
pub fn alike(cluster: &FailureCluster) -> String {
    match cluster.index {
        Some(index) => t!("{verdict} at case {index}", verdict = cluster.verdict, index),
        None => cluster.verdict.to_string(),
    }
}

/// The timeline without gaps: the begin of each span, and its verdicts.
pub fn spans(problem: &ProblemStats) -> Vec<(Timestamp, &[(Verdict, u64)])> {
    let length = i64::try_from(problem.span_hours.max(1)).unwrap_or(i64::MAX).saturating_mul(3_600_000);
    let (Some((first, _)), Some((last, _))) = (problem.timeline.first(), problem.timeline.last()) else {
        return Vec::new();
    };
    // The daemon bounds how many there are; what comes from elsewhere must not fill the memory.
    let count = (last.0.saturating_sub(first.0) / length).clamp(0, 1000);
    (0..=count)
        .map(|place| {
            let begin = Timestamp(first.0 + place * length);
            let found = problem.timeline.iter().find(|(at, _)| *at == begin);
            (begin, found.map_or(&[][..], |(_, verdicts)| verdicts.as_slice()))
        })
        .collect()
}

/// The length of a span in words.
pub fn span(problem: &ProblemStats) -> String {
    words::span(Span(i64::try_from(problem.span_hours).unwrap_or(i64::MAX).saturating_mul(3_600_000)))
}

/// CPU times in at most `most` classes of equal width: the least of each in milliseconds, and how many.
pub fn classes(times: &[(u64, u64)], most: u64) -> Vec<(u64, u64)> {
    let Some((longest, _)) = times.last() else { return Vec::new() };
    let widths = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
    let width = widths.into_iter().find(|width| longest / width < most).unwrap_or(longest / most + 1);
    let mut classes: Vec<(u64, u64)> = (0..=longest / width).map(|place| (place * width, 0)).collect();
    for (ms, n) in times {
        if let Some(class) = classes.get_mut((ms / width) as usize) {
            class.1 += n;
        }
    }
    let empty = classes.iter().take_while(|(_, n)| *n == 0).count();
    classes.split_off(empty)
}

fn section(page: &mut String, problem: &ProblemStats, zone: &str) {
    let _ = write!(
        page,
        "<section>\n<h2>{}</h2>\n<p>{}</p>\n",
        escape(problem.problem.as_str()),
        escape(&solved(problem))
    );
    if problem.verdicts.is_empty() {
        let _ = write!(
            page,
            "<p class=\"faint\">{}</p>\n</section>\n",
            escape(t!("Nothing has been judged yet."))
        );
        return;
    }
    page.push_str("<ul class=\"key\">\n");
    for (verdict, n) in &problem.verdicts {
        let _ = writeln!(
            page,
            "<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{}\" width=\"10\" height=\"10\"/></svg>{} {n}</li>",
            class(*verdict),
            escape(verdict.token()),
        );
    }
    page.push_str("</ul>\n");
    heading(page, &t!("Verdicts over time, each column {span}", span = span(problem)));
    timeline(page, problem, zone);
    if !problem.cases.is_empty() {
        heading(page, t!("Cases that fail, of those who ran them"));
        let rows: Vec<Bar> = problem
            .cases
            .iter()
            .take(20)
            .map(|case| {
                let failed: u64 = case.failed.iter().map(|(_, n)| n).sum();
                let how: Vec<String> =
                    case.failed.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect();
                Bar {
                    label: format!("{} {}", case.index, if case.sample { t!("sample") } else { &case.group }),
                    parts: case.failed.iter().map(|(verdict, n)| (class(*verdict), *n)).collect(),
                    text: t!("{failed} of {run}", failed, run = case.run),
                    title: how.join(", "),
                }
            })
            .collect();
        bars(page, t!("Cases that fail"), &rows);
    }
    if !problem.clusters.is_empty() {
        heading(page, t!("Who fails alike, by the newest submission"));
        page.push_str("<ul>\n");
        for cluster in problem.clusters.iter().take(20) {
            let _ = writeln!(
                page,
                "<li><strong>{}</strong>: {}: {} <span class=\"faint\">({})</span></li>",
                escape(&alike(cluster)),
                escape(&count!(cluster.count.into(), "student")),
                escape(&who(cluster)),
                escape(&t!("see #{submission}", submission = cluster.example)),
            );
        }
        page.push_str("</ul>\n");
    }
    if !problem.times_ms.is_empty() {
        heading(page, t!("CPU time of the slowest case, of accepted programs"));
        let rows: Vec<Bar> = classes(&problem.times_ms, 16)
            .into_iter()
            .map(|(ms, n)| Bar::plain(t!("from {ms}", ms = words::duration(ms)), n))
            .collect();
        bars(page, t!("CPU time of accepted programs"), &rows);
    }
    if !problem.attempts.is_empty() {
        heading(page, t!("Attempts until it was solved"));
        let rows: Vec<Bar> = attempts(problem).into_iter().map(|(label, n)| Bar::plain(label, n)).collect();
        bars(page, t!("Attempts until it was solved"), &rows);
    }
    page.push_str("</section>\n");
}

fn heading(page: &mut String, text: &str) {
    let _ = writeln!(page, "<h3>{}</h3>", escape(text));
}

/// Attempts until a problem was solved; what took more than fifteen is one class.
pub fn attempts(problem: &ProblemStats) -> Vec<(String, u64)> {
    let mut classes: Vec<(String, u64)> = Vec::new();
    let mut more = 0;
    for (attempts, n) in &problem.attempts {
        match attempts {
            0..=15 => classes.push((attempts.to_string(), *n)),
            _ => more += n,
        }
    }
    if more > 0 {
        classes.push((t!("16 and more").into(), more));
    }
    classes
}

/// A bar that lies: words, parts with their classes, a number, and what is said when it is pointed at.
struct Bar {
    label: String,
    parts: Vec<(&'static str, u64)>,
    text: String,
    title: String,
}

impl Bar {
    fn plain(label: String, n: u64) -> Self {
        Self { title: format!("{label}: {n}"), label, parts: vec![("bar", n)], text: n.to_string() }
    }
}

fn bars(page: &mut String, name: &str, rows: &[Bar]) {
    let sum = |bar: &Bar| bar.parts.iter().map(|(_, n)| n).sum::<u64>();
    let most = rows.iter().map(sum).max().unwrap_or(0).max(1);
    let room = WIDTH - LABEL - 90;
    let _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">",
        rows.len() as u64 * ROW + 4,
        escape(name)
    );
    for (place, bar) in rows.iter().enumerate() {
        let y = place as u64 * ROW + 2;
        let _ = write!(
            page,
            "<g><title>{}</title><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>",
            escape(&bar.title),
            LABEL - 8,
            y + 14,
            escape(&bar.label)
        );
        let mut x = LABEL as f64;
        for (class, n) in &bar.parts {
            let width = *n as f64 / most as f64 * room as f64;
            let _ = write!(
                page,
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\"/>",
                y + 2,
                ROW - 5
            );
            x += width;
        }
        let _ =
            writeln!(page, "<text x=\"{:.1}\" y=\"{}\">{}</text></g>", x + 6.0, y + 14, escape(&bar.text));
    }
    page.push_str("</svg>\n");
}

fn timeline(page: &mut String, problem: &ProblemStats, zone: &str) {
    let spans = spans(problem);
    let sum = |verdicts: &[(Verdict, u64)]| verdicts.iter().map(|(_, n)| n).sum::<u64>();
    let most = spans.iter().map(|(_, verdicts)| sum(verdicts)).max().unwrap_or(0).max(1);
    let (left, bottom) = (40, HEIGHT + 8);
    let step = (WIDTH - left) as f64 / spans.len().max(1) as f64;
    let _ = writeln!(
        page,
        "<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{}\">\
         <text x=\"{}\" y=\"16\" text-anchor=\"end\">{most}</text>\
         <line class=\"axis\" x1=\"{left}\" y1=\"{bottom}\" x2=\"{WIDTH}\" y2=\"{bottom}\"/>",
        bottom + 20,
        escape(t!("Verdicts over time")),
        left - 6,
    );
    for (place, (begin, verdicts)) in spans.iter().enumerate() {
        let x = left as f64 + place as f64 * step;
        let how: Vec<String> = verdicts.iter().map(|(verdict, n)| format!("{verdict} {n}")).collect();
        if how.is_empty() {
            continue;
        }
        let _ = write!(
            page,
            "<g><title>{}: {}</title>",
            escape(&moments::shown(*begin, zone)),
            escape(&how.join(", "))
        );
        let mut y = bottom as f64;
        for (verdict, n) in ordered(verdicts) {
            let height = n as f64 / most as f64 * HEIGHT as f64;
            y -= height;
            let _ = write!(
                page,
                "<rect class=\"{}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
                class(verdict),
                (step - 1.0).clamp(1.0, 40.0)
            );
        }
        page.push_str("</g>\n");
    }
    if let (Some((first, _)), Some((last, _))) = (spans.first(), spans.last()) {
        let _ = write!(
            page,
            "<text x=\"{left}\" y=\"{y}\">{}</text>",
            escape(&moments::shown(*first, zone)),
            y = bottom + 16
        );
        if spans.len() > 1 {
            let _ = write!(
                page,
                "<text x=\"{WIDTH}\" y=\"{y}\" text-anchor=\"end\">{}</text>",
                escape(&moments::shown(*last, zone)),
                y = bottom + 16
            );
        }
    }
    page.push_str("\n</svg>\n");
}

/// Accepted at the bottom, so that it can be compared from column to column.
fn ordered(verdicts: &[(Verdict, u64)]) -> Vec<(Verdict, u64)> {
    let mut ordered = verdicts.to_vec();
    ordered.sort_by_key(|(verdict, _)| (*verdict != Verdict::Accepted, class(*verdict)));
    ordered
}

fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Accepted => "good",
        Verdict::WrongAnswer => "wrong",
        Verdict::TimeLimit => "slow",
        Verdict::RuntimeError | Verdict::MemoryLimit | Verdict::OutputLimit => "crash",
        Verdict::CompileError | Verdict::Skipped => "other",
    }
}

/// Text for HTML, between tags and within attributes. Control characters, which HTML does not have, are left out.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            sign if sign.is_control() => {}
            sign => escaped.push(sign),
        }
    }
    escaped
}
