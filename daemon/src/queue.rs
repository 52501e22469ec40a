//! The queue: from the outbox to the judges, and from their reports back into the database.
//!
//! ```text
//! gateway ──Changes──▶ Core::announce ──events──▶ cm.ev.<user>.<submission>   (after the commit, never before)
//!                           └─JobChange─▶ outbox task ──publish──▶ CM_JOBS ──▶ judges
//! judges ──▶ CM_RESULTS ──▶ results task ──project──▶ SQLite ──Changes──▶ Core::announce
//! ```
//!
//! SQLite is the truth. What is in NATS can be lost or come twice: the outbox publishes again what is gone, and
//! the results task keeps its place in the stream in the same transaction as what it has projected.

mod follow;
mod outbox;
mod results;
mod schedule;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use codementor_protocol::{EventKind, Lane, SubmissionId, Timestamp, subject};
use tokio::sync::{Notify, mpsc};

pub(crate) use follow::{Following, Judging, JudgingOutcome};
pub(crate) use outbox::{Outbox, run as run_outbox};
pub(crate) use results::run as run_results;

use crate::daemon::daemon_user;
use crate::monitor::Metrics;
use crate::store::Store;
use crate::submissions::{Changes, JobChange};

/// How many job changes wait for the outbox task before their senders do.
const CHANGES: usize = 4096;
/// How long any one exchange with NATS may take.
pub(crate) const NATS_TIMEOUT: Duration = Duration::from_secs(10);

/// What the parts of the daemon share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Core {
    /// The database.
    pub(crate) store: Store,
    /// The connection with the daemon's rights.
    pub(crate) client: async_nats::Client,
    /// JetStream on that connection.
    pub(crate) jetstream: async_nats::jetstream::Context,
    /// What is counted for those who watch over the server.
    pub(crate) metrics: Arc<Metrics>,
    jobs: mpsc::Sender<JobChange>,
    followers: Arc<follow::Followers>,
    pub(crate) gauges: Arc<Gauges>,
    /// Told whenever one of the daemon's own submissions has ended, or more of them are wanted.
    pub(crate) own_ended: Arc<Notify>,
}

/// What `status` shows of the queue.
#[derive(Debug, Default)]
pub(crate) struct Gauges {
    lanes: [AtomicU64; 3],
    running: AtomicU64,
    unstarted: AtomicU64,
    /// Programs that feedback is being given on.
    feedback: AtomicU64,
    last_work: AtomicU64,
}

impl Core {
    pub(crate) fn new(
        store: Store,
        client: async_nats::Client,
        jetstream: async_nats::jetstream::Context,
        metrics: Arc<Metrics>,
    ) -> (Self, mpsc::Receiver<JobChange>) {
        let (jobs, changes) = mpsc::channel(CHANGES);
        let gauges = Arc::new(Gauges::default());
        gauges.touch();
        (
            Self {
                store,
                client,
                jetstream,
                metrics,
                jobs,
                followers: Arc::default(),
                gauges,
                own_ended: Arc::default(),
            },
            changes,
        )
    }

    /// Passes on what a committed transaction brought about.
    pub(crate) async fn announce(&self, changes: Changes) {
        self.gauges.touch();
        for change in changes.jobs {
            // The outbox task ends only with the daemon; what it misses stands in the database.
            let _ = self.jobs.send(change).await;
        }
        let own = daemon_user();
        for (user, event) in changes.events {
            self.followers.tell(&event);
            // What the daemon runs for itself is nobody else's business.
            if user == own {
                if matches!(event.kind, EventKind::End(_)) {
                    self.own_ended.notify_one();
                }
                continue;
            }
            self.metrics.saw(&event);
            let body = match serde_json::to_vec(&event) {
                Ok(body) => bytes::Bytes::from(body),
                Err(error) => {
                    tracing::error!(%error, "an event cannot be written as JSON");
                    continue;
                }
            };
            let via = changes.via.iter().find(|(id, _)| *id == event.submission).map(|(_, via)| via);
            for listener in std::iter::once(&user).chain(via) {
                // A listener that misses an event asks for it by its number.
                let _ = self.client.publish(subject::events(listener, event.submission), body.clone()).await;
            }
        }
    }

    /// Stops a judge that works on what nobody wants any more. One that does not hear of it finishes in vain.
    pub(crate) async fn withdraw(&self, id: SubmissionId) {
        let _ = self.client.publish(subject::cancel(id), bytes::Bytes::new()).await;
    }
}

impl Gauges {
    /// Something was asked or done: the daemon is not idle.
    pub(crate) fn touch(&self) {
        self.last_work.store(now().0.unsigned_abs(), Ordering::Relaxed);
    }

    /// How long nothing has been asked or done, while nothing waits or runs.
    pub(crate) fn idle_for(&self) -> Duration {
        let busy =
            self.running() + self.unstarted.load(Ordering::Relaxed) + self.feedback.load(Ordering::Relaxed);
        if busy > 0 || self.depths().iter().any(|(_, depth)| *depth > 0) {
            return Duration::ZERO;
        }
        Duration::from_millis(now().0.unsigned_abs().saturating_sub(self.last_work.load(Ordering::Relaxed)))
    }

    /// Feedback is being given for as long as the guard lives.
    pub(crate) fn giving_feedback(self: &Arc<Self>) -> GivingFeedback {
        self.feedback.fetch_add(1, Ordering::Relaxed);
        GivingFeedback(self.clone())
    }

    /// How many submissions are with a judge.
    pub(crate) fn running(&self) -> u64 {
        self.running.load(Ordering::Relaxed)
    }

    /// How many submissions wait, by lane. Those that lie in the stream unstarted count as interactive.
    pub(crate) fn depths(&self) -> [(Lane, u64); 3] {
        let mut depths = Lane::ALL.map(|lane| (lane, self.lanes[lane as usize].load(Ordering::Relaxed)));
        depths[0].1 += self.unstarted.load(Ordering::Relaxed);
        depths
    }

    fn set(&self, schedule: &schedule::Schedule) {
        for (lane, depth) in schedule.depths() {
            self.lanes[lane as usize].store(depth, Ordering::Relaxed);
        }
        self.running.store(schedule.running(), Ordering::Relaxed);
        self.unstarted.store(schedule.unstarted(), Ordering::Relaxed);
    }
}

/// Counts for as long as it lives.
pub(crate) struct GivingFeedback(Arc<Gauges>);

impl Drop for GivingFeedback {
    fn drop(&mut self) {
        self.0.feedback.fetch_sub(1, Ordering::Relaxed);
        self.0.touch();
    }
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
