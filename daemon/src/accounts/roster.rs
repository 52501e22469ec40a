//! The roster of a course: who is meant to be in it, who is, and who has left. A row and a user are the same student if
//! their student ids are.

use std::collections::BTreeMap;

use codementor_protocol::{
    CourseName, CourseRole, MAX_ROSTER_ROWS, Member, Refusal, RefusalCode, RosterChange, RosterRow,
    Timestamp, UserName, roster_clashes,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::json;

use super::members;
use crate::courses::audit;
use crate::store::StoreResult;
use crate::store::columns::{from_token, parse};

/// The most rows that a roster may have.
const MAX_ROSTER: usize = 20_000;

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

/// The student ids on the roster of a course whose account at the code host is this one, however it is written. Who has
/// left is not among them.
pub(super) fn by_code_host(db: &Connection, course: &CourseName, account: &str) -> StoreResult<Vec<String>> {
    // Compared here and not by SQLite, whose lower() knows ASCII only.
    let account = account.to_lowercase();
    let is_wanted = |row: &RosterRow| {
        row.withdrawn != Some(true)
            && row.code_host.as_ref().is_some_and(|known| known.to_lowercase() == account)
    };
    Ok(rows(db, course)?.into_values().filter(is_wanted).map(|row| row.student_id).collect())
}

/// Looks a student id up.
pub(super) fn student(db: &Connection, course: &CourseName, student_id: &str) -> StoreResult<Standing> {
    let found: Option<(String, bool)> = db
        .prepare_cached("SELECT name, withdrawn FROM roster WHERE course = ?1 AND student_id = ?2")?
        .query_row([course.as_str(), student_id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match found {
        Some((_, true)) => Standing::Withdrawn,
        Some((name, false)) => Standing::Listed { name },
        None if has_rows(db, course)? => Standing::NotListed,
        None => Standing::NoRoster,
    })
}

fn has_rows(db: &Connection, course: &CourseName) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM roster WHERE course = ?1)")?
        .query_row([course.as_str()], |row| row.get(0))?)
}

/// What an import did.
#[derive(Debug, Default)]
pub(super) struct Imported {
    /// What it changed.
    pub(super) change: RosterChange,
    /// Users whose membership changed.
    pub(super) users: Vec<UserName>,
    /// Public keys that are void.
    pub(super) keys: Vec<String>,
}

