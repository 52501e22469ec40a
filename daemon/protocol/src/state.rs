//! The state that a submission is in: a pure function of its events.

use std::fmt;
use std::str::FromStr;

use crate::{EventKind, IdError};

/// How judging ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// With a verdict.
    Judged,
    /// With a fault of ours.
    Faulted,
    /// Somebody stopped it.
    Cancelled,
}

/// Where a submission is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing has been said of it yet.
    New,
    /// It waits for a judge.
    Queued,
    /// A judge works on it.
    Running,
    /// Judging has ended; feedback may still follow.
    Settled(Ending),
    /// Nothing follows.
    Ended(Ending),
}

/// An event that cannot happen in the state that a submission is in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{event}' cannot follow while a submission is {state}")]
pub struct Illegal {
    /// The state.
    pub state: State,
    /// The type of the event.
    pub event: &'static str,
}

impl State {
    /// The state after `event`.
    pub fn apply(self, event: &EventKind) -> Result<Self, Illegal> {
        use State::{Ended, New, Queued, Running, Settled};
        let illegal = |event| Err(Illegal { state: self, event });
        match (event, self) {
            (EventKind::Submission(_), New) => Ok(Queued),
            (EventKind::Submission(_), _) => illegal("submission"),
            (EventKind::Queued(_), Queued) => Ok(Queued),
            (EventKind::Queued(_), _) => illegal("queued"),
            (EventKind::Preparing { .. }, Queued | Running) => Ok(self),
            (EventKind::Preparing { .. }, _) => illegal("preparing"),
            (EventKind::Started(_), Queued) => Ok(Running),
            (EventKind::Started(_), _) => illegal("started"),
            (EventKind::Restarted(_), Queued | Running) => Ok(Queued),
            (EventKind::Restarted(_), _) => illegal("restarted"),
            // Its new run follows at once, in the same transaction.
            (EventKind::Rejudged(_), Settled(Ending::Judged | Ending::Faulted)) => Ok(Queued),
            (EventKind::Rejudged(_), _) => illegal("rejudged"),
            (EventKind::Compiled(_), Running) => Ok(Running),
            (EventKind::Compiled(_), _) => illegal("compiled"),
            (EventKind::Test(_), Running) => Ok(Running),
            (EventKind::Test(_), _) => illegal("test"),
            (EventKind::Result(_), Running) => Ok(Settled(Ending::Judged)),
            (EventKind::Result(_), _) => illegal("result"),
            (EventKind::Error(_), Queued | Running) => Ok(Settled(Ending::Faulted)),
            (EventKind::Error(_), _) => illegal("error"),
            (EventKind::Cancelled, Queued | Running) => Ok(Settled(Ending::Cancelled)),
            (EventKind::Cancelled, _) => illegal("cancelled"),
            // What a model says has no influence on judging, and may come at any time until the stream ends.
            (EventKind::Feedback(_), Queued | Running | Settled(_)) => Ok(self),
            (EventKind::Feedback(_), _) => illegal("feedback"),
            (EventKind::Fix(_), Queued | Running | Settled(_)) => Ok(self),
            (EventKind::Fix(_), _) => illegal("fix"),
            (EventKind::FeedbackEnd(_), Queued | Running | Settled(_)) => Ok(self),
            (EventKind::FeedbackEnd(_), _) => illegal("feedback_end"),
            (EventKind::End(_), Settled(ending)) => Ok(Ended(ending)),
            (EventKind::End(_), _) => illegal("end"),
            (EventKind::Unknown, _) => Ok(self),
        }
    }

    /// Whether a judge may still change it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::Queued | Self::Running)
    }

    /// The word for this state in the database and in JSON.
    pub fn token(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Settled(Ending::Judged) => "judged",
            Self::Settled(Ending::Faulted) => "faulted",
            Self::Settled(Ending::Cancelled) => "cancelled",
            Self::Ended(Ending::Judged) => "judged-ended",
            Self::Ended(Ending::Faulted) => "faulted-ended",
            Self::Ended(Ending::Cancelled) => "cancelled-ended",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

impl FromStr for State {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let endings = [Ending::Judged, Ending::Faulted, Ending::Cancelled];
        [Self::New, Self::Queued, Self::Running]
            .into_iter()
            .chain(endings.map(Self::Settled))
            .chain(endings.map(Self::Ended))
            .find(|state| state.token() == text)
            .ok_or_else(|| IdError {
                text: text.into(),
                what: "state",
                rule: "it is a state of a newer daemon",
            })
    }
}

impl serde::Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.token())
    }
}

impl<'de> serde::Deserialize<'de> for State {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Compiled, Ended as End, Failed, Feedback, Queued as Wait, Rejudged, Restarted, Started, Verdict,
        Verdicted,
    };

    fn events() -> Vec<(&'static str, EventKind)> {
        vec![
            ("queued", EventKind::Queued(Wait { position: 0 })),
            ("started", EventKind::Started(Started { total: 1 })),
            ("restarted", EventKind::Restarted(Restarted { reason: String::new() })),
            (
                "rejudged",
                EventKind::Rejudged(Rejudged {
                    package: crate::PackageHash::new("a".repeat(64)).expect("a hash"),
                    verdict: None,
                    score: None,
                }),
            ),
            (
                "compiled",
                EventKind::Compiled(Compiled {
                    ok: true,
                    time_ms: 1,
                    diagnostics: vec![],
                    output: String::new(),
                }),
            ),
            (
                "result",
                EventKind::Result(Verdicted {
                    verdict: Verdict::Accepted,
                    score: "1".into(),
                    max_score: "1".into(),
                    passed: Some(1),
                    total: 1,
                }),
            ),
            (
                "error",
                EventKind::Error(Failed { code: String::new(), message: String::new(), retryable: false }),
            ),
            ("cancelled", EventKind::Cancelled),
            ("feedback", EventKind::Feedback(Feedback { step: 1, delta: String::new() })),
            ("end", EventKind::End(End::default())),
        ]
    }

    #[test]
    fn what_may_follow_what_is_the_table() {
        #[rustfmt::skip]
        let table: [(State, &[(&str, State)]); 5] = [
            (State::New, &[]),
            (State::Queued, &[
                ("queued", State::Queued), ("started", State::Running), ("restarted", State::Queued),
                ("error", State::Settled(Ending::Faulted)), ("cancelled", State::Settled(Ending::Cancelled)),
                ("feedback", State::Queued),
            ]),
            (State::Running, &[
                ("restarted", State::Queued), ("compiled", State::Running),
                ("result", State::Settled(Ending::Judged)), ("error", State::Settled(Ending::Faulted)),
                ("cancelled", State::Settled(Ending::Cancelled)), ("feedback", State::Running),
            ]),
            (State::Settled(Ending::Judged), &[
                ("feedback", State::Settled(Ending::Judged)), ("end", State::Ended(Ending::Judged)),
                ("rejudged", State::Queued),
            ]),
            (State::Ended(Ending::Judged), &[]),
        ];
        for (state, allowed) in table {
            for (name, event) in events() {
                let expected = allowed.iter().find(|(allowed, _)| *allowed == name).map(|(_, next)| *next);
                assert_eq!(state.apply(&event).ok(), expected, "{name} while {state}");
            }
        }
    }

    #[test]
    fn every_state_is_read_back_from_its_token() {
        for state in ["new", "queued", "running", "judged", "faulted-ended", "cancelled"] {
            assert_eq!(state.parse::<State>().expect("a state").token(), state);
        }
        assert!("asleep".parse::<State>().is_err());
    }
}
