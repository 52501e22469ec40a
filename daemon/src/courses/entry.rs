//! How a submission enters an assignment: what is looked up for the rules, in the transaction that then writes it, so
//! that two submissions at once cannot both be the last attempt.

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentState, CourseName, Purpose, Refusal, RefusalCode, Slug, Submit,
    Timestamp, UserName,
};
use rusqlite::Connection;

use super::rules::{self, Admitted, Wanted};
use crate::store::StoreResult;
use crate::submissions::{self, Conditions};

/// Decides whether a submission enters an assignment, and on which conditions. Those who teach the course enter at any
/// time and as often as they like: what they submit counts for nobody.
pub(crate) fn enter(
    db: &Connection,
    id: &AssignmentId,
    user: &UserName,
    teaches: bool,
    request: &Submit,
    now: Timestamp,
) -> StoreResult<Result<Conditions, Refusal>> {
    let Some(assignment) = super::assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let extension = super::extension(db, id, user)?;
    let admitted = match (teaches, request.purpose) {
        (true, _) => rules::has_problem(&assignment, &request.problem)
            .and_then(|()| rules::allowed(&assignment, &request.language))
            .map(|()| None),
        (false, Purpose::Submission) => {
            let past = submissions::attempts(db, user, &request.problem, Some(id), false)?;
            let wanted = Wanted {
                problem: &request.problem,
                language: &request.language,
                confirmed: request.confirmed,
            };
            rules::admit(&assignment, extension, wanted, now, &past).map(Some)
        }
        (false, _) => {
            rules::admit_trial(&assignment, &request.problem, &request.language, now).map(|()| None)
        }
    };
    Ok(admitted.map(|admitted| conditions(&assignment, extension, admitted, &request.problem, teaches)))
}

fn conditions(
    assignment: &Assignment,
    extension: Option<Timestamp>,
    admitted: Option<Admitted>,
    problem: &Slug,
    teaches: bool,
) -> Conditions {
    Conditions {
        assignment: assignment.id.clone(),
        late: admitted.is_some_and(|admitted| admitted.late),
        late_percent: admitted.map_or(0, |admitted| admitted.late_percent),
        due: rules::deadline(assignment, extension),
        attempt_limit: assignment.attempts.limit.filter(|_| !teaches),
        most: super::points(assignment, problem),
        stop: assignment.stop,
        visibility: assignment.visibility,
        staff: teaches,
    }
}

/// The assignment that a student means who names a problem only: the one that takes submissions to it. Where none does,
/// the one through which it is seen.
pub(crate) fn meant(
    db: &Connection,
    courses: &[CourseName],
    problem: &Slug,
    now: Timestamp,
) -> StoreResult<Result<AssignmentId, Refusal>> {
    let seen = seen(db, courses, now)?;
    let with: Vec<&Assignment> =
        seen.iter().filter(|one| one.problems.iter().any(|p| p.problem == *problem)).collect();
    let open: Vec<&Assignment> =
        with.iter().copied().filter(|one| one.state == AssignmentState::Open).collect();
    let candidates = if open.is_empty() { with } else { open };
    Ok(match candidates.as_slice() {
        [] => Err(Refusal::new(
            RefusalCode::NotFound,
            format!("none of your assignments has a problem '{problem}'"),
        )
        .hint("codementor due lists your assignments and their problems")),
        [one] => Ok(one.id.clone()),
        several => {
            let names: Vec<String> = several.iter().map(|one| format!("{}/{problem}", one.id)).collect();
            let message = format!("'{problem}' is a problem of {} assignments", several.len());
            Err(Refusal::new(RefusalCode::Invalid, message)
                .hint(format!("say which with -p: {}", names.join(", "))))
        }
    })
}

/// The assignments of these courses whose problems students see now.
pub(crate) fn seen(db: &Connection, courses: &[CourseName], now: Timestamp) -> StoreResult<Vec<Assignment>> {
    let mut seen = Vec::new();
    for course in courses {
        let all = super::assignments(db, Some(course))?;
        seen.extend(
            all.into_iter()
                .filter(|one| one.state != AssignmentState::Draft && rules::not_yet(one, now).is_none()),
        );
    }
    Ok(seen)
}