/// Puts rows on the roster, or with `dry_run` only says what would change. Where one is wrong nothing is written.
pub(super) fn import(
    db: &Connection,
    course: &CourseName,
    wanted: &[RosterRow],
    dry_run: bool,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<Imported, Refusal>> {
    if let Err(refusal) = check(wanted) {
        return Ok(Err(refusal));
    }
    let mut all = rows(db, course)?;
    let mut imported = Imported::default();
    let change = &mut imported.change;
    change.missing = all
        .values()
        .filter(|row| {
            row.withdrawn != Some(true) && !wanted.iter().any(|one| one.student_id == row.student_id)
        })
        .map(|row| row.student_id.clone())
        .collect();
    let mut moved = Vec::new();
    for row in wanted {
        let before = all.get(&row.student_id).cloned();
        let after = merged(before.clone().unwrap_or_default(), row);
        let differs = differences(before.as_ref().unwrap_or(&RosterRow::default()), &after);
        match &before {
            None => change.added.push(row.student_id.clone()),
            Some(_) if differs.is_empty() => change.same += 1,
            Some(_) => change.changed.push((row.student_id.clone(), differs)),
        }
        let was_out = before.is_some_and(|before| before.withdrawn == Some(true));
        let is_out = after.withdrawn == Some(true);
        if was_out != is_out {
            moved.push((row.student_id.clone(), is_out));
        }
        all.insert(row.student_id.clone(), after);
    }
    // Against what was there before, not only against each other.
    let (merged, clashes) = (all.values().collect::<Vec<_>>(), roster_clashes(all.values()));
    if let Some(clash) = clashes.first() {
        let (one, other) = (&merged[clash.first].student_id, &merged[clash.second].student_id);
        let message = format!("{} and {} would have the same {}, '{}'", one, other, clash.what, clash.value);
        return Ok(Err(Refusal::new(RefusalCode::Invalid, message).hint(format!(
            "codementor course roster list {course} shows who is there; nothing was changed"
        ))));
    }
    if all.len() > MAX_ROSTER {
        let message = format!("the roster would have {} rows; at most {MAX_ROSTER} are possible", all.len());
        return Ok(Err(Refusal::new(RefusalCode::Invalid, message).hint("make two courses of it")));
    }
    if dry_run || imported.change.added.is_empty() && imported.change.changed.is_empty() {
        return Ok(Ok(imported));
    }
    for row in wanted {
        if let Some(row) = all.get(&row.student_id) {
            put(db, course, row)?;
        }
    }
    for (student_id, out) in moved {
        let Some(user) = user_of(db, &student_id)? else { continue };
        if out && members::role(db, course, &user)? == Some(CourseRole::Student) {
            imported.keys.append(&mut leave(db, course, &user, at)?);
        } else if !out {
            come_back(db, course, &user, at)?;
        }
        imported.users.push(user);
    }
    let change = &imported.change;
    let changed: BTreeMap<_, _> = change.changed.iter().map(|(id, differs)| (id, differs)).collect();
    let detail = json!({ "added": change.added, "changed": changed });
    audit::append(db, course, by, "roster-import", course.as_str(), &detail, at)?;
    Ok(Ok(imported))
}

/// The same that the command line looks at, which knows the lines; others may write to NATS too.
fn check(rows: &[RosterRow]) -> Result<(), Refusal> {
    let invalid =
        |message: String| Err(Refusal::new(RefusalCode::Invalid, message).hint("nothing was changed"));
    if rows.is_empty() {
        return invalid("there is no row to import".into());
    }
    if rows.len() > MAX_ROSTER_ROWS {
        return invalid(format!("there are {} rows; one import takes {MAX_ROSTER_ROWS}", rows.len()));
    }
    for (place, row) in rows.iter().enumerate() {
        if let Err(wrong) = row.check() {
            return invalid(format!("row {}: {wrong}", place + 1));
        }
    }
    match roster_clashes(rows).first() {
        Some(clash) => invalid(format!(
            "rows {} and {} have the same {}, '{}'",
            clash.first + 1,
            clash.second + 1,
            clash.what,
            clash.value
        )),
        None => Ok(()),
    }
}

/// What a row says over what was there.
fn merged(before: RosterRow, row: &RosterRow) -> RosterRow {
    let row = row.clone();
    RosterRow {
        student_id: row.student_id,
        // A name that was known in parts and comes as a whole is not the same in parts any more.
        last_name: row.last_name.or_else(|| before.last_name.filter(|_| before.name == row.name)),
        first_name: row.first_name.or_else(|| before.first_name.filter(|_| before.name == row.name)),
        name: row.name,
        email: row.email.or(before.email),
        section: row.section.or(before.section),
        login: row.login.or(before.login),
        canvas_id: row.canvas_id.or(before.canvas_id),
        code_host: row.code_host.or(before.code_host),
        withdrawn: Some(row.withdrawn.or(before.withdrawn).unwrap_or(false)),
    }
}

fn differences(before: &RosterRow, after: &RosterRow) -> Vec<String> {
    let same = [
        ("name", before.name == after.name),
        ("last_name", before.last_name == after.last_name),
        ("first_name", before.first_name == after.first_name),
        ("email", before.email == after.email),
        ("section", before.section == after.section),
        ("login", before.login == after.login),
        ("canvas_id", before.canvas_id == after.canvas_id),
        ("code_host", before.code_host == after.code_host),
        ("withdrawn", before.withdrawn == after.withdrawn),
    ];
    same.iter().filter(|(_, same)| !same).map(|(name, _)| (*name).to_owned()).collect()
}

fn put(db: &Connection, course: &CourseName, row: &RosterRow) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO roster
             (course, student_id, name, last_name, first_name, email, section, login, canvas_id, code_host, withdrawn)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        course.as_str(),
        row.student_id,
        row.name,
        row.last_name,
        row.first_name,
        row.email,
        row.section,
        row.login,
        row.canvas_id,
        row.code_host,
        row.withdrawn.unwrap_or(false),
    ])?;
    Ok(())
}

const COLUMNS: &str =
    "student_id, name, last_name, first_name, email, section, login, canvas_id, code_host, withdrawn";

fn read(row: &Row<'_>) -> rusqlite::Result<RosterRow> {
    Ok(RosterRow {
        student_id: row.get(0)?,
        name: row.get(1)?,
        last_name: row.get(2)?,
        first_name: row.get(3)?,
        email: row.get(4)?,
        section: row.get(5)?,
        login: row.get(6)?,
        canvas_id: row.get(7)?,
        code_host: row.get(8)?,
        withdrawn: Some(row.get(9)?),
    })
}

fn rows(db: &Connection, course: &CourseName) -> StoreResult<BTreeMap<String, RosterRow>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM roster WHERE course = ?1"))?;
    let rows = statement.query_map([course.as_str()], read)?;
    Ok(rows.map(|row| row.map(|row| (row.student_id.clone(), row))).collect::<Result<_, _>>()?)
}

