//! One connection to NATS: typed requests, and what the server says besides.
//!
//! The server enforces that this user publishes to its own subjects and hears its own inbox; what it denies surfaces
//! as silence, so its complaints are listened to beside each request, and every wait has an end.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_nats::{
    AuthError, ConnectErrorKind, ConnectOptions, Event, ReconnectToServer, RequestErrorKind, ServerError,
    Subscriber,
};
use codementor_protocol::{Enrol, Enrolled, Refusal, Reply, Request, UserName, subject};
use codementord::nats::auth::Role;
use codementord::nats::connect::reason;
use codementord::nats::tls::Trust;
use codementord::settings::DaemonFile;
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio::time::Instant;

pub use crate::credentials::Credentials;
use crate::error::{CliError, ExitStatus};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take: it is a look-up or one transaction.
const ANSWER: Duration = Duration::from_secs(15);
/// How long somebody who listens is waited for.
const UNHEARD: Duration = Duration::from_secs(3);
/// How long to wait before asking again.
const AGAIN: Duration = Duration::from_millis(50);
/// The longest pause between two tries to connect again.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(2);
/// How long a client whose credentials are refused waits between tries: for longer than any command lives.
const PARKED: Duration = Duration::from_secs(24 * 3600);
/// After so many refusals in a row, credentials that the server does not call expired or revoked count as refused. The
/// first may come from a server that has just started and has not read its accounts.
const REFUSALS: u32 = 4;
/// The name under which those who have no credentials ask to be let in.
const NOBODY: &str = "enrol";

/// Why the server cannot be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing answers there.
    #[error("{}", t!("cannot reach the NATS server at {url}: {reason}", url, reason))]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server is not who it should be, as far as certificates tell.
    #[error("{}", t!("the server at {url} cannot be trusted: {reason}", url, reason))]
    Untrusted {
        /// Where.
        url: String,
        /// Why.
        reason: String,
    },
    /// The server does not know the credentials.
    #[error("{}", t!("the server at {url} does not accept the credentials: {reason}", url, reason))]
    NotAccepted {
        /// Where.
        url: String,
        /// Why.
        reason: Refused,
    },
    /// The server lets in nobody without credentials.
    #[error("{}", t!("the server at {url} lets nobody in without credentials", url))]
    NotAnonymous {
        /// Where.
        url: String,
    },
    /// The credentials do not permit this.
    #[error("{}", t!("the credentials do not permit this: {text}", text = .0))]
    NotPermitted(String),
    /// The credentials cannot be read.
    #[error("{}", t!("cannot read the credentials {path}: {source}", path = path.display(), source))]
    NoCredentials {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The credentials are not what they should be.
    #[error("{}", t!("the credentials {path} are none: {reason}", path = path.display(), reason))]
    BadCredentials {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The certificate to trust a server by cannot be read.
    #[error("{}", t!("cannot read the certificate {path}: {source}", path = path.display(), source))]
    NoCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}", t!("{path} is no certificate: {reason}", path = path.display(), reason))]
    BadCertificate {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: &'static str,
    },
    /// The server is there, the daemon is not.
    #[error("{}", t!("the NATS server is there, but no daemon answers"))]
    NobodyListens,
    /// No answer came.
    #[error("{}", t!(
        "the daemon did not answer '{verb}' within {seconds} s",
        verb, seconds = ANSWER.as_secs()
    ))]
    NoAnswer {
        /// The request.
        verb: &'static str,
    },
    /// The connection broke.
    #[error("{}", t!("the connection to the NATS server broke"))]
    Lost,
    /// What was typed is no address of a server.
    #[error("{}", t!("'{text}' is no address of a server: {reason}", text, reason))]
    BadAddress {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// More than one message may hold.
    #[error("{}", t!("the request is larger than the NATS server allows ({limit} bytes)", limit))]
    TooLarge {
        /// The bound.
        limit: usize,
    },
    /// An answer that is none.
    #[error("{}", t!("the daemon's answer to '{verb}' cannot be read: {reason}", verb, reason))]
    Malformed {
        /// The request.
        verb: &'static str,
        /// Why.
        reason: String,
    },
}

