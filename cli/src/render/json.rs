//! Events for programs: one JSON object a line, and exactly one `end` after everything else.

use std::io::{self, Write};
use std::time::Instant;

use codementor_protocol::{EventKind, JobEvent, SCHEMA_VERSION, SourceFile};
use serde::Serialize;

use crate::error::{CliError, ExitStatus, Outcome};
use crate::render::Renderer;
use crate::sanitize;

/// The view for programs.
pub struct Json<W> {
    out: W,
    seq: u64,
    faulted: bool,
    feedback: bool,
    silent: bool,
}

/// An `error` that is not an event of the submission, but of watching it.
#[derive(Serialize)]
struct LocalError<'a> {
    v: u8,
    seq: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    retryable: bool,
}

/// The `end`. Its number is one after the last event's: it closes what was printed here, and is not stored.
#[derive(Serialize)]
struct LocalEnd {
    v: u8,
    seq: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    exit_code: u8,
}

impl<W: Write> Json<W> {
    /// A view that writes to `out`.
    pub fn new(out: W) -> Self {
        Self::from(out, 1)
    }

    /// A view of the events from number `from` on.
    pub fn from(out: W, from: u64) -> Self {
        Self { out, seq: from.saturating_sub(1), faulted: false, feedback: true, silent: true }
    }

    /// Whether what a model says is printed too.
    #[must_use]
    pub fn with_feedback(mut self, feedback: bool) -> Self {
        self.feedback = feedback;
        self
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_string(value)?;
        line.push('\n');
        self.out.write_all(sanitize::json(&line).as_bytes())?;
        self.out.flush()
    }

    fn end(&mut self, status: ExitStatus) -> io::Result<()> {
        let end = LocalEnd { v: SCHEMA_VERSION, seq: self.seq + 1, kind: "end", exit_code: status.code() };
        self.line(&end)
    }
}

impl<W: Write> Renderer for Json<W> {
    fn event(&mut self, event: &JobEvent) -> io::Result<()> {
        let says =
            matches!(event.kind, EventKind::Feedback(_) | EventKind::Fix(_) | EventKind::FeedbackEnd(_));
        self.silent &= !says;
        match event.kind {
            _ if says && !self.feedback => Ok(()),
            // Printed by `finish`, which knows the exit code. A type that is not known would be printed without
            // its fields.
            EventKind::End(_) | EventKind::Unknown => Ok(()),
            _ => {
                self.seq = event.seq;
                self.faulted |= matches!(event.kind, EventKind::Error(_));
                self.line(event)
            }
        }
    }

    fn tick(&mut self, _now: Instant) -> io::Result<()> {
        Ok(())
    }

    fn is_silent(&self) -> bool {
        self.silent
    }

    fn finish(&mut self, outcome: &Outcome, _files: &[SourceFile]) -> io::Result<()> {
        self.end(outcome.status())
    }

    fn fail(&mut self, error: &CliError) -> io::Result<()> {
        let status = error.status();
        if !self.faulted {
            let local = LocalError {
                v: SCHEMA_VERSION,
                seq: self.seq + 1,
                kind: "error",
                code: status.token(),
                message: &error.to_string(),
                hint: error.hint(),
                retryable: error.retryable(),
            };
            self.line(&local)?;
            self.seq += 1;
        }
        self.end(status)
    }
}
