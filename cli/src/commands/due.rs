//! `codementor due`: what there is to hand in, and what came of it so far.

use codementor_protocol::{AssignmentState, DueAssignment, ListDue, Span, Timestamp, Verdict};

use crate::args::course::Due;
use crate::commands::{Context, assignment};
use crate::error::{CliError, ExitStatus};
use crate::moments::now;
use crate::render::table::{Table, Tone};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &Due) -> Result<ExitStatus, CliError> {
    let mut due = context.session().await?.request(&ListDue {}).await?;
    if !args.all {
        due.retain(|one| one.assignment.state != AssignmentState::Closed);
    }
    if args.json {
        context.print_json(&due)?;
    } else if due.is_empty() {
        context.progress.note(t!("nothing is due; closed assignments too: codementor due --all"));
    } else {
        context.print(&table(&due).render(context.terminal.out))?;
    }
    Ok(ExitStatus::Success)
}

fn table(due: &[DueAssignment]) -> Table {
    let mut table = Table::new(&[
        t!("problem"),
        t!("title"),
        t!("due"),
        t!("state"),
        t!("your best"),
        t!(">score"),
        t!(">attempts"),
    ]);
    for one in due {
        let (when, tone) = when(one, now());
        let (state, state_tone) = assignment::state(&one.assignment);
        if one.problems.is_empty() {
            let empty = || (String::new(), Tone::Plain);
            let title = (one.assignment.title.clone(), Tone::Plain);
            let id = (one.assignment.id.to_string(), Tone::Plain);
            table.row([
                id,
                title,
                (when.clone(), tone),
                (state.clone(), state_tone),
                empty(),
                empty(),
                empty(),
            ]);
        }
        for problem in &one.problems {
            let (best, best_tone) = match problem.verdict {
                Some(Verdict::Accepted) => (Verdict::Accepted.token(), Tone::Good),
                Some(verdict) => (verdict.token(), Tone::Bad),
                None => ("-", Tone::Plain),
            };
            let attempts = match one.assignment.attempts.limit {
                Some(limit) => format!("{}/{limit}", problem.attempts),
                None => problem.attempts.to_string(),
            };
            table.row([
                (format!("{}/{}", one.assignment.id, problem.problem), Tone::Plain),
                (problem.title.clone(), Tone::Plain),
                (when.clone(), tone),
                (state.clone(), state_tone),
                (best.into(), best_tone),
                (format!("{}/{}", problem.score.as_deref().unwrap_or("-"), problem.max_score), Tone::Plain),
                (attempts, Tone::Plain),
            ]);
        }
    }
    table
}

/// How long there is time, by this machine's clock; the server's own decides.
fn when(due: &DueAssignment, now: Timestamp) -> (String, Tone) {
    let Some(at) = due.assignment.due else { return ("-".into(), Tone::Plain) };
    let left = at.0 - now.0;
    let note = if due.extended { t!(" (yours)") } else { "" };
    match left {
        0.. => (
            t!("in {left}{note}", left = words::span(Span(left)), note),
            if left < 86_400_000 { Tone::Odd } else { Tone::Plain },
        ),
        _ => (t!("{left} ago{note}", left = words::span(Span(left)), note), Tone::Bad),
    }
}
