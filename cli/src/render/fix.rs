//! A corrected program beside the student's own, as a unified diff.

use codementor_protocol::{Fix, SourceFile, SubmissionId};
use similar::{ChangeTag, TextDiff};

use crate::render::layout::{Blanks, Layout, units};
use crate::render::markdown::bar;
use crate::sanitize;
use crate::terminal::Paint;

/// How many lines that do not differ stand around those that do.
const CONTEXT: usize = 3;
/// How many lines of a diff are shown under a verdict.
const MOST_LINES: usize = 80;

/// Under a verdict: what kind of correction it is, the differences, and how to take them over.
pub fn render(fix: &Fix, files: &[SourceFile], id: Option<SubmissionId>, paint: Paint) -> String {
    let id = id.map(|id| format!(" {id}")).unwrap_or_default();
    let mut text = format!("\n{}\n", paint.faint(&label(fix)));
    let lines = diff(files, &fix.files, paint);
    for line in lines.iter().take(MOST_LINES) {
        // On a terminal its colours and marks tell it from our own words; elsewhere a bar does.
        match paint.terminal {
            true => text.push_str(&format!("{line}\n")),
            false => text.push_str(&bar(line, paint)),
        }
    }
    if lines.len() > MOST_LINES {
        let more = count!((lines.len() - MOST_LINES) as u64, "more line");
        text.push_str(&t!("{cut} and {more}: codementor fix{id}\n", cut = paint.cut(), more, id));
    }
    text.push_str(&t!("  next: {command}\n", command = paint.place(&format!("codementor fix{id} --apply"))));
    text
}

/// What kind of correction it is.
pub fn label(fix: &Fix) -> String {
    let edits = count!(fix.edits.into(), "edit");
    match fix.rewrite {
        false => t!(
            "-- corrected program (accepted on all tests; {edits}, {changed_percent} % changed) --",
            edits,
            changed_percent = fix.changed_percent
        ),
        true => t!(
            "-- rewrite (accepted on all tests; {edits}, {changed_percent} % changed: not your program any \
             more) --",
            edits,
            changed_percent = fix.changed_percent
        ),
    }
}

/// The lines of the unified diff, without their line ends, safe for a terminal.
pub fn diff(before: &[SourceFile], after: &[SourceFile], paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for file in after {
        let old = before.iter().find(|old| old.name == file.name).map_or("", |old| old.text.as_str());
        if old == file.text {
            continue;
        }
        let name = sanitize::line(&file.name).into_owned();
        lines.push(paint.strong(&format!("--- {name}")));
        lines.push(paint.strong(&t!("+++ {name} (corrected)", name)));
        let diff = TextDiff::from_lines(old, file.text.as_str());
        for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
            lines.push(paint.place(&hunk.header().to_string()));
            for change in hunk.iter_changes() {
                let text = change.value();
                let body = text.strip_suffix('\n').unwrap_or(text);
                let (body, _) = Layout::new(&units(body.as_bytes()), Blanks::Plain, paint).window(
                    0..0,
                    usize::MAX,
                    paint,
                );
                lines.push(match change.tag() {
                    ChangeTag::Equal => format!(" {body}"),
                    ChangeTag::Delete => paint.bad(&format!("-{body}")),
                    ChangeTag::Insert => paint.good(&format!("+{body}")),
                });
                if !text.ends_with('\n') {
                    lines.push(paint.faint(t!("\\ no line end")));
                }
            }
        }
    }
    lines
}
