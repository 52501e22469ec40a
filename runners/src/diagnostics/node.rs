//! Node: `path:line`, the line, marks in UTF-16 code units, then the error.

use codementor_protocol::{Diagnostic, Severity};

use super::{Reading, Sources, caret, submitted_name};

pub(super) fn read(output: &str, sources: Sources<'_>) -> Reading {
    let mut diagnostics = Vec::new();
    let mut place: Option<(&str, u32)> = None;
    let mut marks: Option<(usize, usize)> = None;
    for line in output.lines() {
        if let Some(found) = place_of(line, sources) {
            (place, marks) = (Some(found), None);
        } else if let Some(found) = caret(line) {
            marks = Some(found);
        } else if let Some(message) = line.strip_prefix("SyntaxError: ")
            && let Some((file, number)) = place.take()
        {
            let column = |units| sources.column_after_units(file, number, units);
            diagnostics.push(Diagnostic {
                file: file.into(),
                line: number,
                column: marks.and_then(|(start, _)| column(start)),
                end_column: marks.and_then(|(start, length)| column(start + length)),
                severity: Severity::Error,
                message: message.into(),
                fix: None,
            });
        }
    }
    Reading { diagnostics, text: output.into() }
}

fn place_of<'a>(line: &'a str, sources: Sources<'_>) -> Option<(&'a str, u32)> {
    let (path, number) = line.rsplit_once(':')?;
    let file = submitted_name(path.strip_prefix("file://").unwrap_or(path));
    if sources.has(file) { Some((file, number.parse().ok()?)) } else { None }
}