/// Why credentials are not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Their time is over.
    #[error("{}", t!("they have expired"))]
    Expired,
    /// They were given up, or their user was cut off.
    #[error("{}", t!("they were revoked"))]
    Revoked,
    /// The server does not say why.
    #[error("{}", t!("they were revoked, or are for another server"))]
    Unknown,
}

impl ClientError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::NobodyListens
            | Self::NoAnswer { .. }
            | Self::Lost => ExitStatus::Unreachable,
            Self::NotAccepted { .. }
            | Self::NotAnonymous { .. }
            | Self::NotPermitted(_)
            | Self::NoCredentials { .. }
            | Self::BadCredentials { .. } => ExitStatus::Login,
            Self::NoCertificate { .. }
            | Self::BadCertificate { .. }
            | Self::TooLarge { .. }
            | Self::BadAddress { .. } => ExitStatus::Usage,
            Self::Malformed { .. } => ExitStatus::OurFault,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::Unreachable { .. } => {
                    t!("is the address right, and the server running? The private daemon is: --context \
                        private")
                }
                Self::Untrusted { .. } => {
                    t!("is the clock of this machine right? A certificate of the server's own is named when \
                        you join, with --ca FILE")
                }
                Self::NotAccepted { reason: Refused::Expired, .. } => {
                    t!("is there another machine that you are logged in on? There: codementor pair. Else \
                        ask your instructor; then: codementor join SERVER CODE")
                }
                Self::NotAccepted { .. } => {
                    t!("ask your instructor for a code, then: codementor join SERVER CODE")
                }
                Self::NotAnonymous { .. } => {
                    t!("its NATS server may be too old: ask for the file enrol.creds and pass it with \
                        --creds FILE")
                }
                Self::NotPermitted(_) => t!("codementor whoami says who you are there"),
                Self::NoCredentials { .. } | Self::BadCredentials { .. } => {
                    t!("name the file that you were given with --creds FILE")
                }
                Self::NoCertificate { .. } | Self::BadCertificate { .. } => {
                    t!("--ca names the file with the server's certificate that came with the code")
                }
                Self::NobodyListens | Self::NoAnswer { .. } | Self::Lost => {
                    t!("nothing that was accepted is lost; try again, or see: codementor status")
                }
                Self::BadAddress { .. } => t!("write it as judge.example.org, or as your instructor gave it"),
                Self::TooLarge { .. } => t!("send less"),
                Self::Malformed { .. } => {
                    t!("are the command and the daemon of the same version? See: codementor status")
                }
            }
            .into(),
        )
    }

    /// Whether a new connection may help, at once or a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NobodyListens | Self::NoAnswer { .. } | Self::Lost)
    }
}

/// What the connection is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Link {
    lost: bool,
    /// Set once and for all when the credentials are refused: the connection does not come back.
    refused: Option<Refused>,
    /// How often the server has refused them in a row without saying why.
    refusals: u32,
    /// How often the server has complained, and its newest complaint.
    complaints: u64,
    complaint: String,
}

/// A connection. Cheap to clone; all clones are one connection.
#[derive(Clone)]
pub struct Client {
    nats: async_nats::Client,
    url: String,
    user: UserName,
    link: watch::Receiver<Link>,
}

impl Client {
    /// Connects as the owner of `credentials`.
    pub async fn connect(url: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        Self::connect_trusting(url, credentials, trust(credentials.certificates.as_deref())).await
    }

    /// Connects as the owner of `credentials` to the server of a daemon on this machine, which is told by the
    /// certificate that it has, and not by a name.
    pub async fn connect_here(file: &DaemonFile, credentials: &Credentials) -> Result<Self, ClientError> {
        Self::connect_trusting(&file.url, credentials, trust_here(file)).await
    }

    async fn connect_trusting(
        url: &str,
        credentials: &Credentials,
        trust: Trust,
    ) -> Result<Self, ClientError> {
        let inbox = subject::inbox(&credentials.user);
        let connected = Self::dial(url, Some(credentials), inbox, trust).await;
        connected.map_err(|error| match error {
            // The server does not tell one who is not in yet why.
            ClientError::NotAccepted { url, reason: Refused::Unknown } if is_over(credentials) => {
                ClientError::NotAccepted { url, reason: Refused::Expired }
            }
            error => error,
        })
    }

