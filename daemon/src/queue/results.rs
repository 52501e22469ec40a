//! Reads what judges report, projects it into the database, and passes the events on.
//!
//! The place in the stream is kept in the same transaction as the projection, so that every report counts exactly
//! once over any number of restarts. The consumer is made anew from that place after each reconnection.

use std::time::Duration;

use codementor_protocol::{Fault, FaultCode, Reports, subject};
use futures::{FutureExt, StreamExt};
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{Core, NATS_TIMEOUT, now};
use crate::nats::streams;
use crate::store::{StoreError, StoreResult};
use crate::submissions::{self, Changes};

/// How many messages share one transaction.
const BATCH: usize = 64;
/// After how many messages the stream is cleared of what has been projected.
const PURGE_EVERY: u64 = 512;
/// How long to wait before reading is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Reads until the daemon ends. `reconnects` changes with every new connection; `caught_up` is set once everything
/// that judges had reported before the start has been projected.
pub(crate) async fn run(core: Core, mut reconnects: watch::Receiver<u64>, caught_up: watch::Sender<bool>) {
    loop {
        if let Err(error) = read(&core, &mut reconnects, &caught_up).await {
            tracing::warn!(%error, "reading the judges' reports failed and is tried again");
        }
        tokio::time::sleep(RETRY).await;
    }
}

/// Why reading stopped.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("NATS: {0}")]
    Nats(String),
    #[error("NATS did not answer in time")]
    Timeout(#[from] tokio::time::error::Elapsed),
}

fn nats(error: impl std::fmt::Display) -> ReadError {
    ReadError::Nats(error.to_string())
}

async fn read(
    core: &Core,
    reconnects: &mut watch::Receiver<u64>,
    caught_up: &watch::Sender<bool>,
) -> Result<(), ReadError> {
    reconnects.mark_unchanged();
    let mut stream =
        timeout(NATS_TIMEOUT, core.jetstream.get_stream(subject::RESULTS_STREAM)).await?.map_err(nats)?;
    let info = timeout(NATS_TIMEOUT, stream.info()).await?.map_err(nats)?.clone();
    let incarnation = streams::life(&info).unwrap_or_default().to_owned();
    let before_first = info.state.first_sequence.saturating_sub(1);
    let mut position = {
        let incarnation = incarnation.clone();
        // What is gone from the stream is in the database, and never comes again.
        core.store.read(move |db| position(db, &incarnation)).await?.max(before_first)
    };
    let last = info.state.last_sequence;
    if position >= last || info.state.messages == 0 {
        caught_up.send_replace(true);
    }
    let mut messages = streams::results_after(&core.jetstream, position).await.map_err(nats)?;
    let mut heard = 0;
    let mut purged = before_first;
    loop {
        let first = tokio::select! {
            message = messages.next() => message,
            _ = reconnects.changed() => return Ok(()),
        };
        let Some(first) = first else { return Ok(()) };
        let mut batch = vec![first.map_err(nats)?];
        while batch.len() < BATCH {
            match messages.next().now_or_never() {
                Some(Some(message)) => batch.push(message.map_err(nats)?),
                _ => break,
            }
        }
        let mut parsed = Vec::new();
        for message in &batch {
            let info = message.info().map_err(nats)?;
            heard += 1;
            if info.consumer_sequence != heard {
                // Something was lost on the way. What was read of this batch is read again.
                return Ok(());
            }
            position = info.stream_sequence;
            match serde_json::from_slice::<Reports>(&message.payload) {
                Ok(reports) => parsed.push(reports),
                Err(error) => {
                    tracing::error!(%error, position, "a judge's report cannot be read and is dropped")
                }
            }
        }
        let changes = {
            let incarnation = incarnation.clone();
            core.store.write(move |db| project_all(db, &parsed, &incarnation, position)).await?
        };
        core.announce(changes).await;
        if position >= last {
            caught_up.send_replace(true);
        }
        if position >= purged + PURGE_EVERY {
            streams::purge_results(&core.jetstream, position).await.map_err(nats)?;
            purged = position;
        }
    }
}

fn project_all(
    db: &Connection,
    messages: &[Reports],
    incarnation: &str,
    position: u64,
) -> StoreResult<Changes> {
    let mut changes = Changes::default();
    for message in messages {
        db.execute_batch("SAVEPOINT message")?;
        let mut own = Changes::default();
        match submissions::project(db, message, &mut own) {
            Ok(_) => db.execute_batch("RELEASE message")?,
            // A judge that reports what cannot be must not stop all others: the submission ends in a fault of ours.
            Err(StoreError::Illegal(illegal)) => {
                db.execute_batch("ROLLBACK TO message; RELEASE message")?;
                tracing::error!(submission = message.submission.0, token = %message.token, %illegal, "an impossible report");
                let fault = Fault::new(FaultCode::Internal, illegal);
                own = submissions::fault(db, message.submission, &fault, now())?;
            }
            Err(error) => return Err(error),
        }
        changes.append(own);
    }
    db.prepare_cached(
        "INSERT OR REPLACE INTO positions (stream, incarnation, sequence) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![subject::RESULTS_STREAM, incarnation, position])?;
    Ok(changes)
}

/// How far the stream has been read; nothing of a stream that was made anew.
fn position(db: &Connection, incarnation: &str) -> StoreResult<u64> {
    let known: Option<u64> = db
        .prepare_cached("SELECT sequence FROM positions WHERE stream = ?1 AND incarnation = ?2")?
        .query_row(params![subject::RESULTS_STREAM, incarnation], |row| row.get(0))
        .optional()?;
    Ok(known.unwrap_or(0))
}
