//! All that the server keeps of one person: read as a whole, and removed as a whole.
//!
//! One table says of every table of the database what in it is a person's. A test sees to it that none is forgotten. This
//! is the one place that reads across the tables of all modules: what is kept of somebody is a question about all of them.

use codementor_protocol::{PersonalPage, PersonalPlace, UserName};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Map, Value, json};

use crate::store::columns::{from_json, parse};
use crate::store::{Store, StoreResult};

/// How many bytes of rows go into one answer; one row alone may be longer.
const PAGE_BYTES: usize = 256 * 1024;
/// The name that stands where somebody's was.
const ERASED: &str = "erased";
/// Stands for the user of somebody who has not joined; no user can be called that.
const NOBODY: &str = "/";

/// A person: a user, a student id on rosters, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) user: Option<UserName>,
    pub(crate) student_id: Option<String>,
}

impl Person {
    fn key(&self) -> (&str, Option<&str>) {
        (self.user.as_ref().map_or(NOBODY, UserName::as_str), self.student_id.as_deref())
    }
}

/// Who reads what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The person: nothing that an assignment hides from students.
    Oneself,
    /// An administrator.
    Admin,
}

/// What becomes of a person's rows.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// They are removed.
    Remove,
    /// They are about something else, and lose the person's name in this column.
    Rename(&'static str),
    /// They are rewritten by [`rewrite_audit`].
    Rewrite,
}

/// What in a table is a person's: `?1` is the user, `?2` the student id.
struct Part {
    table: &'static str,
    whose: &'static str,
    fate: Fate,
    /// Whether the person itself may read it.
    own: bool,
}

const fn part(table: &'static str, whose: &'static str, fate: Fate, own: bool) -> Part {
    Part { table, whose, fate, own }
}

const OF_SUBMISSION: &str = "submission IN (SELECT id FROM submissions WHERE user = ?1)";
/// A student id may be claimed by anybody where there is no roster: it is the person's in the courses that it is in.
const BY_STUDENT_ID: &str = "student_id = ?2 AND (?1 = '/' OR course IN
    (SELECT course FROM memberships WHERE user = ?1 UNION SELECT course FROM departures WHERE user = ?1))";
const SET: &str = "user = ?1 OR student_id = ?2 AND (?1 = '/' OR course IN
    (SELECT course FROM memberships WHERE user = ?1 UNION SELECT course FROM departures WHERE user = ?1))";
const ABOUT: &str = "by = ?1 OR target IN (?1, ?2) OR EXISTS
    (SELECT 1 FROM json_tree(detail) AS part WHERE part.atom IN (?1, ?2) OR part.key = ?2)";

/// In the order in which they can be removed: what others are found by comes last.
const PARTS: &[Part] = &[
    part("audit", ABOUT, Fate::Rewrite, true),
    part("grades_set", SET, Fate::Remove, true),
    part("grades_set", "by = ?1", Fate::Rename("by"), false),
    part("chosen", "user = ?1", Fate::Remove, true),
    part("extensions", "user = ?1", Fate::Remove, true),
    part("roster", BY_STUDENT_ID, Fate::Remove, true),
    part("events", OF_SUBMISSION, Fate::Remove, true),
    part("captures", OF_SUBMISSION, Fate::Remove, true),
    // Hidden cases are in it.
    part("cases", OF_SUBMISSION, Fate::Remove, false),
    part("feedback_steps", OF_SUBMISSION, Fate::Remove, true),
    // Kept by a hash of what was asked, so that nothing says whose it was: all that came since the first submission goes.
    part("feedback_answers", "at >= (SELECT min(at) FROM submissions WHERE user = ?1)", Fate::Remove, false),
    part("feedback_spending", "user = ?1", Fate::Remove, true),
    part("feedback_checks", "user = ?1", Fate::Remove, true),
    part("outbox", "user = ?1", Fate::Remove, false),
    part("rejudge_runs", OF_SUBMISSION, Fate::Remove, false),
    part("rejudges", "by = ?1", Fate::Rename("by"), false),
    part("versions", "by = ?1", Fate::Rename("by"), false),
    part("codes", "user = ?1", Fate::Remove, false),
    part("codes", "made_by = ?1", Fate::Rename("made_by"), false),
    part("submissions", "user = ?1", Fate::Remove, true),
    // It says at which case a student fails, hidden ones too. Removing submissions has counted it anew.
    part("stats_students", "user = ?1", Fate::Remove, false),
    part("memberships", "user = ?1", Fate::Remove, true),
    part("departures", "user = ?1", Fate::Remove, true),
    part("user_keys", "user = ?1", Fate::Remove, true),
    part("users", "name = ?1", Fate::Remove, true),
];

/// Tables that hold nothing of anybody.
#[cfg(test)]
const IMPERSONAL: &[&str] = &[
    "assignments",
    "courses",
    "packages",
    "positions",
    "problems",
    "rejudge_problems",
    "stats_cases",
    "stats_hours",
    "stats_times",
];

