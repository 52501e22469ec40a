//! What a person or a program sees: every view is a renderer of the one stream of events.

pub mod block;
pub mod compile;
pub mod diff;
mod entry;
pub mod feedback;
pub mod fix;
pub mod glyphs;
pub mod json;
mod layout;
pub mod live;
pub mod markdown;
pub mod page;
pub mod plain;
pub mod plot;
pub mod table;
pub mod tally;
pub mod words;

use std::io::{self, Write};
use std::time::Instant;

use codementor_protocol::{CaseDetail, JobEvent, Purpose, SourceFile, SubmissionId, Visibility};

use crate::error::{CliError, Outcome, come_back};
use crate::render::feedback::About;
use crate::render::tally::{End, Tally};
use crate::terminal::{Paint, Terminal};

/// A view of one submission.
pub trait Renderer {
    /// Shows an event. Events come in order, each once.
    fn event(&mut self, event: &JobEvent) -> io::Result<()>;
    /// Shows that time passes; called several times a second.
    fn tick(&mut self, now: Instant) -> io::Result<()>;
    /// Shows how judging ended, while feedback may still follow; called at most once, before [`Renderer::finish`].
    fn settle(&mut self, _outcome: &Outcome, _files: &[SourceFile]) -> io::Result<()> {
        Ok(())
    }
    /// The submission whose first failed sample can be shown beside its verdict, where this view shows such facts.
    fn wants_sample(&self) -> Option<SubmissionId> {
        None
    }
    /// Shows the facts of the first failed sample; called at most once, after [`Renderer::settle`].
    fn sample(&mut self, _case: &CaseDetail) -> io::Result<()> {
        Ok(())
    }
    /// Whether nothing was heard of feedback.
    fn is_silent(&self) -> bool {
        true
    }
    /// Shows the end of everything; called at most once, and not after [`Renderer::fail`].
    fn finish(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()>;
    /// Shows that watching failed; called at most once. The error itself is printed by the caller as well.
    fn fail(&mut self, error: &CliError) -> io::Result<()>;
}

/// What is shown of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Events for programs instead of words.
    pub json: bool,
    /// The number of the first event.
    pub from: u64,
    /// What a model says.
    pub feedback: bool,
}

/// The view for these streams.
pub fn choose(terminal: &Terminal, shown: Shown) -> Box<dyn Renderer> {
    if shown.json {
        Box::new(json::Json::from(io::stdout(), shown.from).with_feedback(shown.feedback))
    } else if terminal.redraws {
        let target = indicatif::ProgressDrawTarget::stderr();
        let view = live::Live::new(target, io::stdout(), io::stderr(), terminal.out, terminal.err);
        Box::new(view.with_feedback(shown.feedback))
    } else {
        let view = plain::Plain::new(io::stdout(), io::stderr(), terminal.out);
        Box::new(view.with_feedback(shown.feedback))
    }
}

/// What the feedback that follows a verdict is about.
fn about(tally: &Tally, outcome: &Outcome, files: &[SourceFile]) -> About {
    About::judged(tally.accepted.as_ref().map(|accepted| accepted.id), files, outcome)
}

/// The submission whose first failure is a sample, as long as nothing else explains it. A trial shows all of it.
fn failed_sample(tally: &Tally) -> Option<SubmissionId> {
    let facts = tally.accepted.as_ref().filter(|facts| facts.purpose == Purpose::Submission)?;
    let failure = tally.first_failure().filter(|test| test.visibility == Visibility::Sample)?;
    (matches!(tally.end, Some(End::Judged(_))) && failure.name.is_some()).then_some(facts.id)
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
        Outcome::Detached if trial => writeln!(err, "{}", t!("stopped; nothing was recorded")),
        Outcome::StillRunning if trial => {
            writeln!(err, "{}", t!("stopped: it was still running at --timeout"))
        }
        Outcome::Detached => {
            writeln!(err, "{}", t!("detached; judging goes on. Come back with: {back}", back))
        }
        Outcome::StillRunning => {
            writeln!(
                err,
                "{}",
                t!("still running at --timeout; judging goes on. Come back with: {back}", back)
            )
        }
        Outcome::NotAwaited => {
            if let Some(accepted) = &tally.accepted {
                writeln!(out, "#{}", accepted.id)?;
            }
            out.flush()?;
            writeln!(err, "{}", t!("submitted. Watch it with: {back}", back))
        }
    }
}
