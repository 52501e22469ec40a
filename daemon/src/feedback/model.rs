//! The client of OpenAI-compatible endpoints.
//!
//! ```text
//! Models::ask ─ each endpoint in turn ─ endpoint.rs: tries within retry.rs ─ one request ─▶ head
//!                                                                   stream.rs: bytes ─▶ lines ─▶ events ─▶ text ─▶ sink
//! ```
//!
//! No task is spawned and nothing is buffered beyond the caps of `stream.rs`: all of it is the future of
//! [`Models::ask`], and whoever drops that future closes the connection. Every way to fail ends in one
//! [`FeedbackOutcome`]. Once the sink has received text, nothing is tried again, since it would be said twice.

mod detail;
mod endpoint;
mod key;
mod meter;
mod retry;
mod stream;
mod wire;

use std::time::{Duration, Instant};

use codementor_protocol::FeedbackOutcome;

pub(crate) use super::prompt::Messages;
use super::settings::{Endpoint, Price};
use endpoint::Client;
pub(crate) use meter::Meter;

/// All endpoints, in the order in which they are asked.
#[derive(Debug)]
pub(crate) struct Models {
    clients: Vec<Client>,
    pace: Pace,
}

/// What was answered: the finish reason and the end of the stream have both come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// All text that went to the sink.
    pub(crate) text: String,
    /// Who answered.
    pub(crate) endpoint: String,
    /// The model, as the settings name it.
    pub(crate) model: String,
    /// What the endpoint says that it counted, where it says so.
    pub(crate) usage: Option<TokenUsage>,
    /// What is to be booked, for endpoints that failed before this one too.
    pub(crate) spent: Spending,
    /// From the call to the first text.
    pub(crate) first_token: Duration,
    /// From the call to the end.
    pub(crate) total: Duration,
}

/// Tokens as an endpoint counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TokenUsage {
    /// Of what was sent.
    pub(crate) input: u64,
    /// Of what was answered.
    pub(crate) output: u64,
}

/// Tokens and money.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spending {
    /// Tokens.
    pub(crate) tokens: u64,
    /// Millionths of a US dollar; nothing where the endpoint has no price.
    pub(crate) cost_micro: u64,
}

impl Spending {
    fn of(usage: TokenUsage, price: Option<Price>) -> Self {
        Self {
            tokens: usage.input + usage.output,
            cost_micro: price.map_or(0, |price| price.of(usage.input, usage.output)),
        }
    }

    fn add(&mut self, other: Self) {
        self.tokens = self.tokens.saturating_add(other.tokens);
        self.cost_micro = self.cost_micro.saturating_add(other.cost_micro);
    }
}

/// Why there is no answer. What went to the sink before is no answer either.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub(crate) struct AskError {
    /// The state that it is called.
    pub(crate) outcome: FeedbackOutcome,
    /// Who was asked last.
    pub(crate) endpoint: String,
    /// What happened at each endpoint that was asked, and what to do: without control characters and without keys.
    pub(crate) detail: String,
    /// Whether it may cost something all the same.
    pub(crate) billed: bool,
    /// What is to be booked.
    pub(crate) spent: Spending,
    /// After which pause the same may be asked once more, where an answer broke in the middle and time is left: worth
    /// it only where nothing of that answer was used, which the caller knows, and at a price of its own.
    pub(crate) again_after: Option<Duration>,
}

/// How long each part may take.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// To make a connection.
    connect: Duration,
    /// From one byte of an answer to the next.
    idle: Duration,
    /// Before the first repetition, where the endpoint does not say how long.
    backoff: Duration,
}

impl Pace {
    const USUAL: Self = Self {
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(15),
        backoff: Duration::from_millis(500),
    };
}

/// One call as it goes on.
struct Call<'a> {
    began: Instant,
    deadline: Instant,
    first_token: Option<Duration>,
    spent: Spending,
    meter: &'a Meter,
    sink: &'a mut (dyn FnMut(&str) + Send),
}

impl Call<'_> {
    /// Hands text on.
    fn say(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.first_token.get_or_insert_with(|| self.began.elapsed());
        (self.sink)(text);
    }

    /// Whether text was handed on, after which nothing may be tried again.
    fn has_spoken(&self) -> bool {
        self.first_token.is_some()
    }

    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Why one try failed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    outcome: FeedbackOutcome,
    /// For people; not yet free of what an endpoint may have put into it.
    detail: String,
    /// Whether the same request may go better a moment later.
    again: bool,
    /// Whether it is an answer that went wrong on its way, while the request was right.
    broken: bool,
    /// How long the endpoint wants to be left alone.
    rest: Option<Duration>,
    /// Whether the endpoint may have counted tokens.
    billed: bool,
    /// What it counted, where it says so.
    usage: Option<TokenUsage>,
}

