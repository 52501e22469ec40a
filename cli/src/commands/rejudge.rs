//! `codementor problem rejudge`: judges again, shows whose result would move, and makes it count, or not.

use std::time::Duration;

use codementor_protocol::{
    EndRejudge, ListRejudges, ReadRejudge, RejudgeMove, RejudgePage, RejudgeState, RejudgeSummary,
    RejudgeWhat, Slug, StartRejudge, SubmissionId,
};
use serde_json::json;

use crate::args::problem::{Push, Rejudge, Which};
use crate::commands::{Context, ask};
use crate::error::{CliError, ExitStatus};
use crate::follow::interrupted;
use crate::problem::ProblemError;
use crate::render::table::{Table, Tone};
use crate::render::words;
use crate::session::Session;

/// How long the first pause between two looks is; each is longer than the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What happens once everything was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It counts.
    Apply,
    /// A person is asked.
    Ask,
    /// Nothing, for now.
    Nothing,
}

pub(crate) async fn run(context: &Context, args: &Rejudge) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    if args.list {
        return list(context, &mut session, args.json).await;
    }
    if let Some(id) = args.cancel {
        let page = session.request(&EndRejudge { id, apply: false }).await?;
        if args.json {
            context.print_json(&page.summary)?;
        } else if page.summary.state == RejudgeState::Applied {
            context.print(&format!("number {id} counts already, and stays\n"))?;
        } else {
            context.print(&format!("number {id} is forgotten; nothing has changed\n"))?;
        }
        return Ok(ExitStatus::Success);
    }
    let id = match args.show {
        Some(id) => id,
        None => session.request(&StartRejudge { what: what(args)?, all: args.all }).await?.summary.id,
    };
    let then = match (args.apply, args.preview || args.json) {
        (true, _) => Then::Apply,
        (false, true) => Then::Nothing,
        (false, false) => Then::Ask,
    };
    finish(context, &mut session, id, then, args.json).await
}

/// Judges again what packages that were pushed just now could judge otherwise.
pub(crate) async fn after_push(
    context: &Context,
    session: &mut Session<'_>,
    problems: &[Slug],
    args: &Push,
) -> Result<ExitStatus, CliError> {
    let mut status = ExitStatus::Success;
    for problem in problems {
        let start =
            StartRejudge { what: RejudgeWhat::Problem(problem.clone()), all: args.rejudge == Which::All };
        let ended = match session.request(&start).await {
            Ok(page) => {
                let then = if args.yes { Then::Apply } else { Then::Ask };
                finish(context, session, page.summary.id, then, false).await
            }
            // Nobody has submitted to it, or what was submitted is still being judged: that is no failure of a push.
            Err(CliError::Refused(refusal)) if refusal.code == codementor_protocol::RefusalCode::Nothing => {
                context.progress.note(&format!("{problem}: nothing to judge again: {refusal}"));
                Ok(ExitStatus::Success)
            }
            Err(error) => Err(error),
        };
        match ended? {
            ExitStatus::Success => {}
            other => status = other,
        }
    }
    Ok(status)
}

/// A problem, an assignment, or numbers.
fn what(args: &Rejudge) -> Result<RejudgeWhat, CliError> {
    if let Some(id) = &args.assignment {
        return Ok(RejudgeWhat::Assignment(id.clone()));
    }
    let numbers: Result<Vec<SubmissionId>, _> =
        args.what.iter().map(|text| text.trim_start_matches('#').parse::<SubmissionId>()).collect();
    match (numbers, args.what.as_slice()) {
        (Ok(ids), _) => Ok(RejudgeWhat::Submissions(ids)),
        (Err(_), [problem]) => {
            Ok(RejudgeWhat::Problem(Slug::new(problem.as_str()).map_err(ProblemError::BadName)?))
        }
        (Err(_), [first, ..]) => {
            let wrong = args.what.iter().find(|text| text.parse::<SubmissionId>().is_err()).unwrap_or(first);
            Err(ProblemError::BadName(codementor_protocol::IdError {
                text: wrong.clone(),
                what: "number of a submission",
                rule: "name one problem, or numbers only",
            })
            .into())
        }
        (Err(_), []) => Err(ProblemError::NotNamed.into()),
    }
}

async fn finish(
    context: &Context,
    session: &mut Session<'_>,
    id: u64,
    then: Then,
    json: bool,
) -> Result<ExitStatus, CliError> {
    let (mut summary, moves) = tokio::select! {
        judged = judged(context, session, id) => judged?,
        () = interrupted() => {
            context.progress.clear();
            context.progress.note(&format!("judging goes on; come back with: codementor problem rejudge --show {id}"));
            return Ok(ExitStatus::Interrupted);
        }
    };
    context.progress.clear();
    if !json {
        context.print(&report(&summary, &moves, context))?;
    }
    if summary.state == RejudgeState::Ready {
        let asked = || then == Then::Ask && context.terminal.asks && ask("Let the new results count? [y/N] ");
        if then == Then::Apply || asked() {
            summary = session.request(&EndRejudge { id, apply: true }).await?.summary;
        }
    }
    if json {
        context.print_json(&json!({ "rejudge": summary, "moves": moves }))?;
        return Ok(ExitStatus::Success);
    }
    match summary.state {
        RejudgeState::Applied => context.print("the new results count\n")?,
        RejudgeState::Dropped => context.print("it was forgotten; nothing has changed\n")?,
        RejudgeState::Judging | RejudgeState::Ready => context.progress.note(&format!(
            "nothing counts yet. To let it: codementor problem rejudge --show {id} --apply; to forget it: --cancel {id}"
        )),
    }
    Ok(ExitStatus::Success)
}

