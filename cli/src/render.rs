//! What a person or a program sees: every view is a renderer of the one stream of events.

pub mod block;
pub mod compile;
pub mod diff;
pub mod json;
mod layout;
pub mod live;
pub mod plain;
pub mod table;
pub mod tally;
pub mod words;

use std::io::{self, Write};
use std::time::Instant;

use codementor_protocol::{JobEvent, Purpose, SourceFile};

use crate::error::{CliError, Outcome, come_back};
use crate::render::tally::Tally;
use crate::terminal::{Paint, Terminal};

/// A view of one submission.
pub trait Renderer {
    /// Shows an event. Events come in order, each once.
    fn event(&mut self, event: &JobEvent) -> io::Result<()>;
    /// Shows that time passes; called several times a second.
    fn tick(&mut self, now: Instant) -> io::Result<()>;
    /// Shows how it ended; called at most once, and not after [`Renderer::fail`].
    fn finish(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()>;
    /// Shows that watching failed; called at most once. The error itself is printed by the caller as well.
    fn fail(&mut self, error: &CliError) -> io::Result<()>;
}

/// The view for these streams, of the events from number `from` on.
pub fn choose(terminal: &Terminal, json: bool, from: u64) -> Box<dyn Renderer> {
    if json {
        Box::new(json::Json::from(io::stdout(), from))
    } else if terminal.redraws {
        Box::new(live::Live::new(
            indicatif::ProgressDrawTarget::stderr(),
            io::stdout(),
            io::stderr(),
            terminal.out,
            terminal.err,
        ))
    } else {
        Box::new(plain::Plain::new(io::stdout(), io::stderr(), terminal.out))
    }
}

/// The end of a view that prints words: the block on standard output, or how to come back on standard error.
fn conclude(
    out: &mut impl Write,
    err: &mut impl Write,
    paint: Paint,
    tally: &Tally,
    outcome: &Outcome,
    files: &[SourceFile],
) -> io::Result<()> {
    let trial = tally.accepted.as_ref().is_some_and(|accepted| accepted.purpose == Purpose::Trial);
    let back = tally.accepted.as_ref().map(|accepted| come_back(accepted.id)).unwrap_or_default();
    match outcome {
        Outcome::Judged(..) | Outcome::Faulted(_) | Outcome::Cancelled => {
            out.write_all(block::render(tally, files, paint).as_bytes())?;
            out.flush()
        }
        Outcome::Detached if trial => writeln!(err, "stopped; nothing was recorded"),
        Outcome::StillRunning if trial => writeln!(err, "stopped: it was still running at --timeout"),
        Outcome::Detached => writeln!(err, "detached; judging goes on. Come back with: {back}"),
        Outcome::StillRunning => {
            writeln!(err, "still running at --timeout; judging goes on. Come back with: {back}")
        }
        Outcome::NotAwaited => {
            if let Some(accepted) = &tally.accepted {
                writeln!(out, "#{}", accepted.id)?;
            }
            out.flush()?;
            writeln!(err, "submitted. Watch it with: {back}")
        }
    }
}
