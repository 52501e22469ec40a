//! What a model says about a program, and what becomes of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{IdError, SourceFile};

/// How much a student may be shown. The strictest of the server's, the problem's and the assignment's holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackPolicy {
    /// No connection is ever made.
    Off,
    /// Hints; a corrected program never leaves the daemon.
    #[default]
    Hints,
    /// Hints, and the corrected program once it has been judged and accepted.
    Full,
}

impl FeedbackPolicy {
    /// The word for it in settings and in JSON.
    pub fn token(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Hints => "hints",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for FeedbackPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

/// The language of an answer: two or three lower-case letters (ISO 639), such as `ko`, with no region.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AnswerLanguage(String);

impl AnswerLanguage {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AnswerLanguage {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if (2..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase()) {
            Ok(Self(text.into()))
        } else {
            Err(IdError {
                text: text.into(),
                what: "language of answers",
                rule: "it is a code of two or three small letters, such as en or ko",
            })
        }
    }
}

impl TryFrom<String> for AnswerLanguage {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<AnswerLanguage> for String {
    fn from(language: AnswerLanguage) -> Self {
        language.0
    }
}

/// A piece of what a model says: Markdown, free of control characters and URLs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Which step of the ladder, counted from 1.
    pub step: u32,
    /// The piece, one or more whole paragraphs.
    pub delta: String,
}

/// A corrected program that was judged on all tests and accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// The program, with the file names of the student's.
    pub files: Vec<SourceFile>,
    /// How many tokens were inserted, deleted or replaced.
    pub edits: u32,
    /// The same, in percent of the student's tokens.
    pub changed_percent: u32,
    /// Whether so much was changed that it is a program of its own.
    pub rewrite: bool,
}

/// How a step of feedback ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackEnd {
    /// Which step of the ladder, counted from 1.
    pub step: u32,
    /// How it ended.
    pub outcome: FeedbackOutcome,
    /// The same in words for the student, with what to do, where there is something to do.
    pub message: String,
}

/// One step of feedback as it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedbackStep {
    /// Which step of the ladder, counted from 1.
    pub step: u32,
    /// What was said so far.
    pub text: String,
    /// How it ended; absent while it goes on.
    pub end: Option<FeedbackEnd>,
}

/// How feedback can end. Only [`FeedbackOutcome::Complete`] says that something was shown as a whole; none of them is
/// an error of the submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackOutcome {
    /// All was said.
    Complete,
    /// The program was accepted, and the policy asks for no comment on such.
    Accepted,
    /// The submission was cancelled, or could not be judged.
    Stopped,
    /// The daemon was restarted meanwhile.
    Interrupted,
    /// What the model said was held back: no correction of its held, or it would have given the solution away.
    Withheld,
    /// Nothing may be spent any more today.
    OverBudget,
    /// The checks of corrected programs for this problem are used up for today.
    NoChecksLeft,
    /// There is no step beyond the last.
    NoStepsLeft,
    /// No endpoint is configured.
    NotConfigured,
    /// No connection could be made.
    Unreachable,
    /// The endpoint wants another key.
    KeyRefused,
    /// The endpoint does not take the request.
    RequestRefused,
    /// The endpoint asks for patience.
    RateLimited,
    /// The endpoint has a fault of its own, or said so in the middle of an answer.
    EndpointFault,
    /// The endpoint stopped talking.
    Stalled,
    /// The answer took too long as a whole.
    TimedOut,
    /// The answer broke off before it said that it was complete.
    Truncated,
    /// The answer reached the endpoint's limit of length.
    CutOff,
    /// The answer was larger than is read.
    TooLarge,
    /// What came is not in the protocol.
    Garbled,
    /// The answer holds nothing.
    Empty,
    /// Something that a newer daemon says.
    #[serde(other)]
    Unknown,
}

impl FeedbackOutcome {
    /// The word for it in JSON and in logs.
    pub fn token(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Accepted => "accepted",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Withheld => "withheld",
            Self::OverBudget => "over_budget",
            Self::NoChecksLeft => "no_checks_left",
            Self::NoStepsLeft => "no_steps_left",
            Self::NotConfigured => "not_configured",
            Self::Unreachable => "unreachable",
            Self::KeyRefused => "key_refused",
            Self::RequestRefused => "request_refused",
            Self::RateLimited => "rate_limited",
            Self::EndpointFault => "endpoint_fault",
            Self::Stalled => "stalled",
            Self::TimedOut => "timed_out",
            Self::Truncated => "truncated",
            Self::CutOff => "cut_off",
            Self::TooLarge => "too_large",
            Self::Garbled => "garbled",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for FeedbackOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.token())
    }
}

/// What may still be spent; absent where there is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowance {
    /// Tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Millionths of a US dollar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_micro: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_policy_is_the_least() {
        use FeedbackPolicy::{Full, Hints, Off};
        assert_eq!([Full, Off, Hints].into_iter().min(), Some(Off));
        assert_eq!([Full, Hints].into_iter().min(), Some(Hints));
    }

    #[test]
    fn the_token_of_an_outcome_is_its_word_in_json() {
        for outcome in [FeedbackOutcome::Complete, FeedbackOutcome::NoChecksLeft, FeedbackOutcome::CutOff] {
            let json = serde_json::to_string(&outcome).expect("an outcome serialises");
            assert_eq!(json, format!("\"{outcome}\""));
        }
        let newer: FeedbackOutcome = serde_json::from_str("\"sung\"").expect("is read");
        assert_eq!(newer, FeedbackOutcome::Unknown);
    }

    #[test]
    fn a_language_of_answers_is_a_short_code() {
        assert_eq!("ko".parse::<AnswerLanguage>().map(String::from), Ok("ko".to_owned()));
        for wrong in ["", "k", "KO", "ko-KR", "korean", "k\n"] {
            assert!(wrong.parse::<AnswerLanguage>().is_err(), "{wrong:?}");
        }
    }
}
