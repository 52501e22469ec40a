//! Health and metrics over HTTP, on a port of their own.
//!
//! ```text
//! GET /healthz   200 while the process answers
//! GET /readyz    200 when submissions would be judged; else 503 with what is missing, a line each
//! GET /metrics   the text format of Prometheus, version 0.0.4
//! ```
//!
//! What is asked here changes nothing and tells nothing about anybody: numbers, and no names of people.

mod metrics;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

pub(crate) use metrics::Metrics;

use crate::feedback::Feedback;
use crate::judge::Slots;
use crate::nats::streams::{self, Judges};
use crate::queue::Core;

/// How many connections are served at a time; further ones wait.
const CONNECTIONS: usize = 64;
/// How long a request may take to arrive.
const HEADERS: Duration = Duration::from_secs(10);
/// How long a connection may last.
const CONNECTION: Duration = Duration::from_secs(60);
/// How long each thing that is asked on behalf of a request may take.
const ANSWER: Duration = Duration::from_secs(3);
/// How long to wait when no connection can be taken: there are no free files, for one.
const BREATH: Duration = Duration::from_millis(100);
/// The content type of Prometheus' text format.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is looked at to answer.
pub(crate) struct Monitor {
    pub(crate) core: Core,
    pub(crate) feedback: Feedback,
    /// The slots of the judge in this process, if there is one.
    pub(crate) slots: Option<Slots>,
    /// What is wrong with its engine, if something is.
    pub(crate) engine_error: watch::Receiver<Option<String>>,
    /// When the certificate of the NATS server ends, where it has one.
    pub(crate) certificate_ends: watch::Receiver<Option<std::time::SystemTime>>,
}

/// What a look at all parts has found.
struct Seen {
    database: Result<(), String>,
    nats: Result<Judges, String>,
}

impl Monitor {
    /// Answers until the daemon ends.
    pub(crate) async fn run(self, listener: TcpListener) {
        let (monitor, permits) = (Arc::new(self), Arc::new(Semaphore::new(CONNECTIONS)));
        loop {
            let Ok(permit) = permits.clone().acquire_owned().await else { return };
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "a connection for metrics could not be taken");
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            };
            let monitor = monitor.clone();
            tokio::spawn(async move {
                // Whoever goes away in the middle of an answer loses nothing.
                let _ = timeout(CONNECTION, monitor.serve(stream)).await;
                drop(permit);
            });
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream) -> Result<(), hyper::Error> {
        let service = service_fn(|request| {
            let monitor = self.clone();
            async move { Ok::<_, Infallible>(monitor.answer(&request).await) }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS)
            .serve_connection(TokioIo::new(stream), service)
            .await
    }

    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered\n");
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        match request.uri().path() {
            "/healthz" => text(StatusCode::OK, "ok\n"),
            "/readyz" => match self.look().await.missing().as_slice() {
                [] => text(StatusCode::OK, "ready\n"),
                missing => text(StatusCode::SERVICE_UNAVAILABLE, missing.join("\n") + "\n"),
            },
            "/metrics" => match self.metrics().await {
                Ok(body) => {
                    let mut response = text(StatusCode::OK, body);
                    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROMETHEUS));
                    response
                }
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, reason + "\n"),
            },
            _ => text(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics\n"),
        }
    }

    async fn look(&self) -> Seen {
        // Writing nothing takes the way of every write: the queue, the writer, a commit.
        let database = timeout(ANSWER, self.core.store.write(crate::store::probe));
        let judges = timeout(ANSWER, streams::judges(&self.core.jetstream));
        let (database, nats) = tokio::join!(database, judges);
        Seen {
            database: match database {
                Ok(written) => written.map_err(|error| error.to_string()),
                Err(_) => Err("the database does not answer".into()),
            },
            nats: match nats {
                Ok(judges) => judges.map_err(|error| error.to_string()),
                Err(_) => Err("the NATS server does not answer".into()),
            },
        }
    }

    async fn metrics(&self) -> Result<String, String> {
        let seen = self.look().await;
        let backlog = self.core.store.read(crate::submissions::backlog);
        let backlog =
            timeout(ANSWER, backlog).await.map_err(|_| "the database does not answer".to_owned())?;
        let backlog = backlog.map_err(|error| error.to_string())?;
        let feedback = self.feedback.status().await.map_err(|error| error.to_string())?;
        self.core.metrics.render(&metrics::Moment {
            backlog: &backlog,
            feedback: &feedback,
            judges: seen.nats.as_ref().ok().copied(),
            ready: seen.missing().is_empty(),
            database: seen.database.is_ok(),
            own_slots: self.slots.as_ref().map(|slots| (slots.busy(), slots.total())),
            engine: self.slots.as_ref().map(|_| self.engine_error.borrow().is_none()),
            certificate_ends: *self.certificate_ends.borrow(),
        })
    }
}

impl Seen {
    /// What keeps submissions from being judged.
    fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        if let Err(reason) = &self.database {
            missing.push(format!("the database cannot be written: {reason}"));
        }
        match &self.nats {
            Err(reason) => missing.push(format!("the NATS server cannot be used: {reason}")),
            Ok(judges) if judges.free + judges.busy == 0 => {
                missing.push("no judge is ready: is there one, and does its container engine answer?".into());
            }
            Ok(_) => {}
        }
        missing
    }
}

/// Listens for it.
pub(crate) async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

fn text(status: StatusCode, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
