//! Lines that are only ever added, for logs, pipes, screen readers and terminals that cannot redraw.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use codementor_protocol::{CaseDetail, EventKind, JobEvent, Purpose, SourceFile, SubmissionId, Verdict};

use crate::error::{CliError, Outcome};
use crate::render::feedback::Talk;
use crate::render::tally::{Stage, Tally};
use crate::render::{Renderer, about, conclude, diff, entry, failed_sample, words};
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// After this long without a line, one says that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// The view that only adds lines.
pub struct Plain<O, E> {
    out: O,
    err: E,
    paint: Paint,
    tally: Tally,
    talk: Talk,
    settled: bool,
    started: Instant,
    spoken: Instant,
    position: Option<u64>,
}

impl<O: Write, E: Write> Plain<O, E> {
    /// A view that writes the result to `out` and progress to `err`.
    pub fn new(out: O, err: E, paint: Paint) -> Self {
        let now = Instant::now();
        Self {
            out,
            err,
            paint,
            tally: Tally::default(),
            talk: Talk::new(true),
            settled: false,
            started: now,
            spoken: now,
            position: None,
        }
    }

    /// Whether what a model says is shown too.
    #[must_use]
    pub fn with_feedback(mut self, feedback: bool) -> Self {
        self.talk = Talk::new(feedback);
        self
    }

    /// Shows what was said and may be shown by now.
    fn speak(&mut self) -> io::Result<()> {
        let text = self.talk.take(self.paint);
        if text.is_empty() {
            return Ok(());
        }
        self.spoken = Instant::now();
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }

    /// Progress that nobody reads is no reason to stop.
    fn say(&mut self, line: &str) {
        let _ = writeln!(self.err, "{line}");
        let _ = self.err.flush();
        self.spoken = Instant::now();
    }
}

impl<O: Write, E: Write> Renderer for Plain<O, E> {
    fn event(&mut self, event: &JobEvent) -> io::Result<()> {
        self.tally.apply(event);
        self.talk.hear(&event.kind);
        match &event.kind {
            EventKind::Submission(facts) => match facts.purpose {
                Purpose::Trial => self.say(&t!(
                    "{problem}  {lang}  samples only",
                    problem = facts.problem,
                    lang = facts.lang
                )),
                Purpose::Submission | Purpose::Calibration | Purpose::Verification | Purpose::Rejudge => self
                    .say(&t!(
                        "#{id}  {place}  {lang}  attempt {attempt}",
                        id = facts.id,
                        place = entry::place(facts),
                        lang = facts.lang,
                        attempt = entry::attempt(facts, event.at)
                    )),
            },
            EventKind::Queued(queued) => {
                // The position changes with each submission before; the heartbeat says the newest.
                if self.position.is_none() && queued.position > 0 {
                    self.say(&t!("queued, {position} before it", position = queued.position));
                }
                self.position = Some(queued.position);
            }
            EventKind::Preparing { text } => {
                let line = t!("preparing: {text}", text = sanitize::line(&locale::said(text)));
                self.say(&line);
            }
            EventKind::Started(_) => {}
            EventKind::Restarted(restarted) => {
                let line = t!(
                    "judged again: {reason}; what was reported so far is void",
                    reason = sanitize::line(&restarted.reason)
                );
                self.say(&line);
            }
            EventKind::Rejudged(rejudged) => self.say(&words::rejudged(rejudged)),
            EventKind::Compiled(compiled) => {
                if compiled.ok {
                    let total = count!(self.tally.total.into(), "test");
                    self.say(&t!(
                        "compiled in {time_ms}, {total}",
                        time_ms = words::duration(compiled.time_ms),
                        total
                    ));
                } else {
                    self.say(&t!(
                        "compiling failed after {time_ms}",
                        time_ms = words::duration(compiled.time_ms)
                    ));
                }
            }
            EventKind::Test(test) => {
                if !matches!(test.verdict, Verdict::Accepted | Verdict::Skipped) {
                    let case = words::case(test);
                    self.say(&format!("{}/{}  {case}  {}", test.index, test.total, test.verdict));
                }
            }
            EventKind::Result(_)
            | EventKind::Error(_)
            | EventKind::Cancelled
            | EventKind::Feedback(_)
            | EventKind::Fix(_)
            | EventKind::FeedbackEnd(_)
            | EventKind::End(_)
            | EventKind::Unknown => {}
        }
        self.speak()
    }

    fn tick(&mut self, now: Instant) -> io::Result<()> {
        if self.settled && now.duration_since(self.spoken) >= HEARTBEAT {
            self.say(t!("waiting for feedback"));
            self.spoken = now;
        }
        if now.duration_since(self.spoken) >= HEARTBEAT && self.tally.end.is_none() {
            let elapsed = words::duration(now.duration_since(self.started).as_millis() as u64);
            let what = match &self.tally.stage {
                Stage::New => t!("waiting for the daemon").into(),
                Stage::Queued(position) => t!("queued, {position} before it", position),
                Stage::Preparing(text) => t!("preparing: {text}", text = sanitize::line(&locale::said(text))),
                Stage::Compiling => t!("compiling").into(),
                Stage::Running => {
                    t!("{tests}/{total} tests", tests = self.tally.tests.len(), total = self.tally.total)
                }
                Stage::Ended => return Ok(()),
            };
            self.say(&t!("still running after {elapsed}: {what}", elapsed, what));
            self.spoken = now;
        }
        self.speak()
    }

    fn settle(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()> {
        self.settled = true;
        self.talk.settle(about(&self.tally, outcome, files));
        conclude(&mut self.out, &mut self.err, self.paint, &self.tally, outcome, files)
    }

    fn wants_sample(&self) -> Option<SubmissionId> {
        failed_sample(&self.tally)
    }

    fn sample(&mut self, case: &CaseDetail) -> io::Result<()> {
        self.out.write_all(diff::brief(case, self.paint).as_bytes())?;
        self.out.flush()
    }

    fn is_silent(&self) -> bool {
        self.talk.is_silent()
    }

    fn finish(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()> {
        if !self.settled {
            self.settle(outcome, files)?;
        }
        self.speak()
    }

    fn fail(&mut self, _error: &CliError) -> io::Result<()> {
        Ok(())
    }
}
