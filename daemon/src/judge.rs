//! The judge: takes jobs, runs them in sandboxes, and reports.
//!
//! ```text
//! Judge::run
//! ├── cancellations: cm.ctl.cancel.<submission> ─▶ the slot that works on it
//! ├── Workshop: keeps the engine's pool up, or says what is wrong with the engine
//! └── one task a slot: wait for the engine ─▶ pull one job ─▶ run it ─▶ report ─▶ ack
//!         └── while a job runs: in-progress acks at a third of the ack wait; drain and cancellation end it;
//!             reports and ack are settled while the slot pulls the next
//! ```
//!
//! A slot holds one job at a time and asks for the next only when it is free, so that no job waits behind another
//! while a slot elsewhere is idle. The ack comes after the last report is stored; a judge that dies before that
//! leaves the job to be delivered again. What is reported by a delivery that is no longer the newest is dropped by
//! the daemon, not here: NATS takes such acks.

mod case;
mod job;
mod package;
mod report;
mod workshop;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_nats::jetstream::{self, AckKind};
use codementor_protocol::{DeliveryToken, Fault, FaultCode, Finish, Job, SubmissionId, subject};
use codementor_runners::Languages;
use futures::StreamExt;
use tokio::sync::{broadcast, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

pub(crate) use package::{PackageCache, inputs};
pub(crate) use workshop::{Plan, Workshop};

use crate::nats::streams;
use crate::queue::NATS_TIMEOUT;
use report::Reporter;

/// How long to wait before pulling is tried again.
const RETRY: Duration = Duration::from_millis(500);
/// How long running jobs may go on once the judge is to end; then they are handed back.
const DRAIN: Duration = Duration::from_secs(20);
/// How often at most NATS hears that a job is in progress.
const SHORTEST_PROGRESS: Duration = Duration::from_millis(100);
/// How many jobs of a slot may be waiting to be settled while it runs the next.
const SETTLING: usize = 3;
/// How many cancellations wait to be heard by a busy slot.
const CANCELLATIONS: usize = 256;

/// How a judge is set up.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The name of this host in reports.
    pub(crate) name: String,
    /// How many programs are judged at once.
    pub(crate) slots: u32,
}

/// How many slots there are and how many are busy.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    total: u32,
    busy: Arc<AtomicU32>,
}

impl Slots {
    pub(crate) fn new(total: u32) -> Self {
        Self { total, busy: Arc::new(AtomicU32::new(0)) }
    }

    pub(crate) fn total(&self) -> u32 {
        self.total
    }

    pub(crate) fn busy(&self) -> u32 {
        self.busy.load(Ordering::Relaxed)
    }

    fn take(&self) -> BusySlot {
        self.busy.fetch_add(1, Ordering::Relaxed);
        BusySlot(self.busy.clone())
    }
}

/// Counts down again whichever way a job ends.
struct BusySlot(Arc<AtomicU32>);

impl Drop for BusySlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What all slots of a judge share.
pub(crate) struct Judge {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    /// Changes with every new connection.
    pub(crate) reconnects: watch::Receiver<u64>,
    pub(crate) setup: Setup,
    pub(crate) slots: Slots,
    pub(crate) languages: Arc<Languages>,
    pub(crate) workshop: Workshop,
    pub(crate) packages: PackageCache,
}

/// Cancellations, as slots hear them. Those that came while the job was on its way are kept for a moment.
#[derive(Clone)]
struct Cancellations {
    live: broadcast::Sender<SubmissionId>,
    recent: Arc<Mutex<Vec<SubmissionId>>>,
}

/// Why a job did not come to its end here.
enum Interrupted {
    /// Somebody stopped the submission: nothing more is to be reported.
    Cancelled,
    /// The judge is ending: another delivery does it.
    Draining,
}

