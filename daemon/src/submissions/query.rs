//! Look-ups. They run on readers' connections and never wait for a writer.

use codementor_protocol::{
    AnswerLanguage, AssignmentId, Capture, CaseDetail, CourseName, Detail, EventKind, EventPage, JobEvent,
    LanguageId, Limits, PackageHash, Purpose, Slug, SourceFile, State, SubmissionId, Summary, Timestamp,
    UserName, Verdict,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{from_json, from_token, parse};
use crate::store::StoreResult;

const SUMMARY: &str =
    "id, problem, language, state, verdict, score, passed, total, time_ms, memory_kib, attempt, at,
     max_score, course, assignment, late, rejudged";

/// The user whose submission this is. What the daemon runs for itself belongs to no person.
pub(crate) fn owner(db: &Connection, id: SubmissionId) -> StoreResult<Option<UserName>> {
    db.prepare_cached("SELECT user FROM submissions WHERE id = ?1 AND purpose IN ('submission', 'trial')")?
        .query_row([id.0], |row| row.get(0))
        .optional()?
        .map(|user| parse("user", user))
        .transpose()
}

/// Whose submission it is and the state that it is in.
pub(super) fn state(db: &Connection, id: SubmissionId) -> StoreResult<Option<(UserName, State)>> {
    let row: Option<(String, String)> = db
        .prepare_cached("SELECT user, state FROM submissions WHERE id = ?1")?
        .query_row([id.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    row.map(|(user, state)| Ok((parse("user", user)?, parse("state", state)?))).transpose()
}

/// The scoped credential that a submission came in by.
pub(crate) fn via(db: &Connection, id: SubmissionId) -> StoreResult<Option<UserName>> {
    let via: Option<Option<String>> = db
        .prepare_cached("SELECT via FROM submissions WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    via.flatten().map(|via| parse("credential", via)).transpose()
}

/// The course that a submission is for.
pub(crate) fn course(db: &Connection, id: SubmissionId) -> StoreResult<Option<CourseName>> {
    let course: Option<Option<String>> = db
        .prepare_cached("SELECT course FROM submissions WHERE id = ?1 AND purpose = 'submission'")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    course.flatten().map(|course| parse("course", course)).transpose()
}

/// The number of the newest submission of a user, or of those that came in by one of its scoped credentials.
pub(crate) fn highest_id(
    db: &Connection,
    user: &UserName,
    via: Option<&UserName>,
) -> StoreResult<Option<SubmissionId>> {
    Ok(history(db, user, via, None, None, None, 1)?.first().map(|newest| newest.id))
}

/// A program as it was submitted, with what judges it.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub user: UserName,
    pub purpose: Purpose,
    pub problem: Slug,
    pub package: PackageHash,
    pub language: LanguageId,
    pub files: Vec<SourceFile>,
    pub entry: Option<String>,
    pub limits: Limits,
    pub answer_in: Option<AnswerLanguage>,
    pub state: State,
    pub verdict: Option<Verdict>,
    pub assignment: Option<AssignmentId>,
}

/// The program of a submission.
pub(crate) fn program(db: &Connection, id: SubmissionId) -> StoreResult<Option<Program>> {
    let mut statement = db.prepare_cached(
        "SELECT user, purpose, problem, package, language, files, entry, limits, answer_in, state, verdict,
                course, assignment
         FROM submissions WHERE id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let text = |column: usize| row.get::<_, String>(column);
    let answer_in: Option<String> = row.get(8)?;
    let verdict: Option<String> = row.get(10)?;
    Ok(Some(Program {
        user: parse("user", text(0)?)?,
        purpose: from_token("purpose", &text(1)?)?,
        problem: parse("problem", text(2)?)?,
        package: parse("package", text(3)?)?,
        language: parse("language", text(4)?)?,
        files: from_json("files", &text(5)?)?,
        entry: row.get(6)?,
        limits: from_json("limits", &text(7)?)?,
        answer_in: answer_in.map(|language| parse("language of answers", language)).transpose()?,
        state: parse("state", text(9)?)?,
        verdict: verdict.map(|verdict| from_token("verdict", &verdict)).transpose()?,
        assignment: assignment(row.get(11)?, row.get(12)?)?,
    }))
}

/// Events from number `from` on, as many as fit into `bytes`.
pub(crate) fn events(db: &Connection, id: SubmissionId, from: u64, bytes: usize) -> StoreResult<EventPage> {
    let mut statement =
        db.prepare_cached("SELECT body FROM events WHERE submission = ?1 AND seq >= ?2 ORDER BY seq")?;
    let mut rows = statement.query(params![id.0, from])?;
    let mut page = EventPage { events: Vec::new(), more: false };
    let mut size = 0;
    while let Some(row) = rows.next()? {
        let body: String = row.get(0)?;
        size += body.len() + 1;
        if size > bytes && !page.events.is_empty() {
            page.more = true;
            break;
        }
        page.events.push(from_json("event", &body)?);
    }
    Ok(page)
}

/// Submissions of a user, or of those that came in by one of its scoped credentials, the newest first.
pub(crate) fn history(
    db: &Connection,
    user: &UserName,
    via: Option<&UserName>,
    problem: Option<&Slug>,
    assignment: Option<&AssignmentId>,
    before: Option<SubmissionId>,
    limit: u32,
) -> StoreResult<Vec<Summary>> {
    let sql = history_sql(via.is_some(), problem.is_some(), assignment.is_some());
    let mut statement = db.prepare_cached(&sql)?;
    let before = before.map_or(i64::MAX, |id| id.0 as i64);
    let problem = problem.map(Slug::as_str);
    let via = via.map(UserName::as_str);
    let (course, name) = assignment.map(|id| (id.course.as_str(), id.assignment.as_str())).unzip();
    let mut rows = statement.query(params![user.as_str(), before, limit, via, problem, course, name])?;
    let mut summaries = Vec::new();
    while let Some(row) = rows.next()? {
        summaries.push(summary(row)?);
    }
    Ok(summaries)
}

/// The query of [`history`], by what is asked for. Each has an index that finds the newest rows first, so that a page costs
/// the same however many submissions the user has; with `?5 IS NULL OR problem = ?5` none could be used.
pub(super) fn history_sql(via: bool, problem: bool, assignment: bool) -> String {
    let index = match (via, problem, assignment) {
        (true, _, _) => "submissions_by_credential",
        (_, true, true) => "submissions_by_assignment",
        (_, false, true) => "submissions_by_assignment_of_user",
        (_, true, false) => "submissions_by_problem",
        (_, false, false) => "submissions_by_user",
    };
    let via = if via { "via = ?4" } else { "?4 IS NULL" };
    let problem = if problem { "problem = ?5" } else { "?5 IS NULL" };
    let assignment = if assignment { "course = ?6 AND assignment = ?7" } else { "?6 IS NULL AND ?7 IS NULL" };
    format!(
        "SELECT {SUMMARY} FROM submissions INDEXED BY {index}
         WHERE user = ?1 AND purpose = 'submission' AND id < ?2 AND {via} AND {problem} AND {assignment}
         ORDER BY id DESC LIMIT ?3"
    )
}

/// All that its owner may see of a submission.
pub(crate) fn detail(db: &Connection, id: SubmissionId) -> StoreResult<Option<Detail>> {
    let mut statement = db
        .prepare_cached(&format!("SELECT {SUMMARY}, package, files, fault FROM submissions WHERE id = ?1"))?;
    let mut rows = statement.query([id.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let mut detail = Detail {
        summary: summary(row)?,
        package: parse("package", row.get(17)?)?,
        files: from_json("files", &row.get::<_, String>(18)?)?,
        diagnostics: Vec::new(),
        compiler_output: String::new(),
        fault: row.get(19)?,
    };
    for event in events(db, id, 1, usize::MAX)?.events {
        if let JobEvent { kind: EventKind::Compiled(compiled), .. } = event {
            detail.diagnostics = compiled.diagnostics;
            detail.compiler_output = compiled.output;
        }
    }
    Ok(Some(detail))
}

/// The samples of a submission that were run: place, name, verdict.
pub(crate) fn samples_run(db: &Connection, id: SubmissionId) -> StoreResult<Vec<(u32, String, Verdict)>> {
    let mut statement =
        db.prepare_cached("SELECT idx, name, verdict FROM captures WHERE submission = ?1 ORDER BY idx")?;
    let rows = statement.query_map([id.0], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
    rows.map(|row| {
        let (index, name, verdict) = row?;
        Ok((index, name, from_token("verdict", &verdict)?))
    })
    .collect()
}

/// What a program wrote for one sample; input, answer and difference are left for the caller to fill in.
pub(crate) fn capture(db: &Connection, id: SubmissionId, index: u32) -> StoreResult<Option<CaseDetail>> {
    let mut statement = db.prepare_cached(
        "SELECT name, verdict, stdout, stdout_total, stderr, stderr_total FROM captures WHERE submission = ?1 AND idx = ?2",
    )?;
    let mut rows = statement.query(params![id.0, index])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(CaseDetail {
        submission: id,
        index,
        name: row.get(0)?,
        verdict: from_token("verdict", &row.get::<_, String>(1)?)?,
        input: Capture::default(),
        expected: Capture::default(),
        stdout: Capture { bytes: row.get(2)?, total: row.get(3)? },
        stderr: Capture { bytes: row.get(4)?, total: row.get(5)? },
        difference: None,
    }))
}

/// The assignment that two columns name.
pub(super) fn assignment(course: Option<String>, name: Option<String>) -> StoreResult<Option<AssignmentId>> {
    course
        .zip(name)
        .map(|(course, name)| {
            Ok(AssignmentId { course: parse("course", course)?, assignment: parse("assignment", name)? })
        })
        .transpose()
}

fn summary(row: &Row<'_>) -> StoreResult<Summary> {
    let verdict: Option<String> = row.get(4)?;
    Ok(Summary {
        id: SubmissionId(row.get(0)?),
        problem: parse("problem", row.get(1)?)?,
        language: parse("language", row.get(2)?)?,
        state: parse("state", row.get(3)?)?,
        verdict: verdict.map(|verdict| from_token("verdict", &verdict)).transpose()?,
        score: row.get(5)?,
        max_score: row.get(12)?,
        passed: row.get(6)?,
        total: row.get(7)?,
        time_ms: row.get(8)?,
        memory_kib: row.get(9)?,
        attempt: row.get(10)?,
        at: Timestamp(row.get(11)?),
        assignment: assignment(row.get(13)?, row.get(14)?)?,
        late: row.get(15)?,
        rejudged: row.get::<_, Option<i64>>(16)?.map(Timestamp),
    })
}
