//! Courses and assignments: what is set about them, who changed it, and by which rules submissions are taken.
//!
//! ```text
//! courses     tables, this file       what there is
//! check       pure                    does an assignment make sense?
//! rules       pure                    is a submission taken, is it late, which one counts?
//! entry       reads, then rules       the same, inside the transaction that writes the submission
//! grades      reads, then rules       what counts for whom, and what a person has set over it
//! audit       a table that only grows who changed what
//! ```
//!
//! Every function works inside a transaction of the caller.

pub(crate) mod audit;
pub(crate) mod check;
pub(crate) mod due;
pub(crate) mod entry;
pub(crate) mod grades;
pub(crate) mod rules;
pub(crate) mod stats;
pub(crate) mod times;

use std::collections::BTreeSet;

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentState, CourseName, FeedbackPolicy, Points, Refusal, RefusalCode,
    Slug, Timestamp, UserName,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use crate::store::StoreResult;
use crate::store::columns::{from_json, json as to_json, parse};

/// A course as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Course {
    pub(crate) name: CourseName,
    pub(crate) title: String,
    pub(crate) assignments: u32,
}

/// Makes a course, or changes its title.
pub(crate) fn put_course(
    db: &Connection,
    course: &CourseName,
    title: &str,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<()> {
    let before: Option<String> = db
        .prepare_cached("SELECT title FROM courses WHERE name = ?1")?
        .query_row([course.as_str()], |row| row.get(0))
        .optional()?;
    db.prepare_cached(
        "INSERT INTO courses (name, title, created) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET title = ?2",
    )?
    .execute(params![course.as_str(), title, at.0])?;
    let action = if before.is_none() { "course-create" } else { "course-change" };
    audit::append(db, course, by, action, course.as_str(), &json!({ "from": before, "to": title }), at)
}

/// Every course.
pub(crate) fn courses(db: &Connection) -> StoreResult<Vec<Course>> {
    let mut statement = db.prepare_cached(
        "SELECT name, title, (SELECT count(*) FROM assignments WHERE course = courses.name) FROM courses ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    let mut courses = Vec::new();
    while let Some(row) = rows.next()? {
        courses.push(Course {
            name: parse("course", row.get(0)?)?,
            title: row.get(1)?,
            assignments: row.get(2)?,
        });
    }
    Ok(courses)
}

/// Whether there is a course of this name.
pub(crate) fn is_course(db: &Connection, course: &CourseName) -> StoreResult<bool> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM courses WHERE name = ?1)")?
        .query_row([course.as_str()], |row| row.get(0))?)
}

/// What an assignment and its course are called, but for an assignment's name that is a plain word: `loops` says of
/// nobody where it was written, and much of a program.
pub(crate) fn words_for(db: &Connection, id: &AssignmentId) -> StoreResult<Vec<String>> {
    let course: Option<String> = db
        .prepare_cached("SELECT title FROM courses WHERE name = ?1")?
        .query_row([id.course.as_str()], |row| row.get(0))
        .optional()?;
    let title = assignment(db, id)?.map(|assignment| assignment.title);
    let is_plain = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase());
    let name = Some(id.assignment.as_str().to_owned());
    let of_assignment = [name, title].into_iter().flatten().filter(|name| !is_plain(name));
    Ok(std::iter::once(id.course.as_str().to_owned()).chain(course).chain(of_assignment).collect())
}

/// An assignment, if there is one of this name.
pub(crate) fn assignment(db: &Connection, id: &AssignmentId) -> StoreResult<Option<Assignment>> {
    let body: Option<String> = db
        .prepare_cached("SELECT body FROM assignments WHERE course = ?1 AND name = ?2")?
        .query_row([id.course.as_str(), id.assignment.as_str()], |row| row.get(0))
        .optional()?;
    body.map(|body| from_json("assignment", &body)).transpose()
}

/// The assignments of a course, or all: by deadline, those without one last.
pub(crate) fn assignments(db: &Connection, course: Option<&CourseName>) -> StoreResult<Vec<Assignment>> {
    let mut statement = db.prepare_cached("SELECT body FROM assignments WHERE ?1 IS NULL OR course = ?1")?;
    let rows = statement.query_map([course.map(CourseName::as_str)], |row| row.get::<_, String>(0))?;
    let mut assignments: Vec<Assignment> =
        rows.map(|body| from_json("assignment", &body?)).collect::<StoreResult<_>>()?;
    let order = |one: &Assignment| (one.due.is_none(), one.due, one.id.clone());
    assignments.sort_by_cached_key(order);
    Ok(assignments)
}

/// The courses of which an assignment has a problem.
pub(crate) fn with_problem(db: &Connection, problem: &Slug) -> StoreResult<BTreeSet<CourseName>> {
    let mut with = assignments(db, None)?;
    with.retain(|one| one.problems.iter().any(|one| one.problem == *problem));
    Ok(with.into_iter().map(|one| one.id.course).collect())
}

