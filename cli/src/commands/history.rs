//! `codementor history`: the user's submissions, the newest first.

use codementor_protocol::{AssignmentId, FindProblem, History, IdError, Slug, Summary, Verdict};

use crate::args;
use crate::commands::{Context, submit};
use crate::error::{CliError, ExitStatus};
use crate::problem::ProblemError;
use crate::render::table::{Table, Tone};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &args::History) -> Result<ExitStatus, CliError> {
    let (problem, assignment) = narrowed(args.problem.as_deref())?;
    let mut session = context.session().await?;
    let mut all: Vec<Summary> = Vec::new();
    // A message holds only so many; older ones are asked for page by page.
    while all.len() < args.limit as usize {
        let page = History {
            problem: problem.clone(),
            assignment: assignment.clone(),
            before: all.last().map(|summary| summary.id),
            limit: args.limit - all.len() as u32,
        };
        let page = session.request(&page).await?;
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    // Of a problem that is not there nothing was ever submitted; whoever mistyped its name should hear that.
    if let (true, Some(problem)) = (all.is_empty(), problem)
        && let Err(error) = session.request(&FindProblem { problem: problem.clone() }).await
    {
        return Err(submit::explain(&mut session, error, &problem).await);
    }
    if args.json {
        context.print_json(&all)?;
    } else if all.is_empty() {
        context.progress.note(t!("no submissions yet; the first: codementor submit FILE -p PROBLEM"));
    } else {
        context.print(&table(&all).render(context.terminal.out))?;
    }
    Ok(ExitStatus::Success)
}

/// The problem, the assignment, or both, that submissions are wanted of.
fn narrowed(text: Option<&str>) -> Result<(Option<Slug>, Option<AssignmentId>), ProblemError> {
    let parse = |text: &str| -> Result<_, IdError> {
        Ok(match text.rsplit_once('/') {
            None => (Some(text.parse()?), None),
            Some((assignment, problem)) if assignment.contains('/') => {
                (Some(problem.parse()?), Some(assignment.parse()?))
            }
            Some(_) => (None, Some(text.parse()?)),
        })
    };
    text.map(parse).transpose().map_err(ProblemError::BadName).map(Option::unwrap_or_default)
}

fn table(all: &[Summary]) -> Table {
    let mut table = Table::new(&[
        t!(">id"),
        t!("problem"),
        t!("language"),
        t!("result"),
        t!(">tests"),
        t!(">time"),
        t!(">memory"),
        t!(">attempt"),
        t!("submitted"),
    ]);
    for summary in all {
        let tests = match (summary.passed, summary.total) {
            (Some(passed), Some(total)) => format!("{passed}/{total}"),
            _ => String::new(),
        };
        let tone = match summary.verdict {
            Some(Verdict::Accepted) => Tone::Good,
            Some(_) => Tone::Bad,
            None => Tone::Odd,
        };
        table.row([
            (summary.id.to_string(), Tone::Plain),
            (place(summary), Tone::Plain),
            (summary.language.to_string(), Tone::Plain),
            (standing(summary), tone),
            (tests, Tone::Plain),
            (summary.time_ms.map(words::duration).unwrap_or_default(), Tone::Plain),
            (summary.memory_kib.map(words::memory).unwrap_or_default(), Tone::Plain),
            (summary.attempt.to_string(), Tone::Plain),
            (words::moment(summary.at), Tone::Plain),
        ]);
    }
    table
}

fn standing(summary: &Summary) -> String {
    let standing = words::standing(summary.state, summary.verdict);
    if summary.rejudged.is_some() { t!("{standing} (judged again)", standing) } else { standing.into() }
}

/// The problem, with the assignment where it was for one.
fn place(summary: &Summary) -> String {
    let late = if summary.late { t!(" (late)") } else { "" };
    match &summary.assignment {
        Some(assignment) => format!("{assignment}/{}{late}", summary.problem),
        None => summary.problem.to_string(),
    }
}
