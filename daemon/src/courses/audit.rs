//! The audit log: who changed what in a course. It only grows.

use codementor_protocol::{AuditEntry, CourseName, Timestamp, UserName};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::store::StoreResult;
use crate::store::columns::{from_json, parse};

/// How many bytes of details go into one answer.
const PAGE_BYTES: usize = 384 * 1024;

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

/// What was changed in a course, the newest first.
pub(crate) fn entries(
    db: &Connection,
    course: &CourseName,
    before: Option<u64>,
    limit: u32,
) -> StoreResult<Vec<AuditEntry>> {
    let mut statement = db.prepare_cached(
        "SELECT id, at, by, action, target, detail FROM audit WHERE course = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let before = before.and_then(|before| i64::try_from(before).ok()).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![course.as_str(), before, limit])?;
    let (mut entries, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let detail: String = row.get(5)?;
        size += detail.len() + 200;
        // One at least, so that paging goes on.
        if size > PAGE_BYTES && !entries.is_empty() {
            break;
        }
        entries.push(AuditEntry {
            id: row.get(0)?,
            at: Timestamp(row.get(1)?),
            by: parse("user", row.get(2)?)?,
            action: row.get(3)?,
            target: row.get(4)?,
            detail: from_json("detail", &detail)?,
        });
    }
    Ok(entries)
}
