//! One connection to NATS: typed requests, and what the server says besides.
//!
//! The server enforces that this user publishes to its own subjects and hears its own inbox; what it denies surfaces
//! as silence, so its complaints are listened to beside each request, and every wait has an end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{
    AuthError, ConnectErrorKind, ConnectOptions, Event, ReconnectToServer, RequestErrorKind, ServerError,
    Subscriber,
};
use codementor_protocol::{Enrol, Enrolled, Refusal, Reply, Request, UserName, subject};
use codementord::nats::auth::Role;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::error::{CliError, ExitStatus};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take: it is a look-up or one transaction.
const ANSWER: Duration = Duration::from_secs(15);
/// How long somebody who listens is waited for.
const UNHEARD: Duration = Duration::from_secs(3);
/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(50);

/// Why the server cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers there.
    #[error("cannot reach the NATS server at {url}: {reason}")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not know the credentials.
    #[error("the NATS server at {url} does not accept the credentials: {reason}")]
    NotAccepted {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The credentials do not permit this.
    #[error("the credentials do not permit this: {0}")]
    NotPermitted(String),
    /// The credentials cannot be read.
    #[error("cannot read the credentials {}: {source}", path.display())]
    NoCredentials {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The credentials are not what they should be.
    #[error("the credentials {} are not a NATS credentials file: {reason}", path.display())]
    BadCredentials {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The server is there, the daemon is not.
    #[error("the NATS server is there, but no daemon answers")]
    NobodyListens,
    /// No answer came.
    #[error("the daemon did not answer '{verb}' within {} s", ANSWER.as_secs())]
    NoAnswer {
        /// The request.
        verb: &'static str,
    },
    /// The connection broke.
    #[error("the connection to the NATS server broke")]
    Lost,
    /// More than one message may hold.
    #[error("the request is larger than the NATS server allows ({limit} bytes)")]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// An answer that is none.
    #[error("the daemon's answer to '{verb}' cannot be read: {reason}")]
    Malformed {
        /// The request.
        verb: &'static str,
        /// Why.
        reason: String,
    },
}

impl ClientError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Unreachable { .. } | Self::NobodyListens | Self::NoAnswer { .. } | Self::Lost => {
                ExitStatus::Unreachable
            }
            Self::NotAccepted { .. }
            | Self::NotPermitted(_)
            | Self::NoCredentials { .. }
            | Self::BadCredentials { .. } => ExitStatus::Login,
            Self::TooLarge { .. } => ExitStatus::Usage,
            Self::Malformed { .. } => ExitStatus::OurFault,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unreachable { .. } => {
                    "is the address right, and the server running? Without --nats-url a private one is started"
                }
                Self::NotAccepted { .. } | Self::NotPermitted(_) => {
                    "ask for new credentials, and name them with --creds FILE"
                }
                Self::NoCredentials { .. } | Self::BadCredentials { .. } => {
                    "name the file that you were given with --creds FILE"
                }
                Self::NobodyListens | Self::NoAnswer { .. } | Self::Lost => {
                    "nothing that was accepted is lost; try again, or see: codementor status"
                }
                Self::TooLarge { .. } => "send less",
                Self::Malformed { .. } => "are the command and the daemon of the same version? See: codementor status",
            }
            .into(),
        )
    }

    /// Whether a new connection may help, at once or a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NobodyListens | Self::NoAnswer { .. } | Self::Lost)
    }
}

/// A user's credentials: the JWT that a server knows, and the key whose other half never leaves this machine.
#[derive(Clone)]
pub struct Credentials {
    /// Who it is.
    pub user: UserName,
    jwt: String,
    key: Arc<nkeys::KeyPair>,
}

impl Credentials {
    /// Reads a credentials file.
    pub fn read(path: &std::path::Path) -> Result<Self, ClientError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ClientError::NoCredentials { path: path.into(), source })?;
        Self::parse(&text).map_err(|reason| ClientError::BadCredentials { path: path.into(), reason })
    }

    /// Reads the text of a credentials file.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let jwt = section(text, "NATS USER JWT").ok_or("it has no JWT")?;
        let seed = section(text, "USER NKEY SEED").ok_or("it has no seed")?;
        let key = nkeys::KeyPair::from_seed(seed).map_err(|_| "its seed is damaged")?;
        Ok(Self { user: name_in(jwt)?, jwt: jwt.into(), key: Arc::new(key) })
    }

    /// The text of a credentials file for a key made here.
    pub fn compose(jwt: &str, seed: &str) -> String {
        format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
        )
    }
}

