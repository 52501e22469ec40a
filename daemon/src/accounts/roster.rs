//! What the roster of a course says of somebody who wants in.

use codementor_protocol::CourseName;
use rusqlite::Connection;

use crate::store::StoreResult;

/// What a roster says of a student id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// The course has no roster.
    NoRoster,
    /// It is not on the roster.
    NotListed,
    /// It has left the course.
    Withdrawn,
    /// It is on the roster, under this name.
    Listed { name: String },
}

/// Looks a student id up.
pub(super) fn student(_db: &Connection, _course: &CourseName, _student_id: &str) -> StoreResult<Standing> {
    Ok(Standing::NoRoster)
}
