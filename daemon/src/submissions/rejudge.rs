//! Judging again. Each run is a submission of the daemon's own, made from the student's: the same program, points, stop
//! and visibility, by the version of the problem that judges now. Its events, cases and captures are nobody's until all
//! runs have ended and are taken over, in one transaction.

use codementor_protocol::{
    Accepted, AssignmentId, CourseName, Ended, EventKind, JobEvent, Lane, Limits, PackageHash, Purpose,
    Queued, RejudgeMove, RejudgeState, RejudgeSummary, Rejudged, Slug, State, SubmissionId, Timestamp,
    UserName, Verdict,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::query::{assignment, events};
use super::{Changes, JobChange, Record, Waiting, forget, from_token, json, lane_number, parse, token};
use crate::daemon::daemon_user;
use crate::store::{StoreError, StoreResult};

/// How many runs wait for a judge or are with one at a time, so that a rejudge of ten thousand submissions makes no
/// transaction of ten thousand rows.
const OUT: u64 = 64;

/// Which submissions are looked for.
#[derive(Debug, Clone)]
pub(crate) enum Which {
    /// Those to a problem.
    Problem(Slug),
    /// Those to an assignment.
    Assignment(AssignmentId),
    /// These.
    Numbers(Vec<SubmissionId>),
}

/// A submission that could be judged again.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) id: SubmissionId,
    pub(crate) problem: Slug,
    pub(crate) package: PackageHash,
    pub(crate) course: Option<CourseName>,
    pub(crate) state: State,
}

impl Candidate {
    /// Whether it has an end that another can take the place of. What was cancelled stays so.
    pub(crate) fn has_ended(&self) -> bool {
        use codementor_protocol::Ending::{Faulted, Judged};
        matches!(self.state, State::Settled(Judged | Faulted) | State::Ended(Judged | Faulted))
    }

    /// Whether a fault of ours has ended it: no version has judged it.
    pub(crate) fn is_faulted(&self) -> bool {
        use codementor_protocol::Ending::Faulted;
        matches!(self.state, State::Settled(Faulted) | State::Ended(Faulted))
    }
}

/// The submissions, whatever has become of them.
pub(crate) fn candidates(db: &Connection, which: &Which) -> StoreResult<Vec<Candidate>> {
    let columns = "SELECT id, problem, package, course, state FROM submissions WHERE purpose = 'submission'";
    let read = |row: &Row<'_>| -> StoreResult<Candidate> {
        Ok(Candidate {
            id: SubmissionId(row.get(0)?),
            problem: parse("problem", row.get(1)?)?,
            package: parse("package", row.get(2)?)?,
            course: row.get::<_, Option<String>>(3)?.map(|course| parse("course", course)).transpose()?,
            state: parse("state", row.get(4)?)?,
        })
    };
    let mut found = Vec::new();
    match which {
        Which::Problem(problem) => {
            let mut statement = db.prepare_cached(&format!("{columns} AND problem = ?1 ORDER BY id"))?;
            let mut rows = statement.query([problem.as_str()])?;
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
        }
        Which::Assignment(id) => {
            let sql = format!("{columns} AND course = ?1 AND assignment = ?2 ORDER BY id");
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query([id.course.as_str(), id.assignment.as_str()])?;
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
        }
        Which::Numbers(ids) => {
            let mut statement = db.prepare_cached(&format!("{columns} AND id = ?1"))?;
            for id in ids {
                let mut rows = statement.query([id.0])?;
                if let Some(row) = rows.next()? {
                    found.push(read(row)?);
                }
            }
        }
    }
    Ok(found)
}

/// What is to be judged again.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) by: UserName,
    pub(crate) what: String,
    /// How many were left out, since they are still being judged.
    pub(crate) open: u64,
    /// The version that judges, and its limits, by problem.
    pub(crate) problems: Vec<(Slug, PackageHash, Limits)>,
    pub(crate) submissions: Vec<SubmissionId>,
}

