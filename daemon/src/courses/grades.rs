//! Grades: what counts of what students have handed in, and what a person has set over it.

use std::collections::HashMap;

use codementor_protocol::{
    Assignment, AssignmentId, AssignmentState, Chosen, Counting, CourseRole, Grade, GradeTable, Member,
    Override, OverrideTo, Points, ProblemGrade, Purpose, Refusal, RefusalCode, Slug, Standing, SubmissionId,
    Timestamp, UserName, Verdict,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::rules::{self, Tried};
use super::{audit, times};
use crate::store::StoreResult;
use crate::store::columns::{from_token, json as to_json, parse};
use crate::submissions;

/// What a user has done for an assignment, by problem.
#[derive(Debug, Default)]
struct Work {
    problems: HashMap<Slug, Attempted>,
}

/// What a user has done at a problem.
#[derive(Debug, Default)]
struct Attempted {
    /// How many submissions were judged and cost an attempt.
    attempts: u32,
    /// Those of them that can count, the earliest first.
    tries: Vec<Tried>,
    /// The last one that did not compile.
    broken: Option<(SubmissionId, Timestamp)>,
    /// How many wait, or ended in a fault of ours.
    unjudged: u32,
    /// The one that the student chose.
    chosen: Option<SubmissionId>,
}

/// What is read for the grades of an assignment, of all users or of one.
struct Facts {
    work: HashMap<UserName, Work>,
    extensions: HashMap<UserName, Timestamp>,
    set: Vec<Set>,
}

/// A grade that a person has set.
struct Set {
    user: Option<UserName>,
    student_id: Option<String>,
    grade: Override,
}

/// The grades of these students for an assignment. Those who are no students have none.
pub(crate) fn table(
    db: &Connection,
    id: &AssignmentId,
    members: &[Member],
) -> StoreResult<Result<GradeTable, Refusal>> {
    let Some(assignment) = super::assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    // One student's work is looked up by itself: nobody waits for the class to be read.
    let only = match members {
        [one] => one.user.as_ref(),
        _ => None,
    };
    let facts = facts(db, id, only)?;
    let students = members.iter().filter(|member| member.role == CourseRole::Student);
    Ok(Ok(GradeTable {
        title: assignment.title.clone(),
        due: assignment.due,
        max_score: total(&assignment),
        weight: assignment.weight.unwrap_or_else(|| total(&assignment)),
        rows: students.map(|member| grade(&assignment, member, &facts)).collect(),
        assignment: assignment.id,
        next: None,
    }))
}

/// The most points of an assignment.
fn total(assignment: &Assignment) -> Points {
    assignment.problems.iter().map(|one| one.points).sum()
}

fn grade(assignment: &Assignment, member: &Member, facts: &Facts) -> Grade {
    let mut grade = Grade::blank(member);
    let user = member.user.as_ref();
    let extension = user.and_then(|user| facts.extensions.get(user)).copied();
    grade.extended = rules::deadline(assignment, extension).filter(|due| Some(*due) != assignment.due);
    let work = user.and_then(|user| facts.work.get(user));
    let (mut raw, mut worth, mut handed_in, mut late, mut unjudged) =
        (Points::ZERO, Points::ZERO, None, false, false);
    for one in &assignment.problems {
        let attempted = work.and_then(|work| work.problems.get(&one.problem));
        let (problem, before, at) = problem(assignment, extension, &one.problem, one.points, attempted);
        raw = raw + before;
        worth = worth + problem.score.unwrap_or(Points::ZERO);
        handed_in = handed_in.max(at);
        late |= problem.late;
        unjudged |= problem.submission.is_none() && problem.unjudged > 0;
        grade.problems.push(problem);
    }
    if handed_in.is_some() {
        grade.raw_score = Some(raw);
        grade.late_penalty = raw - worth;
        grade.score = Some(worth);
        grade.handed_in = handed_in;
    }
    grade.overridden = facts.set.iter().find(|set| set.is_of(member)).map(|set| set.grade.clone());
    let set = grade.overridden.as_ref().map(|set| set.to);
    if let Some(OverrideTo::Score(score)) = set {
        grade.score = Some(score);
    }
    grade.standing = match (grade.standing, set) {
        (Standing::Withdrawn, _) => Standing::Withdrawn,
        (_, Some(OverrideTo::Excused)) => Standing::Excused,
        _ if unjudged => Standing::Unjudged,
        _ if handed_in.is_none() => Standing::Missing,
        _ if late => Standing::Late,
        _ => Standing::InTime,
    };
    if matches!(grade.standing, Standing::Excused) {
        grade.score = None;
    }
    grade
}

/// What counts of one problem, its points before lateness, and when it was handed in.
fn problem(
    assignment: &Assignment,
    extension: Option<Timestamp>,
    slug: &Slug,
    most: Points,
    attempted: Option<&Attempted>,
) -> (ProblemGrade, Points, Option<Timestamp>) {
    let mut grade = ProblemGrade {
        problem: slug.clone(),
        submission: None,
        verdict: None,
        score: None,
        max_score: most,
        attempts: 0,
        late: false,
        unjudged: 0,
    };
    let Some(attempted) = attempted else { return (grade, Points::ZERO, None) };
    grade.attempts = attempted.attempts;
    grade.unjudged = attempted.unjudged;
    if let Some(tried) = rules::counting(assignment, extension, most, &attempted.tries, attempted.chosen) {
        let lateness = rules::lateness(assignment, extension, tried.at);
        let raw = tried.raw(most);
        grade.submission = Some(tried.id);
        grade.verdict = Some(tried.verdict);
        grade.late = lateness.late;
        grade.score = Some(rules::worth(&assignment.late, raw, lateness));
        return (grade, raw, Some(tried.at));
    }
    if let Some((id, at)) = attempted.broken {
        // A program that does not compile costs no attempt, and is handed in all the same. One of ours that was not
        // judged might be better, so that nothing is said while there is one.
        if attempted.unjudged == 0 {
            grade.submission = Some(id);
            grade.verdict = Some(Verdict::CompileError);
            grade.late = rules::lateness(assignment, extension, at).late;
            grade.score = Some(Points::ZERO);
        }
        return (grade, Points::ZERO, Some(at));
    }
    (grade, Points::ZERO, None)
}

impl Set {
    fn is_of(&self, member: &Member) -> bool {
        self.user.is_some() && self.user == member.user
            || self.student_id.is_some() && self.student_id.as_deref() == member.student_id()
    }
}

fn facts(db: &Connection, id: &AssignmentId, only: Option<&UserName>) -> StoreResult<Facts> {
    let mut work = HashMap::new();
    judged(db, id, only, &mut work)?;
    unjudged(db, id, only, &mut work)?;
    let key = params![id.course.as_str(), id.assignment.as_str(), only.map(UserName::as_str)];
    let mut statement = db.prepare_cached(
        "SELECT chosen.user, chosen.problem, submission, at, verdict FROM chosen
         LEFT JOIN submissions ON id = submission AND NOT staff
         WHERE chosen.course = ?1 AND chosen.assignment = ?2 AND (?3 IS NULL OR chosen.user = ?3)",
    )?;
    let mut rows = statement.query(key)?;
    while let Some(row) = rows.next()? {
        let attempted = attempted(&mut work, row)?;
        let chosen = SubmissionId(row.get(2)?);
        attempted.chosen = Some(chosen);
        // Judged again, it may not compile any more.
        if let (Some(at), Some(verdict)) = (row.get(3)?, row.get::<_, Option<String>>(4)?) {
            attempted.can_count(Tried {
                id: chosen,
                at: Timestamp(at),
                verdict: from_token("verdict", &verdict)?,
            });
        }
    }
    let mut statement = db.prepare_cached(
        "SELECT user, due FROM extensions
         WHERE course = ?1 AND assignment = ?2 AND (?3 IS NULL OR user = ?3)",
    )?;
    let mut rows = statement.query(key)?;
    let mut extensions = HashMap::new();
    while let Some(row) = rows.next()? {
        extensions.insert(parse("user", row.get(0)?)?, Timestamp(row.get(1)?));
    }
    Ok(Facts { work, extensions, set: set(db, id)? })
}

/// Reads what has a verdict. What can count of a student's tries at a problem, whatever the assignment counts, is the first
/// one, the first that was accepted, since lateness only ever takes more, and the last one; the database keeps their numbers,
/// so that a class is read by a few rows a student, however many there are.
fn judged(
    db: &Connection,
    id: &AssignmentId,
    only: Option<&UserName>,
    work: &mut HashMap<UserName, Work>,
) -> StoreResult<()> {
    let whose = if only.is_some() { "of.user = ?3" } else { "?3 IS NULL" };
    let mut statement = db.prepare_cached(&format!(
        "SELECT of.user, of.problem, of.tried, one.id, one.at, one.verdict
         FROM stats_students AS of CROSS JOIN submissions AS one INDEXED BY submissions_judged
             ON one.course = of.course AND one.assignment = of.assignment AND one.user = of.user
             AND one.problem = of.problem AND one.id IN (of.first, of.accepted, of.last, of.broken)
         WHERE of.course = ?1 AND of.assignment = ?2 AND {whose}
               AND one.assignment IS NOT NULL AND one.purpose = 'submission' AND one.verdict IS NOT NULL"
    ))?;
    let mut rows =
        statement.query(params![id.course.as_str(), id.assignment.as_str(), only.map(UserName::as_str)])?;
    while let Some(row) = rows.next()? {
        let attempted = attempted(work, row)?;
        attempted.attempts = row.get(2)?;
        let (id, at) = (SubmissionId(row.get(3)?), Timestamp(row.get(4)?));
        match from_token("verdict", &row.get::<_, String>(5)?)? {
            Verdict::CompileError => attempted.broken = Some((id, at)),
            verdict => attempted.can_count(Tried { id, at, verdict }),
        }
    }
    Ok(())
}

/// What the user of a row has done at its problem.
fn attempted<'a>(
    work: &'a mut HashMap<UserName, Work>,
    row: &rusqlite::Row<'_>,
) -> StoreResult<&'a mut Attempted> {
    let work = work.entry(parse("user", row.get(0)?)?).or_default();
    Ok(work.problems.entry(parse("problem", row.get(1)?)?).or_default())
}