impl Judge {
    /// Judges until `stopping` is set, and returns once no job is running.
    pub(crate) async fn run(self: Arc<Self>, stopping: watch::Receiver<bool>) {
        let cancellations = Cancellations {
            live: broadcast::channel(CANCELLATIONS).0,
            recent: Arc::new(Mutex::new(Vec::new())),
        };
        let listener = tokio::spawn(listen(self.client.clone(), cancellations.clone()));
        let mut slots = JoinSet::new();
        for number in 0..self.setup.slots {
            slots.spawn(self.clone().slot(number, stopping.clone(), cancellations.clone()));
        }
        while slots.join_next().await.is_some() {}
        listener.abort();
        self.workshop.shutdown().await;
    }

    async fn slot(
        self: Arc<Self>,
        number: u32,
        mut stopping: watch::Receiver<bool>,
        cancellations: Cancellations,
    ) {
        let mut taken = JoinSet::new();
        while let Err(error) = self.pull(number, &mut stopping, &cancellations, &mut taken).await {
            tracing::debug!(slot = number, error, "pulling jobs failed and is tried again");
            tokio::time::sleep(RETRY).await;
        }
        while let Some(ended) = taken.join_next().await {
            tell_bug(number, ended);
        }
    }

    /// Takes jobs one after the other until the judge is to end.
    async fn pull(
        self: &Arc<Self>,
        number: u32,
        stopping: &mut watch::Receiver<bool>,
        cancellations: &Cancellations,
        taken: &mut JoinSet<()>,
    ) -> Result<(), String> {
        let mut reconnects = self.reconnects.clone();
        let mut consumer = streams::judge_consumer(&self.jetstream).await.map_err(text)?;
        loop {
            reconnects.mark_unchanged();
            let pulled = async {
                self.workshop.ready().await;
                streams::next_job(&consumer).await
            };
            let message = tokio::select! {
                () = told(stopping) => return Ok(()),
                // A pull that was sent on a connection that is gone would wait for its end in vain.
                Ok(()) = reconnects.changed() => None,
                message = pulled => message.map_err(text)?,
            };
            let Some(message) = message else {
                // The daemon may have been started with another patience meanwhile.
                consumer = streams::judge_consumer(&self.jetstream).await.map_err(text)?;
                continue;
            };
            let patience = streams::ack_wait(&consumer);
            let (ran, has_run) = oneshot::channel();
            // In a task of its own: a bug that panics over one job does not take the slot away for good, and the next
            // job need not wait until this one is settled.
            let (stopping, cancellations) = (stopping.clone(), cancellations.clone());
            taken.spawn(self.clone().take(number, message, patience, stopping, cancellations, ran));
            // An error means that it ended without having run.
            let _ = has_run.await;
            while let Some(ended) = taken.try_join_next() {
                tell_bug(number, ended);
            }
            if taken.len() > SETTLING
                && let Some(ended) = taken.join_next().await
            {
                tell_bug(number, ended);
            }
        }
    }

