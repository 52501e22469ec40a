//! Somebody who writes to NATS directly, without a command line between.

use std::sync::Arc;

use codementor::client::Client;
use codementor_protocol::Enrol;
use codementord::nats::auth::Creds;
use codementord::nats::connect::{Action, Connect, Initial, LinkEvent, connect};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::PATIENCE;

/// A connection to NATS, and what it is told.
pub struct Peer {
    /// The connection.
    pub client: async_nats::Client,
    /// What the server says besides.
    pub events: mpsc::UnboundedReceiver<LinkEvent>,
}

impl Peer {
    /// Connects under any inbox prefix, also one that the server does not let these credentials hear.
    pub async fn connect(url: &str, creds: &Creds, inbox: &str) -> Self {
        let (tell, events) = mpsc::unbounded_channel();
        let connected = connect(Connect {
            url,
            creds,
            name: "test",
            inbox_prefix: inbox,
            initial: Initial::Once,
            on_event: Some(Arc::new(move |event| drop(tell.send(event)))),
        });
        let client = within(connected).await.expect("connects");
        Self { client, events }
    }

    /// Connects as a user does.
    pub async fn of(url: &str, creds: &Creds) -> Self {
        let user = creds.user_name().expect("have a name");
        Self::connect(url, creds, &format!("_INBOX.{user}")).await
    }

    /// Waits until the server says this.
    pub async fn told(&mut self, what: impl Fn(&LinkEvent) -> bool) {
        within(async { while !what(&self.events.recv().await.expect("the client lives")) {} }).await;
    }

    /// Sees that the server does not let it publish there.
    pub async fn must_not_publish(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.expect("is sent");
        let denied = LinkEvent::Denied { action: Action::Publish, subject: subject.to_owned() };
        self.told(|event| *event == denied).await;
    }

    /// Sees that the server does not let it listen there.
    pub async fn must_not_hear(&mut self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.expect("is sent");
        let denied = LinkEvent::Denied { action: Action::Subscribe, subject: subject.to_owned() };
        self.told(|event| *event == denied).await;
    }

    /// Asks the daemon as `user`, and returns the answer as it came.
    pub async fn ask(&self, user: &str, verb: &str, body: Value) -> Value {
        let asked = self.client.request(format!("cm.u.{user}.{verb}"), body.to_string().into());
        let reply = within(asked).await.expect("is answered");
        serde_json::from_slice(&reply.payload).expect("is JSON")
    }
}

/// Lets somebody in by a code, under a key made here, as `codementor join` does. `gate` is a connection without
/// credentials.
pub async fn enrol(gate: &Client, code: &str, name: &str) -> Creds {
    let (seed, public_key) = Creds::new_key().expect("a key");
    let request = Enrol { code: code.into(), public_key, name: Some(name.into()), ..Enrol::default() };
    let enrolled = within(gate.enrol(&request)).await.expect("is let in");
    Creds { jwt: enrolled.jwt, seed }
}

/// Waits, with a bound, so that a hang is a failure.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it ends in time")
}

/// Where a test waits for several at once.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