impl Attempted {
    /// Takes a try into those that can count, in its place.
    fn can_count(&mut self, tried: Tried) {
        if tried.verdict == Verdict::CompileError {
            return;
        }
        if let Err(place) = self.tries.binary_search_by_key(&tried.id, |known| known.id) {
            self.tries.insert(place, tried);
        }
    }
}

/// Counts what has no verdict and may still have one, or has none through a fault of ours.
fn unjudged(
    db: &Connection,
    id: &AssignmentId,
    only: Option<&UserName>,
    work: &mut HashMap<UserName, Work>,
) -> StoreResult<()> {
    let whose = if only.is_some() { "user = ?3" } else { "?3 IS NULL" };
    let mut statement = db.prepare_cached(&format!(
        "SELECT user, problem, count(*) FROM submissions INDEXED BY submissions_unjudged
         WHERE course = ?1 AND assignment = ?2 AND {whose}
               AND assignment IS NOT NULL AND purpose = 'submission' AND verdict IS NULL AND NOT staff
               AND state NOT IN ('cancelled', 'cancelled-ended')
         GROUP BY user, problem"
    ))?;
    let mut rows =
        statement.query(params![id.course.as_str(), id.assignment.as_str(), only.map(UserName::as_str)])?;
    while let Some(row) = rows.next()? {
        attempted(work, row)?.unjudged = row.get(2)?;
    }
    Ok(())
}