/// Waits until all was judged, and says what moves.
async fn judged(
    context: &Context,
    session: &mut Session<'_>,
    id: u64,
) -> Result<(RejudgeSummary, Vec<RejudgeMove>), CliError> {
    let mut pause = FIRST_PAUSE;
    let mut page: RejudgePage = session.request(&ReadRejudge { id, after: None }).await?;
    while page.summary.state == RejudgeState::Judging {
        let text = format!("{}: judging again", page.summary.what);
        context.progress.amount(&text, page.summary.done, page.summary.total, false);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
        page = session.request(&ReadRejudge { id, after: None }).await?;
    }
    let summary = page.summary;
    let mut moves = page.moves;
    let mut more = page.more;
    while more {
        let after = moves.last().map(|one| one.submission);
        let page = session.request(&ReadRejudge { id, after }).await?;
        // It may have been ended meanwhile by somebody else.
        more = page.more && !page.moves.is_empty();
        moves.extend(page.moves);
    }
    Ok((summary, moves))
}

/// Whose result moves, and how many there are in all.
fn report(summary: &RejudgeSummary, moves: &[RejudgeMove], context: &Context) -> String {
    let mut text = String::new();
    if !moves.is_empty() {
        let mut table = Table::new(&[">id", "user", "problem", "was", "is", ">had", ">has", ">of"]);
        for one in moves {
            let tone = |good: bool| if good { Tone::Good } else { Tone::Bad };
            let accepted = one.verdict == codementor_protocol::Verdict::Accepted;
            let problem = match &one.assignment {
                Some(id) => format!("{id}/{}", one.problem),
                None => one.problem.to_string(),
            };
            table.row([
                (one.submission.to_string(), Tone::Plain),
                (one.user.to_string(), Tone::Plain),
                (problem, Tone::Plain),
                (one.was.map_or("not judged", |was| was.token()).into(), Tone::Plain),
                (one.verdict.token().into(), tone(accepted)),
                (one.had.clone().unwrap_or_else(|| "-".into()), Tone::Plain),
                (one.score.clone(), Tone::Plain),
                (one.max_score.clone(), Tone::Plain),
            ]);
        }
        text.push_str(&table.render(context.terminal.out));
    }
    let all = words::plural(summary.total, "submission");
    match summary.moves {
        0 => text.push_str(&format!("{}: {all} judged again, no result moves\n", summary.what)),
        1 => text.push_str(&format!("{}: {all} judged again, 1 result moves\n", summary.what)),
        moves => text.push_str(&format!("{}: {all} judged again, {moves} results move\n", summary.what)),
    }
    if summary.faults > 0 {
        text.push_str(&format!(
            "{} could not be judged, through faults of ours: they keep what they have\n",
            summary.faults
        ));
    }
    if summary.open > 0 {
        text.push_str(&format!(
            "{} left out: still being judged when this began\n",
            words::plural(summary.open, "submission")
        ));
    }
    text
}

async fn list(context: &Context, session: &mut Session<'_>, json: bool) -> Result<ExitStatus, CliError> {
    let all = session.request(&ListRejudges {}).await?;
    if json {
        context.print_json(&all)?;
    } else if all.is_empty() {
        context.progress.note("nothing is being judged again, or waits to be applied");
    } else {
        let mut table =
            Table::new(&[">number", "what", "by", "since", "state", ">judged", ">move", ">faults"]);
        for one in &all {
            let (state, tone) = match one.state {
                RejudgeState::Judging => ("judging", Tone::Odd),
                RejudgeState::Ready => ("ready", Tone::Good),
                RejudgeState::Applied => ("applied", Tone::Plain),
                RejudgeState::Dropped => ("forgotten", Tone::Plain),
            };
            table.row([
                (one.id.to_string(), Tone::Plain),
                (one.what.clone(), Tone::Plain),
                (one.by.to_string(), Tone::Plain),
                (words::moment(one.at), Tone::Plain),
                (state.into(), tone),
                (format!("{}/{}", one.done, one.total), Tone::Plain),
                (one.moves.to_string(), Tone::Plain),
                (one.faults.to_string(), Tone::Plain),
            ]);
        }
        context.print(&table.render(context.terminal.out))?;
    }
    Ok(ExitStatus::Success)
}
