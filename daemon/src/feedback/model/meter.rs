//! What a call takes while it is under way, for whoever drops it before it has told.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Spending, TokenUsage};
use crate::feedback::settings::Price;

/// Counts along with a call.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    /// By requests that have ended.
    ended: Spending,
    /// By the one that is out.
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    price: Option<Price>,
    input: u64,
    events: u64,
    bytes: u64,
}

impl Meter {
    /// What was taken so far. Of an answer that is not whole it is an estimate: all of what was sent, and of what has come
    /// one token for three bytes of text, or one for each event where that is more. Models that think aloud send events
    /// without text.
    pub(crate) fn spent(&self) -> Spending {
        let taken = self.taken();
        let mut spent = taken.ended;
        if let Some(open) = &taken.open {
            let output = open.events.max(open.bytes.div_ceil(3));
            spent.add(Spending::of(TokenUsage { input: open.input, output }, open.price));
        }
        spent
    }

    /// A request goes out.
    pub(super) fn open(&self, input: u64, price: Option<Price>) {
        self.taken().open = Some(Open { price, input, events: 0, bytes: 0 });
    }

    /// An event of the answer has come, with so many bytes of text.
    pub(super) fn received(&self, bytes: usize) {
        if let Some(open) = &mut self.taken().open {
            open.events += 1;
            open.bytes += bytes as u64;
        }
    }

    /// The request has ended, and all that have were booked as this much.
    pub(super) fn close(&self, ended: Spending) {
        *self.taken() = Taken { ended, open: None };
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
