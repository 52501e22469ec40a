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
use crate::locale;
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
            context.print(&t!("number {id} counts already, and stays\n", id))?;
        } else {
            context.print(&t!("number {id} is forgotten; nothing has changed\n", id))?;
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
                context.progress.note(&t!(
                    "{problem}: nothing to judge again: {refusal}",
                    problem,
                    refusal = locale::said(&refusal.message)
                ));
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
                what: t!("number of a submission"),
                rule: t!("name one problem, or numbers only"),
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
            context.progress.note(&t!("judging goes on; come back with: codementor problem rejudge --show \
    {id}", id));
            return Ok(ExitStatus::Interrupted);
        }
    };
    context.progress.clear();
    if !json {
        context.print(&report(&summary, &moves, context))?;
    }
    if summary.state == RejudgeState::Ready {
        let asked =
            || then == Then::Ask && context.terminal.asks && ask(t!("Let the new results count? [y/N] "));
        if then == Then::Apply || asked() {
            summary = session.request(&EndRejudge { id, apply: true }).await?.summary;
        }
    }
    if json {
        context.print_json(&json!({ "rejudge": summary, "moves": moves }))?;
        return Ok(ExitStatus::Success);
    }
    match summary.state {
        RejudgeState::Applied => context.print(t!("the new results count\n"))?,
        RejudgeState::Dropped => context.print(t!("it was forgotten; nothing has changed\n"))?,
        RejudgeState::Judging | RejudgeState::Ready => context.progress.note(&t!(
            "nothing counts yet. To let it: codementor problem rejudge --show {id} --apply; to forget it: \
             --cancel {id}",
            id
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
        let text = t!("{what}: judging again", what = page.summary.what);
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
        let mut table = Table::new(&[
            t!(">id"),
            t!("user"),
            t!("problem"),
            t!("was"),
            t!("is"),
            t!(">had"),
            t!(">has"),
            t!(">of"),
        ]);
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
                (one.was.map_or(t!("not judged"), |was| was.token()).into(), Tone::Plain),
                (one.verdict.token().into(), tone(accepted)),
                (one.had.clone().unwrap_or_else(|| "-".into()), Tone::Plain),
                (one.score.clone(), Tone::Plain),
                (one.max_score.clone(), Tone::Plain),
            ]);
        }
        text.push_str(&table.render(context.terminal.out));
    }
    let all = count!(summary.total, "submission");
    match summary.moves {
        0 => text.push_str(&t!("{what}: {all} judged again, no result moves\n", what = summary.what, all)),
        1 => text.push_str(&t!("{what}: {all} judged again, 1 result moves\n", what = summary.what, all)),
        moves => text.push_str(&t!(
            "{what}: {all} judged again, {moves} results move\n",
            what = summary.what,
            all,
            moves
        )),
    }
    if summary.faults > 0 {
        text.push_str(&t!(
            "{faults} could not be judged, through faults of ours: they keep what they have\n",
            faults = summary.faults
        ));
    }
    if summary.open > 0 {
        text.push_str(&t!(
            "{submissions} left out: still being judged when this began\n",
            submissions = count!(summary.open, "submission")
        ));
    }
    text
}

async fn list(context: &Context, session: &mut Session<'_>, json: bool) -> Result<ExitStatus, CliError> {
    let all = session.request(&ListRejudges {}).await?;
    if json {
        context.print_json(&all)?;
    } else if all.is_empty() {
        context.progress.note(t!("nothing is being judged again, or waits to be applied"));
    } else {
        let mut table = Table::new(&[
            t!(">number"),
            t!("what"),
            t!("by"),
            t!("since"),
            t!("state"),
            t!(">judged"),
            t!(">move"),
            t!(">faults"),
        ]);
        for one in &all {
            let (state, tone) = match one.state {
                RejudgeState::Judging => (t!("judging"), Tone::Odd),
                RejudgeState::Ready => (t!("ready"), Tone::Good),
                RejudgeState::Applied => (t!("applied"), Tone::Plain),
                RejudgeState::Dropped => (t!("forgotten"), Tone::Plain),
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