/// Writes down what is to be judged again. A problem that is being judged again already is not begun anew: `Err` has
/// that one's number.
pub(crate) fn order(db: &Connection, order: &Order, at: Timestamp) -> StoreResult<Result<u64, (Slug, u64)>> {
    for (problem, _, _) in &order.problems {
        let other: Option<u64> = db
            .prepare_cached(
                "SELECT id FROM rejudges JOIN rejudge_problems ON rejudge = id
                 WHERE problem = ?1 AND state IN ('judging', 'ready')",
            )?
            .query_row([problem.as_str()], |row| row.get(0))
            .optional()?;
        if let Some(other) = other {
            return Ok(Err((problem.clone(), other)));
        }
    }
    db.prepare_cached(
        "INSERT INTO rejudges (by, at, state, what, open, total) VALUES (?1, ?2, 'judging', ?3, ?4, ?5)",
    )?
    .execute(params![order.by.as_str(), at.0, order.what, order.open, order.submissions.len()])?;
    let id = db.last_insert_rowid() as u64;
    for (problem, package, limits) in &order.problems {
        db.prepare_cached(
            "INSERT INTO rejudge_problems (rejudge, problem, package, limits) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id, problem.as_str(), package.as_str(), json(limits)?])?;
    }
    let mut statement =
        db.prepare_cached("INSERT OR IGNORE INTO rejudge_runs (rejudge, submission) VALUES (?1, ?2)")?;
    for submission in &order.submissions {
        statement.execute(params![id, submission.0])?;
    }
    Ok(Ok(id))
}

/// Begins as many runs as may be out, and notes which rejudges have all their runs behind them.
pub(crate) fn feed(db: &Connection, at: Timestamp) -> StoreResult<Changes> {
    let open: u64 = db
        .prepare_cached(
            "SELECT count(*) FROM submissions WHERE purpose = 'rejudge' AND state NOT LIKE '%-ended'",
        )?
        .query_row([], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT rejudge, submission FROM rejudge_runs WHERE run IS NULL ORDER BY rejudge, submission LIMIT ?1",
    )?;
    let rows = statement.query_map([OUT.saturating_sub(open)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let waiting: Vec<(u64, u64)> = rows.collect::<Result<_, _>>()?;
    let mut changes = Changes::default();
    for (rejudge, submission) in waiting {
        match begin(db, rejudge, SubmissionId(submission), at, &mut changes)? {
            Some(run) => db
                .prepare_cached("UPDATE rejudge_runs SET run = ?3 WHERE rejudge = ?1 AND submission = ?2")?
                .execute(params![rejudge, submission, run.0])?,
            // It was erased meanwhile.
            None => db
                .prepare_cached("DELETE FROM rejudge_runs WHERE rejudge = ?1 AND submission = ?2")?
                .execute(params![rejudge, submission])?,
        };
    }
    db.prepare_cached(
        "UPDATE rejudges SET state = 'ready' WHERE state = 'judging'
         AND NOT EXISTS (SELECT 1 FROM rejudge_runs WHERE rejudge = id AND run IS NULL)
         AND NOT EXISTS (SELECT 1 FROM submissions JOIN rejudge_runs ON run = submissions.id
                         WHERE purpose = 'rejudge' AND submissions.state NOT LIKE '%-ended' AND rejudge = rejudges.id)",
    )?
    .execute([])?;
    Ok(changes)
}

/// Begins the run of one submission, as a submission of the daemon's own.
fn begin(
    db: &Connection,
    rejudge: u64,
    submission: SubmissionId,
    at: Timestamp,
    changes: &mut Changes,
) -> StoreResult<Option<SubmissionId>> {
    let user = daemon_user();
    let made = db
        .prepare_cached(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, entry, lane, limits, attempt,
                                      at, state, late, max_score, stop, visibility)
             SELECT ?3, ?4, ?5, one.problem, by.package, language, files, entry, ?6, by.limits, attempt, ?7, ?8, late,
                    max_score, stop, visibility
             FROM submissions AS one JOIN rejudge_problems AS by ON by.rejudge = ?1 AND by.problem = one.problem
             WHERE one.id = ?2",
        )?
        .execute(params![
            rejudge,
            submission.0,
            user.as_str(),
            format!("rejudge-{rejudge}-{submission}"),
            token(Purpose::Rejudge)?,
            lane_number(Lane::Batch),
            at.0,
            State::New.token(),
        ])?;
    if made == 0 {
        return Ok(None);
    }
    let id = SubmissionId(db.last_insert_rowid() as u64);
    db.prepare_cached(
        "INSERT INTO outbox (submission, generation, user, lane, since) VALUES (?1, 1, ?2, ?3, ?4)",
    )?
    .execute(params![id.0, user.as_str(), lane_number(Lane::Batch), at.0])?;
    let mut record = Record::load(db, id)?.ok_or(StoreError::Closed)?;
    let accepted = EventKind::Submission(Accepted {
        id,
        problem: record.problem.clone(),
        package: record.package.clone(),
        lang: record.language.clone(),
        purpose: Purpose::Rejudge,
        late: false,
        late_percent: 0,
        attempt: 1,
        time_limit_ms: record.limits.time_ms,
        memory_limit_mib: record.limits.memory_mib,
        assignment: None,
        due: None,
        attempt_limit: None,
    });
    record.append(db, accepted, at, changes)?;
    record.append(db, EventKind::Queued(Queued { position: 0 }), at, changes)?;
    record.save(db)?;
    changes.jobs.push(JobChange::Wanted(Waiting { submission: id, user, lane: Lane::Batch }));
    Ok(Some(id))
}

/// How a rejudge goes.
pub(crate) fn summary(db: &Connection, id: u64) -> StoreResult<Option<RejudgeSummary>> {
    let row = db
        .prepare_cached("SELECT by, at, state, what, open, total, moved, faults FROM rejudges WHERE id = ?1")?
        .query_row([id], |row| {
            let text = (row.get::<_, String>(0)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?);
            Ok((text, row.get(1)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
        })
        .optional()?;
    let Some(((by, state, what), at, open, total, moves, faults)) = row else { return Ok(None) };
    let mut summary = RejudgeSummary {
        id,
        what,
        by: parse("user", by)?,
        at: Timestamp(at),
        state: from_token("state of a rejudge", &state)?,
        total,
        done: total,
        faults,
        moves,
        open,
    };
    match summary.state {
        RejudgeState::Judging => {
            let left: u64 = db
                .prepare_cached(
                    "SELECT (SELECT count(*) FROM rejudge_runs WHERE rejudge = ?1 AND run IS NULL) +
                            (SELECT count(*) FROM submissions JOIN rejudge_runs ON run = submissions.id
                             WHERE purpose = 'rejudge' AND submissions.state NOT LIKE '%-ended' AND rejudge = ?1)",
                )?
                .query_row([id], |row| row.get(0))?;
            summary.done = total.saturating_sub(left);
        }
        RejudgeState::Ready => (summary.moves, summary.faults) = counted(db, id)?,
        RejudgeState::Applied | RejudgeState::Dropped => {}
    }
    Ok(Some(summary))
}

/// Those that are going on or wait to be applied, the newest first.
pub(crate) fn going_on(db: &Connection) -> StoreResult<Vec<RejudgeSummary>> {
    let mut statement =
        db.prepare_cached("SELECT id FROM rejudges WHERE state IN ('judging', 'ready') ORDER BY id DESC")?;
    let ids: Vec<u64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    ids.into_iter().filter_map(|id| summary(db, id).transpose()).collect()
}

/// Runs that were judged otherwise than the submission that they are of.
const MOVES: &str = "FROM rejudge_runs JOIN submissions AS one ON one.id = submission JOIN submissions AS new ON new.id = run
     WHERE rejudge = ?1 AND new.state = 'judged-ended' AND (one.verdict IS NOT new.verdict OR one.score IS NOT new.score)";

/// How many results move, and how many runs ended in a fault of ours.
fn counted(db: &Connection, id: u64) -> StoreResult<(u64, u64)> {
    let moves = db.prepare_cached(&format!("SELECT count(*) {MOVES}"))?.query_row([id], |row| row.get(0))?;
    let faults = db
        .prepare_cached(
            "SELECT count(*) FROM rejudge_runs JOIN submissions ON submissions.id = run
             WHERE rejudge = ?1 AND state <> 'judged-ended'",
        )?
        .query_row([id], |row| row.get(0))?;
    Ok((moves, faults))
}

/// Results that move, of submissions after a number.
pub(crate) fn moves(
    db: &Connection,
    id: u64,
    after: SubmissionId,
    limit: usize,
) -> StoreResult<Vec<RejudgeMove>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT one.id, one.user, one.problem, one.course, one.assignment, one.verdict, new.verdict, one.score, new.score,
                one.max_score
         {MOVES} AND one.id > ?2 ORDER BY one.id LIMIT ?3"
    ))?;
    let mut rows = statement.query(params![id, after.0, limit])?;
    let mut moves = Vec::new();
    while let Some(row) = rows.next()? {
        let was: Option<String> = row.get(5)?;
        moves.push(RejudgeMove {
            submission: SubmissionId(row.get(0)?),
            user: parse("user", row.get(1)?)?,
            problem: parse("problem", row.get(2)?)?,
            assignment: assignment(row.get(3)?, row.get(4)?)?,
            was: was.map(|was| from_token("verdict", &was)).transpose()?,
            verdict: from_token("verdict", &row.get::<_, String>(6)?)?,
            had: row.get(7)?,
            score: row.get(8)?,
            max_score: row.get(9)?,
        });
    }
    Ok(moves)
}

/// The courses that a rejudge is about; none of a course is `None`.
pub(crate) fn courses(db: &Connection, id: u64) -> StoreResult<Vec<Option<CourseName>>> {
    let mut statement = db.prepare_cached(
        "SELECT DISTINCT course FROM rejudge_runs JOIN submissions ON submissions.id = submission WHERE rejudge = ?1",
    )?;
    let rows = statement.query_map([id], |row| row.get::<_, Option<String>>(0))?;
    rows.map(|course| course?.map(|course| parse("course", course)).transpose()).collect()
}

/// The versions that a rejudge judges by.
pub(crate) fn versions(db: &Connection, id: u64) -> StoreResult<Vec<(Slug, PackageHash)>> {
    let mut statement =
        db.prepare_cached("SELECT problem, package FROM rejudge_problems WHERE rejudge = ?1")?;
    let rows = statement.query_map([id], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (problem, package) = row?;
        Ok((parse("problem", problem)?, parse("package", package)?))
    })
    .collect()
}

