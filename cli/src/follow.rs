//! Watches one submission until it is judged, or until nothing follows, the time is over, or the keyboard says so.
//!
//! ```text
//! stream ─ event ──────────────┐
//! clock ── tick ───────────────┤
//! Ctrl-C ──────────────────────┼─▶ Happening ─▶ renderer, Outcome
//! --timeout ───────────────────┤
//! status ─ no engine, while ───┘
//!          the submission waits
//! ```

use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use codementor_protocol::{EventKind, GetStatus, JobEvent, Purpose, ReadCase, SourceFile};

use crate::client::Client;
use crate::error::{CliError, Outcome};
use crate::render::Renderer;
use crate::session::Session;
use crate::stream::Stream;

/// How often the view may show that time passes.
const TICK: Duration = Duration::from_millis(125);

/// How long a submission waits before the daemon is asked whether it can judge at all.
const FIRST_LOOK: Duration = Duration::from_secs(2);
/// The longest pause between two such questions.
const LONGEST_LOOK: Duration = Duration::from_secs(30);

/// What can happen while a submission is watched.
enum Happening {
    Event(JobEvent),
    NoEngine(String),
    Tick,
    Interrupt,
    TimeOut,
}

/// What ends the watching by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The verdict. The events that follow it (feedback, and the `end`) are not awaited.
    Verdict,
    /// The `end`.
    End,
}

/// How a submission is watched.
#[derive(Debug, Clone, Copy)]
pub struct Watching<'a> {
    /// What ends the watching by itself.
    pub until: Until,
    /// How long at most.
    pub timeout: Option<Duration>,
    /// The program.
    pub files: &'a [SourceFile],
}

/// Shows events until the result is there. The events that follow a result are not awaited.
pub async fn follow(
    session: &mut Session<'_>,
    stream: &mut Stream,
    renderer: &mut dyn Renderer,
    timeout: Option<Duration>,
) -> Result<Outcome, CliError> {
    watch(session, stream, renderer, Watching { until: Until::Verdict, timeout, files: &[] }).await
}

/// Shows events until there is no more to wait for, and beside the verdict the facts of a failed sample.
pub async fn watch(
    session: &mut Session<'_>,
    stream: &mut Stream,
    renderer: &mut dyn Renderer,
    watching: Watching<'_>,
) -> Result<Outcome, CliError> {
    let mut interrupt = pin!(interrupted());
    let mut over = pin!(async {
        match watching.timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    });
    let outcome = to_the_verdict(session, stream, renderer, interrupt.as_mut(), over.as_mut()).await?;
    if matches!(outcome, Outcome::Judged(..) | Outcome::Faulted(_) | Outcome::Cancelled) {
        settle(session.client(), renderer, &outcome, watching.files).await?;
        if watching.until == Until::End {
            tokio::select! {
                biased;
                // The verdict stands, whatever happens since: a connection that breaks, nobody who reads any more.
                _ = to_the_end(session, stream, renderer) => {}
                () = interrupt => {}
                () = over => {}
            }
        }
    }
    Ok(outcome)
}

/// Shows how judging ended, and beside it the facts of a failed sample, which cost one more request.
pub async fn settle(
    client: &Client,
    renderer: &mut dyn Renderer,
    outcome: &Outcome,
    files: &[SourceFile],
) -> Result<(), CliError> {
    renderer.settle(outcome, files)?;
    if let Some(submission) = renderer.wants_sample() {
        // Without them the verdict is still right; `codementor diff` says why they cannot be had.
        if let Ok(case) = client.request(&ReadCase { submission, case: None }).await {
            renderer.sample(&case)?;
        }
    }
    Ok(())
}

/// Shows the events that follow a verdict.
async fn to_the_end(
    session: &mut Session<'_>,
    stream: &mut Stream,
    renderer: &mut dyn Renderer,
) -> Result<(), CliError> {
    let mut tick = ticks();
    loop {
        let mut next = pin!(stream.next(session));
        let event = loop {
            tokio::select! {
                biased;
                event = &mut next => break event?,
                _ = tick.tick() => renderer.tick(Instant::now())?,
            }
        };
        renderer.event(&event)?;
        if matches!(event.kind, EventKind::End(_)) {
            return Ok(());
        }
    }
}

fn ticks() -> tokio::time::Interval {
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    tick
}

async fn to_the_verdict(
    session: &mut Session<'_>,
    stream: &mut Stream,
    renderer: &mut dyn Renderer,
    mut interrupt: Pin<&mut impl Future<Output = ()>>,
    mut over: Pin<&mut impl Future<Output = ()>>,
) -> Result<Outcome, CliError> {
    let mut tick = ticks();
    let mut waits = true;
    let mut kept = None;
    loop {
        let client = session.client().clone();
        // Of a server with judges elsewhere, the daemon's own engine says nothing.
        let matters = waits && session.settings().nats_url.is_none();
        let mut engine = pin!(engine_trouble(client, matters));
        let mut next = pin!(stream.next(session));
        let event = loop {
            let happening = tokio::select! {
                // What has happened is shown before the watching ends.
                biased;
                event = &mut next => Happening::Event(event?),
                () = &mut interrupt => Happening::Interrupt,
                () = &mut over => Happening::TimeOut,
                reason = &mut engine => Happening::NoEngine(reason),
                _ = tick.tick() => Happening::Tick,
            };
            match happening {
                Happening::Event(event) => break event,
                Happening::Tick => renderer.tick(Instant::now())?,
                Happening::Interrupt => return Ok(Outcome::Detached),
                Happening::TimeOut => return Ok(Outcome::StillRunning),
                Happening::NoEngine(reason) => return Err(CliError::Waits { submission: kept, reason }),
            }
        };
        match &event.kind {
            EventKind::Submission(facts) => kept = (facts.purpose == Purpose::Submission).then_some(facts.id),
            EventKind::Started(_) => waits = false,
            // A judge that has begun can find the engine gone, and says so in this way.
            EventKind::Preparing { .. } | EventKind::Restarted(_) => waits = true,
            _ => {}
        }
        renderer.event(&event)?;
        if let Some(outcome) = Outcome::of(&event.kind) {
            return Ok(outcome);
        }
        if matches!(event.kind, EventKind::End(_)) {
            // An end without a result: watching began after it.
            return Ok(Outcome::NotAwaited);
        }
    }
}

/// Returns what is wrong with the engine once that has been wrong for a while: one that is being restarted is back
/// before anybody needs to hear of it.
async fn engine_trouble(client: Client, matters: bool) -> String {
    if !matters {
        std::future::pending::<()>().await;
    }
    let mut pause = FIRST_LOOK;
    let mut seen = 0;
    loop {
        tokio::time::sleep(pause).await;
        match client.request(&GetStatus {}).await.map(|status| status.engine_error) {
            Ok(Some(reason)) if seen == 1 => return reason,
            Ok(Some(_)) => seen = 1,
            // A daemon that does not answer is the stream's matter.
            Ok(None) | Err(_) => {
                seen = 0;
                pause = (pause * 2).min(LONGEST_LOOK);
            }
        }
    }
}

/// Waits for Ctrl-C, which is listened for from the call on, and not from the first look: before anything is shown.
/// Where that cannot be listened for, Ctrl-C ends the process as it always did.
pub fn interrupted() -> impl Future<Output = ()> {
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt());
    async {
        let heard = match signal {
            Ok(mut signal) => signal.recv().await,
            Err(_) => None,
        };
        if heard.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
