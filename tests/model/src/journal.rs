//! What was asked, and how each exchange ended.

use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its place among all requests, counted from 0.
    pub number: usize,
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers, with names in small letters, in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// The first header of this name, given in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as text, with replacements for what is none.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The text of all messages of a role, such as `user`, one after the other.
    pub fn message(&self, role: &str) -> String {
        let body = self.json();
        let messages = body["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages
            .iter()
            .filter(|message| message["role"] == role)
            .filter_map(|m| m["content"].as_str())
            .collect()
    }
}

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The script was played to its end.
    Played,
    /// The client closed the connection before.
    Left,
    /// The script itself closed the connection.
    BrokenOff,
    /// The server was dropped before.
    Stopped,
}

/// A request and what became of its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The request.
    pub request: Request,
    /// When it had come as a whole.
    pub at: Instant,
    /// When and how it ended; absent while it goes on.
    pub end: Option<(Instant, Ended)>,
}

/// Everything that was asked.
#[derive(Debug, Default)]
pub struct Journal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    exchanges: Vec<Exchange>,
    accepted: usize,
    open: usize,
}

impl Journal {
    /// All exchanges so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().exchanges.clone()
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.lock().exchanges.iter().map(|exchange| exchange.request.clone()).collect()
    }

    /// How many requests came so far.
    pub fn len(&self) -> usize {
        self.lock().exchanges.len()
    }

    /// Whether none came.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many connections were ever made.
    pub fn connections(&self) -> usize {
        self.lock().accepted
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.lock().open
    }

    /// Waits until so many requests have come. Panics where they do not come in time.
    pub fn wait_for_requests(&self, count: usize, within: Duration) -> Vec<Request> {
        let state = self.wait(within, "requests", |state| state.exchanges.len() >= count);
        state.exchanges.iter().map(|exchange| exchange.request.clone()).collect()
    }

    /// Waits until an exchange has ended, and says how. Panics where it does not end in time.
    pub fn wait_for_end(&self, number: usize, within: Duration) -> Ended {
        let end = |state: &State| state.exchanges.get(number).and_then(|exchange| exchange.end);
        let state = self.wait(within, "the end of an exchange", |state| end(state).is_some());
        end(&state).map_or(Ended::Stopped, |(_, ended)| ended)
    }

    /// Waits until no connection is open. Panics where one stays.
    pub fn wait_until_closed(&self, within: Duration) {
        drop(self.wait(within, "all connections to be closed", |state| state.open == 0));
    }

    pub(crate) fn opened(&self) {
        let mut state = self.lock();
        state.accepted += 1;
        state.open += 1;
        self.changed.notify_all();
    }

    pub(crate) fn closed(&self) {
        self.lock().open -= 1;
        self.changed.notify_all();
    }

    pub(crate) fn asked(&self, mut request: Request) -> Request {
        let mut state = self.lock();
        request.number = state.exchanges.len();
        state.exchanges.push(Exchange { request: request.clone(), at: Instant::now(), end: None });
        self.changed.notify_all();
        request
    }

    pub(crate) fn ended(&self, number: usize, ended: Ended) {
        let mut state = self.lock();
        state.exchanges[number].end = Some((Instant::now(), ended));
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn wait(&self, within: Duration, what: &str, done: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let (state, timeout) = self
            .changed
            .wait_timeout_while(self.lock(), within, |state| !done(state))
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        assert!(!timeout.timed_out(), "waited {within:?} for {what} in vain: {state:?}");
        state
    }
}
