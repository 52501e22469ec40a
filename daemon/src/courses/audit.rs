//! The audit log: who changed what in a course. It only grows.

use codementor_protocol::{CourseName, Timestamp, UserName};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::store::StoreResult;

/// Writes down a change, in the transaction that makes it: what is not written down has not happened.
pub(crate) fn append(
    db: &Connection,
    course: &CourseName,
    by: &UserName,
    action: &str,
    target: &str,
    detail: &Value,
    at: Timestamp,
) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT INTO audit (at, course, by, action, target, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![at.0, course.as_str(), by.as_str(), action, target, detail.to_string()])?;
    Ok(())
}