    /// Connects with the credential that may only enrol.
    pub async fn connect_to_enrol(url: &str, credentials: &Credentials) -> Result<Self, ClientError> {
        let inbox = Role::Enrol.inbox(credentials.user.as_str());
        Self::dial(url, Some(credentials), inbox, trust(credentials.certificates.as_deref())).await
    }

    /// The same at the server of a daemon on this machine.
    pub async fn connect_here_to_enrol(
        file: &DaemonFile,
        credentials: &Credentials,
    ) -> Result<Self, ClientError> {
        let inbox = Role::Enrol.inbox(credentials.user.as_str());
        Self::dial(&file.url, Some(credentials), inbox, trust_here(file)).await
    }

    /// Connects without any credentials, which is good for nothing but to enrol.
    pub async fn connect_as_nobody(url: &str, certificates: Option<&str>) -> Result<Self, ClientError> {
        let inbox = Role::Enrol.inbox(NOBODY);
        Self::dial(url, None, inbox, trust(certificates)).await.map_err(|error| match error {
            ClientError::NotAccepted { url, .. } => ClientError::NotAnonymous { url },
            error => error,
        })
    }

    async fn dial(
        url: &str,
        credentials: Option<&Credentials>,
        inbox: String,
        trust: Trust,
    ) -> Result<Self, ClientError> {
        let (sender, link) = watch::channel(Link::default());
        let mut options = match credentials {
            None => ConnectOptions::new(),
            Some(credentials) => {
                let key = credentials.key.clone();
                ConnectOptions::with_jwt(credentials.jwt.clone(), move |nonce| {
                    let key = key.clone();
                    async move { key.sign(&nonce).map_err(AuthError::new) }
                })
            }
        };
        let untrusted = |reason: String| ClientError::Untrusted { url: url.into(), reason };
        if let Some(config) = trust.client_config().map_err(|error| untrusted(error.to_string()))? {
            options = options.tls_client_config(config);
        }
        let parked = link.clone();
        let options = options
            .name("codementor")
            // Without a prefix of its own, the user may not hear the answers.
            .custom_inbox_prefix(inbox)
            .connection_timeout(CONNECT)
            // The addresses that a server believes to have may be of no use from here.
            .ignore_discovered_servers()
            // By default even the first attempt begins with a sleep of no time, which takes a millisecond. With
            // several servers, and after a failure, the default order is right.
            .reconnect_to_server_callback(|servers, _| async move {
                let [only] = servers.as_slice() else { return None };
                let fresh = only.failed_attempts == 0 && !only.did_connect;
                fresh.then(|| ReconnectToServer { addr: only.addr.clone(), delay: Some(Duration::ZERO) })
            })
            // The library would try for ever, and fast, with credentials that are refused.
            .reconnect_delay_callback(move |attempts| match parked.borrow().refused {
                Some(_) => PARKED,
                None if attempts <= 1 => Duration::ZERO,
                None => (Duration::from_millis(10) * (1 << attempts.min(10) as u32)).min(MAX_RETRY_DELAY),
            })
            .event_callback(move |event| {
                note(&sender, event);
                async {}
            });
        let connecting = tokio::time::timeout(CONNECT, options.connect(url)).await;
        let unreachable = |reason: String| ClientError::Unreachable { url: url.into(), reason };
        match connecting {
            Ok(Ok(nats)) => {
                let user = match credentials {
                    Some(credentials) => credentials.user.clone(),
                    None => UserName::new(NOBODY).map_err(|error| unreachable(error.to_string()))?,
                };
                Ok(Self { nats, url: url.into(), user, link })
            }
            Ok(Err(error)) => Err(match error.kind() {
                ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => {
                    ClientError::NotAccepted { url: url.into(), reason: Refused::Unknown }
                }
                _ => match reason(&error) {
                    reason if reason.contains("certificate") => {
                        ClientError::Untrusted { url: url.into(), reason }
                    }
                    reason => unreachable(reason),
                },
            }),
            Err(_) => Err(unreachable(t!("it does not answer").into())),
        }
    }

