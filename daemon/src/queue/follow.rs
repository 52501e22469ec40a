//! Following the judging of a submission from inside the daemon, without asking the database again and again.
//!
//! A follower registers first and reads the database afterwards, so that it misses nothing; what it hears twice, it
//! knows by its number.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codementor_protocol::{Compiled, EventKind, JobEvent, SubmissionId, Verdict, Visibility};
use tokio::sync::watch;

use super::Core;
use crate::store::StoreResult;
use crate::submissions;

/// How far the judging of a submission is, in its newest delivery.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judging {
    /// What the compiler said.
    pub(crate) compiled: Option<Compiled>,
    /// The place of the first sample that was not accepted.
    pub(crate) failed_sample: Option<u32>,
    /// How judging ended, once it has.
    pub(crate) outcome: Option<JudgingOutcome>,
    /// Whether the stream of events has ended too.
    pub(crate) ended: bool,
}

/// How judging ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JudgingOutcome {
    /// With a verdict.
    Judged(Verdict),
    /// With a fault of ours.
    Faulted,
    /// Somebody stopped it.
    Cancelled,
}

impl Judging {
    fn add(&mut self, event: &EventKind) {
        match event {
            EventKind::Started(_) | EventKind::Restarted(_) | EventKind::Rejudged(_) => {
                self.compiled = None;
                self.failed_sample = None;
            }
            EventKind::Compiled(compiled) => self.compiled = Some(compiled.clone()),
            EventKind::Test(test)
                if test.visibility == Visibility::Sample && test.verdict != Verdict::Accepted =>
            {
                self.failed_sample.get_or_insert(test.index);
            }
            EventKind::Result(result) => self.outcome = Some(JudgingOutcome::Judged(result.verdict)),
            EventKind::Error(_) => self.outcome = Some(JudgingOutcome::Faulted),
            EventKind::Cancelled => self.outcome = Some(JudgingOutcome::Cancelled),
            EventKind::End(_) => self.ended = true,
            _ => {}
        }
    }
}

/// What followers of one submission share.
#[derive(Debug, Default)]
struct Followed {
    /// The last event that was read from the database; what comes again is not new.
    read: u64,
    /// What was told before the database was read.
    early: Option<Vec<(u64, EventKind)>>,
    judging: Judging,
}

/// Who follows what.
#[derive(Debug, Default)]
pub(super) struct Followers(Mutex<HashMap<SubmissionId, watch::Sender<Followed>>>);

impl Followers {
    fn lock(&self) -> MutexGuard<'_, HashMap<SubmissionId, watch::Sender<Followed>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells whoever follows the submission of this event.
    pub(super) fn tell(&self, event: &JobEvent) {
        let followers = self.lock();
        let Some(sender) = followers.get(&event.submission) else { return };
        sender.send_modify(|followed| match &mut followed.early {
            // Reading takes moments, so that this stays short.
            Some(early) => early.push((event.seq, event.kind.clone())),
            None if event.seq > followed.read => followed.judging.add(&event.kind),
            None => {}
        });
    }

    fn subscribe(&self, id: SubmissionId) -> watch::Receiver<Followed> {
        let new = || watch::Sender::new(Followed { early: Some(Vec::new()), ..Followed::default() });
        self.lock().entry(id).or_insert_with(new).subscribe()
    }

    /// Starts from what the database knows.
    fn begin(&self, id: SubmissionId, events: &[JobEvent]) {
        let followers = self.lock();
        let Some(sender) = followers.get(&id) else { return };
        sender.send_modify(|followed| {
            // Another follower may have begun already, and has heard of everything since.
            let Some(early) = followed.early.take() else { return };
            followed.read = events.last().map_or(0, |event| event.seq);
            events.iter().for_each(|event| followed.judging.add(&event.kind));
            for (_, kind) in early.iter().filter(|(seq, _)| *seq > followed.read) {
                followed.judging.add(kind);
            }
        });
    }

