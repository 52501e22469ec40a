//! Connecting to NATS: the user's inbox, our time-outs, what the server refuses, and when to give up.
//!
//! The client connects again by itself for as long as it lives, with two exceptions. It would also go on, in a tight
//! loop, with a credential that has expired or was revoked; so a refused credential parks it: from then on it waits
//! an hour between tries, [`LinkEvent::Refused`] says so, and the owner drops it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerError};
use futures::StreamExt;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::auth::Creds;
use super::server::Version;
use super::tls::{Trust, TrustError};

/// The oldest server that has what we use: several filters on a consumer, strict creation, `sync_interval`.
const OLDEST: Version = Version::new(2, 10, 0);
/// The oldest server without a published hole that matters here.
const OLDEST_SAFE: Version = Version::new(2, 11, 16);
/// How long one try to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a request waits for its reply, where the caller sets nothing shorter.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a silent connection is tested; two unanswered tests end it.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// The longest pause between two tries to connect again.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
/// How long a client whose credential is refused waits between tries.
const PARKED: Duration = Duration::from_secs(3600);
/// After so many refusals in a row, a credential that the server does not call expired or revoked counts as refused.
/// The first may come from a server that has just started and has not read its accounts.
const REFUSALS: u32 = 4;

/// What a connection needs.
pub struct Connect<'a> {
    /// Where the server is.
    pub url: &'a str,
    /// Who connects.
    pub creds: &'a Creds,
    /// How the server lists the connection.
    pub name: &'a str,
    /// The user's inbox prefix, from [`super::auth::Role::inbox`]: any other is refused to it.
    pub inbox_prefix: &'a str,
    /// What to do when the server cannot be reached.
    pub initial: Initial,
    /// Is told what happens to the connection; must not block.
    pub on_event: Option<OnEvent>,
}

/// What is told of a connection's events.
pub type OnEvent = Arc<dyn Fn(LinkEvent) + Send + Sync>;

/// What to do when the server cannot be reached at first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial {
    /// Say so.
    Once,
    /// Try again until this has passed. A credential that is refused ends it at once.
    Within(Duration),
}

/// What happens to a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkEvent {
    /// The connection is there, for the first time or again.
    Connected,
    /// The connection is lost; the client connects again by itself.
    Disconnected,
    /// The server forbids something. The call that did it gets no answer: a request ends in a time-out.
    Denied {
        /// What was tried.
        action: Action,
        /// On which subject.
        subject: String,
    },
    /// The server does not accept the credential, or no longer. The client does not come back.
    Refused(Refused),
    /// Anything else that the server or the client reports.
    Other(String),
}

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Sending to a subject.
    Publish,
    /// Listening to a subject.
    Subscribe,
}

/// Why a credential is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Its time is over.
    #[error("the credential has expired")]
    Expired,
    /// It was revoked.
    #[error("the credential was revoked")]
    Revoked,
    /// The server does not say why: it does not know the account, or the credential was revoked earlier.
    #[error("the NATS server does not accept the credential")]
    Unknown,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credential is no good.
    #[error("the NATS server at {url} does not accept the credential of {user}")]
    Refused {
        /// The server.
        url: String,
        /// Whose credential it is.
        user: String,
    },
    /// The seed of the credential is no seed.
    #[error("the credential cannot sign: {0}")]
    Seed(#[from] nkeys::error::Error),
    /// What the server is to be trusted by is none.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The server is not who it should be, as far as certificates tell.
    #[error("the NATS server at {url} cannot be trusted: {reason}")]
    Untrusted {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not answer.
    #[error("no NATS server answers at {url}: {reason}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why.
        reason: String,
    },
}

/// Why a server is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the NATS server is version {found}, which lacks what CodeMentor needs: use {OLDEST} or newer, best {pinned}", pinned = super::server::PINNED)]
pub struct TooOld {
    /// What the server says it is.
    pub found: String,
}

/// Connects to a server that the system trusts, or that needs no trust.
pub async fn connect(settings: Connect<'_>) -> Result<Client, ConnectError> {
    connect_trusting(settings, &Trust::System).await
}