    /// Judges one delivery of one job, and settles it with NATS. After `patience` without a word NATS gives it to
    /// another: that is the daemon's to decide, and read from the consumer that it has made.
    async fn take(
        self: Arc<Self>,
        slot: u32,
        message: jetstream::Message,
        patience: Duration,
        mut stopping: watch::Receiver<bool>,
        cancellations: Cancellations,
        ran: oneshot::Sender<()>,
    ) {
        let busy = self.slots.take();
        let (job, token) = match parse(&message) {
            Ok(parsed) => parsed,
            Err(error) => {
                tracing::error!(error, "a job cannot be read and is dropped");
                return settle(&message, AckKind::Term).await;
            }
        };
        let mut cancelled = cancellations.live.subscribe();
        if cancellations.was_recent(job.submission) {
            return settle(&message, AckKind::Ack).await;
        }
        let mut progress = interval((patience / 3).max(SHORTEST_PROGRESS));
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        progress.reset();
        let reporter = Reporter::start(self.jetstream.clone(), job.submission, token);
        let result = {
            let run = job::run(&self, &job, slot, &reporter);
            tokio::pin!(run);
            let mut deadline = None;
            loop {
                tokio::select! {
                    finish = &mut run => break Ok(finish),
                    _ = progress.tick() => drop(message.ack_with(AckKind::Progress).await),
                    Ok(submission) = cancelled.recv() => if submission == job.submission {
                        break Err(Interrupted::Cancelled);
                    },
                    () = told(&mut stopping), if deadline.is_none() => {
                        deadline = Some(Instant::now() + DRAIN);
                    }
                    _ = tokio::time::sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {
                        break Err(Interrupted::Draining);
                    }
                }
            }
        };
        if let Ok(Finish::Faulted(fault)) = &result
            && matches!(fault.code, FaultCode::Engine | FaultCode::Sandbox)
        {
            // The next job must not be taken for an engine that is gone.
            self.workshop.check().await;
        }
        // The slot is free for the next job while this one is settled.
        drop(busy);
        let _ = ran.send(());
        match result {
            Ok(finish) => {
                let finished = reporter.finish(finish);
                tokio::pin!(finished);
                // Storing the last report may outlast the ack wait when NATS is away.
                let stored = loop {
                    tokio::select! {
                        stored = &mut finished => break stored,
                        _ = progress.tick() => drop(message.ack_with(AckKind::Progress).await),
                    }
                };
                match stored {
                    Ok(()) => settle(&message, AckKind::Ack).await,
                    // The job is delivered again, here or elsewhere.
                    Err(error) => {
                        tracing::warn!(submission = job.submission.0, error, "a result could not be stored")
                    }
                }
            }
            Err(Interrupted::Cancelled) => {
                tracing::info!(submission = job.submission.0, "stopped, since it was cancelled");
                reporter.abandon();
                settle(&message, AckKind::Ack).await;
            }
            Err(Interrupted::Draining) => {
                tracing::info!(submission = job.submission.0, "handed back, since the judge is ending");
                reporter.abandon();
                settle(&message, AckKind::Nak(None)).await;
            }
        }
    }
}

impl Cancellations {
    fn was_recent(&self, submission: SubmissionId) -> bool {
        self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&submission)
    }

    fn tell(&self, submission: SubmissionId) {
        let mut recent = self.recent.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if recent.len() == CANCELLATIONS {
            recent.remove(0);
        }
        recent.push(submission);
        // Without a listener no slot is busy.
        let _ = self.live.send(submission);
    }
}

/// Says so where a task of a slot panicked.
fn tell_bug(slot: u32, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(slot, %error, "a slot broke while judging");
    }
}

/// Returns once the judge is told to end.
async fn told(stopping: &mut watch::Receiver<bool>) {
    // The daemon that can tell is gone only together with this process.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Hears cancellations. Missing one costs a run whose result is dropped.
async fn listen(client: async_nats::Client, cancellations: Cancellations) {
    loop {
        if let Ok(mut messages) = client.subscribe(subject::CANCELS).await {
            while let Some(message) = messages.next().await {
                let submission = message.subject.rsplit('.').next().and_then(|id| id.parse().ok());
                submission.into_iter().for_each(|id| cancellations.tell(id));
            }
        }
        tokio::time::sleep(RETRY).await;
    }
}

fn parse(message: &jetstream::Message) -> Result<(Job, DeliveryToken), String> {
    let job: Job = serde_json::from_slice(&message.payload).map_err(text)?;
    let redelivery = u32::try_from(message.info().map_err(text)?.delivered).map_err(text)?;
    let token = DeliveryToken { generation: job.generation, redelivery };
    Ok((job, token))
}

/// Tells NATS what became of a delivery. Where that fails the job is delivered again, and its reports are dropped.
async fn settle(message: &jetstream::Message, kind: AckKind) {
    match timeout(NATS_TIMEOUT, message.double_ack_with(kind)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a job could not be settled with NATS"),
        Err(_) => tracing::warn!("NATS did not confirm in time that a job is settled"),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A job that asks for a language or a purpose that this build does not know.
fn unknown(what: &str) -> Fault {
    Fault::new(FaultCode::Internal, format!("this judge does not know {what}"))
}
