//! From bytes to text: lines, events, and what they add up to.

use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use codementor_protocol::FeedbackOutcome;
use eventsource_stream::{EventStreamError, Eventsource};
use futures::{Stream, StreamExt};
use reqwest::{Response, StatusCode};

use super::wire::{Chunk, Complaint};
use super::{Call, Failure, TokenUsage, detail, retry};

/// The most that is read of one answer, with all that surrounds its text.
const MAX_BYTES: usize = 16 << 20;
/// The longest line of a stream. Some endpoints send a whole answer in one.
const MAX_LINE: usize = 1 << 20;
/// The most text that an answer may hold: more than any program that can be submitted, and what is said of it.
const MAX_TEXT: usize = 512 << 10;
/// The most that is read of an error.
const MAX_ERROR: usize = 64 << 10;
/// What some servers put before all that they send. eventsource-stream cannot read it.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// How long the end of a connection's body is waited for after the end of the answer, so that it can be used again.
const PARTING: Duration = Duration::from_millis(20);

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) usage: Option<TokenUsage>,
}

/// The body of a response, read within its times and caps.
pub(super) struct Body {
    response: Response,
    /// When the first byte must have come.
    first_by: Instant,
    /// How long it may be from one byte to the next. Keep-alive comments are bytes too: who sends them is alive.
    idle: Duration,
    deadline: Instant,
    read: usize,
}

impl Body {
    pub(super) fn new(response: Response, first_by: Instant, idle: Duration, deadline: Instant) -> Self {
        Self { response, first_by, idle, deadline, read: 0 }
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, Failure> {
        let now = Instant::now();
        let limit = if self.read == 0 { self.first_by } else { now + self.idle };
        // A stream that always has bytes at hand would never let the timer have its turn.
        if now >= self.deadline {
            return Err(timed_out());
        }
        let chunk = tokio::time::timeout_at(limit.min(self.deadline).into(), self.response.chunk()).await;
        let bytes = match chunk {
            Ok(Ok(Some(bytes))) => bytes,
            Ok(Ok(None)) => return Ok(None),
            Ok(Err(error)) => {
                let detail =
                    format!("the connection broke in the middle of the answer: {}", detail::causes(error));
                return Err(truncated(&detail));
            }
            Err(_) if self.deadline <= limit => return Err(timed_out()),
            Err(_) => {
                return Err(stalled(if self.read == 0 {
                    "it did not begin to answer"
                } else {
                    "it stopped talking"
                }));
            }
        };
        self.read += bytes.len();
        if self.read > MAX_BYTES {
            return Err(too_large(&format!("the answer is larger than {} MiB", MAX_BYTES >> 20)));
        }
        Ok(Some(bytes))
    }

    /// Reads what can be had of an error's body; that it breaks off or stalls says no more than its status.
    pub(super) async fn complaint(mut self) -> Complaint {
        let mut body = BytesMut::new();
        while body.len() < MAX_ERROR
            && let Ok(Some(bytes)) = self.chunk().await
        {
            body.extend_from_slice(&bytes[..bytes.len().min(MAX_ERROR - body.len())]);
        }
        Complaint::read(&body)
    }
}

pub(super) fn timed_out() -> Failure {
    Failure::new(FeedbackOutcome::TimedOut, "the answer took longer than it may")
}

pub(super) fn stalled(what: &str) -> Failure {
    Failure::new(FeedbackOutcome::Stalled, what)
}

fn truncated(what: &str) -> Failure {
    Failure::new(FeedbackOutcome::Truncated, what).broken()
}

fn too_large(what: &str) -> Failure {
    Failure::new(FeedbackOutcome::TooLarge, what)
}

fn garbled(what: &str) -> Failure {
    Failure::new(FeedbackOutcome::Garbled, what)
}

/// Reads an answer of status 200 and hands its text on.
pub(super) async fn read(mut body: Body, call: &mut Call<'_>) -> Result<Said, Failure> {
    // White space says that the endpoint is alive; what follows says what comes. Headers are less reliable.
    let mut start = BytesMut::new();
    let first = loop {
        let blank = start.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        start.advance(blank);
        if start.starts_with(BYTE_ORDER_MARK) {
            start.advance(BYTE_ORDER_MARK.len());
            continue;
        }
        // The rest of a mark may be still to come.
        if let Some(first) = start.first().filter(|_| !BYTE_ORDER_MARK.starts_with(&start)) {
            break *first;
        }
        match body.chunk().await.map_err(Failure::billed)? {
            Some(bytes) => start.extend_from_slice(&bytes),
            None => {
                return Err(truncated("the answer ended before it began").billed());
            }
        }
    };
    match first {
        b'{' | b'[' => read_whole(body, start, call).await,
        b'<' => Err(garbled("a web page came in place of an answer: check the url")),
        _ => read_stream(body, start, call).await,
    }
}

/// An answer in one piece, from an endpoint that does not stream.
async fn read_whole(mut body: Body, mut whole: BytesMut, call: &mut Call<'_>) -> Result<Said, Failure> {
    while let Some(bytes) = body.chunk().await.map_err(Failure::billed)? {
        whole.extend_from_slice(&bytes);
    }
    let chunk: Chunk = serde_json::from_slice(&whole).map_err(|error| {
        if error.is_eof() {
            truncated("the answer broke off before its end").billed()
        } else if let Some(complaint) = whole.starts_with(b"[").then(|| Complaint::read(&whole)) {
            in_band(&complaint)
        } else {
            garbled("the answer is no chat completion").billed()
        }
    })?;
    let mut sum = Sum::default();
    let text = sum.add(&chunk)?;
    if !text.is_empty() {
        call.say(&text);
    }
    // The document is whole: that is its end.
    sum.is_done = true;
    if sum.finish.is_none() && sum.text.is_empty() && !sum.has_choices {
        return Err(sum.after(garbled("the answer is no chat completion")));
    }
    sum.conclude()
}

async fn read_stream(body: Body, start: BytesMut, call: &mut Call<'_>) -> Result<Said, Failure> {
    let mut events = std::pin::pin!(lines(body, start).eventsource());
    let mut sum = Sum::default();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(EventStreamError::Transport(failure)) => return Err(sum.after(failure)),
            Err(EventStreamError::Utf8(_)) => {
                return Err(sum.after(garbled("the answer is no UTF-8").broken()));
            }
            Err(EventStreamError::Parser(_)) => {
                return Err(sum.after(garbled("the answer is no stream of events").broken()));
            }
        };
        let text = sum.event(&event.event, &event.data)?;
        call.meter.received(text.len());
        if !text.is_empty() {
            call.say(&text);
        }
        if sum.is_done {
            // All was said. A connection whose body was read to its end can carry the next request.
            drop(tokio::time::timeout(PARTING, events.next()).await);
            break;
        }
    }
    sum.conclude()
}