/// Makes every new result count. What a fault of ours has ended stays as it is. The caller has seen that it is ready.
pub(crate) fn apply(db: &Connection, id: u64, at: Timestamp) -> StoreResult<Changes> {
    let (moved, faults) = counted(db, id)?;
    let mut changes = Changes::default();
    for (submission, run) in runs(db, id)? {
        let Some(run) = run else { continue };
        if let Some((user, event)) = take_over(db, submission, run, at)? {
            changes.events.push((user, event));
        }
        forget(db, run, at)?;
    }
    finish(db, id, RejudgeState::Applied, moved, faults, at)?;
    Ok(changes)
}

/// Forgets every new result. Returns the runs that a judge may still be working on.
pub(crate) fn drop_all(db: &Connection, id: u64, at: Timestamp) -> StoreResult<(Vec<SubmissionId>, Changes)> {
    let (mut changes, mut withdrawn) = (Changes::default(), Vec::new());
    for (_, run) in runs(db, id)? {
        let Some(run) = run else { continue };
        let (was_open, gone) = forget(db, run, at)?;
        if was_open {
            withdrawn.push(run);
        }
        changes.append(gone);
    }
    finish(db, id, RejudgeState::Dropped, 0, 0, at)?;
    Ok((withdrawn, changes))
}

