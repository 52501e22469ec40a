//! Python: `File "name", line n`, the line without its indentation, marks in characters, then the error.

use codementor_protocol::{Diagnostic, Severity};

use super::{Reading, Sources, caret, submitted_name};

/// How far the line is indented in the report.
const INDENT: usize = 4;

pub(super) fn read(output: &str, sources: Sources<'_>) -> Reading {
    let mut diagnostics = Vec::new();
    let mut place: Option<(&str, u32)> = None;
    let mut marks: Option<(usize, usize)> = None;
    for line in output.lines() {
        if let Some(found) = place_of(line) {
            (place, marks) = (Some(found), None);
        } else if let Some(warning) = warning_of(line) {
            diagnostics.push(warning);
        } else if let Some(found) = caret(line) {
            marks = Some(found);
        } else if let Some((file, number)) = place
            && let Some((kind, message)) = line.split_once(": ")
            && kind.ends_with("Error")
            && !kind.contains(' ')
        {
            let column = marks.and_then(|(start, _)| {
                let text = sources.line(file, number)?;
                let indent = text.chars().take_while(|character| character.is_whitespace()).count();
                u32::try_from(indent + start.checked_sub(INDENT)? + 1).ok()
            });
            let length = marks.and_then(|(_, length)| u32::try_from(length).ok());
            diagnostics.push(Diagnostic {
                file: file.into(),
                line: number,
                column,
                end_column: column.zip(length).map(|(column, length)| column + length),
                severity: Severity::Error,
                message: if kind == "SyntaxError" { message.into() } else { line.into() },
                fix: None,
            });
            place = None;
        }
    }
    Reading { diagnostics, text: output.into() }
}

/// `  File "main.py", line 3`
fn place_of(line: &str) -> Option<(&str, u32)> {
    let (file, rest) = line.strip_prefix("  File \"")?.rsplit_once("\", line ")?;
    let digits = rest.split(|character: char| !character.is_ascii_digit()).next()?;
    Some((submitted_name(file), digits.parse().ok()?))
}

/// `main.py:1: SyntaxWarning: …`
fn warning_of(line: &str) -> Option<Diagnostic> {
    let (place, message) = line.split_once(": SyntaxWarning: ")?;
    let (file, number) = place.rsplit_once(':')?;
    Some(Diagnostic {
        file: submitted_name(file).into(),
        line: number.parse().ok()?,
        column: None,
        end_column: None,
        severity: Severity::Warning,
        message: message.into(),
        fix: None,
    })
}