    fn leave(&self, id: SubmissionId) {
        let mut followers = self.lock();
        // Whoever leaves still holds a receiver of its own.
        if followers.get(&id).is_some_and(|sender| sender.receiver_count() <= 1) {
            followers.remove(&id);
        }
    }
}

/// Follows one submission until it is dropped.
pub(crate) struct Following {
    id: SubmissionId,
    followers: Arc<Followers>,
    receiver: watch::Receiver<Followed>,
}

impl Following {
    /// How far it is.
    pub(crate) fn now(&self) -> Judging {
        self.receiver.borrow().judging.clone()
    }

    /// Waits until judging has ended, and says how.
    pub(crate) async fn judged(&mut self) -> (JudgingOutcome, Judging) {
        loop {
            let now = self.receiver.borrow_and_update().judging.clone();
            if let Some(outcome) = now.outcome {
                return (outcome, now);
            }
            self.changed().await;
        }
    }

    /// Waits until nothing follows.
    pub(crate) async fn ended(&mut self) -> Judging {
        loop {
            let now = self.receiver.borrow_and_update().judging.clone();
            if now.ended {
                return now;
            }
            self.changed().await;
        }
    }

    async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender is kept for as long as anybody follows.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.followers.leave(self.id);
    }
}

impl Core {
    /// Follows the judging of a submission.
    pub(crate) async fn follow(&self, id: SubmissionId) -> StoreResult<Following> {
        let following =
            Following { id, followers: self.followers.clone(), receiver: self.followers.subscribe(id) };
        let events = self.store.read(move |db| submissions::events(db, id, 1, usize::MAX)).await?.events;
        self.followers.begin(id, &events);
        Ok(following)
    }
}

#[cfg(test)]
mod tests {
    use codementor_protocol::{Ended, Restarted, SCHEMA_VERSION, Started, Timestamp, Verdicted};

    use super::*;

    const ID: SubmissionId = SubmissionId(1);

    fn event(seq: u64, kind: EventKind) -> JobEvent {
        JobEvent { v: SCHEMA_VERSION, seq, submission: ID, delivery: 1, at: Timestamp(0), kind }
    }

    fn compiled() -> EventKind {
        EventKind::Compiled(Compiled { ok: true, time_ms: 1, diagnostics: vec![], output: String::new() })
    }

    fn result() -> EventKind {
        EventKind::Result(Verdicted {
            verdict: Verdict::WrongAnswer,
            score: "0".into(),
            max_score: "100".into(),
            passed: Some(0),
            total: 1,
        })
    }

    fn follow(followers: &Arc<Followers>) -> Following {
        Following { id: ID, followers: followers.clone(), receiver: followers.subscribe(ID) }
    }

    #[tokio::test]
    async fn what_comes_before_and_after_the_reading_is_heard_of_once() {
        let followers = Arc::new(Followers::default());
        let mut following = follow(&followers);
        followers.tell(&event(4, result()));
        followers.begin(ID, &[event(1, EventKind::Started(Started { total: 1 })), event(2, compiled())]);
        assert!(following.now().compiled.is_some());
        assert_eq!(following.judged().await.0, JudgingOutcome::Judged(Verdict::WrongAnswer));
        followers.tell(&event(5, EventKind::End(Ended::default())));
        assert!(following.ended().await.ended);
    }

    #[tokio::test]
    async fn what_an_earlier_delivery_found_is_forgotten() {
        let followers = Arc::new(Followers::default());
        let following = follow(&followers);
        followers.begin(ID, &[]);
        followers.tell(&event(3, compiled()));
        followers.tell(&event(4, EventKind::Restarted(Restarted { reason: String::new() })));
        assert!(following.now().compiled.is_none());
    }

    #[test]
    fn nothing_is_kept_of_what_nobody_follows() {
        let followers = Arc::new(Followers::default());
        let (one, other) = (follow(&followers), follow(&followers));
        drop(one);
        assert_eq!(followers.lock().len(), 1);
        drop(other);
        assert!(followers.lock().is_empty());
    }
}
