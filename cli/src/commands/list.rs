//! `codementor list`: the problems that can be submitted to.

use codementor_protocol::{ListProblems, ProblemSummary, Verdict};

use crate::args::course::Problems;
use crate::commands::{Context, assignment};
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &Problems) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let mut problems = session.request(&ListProblems {}).await?;
    if let Some(id) = &args.assignment {
        let assignment = assignment::find(&mut session, id).await?;
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
        context.progress.note("no problems yet; install a package: codementor problem push DIR");
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&["problem", "title", ">tests", ">samples", ">time", ">memory", "your best"]);
    for problem in &problems {
        let (best, tone) = match problem.best {
            Some(Verdict::Accepted) => (Verdict::Accepted.token(), Tone::Good),
            Some(verdict) => (verdict.token(), Tone::Bad),
            None => ("-", Tone::Plain),
        };
        table.row([
            (problem.slug.to_string(), Tone::Plain),
            (problem.title.clone(), Tone::Plain),
            (problem.cases.to_string(), Tone::Plain),
            (problem.samples.to_string(), Tone::Plain),
            (words::duration(problem.limits.time_ms), Tone::Plain),
            (words::memory(problem.limits.memory_mib * 1024), Tone::Plain),
            (best.into(), tone),
        ]);
    }
    context.print(&table.render(context.terminal.out))?;
    Ok(ExitStatus::Success)
}