/// The lines of a body, each with its end. eventsource-stream is given whole lines only: what it does with parts of
/// them takes the square of their length.
fn lines(body: Body, start: BytesMut) -> impl Stream<Item = Result<Bytes, Failure>> {
    futures::stream::try_unfold(Some((body, Lines { pending: start, scanned: 0 })), |state| async move {
        let Some((mut body, mut lines)) = state else { return Ok(None) };
        loop {
            if let Some(line) = lines.next() {
                return Ok(Some((line, Some((body, lines)))));
            }
            if lines.pending.len() > MAX_LINE {
                return Err(too_large(&format!(
                    "a line of the answer is longer than {} KiB",
                    MAX_LINE >> 10
                )));
            }
            match body.chunk().await? {
                Some(bytes) => lines.pending.extend_from_slice(&bytes),
                None => return Ok(lines.rest().map(|rest| (rest, None))),
            }
        }
    })
}

struct Lines {
    pending: BytesMut,
    /// How much of it is known to hold no end of a line.
    scanned: usize,
}

impl Lines {
    fn next(&mut self) -> Option<Bytes> {
        let end = self.pending[self.scanned..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(end) = end.map(|end| end + self.scanned) else {
            self.scanned = self.pending.len();
            return None;
        };
        let skip = match (self.pending[end], self.pending.get(end + 1)) {
            (b'\r', Some(b'\n')) => 2,
            // Whether the other half of this end comes is not known yet.
            (b'\r', None) => {
                self.scanned = end;
                return None;
            }
            _ => 1,
        };
        self.scanned = 0;
        let mut line = self.pending.split_to(end);
        self.pending.advance(skip);
        line.extend_from_slice(b"\n");
        Some(line.freeze())
    }

    /// What the end of the body leaves: an event whose blank line is missing counts, a broken line does not. `[DONE]`
    /// cannot be broken.
    fn rest(mut self) -> Option<Bytes> {
        let last = self.pending.split();
        let is_whole =
            last.is_empty() || last.trim_ascii() == b"data: [DONE]" || last.trim_ascii() == b"data:[DONE]";
        is_whole.then(|| Bytes::from([&last[..], b"\n\n"].concat()))
    }
}

/// What the events so far add up to.
#[derive(Debug, Default)]
struct Sum {
    text: String,
    finish: Option<String>,
    usage: Option<TokenUsage>,
    is_done: bool,
    has_choices: bool,
    has_events: bool,
}

impl Sum {
    /// Takes an event in; returns the text that it adds.
    fn event(&mut self, kind: &str, data: &str) -> Result<String, Failure> {
        let data = data.trim();
        if data == "[DONE]" {
            self.is_done = true;
            return Ok(String::new());
        }
        if kind == "error" {
            return Err(self.after(in_band(&Complaint::read(data.as_bytes()))));
        }
        // Pings and their like are events of other kinds.
        if data.is_empty() || (kind != "message" && !data.starts_with('{')) {
            return Ok(String::new());
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| {
            self.after(garbled("an event of the answer is no chunk of a chat completion").broken())
        })?;
        self.has_events = true;
        self.add(&chunk)
    }

