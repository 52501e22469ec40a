//! Identifiers. Each is a type of its own, checked when it is made, so that a subject or a path built from one
//! cannot be steered by its content.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not the identifier that it was given as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no {what}: {rule}")]
pub struct IdError {
    /// The text as given.
    pub text: String,
    /// What it should have been.
    pub what: &'static str,
    /// The rule that it breaks.
    pub rule: &'static str,
}

/// A submission's number: dense, given by the daemon, the number that people type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionId(pub u64);

impl fmt::Display for SubmissionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for SubmissionId {
    type Err = IdError;

    /// Reads `4821` or `#4821`.
    fn from_str(text: &str) -> Result<Self, IdError> {
        text.strip_prefix('#').unwrap_or(text).parse().map(Self).map_err(|_| IdError {
            text: text.into(),
            what: "submission number",
            rule: "it is a number such as 4821, printed when a program is submitted",
        })
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks `text` against the rule of this identifier.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let check: fn(&str) -> bool = $check;
                if check(&text) { Ok(Self(text)) } else { Err(IdError { text, what: $what, rule: $rule }) }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A user, as it stands in NATS subjects.
    UserName, "user name", "it has 1 to 32 of the characters a-z, 0-9, _ and -",
    |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
);
text_id!(
    /// A problem's short name.
    Slug, "problem name", "it has 1 to 64 of the characters a-z, 0-9 and -, and does not begin with -",
    |t| (1..=64).contains(&t.len())
        && !t.starts_with('-')
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
text_id!(
    /// A course's short name.
    CourseName, "course name", "it has 1 to 32 of the characters a-z, 0-9 and -, and does not begin with -",
    |t| (1..=32).contains(&t.len())
        && !t.starts_with('-')
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
text_id!(
    /// An assignment's short name in its course.
    AssignmentName, "assignment name", "it has 1 to 32 of the characters a-z, 0-9 and -, and does not begin with -",
    |t| (1..=32).contains(&t.len())
        && !t.starts_with('-')
        && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
text_id!(
    /// The SHA-256 of a problem package's content, in hexadecimal.
    PackageHash, "package hash", "it is a SHA-256 in 64 lower-case hexadecimal digits",
    |t| t.len() == 64 && t.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
);
text_id!(
    /// A runner's id, such as `cpp`.
    LanguageId, "language", "it has 1 to 32 of the characters a-z, 0-9 and -",
    |t| (1..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);
text_id!(
    /// One daemon's data directory: what its containers are labelled with.
    InstanceId, "instance id", "it has 8 to 32 of the characters a-z and 0-9",
    |t| (8..=32).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
);

impl PackageHash {
    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..12]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_that_could_steer_a_subject_or_a_path_are_refused() {
        for bad in ["", "a.b", "a*", ">", "A", "a b", "a/b", "..", "가", "a\n"] {
            assert!(UserName::new(bad).is_err(), "{bad:?}");
            assert!(Slug::new(bad).is_err(), "{bad:?}");
            assert!(LanguageId::new(bad).is_err(), "{bad:?}");
        }
        assert!(Slug::new("-a").is_err());
        assert!(Slug::new("two-sum").is_ok());
        assert!(UserName::new("kim_01").is_ok());
        assert!(PackageHash::new("g".repeat(64)).is_err());
    }

    #[test]
    fn submission_numbers_are_read_with_and_without_their_sign() {
        assert_eq!("#12".parse(), Ok(SubmissionId(12)));
        assert_eq!("12".parse(), Ok(SubmissionId(12)));
        assert!("twelve".parse::<SubmissionId>().is_err());
    }

    #[test]
    fn a_bad_identifier_on_the_wire_is_an_error() {
        assert!(serde_json::from_str::<Slug>("\"../x\"").is_err());
    }
}