/// The line between the two marks of a section.
fn section<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("---") && line.contains(&format!("BEGIN {name}")))?;
    lines.find(|line| !line.is_empty()).filter(|line| !line.starts_with("---"))
}

/// The user's name in a JWT. Nothing is verified: the server does that.
fn name_in(jwt: &str) -> Result<UserName, &'static str> {
    #[derive(Deserialize)]
    struct Claims {
        name: String,
    }
    let payload = jwt.split('.').nth(1).ok_or("its JWT has no payload")?;
    let payload = data_encoding::BASE64URL_NOPAD
        .decode(payload.as_bytes())
        .map_err(|_| "the payload of its JWT is damaged")?;
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| "its JWT names no user")?;
    UserName::new(claims.name).map_err(|_| "its JWT names a user that cannot be one")
}

/// What the connection is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Link {
    lost: bool,
    /// How often the server has complained, and its newest complaint.
    complaints: u64,
    complaint: String,
}

/// A connection. Cheap to clone; all clones are one connection.
#[derive(Clone)]
pub struct Client {
    nats: async_nats::Client,
    user: UserName,
    link: watch::Receiver<Link>,
}

impl Client {
    /// Connects as the owner of `credentials`.
    pub async fn connect(url: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        Self::dial(url, credentials, subject::inbox(&credentials.user)).await
    }

    /// Connects with the credential that may only enrol.
    pub async fn connect_to_enrol(url: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        Self::dial(url, credentials, Role::Enrol.inbox(credentials.user.as_str())).await
    }

    async fn dial(url: &str, credentials: &Credentials, inbox: String) -> Result<Self, ClientError> {
        let (sender, link) = watch::channel(Link::default());
        let key = credentials.key.clone();
        let options = ConnectOptions::with_jwt(credentials.jwt.clone(), move |nonce| {
            let key = key.clone();
            async move { key.sign(&nonce).map_err(AuthError::new) }
        });
        let options = options
            .name("codementor")
            // Without a prefix of its own, the user may not hear the answers.
            .custom_inbox_prefix(inbox)
            .connection_timeout(CONNECT)
            // By default even the first attempt begins with a sleep of no time, which takes a millisecond. With
            // several servers, and after a failure, the default order and its pauses are right.
            .reconnect_to_server_callback(|servers, _| async move {
                let [only] = servers.as_slice() else { return None };
                let fresh = only.failed_attempts == 0 && !only.did_connect;
                fresh.then(|| ReconnectToServer { addr: only.addr.clone(), delay: Some(Duration::ZERO) })
            })
            .event_callback(move |event| {
                note(&sender, event);
                async {}
            });
        let connecting = tokio::time::timeout(CONNECT, options.connect(url)).await;
        let unreachable = |reason: String| ClientError::Unreachable { url: url.into(), reason };
        match connecting {
            Ok(Ok(nats)) => Ok(Self { nats, user: credentials.user.clone(), link }),
            Ok(Err(error)) => Err(match error.kind() {
                ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                    ClientError::NotAccepted { url: url.into(), reason: error.to_string() }
                }
                _ => unreachable(error.to_string()),
            }),
            Err(_) => Err(unreachable("it does not answer".into())),
        }
    }

    /// Who this is.
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// Whether the connection is broken at this moment.
    pub fn is_lost(&self) -> bool {
        self.link.borrow().lost
    }

    /// Waits until the connection breaks.
    pub async fn lost(&self) {
        let mut link = self.link.clone();
        // The sender lives as long as the connection's task: that it is gone means the same.
        let _ = link.wait_for(|link| link.lost).await;
    }

    /// Waits until a broken connection stands again.
    pub async fn restored(&self) {
        let mut link = self.link.clone();
        if link.wait_for(|link| !link.lost).await.is_err() {
            // The connection was closed for good; whoever waits has a time-out.
            std::future::pending::<()>().await;
        }
    }

    /// Hears the events of all of the user's submissions, also of one that is about to be made.
    pub async fn hear_events(&self) -> Result<Subscriber, ClientError> {
        self.nats.subscribe(subject::all_events(&self.user)).await.map_err(|_| ClientError::Lost)
    }

    /// Asks the daemon.
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Reply, CliError> {
        let subject = subject::request(&self.user, R::VERB);
        let reply: Result<R::Reply, Refusal> = self.ask(subject, R::VERB, request).await?;
        Ok(reply?)
    }

    /// Asks to be let in under a key made here.
    pub async fn enrol(&self, enrol: &Enrol) -> Result<Enrolled, CliError> {
        Ok(self.ask(subject::ENROL.into(), "enrol", enrol).await??)
    }

    /// Asks again for a moment where nobody listens: after the server was started again the daemon may not have come
    /// back yet, and what nobody has heard can be said twice.
    async fn ask<T: DeserializeOwned>(
        &self,
        subject: String,
        verb: &'static str,
        request: &impl serde::Serialize,
    ) -> Result<Result<T, Refusal>, ClientError> {
        let until = Instant::now() + UNHEARD;
        loop {
            match self.ask_once(subject.clone(), verb, request).await {
                Err(ClientError::NobodyListens) if Instant::now() < until => tokio::time::sleep(AGAIN).await,
                answered => return answered,
            }
        }
    }

    async fn ask_once<T: DeserializeOwned>(
        &self,
        subject: String,
        verb: &'static str,
        request: &impl serde::Serialize,
    ) -> Result<Result<T, Refusal>, ClientError> {
        let payload = serde_json::to_vec(request)
            .map_err(|error| ClientError::Malformed { verb, reason: error.to_string() })?;
        let mut link = self.link.clone();
        let before = link.borrow_and_update().complaints;
        let request = async_nats::Request::new().payload(payload.into()).timeout(Some(ANSWER));
        let reply = tokio::select! {
            reply = self.nats.send_request(subject, request) => reply,
            denied = link.wait_for(|link| link.complaints > before || link.lost) => {
                return Err(match denied {
                    Ok(link) if link.complaints > before => ClientError::NotPermitted(link.complaint.clone()),
                    _ => ClientError::Lost,
                });
            }
        };
        let message = reply.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => ClientError::NobodyListens,
            RequestErrorKind::TimedOut => ClientError::NoAnswer { verb },
            RequestErrorKind::MaxPayloadExceeded => ClientError::TooLarge { limit: self.nats.max_payload() },
            RequestErrorKind::InvalidSubject | RequestErrorKind::Other => ClientError::Lost,
        })?;
        serde_json::from_slice::<Reply<T>>(&message.payload)
            .map(Result::from)
            .map_err(|error| ClientError::Malformed { verb, reason: error.to_string() })
    }
}

