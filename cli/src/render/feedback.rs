//! What a model says, under the verdict: kept until the verdict is shown, then paragraph by paragraph, and always
//! marked as what it is.

use std::collections::VecDeque;

use codementor_protocol::{EventKind, Feedback, FeedbackEnd, FeedbackOutcome, SourceFile, SubmissionId};

use crate::error::Outcome;
use crate::render::markdown::Markdown;
use crate::render::{fix, words};
use crate::terminal::Paint;
use crate::{locale, sanitize};

/// How many pieces are kept before the verdict is there. The daemon sends fewer; what were more can be read again.
const MOST_KEPT: usize = 1024;

/// What is shown of feedback, from its events.
#[derive(Debug, Default)]
pub struct Talk {
    wanted: bool,
    /// Whether it was asked for by itself, and is not what follows a verdict.
    asked: bool,
    kept: VecDeque<EventKind>,
    heard: bool,
    /// What the feedback is about, once the verdict is shown.
    about: Option<About>,
    step: Option<u32>,
    markdown: Markdown,
    fixed: bool,
}

/// What feedback is about.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// The submission.
    pub id: Option<SubmissionId>,
    /// The program.
    pub files: Vec<SourceFile>,
    /// Whether there is nothing left to improve.
    pub accepted: bool,
}

impl About {
    /// What the feedback on a program that has ended as `outcome` is about.
    pub fn judged(id: Option<SubmissionId>, files: &[SourceFile], outcome: &Outcome) -> Self {
        let accepted = matches!(outcome, Outcome::Judged(codementor_protocol::Verdict::Accepted, _));
        Self { id, files: files.to_vec(), accepted }
    }
}

impl Talk {
    /// Feedback that is shown where it is `wanted`.
    pub fn new(wanted: bool) -> Self {
        Self { wanted, ..Self::default() }
    }

    /// Feedback on a program whose verdict stands already.
    pub fn about(about: About) -> Self {
        Self { wanted: true, asked: true, about: Some(about), ..Self::default() }
    }

    /// Whether feedback is shown at all.
    pub fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// Whether no event of feedback has come.
    pub fn is_silent(&self) -> bool {
        !self.heard
    }

    /// Takes in an event.
    pub fn hear(&mut self, kind: &EventKind) {
        if matches!(kind, EventKind::Feedback(_) | EventKind::Fix(_) | EventKind::FeedbackEnd(_)) {
            self.heard = true;
            if self.wanted && self.kept.len() < MOST_KEPT {
                self.kept.push_back(kind.clone());
            }
        }
    }

    /// The verdict is shown: what was kept may follow.
    pub fn settle(&mut self, about: About) {
        self.about = Some(about);
    }

    /// What can be shown now and has not been; empty before the verdict.
    pub fn take(&mut self, paint: Paint) -> String {
        let Some(about) = self.about.take() else { return String::new() };
        let mut text = String::new();
        while let Some(kind) = self.kept.pop_front() {
            match &kind {
                EventKind::Feedback(feedback) => self.say(feedback, paint, &mut text),
                EventKind::Fix(fix) => {
                    self.fixed = true;
                    text.push_str(&fix::render(fix, &about.files, about.id, paint));
                }
                EventKind::FeedbackEnd(end) => {
                    if let Some(line) = self.end(end, &about, paint) {
                        text.push_str(&line);
                    }
                }
                _ => {}
            }
        }
        self.about = Some(about);
        text
    }

    fn say(&mut self, feedback: &Feedback, paint: Paint, text: &mut String) {
        if self.step != Some(feedback.step) {
            self.step = Some(feedback.step);
            self.markdown = Markdown::default();
            text.push_str(&format!("\n{}\n", paint.faint(&header(feedback.step))));
        }
        text.push_str(&self.markdown.render(&feedback.delta, paint));
    }

    fn end(&self, end: &FeedbackEnd, about: &About, paint: Paint) -> Option<String> {
        match end.outcome {
            // What is next, those know who asked for it.
            FeedbackOutcome::Complete if end.message.is_empty() && self.asked => None,
            FeedbackOutcome::Complete if end.message.is_empty() => {
                let more = self.step == Some(end.step) && !self.fixed && !about.accepted;
                let id = about.id.map(|id| format!(" {id}")).unwrap_or_default();
                more.then(|| {
                    t!("  next: {command}\n", command = paint.place(&format!("codementor hint{id}")))
                })
            }
            // The verdict has said it.
            FeedbackOutcome::Accepted | FeedbackOutcome::Stopped if !self.asked => None,
            outcome => {
                let message = match end.message.is_empty() {
                    true => words::feedback(outcome).into(),
                    false => locale::said(&end.message),
                };
                Some(format!(
                    "{}\n",
                    paint.faint(&t!("feedback: {message}", message = sanitize::line(&message)))
                ))
            }
        }
    }
}

fn header(step: u32) -> String {
    match step {
        0 | 1 => t!("-- feedback (a model's words, may be wrong) --").into(),
        _ => t!("-- feedback, step {step} (a model's words, may be wrong) --", step),
    }
}
