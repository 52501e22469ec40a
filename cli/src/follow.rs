//! Watches one submission until it is judged, the time is over, or the keyboard says so.
//!
//! ```text
//! stream ─ event ─┐
//! clock  ─ tick ──┼─▶ Happening ─▶ renderer, Outcome
//! Ctrl-C ─────────┤
//! --timeout ──────┘
//! ```

use std::pin::pin;
use std::time::{Duration, Instant};

use codementor_protocol::{EventKind, JobEvent};

use crate::error::{CliError, Outcome};
use crate::render::Renderer;
use crate::session::Session;
use crate::stream::Stream;

/// How often the view may show that time passes.
const TICK: Duration = Duration::from_millis(125);

/// What can happen while a submission is watched.
enum Happening {
    Event(JobEvent),
    Tick,
    Interrupt,
    TimeOut,
}

/// Shows events until the result is there. The events that follow a result (feedback, and the `end`) are not awaited.
pub async fn follow(
    session: &mut Session<'_>,
    stream: &mut Stream,
    renderer: &mut dyn Renderer,
    timeout: Option<Duration>,
) -> Result<Outcome, CliError> {
    let mut interrupt = pin!(interrupted());
    let mut over = pin!(async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    });
    let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        let mut next = pin!(stream.next(session));
        let event = loop {
            let happening = tokio::select! {
                // What has happened is shown before the watching ends.
                biased;
                event = &mut next => Happening::Event(event?),
                () = &mut interrupt => Happening::Interrupt,
                () = &mut over => Happening::TimeOut,
                _ = tick.tick() => Happening::Tick,
            };
            match happening {
                Happening::Event(event) => break event,
                Happening::Tick => renderer.tick(Instant::now())?,
                Happening::Interrupt => return Ok(Outcome::Detached),
                Happening::TimeOut => return Ok(Outcome::StillRunning),
            }
        };
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

/// Waits for Ctrl-C. Where that cannot be listened for, Ctrl-C ends the process as it always did.
pub async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