fn note(sender: &watch::Sender<Link>, event: Event) {
    sender.send_if_modified(|link| match event {
        Event::Connected => std::mem::replace(&mut link.lost, false),
        Event::Disconnected | Event::Closed => !std::mem::replace(&mut link.lost, true),
        Event::ServerError(ServerError::Other(complaint)) => {
            link.complaints += 1;
            link.complaint = complaint;
            true
        }
        Event::ServerError(ServerError::AuthorizationViolation) => {
            link.complaints += 1;
            link.complaint = "authorization violation".into();
            true
        }
        // What a slow consumer missed shows as a gap, and is read again.
        Event::SlowConsumer(_)
        | Event::ServerError(ServerError::SlowConsumer(_))
        | Event::ClientError(_)
        | Event::LameDuckMode
        | Event::Draining => false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", data_encoding::BASE64URL_NOPAD.encode(payload.as_bytes()))
    }

    #[test]
    fn credentials_are_read_as_they_are_written() {
        let key = nkeys::KeyPair::new_user();
        let seed = key.seed().expect("a new key has its seed");
        let text = Credentials::compose(&jwt(r#"{"name":"kim","sub":"U"}"#), &seed);
        let read = Credentials::parse(&text).expect("it is read");
        assert_eq!(read.user.as_str(), "kim");
        assert_eq!(read.key.public_key(), key.public_key());
    }

    #[test]
    fn what_is_wrong_with_credentials_is_said() {
        let seed = nkeys::KeyPair::new_user().seed().expect("a new key has its seed");
        let table = [
            ("".into(), "it has no JWT"),
            (Credentials::compose("", &seed), "it has no JWT"),
            (Credentials::compose(&jwt(r#"{"name":"kim"}"#), ""), "it has no seed"),
            (Credentials::compose(&jwt(r#"{"name":"kim"}"#), "SUAAA"), "its seed is damaged"),
            (Credentials::compose("nothing", &seed), "its JWT has no payload"),
            (Credentials::compose(&jwt("{}"), &seed), "its JWT names no user"),
            (
                Credentials::compose(&jwt(r#"{"name":"a.b"}"#), &seed),
                "its JWT names a user that cannot be one",
            ),
        ];
        for (text, reason) in table {
            assert_eq!(Credentials::parse(&text).err(), Some(reason), "{text}");
        }
    }
}