/// What a user is called, by the account and by the rosters of the user's courses: names, then all other words.
pub(crate) fn words_for(db: &Connection, user: &UserName) -> StoreResult<(Vec<String>, Vec<String>)> {
    let (mut names, mut ids) = (Vec::new(), Vec::new());
    // Everybody is called so on a private daemon.
    if user.as_str() != super::LOCAL_USER {
        ids.push(user.as_str().to_owned());
    }
    let account: Option<(Option<String>, Option<String>)> = db
        .prepare_cached("SELECT full_name, student_id FROM users WHERE name = ?1")?
        .query_row([user.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((full_name, student_id)) = account else { return Ok((names, ids)) };
    names.extend(full_name);
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM roster WHERE student_id = ?2 AND course IN
             (SELECT course FROM memberships WHERE user = ?1 UNION SELECT course FROM departures WHERE user = ?1)"
    ))?;
    for row in statement.query_map(params![user.as_str(), student_id], read)? {
        let row = row?;
        names.push(row.name);
        names.extend([row.last_name, row.first_name].into_iter().flatten());
        ids.extend([row.email, row.login, row.code_host].into_iter().flatten());
    }
    ids.extend(student_id);
    Ok((names, ids))
}

/// Everybody on the roster, in the course, or gone from it, by name.
pub(super) fn everybody(db: &Connection, course: &CourseName) -> StoreResult<Vec<Member>> {
    let mut rows = rows(db, course)?;
    let mut members = Vec::new();
    let mut statement = db.prepare_cached(
        "SELECT user, role, joined, full_name, student_id, FALSE FROM memberships JOIN users ON name = user
         WHERE course = ?1
         UNION ALL
         SELECT user, 'student', NULL, full_name, student_id, TRUE FROM departures JOIN users ON name = user
         WHERE course = ?1 AND NOT EXISTS (SELECT 1 FROM memberships AS m WHERE m.course = ?1 AND m.user = name)",
    )?;
    let mut found = statement.query([course.as_str()])?;
    while let Some(one) = found.next()? {
        let student_id: Option<String> = one.get(4)?;
        let gone: bool = one.get(5)?;
        let role = from_token("role", &one.get::<_, String>(1)?)?;
        // Who teaches and has a student id all the same is no student of the roster.
        let row = student_id.as_ref().filter(|_| role == CourseRole::Student).and_then(|id| rows.remove(id));
        members.push(Member {
            user: Some(parse("user", one.get(0)?)?),
            name: one.get(3)?,
            student_id,
            role,
            withdrawn: gone || row.as_ref().is_some_and(|row| row.withdrawn == Some(true)),
            row,
            joined: one.get::<_, Option<i64>>(2)?.map(Timestamp),
        });
    }
    members.extend(rows.into_values().map(|row| Member {
        user: None,
        name: None,
        student_id: None,
        role: CourseRole::Student,
        withdrawn: row.withdrawn == Some(true),
        row: Some(row),
        joined: None,
    }));
    let order = |one: &Member| {
        let id = one.student_id().map(str::to_owned);
        (std::cmp::Reverse(one.role), one.shown().to_lowercase(), id, one.user.clone())
    };
    members.sort_by_cached_key(order);
    Ok(members)
}

/// The one of a course whom somebody means who types a user name or a student id.
pub(crate) fn find(members: &[Member], course: &CourseName, text: &str) -> Result<Member, Refusal> {
    let meant: Vec<&Member> = members.iter().filter(|member| member.is_called(text)).collect();
    let list = format!("codementor course roster list {course} shows who is");
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let message = format!("there is nobody called '{text}' in '{course}', nor with that student id");
            Err(Refusal::new(RefusalCode::NotFound, message).hint(list))
        }
        _ => {
            let message = format!("'{text}' is a user name and another's student id");
            Err(Refusal::new(RefusalCode::Invalid, message)
                .hint("name the one by the student id, or the other way round"))
        }
    }
}