fn set(db: &Connection, id: &AssignmentId) -> StoreResult<Vec<Set>> {
    let mut statement = db.prepare_cached(
        "SELECT user, student_id, score, reason, by, at FROM grades_set
         WHERE course = ?1 AND assignment = ?2 ORDER BY id DESC",
    )?;
    let mut rows = statement.query([id.course.as_str(), id.assignment.as_str()])?;
    let mut set = Vec::new();
    while let Some(row) = rows.next()? {
        let user: Option<String> = row.get(0)?;
        let score: Option<String> = row.get(2)?;
        let to = match score {
            Some(score) => OverrideTo::Score(parse("points", score)?),
            None => OverrideTo::Excused,
        };
        let grade =
            Override { to, reason: row.get(3)?, by: parse("user", row.get(4)?)?, at: Timestamp(row.get(5)?) };
        let user = user.map(|user| parse("user", user)).transpose()?;
        set.push(Set { user, student_id: row.get(1)?, grade });
    }
    Ok(set)
}

/// Sets the grade of a student, or takes back what was set.
pub(crate) fn put(
    db: &Connection,
    id: &AssignmentId,
    member: &Member,
    to: Option<OverrideTo>,
    reason: &str,
    by: &UserName,
    at: Timestamp,
) -> StoreResult<Result<Grade, Refusal>> {
    let Some(assignment) = super::assignment(db, id)? else { return Ok(Err(rules::unknown(id))) };
    let refused = |code, message: String, hint: &str| Ok(Err(Refusal::new(code, message).hint(hint)));
    if member.role != CourseRole::Student {
        let message = format!("'{}' is no student of '{}'", member.shown(), id.course);
        return refused(RefusalCode::Invalid, message, "only students have grades");
    }
    if member.user.as_ref() == Some(by) {
        return refused(
            RefusalCode::Forbidden,
            "nobody sets a grade of one's own".into(),
            "ask somebody else",
        );
    }
    if let Some(OverrideTo::Score(score)) = to
        && !score.can_be_given()
    {
        return refused(RefusalCode::Invalid, super::check::FINE_POINTS.into(), "such as 20 or 12.5");
    }
    let most = total(&assignment);
    if let Some(OverrideTo::Score(score)) = to
        && score > most
    {
        let message = format!("{score} points are more than the {most} that '{id}' has");
        return refused(
            RefusalCode::Invalid,
            message,
            "codementor assignment create --update changes what it is worth",
        );
    }
    let (user, student_id) = (member.user.as_ref().map(UserName::as_str), member.student_id());
    let before = set(db, id)?.into_iter().find(|set| set.is_of(member)).map(|set| set.grade);
    if before.is_none() && to.is_none() {
        let message = format!("nothing was set for '{}'", member.shown());
        return refused(RefusalCode::Invalid, message, "codementor grade show shows what counts");
    }
    db.prepare_cached(
        "DELETE FROM grades_set WHERE course = ?1 AND assignment = ?2 AND (user = ?3 OR student_id = ?4)",
    )?
    .execute(params![id.course.as_str(), id.assignment.as_str(), user, student_id])?;
    if let Some(to) = to {
        let score = match to {
            OverrideTo::Score(score) => Some(score.to_string()),
            OverrideTo::Excused => None,
        };
        db.prepare_cached(
            "INSERT INTO grades_set (course, assignment, user, student_id, score, reason, by, at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            id.course.as_str(),
            id.assignment.as_str(),
            user,
            student_id,
            score,
            reason,
            by.as_str(),
            at.0
        ])?;
    }
    let detail = json!({
        "user": user, "student": student_id, "from": before.map(|before| before.to), "to": to, "reason": reason,
    });
    audit::append(db, &id.course, by, "grade-override", &id.to_string(), &detail, at)?;
    Ok(Ok(grade(&assignment, member, &facts(db, id, member.user.as_ref())?)))
}

