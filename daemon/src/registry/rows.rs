//! The rows of installed problems and of their packages.

use std::collections::HashMap;

use codementor_protocol::{PackageHash, Slug, Timestamp, UserName, Verdict};
use rusqlite::{Connection, OptionalExtension, params};

use super::Installed;
use crate::store::StoreResult;
use crate::store::columns::{from_json, from_token, json, parse};

/// The version of a problem that was installed last, and by whom.
pub(super) fn newest_version(db: &Connection, slug: &Slug) -> StoreResult<Option<(PackageHash, UserName)>> {
    let row: Option<(String, String)> = db
        .prepare_cached("SELECT package, by FROM versions WHERE slug = ?1 ORDER BY id DESC LIMIT 1")?
        .query_row([slug.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(package, by)| Ok((parse("package", package)?, parse("user", by)?))).transpose()
}

/// The version of a problem that judges.
pub(crate) fn current(db: &Connection, slug: &Slug) -> StoreResult<Option<PackageHash>> {
    let hash: Option<String> = db
        .prepare_cached("SELECT package FROM problems WHERE slug = ?1")?
        .query_row([slug.as_str()], |row| row.get(0))
        .optional()?;
    hash.map(|hash| parse("package", hash)).transpose()
}

pub(super) fn titles(db: &Connection) -> StoreResult<HashMap<Slug, String>> {
    let mut statement =
        db.prepare_cached("SELECT slug, title FROM problems JOIN packages ON hash = package")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (slug, title) = row?;
        Ok((parse("problem", slug)?, title))
    })
    .collect()
}

pub(super) fn slugs(db: &Connection) -> StoreResult<Vec<Slug>> {
    let mut statement = db.prepare_cached("SELECT slug FROM problems ORDER BY slug")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|slug| parse("problem", slug?)).collect()
}

pub(super) fn installed(db: &Connection, hash: &PackageHash) -> StoreResult<Option<Installed>> {
    let mut statement = db.prepare_cached(
        "SELECT title, limits, samples, cases, languages, warnings, code_kib, feedback, installed FROM packages WHERE hash = ?1",
    )?;
    let mut rows = statement.query([hash.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Installed {
        hash: hash.clone(),
        title: row.get(0)?,
        limits: from_json("limits", &row.get::<_, String>(1)?)?,
        samples: row.get(2)?,
        cases: row.get(3)?,
        languages: from_json("languages", &row.get::<_, String>(4)?)?,
        warnings: from_json("warnings", &row.get::<_, String>(5)?)?,
        code_kib: row.get(6)?,
        feedback: from_json("feedback", &row.get::<_, String>(7)?)?,
        installed: Timestamp(row.get(8)?),
    }))
}

pub(super) fn add(db: &Connection, row: &Installed) -> StoreResult<()> {
    db.execute(
        "INSERT OR REPLACE INTO packages (hash, title, limits, samples, cases, languages, warnings, code_kib, feedback, installed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            row.hash.as_str(),
            row.title,
            json(&row.limits)?,
            row.samples,
            row.cases,
            json(&row.languages)?,
            json(&row.warnings)?,
            row.code_kib,
            json(&row.feedback)?,
            row.installed.0,
        ],
    )?;
    Ok(())
}

/// The best verdict of a user at a problem: accepted, or that of the newest try.
pub(super) fn best(db: &Connection, user: &UserName, slug: &Slug) -> StoreResult<Option<Verdict>> {
    let verdict: Option<String> = db
        .prepare_cached(
            "SELECT verdict FROM submissions
             WHERE user = ?1 AND problem = ?2 AND purpose = 'submission' AND verdict IS NOT NULL
             ORDER BY verdict = 'ACCEPTED' DESC, id DESC LIMIT 1",
        )?
        .query_row(params![user.as_str(), slug.as_str()], |row| row.get(0))
        .optional()?;
    verdict.map(|verdict| from_token("verdict", &verdict)).transpose()
}
