//! Go: `file:line:column: message` with columns in bytes. Everything that it says is an error.

use codementor_protocol::{Diagnostic, Severity};

use super::{Reading, Sources, submitted_name};

pub(super) fn read(output: &str, sources: Sources<'_>) -> Reading {
    let mut diagnostics = Vec::new();
    for line in output.lines() {
        let mut parts = line.splitn(4, ':');
        let (Some(file), Some(number), Some(byte), Some(message)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let (Ok(number), Ok(byte)) = (number.parse(), byte.parse()) else { continue };
        let file = submitted_name(file);
        diagnostics.push(Diagnostic {
            file: file.into(),
            line: number,
            column: sources.column_of_byte(file, number, byte).or(Some(byte)),
            end_column: None,
            severity: Severity::Error,
            message: message.trim().into(),
            fix: None,
        });
    }
    Reading { diagnostics, text: output.into() }
}