/// Makes a submission the one that counts.
pub(crate) fn choose(
    db: &Connection,
    user: &UserName,
    submission: SubmissionId,
    teaches: impl Fn(&AssignmentId) -> bool,
    at: Timestamp,
) -> StoreResult<Result<Chosen, Refusal>> {
    let refused = |code, message: String, hint: &str| Ok(Err(Refusal::new(code, message).hint(hint)));
    let Some(program) = submissions::program(db, submission)? else {
        let message = format!("you have no submission {submission}");
        return refused(RefusalCode::NotFound, message, "codementor history lists yours");
    };
    let (problem, verdict) = (program.problem, program.verdict);
    let Some(id) = program.assignment else {
        let message = format!("{submission} is for no assignment");
        return refused(
            RefusalCode::Invalid,
            message,
            "codementor history -p COURSE/ASSIGNMENT lists those that are",
        );
    };
    let Some(assignment) = super::assignment(db, &id)? else { return Ok(Err(rules::unknown(&id))) };
    if program.purpose != Purpose::Submission || teaches(&id) {
        return refused(
            RefusalCode::Invalid,
            format!("{submission} counts for nobody"),
            "only what students submit counts",
        );
    }
    if assignment.counting != Counting::Chosen {
        let message = format!("of '{id}' the {} submission counts, whatever is chosen", which(&assignment)?);
        return refused(RefusalCode::Forbidden, message, "codementor due shows what counts");
    }
    if assignment.state != AssignmentState::Open {
        let message = format!("'{id}' is closed: what counts is chosen");
        return refused(RefusalCode::Forbidden, message, "only an instructor can open it again");
    }
    match verdict {
        None => {
            let message = format!("{submission} has no verdict");
            return refused(RefusalCode::Forbidden, message, "choose one that was judged");
        }
        Some(Verdict::CompileError) => {
            let message = format!("{submission} does not compile, and cost no attempt");
            return refused(RefusalCode::Forbidden, message, "choose one that was run");
        }
        Some(_) => {}
    }
    let before: Option<u64> = db
        .prepare_cached(
            "SELECT submission FROM chosen WHERE course = ?1 AND assignment = ?2 AND user = ?3 AND problem = ?4",
        )?
        .query_row(
            [id.course.as_str(), id.assignment.as_str(), user.as_str(), problem.as_str()],
            |row| row.get(0),
        )
        .optional()?;
    if before != Some(submission.0) {
        db.prepare_cached(
            "INSERT OR REPLACE INTO chosen (course, assignment, user, problem, submission)
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            id.course.as_str(),
            id.assignment.as_str(),
            user.as_str(),
            problem.as_str(),
            submission.0
        ])?;
        let detail = json!({ "user": user, "problem": problem, "from": before, "to": submission });
        audit::append(db, &id.course, user, "grade-choose", &id.to_string(), &detail, at)?;
    }
    Ok(Ok(Chosen { assignment: id, problem }))
}

