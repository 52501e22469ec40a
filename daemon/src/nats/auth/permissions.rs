//! What each role may publish and hear, as the templates that the account's signing keys carry. The server puts the
//! user's name in place of `{{name()}}`.

use codementor_protocol::subject;
use serde_json::{Value, json};

/// What a user of NATS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Submits, and watches its own submissions.
    Student,
    /// Also gives courses; what that allows is decided by the gateway, not by NATS.
    Instructor,
    /// Takes jobs and reports on them.
    Judge,
    /// Answers requests, publishes jobs and events, owns the streams.
    Daemon,
    /// The shared credential of those who have none yet.
    Enrol,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Student, Self::Instructor, Self::Judge, Self::Daemon, Self::Enrol];

    /// The role's word, as in the name of its signing key.
    pub fn token(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Instructor => "instructor",
            Self::Judge => "judge",
            Self::Daemon => "daemon",
            Self::Enrol => "enrol",
        }
    }

    /// The inbox prefix of a user of this role: the only one that NATS lets it hear. People's inboxes are
    /// `_INBOX.<name>`; the others have roots of their own, so that no user's name, whatever it is, makes it hear
    /// what a judge or the daemon is sent.
    pub fn inbox(self, name: &str) -> String {
        format!("{}.{name}", self.inbox_root())
    }

    fn inbox_root(self) -> &'static str {
        match self {
            Self::Student | Self::Instructor => "_INBOX",
            Self::Judge => "_INBOX_JUDGE",
            Self::Daemon => "_INBOX_DAEMON",
            Self::Enrol => "_INBOX_ENROL",
        }
    }

    /// The template of the role's signing key.
    pub(super) fn template(self) -> Value {
        self.permissions("{{name()}}")
    }

    /// What a user of this role and name may do.
    pub(super) fn permissions(self, name: &str) -> Value {
        let inbox = format!("{}.>", self.inbox(name));
        let jobs = format!("{}.{}", subject::JOBS_STREAM, subject::JUDGE_CONSUMER);
        let packages = format!("OBJ_{}", subject::PACKAGES_BUCKET);
        let person = || {
            let publish = json!({"allow": [format!("cm.u.{name}.>")]});
            let hear = json!({"allow": [inbox, format!("cm.ev.{name}.>")]});
            (publish, hear, 64)
        };
        let (publish, hear, subscriptions) = match self {
            Self::Student | Self::Instructor => person(),
            Self::Judge => (
                json!({"allow": [
                    "cm.res.>",
                    format!("$JS.API.CONSUMER.INFO.{jobs}"),
                    format!("$JS.API.CONSUMER.MSG.NEXT.{jobs}"),
                    // Acks, and the in-progress ones among them; then the form that servers from 2.14 may use.
                    format!("$JS.ACK.{jobs}.>"),
                    format!("$JS.ACK.*.*.{jobs}.>"),
                    format!("$JS.API.STREAM.INFO.{packages}"),
                    format!("$JS.API.DIRECT.GET.{packages}.>"),
                    format!("$JS.API.CONSUMER.CREATE.{packages}"),
                    format!("$JS.API.CONSUMER.CREATE.{packages}.>"),
                    format!("$JS.API.CONSUMER.DELETE.{packages}.*"),
                    // Without answers to flow control a large package stops arriving, silently.
                    format!("$JS.FC.{packages}.>"),
                    format!("$JS.FC.*.*.{packages}.>"),
                ]}),
                json!({"allow": [inbox, "cm.ctl.>"]}),
                -1,
            ),
            // A reply subject is not checked by NATS: without these denials a user could have the daemon's answer
            // sent to another user's request subject, where it would count as that user's request.
            Self::Daemon => {
                (json!({"allow": [">"], "deny": ["cm.u.>", subject::ENROL]}), json!({"allow": [">"]}), -1)
            }
            Self::Enrol => (json!({"allow": [subject::ENROL]}), json!({"allow": [inbox]}), 16),
        };
        // The payload is bounded by the server's own limit for all; an enrolment is a key and a code, or the ID token
        // of a CI system.
        let payload = if self == Self::Enrol { 16 * 1024 } else { -1 };
        json!({"pub": publish, "sub": hear, "subs": subscriptions, "data": -1, "payload": payload})
    }
}
