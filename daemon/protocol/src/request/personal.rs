//! Requests about all that a server keeps of one person.

use serde::{Deserialize, Serialize};

use crate::UserName;

/// Read what is kept of a person: of oneself, or for administrators of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadPersonal {
    /// Whose, by user name or, for one who has not joined, by the student id; one's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// Where to go on.
    #[serde(default)]
    pub from: PersonalPlace,
}

/// A place in what is kept of a person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalPlace {
    /// Which table.
    pub table: u32,
    /// How many of its rows come before.
    pub row: u64,
}

/// A part of what is kept of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalPage {
    /// Rows, each with the name of its table.
    pub rows: Vec<(String, serde_json::Value)>,
    /// Where the next part begins, if there is one.
    pub next: Option<PersonalPlace>,
}

/// Remove all that is kept of a person, for good. Its connections are cut at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasePersonal {
    /// Whose, by user name or, for one who has not joined, by the student id.
    pub who: String,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// The user, if it had joined.
    pub user: Option<UserName>,
    /// How many rows are gone, by table.
    pub removed: Vec<(String, u64)>,
}
