//! `codementor watch`: everything that has happened to a submission, then live.

use std::time::Duration;

use codementor_protocol::{Detail, Ending, EventKind, Show, State};

use crate::args;
use crate::commands::submit::Talking;
use crate::commands::{Context, newest, submit};
use crate::error::{CliError, ExitStatus, Outcome};
use crate::follow::{self, Until, Watching, settle};
use crate::render::{self, Renderer, Shown};
use crate::session::Session;
use crate::stream::{Ear, Stream};

pub(crate) async fn run(context: &Context, args: &args::Watch) -> Result<ExitStatus, CliError> {
    let talking = Talking::decide(context, &args.feedback, args.following.json);
    let shown = Shown { json: args.following.json, from: args.from, feedback: talking.shown };
    let mut renderer = render::choose(&context.terminal, shown);
    let watched = watch(context, args, talking.until, &mut *renderer).await;
    submit::conclude(watched, &mut *renderer)
}

async fn watch(
    context: &Context,
    args: &args::Watch,
    until: Until,
    renderer: &mut dyn Renderer,
) -> Result<ExitStatus, CliError> {
    let mut session = context.session().await?;
    let id = newest(&mut session, args.id).await?;
    let ear = Ear::open(&session).await?;
    let detail = session.request(&Show { submission: Some(id) }).await?;
    let mut stream = Stream::from(id, ear, args.from);
    stream.catch_up(&mut session).await?;
    let state = detail.summary.state;
    let follows = match until {
        Until::Verdict => state.is_open(),
        Until::End => !matches!(state, State::Ended(_)),
    };
    let outcome = if follows {
        let timeout = args.following.timeout.map(Duration::from_secs);
        let watching = Watching { until, timeout, files: &detail.files };
        match follow::watch(&mut session, &mut stream, renderer, watching).await? {
            // With --from, the result may be before what is shown.
            Outcome::NotAwaited | Outcome::Detached | Outcome::StillRunning if !state.is_open() => {
                outcome_of(&detail)
            }
            outcome => outcome,
        }
    } else {
        let events: Vec<_> = std::iter::from_fn(|| stream.take_ready()).collect();
        // What was judged again has two ends; the last one holds.
        let rejudged = events.iter().rposition(|event| matches!(event.kind, EventKind::Rejudged(_)));
        let mut outcome = None;
        for (place, event) in events.iter().enumerate() {
            renderer.event(event)?;
            if rejudged.is_some_and(|rejudged| place < rejudged) {
                continue;
            }
            if let (None, Some(found)) = (&outcome, Outcome::of(&event.kind)) {
                settle(session.client(), renderer, &found, &detail.files).await?;
                outcome = Some(found);
            }
        }
        outcome.unwrap_or_else(|| outcome_of(&detail))
    };
    submit::finish(renderer, &outcome, &detail.files)
}

/// How a submission ended, where its events do not say it.
pub(crate) fn outcome_of(detail: &Detail) -> Outcome {
    let summary = &detail.summary;
    match summary.state {
        State::Settled(Ending::Judged) | State::Ended(Ending::Judged) => match summary.verdict {
            Some(verdict) => Outcome::Judged(verdict, summary.total.unwrap_or(1)),
            None => Outcome::StillRunning,
        },
        State::Settled(Ending::Faulted) | State::Ended(Ending::Faulted) => {
            let fault = detail.fault.as_deref().unwrap_or_default();
            let code = fault.split_once(": ").map_or(fault, |(code, _)| code);
            Outcome::Faulted(code.into())
        }
        State::Settled(Ending::Cancelled) | State::Ended(Ending::Cancelled) => Outcome::Cancelled,
        State::New | State::Queued | State::Running => Outcome::StillRunning,
    }
}

/// All events of a submission, without waiting for more.
pub(crate) async fn replay(
    session: &mut Session<'_>,
    detail: &Detail,
) -> Result<render::tally::Tally, CliError> {
    let mut stream = Stream::from(detail.summary.id, Ear::open(session).await?, 1);
    stream.catch_up(session).await?;
    let mut tally = render::tally::Tally::default();
    while let Some(event) = stream.take_ready() {
        tally.apply(&event);
    }
    Ok(tally)
}
