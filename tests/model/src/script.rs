//! What is sent, byte for byte.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Holds an answer until the test opens it.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens it for good.
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = true;
        self.0.1.notify_all();
    }

    /// Waits a while, and says whether it is open.
    pub(crate) fn wait(&self, a_while: Duration) -> bool {
        let open = self.0.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let (open, _) =
            self.0.1.wait_timeout_while(open, a_while, |open| !*open).unwrap_or_else(|p| p.into_inner());
        *open
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// One write, and with chunked framing one chunk.
    Send(Vec<u8>),
    /// Waits for a gate, or until the client leaves.
    Gate(Gate),
    /// Lets a time pass, or less where the client leaves.
    Pause(Duration),
    /// Waits until the client leaves.
    Hang,
    /// Closes the connection in the middle.
    BreakOff,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// `Transfer-Encoding: chunked`, as all known endpoints stream.
    Chunked,
    /// The body ends with the connection.
    UntilClose,
    /// `Content-Length`, of all that is sent.
    Length,
    /// No head is made: the script's first bytes are the status line.
    Raw,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) framing: Framing,
    /// What is waited for before the first byte.
    pub(crate) before: Vec<Step>,
    pub(crate) steps: Vec<Step>,
}

impl Script {
    /// An answer with this status, no headers but those of the framing, and a chunked body.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), framing: Framing::Chunked, before: Vec::new(), steps: Vec::new() }
    }

    /// An answer of which even the status line is given by [`send`](Self::send). The connection is closed after it.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { framing: Framing::Raw, ..Self::new(0) }.send(bytes)
    }

    /// The connection is taken and the request is read, and then nothing comes, not even a status line.
    pub fn silent() -> Self {
        Self::raw("").hang()
    }

    /// The connection is closed as soon as the request was read.
    pub fn closed() -> Self {
        Self::raw("").break_off()
    }

    /// An answer of JSON with its length.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { framing: Framing::Length, ..Self::new(status) }
            .header("content-type", "application/json")
            .send(body.to_string())
    }

    /// An error as OpenAI words it.
    pub fn error(status: u16, message: &str) -> Self {
        Self::json(
            status,
            &serde_json::json!({ "error": { "message": message, "type": "error", "param": null, "code": null } }),
        )
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The body ends with the connection, and so breaking off looks like an end.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Sends bytes, at once and in one chunk.
    pub fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    /// Goes on when the gate is open, or ends when the client leaves.
    pub fn gate(mut self, gate: &Gate) -> Self {
        self.steps.push(Step::Gate(gate.clone()));
        self
    }

    /// Sends not even the status line before the gate is open.
    pub fn after(mut self, gate: &Gate) -> Self {
        self.before.push(Step::Gate(gate.clone()));
        self
    }

    /// Sends something again and again, with a pause before each: an endpoint that is alive and says nothing.
    pub fn trickle(mut self, bytes: impl Into<Vec<u8>>, every: Duration, times: usize) -> Self {
        let bytes = bytes.into();
        for _ in 0..times {
            self.steps.extend([Step::Pause(every), Step::Send(bytes.clone())]);
        }
        self
    }

    /// Says nothing more until the client leaves.
    pub fn hang(mut self) -> Self {
        self.steps.push(Step::Hang);
        self
    }

    /// Closes the connection without an end.
    pub fn break_off(mut self) -> Self {
        self.steps.push(Step::BreakOff);
        self
    }

    /// All bytes of the body.
    pub fn bytes(&self) -> Vec<u8> {
        let sent = self.steps.iter().filter_map(|step| match step {
            Step::Send(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        sent.flatten().copied().collect()
    }

    /// The same bytes, in pieces that end at these places.
    pub fn split_at(mut self, places: &[usize]) -> Self {
        let bytes = self.bytes();
        let mut from = 0;
        self.steps.clear();
        for &place in places.iter().chain([&bytes.len()]) {
            let to = place.min(bytes.len());
            if to > from {
                self.steps.push(Step::Send(bytes[from..to].to_vec()));
                from = to;
            }
        }
        self
    }

    /// The same bytes, in pieces of this size.
    pub fn split_every(self, size: usize) -> Self {
        let places: Vec<usize> = (0..self.bytes().len()).step_by(size.max(1)).skip(1).collect();
        self.split_at(&places)
    }
}
