//! The events of one submission, each once and in order, whatever the network does.
//!
//! Live events come by core NATS, which may drop them; what is missing shows as a gap in `seq`, or as silence, and is
//! read from the daemon, which keeps them all.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::Subscriber;
use codementor_protocol::{Events, JobEvent, SubmissionId};
use futures::StreamExt;

use crate::client::ClientError;
use crate::error::CliError;
use crate::session::Session;

/// After this long without an event the daemon is asked: the last event may be the one that was dropped.
const SILENCE: Duration = Duration::from_secs(3);
/// The longest that silence grows to while nothing happens.
const LONGEST_SILENCE: Duration = Duration::from_secs(20);
/// How long a broken connection is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A subscription made before the submission whose events it brings, so that none can be missed.
pub struct Ear {
    subscriber: Subscriber,
    generation: u64,
}

impl Ear {
    /// Begins to listen.
    pub async fn open(session: &Session<'_>) -> Result<Self, CliError> {
        let subscriber = session.client().hear_events().await?;
        Ok(Self { subscriber, generation: session.generation() })
    }
}

/// The events of one submission.
pub struct Stream {
    submission: SubmissionId,
    ear: Ear,
    order: Order,
    ready: VecDeque<JobEvent>,
    silence: Duration,
}

/// What puts events in order: pure, so that it is tested without a server.
#[derive(Debug)]
struct Order {
    next: u64,
}

/// What to do with an event.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// It is the next one.
    Next,
    /// It was there before.
    Old,
    /// Others are missing before it.
    Gap,
}

impl Order {
    fn place(&mut self, seq: u64) -> Place {
        match seq.cmp(&self.next) {
            std::cmp::Ordering::Less => Place::Old,
            std::cmp::Ordering::Equal => {
                self.next += 1;
                Place::Next
            }
            std::cmp::Ordering::Greater => Place::Gap,
        }
    }
}

/// What can happen while an event is awaited.
enum Happening {
    Message(async_nats::Message),
    Deaf,
    Silence,
}

impl Stream {
    /// The events of a submission that has just been made, beginning with those that its reply brought.
    pub fn new(submission: SubmissionId, ear: Ear, first: Vec<JobEvent>) -> Self {
        let mut stream = Self::from(submission, ear, 1);
        stream.offer(first);
        stream
    }

    /// The events of a submission from number `from` on.
    pub fn from(submission: SubmissionId, ear: Ear, from: u64) -> Self {
        let order = Order { next: from.max(1) };
        Self { submission, ear, order, ready: VecDeque::new(), silence: SILENCE }
    }

    /// Reads from the daemon what has happened and was not seen yet.
    pub async fn catch_up(&mut self, session: &mut Session<'_>) -> Result<(), CliError> {
        loop {
            let request = Events { submission: self.submission, from: self.order.next };
            let page = session.request(&request).await?;
            let empty = page.events.is_empty();
            self.offer(page.events);
            // A page that claims more and brings nothing would be asked for forever.
            if !page.more || empty {
                return Ok(());
            }
        }
    }

    /// Events that are there already, without waiting.
    pub fn take_ready(&mut self) -> Option<JobEvent> {
        self.ready.pop_front()
    }

    /// The next event. Not to be dropped halfway and called again: what it waits for would begin anew.
    pub async fn next(&mut self, session: &mut Session<'_>) -> Result<JobEvent, CliError> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.silence = SILENCE;
                return Ok(event);
            }
            if self.ear.generation != session.generation() {
                self.ear = Ear::open(session).await?;
                self.catch_up(session).await?;
                continue;
            }
            let happening = tokio::select! {
                message = self.ear.subscriber.next() => message.map_or(Happening::Deaf, Happening::Message),
                () = session.client().lost() => Happening::Deaf,
                () = tokio::time::sleep(self.silence) => Happening::Silence,
            };
            match happening {
                Happening::Message(message) => self.hear(&message.payload, session).await?,
                Happening::Silence => {
                    self.silence = (self.silence * 2).min(LONGEST_SILENCE);
                    self.catch_up(session).await?;
                }
                Happening::Deaf => {
                    session.recover(ClientError::Lost, Instant::now() + PATIENCE).await?;
                    if self.ear.generation == session.generation() {
                        self.catch_up(session).await?;
                    }
                }
            }
        }
    }

    async fn hear(&mut self, payload: &[u8], session: &mut Session<'_>) -> Result<(), CliError> {
        // An event that cannot be read shows as a gap and is read again; if it is still unreadable then, that is an
        // error of the reply.
        let Ok(event) = serde_json::from_slice::<JobEvent>(payload) else { return Ok(()) };
        if event.submission != self.submission {
            return Ok(());
        }
        match self.order.place(event.seq) {
            Place::Next => self.ready.push_back(event),
            Place::Old => {}
            Place::Gap => self.catch_up(session).await?,
        }
        Ok(())
    }

    fn offer(&mut self, events: Vec<JobEvent>) {
        for event in events {
            if event.submission == self.submission && self.order.place(event.seq) == Place::Next {
                self.ready.push_back(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Live events in any order, with any of them dropped or doubled; a gap is filled from the daemon, which by
        /// then knows at least the event that showed it; at last silence asks for the rest.
        #[test]
        fn each_event_is_delivered_once_and_in_order(
            total in 1u64..30,
            from in 1u64..30,
            heard in proptest::collection::vec(1u64..30, 0..80),
        ) {
            fn read(order: &mut Order, delivered: &mut Vec<u64>, known: u64) {
                delivered.extend((order.next..=known).filter(|_| order.place(order.next) == Place::Next));
            }
            let mut order = Order { next: from };
            let mut delivered = Vec::new();
            for seq in heard.into_iter().filter(|seq| *seq <= total) {
                match order.place(seq) {
                    Place::Next => delivered.push(seq),
                    Place::Old => {}
                    Place::Gap => read(&mut order, &mut delivered, seq),
                }
            }
            read(&mut order, &mut delivered, total);
            prop_assert_eq!(delivered, (from..=total).collect::<Vec<_>>());
        }
    }
}