    fn add(&mut self, chunk: &Chunk) -> Result<String, Failure> {
        if let Some(complaint) = chunk.error() {
            return Err(self.after(in_band(&complaint)));
        }
        let text = chunk.text();
        self.text += &text;
        if self.text.len() > MAX_TEXT {
            let what = format!("the text of the answer is longer than {} KiB", MAX_TEXT >> 10);
            return Err(self.after(too_large(&what)));
        }
        self.has_choices |= chunk.has_choices();
        if let Some(reason) = chunk.finish_reason() {
            self.finish = Some(reason.into());
        }
        // Where each chunk counts, the last has counted all.
        self.usage = chunk.usage().or(self.usage);
        Ok(text)
    }

    /// A failure after this much. Where an endpoint reports an error before it has said anything, it counts nothing;
    /// all other failures may cost what was asked for.
    fn after(&self, failure: Failure) -> Failure {
        let free = failure.outcome == FeedbackOutcome::EndpointFault || failure.again;
        Failure { billed: !free || !self.text.is_empty(), usage: self.usage, ..failure }
    }

    fn conclude(self) -> Result<Said, Failure> {
        let fail = |outcome, what: &str| Err(self.after(Failure::new(outcome, what)));
        let truncated = |what: &str| Err(self.after(truncated(what)));
        match (self.finish.as_deref(), self.is_done) {
            (Some("length" | "max_tokens"), _) => {
                fail(FeedbackOutcome::CutOff, "the answer reached the limit of its length: raise max_tokens")
            }
            (Some("content_filter"), _) => {
                fail(FeedbackOutcome::RequestRefused, "the endpoint's filter stopped the answer")
            }
            (Some("error"), _) => {
                fail(FeedbackOutcome::EndpointFault, "the endpoint ended the answer with an error")
            }
            (Some("tool_calls" | "function_call"), _) => {
                fail(FeedbackOutcome::Garbled, "the model called a tool, though it has none")
            }
            (None, false) if !self.has_events && !self.has_choices => {
                truncated("the answer ended without an event")
            }
            (_, false) => truncated("the answer broke off before its end"),
            (None, true) => truncated("the answer ended without a finish reason"),
            (Some(_), true) if self.text.trim().is_empty() => {
                fail(FeedbackOutcome::Empty, "the answer holds no text")
            }
            (Some(_), true) => Ok(Said { text: self.text, usage: self.usage }),
        }
    }
}

/// The failure that an error amounts to which came with status 200.
fn in_band(complaint: &Complaint) -> Failure {
    let status = complaint.status.and_then(|status| StatusCode::from_u16(status).ok());
    let outcome = match complaint.status {
        Some(429) => FeedbackOutcome::RateLimited,
        _ => FeedbackOutcome::EndpointFault,
    };
    let detail = match complaint.message.as_str() {
        "" => "it reported an error in the middle of the answer".to_owned(),
        message => format!("it reported an error in the middle of the answer: {message}"),
    };
    Failure { again: status.is_some_and(retry::may_pass), ..Failure::new(outcome, detail).broken() }
}