fn runs(db: &Connection, id: u64) -> StoreResult<Vec<(SubmissionId, Option<SubmissionId>)>> {
    let mut statement = db.prepare_cached("SELECT submission, run FROM rejudge_runs WHERE rejudge = ?1")?;
    let rows = statement.query_map([id], |row| {
        Ok((SubmissionId(row.get(0)?), row.get::<_, Option<u64>>(1)?.map(SubmissionId)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn finish(
    db: &Connection,
    id: u64,
    state: RejudgeState,
    moved: u64,
    faults: u64,
    at: Timestamp,
) -> StoreResult<()> {
    db.prepare_cached("DELETE FROM rejudge_runs WHERE rejudge = ?1")?.execute([id])?;
    db.prepare_cached("UPDATE rejudges SET state = ?2, moved = ?3, faults = ?4, ended = ?5 WHERE id = ?1")?
        .execute(params![id, token(state)?, moved, faults, at.0])?;
    Ok(())
}

/// Gives a submission the result of its run. The events of the run follow those that there are, so that a reader sees
/// what was, and then what is; only the `end`, which says that nothing follows, moves behind them.
fn take_over(
    db: &Connection,
    submission: SubmissionId,
    run: SubmissionId,
    at: Timestamp,
) -> StoreResult<Option<(UserName, JobEvent)>> {
    let (Some(mut record), Some(by)) = (Record::load(db, submission)?, Record::load(db, run)?) else {
        return Ok(None);
    };
    if by.state != State::Ended(codementor_protocol::Ending::Judged) {
        return Ok(None);
    }
    let (was, had): (Option<String>, Option<String>) = db
        .prepare_cached("SELECT verdict, score FROM submissions WHERE id = ?1")?
        .query_row([submission.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let ended = match record.state {
        State::Ended(ending) => {
            record.next_seq -= 1;
            db.prepare_cached("DELETE FROM events WHERE submission = ?1 AND seq = ?2")?
                .execute(params![submission.0, record.next_seq])?;
            record.state = State::Settled(ending);
            true
        }
        _ => false,
    };
    record.delivery += 1;
    let mut changes = Changes::default();
    let verdict: Option<Verdict> = was.map(|was| from_token("verdict", &was)).transpose()?;
    let rejudged = Rejudged { package: by.package.clone(), verdict, score: had };
    record.append(db, EventKind::Rejudged(rejudged), at, &mut changes)?;
    let told = changes.events.first().cloned();
    let mut kept = Vec::new();
    for event in events(db, run, 1, usize::MAX)?.events {
        match event.kind {
            // Of several deliveries the last one counts.
            EventKind::Started(_) => kept = vec![event],
            EventKind::Compiled(_) | EventKind::Test(_) | EventKind::Result(_) => kept.push(event),
            _ => {}
        }
    }
    for event in kept {
        record.append(db, event.kind, event.at, &mut changes)?;
    }
    if ended {
        record.append(db, EventKind::End(Ended::default()), at, &mut changes)?;
    }
    for table in ["captures", "cases"] {
        db.prepare_cached(&format!("DELETE FROM {table} WHERE submission = ?1"))?.execute([submission.0])?;
    }
    db.prepare_cached("UPDATE captures SET submission = ?1 WHERE submission = ?2")?
        .execute([submission.0, run.0])?;
    if record.assigned {
        db.prepare_cached("UPDATE cases SET submission = ?1 WHERE submission = ?2")?
            .execute([submission.0, run.0])?;
    }
    db.prepare_cached(
        "UPDATE submissions SET (package, limits, verdict, score, passed, total, time_ms, memory_kib) =
             (SELECT package, limits, verdict, score, passed, total, time_ms, memory_kib FROM submissions WHERE id = ?2),
             fault = NULL, rejudged = ?3
         WHERE id = ?1",
    )?
    .execute(params![submission.0, run.0, at.0])?;
    record.save(db)?;
    Ok(told)
}
