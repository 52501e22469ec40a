//! Single flight: of many that ask the same at once, one asks the model, and the others are told what it was told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::ledger::{Key, Told};

type Flight = Arc<tokio::sync::Mutex<Option<Told>>>;

/// The questions that are being asked.
#[derive(Debug, Clone, Default)]
pub(super) struct Flights(Arc<Mutex<HashMap<Key, Flight>>>);

/// The right to ask a question. Others who ask the same wait until it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    flights: Flights,
    key: Key,
    /// What was told to the one before, if this one waited for it.
    flight: Option<OwnedMutexGuard<Option<Told>>>,
}

impl Flights {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Flight>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the turn to ask.
    pub(super) async fn turn(&self, key: Key) -> Turn {
        let flight = self.lock().entry(key).or_default().clone();
        // Made before waiting, so that a caller that stops waiting tidies up too.
        let mut turn = Turn { flights: self.clone(), key, flight: None };
        turn.flight = Some(flight.lock_owned().await);
        turn
    }
}

impl Turn {
    /// What the one before was told, for whom this one has waited.
    pub(super) fn told(&self) -> Option<Told> {
        self.flight.as_ref().and_then(|told| (**told).clone())
    }

    /// Passes on what was told, to those who wait.
    pub(super) fn pass_on(&mut self, told: &Told) {
        if let Some(flight) = &mut self.flight {
            **flight = Some(told.clone());
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.flight = None;
        let mut flights = self.flights.lock();
        // Only the map holds it: nobody waits, and the next who asks looks into the database.
        if flights.get(&self.key).is_some_and(|flight| Arc::strong_count(flight) == 1) {
            flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use codementor_protocol::FeedbackOutcome;

    use super::*;

    fn told() -> Told {
        Told {
            said: vec!["Look.".into()],
            fix: None,
            about_accepted: false,
            outcome: FeedbackOutcome::Complete,
            message: String::new(),
        }
    }

    #[tokio::test]
    async fn those_who_wait_are_told_what_the_first_was_told() {
        let flights = Flights::default();
        let key = Key::of(["the same"]);
        let mut first = flights.turn(key).await;
        assert_eq!(first.told(), None);
        let mut waiting = looked_at(flights.turn(key));
        assert!(waiting.poll().is_none(), "it waits");
        first.pass_on(&told());
        drop(first);
        let second = waiting.poll().expect("it is its turn");
        assert_eq!(second.told(), Some(told()));
        drop((second, waiting));
        assert!(flights.lock().is_empty());
        assert_eq!(flights.turn(key).await.told(), None, "whoever comes later looks for itself");
    }

    #[tokio::test]
    async fn one_that_is_told_nothing_leaves_the_asking_to_the_next() {
        let flights = Flights::default();
        let key = Key::of(["the same"]);
        let first = flights.turn(key).await;
        let mut waiting = looked_at(flights.turn(key));
        assert!(waiting.poll().is_none());
        drop(first);
        assert_eq!(waiting.poll().expect("it is its turn").told(), None);
        drop(flights.turn(Key::of(["another"])).await);
        drop(waiting);
        assert!(flights.lock().is_empty());
    }

    /// A future that is looked at by hand.
    struct Looked<F: Future>(std::pin::Pin<Box<F>>);

    fn looked_at<F: Future>(future: F) -> Looked<F> {
        Looked(Box::pin(future))
    }

    impl<F: Future> Looked<F> {
        fn poll(&mut self) -> Option<F::Output> {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            match self.0.as_mut().poll(&mut context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            }
        }
    }
}
