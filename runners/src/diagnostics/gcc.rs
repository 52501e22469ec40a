//! GCC: `file:line:column: severity: message` with columns in bytes, then the line and its marks, then corrections.

use codementor_protocol::{Diagnostic, Severity};
use unicode_width::UnicodeWidthChar;

use super::{Reading, Sources, count, submitted_name};

pub(super) fn read(output: &str, sources: Sources<'_>) -> Reading {
    let mut reading = Reading::default();
    // Where the student's code made the library fail, the library's line is named and the student's stands before.
    let mut blamed: Option<(String, u32, u32)> = None;
    for line in output.lines() {
        if let Some(correction) = line.strip_prefix("fix-it:") {
            correct(&mut reading.diagnostics, correction, sources);
            continue;
        }
        reading.text.push_str(line);
        reading.text.push('\n');
        if let Some((file, number, byte, rest)) = position(line) {
            if rest.trim_start().starts_with("required from") {
                if sources.has(file) {
                    blamed = Some((file.into(), number, byte));
                }
                continue;
            }
            let Some((severity, message)) = severity(rest) else { continue };
            let (file, number, byte) = match blamed.take() {
                Some(blamed) if !sources.has(file) => blamed,
                _ => (file.into(), number, byte),
            };
            reading.diagnostics.push(Diagnostic {
                column: sources.column_of_byte(&file, number, byte).or(Some(byte)),
                file,
                line: number,
                end_column: None,
                severity,
                message: message.into(),
                fix: None,
            });
        } else if let Some(marks) = line.trim_start().strip_prefix("| ")
            && let Some(last) = reading.diagnostics.last_mut()
            && last.end_column.is_none()
            && let Some(start) = marks.find('^')
        {
            let cells = marks[start..].chars().take_while(|&c| c == '^' || c == '~').count();
            last.end_column = end(last, cells, sources);
        }
    }
    reading
}

/// `file:line:column: rest`
fn position(line: &str) -> Option<(&str, u32, u32, &str)> {
    let mut at = 0;
    // The name itself can hold colons.
    loop {
        let colon = at + line[at..].find(':')?;
        let mut parts = line[colon + 1..].splitn(3, ':');
        if let (Some(number), Some(column), Some(rest)) = (parts.next(), parts.next(), parts.next())
            && let (Ok(number), Ok(column)) = (number.parse(), column.parse())
        {
            return Some((submitted_name(&line[..colon]), number, column, rest));
        }
        at = colon + 1;
    }
}

fn severity(rest: &str) -> Option<(Severity, &str)> {
    let (word, message) = rest.trim_start().split_once(": ")?;
    let severity = match word {
        "error" | "fatal error" => Severity::Error,
        "warning" => Severity::Warning,
        "note" => Severity::Note,
        _ => return None,
    };
    Some((severity, message))
}

/// The column after the mark, which is as long as a terminal shows the marked text.
fn end(diagnostic: &Diagnostic, cells: usize, sources: Sources<'_>) -> Option<u32> {
    let column = diagnostic.column?;
    let text = sources.line(&diagnostic.file, diagnostic.line)?;
    let mut left = cells;
    let marked = text.chars().skip(usize::try_from(column - 1).ok()?).take_while(|character| {
        let fits = left > 0;
        left = left.saturating_sub(character.width().unwrap_or(1).max(1));
        fits
    });
    // A mark behind the end of the line points at what is missing there.
    Some(column + count(marked).max(1))
}

/// `"a.cpp":{7:19-7:27}:"push_back"`: replace those bytes by that.
fn correct(diagnostics: &mut [Diagnostic], correction: &str, sources: Sources<'_>) -> Option<()> {
    let rest = correction.strip_prefix('"')?;
    let (file, rest) = rest.split_once("\":{")?;
    let (range, text) = rest.split_once("}:\"")?;
    let text = text.strip_suffix('"')?;
    let (start, end) = range.split_once('-')?;
    let (line, byte) = start.split_once(':')?;
    let (end_line, end_byte) = end.split_once(':')?;
    let (line, byte): (u32, u32) = (line.parse().ok()?, byte.parse().ok()?);
    let end_byte: u32 = end_byte.parse().ok()?;
    let last = diagnostics.last_mut()?;
    // Only what replaces the marked text itself can be shown as its correction.
    if last.file == submitted_name(file)
        && last.line == line
        && end_line.parse() == Ok(line)
        && sources.column_of_byte(&last.file, line, byte) == last.column
        && last.fix.is_none()
    {
        if end_byte > byte {
            last.end_column = sources.column_of_byte(&last.file, line, end_byte);
        }
        last.fix = Some(text.replace("\\\"", "\"").replace("\\\\", "\\"));
    }
    Some(())
}
