//! Publishes jobs, a few at a time and fairly, and looks after those that are lost on the way.

use std::collections::HashSet;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::{ErrorCode, stream};
use codementor_protocol::{Fault, FaultCode, Lane, SubmissionId, Timestamp, subject};
use futures::StreamExt;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::schedule::Schedule;
use super::{Core, NATS_TIMEOUT, now};
use crate::store::StoreError;
use crate::submissions::{self, JobChange};

/// A published job that NATS forgets within this time after publication is told from a new one by its message id.
const DEDUPLICATION: Duration = Duration::from_secs(90);
/// How long reading what judges had reported may take before it is worth a word.
const UNUSUAL: Duration = Duration::from_secs(10);
/// Where NATS tells that a message was delivered as often as is allowed.
const GIVEN_UP: &str = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.CM_JOBS.judge";

/// How the outbox is set up.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    /// How many published jobs may be unstarted at a time.
    pub(crate) window: usize,
    /// When NATS gives a silent judge's job to another.
    pub(crate) ack_wait: Duration,
}

/// What the outbox task waits for.
enum Event {
    Job(JobChange),
    GivenUp(u64),
    Sweep,
}

#[derive(Debug, thiserror::Error)]
enum OutboxError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("NATS: {0}")]
    Nats(String),
    #[error("NATS did not answer in time")]
    Timeout(#[from] tokio::time::error::Elapsed),
}

fn nats(error: impl std::fmt::Display) -> OutboxError {
    OutboxError::Nats(error.to_string())
}

#[derive(Deserialize)]
struct Advisory {
    stream_seq: u64,
}

struct Task {
    core: Core,
    setup: Outbox,
    schedule: Schedule,
    /// Published jobs that the last sweep did not find in the stream. What two sweeps miss is published again: one
    /// alone may have looked between a judge's ack and the projection of its last report.
    missing: HashSet<SubmissionId>,
    /// Jobs whose publication failed and is tried again with the next sweep.
    unsent: Vec<SubmissionId>,
}

/// Publishes until the daemon ends.
pub(crate) async fn run(
    core: Core,
    setup: Outbox,
    mut changes: mpsc::Receiver<JobChange>,
    mut caught_up: watch::Receiver<bool>,
) {
    // Until the old reports are in the database, a job that has ended would look like one that was lost. What changes
    // meanwhile is read from the database afterwards.
    let mut waiting = interval(UNUSUAL);
    waiting.reset();
    loop {
        tokio::select! {
            _ = caught_up.wait_for(|done| *done) => break,
            change = changes.recv() => if change.is_none() { return },
            _ = waiting.tick() => tracing::warn!("nothing is published yet: the judges' old reports are still being read"),
        }
    }
    let mut task = Task {
        schedule: Schedule::new(setup.window),
        core,
        setup,
        missing: HashSet::new(),
        unsent: Vec::new(),
    };
    task.start().await;
    let mut sweep = interval((task.setup.ack_wait / 2).max(Duration::from_millis(500)));
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut given_up = None;
    loop {
        if given_up.is_none() {
            given_up = task.core.client.subscribe(GIVEN_UP).await.ok();
        }
        let event = tokio::select! {
            change = changes.recv() => match change {
                Some(change) => Event::Job(change),
                None => return,
            },
            Some(message) = async { given_up.as_mut()?.next().await } => {
                match serde_json::from_slice::<Advisory>(&message.payload) {
                    Ok(advisory) => Event::GivenUp(advisory.stream_seq),
                    Err(_) => continue,
                }
            }
            _ = sweep.tick() => Event::Sweep,
        };
        if let Err(error) = task.handle(event).await {
            tracing::warn!(%error, "the outbox could not do its work and tries again");
        }
        // Whatever else has changed meanwhile is known before the next job is chosen.
        while let Ok(change) = changes.try_recv() {
            task.change(change);
        }
        task.publish_all().await;
        task.core.gauges.set(&task.schedule);
    }
}