    /// Who this is.
    pub fn user(&self) -> &UserName {
        &self.user
    }

    /// Where the server is, as it was connected to.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn not_accepted(&self, reason: Refused) -> ClientError {
        ClientError::NotAccepted { url: self.url.clone(), reason }
    }

    /// Whether the connection is broken at this moment.
    pub fn is_lost(&self) -> bool {
        self.link.borrow().lost
    }

    /// Waits until the connection breaks.
    pub async fn lost(&self) {
        let mut link = self.link.clone();
        // The sender lives as long as the connection's task: that it is gone means the same.
        let _ = link.wait_for(|link| link.lost || link.refused.is_some()).await;
    }

    /// Waits until a broken connection stands again; an error when it never will.
    pub async fn restored(&self) -> Result<(), ClientError> {
        let mut link = self.link.clone();
        match link.wait_for(|link| !link.lost || link.refused.is_some()).await.map(|link| link.refused) {
            Ok(None) => Ok(()),
            Ok(Some(reason)) => Err(self.not_accepted(reason)),
            // The connection was closed for good; whoever waits has a time-out.
            Err(_) => std::future::pending().await,
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
            denied = link.wait_for(|link| link.complaints > before || link.lost || link.refused.is_some()) => {
                return Err(match denied.as_deref() {
                    Ok(Link { refused: Some(reason), .. }) => self.not_accepted(*reason),
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

/// What the server says beside the answers.
fn note(sender: &watch::Sender<Link>, event: Event) {
    sender.send_if_modified(|link| match event {
        Event::Connected => {
            link.refusals = 0;
            std::mem::replace(&mut link.lost, false)
        }
        Event::Disconnected | Event::Closed => !std::mem::replace(&mut link.lost, true),
        Event::ServerError(ServerError::Other(complaint)) => {
            let lower = complaint.to_lowercase();
            if lower.contains("authentication expired") {
                link.refused = Some(Refused::Expired);
            } else if lower.contains("authentication revoked") {
                link.refused = Some(Refused::Revoked);
            } else {
                link.complaints += 1;
                link.complaint = complaint;
            }
            true
        }
        Event::ServerError(ServerError::AuthorizationViolation) => {
            link.refusals += 1;
            if link.refusals >= REFUSALS {
                link.refused.get_or_insert(Refused::Unknown);
            }
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

/// These certificates and no others; what the system trusts without any.
fn trust(certificates: Option<&str>) -> Trust {
    certificates.map_or(Trust::System, |certificates| Trust::Certificates(certificates.to_owned()))
}

fn trust_here(file: &DaemonFile) -> Trust {
    file.certificate.clone().map_or(Trust::System, Trust::Pinned)
}

/// Whether the time of these credentials is over by the clock of this machine.
fn is_over(credentials: &Credentials) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    credentials.expires().is_some_and(|end| end <= now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(events: impl IntoIterator<Item = Event>) -> Link {
        let (sender, link) = watch::channel(Link::default());
        events.into_iter().for_each(|event| note(&sender, event));
        link.borrow().clone()
    }

    fn said(text: &str) -> Event {
        Event::ServerError(ServerError::Other(text.into()))
    }

    #[test]
    fn refused_credentials_are_told_from_what_they_do_not_permit() {
        assert_eq!(after([said("User Authentication Revoked")]).refused, Some(Refused::Revoked));
        assert_eq!(after([said("User Authentication Expired")]).refused, Some(Refused::Expired));
        let denied = after([said("Permissions Violation for Publish to \"cm.u.lee.submit\"")]);
        assert_eq!((denied.refused, denied.complaints), (None, 1));
    }

    #[test]
    fn a_server_that_has_just_started_may_refuse_a_few_times() {
        let violation = || Event::ServerError(ServerError::AuthorizationViolation);
        let few = (1..REFUSALS).map(|_| violation());
        assert_eq!(after(few.clone()).refused, None);
        assert_eq!(after(few.clone().chain([Event::Connected, violation()])).refused, None);
        assert_eq!(after(few.chain([violation()])).refused, Some(Refused::Unknown));
    }
}
