//! Feedback as events of a submission, and the daemon's own submissions that check a corrected program.
//!
//! Nothing here writes a verdict, a score or a case: those columns are written in `project.rs` alone, from the reports
//! of judges, which never see a byte of what a model says about the program that they judge.

use codementor_protocol::{
    Ended, EventKind, Feedback, FeedbackEnd, FeedbackOutcome, Fix, State, SubmissionId, Timestamp,
};
use rusqlite::Connection;

use super::{Changes, Record, cancel};
use crate::store::StoreResult;

/// Appends a piece of what a model says. Once the feedback has ended there is nothing more to say.
pub(crate) fn say(db: &Connection, id: SubmissionId, piece: Feedback, at: Timestamp) -> StoreResult<Changes> {
    append(db, id, EventKind::Feedback(piece), at)
}

/// Appends a corrected program, which was judged and accepted and which the policy shows.
pub(crate) fn show_fix(db: &Connection, id: SubmissionId, fix: Fix, at: Timestamp) -> StoreResult<Changes> {
    append(db, id, EventKind::Fix(fix), at)
}

/// Ends feedback, and with it the stream of events if judging has ended too.
pub(crate) fn close_feedback(
    db: &Connection,
    id: SubmissionId,
    end: FeedbackEnd,
    at: Timestamp,
) -> StoreResult<Changes> {
    let mut changes = Changes::default();
    if let Some(mut record) = Record::load(db, id)?
        && record.pending
    {
        record.append(db, EventKind::FeedbackEnd(end), at, &mut changes)?;
        record.pending = false;
        db.prepare_cached("UPDATE submissions SET feedback = 'ended' WHERE id = ?1")?.execute([id.0])?;
        if let State::Settled(_) = record.state {
            record.append(db, EventKind::End(Ended::default()), at, &mut changes)?;
        }
        record.save(db)?;
    }
    Ok(changes)
}

/// Ends all feedback that a former life of the daemon was giving.
pub(crate) fn abandon_feedback(db: &Connection, message: &str, at: Timestamp) -> StoreResult<Changes> {
    let mut statement = db.prepare("SELECT id FROM submissions WHERE feedback = 'pending'")?;
    let pending: Vec<u64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut changes = Changes::default();
    for id in pending {
        let end = FeedbackEnd { step: 1, outcome: FeedbackOutcome::Interrupted, message: message.into() };
        changes.append(close_feedback(db, SubmissionId(id), end, at)?);
    }
    Ok(changes)
}

/// The daemon's own submissions that check a corrected program. After a start nobody waits for them any more.
pub(crate) fn verifications(db: &Connection) -> StoreResult<Vec<SubmissionId>> {
    let mut statement = db.prepare("SELECT id FROM submissions WHERE purpose = 'verification'")?;
    let ids = statement.query_map([], |row| row.get(0).map(SubmissionId))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Removes every trace of one of the daemon's own submissions; a job of its that still runs is taken back. Says
/// whether a judge may be working on it; what that one reports from now on is dropped.
pub(crate) fn forget(db: &Connection, id: SubmissionId, at: Timestamp) -> StoreResult<(bool, Changes)> {
    let cancelled = cancel(db, id, at)?.map(|(was_open, _, changes)| (was_open, changes.jobs));
    let (was_open, jobs) = cancelled.unwrap_or_default();
    for sql in [
        "DELETE FROM events WHERE submission = ?1",
        "DELETE FROM captures WHERE submission = ?1",
        "DELETE FROM cases WHERE submission = ?1",
        "DELETE FROM outbox WHERE submission = ?1",
        "DELETE FROM submissions WHERE id = ?1",
    ] {
        db.prepare_cached(sql)?.execute([id.0])?;
    }
    Ok((was_open, Changes { jobs, ..Changes::default() }))
}

fn append(db: &Connection, id: SubmissionId, kind: EventKind, at: Timestamp) -> StoreResult<Changes> {
    let mut changes = Changes::default();
    if let Some(mut record) = Record::load(db, id)?
        && record.pending
    {
        record.append(db, kind, at, &mut changes)?;
        record.save(db)?;
    }
    Ok(changes)
}