impl Task {
    /// Takes over what the former life of the daemon has left.
    async fn start(&mut self) {
        let before = Timestamp(now().0 - DEDUPLICATION.as_millis() as i64);
        let left = self
            .core
            .store
            .write(move |db| {
                submissions::renew_unpublished(db, before)?;
                Ok((submissions::waiting(db)?, submissions::published(db)?))
            })
            .await;
        match left {
            Ok((waiting, published)) => {
                tracing::info!(waiting = waiting.len(), published = published.len(), "the outbox takes over");
                waiting.into_iter().for_each(|job| self.schedule.wanted(job));
                published.iter().for_each(|job| self.schedule.published(job.submission, job.running));
            }
            Err(error) => tracing::error!(%error, "the outbox cannot be read"),
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), OutboxError> {
        match event {
            Event::Job(change) => {
                self.change(change);
                Ok(())
            }
            Event::GivenUp(sequence) => self.give_up(sequence).await,
            Event::Sweep => {
                for submission in std::mem::take(&mut self.unsent) {
                    self.want_again(submission).await?;
                }
                self.sweep().await
            }
        }
    }

    fn change(&mut self, change: JobChange) {
        match change {
            JobChange::Wanted(job) => self.schedule.wanted(job),
            JobChange::Started(submission) => self.schedule.started(submission),
            JobChange::Gone(submission) => self.schedule.gone(submission),
            JobChange::Withdrawn(sequence) => {
                let core = self.core.clone();
                // Nobody waits for this, and what it misses is fenced off by its token.
                tokio::spawn(async move { delete(&core, sequence).await });
            }
        }
    }

    async fn publish_all(&mut self) {
        while let Some(submission) = self.schedule.next() {
            if let Err(error) = self.publish(submission).await {
                tracing::warn!(submission = submission.0, %error, "a job could not be published and is tried again");
                self.schedule.gone(submission);
                self.unsent.push(submission);
                return;
            }
        }
    }

    async fn publish(&mut self, submission: SubmissionId) -> Result<(), OutboxError> {
        let job = self.core.store.read(move |db| submissions::job(db, submission)).await?;
        let lane = self.core.store.read(move |db| lane(db, submission)).await?;
        let (Some(job), Some(lane)) = (job, lane) else {
            self.schedule.gone(submission);
            return Ok(());
        };
        let body = serde_json::to_vec(&job).map_err(nats)?;
        let mut headers = HeaderMap::new();
        headers.insert(async_nats::header::NATS_MESSAGE_ID, format!("{submission}.{}", job.generation));
        let subject = subject::job(lane, &job.language);
        let publish = self.core.jetstream.publish_with_headers(subject, headers, body.into());
        let ack = timeout(NATS_TIMEOUT, async { publish.await.map_err(nats)?.await.map_err(nats) }).await??;
        self.core.store.write(move |db| submissions::set_published(db, &job, ack.sequence, now())).await?;
        Ok(())
    }

    async fn want_again(&mut self, submission: SubmissionId) -> Result<(), OutboxError> {
        let waiting = self.core.store.read(submissions::waiting).await?;
        waiting
            .into_iter()
            .filter(|job| job.submission == submission)
            .for_each(|job| self.schedule.wanted(job));
        Ok(())
    }

    /// A message that was delivered as often as is allowed stays in the stream for ever: it ends as a fault.
    async fn give_up(&mut self, sequence: u64) -> Result<(), OutboxError> {
        let max = "every judge that took it stopped answering";
        let changes = self
            .core
            .store
            .write(move |db| match submissions::at_sequence(db, sequence)? {
                Some(submission) => {
                    let mut fault = Fault::new(FaultCode::Lost, max);
                    fault.message.push_str(", as often as is allowed");
                    submissions::give_up(db, submission, &fault, now())
                }
                None => Ok(submissions::Changes::default()),
            })
            .await?;
        let jobs: Vec<_> = changes.jobs.clone();
        self.core.announce(submissions::Changes { jobs: Vec::new(), ..changes }).await;
        jobs.into_iter().for_each(|change| self.change(change));
        delete(&self.core, sequence).await;
        Ok(())
    }

    /// Publishes again what has got lost, and ends what nobody will ever be given.
    async fn sweep(&mut self) -> Result<(), OutboxError> {
        let quiet = Timestamp(now().0 - 2 * self.setup.ack_wait.as_millis() as i64);
        let mut old = self.core.store.read(submissions::published).await?;
        old.retain(|job| job.since < quiet);
        if old.is_empty() {
            self.missing.clear();
            return Ok(());
        }
        let jobs = timeout(NATS_TIMEOUT, self.core.jetstream.get_stream(subject::JOBS_STREAM))
            .await?
            .map_err(nats)?;
        let mut missing = HashSet::new();
        let mut stranded = Vec::new();
        let idle = self.consumer_is_idle(&jobs).await?;
        for job in old {
            match timeout(NATS_TIMEOUT, jobs.get_raw_message(job.sequence)).await? {
                Ok(_) if idle => stranded.push(job.sequence),
                Ok(_) => {}
                Err(error) if is_not_found(&error) => drop(missing.insert(job.submission)),
                Err(error) => return Err(nats(error)),
            }
        }
        let lost: Vec<_> = missing.intersection(&self.missing).copied().collect();
        self.missing = missing;
        for submission in lost {
            tracing::warn!(
                submission = submission.0,
                "a job is no longer in the stream and is published again"
            );
            let job = self.core.store.write(move |db| submissions::republish(db, submission, now())).await?;
            job.into_iter().for_each(|job| self.schedule.wanted(job));
        }
        for sequence in stranded {
            tracing::warn!(sequence, "a job lies in the stream and will not be delivered again");
            self.give_up(sequence).await?;
        }
        Ok(())
    }

    /// Whether the judges' consumer has nothing to deliver and nothing in flight. A message that is there all the
    /// same was delivered as often as is allowed, and the advisory about it was missed.
    async fn consumer_is_idle(&self, jobs: &stream::Stream) -> Result<bool, OutboxError> {
        let info = timeout(NATS_TIMEOUT, jobs.consumer_info(subject::JUDGE_CONSUMER)).await?.map_err(nats)?;
        Ok(info.num_pending == 0 && info.num_ack_pending == 0)
    }
}

fn is_not_found(error: &stream::RawMessageError) -> bool {
    match error.kind() {
        stream::RawMessageErrorKind::NoMessageFound => true,
        stream::RawMessageErrorKind::JetStream(error) => error.error_code() == ErrorCode::NO_MESSAGE_FOUND,
        _ => false,
    }
}

async fn delete(core: &Core, sequence: u64) {
    let jobs = timeout(NATS_TIMEOUT, core.jetstream.get_stream_no_info(subject::JOBS_STREAM)).await;
    if let Ok(Ok(jobs)) = jobs {
        // It is usually gone already, which is an error that says nothing.
        let _ = timeout(NATS_TIMEOUT, jobs.delete_message(sequence)).await;
    }
}

fn lane(db: &rusqlite::Connection, submission: SubmissionId) -> Result<Option<Lane>, StoreError> {
    use rusqlite::OptionalExtension;
    let lane: Option<i64> = db
        .prepare_cached("SELECT lane FROM outbox WHERE submission = ?1")?
        .query_row([submission.0], |row| row.get(0))
        .optional()?;
    Ok(lane.map(submissions::lane_of))
}
