//! `codementor hint`: the next step of feedback, more telling than the one before.

use std::time::Duration;

use codementor_protocol::{
    EventKind, Feedback, FeedbackEnd, FeedbackOutcome, FeedbackStep, Hint, ReadFeedback, Show, SubmissionId,
};

use crate::args;
use crate::commands::{Context, feedback, newest};
use crate::error::{CliError, ExitStatus};
use crate::follow::interrupted;
use crate::render::feedback::{About, Talk};
use crate::session::Session;

/// How long between two looks at a hint that is being made.
const PAUSE: Duration = Duration::from_millis(250);

pub(crate) async fn run(context: &Context, args: &args::Hint) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let id = newest(&mut session, args.id).await?;
    tokio::select! {
        status = hint(context, &mut session, id, args.json) => status,
        () = interrupted() => {
            let back = t!("stopped; what is said all the same: codementor feedback {id}", id);
            context.progress.note(&back);
            Ok(ExitStatus::Interrupted)
        }
    }
}

async fn hint(
    context: &Context,
    session: &mut Session<'_>,
    id: SubmissionId,
    json: bool,
) -> Result<ExitStatus, CliError> {
    let mut talk = Talk::about(About { id: Some(id), ..About::default() });
    let mut request = Hint { submission: id, step: None };
    let mut shown = String::new();
    loop {
        let step = session.request(&request).await?;
        if !json {
            if let Some(delta) = news(&shown, &step.text) {
                talk.hear(&EventKind::Feedback(Feedback { step: step.step, delta: delta.into() }));
                shown.clone_from(&step.text);
            }
            print(context, &mut talk)?;
        }
        if let Some(end) = &step.end {
            match json {
                true => context.print_json(&step)?,
                false => {
                    talk.hear(&EventKind::FeedbackEnd(end.clone()));
                    print(context, &mut talk)?;
                    if end.outcome == FeedbackOutcome::Complete {
                        let detail = session.request(&ReadFeedback { submission: id }).await?;
                        context.print(&feedback::next(&detail, false, context.terminal.out))?;
                    }
                }
            }
            return Ok(status(&step, end));
        }
        context.progress.step(t!("a model reads your program"));
        request.step = Some(step.step);
        tokio::time::sleep(PAUSE).await;
    }
}

/// Prints what is new, and leaves the line of progress alone where nothing is.
fn print(context: &Context, talk: &mut Talk) -> Result<(), CliError> {
    let text = talk.take(context.terminal.out);
    if text.is_empty() { Ok(()) } else { context.print(&text) }
}

/// What was not shown before. Text only ever grows; where it does not, all of it is new.
fn news<'a>(shown: &str, text: &'a str) -> Option<&'a str> {
    let new = text.strip_prefix(shown).unwrap_or(text);
    (!new.trim().is_empty()).then_some(new)
}

/// Nothing is an error where something was shown.
fn status(step: &FeedbackStep, end: &FeedbackEnd) -> ExitStatus {
    match step.text.trim().is_empty() {
        false => ExitStatus::Success,
        true => without_a_hint(end.outcome),
    }
}

/// What the command exits with where no hint was shown.
fn without_a_hint(outcome: FeedbackOutcome) -> ExitStatus {
    use FeedbackOutcome as Of;
    match outcome {
        Of::Complete => ExitStatus::Success,
        // The rules: what is right, was stopped, gives too much away or would cost too much gets no hint.
        Of::Accepted | Of::Stopped | Of::Withheld | Of::OverBudget | Of::NoChecksLeft | Of::NoStepsLeft => {
            ExitStatus::Refused
        }
        Of::Interrupted | Of::RateLimited => ExitStatus::Later,
        Of::NotConfigured
        | Of::Unreachable
        | Of::KeyRefused
        | Of::RequestRefused
        | Of::EndpointFault
        | Of::Stalled
        | Of::TimedOut
        | Of::Truncated
        | Of::CutOff
        | Of::TooLarge
        | Of::Garbled
        | Of::Empty => ExitStatus::Unreachable,
        Of::Unknown => ExitStatus::OurFault,
    }
}

/// What the feedback on a submission is about, as far as showing it is concerned.
pub(crate) async fn about(session: &mut Session<'_>, id: SubmissionId) -> Result<About, CliError> {
    let detail = session.request(&Show { submission: Some(id) }).await?;
    let accepted = detail.summary.verdict == Some(codementor_protocol::Verdict::Accepted);
    Ok(About { id: Some(id), files: detail.files, accepted })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(text: &str, outcome: FeedbackOutcome) -> u8 {
        let end = FeedbackEnd { step: 2, outcome, message: String::new() };
        status(&FeedbackStep { step: 2, text: text.into(), end: Some(end.clone()) }, &end).code()
    }

    #[test]
    fn a_hint_that_was_shown_is_a_success_and_others_say_why_there_is_none() {
        use FeedbackOutcome as Of;
        for (text, outcome, code) in [
            ("Look at the loop.", Of::Complete, 0),
            ("Look at the", Of::Truncated, 0),
            ("", Of::Withheld, 3),
            ("", Of::OverBudget, 3),
            ("", Of::NoStepsLeft, 3),
            ("", Of::NotConfigured, 69),
            ("", Of::Stalled, 69),
            ("\n", Of::Truncated, 69),
            ("", Of::RateLimited, 75),
            ("", Of::Interrupted, 75),
            ("", Of::Unknown, 70),
        ] {
            assert_eq!(exit(text, outcome), code, "{outcome}");
        }
    }

    #[test]
    fn only_what_is_new_is_shown() {
        assert_eq!(news("", ""), None);
        assert_eq!(news("", "One."), Some("One."));
        assert_eq!(news("One.", "One."), None);
        assert_eq!(news("One.", "One.\n\nTwo."), Some("\n\nTwo."));
        assert_eq!(news("One.", "Another."), Some("Another."));
    }
}