/// Columns that hold JSON.
const JSON: &[&str] = &["files", "limits", "body", "detail", "token"];

/// The person who is meant: a user, else somebody on a roster who has not joined.
pub(crate) fn person(db: &Connection, who: &str) -> StoreResult<Option<Person>> {
    let user: Option<(String, Option<String>)> = db
        .query_row("SELECT name, student_id FROM users WHERE name = ?1 OR student_id = ?1", [who], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    if let Some((user, student_id)) = user {
        return Ok(Some(Person { user: Some(parse("user", user)?), student_id }));
    }
    let listed: bool =
        db.query_row("SELECT EXISTS (SELECT 1 FROM roster WHERE student_id = ?1)", [who], |row| row.get(0))?;
    Ok(listed.then(|| Person { user: None, student_id: Some(who.into()) }))
}

/// Reads a part of what is kept of a person.
pub(crate) fn read(
    db: &Connection,
    person: &Person,
    reader: Reader,
    from: PersonalPlace,
) -> StoreResult<PersonalPage> {
    let (user, student_id) = person.key();
    let mut page = PersonalPage { rows: Vec::new(), next: None };
    let mut size = 0;
    for (table, part) in (0..).zip(PARTS).skip(from.table as usize) {
        if matches!(part.fate, Fate::Rename(_)) || reader == Reader::Oneself && !part.own {
            continue;
        }
        let mut place = PersonalPlace { table, row: if table == from.table { from.row } else { 0 } };
        let sql = format!(
            "SELECT * FROM {} WHERE ({}) AND ?1 IS ?1 AND ?2 IS ?2 ORDER BY 1, 2, 3 LIMIT -1 OFFSET ?3",
            part.table, part.whose
        );
        let mut statement = db.prepare_cached(&sql)?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query(params![user, student_id, place.row])?;
        while let Some(row) = rows.next()? {
            let row = shown(row, &names, part.table)?;
            size += row.to_string().len();
            if size > PAGE_BYTES && !page.rows.is_empty() {
                page.next = Some(place);
                return Ok(page);
            }
            page.rows.push((part.table.to_owned(), row));
            place.row += 1;
        }
    }
    Ok(page)
}

fn shown(row: &Row<'_>, names: &[String], table: &str) -> StoreResult<Value> {
    let mut values = Map::new();
    for (place, name) in names.iter().enumerate() {
        let value = match row.get_ref(place)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => json!(number),
            ValueRef::Real(number) => json!(number),
            ValueRef::Text(text) => {
                let text = String::from_utf8_lossy(text).into_owned();
                match JSON.contains(&name.as_str()) {
                    // As a part of the whole: a text of JSON in JSON would be twice as long.
                    true => serde_json::from_str(&text).unwrap_or(Value::String(text)),
                    false => Value::String(text),
                }
            }
            ValueRef::Blob(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => json!(text),
                Err(_) => json!({ "base64": data_encoding::BASE64.encode(bytes) }),
            },
        };
        values.insert(name.clone(), value);
    }
    // An import of a roster names others too.
    if table == "audit" && values.get("action").is_some_and(|action| action == "roster-import") {
        values.insert("detail".into(), Value::Null);
    }
    Ok(Value::Object(values))
}

/// Whether a person's submissions are being judged again: then there are copies that only the end of that removes.
pub(crate) fn is_rejudged(db: &Connection, user: &UserName) -> StoreResult<bool> {
    Ok(db.query_row(
        "SELECT EXISTS (SELECT 1 FROM rejudge_runs JOIN rejudges ON rejudges.id = rejudge
                        WHERE state IN ('judging', 'ready')
                              AND submission IN (SELECT id FROM submissions WHERE user = ?1))",
        [user.as_str()],
        |row| row.get(0),
    )?)
}