/// Connects. The client that comes back connects again by itself whenever the connection is lost.
pub async fn connect_trusting(settings: Connect<'_>, trust: &Trust) -> Result<Client, ConnectError> {
    let deadline = match settings.initial {
        Initial::Once => None,
        Initial::Within(duration) => Some(Instant::now() + duration),
    };
    let link = Arc::new(Link {
        name: settings.name.to_owned(),
        parked: AtomicBool::new(false),
        refusals: AtomicU32::new(0),
        on_event: settings.on_event.clone(),
    });
    let mut pause = Duration::from_millis(20);
    loop {
        let error = match options(&settings, &link, trust)?.connect(settings.url).await {
            Ok(client) => return Ok(client),
            Err(error) => error,
        };
        if matches!(error.kind(), ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication)
        {
            let user = settings.creds.user_name().unwrap_or_else(|| "an unreadable user".into());
            return Err(ConnectError::Refused { url: settings.url.into(), user });
        }
        let text = reason(&error);
        if text.contains("certificate") {
            return Err(ConnectError::Untrusted { url: settings.url.into(), reason: text });
        }
        let retryable =
            matches!(error.kind(), ConnectErrorKind::Io | ConnectErrorKind::TimedOut | ConnectErrorKind::Dns);
        match deadline {
            Some(deadline) if retryable && Instant::now() + pause < deadline => {
                debug!(url = settings.url, %error, "no connection yet");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(500));
            }
            _ => {
                return Err(ConnectError::Unreachable { url: settings.url.into(), reason: text });
            }
        }
    }
}

/// Refuses a server that lacks what we use, and warns of one with published holes. The caller has connected.
pub fn check_version(client: &Client) -> Result<(), TooOld> {
    let found = client.server_info().version;
    match found.parse::<Version>() {
        Ok(version) if version >= OLDEST => {
            if version < OLDEST_SAFE {
                warn!(
                    "the NATS server is {version}: versions before {OLDEST_SAFE} have published security holes"
                );
            }
            Ok(())
        }
        _ => Err(TooOld { found }),
    }
}

/// Waits until the server knows every subscription that this client has made. The client's own flush only waits until
/// they are sent, so that a message on another connection can overtake them. By users who may publish to their own
/// inbox, as the daemon; for others, a request that is sent after the subscription and answered says the same.
pub async fn settle(client: &Client) -> Result<(), NotSettled> {
    let inbox = client.new_inbox();
    let round_trip = async {
        let mut echo = client.subscribe(inbox.clone()).await.map_err(|_| NotSettled)?;
        client.publish(inbox, Default::default()).await.map_err(|_| NotSettled)?;
        echo.next().await.map(drop).ok_or(NotSettled)
    };
    tokio::time::timeout(REQUEST_TIMEOUT, round_trip).await.map_err(|_| NotSettled)?
}

/// The server did not return a message in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the NATS server does not answer")]
pub struct NotSettled;

fn options(settings: &Connect<'_>, link: &Arc<Link>, trust: &Trust) -> Result<ConnectOptions, ConnectError> {
    let key = Arc::new(nkeys::KeyPair::from_seed(&settings.creds.seed)?);
    let sign = move |nonce: Vec<u8>| {
        let key = key.clone();
        async move { key.sign(&nonce).map_err(async_nats::AuthError::new) }
    };
    let (delays, events) = (link.clone(), link.clone());
    let options = match trust.client_config()? {
        Some(config) => ConnectOptions::with_jwt(settings.creds.jwt.clone(), sign).tls_client_config(config),
        None => ConnectOptions::with_jwt(settings.creds.jwt.clone(), sign),
    };
    Ok(options
        .name(settings.name)
        .custom_inbox_prefix(settings.inbox_prefix)
        .connection_timeout(CONNECT_TIMEOUT)
        .request_timeout(Some(REQUEST_TIMEOUT))
        .ping_interval(PING_INTERVAL)
        // A server that announces its other addresses would have clients leave loopback.
        .ignore_discovered_servers()
        .reconnect_delay_callback(move |attempts| delays.delay(attempts))
        .event_callback(move |event| {
            let events = events.clone();
            async move { events.on(event) }
        }))
}