impl Failure {
    fn new(outcome: FeedbackOutcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            detail: detail.into(),
            again: false,
            broken: false,
            rest: None,
            billed: false,
            usage: None,
        }
    }

    /// A failure after the endpoint had begun to work.
    fn billed(self) -> Self {
        Self { billed: true, ..self }
    }

    /// An answer that may come through the next time.
    fn broken(self) -> Self {
        Self { broken: true, ..self }
    }

    /// A failure that may not be there a moment later.
    fn passing(self) -> Self {
        Self { again: true, ..self }
    }
}

impl Models {
    /// Reads the keys and prepares to ask. An endpoint that cannot be used is warned of in the log, and fails when it
    /// is asked: judging goes on without it.
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self::with_pace(endpoints, Pace::USUAL)
    }

    fn with_pace(endpoints: Vec<Endpoint>, pace: Pace) -> Self {
        Self { clients: endpoints.into_iter().map(|endpoint| Client::new(endpoint, pace)).collect(), pace }
    }

    /// The names of the endpoints.
    pub(crate) fn names(&self) -> Vec<String> {
        self.clients.iter().map(|client| client.name().to_owned()).collect()
    }

    /// Whether there is nobody to ask.
    #[allow(dead_code, reason = "a set that counts says whether it is empty")]
    pub(crate) fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Who is asked for what, apart from the messages: two that are equal would answer alike. It names no key.
    pub(crate) fn identity(&self) -> String {
        self.clients.iter().map(|client| client.identity() + "\n").collect()
    }

    /// The most that a call can cost, if every endpoint fails after it has begun to work.
    pub(crate) fn cost(&self, messages: &Messages) -> Spending {
        let mut most = Spending::default();
        for client in &self.clients {
            most.add(client.most(messages));
        }
        most
    }

    /// The body of the request to the first endpoint that can be asked, byte for byte; where there is none, of one that
    /// would be made to an endpoint without a name for its model.
    pub(crate) fn body(&self, messages: &Messages) -> String {
        let usable = self.clients.iter().find(|client| client.is_usable());
        match usable.or(self.clients.first()) {
            Some(client) => client.shown_body(messages),
            None => endpoint::shown_body(messages),
        }
    }

    /// Asks one endpoint after the other until one answers. Text goes to the sink as it comes. Dropping the future
    /// closes the connection; what was taken by then, the meter knows.
    pub(crate) async fn ask(
        &self,
        messages: &Messages,
        deadline: Instant,
        meter: &Meter,
        sink: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Answer, AskError> {
        let (began, spent) = (Instant::now(), Spending::default());
        let mut call = Call { began, deadline, first_token: None, spent, meter, sink };
        let mut failed: Option<AskError> = None;
        for (index, client) in self.clients.iter().enumerate() {
            let is_last = index + 1 == self.clients.len();
            let failure = match client.ask(messages, &mut call, is_last).await {
                Ok(said) => {
                    let total = call.began.elapsed();
                    let answer = Answer {
                        text: said.text,
                        endpoint: client.name().into(),
                        model: client.model().into(),
                        usage: said.usage,
                        spent: call.spent,
                        first_token: call.first_token.unwrap_or(total),
                        total,
                    };
                    tracing::info!(
                        endpoint = answer.endpoint,
                        model = answer.model,
                        tokens = answer.spent.tokens,
                        first_token_ms = answer.first_token.as_millis() as u64,
                        total_ms = total.as_millis() as u64,
                        "a model has answered"
                    );
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let detail = format!("{}: {}", client.name(), client.clean(&failure.detail));
            // An endpoint's own words can hold what it was sent, so the log has the outcome alone.
            tracing::warn!(endpoint = client.name(), outcome = %failure.outcome, "a model has not answered");
            let earlier = failed.take();
            let pause = retry::jittered(self.pace.backoff);
            failed = Some(AskError {
                outcome: failure.outcome,
                endpoint: client.name().into(),
                detail: earlier.map_or(detail.clone(), |earlier| format!("{}; {detail}", earlier.detail)),
                billed: call.spent != Spending::default(),
                spent: call.spent,
                // What may pass was tried again here already.
                again_after: Some(pause)
                    .filter(|pause| failure.broken && !failure.again && *pause < call.left()),
            });
            if call.has_spoken() || call.left().is_zero() {
                break;
            }
        }
        Err(failed.unwrap_or_else(|| AskError {
            outcome: FeedbackOutcome::NotConfigured,
            endpoint: String::new(),
            detail: "no endpoint is configured".into(),
            billed: false,
            spent: Spending::default(),
            again_after: None,
        }))
    }
}

#[cfg(test)]
mod tests;
