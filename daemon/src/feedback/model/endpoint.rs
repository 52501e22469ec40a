//! One endpoint: its requests, its refusals, and how often it is asked.

use std::error::Error;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

use codementor_protocol::FeedbackOutcome;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::detail::{self, Secrets};
use super::key::Key;
use super::stream::{self, Body, Said};
use super::wire::Complaint;
use super::{Call, Failure, Messages, Pace, Spending, TokenUsage, retry};
use crate::feedback::settings::Endpoint;

/// How long an endpoint is waited for that asks for patience, where another could be asked instead.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// Connections that are kept for the next request.
const IDLE_CONNECTIONS: usize = 4;

/// An endpoint with what is needed to ask it.
#[derive(Debug)]
pub(super) struct Client {
    endpoint: Endpoint,
    /// The connections and the headers; or why there are none.
    means: Result<Means, Failure>,
    secrets: Secrets,
    pace: Pace,
    form: Mutex<Form>,
    /// Until when the endpoint wants to be left alone.
    resting: Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct Means {
    http: reqwest::Client,
    headers: HeaderMap,
}

/// What a request looks like, as the endpoint has taught us.
#[derive(Debug, Clone, Copy)]
struct Form {
    /// `stream_options`, by which usage is asked for.
    asks_for_usage: bool,
    /// `max_completion_tokens` in place of `max_tokens`.
    new_limit: bool,
}

impl Form {
    const FIRST: Self = Self { asks_for_usage: true, new_limit: false };
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [Message<'a>; 2],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(flatten)]
    further: &'a serde_json::Map<String, Value>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

impl<'a> Request<'a> {
    fn new(
        model: &'a str,
        messages: &'a Messages,
        form: Form,
        limit: u32,
        further: &'a serde_json::Map<String, Value>,
    ) -> Self {
        Self {
            model,
            messages: [
                Message { role: "system", content: &messages.system },
                Message { role: "user", content: &messages.user },
            ],
            stream: true,
            stream_options: form.asks_for_usage.then_some(StreamOptions { include_usage: true }),
            max_tokens: (!form.new_limit).then_some(limit),
            max_completion_tokens: form.new_limit.then_some(limit),
            further,
        }
    }
}

fn shown(request: &Request<'_>) -> String {
    // A tree of text and numbers is always JSON.
    serde_json::to_string(request).unwrap_or_default()
}

/// What would be sent to an endpoint that is not configured yet.
pub(super) fn shown_body(messages: &Messages) -> String {
    shown(&Request::new("", messages, Form::FIRST, Endpoint::MAX_TOKENS, &serde_json::Map::new()))
}

impl Client {
    pub(super) fn new(endpoint: Endpoint, pace: Pace) -> Self {
        let mut secrets = Secrets::default();
        let means = Means::new(&endpoint, pace, &mut secrets);
        if let Err(failure) = &means {
            tracing::warn!(endpoint = endpoint.name, "this endpoint cannot be asked: {}", failure.detail);
        }
        Self { endpoint, means, secrets, pace, form: Mutex::new(Form::FIRST), resting: Mutex::new(None) }
    }

    pub(super) fn name(&self) -> &str {
        &self.endpoint.name
    }

    pub(super) fn model(&self) -> &str {
        &self.endpoint.model
    }

    pub(super) fn identity(&self) -> String {
        let Endpoint { url, model, max_tokens, body, .. } = &self.endpoint;
        format!("{url} {model} {max_tokens} {}", Value::Object(body.clone()))
    }

    /// The most that one request can cost. Three bytes are at most about one token, of code as of Korean.
    pub(super) fn most(&self, messages: &Messages) -> Spending {
        self.spending(TokenUsage { input: sent(messages), output: self.endpoint.max_tokens.into() })
    }

    fn spending(&self, usage: TokenUsage) -> Spending {
        Spending::of(usage, self.endpoint.price)
    }

    /// What a message may hold of what this endpoint says.
    pub(super) fn clean(&self, text: &str) -> String {
        detail::clean(text, &self.secrets)
    }

    /// Whether it can be asked at all: its key is there, and so are the means to connect.
    pub(super) fn is_usable(&self) -> bool {
        self.means.is_ok()
    }

    pub(super) fn shown_body(&self, messages: &Messages) -> String {
        shown(&self.request(messages, self.form()))
    }

    fn request<'a>(&'a self, messages: &'a Messages, form: Form) -> Request<'a> {
        let Endpoint { model, max_tokens, body, .. } = &self.endpoint;
        Request::new(model, messages, form, *max_tokens, body)
    }

    /// Asks until there is an answer, or asking again would not help. What was spent is added to the call.
    pub(super) async fn ask(
        &self,
        messages: &Messages,
        call: &mut Call<'_>,
        is_last: bool,
    ) -> Result<Said, Failure> {
        // Where there is another endpoint, waiting for this one is worth little.
        let patience = |call: &Call<'_>| if is_last { call.left() } else { call.left().min(MAX_WAIT) };
        if let Some(rest) = self.rest() {
            if rest >= patience(call) {
                let seconds = rest.as_secs() + 1;
                let detail = format!("it asks for patience for another {seconds} s");
                return Err(Failure::new(FeedbackOutcome::RateLimited, detail));
            }
            tokio::time::sleep(rest).await;
        }
        let mut pauses = retry::pauses(self.pace.backoff);
        loop {
            let form = self.form();
            let failure = match self.attempt(messages, form, call).await {
                Ok(said) => {
                    call.spent
                        .add(said.usage.map_or_else(|| self.most(messages), |usage| self.spending(usage)));
                    call.meter.close(call.spent);
                    return Ok(said);
                }
                Err(failure) => failure,
            };
            if failure.billed {
                call.spent
                    .add(failure.usage.map_or_else(|| self.most(messages), |usage| self.spending(usage)));
            }
            call.meter.close(call.spent);
            if let Some(rest) = failure.rest {
                let until = Instant::now() + retry::jittered(rest);
                *self.resting.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(until);
            }
            if call.has_spoken() {
                return Err(failure);
            }
            if self.learn(&failure, form) {
                continue;
            }
            let Some(pause) = pauses.next().filter(|_| failure.again) else { return Err(failure) };
            let pause = if failure.rest.is_some() { self.rest().unwrap_or_default() } else { pause };
            if pause >= patience(call) {
                return Err(failure);
            }
            tracing::debug!(
                endpoint = self.name(),
                outcome = %failure.outcome,
                pause_ms = pause.as_millis() as u64,
                "asking again"
            );
            tokio::time::sleep(pause).await;
        }
    }

    /// How long the endpoint still wants to be left alone.
    fn rest(&self) -> Option<Duration> {
        let until = *self.resting.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        until?.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero())
    }

    fn form(&self) -> Form {
        *self.form.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Whether the endpoint has refused a field that can be left out or named otherwise; the next request does so. It
    /// can be said only once of each, so this comes to an end.
    fn learn(&self, failure: &Failure, sent: Form) -> bool {
        if failure.outcome != FeedbackOutcome::RequestRefused {
            return false;
        }
        let usage = sent.asks_for_usage && failure.detail.contains("stream_options");
        let limit = !sent.new_limit && failure.detail.contains("max_completion_tokens");
        let mut form = self.form.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        form.asks_for_usage &= !usage;
        form.new_limit |= limit;
        usage || limit
    }

    /// One request and its answer.
    async fn attempt(&self, messages: &Messages, form: Form, call: &mut Call<'_>) -> Result<Said, Failure> {
        let means = self.means.as_ref().map_err(Clone::clone)?;
        let body = serde_json::to_vec(&self.request(messages, form))
            .map_err(|error| Failure::new(FeedbackOutcome::RequestRefused, error.to_string()))?;
        let first_by = Instant::now() + self.endpoint.patience;
        call.meter.open(sent(messages), self.endpoint.price);
        let request =
            means.http.post(self.endpoint.url.chat()).headers(means.headers.clone()).body(body).send();
        let response = match tokio::time::timeout_at(first_by.min(call.deadline).into(), request).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unsent(error)),
            // The request is out: what it costs is not known.
            Err(_) if call.deadline <= first_by => return Err(stream::timed_out().billed()),
            Err(_) => return Err(stream::stalled("it did not begin to answer").billed()),
        };
        if response.status().is_success() {
            let body = Body::new(response, first_by, self.pace.idle, call.deadline);
            return stream::read(body, call).await;
        }
        Err(self.refusal(response, call.deadline).await)
    }

