//! `codementor list`: the problems that can be submitted to.

use codementor_protocol::{ListProblems, Verdict};

use crate::args;
use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::render::table::{Table, Tone};
use crate::render::words;

pub(crate) async fn run(context: &Context, args: &args::List) -> Result<ExitStatus, CliError> {
    let problems = context.session().await?.request(&ListProblems {}).await?;
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
