//! `codementor feedback`: all that was said about a submission, and what may still be spent.

use codementor_protocol::{
    EventKind, Feedback, FeedbackDetail, FeedbackOutcome, FeedbackPolicy, FeedbackStep, ReadFeedback,
};

use crate::args;
use crate::commands::{Context, hint, newest};
use crate::error::{CliError, ExitStatus};
use crate::render::feedback::{About, Talk};
use crate::render::words;
use crate::terminal::Paint;

pub(crate) async fn run(context: &Context, args: &args::Replay) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let id = newest(&mut session, args.id).await?;
    let detail = session.request(&ReadFeedback { submission: id }).await?;
    if args.json {
        context.print_json(&detail)?;
        return Ok(ExitStatus::Success);
    }
    let about = hint::about(&mut session, id).await?;
    context.print(&replay(&detail, about, context.terminal.out))?;
    Ok(ExitStatus::Success)
}

fn replay(detail: &FeedbackDetail, about: About, paint: Paint) -> String {
    let mut text = format!("#{}  {}\n", detail.submission, facts(detail));
    let accepted = about.accepted;
    let mut talk = Talk::about(about);
    for step in &detail.steps {
        if !step.text.trim().is_empty() {
            talk.hear(&EventKind::Feedback(Feedback { step: step.step, delta: step.text.clone() }));
        }
        // What to do next is said once, at the end.
        let quiet = |end: &&codementor_protocol::FeedbackEnd| end.outcome != FeedbackOutcome::Complete;
        if let Some(end) = step.end.as_ref().filter(quiet) {
            talk.hear(&EventKind::FeedbackEnd(end.clone()));
        } else if step.end.is_none() {
            text.push_str(&talk.take(paint));
            text.push_str(t!("  this step goes on\n"));
        }
    }
    if let Some(fix) = &detail.fix {
        talk.hear(&EventKind::Fix(fix.clone()));
    }
    text.push_str(&talk.take(paint));
    if talk.is_silent() {
        text.push_str(t!("  nothing was said\n"));
    }
    // A corrected program has said itself what to do with it.
    if detail.fix.is_none() {
        text.push_str(&next(detail, accepted, paint));
    }
    text
}

/// What to do next: see the corrected program where there is one, else ask for the step that follows, if one can.
pub(crate) fn next(detail: &FeedbackDetail, accepted: bool, paint: Paint) -> String {
    use FeedbackOutcome::{Accepted, Stopped};
    let id = detail.submission;
    let over =
        |step: &FeedbackStep| step.end.as_ref().is_some_and(|end| matches!(end.outcome, Accepted | Stopped));
    let given = detail.steps.iter().map(|step| step.step).max().unwrap_or(0);
    let command = match detail.policy {
        FeedbackPolicy::Off => return String::new(),
        _ if detail.fix.is_some() => format!("codementor fix {id}"),
        _ if accepted || given >= detail.most_steps || detail.steps.iter().any(over) => return String::new(),
        _ => format!("codementor hint {id}"),
    };
    t!("  next: {command}\n", command = paint.place(&command))
}

fn facts(detail: &FeedbackDetail) -> String {
    let policy = match detail.policy {
        FeedbackPolicy::Off => return t!("the rules allow no feedback").into(),
        FeedbackPolicy::Hints => t!("hints"),
        FeedbackPolicy::Full => t!("hints and corrected programs"),
    };
    let is_given = |step: &&FeedbackStep| {
        step.end.as_ref().is_none_or(|end| end.outcome != FeedbackOutcome::NotConfigured)
    };
    let given = detail.steps.iter().filter(is_given).count();
    t!(
        "{policy}   {given} of {most_steps} steps   left: {left}",
        policy,
        given,
        most_steps = detail.most_steps,
        left = words::allowance(&detail.left)
    )
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{Allowance, FeedbackEnd, SubmissionId};

    use super::*;

    #[test]
    fn what_was_said_is_replayed_with_what_is_left() {
        let end = |outcome, message: &str| Some(FeedbackEnd { step: 1, outcome, message: message.into() });
        let mut detail = FeedbackDetail {
            submission: SubmissionId(7),
            policy: FeedbackPolicy::Hints,
            steps: vec![
                FeedbackStep {
                    step: 1,
                    text: "Look at the **loop**.".into(),
                    end: end(FeedbackOutcome::Complete, ""),
                },
                FeedbackStep {
                    step: 2,
                    text: String::new(),
                    end: end(FeedbackOutcome::Withheld, "it was held back"),
                },
            ],
            most_steps: 3,
            fix: None,
            left: Allowance { tokens: Some(1200), cost_micro: None },
        };
        insta::assert_snapshot!(replay(&detail, About::default(), Paint::PLAIN), @r"
        #7  hints   2 of 3 steps   left: 1200 tokens today

        -- feedback (a model's words, may be wrong) --
          | Look at the **loop**.
        feedback: it was held back
          next: codementor hint 7
        ");
        // The last step, and a program that is right, have none after them.
        detail.most_steps = 2;
        assert_eq!(next(&detail, false, Paint::PLAIN), "");
        detail.steps = vec![FeedbackStep {
            step: 1,
            text: String::new(),
            end: end(FeedbackOutcome::Accepted, "the program is accepted: there is nothing to correct"),
        }];
        insta::assert_snapshot!(replay(&detail, About::default(), Paint::PLAIN), @r"
        #7  hints   1 of 2 steps   left: 1200 tokens today
        feedback: the program is accepted: there is nothing to correct
        ");
        detail.steps.clear();
        assert_eq!(next(&detail, true, Paint::PLAIN), "");
        detail.policy = FeedbackPolicy::Off;
        insta::assert_snapshot!(replay(&detail, About::default(), Paint::PLAIN), @r"
        #7  the rules allow no feedback
          nothing was said
        ");
    }
}
