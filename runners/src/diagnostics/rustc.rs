//! rustc: one JSON object a line, with columns in characters and the text for people inside.

use codementor_protocol::{Diagnostic, Severity};
use serde::Deserialize;

use super::{Reading, submitted_name};

#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    spans: Vec<Span>,
    #[serde(default)]
    children: Vec<Message>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    label: Option<String>,
    suggested_replacement: Option<String>,
}

pub(super) fn read(output: &str) -> Reading {
    let mut reading = Reading::default();
    for line in output.lines() {
        let Ok(message) = serde_json::from_str::<Message>(line) else {
            // The linker's words, or the compiler's when it crashes.
            reading.text.push_str(line);
            reading.text.push('\n');
            continue;
        };
        reading.diagnostics.extend(diagnostic(&message));
        reading.text.push_str(&message.rendered.unwrap_or_default());
    }
    reading
}

fn diagnostic(message: &Message) -> Option<Diagnostic> {
    let severity = match message.level.as_str() {
        "error" | "error: internal compiler error" => Severity::Error,
        "warning" => Severity::Warning,
        _ => return None,
    };
    let span = message.spans.iter().find(|span| span.is_primary)?;
    let one_line = span.line_start == span.line_end;
    let same_place =
        |other: &&Span| other.line_start == span.line_start && other.column_start == span.column_start;
    let fix = message.children.iter().flat_map(|child| &child.spans).filter(same_place);
    let text = match &span.label {
        Some(label) if !message.message.contains(label.as_str()) => format!("{}: {label}", message.message),
        _ => message.message.clone(),
    };
    Some(Diagnostic {
        file: submitted_name(&span.file_name).into(),
        line: span.line_start,
        column: Some(span.column_start),
        end_column: one_line.then(|| span.column_end.max(span.column_start + 1)),
        severity,
        message: text,
        fix: fix.into_iter().find_map(|span| span.suggested_replacement.clone()),
    })
}
