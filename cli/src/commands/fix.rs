//! `codementor fix`: the corrected program that was accepted on all tests, shown or written over the student's own.

use codementor_protocol::{FeedbackPolicy, ReadFeedback, Refusal, RefusalCode, SubmissionId};

use crate::apply::{Applied, apply};
use crate::args;
use crate::commands::{Context, hint, newest, working_directory};
use crate::error::{CliError, ExitStatus};
use crate::render::fix;
use crate::sanitize;

pub(crate) async fn run(context: &Context, args: &args::Fix) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let id = newest(&mut session, args.id).await?;
    let detail = session.request(&ReadFeedback { submission: id }).await?;
    let Some(corrected) = detail.fix else { return Err(none(id, detail.policy)) };
    let paint = context.terminal.out;
    if !args.apply {
        if args.json {
            context.print_json(&corrected)?;
            return Ok(ExitStatus::Success);
        }
        let files = hint::about(&mut session, id).await?.files;
        context.progress.note(&fix::label(&corrected));
        let lines = fix::diff(&files, &corrected.files, paint);
        context.print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>())?;
        context.progress.note(&t!("  next: codementor fix {id} --apply", id));
        return Ok(ExitStatus::Success);
    }
    let files = hint::about(&mut session, id).await?.files;
    let applied = apply(&working_directory()?, &files, &corrected.files, args.force)?;
    if args.json {
        let rows: Vec<_> = applied.iter().map(as_json).collect();
        context.print_json(&rows)?;
        return Ok(ExitStatus::Success);
    }
    let text: String = applied.iter().map(in_words).collect();
    context.print(&text)?;
    Ok(ExitStatus::Success)
}

/// Why there is no corrected program.
fn none(id: SubmissionId, policy: FeedbackPolicy) -> CliError {
    CliError::Known(match policy {
        FeedbackPolicy::Full => Refusal::new(
            RefusalCode::NotFound,
            t!("there is no corrected program for #{id} that was accepted on all tests", id),
        )
        .hint(t!("ask again: codementor hint {id}; what was said so far: codementor feedback {id}", id)),
        FeedbackPolicy::Hints => {
            Refusal::new(RefusalCode::Forbidden, t!("the rules show hints, and no corrected programs"))
                .hint(t!("the next hint: codementor hint {id}", id))
        }
        FeedbackPolicy::Off => Refusal::new(RefusalCode::Forbidden, t!("the rules allow no feedback")),
    })
}

fn in_words(applied: &Applied) -> String {
    match applied {
        Applied::Written { name, backup } => {
            t!(
                "{name} is written; what it was is in {backup}\n",
                name = sanitize::line(name),
                backup = sanitize::line(backup)
            )
        }
        Applied::Unchanged { name } => t!("{name} is corrected already\n", name = sanitize::line(name)),
    }
}

fn as_json(applied: &Applied) -> serde_json::Value {
    match applied {
        Applied::Written { name, backup } => {
            serde_json::json!({ "file": name, "written": true, "backup": backup })
        }
        Applied::Unchanged { name } => serde_json::json!({ "file": name, "written": false }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_there_is_none_is_a_matter_of_rules_or_of_luck() {
        let exit = |policy| none(SubmissionId(7), policy).status().code();
        assert_eq!([FeedbackPolicy::Off, FeedbackPolicy::Hints, FeedbackPolicy::Full].map(exit), [3, 3, 5]);
    }
}