/// A person's submissions that have not come to their end; with `pending`, those that feedback is being given on.
pub(crate) fn open(
    db: &Connection,
    user: &UserName,
    pending: bool,
) -> StoreResult<Vec<codementor_protocol::SubmissionId>> {
    let which = if pending { "feedback = 'pending'" } else { "state NOT LIKE '%-ended'" };
    let mut statement = db.prepare(&format!("SELECT id FROM submissions WHERE user = ?1 AND {which}"))?;
    let ids =
        statement.query_map([user.as_str()], |row| row.get(0).map(codementor_protocol::SubmissionId))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Removes all that is kept of a person. Returns how many rows are gone, by table.
pub(crate) fn erase(db: &Connection, person: &Person) -> StoreResult<Vec<(String, u64)>> {
    // What is removed is written over, and not only marked as free.
    db.pragma_update(None, "secure_delete", true)?;
    let (user, student_id) = person.key();
    let mut removed: Vec<(String, u64)> = Vec::new();
    for part in PARTS {
        let Part { table, whose, .. } = part;
        let mine = format!("({whose}) AND ?1 IS ?1 AND ?2 IS ?2");
        let rows = match part.fate {
            Fate::Remove => {
                db.execute(&format!("DELETE FROM {table} WHERE {mine}"), params![user, student_id])?
            }
            Fate::Rename(column) => {
                let sql = format!("UPDATE {table} SET {column} = '{ERASED}' WHERE {mine}");
                db.execute(&sql, params![user, student_id])?;
                0
            }
            Fate::Rewrite => {
                rewrite_audit(db, person)?;
                0
            }
        };
        if rows > 0 {
            removed.push(((*table).to_owned(), rows as u64));
        }
    }
    Ok(removed)
}

/// The log keeps that something was changed, and not for whom or by whom.
fn rewrite_audit(db: &Connection, person: &Person) -> StoreResult<()> {
    let (user, student_id) = person.key();
    let known: Vec<String> = names(db, person)?;
    let entries: Vec<(u64, String, String, String)> = {
        let mut statement = db.prepare(&format!("SELECT id, by, target, detail FROM audit WHERE {ABOUT}"))?;
        let rows = statement.query_map(params![user, student_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?;
        rows.collect::<Result<_, _>>()?
    };
    for (id, by, target, detail) in entries {
        let mut detail: Value = from_json("detail", &detail)?;
        let about = target == user
            || Some(target.as_str()) == student_id
            || ["user", "student"].iter().any(|name| {
                let told = detail.get(name).and_then(Value::as_str);
                told.is_some_and(|told| told == user || Some(told) == student_id)
            });
        // Why somebody got more time may tell more than the name does.
        if let (true, Some(reason)) = (about, detail.get_mut("reason")) {
            *reason = json!(ERASED);
        }
        forget(&mut detail, &known);
        let said = |text: String| if known.contains(&text) { ERASED.to_owned() } else { text };
        db.prepare_cached("UPDATE audit SET by = ?2, target = ?3, detail = ?4 WHERE id = ?1")?
            .execute(params![id, said(by), said(target), detail.to_string()])?;
    }
    Ok(())
}

/// By what somebody is known.
fn names(db: &Connection, person: &Person) -> StoreResult<Vec<String>> {
    let (user, student_id) = person.key();
    let mut names: Vec<String> = person.student_id.iter().cloned().collect();
    names.extend(person.user.iter().map(ToString::to_string));
    let sql = format!(
        "SELECT full_name FROM users WHERE name = ?1 AND full_name IS NOT NULL
         UNION SELECT credential FROM user_keys WHERE user = ?1 AND credential IS NOT NULL
         UNION SELECT name FROM roster WHERE {BY_STUDENT_ID}
         UNION SELECT email FROM roster WHERE {BY_STUDENT_ID} AND email IS NOT NULL"
    );
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map(params![user, student_id], |row| row.get(0))?;
    names.extend(rows.collect::<Result<Vec<String>, _>>()?);
    Ok(names)
}

fn forget(value: &mut Value, known: &[String]) {
    match value {
        Value::String(text) if known.contains(text) => *text = ERASED.into(),
        Value::Array(values) => values.iter_mut().for_each(|value| forget(value, known)),
        Value::Object(values) => {
            let named: Vec<String> = values.keys().filter(|name| known.contains(name)).cloned().collect();
            for name in named {
                if let Some(value) = values.remove(&name) {
                    values.insert(ERASED.into(), value);
                }
            }
            values.values_mut().for_each(|value| forget(value, known));
        }
        _ => {}
    }
}

/// The courses that somebody has to do with.
pub(crate) fn courses(db: &Connection, person: &Person) -> StoreResult<Vec<codementor_protocol::CourseName>> {
    let (user, student_id) = person.key();
    let mut statement = db.prepare(&format!(
        "SELECT course FROM memberships WHERE user = ?1 UNION SELECT course FROM departures WHERE user = ?1
         UNION SELECT course FROM roster WHERE {BY_STUDENT_ID}"
    ))?;
    let rows = statement.query_map(params![user, student_id], |row| row.get::<_, String>(0))?;
    rows.map(|course| parse("course", course?)).collect()
}

/// Whoever is not on the server any more is in no free page of its database either.
pub(crate) async fn scrub(store: &Store) -> StoreResult<()> {
    store.scrub().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_every_table_it_is_known_what_is_a_persons() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("t.db");
        drop(Store::open(&path).expect("opens"));
        let db = Connection::open(&path).expect("opens");
        let mut statement = db
            .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            .expect("reads");
        let tables = statement.query_map([], |row| row.get::<_, String>(0)).expect("reads");
        let is_known =
            |table: &str| IMPERSONAL.contains(&table) || PARTS.iter().any(|part| part.table == table);
        let unknown: Vec<String> =
            tables.map(|table| table.expect("a name")).filter(|table| !is_known(table)).collect();
        assert!(unknown.is_empty(), "say in this file what is a person's in {unknown:?}");
        // Every part can be read and removed, also of nobody.
        let nobody = Person { user: None, student_id: Some("2026-1".into()) };
        read(&db, &nobody, Reader::Admin, PersonalPlace::default()).expect("reads");
        assert!(erase(&db, &nobody).expect("writes").is_empty());
    }
}