/// Ends a membership. What a student has handed in stays. Returns the public keys of the credentials for CI that are void
/// by it.
pub(super) fn leave(
    db: &Connection,
    course: &CourseName,
    user: &UserName,
    at: Timestamp,
) -> StoreResult<Vec<String>> {
    let key = params![course.as_str(), user.as_str(), at.0];
    if members::role(db, course, user)? == Some(CourseRole::Student) {
        db.prepare_cached("INSERT OR REPLACE INTO departures (course, user, at) VALUES (?1, ?2, ?3)")?
            .execute(key)?;
    }
    db.prepare_cached("DELETE FROM memberships WHERE course = ?1 AND user = ?2")?
        .execute([course.as_str(), user.as_str()])?;
    let mut statement = db.prepare_cached(
        "UPDATE user_keys SET revoked = ?3
         WHERE course = ?1 AND user = ?2 AND credential IS NOT NULL AND revoked IS NULL
         RETURNING public_key",
    )?;
    Ok(statement.query_map(key, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Makes a student a member again who has left. False where the user has not left.
pub(super) fn come_back(
    db: &Connection,
    course: &CourseName,
    user: &UserName,
    at: Timestamp,
) -> StoreResult<bool> {
    let left = db
        .prepare_cached("DELETE FROM departures WHERE course = ?1 AND user = ?2")?
        .execute([course.as_str(), user.as_str()])?;
    if left > 0 && members::role(db, course, user)?.is_none() {
        members::put_member(db, course, user, CourseRole::Student, at)?;
    }
    Ok(left > 0)
}

/// Takes somebody out of a course, or back in.
pub(super) fn remove(
    db: &Connection,
    request: &codementor_protocol::RemoveMember,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<(Member, Vec<String>), Refusal>> {
    let course = &request.course;
    let member = match find(&everybody(db, course)?, course, &request.who) {
        Ok(member) => member,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let who = request.who.as_str();
    if member.withdrawn != request.back {
        let message = if request.back {
            format!("'{who}' has not left '{course}'")
        } else {
            format!("'{who}' has left '{course}' already")
        };
        return Ok(Err(Refusal::new(RefusalCode::Invalid, message)));
    }
    if member.user.as_ref() == Some(by) {
        return Ok(Err(Refusal::new(RefusalCode::Forbidden, "you would take yourself out of the course")
            .hint("another instructor or an administrator can")));
    }
    let mut keys = Vec::new();
    if let Some(row) = &member.row {
        put(db, course, &RosterRow { withdrawn: Some(!request.back), ..row.clone() })?;
    }
    match &member.user {
        Some(user) if request.back => drop(come_back(db, course, user, at)?),
        Some(user) => keys = leave(db, course, user, at)?,
        None => {}
    }
    let detail = json!({
        "user": member.user, "student": member.student_id(), "role": member.role, "reason": request.reason,
        "credentials": keys.len(),
    });
    let action = if request.back { "member-back" } else { "member-remove" };
    audit::append(db, course, by, action, who, &detail, at)?;
    Ok(Ok((member, keys)))
}

/// Gives a user who joined without a student id the one of a row of the roster.
pub(super) fn link(
    db: &Connection,
    request: &codementor_protocol::LinkMember,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<(), Refusal>> {
    let codementor_protocol::LinkMember { course, user, student_id } = request;
    let refused = |code, message: String, hint: String| Ok(Err(Refusal::new(code, message).hint(hint)));
    let list = format!("codementor course roster list {course} shows who is");
    if members::role(db, course, user)? != Some(CourseRole::Student) {
        return refused(RefusalCode::NotFound, format!("there is no student '{user}' in '{course}'"), list);
    }
    match student(db, course, student_id)? {
        Standing::Listed { .. } => {}
        Standing::Withdrawn => {
            let message = format!("the student id '{student_id}' has left '{course}'");
            let hint = format!("codementor course roster withdraw {course} {student_id} --undo");
            return refused(RefusalCode::Forbidden, message, hint);
        }
        Standing::NotListed | Standing::NoRoster => {
            let message = format!("the student id '{student_id}' is not on the roster of '{course}'");
            return refused(RefusalCode::NotFound, message, list);
        }
    }
    if let Some(holder) = user_of(db, student_id)? {
        if holder == *user {
            return Ok(Ok(()));
        }
        let message = format!("the student id '{student_id}' is that of the user '{holder}'");
        return refused(RefusalCode::Forbidden, message, "is it the same person, who joined twice?".into());
    }
    let known = members::names(db, user)?.and_then(|(_, student_id)| student_id);
    if let Some(known) = known {
        let message = format!("'{user}' has the student id '{known}' already");
        let hint = "put that one on the roster: a student id is the same in all courses".into();
        return refused(RefusalCode::Forbidden, message, hint);
    }
    db.execute("UPDATE users SET student_id = ?2 WHERE name = ?1", [user.as_str(), student_id])?;
    let detail = json!({ "user": user, "student": student_id });
    audit::append(db, course, by, "roster-link", user.as_str(), &detail, at)?;
    Ok(Ok(()))
}

fn user_of(db: &Connection, student_id: &str) -> StoreResult<Option<UserName>> {
    let user: Option<String> = db
        .prepare_cached("SELECT name FROM users WHERE student_id = ?1")?
        .query_row([student_id], |row| row.get(0))
        .optional()?;
    user.map(|user| parse("user", user)).transpose()
}
