//! `codementor list`: the problems that can be submitted to.

use codementor_protocol::{ListProblems, ProblemSummary, Refusal, RefusalCode, Verdict};

use crate::args::List;
use crate::args::course::Problems;
use crate::commands::{Context, assignment};
use crate::error::{CliError, ExitStatus};
use crate::moments::shown;
use crate::render::table::{Table, Tone};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &Problems) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let mut problems = session.request(&ListProblems {}).await?;
    if let Some(id) = &args.assignment {
        let assignment = assignment::find(&mut session, id).await?;
        // Every assignment has a problem; those of one that opens later are not told.
        if let (true, Some(opens)) = (assignment.problems.is_empty(), assignment.opens) {
            let opens = shown(opens, &assignment.time_zone);
            let message = t!("'{id}' opens at {opens}", id, opens);
            return Err(CliError::Known(Refusal::new(RefusalCode::Forbidden, message)));
        }
        let place =
            |problem: &ProblemSummary| assignment.problems.iter().position(|one| one.problem == problem.slug);
        problems.retain(|problem| place(problem).is_some());
        problems.sort_by_key(place);
    }
    if args.json {
        context.print_json(&problems)?;
        return Ok(ExitStatus::Success);
    }
    if problems.is_empty() {
        context.progress.note(t!("no problems yet; install a package: codementor problem push DIR"));
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&[&heads()[..], &[t!("your best")]].concat());
    for problem in &problems {
        let (best, tone) = match problem.best {
            Some(Verdict::Accepted) => (Verdict::Accepted.token(), Tone::Good),
            Some(verdict) => (verdict.token(), Tone::Bad),
            None => ("-", Tone::Plain),
        };
        table.row(about(problem).into_iter().chain([(best.into(), tone)]));
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}

/// `codementor problem list`: with the versions that judge, for those who install them.
pub(crate) async fn versions(context: &Context, args: &List) -> Result<ExitStatus, CliError> {
    let problems = context.session().await?.request(&ListProblems {}).await?;
    if args.json {
        context.print_json(&problems)?;
        return Ok(ExitStatus::Success);
    }
    if problems.is_empty() {
        context.progress.note(t!("no problems yet; install a package: codementor problem push DIR"));
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&[&heads()[..], &[t!("version"), t!("installed")]].concat());
    for problem in &problems {
        let version = [problem.package.short().to_owned(), words::moment(problem.installed)];
        table.row(about(problem).into_iter().chain(version.map(|text| (text, Tone::Plain))));
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}

/// The columns that both lists have.
fn heads() -> [&'static str; 6] {
    [t!("problem"), t!("title"), t!(">tests"), t!(">samples"), t!(">time"), t!(">memory")]
}

/// What stands in them.
fn about(problem: &ProblemSummary) -> [(String, Tone); 6] {
    [
        problem.slug.to_string(),
        problem.title.clone(),
        problem.cases.to_string(),
        problem.samples.to_string(),
        words::duration(problem.limits.time_ms),
        words::memory(problem.limits.memory_mib * 1024),
    ]
    .map(|text| (text, Tone::Plain))
}
