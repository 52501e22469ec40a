//! What a student has to hand in, and what came of it so far.

use codementor_protocol::{
    Assignment, AssignmentState, CourseName, DueAssignment, DueProblem, Slug, SubmissionId, Timestamp,
    UserName, Verdict,
};
use rusqlite::{Connection, params};

use super::rules::{self, Tried};
use crate::store::StoreResult;
use crate::store::columns::from_token;
use crate::submissions;

/// The assignments of a student, by the student's own deadline. Of those that open later the problems are left away.
pub(crate) fn due(
    db: &Connection,
    user: &UserName,
    courses: &[CourseName],
    title: impl Fn(&Slug) -> String,
    now: Timestamp,
) -> StoreResult<Vec<DueAssignment>> {
    let mut list = Vec::new();
    for course in courses {
        for assignment in super::assignments(db, Some(course))? {
            if assignment.state != AssignmentState::Draft {
                list.push(one(db, user, assignment, &title, now)?);
            }
        }
    }
    list.sort_by_key(|one: &DueAssignment| {
        let due = one.assignment.due;
        (one.assignment.state == AssignmentState::Closed, due.is_none(), due, one.assignment.id.clone())
    });
    Ok(list)
}

fn one(
    db: &Connection,
    user: &UserName,
    mut assignment: Assignment,
    title: &impl Fn(&Slug) -> String,
    now: Timestamp,
) -> StoreResult<DueAssignment> {
    let extension = super::extension(db, &assignment.id, user)?;
    let mut problems = Vec::new();
    if rules::not_yet(&assignment, now).is_some() {
        assignment.problems.clear();
    }
    for worth in &assignment.problems {
        let tries = tries(db, user, &assignment, &worth.problem)?;
        let chosen = super::grades::chosen(db, &assignment.id, user, &worth.problem)?;
        let counts = rules::counting(&assignment, extension, worth.points, &tries, chosen);
        problems.push(DueProblem {
            problem: worth.problem.clone(),
            title: title(&worth.problem),
            verdict: counts.map(|tried| tried.verdict),
            score: counts.map(|tried| {
                let lateness = rules::lateness(&assignment, extension, tried.at);
                rules::worth(&assignment.late, tried.raw(worth.points), lateness).to_string()
            }),
            max_score: worth.points.to_string(),
            attempts: submissions::attempts(db, user, &worth.problem, Some(&assignment.id), false)?.len()
                as u32,
        });
    }
    let due = rules::deadline(&assignment, extension);
    let extended = due != assignment.due;
    assignment.due = due;
    Ok(DueAssignment { assignment, extended, problems })
}

/// A student's submissions to a problem of an assignment that have a verdict and cost an attempt, the earliest first.
/// What the user submitted while teaching the course counts for nobody.
pub(crate) fn tries(
    db: &Connection,
    user: &UserName,
    assignment: &Assignment,
    problem: &Slug,
) -> StoreResult<Vec<Tried>> {
    let mut statement = db.prepare_cached(
        "SELECT id, at, verdict FROM submissions
         WHERE course = ?1 AND assignment = ?2 AND user = ?3 AND problem = ?4 AND purpose = 'submission'
               AND assignment IS NOT NULL AND verdict IS NOT NULL AND verdict <> 'COMPILE_ERROR'
               AND NOT staff
         ORDER BY id",
    )?;
    let id = &assignment.id;
    let mut rows = statement.query(params![
        id.course.as_str(),
        id.assignment.as_str(),
        user.as_str(),
        problem.as_str()
    ])?;
    let mut tries = Vec::new();
    while let Some(row) = rows.next()? {
        let verdict: Verdict = from_token("verdict", &row.get::<_, String>(2)?)?;
        tries.push(Tried { id: SubmissionId(row.get(0)?), at: Timestamp(row.get(1)?), verdict });
    }
    Ok(tries)
}
