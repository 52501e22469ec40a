//! The rows of the outbox: what waits to be published, and what lies in the stream of jobs.

use codementor_protocol::{
    Job, Lane, Purpose, SourceFile, State, StopRule, SubmissionId, Timestamp, selection,
};
use rusqlite::{Connection, OptionalExtension, params};

use super::{Record, Waiting, query};
use crate::store::StoreResult;
use crate::store::columns::{from_json, parse};

/// Makes a job that is no longer in the stream, for whatever reason, wait to be published again.
pub(crate) fn republish(db: &Connection, id: SubmissionId, at: Timestamp) -> StoreResult<Option<Waiting>> {
    db.prepare_cached(
        "UPDATE outbox SET sequence = NULL, generation = generation + 1, since = ?2 WHERE submission = ?1",
    )?
    .execute(params![id.0, at.0])?;
    Ok(waiting(db)?.into_iter().find(|job| job.submission == id))
}

/// Has every job published anew, where the stream that some lay in is gone.
pub(crate) fn publish_all_again(db: &Connection, at: Timestamp) -> StoreResult<()> {
    db.execute("UPDATE outbox SET sequence = NULL, generation = generation + 1, since = ?1", [at.0])?;
    Ok(())
}

/// Every job that has not been published, the oldest first.
pub(crate) fn waiting(db: &Connection) -> StoreResult<Vec<Waiting>> {
    let mut statement = db.prepare_cached(
        "SELECT submission, user, lane FROM outbox WHERE sequence IS NULL ORDER BY submission",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (submission, user, lane) = row?;
        Ok(Waiting { submission: SubmissionId(submission), user: parse("user", user)?, lane: lane_of(lane) })
    })
    .collect()
}

/// What waits and what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backlog {
    /// How many submissions wait for a judge, by lane, those that lie in the stream of jobs among them.
    pub waiting: [(Lane, u64); 3],
    /// When the one that has waited longest was accepted.
    pub oldest: Option<Timestamp>,
    /// How many a judge works on.
    pub running: u64,
}

/// Counts what waits and what runs.
pub(crate) fn backlog(db: &Connection) -> StoreResult<Backlog> {
    let mut backlog = Backlog { waiting: Lane::ALL.map(|lane| (lane, 0)), oldest: None, running: 0 };
    let mut statement = db.prepare_cached(
        "SELECT outbox.lane, submissions.state, count(*), min(submissions.at)
         FROM outbox JOIN submissions ON submissions.id = outbox.submission GROUP BY 1, 2",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (lane, count): (Lane, u64) = (lane_of(row.get(0)?), row.get(2)?);
        match parse("state", row.get(1)?)? {
            State::Running => backlog.running += count,
            State::New | State::Queued => {
                backlog.waiting[lane as usize].1 += count;
                let since = Timestamp(row.get(3)?);
                backlog.oldest = Some(backlog.oldest.map_or(since, |oldest| oldest.min(since)));
            }
            // Its row of the outbox goes with the next change.
            State::Settled(_) | State::Ended(_) => {}
        }
    }
    Ok(backlog)
}

/// A job that has been published and has not ended.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// The submission.
    pub submission: SubmissionId,
    /// Its place in the stream.
    pub sequence: u64,
    /// When it was published or was last heard of.
    pub since: Timestamp,
    /// Whether a judge has started on it.
    pub running: bool,
}

/// Every job that has been published and has not ended.
pub(crate) fn published(db: &Connection) -> StoreResult<Vec<Published>> {
    let mut statement =
        db.prepare_cached("SELECT submission, sequence, since FROM outbox WHERE sequence IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows: Vec<(u64, u64, i64)> = rows.collect::<Result<_, _>>()?;
    rows.into_iter()
        .map(|(submission, sequence, since)| {
            let submission = SubmissionId(submission);
            let running = query::state(db, submission)?.is_some_and(|(_, state)| state == State::Running);
            Ok(Published { submission, sequence, since: Timestamp(since), running })
        })
        .collect()
}

/// The submission whose job lies at this place of the stream.
pub(crate) fn at_sequence(db: &Connection, sequence: u64) -> StoreResult<Option<SubmissionId>> {
    Ok(db
        .prepare_cached("SELECT submission FROM outbox WHERE sequence = ?1")?
        .query_row([sequence], |row| row.get(0).map(SubmissionId))
        .optional()?)
}

/// Before the first publication after a start: what was published at the very end of the former life and not
/// recorded is only told from a new job by NATS for two minutes, so older rows get a generation of their own.
pub(crate) fn renew_unpublished(db: &Connection, before: Timestamp) -> StoreResult<()> {
    db.execute(
        "UPDATE outbox SET generation = generation + 1 WHERE sequence IS NULL AND since < ?1",
        [before.0],
    )?;
    Ok(())
}

/// Records that a job lies in the stream.
pub(crate) fn set_published(db: &Connection, job: &Job, sequence: u64, at: Timestamp) -> StoreResult<()> {
    db.prepare_cached(
        "UPDATE outbox SET sequence = ?3, since = ?4 WHERE submission = ?1 AND generation = ?2",
    )?
    .execute(params![job.submission.0, job.generation, sequence, at.0])?;
    Ok(())
}

/// Builds the job of a submission that waits; `None` when it has ended meanwhile.
pub(crate) fn job(db: &Connection, id: SubmissionId) -> StoreResult<Option<Job>> {
    let generation: Option<u32> = db
        .prepare_cached("SELECT generation FROM outbox WHERE submission = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    let (Some(generation), Some(record)) = (generation, Record::load(db, id)?) else { return Ok(None) };
    let files: String = db
        .prepare_cached("SELECT files FROM submissions WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))?;
    let cases = selection(record.purpose);
    Ok(Some(Job {
        submission: id,
        generation,
        problem: record.problem,
        package: record.package,
        language: record.language,
        files: from_json::<Vec<SourceFile>>("files", &files)?,
        entry: record.entry,
        cases,
        stop: match record.purpose {
            Purpose::Submission | Purpose::Rejudge => record.stop,
            Purpose::Verification => StopRule::FirstFailure,
            Purpose::Trial | Purpose::Calibration => StopRule::Never,
        },
        limits: record.limits,
    }))
}

/// The lane's number in the database: the lower, the more urgent.
pub(crate) fn lane_number(lane: Lane) -> i64 {
    match lane {
        Lane::Interactive => 0,
        Lane::Verify => 1,
        Lane::Batch => 2,
    }
}

pub(crate) fn lane_of(number: i64) -> Lane {
    match number {
        0 => Lane::Interactive,
        1 => Lane::Verify,
        _ => Lane::Batch,
    }
}