    async fn refusal(&self, response: Response, deadline: Instant) -> Failure {
        let status = response.status();
        // A request that is wrong says nothing of others.
        let rest = retry::rest(response.headers(), SystemTime::now()).filter(|_| retry::may_pass(status));
        let goes_to = response.headers().get("location").and_then(|to| to.to_str().ok()).map(str::to_owned);
        let first_by = Instant::now() + self.pace.idle;
        let complaint = Body::new(response, first_by, self.pace.idle, deadline).complaint().await;
        let said = match complaint.message.trim() {
            "" => String::new(),
            message => format!(": {message}"),
        };
        let fail = |outcome, detail: String| Failure { rest, ..Failure::new(outcome, detail) };
        match status {
            // What it says of the key may hold a part of it.
            StatusCode::UNAUTHORIZED => {
                let what = match &self.endpoint.key {
                    Some(source) => format!("it refuses the key (401): check {source}"),
                    None => "it wants a key (401): set key_env or key_file of the endpoint".into(),
                };
                fail(FeedbackOutcome::KeyRefused, what)
            }
            StatusCode::FORBIDDEN => {
                fail(FeedbackOutcome::KeyRefused, format!("it does not let this key ask (403){said}"))
            }
            StatusCode::NOT_FOUND => {
                let what = format!("it knows no such thing (404){said}: check the url and the model");
                fail(FeedbackOutcome::RequestRefused, what)
            }
            // Money does not come by waiting.
            StatusCode::TOO_MANY_REQUESTS if is_out_of_money(&complaint) => {
                fail(FeedbackOutcome::RateLimited, format!("what may be spent there is used up (429){said}"))
            }
            StatusCode::TOO_MANY_REQUESTS => {
                fail(FeedbackOutcome::RateLimited, format!("it asks for patience (429){said}")).passing()
            }
            _ if retry::may_pass(status) => {
                let what = format!("it has a fault of its own ({}){said}", status.as_u16());
                fail(FeedbackOutcome::EndpointFault, what).passing()
            }
            _ if status.is_redirection() => {
                let to = goes_to.map_or_else(
                    || "elsewhere".into(),
                    |to| {
                        let to = to.split('?').next().unwrap_or_default();
                        // Addresses are taken out of what students read, the names of hosts are not.
                        to.split_once("://").map_or(to, |(_, to)| to).to_owned()
                    },
                );
                let what =
                    format!("it sends us to {to} ({}): set the url to where it leads", status.as_u16());
                fail(FeedbackOutcome::RequestRefused, what)
            }
            _ => {
                let what = format!("it does not take the request ({}){said}", status.as_u16());
                fail(FeedbackOutcome::RequestRefused, what)
            }
        }
    }
}

/// How many tokens a request has at most.
fn sent(messages: &Messages) -> u64 {
    (messages.system.len() + messages.user.len()).div_ceil(3) as u64
}

fn is_out_of_money(complaint: &Complaint) -> bool {
    ["insufficient_quota", "billing"].iter().any(|word| complaint.code.contains(word))
}

/// The failure of a request to which not even a status came.
fn unsent(error: reqwest::Error) -> Failure {
    let is_refused = error.is_connect();
    let causes = detail::causes(error);
    if is_refused {
        return Failure::new(FeedbackOutcome::Unreachable, format!("it cannot be reached: {causes}"))
            .passing();
    }
    // Most often a kept connection that the endpoint was just closing.
    let detail = format!("it closed the connection without an answer: {causes}");
    Failure::new(FeedbackOutcome::EndpointFault, detail).passing()
}

impl Means {
    fn new(endpoint: &Endpoint, pace: Pace, secrets: &mut Secrets) -> Result<Self, Failure> {
        let headers =
            headers(endpoint, secrets).map_err(|why| Failure::new(FeedbackOutcome::KeyRefused, why))?;
        let http = http(endpoint, pace).map_err(|error| {
            let mut causes = error.to_string();
            let mut cause = error.source();
            while let Some(error) = cause {
                causes = format!("{causes}: {error}");
                cause = error.source();
            }
            Failure::new(FeedbackOutcome::Unreachable, format!("there are no means to connect: {causes}"))
        })?;
        Ok(Self { http, headers })
    }
}

fn headers(endpoint: &Endpoint, secrets: &mut Secrets) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in endpoint.url.parameters() {
        if is_secret(&name, &value) {
            secrets.add(&value);
        }
    }
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("accept", HeaderValue::from_static("text/event-stream, application/json"));
    for (name, value) in endpoint.headers.iter() {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        let (Ok(header), Ok(mut content)) = parsed else {
            return Err(format!("the header {name} cannot be sent"));
        };
        if is_secret(name, value) {
            secrets.add(value);
            content.set_sensitive(true);
        }
        headers.insert(header, content);
    }
    let Some(source) = &endpoint.key else { return Ok(headers) };
    let key = Key::read(source)?;
    if !endpoint.url.is_encrypted() && !endpoint.url.is_local() {
        tracing::warn!(
            endpoint = endpoint.name,
            "the key is sent over http, where others can read it: use https"
        );
    }
    let (name, value) = match &endpoint.key_header {
        Some(name) => (HeaderName::from_bytes(name.as_bytes()).ok(), key.reveal().to_owned()),
        None => (Some(AUTHORIZATION), format!("Bearer {}", key.reveal())),
    };
    let (Some(name), Ok(mut value)) = (name, HeaderValue::from_str(&value)) else {
        return Err("the key cannot be sent in a header".into());
    };
    value.set_sensitive(true);
    headers.insert(name, value);
    secrets.add(key.reveal());
    Ok(headers)
}

/// Whether a header or a parameter may hold a key.
fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    value.len() >= 20 || ["auth", "key", "token", "secret", "cookie"].iter().any(|word| name.contains(word))
}

fn http(endpoint: &Endpoint, pace: Pace) -> reqwest::Result<reqwest::Client> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Whoever was faster has installed the same.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("codementor/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(pace.connect)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .tcp_nodelay(true)
        .referer(false)
        // A key is for the endpoint that was configured, and for nobody that it points to.
        .redirect(reqwest::redirect::Policy::none());
    if endpoint.url.is_local() {
        builder = builder.no_proxy();
    }
    if !endpoint.url.is_encrypted() {
        // Certificates of the system are not needed, and some containers have none.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}
