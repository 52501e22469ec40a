//! The view that redraws: a header that stays, a bar that moves, and the block that takes the bar's place.

use std::io::{self, Write};
use std::time::Instant;

use codementor_protocol::{CaseDetail, EventKind, JobEvent, Purpose, SourceFile, SubmissionId, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{CliError, Outcome, come_back};
use crate::render::feedback::Talk;
use crate::render::tally::{Stage, Tally};
use crate::render::{Renderer, about, conclude, diff, entry, failed_sample, glyphs, words};
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// The view that redraws.
pub struct Live<O, E> {
    bar: ProgressBar,
    out: O,
    err: E,
    out_paint: Paint,
    err_paint: Paint,
    tally: Tally,
    talk: Talk,
    settled: bool,
    counting: bool,
    /// How to come back after Ctrl-C; the last line of the bar.
    hint: String,
}

impl<O: Write, E: Write> Live<O, E> {
    /// A view that draws on `target`, writes the result to `out`, and lines that stay to `err`.
    pub fn new(target: ProgressDrawTarget, out: O, err: E, out_paint: Paint, err_paint: Paint) -> Self {
        let bar = ProgressBar::with_draw_target(None, target).with_style(waiting(""));
        Self {
            bar,
            out,
            err,
            out_paint,
            err_paint,
            tally: Tally::default(),
            talk: Talk::new(true),
            settled: false,
            counting: false,
            hint: String::new(),
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
        let text = self.talk.take(self.out_paint);
        if text.is_empty() {
            return Ok(());
        }
        let out = &mut self.out;
        self.bar.suspend(|| {
            out.write_all(text.as_bytes())?;
            out.flush()
        })
    }

    fn draw(&mut self) {
        let tally = &self.tally;
        let compiled = tally.compiled.as_ref().filter(|compiled| compiled.ok);
        let done = compiled
            .map(|compiled| t!("ok compiled {time_ms}   ", time_ms = words::duration(compiled.time_ms)));
        let stage = match &tally.stage {
            Stage::New => t!("sending").into(),
            Stage::Queued(0) => t!("queued, next").into(),
            Stage::Queued(position) => t!("queued, {position} before it", position),
            Stage::Preparing(text) => sanitize::line(&locale::said(text)).into_owned(),
            Stage::Compiling => t!("compiling").into(),
            Stage::Running => t!("running").into(),
            Stage::Ended => return,
        };
        self.bar.set_prefix(format!("{}{stage}", done.unwrap_or_default()));
        if tally.total > 0 && tally.stage == Stage::Running && !self.counting {
            self.bar.set_style(counting(&self.hint));
            self.bar.set_length(tally.total.into());
            self.counting = true;
        } else if self.counting && tally.stage != Stage::Running {
            self.bar.set_style(waiting(&self.hint));
            self.counting = false;
        }
        if self.counting {
            let run = tally.tests.iter().filter(|test| test.verdict != Verdict::Skipped).count();
            let mut facts = Vec::new();
            if let (Some(slowest), Some(facts_of)) = (tally.slowest(), &tally.accepted) {
                facts.push(t!(
                    "slowest {case}: {time_ms} of {time_limit_ms}",
                    case = words::case(slowest),
                    time_ms = words::duration(slowest.time_ms),
                    time_limit_ms = words::duration(facts_of.time_limit_ms)
                ));
            }
            if let Some(failure) = tally.first_failure() {
                facts.push(self.err_paint.bad(failure.verdict.token()));
            }
            self.bar.set_message(facts.join("  "));
            self.bar.set_position(run as u64);
        }
    }
}

fn waiting(hint: &str) -> ProgressStyle {
    // The templates are constants; where one were wrong, the bar is plain, and a test shows it.
    ProgressStyle::with_template(&format!(" {{spinner}} {{prefix}}{hint}"))
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars(glyphs::SPINNER)
}

fn counting(hint: &str) -> ProgressStyle {
    ProgressStyle::with_template(&format!(" {{prefix}}\n [{{bar:20}}] {{pos}}/{{len}}  {{msg}}{hint}"))
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars(glyphs::PROGRESS)
}

impl<O: Write, E: Write> Renderer for Live<O, E> {
    fn event(&mut self, event: &JobEvent) -> io::Result<()> {
        self.tally.apply(event);
        self.talk.hear(&event.kind);
        match &event.kind {
            EventKind::Submission(facts) => {
                let paint = self.err_paint;
                let line = match facts.purpose {
                    Purpose::Trial => {
                        t!(
                            "{problem}  {lang}  samples only",
                            problem = paint.strong(facts.problem.as_str()),
                            lang = facts.lang
                        )
                    }
                    Purpose::Submission | Purpose::Calibration | Purpose::Verification | Purpose::Rejudge => {
                        t!(
                            "{place}  {lang}  #{id}  attempt {attempt}",
                            place = paint.strong(&entry::place(facts)),
                            lang = facts.lang,
                            id = facts.id,
                            attempt = entry::attempt(facts, event.at)
                        )
                    }
                };
                let err = &mut self.err;
                // A header that nobody reads is no reason to stop.
                let _ = self.bar.suspend(|| writeln!(err, "{line}"));
                if facts.purpose != Purpose::Trial {
                    self.hint =
                        t!("\n Ctrl-C detaches; judging goes on: {command}", command = come_back(facts.id));
                    self.bar.set_style(waiting(&self.hint));
                }
            }
            EventKind::Restarted(restarted) => {
                let line = t!("judged again: {reason}", reason = sanitize::line(&restarted.reason));
                let err = &mut self.err;
                let _ = self.bar.suspend(|| writeln!(err, "{line}"));
                self.bar.set_position(0);
            }
            EventKind::Rejudged(rejudged) => {
                let line = words::rejudged(rejudged);
                let err = &mut self.err;
                // As above.
                let _ = self.bar.suspend(|| writeln!(err, "{line}"));
            }
            _ => {}
        }
        if matches!(event.kind, EventKind::FeedbackEnd(_) | EventKind::End(_)) {
            self.bar.finish_and_clear();
        }
        self.draw();
        self.speak()
    }

    fn tick(&mut self, _now: Instant) -> io::Result<()> {
        self.speak()?;
        // Only once time passes after the verdict does anything follow that has to be waited for.
        if self.settled && self.bar.is_finished() && self.talk.is_wanted() && self.tally.end.is_some() {
            self.bar.reset();
            self.bar.set_style(waiting(t!("\n Ctrl-C leaves; the verdict stands")));
            self.bar.set_prefix(t!("a model reads your program"));
        }
        self.bar.tick();
        Ok(())
    }

    fn settle(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()> {
        self.bar.finish_and_clear();
        self.settled = true;
        self.talk.settle(about(&self.tally, outcome, files));
        conclude(&mut self.out, &mut self.err, self.out_paint, &self.tally, outcome, files)
    }

    fn wants_sample(&self) -> Option<SubmissionId> {
        failed_sample(&self.tally)
    }

    fn sample(&mut self, case: &CaseDetail) -> io::Result<()> {
        self.out.write_all(diff::brief(case, self.out_paint).as_bytes())?;
        self.out.flush()
    }

    fn is_silent(&self) -> bool {
        self.talk.is_silent()
    }

    fn finish(&mut self, outcome: &Outcome, files: &[SourceFile]) -> io::Result<()> {
        if !self.settled {
            self.settle(outcome, files)?;
        }
        self.bar.finish_and_clear();
        self.speak()
    }

    fn fail(&mut self, _error: &CliError) -> io::Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}