fn which(assignment: &Assignment) -> StoreResult<String> {
    Ok(to_json(&assignment.counting)?.trim_matches('"').to_owned())
}

/// The submission that a student chose.
pub(crate) fn chosen(
    db: &Connection,
    id: &AssignmentId,
    user: &UserName,
    problem: &Slug,
) -> StoreResult<Option<SubmissionId>> {
    Ok(db
        .prepare_cached(
            "SELECT submission FROM chosen WHERE course = ?1 AND assignment = ?2 AND user = ?3 AND problem = ?4",
        )?
        .query_row(
            [id.course.as_str(), id.assignment.as_str(), user.as_str(), problem.as_str()],
            |row| row.get(0).map(SubmissionId),
        )
        .optional()?)
}

/// Whether students may see their grade: as soon as they see the assignment.
pub(crate) fn visible(assignment: &Assignment, now: Timestamp) -> Result<(), Refusal> {
    if assignment.state == AssignmentState::Draft {
        return Err(rules::unknown(&assignment.id));
    }
    match rules::not_yet(assignment, now) {
        Some(opens) => {
            let opens = times::moment(opens, &assignment.time_zone);
            Err(Refusal::new(RefusalCode::Forbidden, format!("'{}' opens at {opens}", assignment.id)))
        }
        None => Ok(()),
    }
}
