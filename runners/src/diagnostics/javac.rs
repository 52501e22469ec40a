//! javac: `file:line: severity: message`, the line, a caret in UTF-16 code units, then details.

use codementor_protocol::{Diagnostic, Severity};

use super::{Reading, Sources, caret, submitted_name};

pub(super) fn read(output: &str, sources: Sources<'_>) -> Reading {
    let mut diagnostics: Vec<Diagnostic> = Vec::new();
    for line in output.lines() {
        if let Some(diagnostic) = head(line) {
            diagnostics.push(diagnostic);
            continue;
        }
        let Some(last) = diagnostics.last_mut() else { continue };
        if let (None, Some((units, _))) = (last.column, caret(line)) {
            last.column = sources.column_after_units(&last.file, last.line, units).or(Some(1));
        } else if let Some(detail) = line.strip_prefix("  ")
            && last.column.is_some()
            && detail.split_once(':').is_some_and(|(key, _)| {
                matches!(key.trim(), "symbol" | "location" | "required" | "found" | "reason")
            })
        {
            let words: Vec<&str> = detail.split_whitespace().collect();
            last.message.push_str("; ");
            last.message.push_str(&words.join(" "));
        }
    }
    Reading { diagnostics, text: output.into() }
}

fn head(line: &str) -> Option<Diagnostic> {
    let (file, rest) = line.split_once(".java:")?;
    let (number, message) = rest.split_once(": ")?;
    let (severity, message) = match message.split_once(": ") {
        Some(("error", message)) => (Severity::Error, message),
        Some(("warning", message)) => (Severity::Warning, message),
        _ => return None,
    };
    Some(Diagnostic {
        file: format!("{}.java", submitted_name(file)),
        line: number.parse().ok()?,
        column: None,
        end_column: None,
        severity,
        message: message.into(),
        fix: None,
    })
}