/// Makes an assignment, or changes one. That it makes sense was looked at by [`check::assignment`].
pub(crate) fn put_assignment(
    db: &Connection,
    assignment: &Assignment,
    create: bool,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<(), Refusal>> {
    let id = &assignment.id;
    if !is_course(db, &id.course)? {
        let message = format!("there is no course '{}'", id.course);
        return Ok(Err(Refusal::new(RefusalCode::NotFound, message)
            .hint(format!("an administrator makes it: codementor course create {}", id.course))));
    }
    let before = self::assignment(db, id)?;
    match &before {
        Some(_) if create => {
            return Ok(Err(Refusal::new(
                RefusalCode::Invalid,
                format!("there is an assignment '{id}' already"),
            )
            .hint("--update changes it; codementor assignment list shows what there is")));
        }
        None if !create => return Ok(Err(rules::unknown(id))),
        _ => {}
    }
    store(db, assignment, at)?;
    let action = if before.is_none() { "assignment-create" } else { "assignment-change" };
    let detail = json!({ "from": before, "to": assignment });
    audit::append(db, &id.course, by, action, &id.to_string(), &detail, at)?;
    Ok(Ok(()))
}

/// Opens or closes an assignment, or makes a draft of it.
pub(crate) fn set_state(
    db: &Connection,
    id: &AssignmentId,
    state: AssignmentState,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<Assignment, Refusal>> {
    let Some(mut assignment) = assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let before = std::mem::replace(&mut assignment.state, state);
    if before != state {
        store(db, &assignment, at)?;
        let detail = json!({ "from": before, "to": state });
        audit::append(db, &id.course, by, "assignment-state", &id.to_string(), &detail, at)?;
    }
    Ok(Ok(assignment))
}

/// Moves the deadline for all.
pub(crate) fn extend_all(
    db: &Connection,
    id: &AssignmentId,
    due: Timestamp,
    reason: &str,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<Assignment, Refusal>> {
    let Some(mut assignment) = assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let before = assignment.due.replace(due);
    store(db, &assignment, at)?;
    let detail = json!({ "from": before, "to": due, "reason": reason });
    audit::append(db, &id.course, by, "assignment-extend", &id.to_string(), &detail, at)?;
    Ok(Ok(assignment))
}

/// Gives a student a deadline of its own, or takes it back.
pub(crate) fn extend_one(
    db: &Connection,
    id: &AssignmentId,
    student: &UserName,
    due: Option<Timestamp>,
    reason: &str,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<Assignment, Refusal>> {
    let Some(assignment) = assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let shown = |at: Timestamp| times::moment(at, &assignment.time_zone);
    match (assignment.due, due) {
        (None, _) => {
            return Ok(Err(Refusal::new(RefusalCode::Invalid, format!("'{id}' has no deadline to extend"))
                .hint("give it one first: codementor assignment extend, without --student")));
        }
        (Some(all), Some(due)) if due <= all => {
            let message = format!("{} is no later than the deadline of all, {}", shown(due), shown(all));
            return Ok(Err(Refusal::new(RefusalCode::Invalid, message).hint("an extension ends after it")));
        }
        _ => {}
    }
    let before = extension(db, id, student)?;
    let key = [id.course.as_str(), id.assignment.as_str(), student.as_str()];
    match due {
        Some(due) => db
            .prepare_cached(
                "INSERT INTO extensions (course, assignment, user, due) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (course, assignment, user) DO UPDATE SET due = ?4",
            )?
            .execute(params![key[0], key[1], key[2], due.0])?,
        None => db
            .prepare_cached("DELETE FROM extensions WHERE course = ?1 AND assignment = ?2 AND user = ?3")?
            .execute(key)?,
    };
    let detail = json!({ "student": student, "from": before, "to": due, "reason": reason });
    audit::append(db, &id.course, by, "assignment-extend", &id.to_string(), &detail, at)?;
    Ok(Ok(assignment))
}

/// Deletes an assignment. Its submissions stay, and are judged to the end; returns how many there are.
pub(crate) fn delete(
    db: &Connection,
    id: &AssignmentId,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<u64, Refusal>> {
    let Some(before) = assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let key = [id.course.as_str(), id.assignment.as_str()];
    let submissions: u64 = db
        .prepare_cached(
            "SELECT count(*) FROM submissions WHERE course = ?1 AND assignment = ?2 AND purpose = 'submission'",
        )?
        .query_row(key, |row| row.get(0))?;
    db.prepare_cached("DELETE FROM assignments WHERE course = ?1 AND name = ?2")?.execute(key)?;
    db.prepare_cached("DELETE FROM extensions WHERE course = ?1 AND assignment = ?2")?.execute(key)?;
    for table in ["grades_set", "chosen"] {
        db.execute(&format!("DELETE FROM {table} WHERE course = ?1 AND assignment = ?2"), key)?;
    }
    let detail = json!({ "from": before, "submissions": submissions });
    audit::append(db, &id.course, by, "assignment-delete", &id.to_string(), &detail, at)?;
    Ok(Ok(submissions))
}

/// A student's own deadline.
pub(crate) fn extension(
    db: &Connection,
    id: &AssignmentId,
    student: &UserName,
) -> StoreResult<Option<Timestamp>> {
    Ok(db
        .prepare_cached("SELECT due FROM extensions WHERE course = ?1 AND assignment = ?2 AND user = ?3")?
        .query_row([id.course.as_str(), id.assignment.as_str(), student.as_str()], |row| {
            row.get(0).map(Timestamp)
        })
        .optional()?)
}

/// The most feedback that an assignment allows; without one, or where it says nothing, what others allow.
pub(crate) fn feedback_policy(db: &Connection, id: &AssignmentId) -> StoreResult<Option<FeedbackPolicy>> {
    Ok(assignment(db, id)?.and_then(|assignment| assignment.feedback))
}

/// What a problem of an assignment is worth.
pub(crate) fn points(assignment: &Assignment, problem: &Slug) -> Points {
    let one = assignment.problems.iter().find(|one| one.problem == *problem);
    one.map_or(Points::FULL, |one| one.points)
}

fn store(db: &Connection, assignment: &Assignment, at: Timestamp) -> StoreResult<()> {
    let id = &assignment.id;
    db.prepare_cached(
        "INSERT INTO assignments (course, name, body, created) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (course, name) DO UPDATE SET body = ?3",
    )?
    .execute(params![id.course.as_str(), id.assignment.as_str(), to_json(assignment)?, at.0])?;
    Ok(())
}

#[cfg(test)]
mod tests;
