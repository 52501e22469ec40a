//! The keys that speak for users: of machines, and scoped ones for CI.

use codementor_protocol::{AssignmentId, KeySummary, Refusal, RefusalCode, Timestamp, UserName};
use rusqlite::{Connection, OptionalExtension, params};

use super::names;
use crate::store::StoreResult;
use crate::store::columns::parse;

/// How many scoped credentials a user may have at a time.
const SCOPED: u32 = 50;

/// Gives the key of one of the user's machines more time. The new end; `None` for a key that has none.
pub(super) fn renew(
    db: &Connection,
    user: &UserName,
    public_key: &str,
    expires: Option<Timestamp>,
) -> StoreResult<Result<Option<Timestamp>, Refusal>> {
    let known: Option<Option<i64>> = db
        .prepare_cached(
            "SELECT expires FROM user_keys
             WHERE public_key = ?1 AND user = ?2 AND credential IS NULL AND revoked IS NULL",
        )?
        .query_row(params![public_key, user.as_str()], |row| row.get(0))
        .optional()?;
    match known {
        None => Ok(Err(unknown(public_key))),
        Some(None) => Ok(Ok(None)),
        Some(Some(_)) => {
            db.execute(
                "UPDATE user_keys SET expires = ?2 WHERE public_key = ?1",
                params![public_key, expires.map(|expires| expires.0)],
            )?;
            Ok(Ok(expires))
        }
    }
}

/// Takes down a scoped credential, and gives it its name on NATS.
pub(super) fn put_scoped(
    db: &Connection,
    user: &UserName,
    public_key: &str,
    assignment: &AssignmentId,
    at: Timestamp,
    expires: Timestamp,
) -> StoreResult<Result<UserName, Refusal>> {
    // The same key again is the same request again, whose answer was lost.
    let known: Option<(bool, Option<String>)> = db
        .query_row(
            "SELECT revoked IS NULL AND user = ?2 AND course = ?3 AND assignment = ?4, credential
             FROM user_keys WHERE public_key = ?1",
            params![public_key, user.as_str(), assignment.course.as_str(), assignment.assignment.as_str()],
            |row| Ok((row.get::<_, Option<bool>>(0)?.unwrap_or(false), row.get(1)?)),
        )
        .optional()?;
    match known {
        Some((true, Some(credential))) => return Ok(Ok(parse("credential", credential)?)),
        Some(_) => return Ok(Err(Refusal::new(RefusalCode::Invalid, "this key is in use already"))),
        None => {}
    }
    let open: u32 = db.query_row(
        "SELECT count(*) FROM user_keys
         WHERE user = ?1 AND credential IS NOT NULL AND revoked IS NULL AND expires > ?2",
        params![user.as_str(), at.0],
        |row| row.get(0),
    )?;
    if open >= SCOPED {
        let message = format!("you have {open} credentials for CI already");
        return Ok(Err(Refusal::new(RefusalCode::Forbidden, message)
            .hint("give up those that are not needed: codementor ci drop NAME")));
    }
    let credential = names::scoped(db, user)?;
    db.execute(
        "INSERT INTO user_keys (public_key, user, credential, course, assignment, made, expires)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            public_key,
            user.as_str(),
            credential.as_str(),
            assignment.course.as_str(),
            assignment.assignment.as_str(),
            at.0,
            expires.0
        ],
    )?;
    Ok(Ok(credential))
}

/// The credentials of a user that are good at this time, the newest first.
pub(super) fn list(db: &Connection, user: &UserName, at: Timestamp) -> StoreResult<Vec<KeySummary>> {
    let mut statement = db.prepare_cached(
        "SELECT public_key, credential, course, assignment, made, expires FROM user_keys
         WHERE user = ?1 AND revoked IS NULL AND (expires IS NULL OR expires > ?2)
         ORDER BY made DESC, public_key LIMIT 1000",
    )?;
    let mut rows = statement.query(params![user.as_str(), at.0])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get::<_, Option<String>>(column);
        let scope = match (text(2)?, text(3)?) {
            (Some(course), Some(assignment)) => Some(AssignmentId {
                course: parse("course", course)?,
                assignment: parse("assignment", assignment)?,
            }),
            _ => None,
        };
        keys.push(KeySummary {
            public_key: row.get(0)?,
            credential: text(1)?.map(|name| parse("credential", name)).transpose()?,
            scope,
            made: Timestamp(row.get(4)?),
            expires: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        });
    }
    Ok(keys)
}

/// Makes one key of a user void. Voiding it again changes nothing.
pub(super) fn void(
    db: &Connection,
    user: &UserName,
    public_key: &str,
    at: Timestamp,
) -> StoreResult<Result<(), Refusal>> {
    let changed = db.execute(
        "UPDATE user_keys SET revoked = coalesce(revoked, ?3) WHERE public_key = ?1 AND user = ?2",
        params![public_key, user.as_str(), at.0],
    )?;
    Ok(if changed > 0 { Ok(()) } else { Err(unknown(public_key)) })
}

/// Cuts a user off: every key is void. The keys that were good until now; `None` when there is no such user.
pub(super) fn cut_off(db: &Connection, user: &UserName, at: Timestamp) -> StoreResult<Option<Vec<String>>> {
    let known = db.execute(
        "UPDATE users SET revoked = coalesce(revoked, ?2) WHERE name = ?1",
        params![user.as_str(), at.0],
    )?;
    if known == 0 {
        return Ok(None);
    }
    let keys = {
        let mut statement = db.prepare_cached("SELECT public_key FROM user_keys WHERE user = ?1")?;
        statement.query_map([user.as_str()], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?
    };
    db.execute(
        "UPDATE user_keys SET revoked = coalesce(revoked, ?2) WHERE user = ?1",
        params![user.as_str(), at.0],
    )?;
    Ok(Some(keys))
}

fn unknown(public_key: &str) -> Refusal {
    let short: String = public_key.chars().take(8).collect();
    Refusal::new(RefusalCode::NotFound, format!("you have no credential with the key {short}…"))
        .hint("codementor whoami lists your credentials")
}