/// The whole chain of an error's causes.
pub fn reason(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some errors print their cause themselves.
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// What is remembered of a connection between its events.
struct Link {
    name: String,
    parked: AtomicBool,
    refusals: AtomicU32,
    on_event: Option<OnEvent>,
}

impl Link {
    /// The pause before a try; the first is at once, so that a restarted server is found as soon as it listens.
    fn delay(&self, attempts: usize) -> Duration {
        if self.parked.load(Ordering::Relaxed) {
            return PARKED;
        }
        match attempts {
            0 | 1 => Duration::ZERO,
            n => (Duration::from_millis(10) * (1 << n.min(10) as u32)).min(MAX_RETRY_DELAY),
        }
    }

    fn on(&self, event: Event) {
        let event = self.classify(event);
        match &event {
            LinkEvent::Connected => {
                self.refusals.store(0, Ordering::Relaxed);
                debug!(link = self.name, "connected to NATS");
            }
            LinkEvent::Disconnected => info!(link = self.name, "the connection to NATS is lost"),
            LinkEvent::Denied { action, subject } => {
                warn!(link = self.name, ?action, subject, "NATS forbids it");
            }
            LinkEvent::Refused(refused) => {
                // Only the first time: a server may say so on each try before the client is parked.
                if self.parked.swap(true, Ordering::Relaxed) {
                    return;
                }
                warn!(link = self.name, "{refused}");
            }
            LinkEvent::Other(text) => debug!(link = self.name, text),
        }
        if let Some(on_event) = &self.on_event {
            on_event(event);
        }
    }

    fn classify(&self, event: Event) -> LinkEvent {
        let text = match event {
            Event::Connected => return LinkEvent::Connected,
            Event::Disconnected => return LinkEvent::Disconnected,
            Event::ServerError(ServerError::AuthorizationViolation) => "authorization violation".to_owned(),
            Event::ServerError(ServerError::Other(text)) => text,
            Event::ClientError(async_nats::ClientError::Other(text)) => text,
            other => return LinkEvent::Other(other.to_string()),
        };
        let lower = text.to_lowercase();
        if let Some((action, subject)) = denied(&text) {
            LinkEvent::Denied { action, subject }
        } else if lower.contains("user authentication expired") {
            LinkEvent::Refused(Refused::Expired)
        } else if lower.contains("user authentication revoked") {
            LinkEvent::Refused(Refused::Revoked)
        } else if lower.contains("authorization violation")
            && self.refusals.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSALS
        {
            LinkEvent::Refused(Refused::Unknown)
        } else {
            LinkEvent::Other(text)
        }
    }
}

/// What a server's refusal is about: `Permissions Violation for Publish to "cm.job.batch.c"`.
fn denied(text: &str) -> Option<(Action, String)> {
    let rest = text.strip_prefix("Permissions Violation for ")?;
    let action = if rest.starts_with("Publish") { Action::Publish } else { Action::Subscribe };
    let subject = rest.split('"').nth(1)?;
    Some((action, subject.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link {
            name: "test".into(),
            parked: AtomicBool::new(false),
            refusals: AtomicU32::new(0),
            on_event: None,
        }
    }

    fn said(text: &str) -> Event {
        Event::ServerError(ServerError::Other(text.into()))
    }

    #[test]
    fn what_the_server_says_is_understood() {
        let link = link();
        let table = [
            (
                r#"Permissions Violation for Publish to "cm.job.batch.c""#,
                LinkEvent::Denied { action: Action::Publish, subject: "cm.job.batch.c".into() },
            ),
            (
                r#"Permissions Violation for Subscription to "cm.ev.lee.>" using queue "q""#,
                LinkEvent::Denied { action: Action::Subscribe, subject: "cm.ev.lee.>".into() },
            ),
            ("User Authentication Expired", LinkEvent::Refused(Refused::Expired)),
            ("User Authentication Revoked", LinkEvent::Refused(Refused::Revoked)),
            ("Stale Connection", LinkEvent::Other("Stale Connection".into())),
        ];
        for (text, expected) in table {
            assert_eq!(link.classify(said(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_refused_credential_parks_the_client() {
        let link = link();
        assert_eq!(link.delay(1), Duration::ZERO);
        assert!(link.delay(60) <= MAX_RETRY_DELAY);
        link.on(said("User Authentication Revoked"));
        assert_eq!(link.delay(1), PARKED);
    }

    #[test]
    fn one_violation_is_not_yet_a_refusal() {
        let link = link();
        for _ in 1..REFUSALS {
            link.on(Event::ServerError(ServerError::AuthorizationViolation));
            assert!(link.delay(2) < PARKED);
        }
        link.on(Event::ServerError(ServerError::AuthorizationViolation));
        assert_eq!(link.delay(2), PARKED);
    }
}
