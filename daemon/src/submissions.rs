//! Submissions: their rows, their events, and the outbox. Every function works inside a transaction of the caller.
//!
//! A submission changes in one way only: an event is appended, and [`State::apply`] says whether it may be.

mod feedback;
mod outbox;
mod project;
mod query;
pub(crate) mod rejudge;
#[cfg(test)]
mod tests;

use codementor_protocol::{
    Accepted, AnswerLanguage, AssignmentId, Capture, CaseVisibility, Ended, EventKind, Failed, Fault,
    JobEvent, Lane, LanguageId, Limits, PackageHash, Points, Purpose, Queued, Restarted, SCHEMA_VERSION,
    Slug, State, StopRule, SubmissionId, Submit, Timestamp, UserName,
};
use rusqlite::{Connection, OptionalExtension, params};

pub(crate) use feedback::{abandon_feedback, close_feedback, forget, say, show_fix, verifications};
pub(crate) use outbox::{
    Backlog, at_sequence, backlog, job, lane_number, lane_of, publish_all_again, published,
    renew_unpublished, republish, set_published, waiting,
};
pub(crate) use project::project;
pub(crate) use query::{
    Program, capture, course, detail, events, highest_id, history, owner, program, samples_run, via,
};

use crate::store::columns::{from_json, from_token, json, parse, token};
use crate::store::{StoreError, StoreResult};

/// How often a job that ended in a fault of ours is tried again.
pub(crate) const MAX_FAULTS: u32 = 3;

/// Feedback that is being given, in the column of that name.
const PENDING: &str = "pending";

/// What judging brought about: events to pass on, and what the queue must know.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Events to publish, each with the user that they are for.
    pub events: Vec<(UserName, JobEvent)>,
    /// The scoped credentials that submissions came in by: they hear of events too, under their own name.
    pub via: Vec<(SubmissionId, UserName)>,
    /// A new submission on which feedback is to be given.
    pub feedback: Option<SubmissionId>,
    /// What happened to jobs.
    pub jobs: Vec<JobChange>,
}

impl Changes {
    /// Adds what came later.
    pub(crate) fn append(&mut self, mut later: Self) {
        self.events.append(&mut later.events);
        self.via.append(&mut later.via);
        self.jobs.append(&mut later.jobs);
    }
}

/// What the queue must know of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JobChange {
    /// It wants to be published.
    Wanted(Waiting),
    /// A judge works on it.
    Started(SubmissionId),
    /// It is over. A judge that has reported the end acks the message itself; where it dies before that, another judges
    /// in vain, once.
    Gone(SubmissionId),
    /// The message at this place in the stream is of a job that nobody wants any more, and is to be removed.
    Withdrawn(u64),
}

/// A job in the outbox that has not been published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// The submission.
    pub submission: SubmissionId,
    /// Whose it is.
    pub user: UserName,
    /// Its lane.
    pub lane: Lane,
}

/// What a new submission is judged by, as the gateway has worked out.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// The version of the problem.
    pub package: PackageHash,
    /// The limits.
    pub limits: Limits,
    /// The lane.
    pub lane: Lane,
    /// Whether feedback will be given; the stream of events then ends only after [`close_feedback`].
    pub feedback: bool,
    /// What its assignment says, where it is for one.
    pub conditions: Option<Conditions>,
}

/// What an assignment says of a submission. It is kept with the submission, so that a change of the assignment does not
/// change what is being judged.
#[derive(Debug, Clone)]
pub(crate) struct Conditions {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Whether the submission is late.
    pub late: bool,
    /// How much of its points that takes, in percent.
    pub late_percent: u32,
    /// The student's deadline.
    pub due: Option<Timestamp>,
    /// How many attempts the student has.
    pub attempt_limit: Option<u32>,
    /// What an accepted program is worth.
    pub most: Points,
    /// When judging stops.
    pub stop: StopRule,
    /// What the student sees of the cases.
    pub visibility: CaseVisibility,
    /// Whether whoever submits teaches the course: then it is counted nowhere.
    pub staff: bool,
}

/// Writes a submission, its first events and its outbox row. The same key of the same user again is the same
/// submission again, and brings about nothing.
pub(crate) fn accept(
    db: &Connection,
    user: &UserName,
    request: &Submit,
    terms: &Terms,
    at: Timestamp,
) -> StoreResult<(SubmissionId, Vec<JobEvent>, Changes)> {
    if let Some((id, events)) = existing(db, user, &request.key)? {
        return Ok((id, events, Changes::default()));
    }
    let conditions = terms.conditions.as_ref();
    let assignment = conditions.map(|conditions| &conditions.assignment);
    let staff = conditions.is_some_and(|conditions| conditions.staff);
    let attempt = attempts(db, user, &request.problem, assignment, staff)?.len() as u32 + 1;
    let most = conditions.map_or(Points::FULL, |conditions| conditions.most);
    let stop = conditions.map_or(StopRule::FirstFailure, |conditions| conditions.stop);
    let visibility = conditions.map_or(CaseVisibility::All, |conditions| conditions.visibility);
    let position: u64 = db
        .prepare_cached(
            "SELECT count(*) FROM outbox JOIN submissions ON submissions.id = outbox.submission
             WHERE outbox.lane <= ?1 AND submissions.state IN ('new', 'queued')",
        )?
        .query_row([lane_number(terms.lane)], |row| row.get(0))?;
    db.prepare_cached(
        "INSERT INTO submissions (user, key, purpose, problem, package, language, files, entry, lane, limits, attempt, at,
                                  state, feedback, answer_in, course, assignment, late, max_score, stop, visibility,
                                  staff)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        user.as_str(),
        request.key,
        token(request.purpose)?,
        request.problem.as_str(),
        terms.package.as_str(),
        request.language.as_str(),
        json(&request.files)?,
        request.entry,
        lane_number(terms.lane),
        json(&terms.limits)?,
        attempt,
        at.0,
        State::New.token(),
        terms.feedback.then_some(PENDING),
        request.answer_in.as_ref().map(AnswerLanguage::as_str),
        assignment.map(|id| id.course.as_str()),
        assignment.map(|id| id.assignment.as_str()),
        conditions.is_some_and(|conditions| conditions.late),
        most.to_string(),
        token(stop)?,
        token(visibility)?,
        staff,
    ])?;
    let id = SubmissionId(db.last_insert_rowid() as u64);
    db.prepare_cached(
        "INSERT INTO outbox (submission, generation, user, lane, since) VALUES (?1, 1, ?2, ?3, ?4)",
    )?
    .execute(params![id.0, user.as_str(), lane_number(terms.lane), at.0])?;
    let mut record = Record::load(db, id)?.ok_or(StoreError::Closed)?;
    let accepted = EventKind::Submission(Accepted {
        id,
        problem: request.problem.clone(),
        package: terms.package.clone(),
        lang: request.language.clone(),
        purpose: request.purpose,
        late: conditions.is_some_and(|conditions| conditions.late),
        late_percent: conditions.map_or(0, |conditions| conditions.late_percent),
        attempt,
        time_limit_ms: terms.limits.time_ms,
        memory_limit_mib: terms.limits.memory_mib,
        assignment: assignment.cloned(),
        due: conditions.and_then(|conditions| conditions.due),
        attempt_limit: conditions.and_then(|conditions| conditions.attempt_limit),
    });
    let mut changes = Changes::default();
    record.append(db, accepted, at, &mut changes)?;
    record.append(db, EventKind::Queued(Queued { position }), at, &mut changes)?;
    record.save(db)?;
    changes.jobs.push(JobChange::Wanted(Waiting { submission: id, user: user.clone(), lane: terms.lane }));
    let events = changes.events.iter().map(|(_, event)| event.clone()).collect();
    Ok((id, events, changes))
}

/// Remembers the scoped credential that a submission came in by.
pub(crate) fn set_via(db: &Connection, id: SubmissionId, credential: &UserName) -> StoreResult<()> {
    db.prepare_cached("UPDATE submissions SET via = ?2 WHERE id = ?1")?
        .execute(params![id.0, credential.as_str()])?;
    Ok(())
}

/// The moments of a user's attempts at a problem, in an assignment or outside of all, the earliest first: what cost an
/// attempt, and what may still cost one. A fault of ours costs none, nor does what was cancelled before it was started, nor
/// a program that did not compile. What was submitted while teaching the course is counted by itself.
pub(crate) fn attempts(
    db: &Connection,
    user: &UserName,
    problem: &Slug,
    assignment: Option<&AssignmentId>,
    staff: bool,
) -> StoreResult<Vec<Timestamp>> {
    // Word for word what the index says, so that it answers alone.
    let mut statement = db.prepare_cached(
        "SELECT at FROM submissions
         WHERE user = ?1 AND problem = ?2 AND course IS ?3 AND assignment IS ?4 AND staff = ?5
               AND purpose = 'submission' AND verdict IS NOT 'COMPILE_ERROR' AND state NOT IN ('faulted', 'faulted-ended')
               AND (total IS NOT NULL OR state NOT IN ('cancelled', 'cancelled-ended'))
         ORDER BY at",
    )?;
    let (course, name) = assignment.map(|id| (id.course.as_str(), id.assignment.as_str())).unzip();
    let rows = statement.query_map(params![user.as_str(), problem.as_str(), course, name, staff], |row| {
        row.get(0).map(Timestamp)
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The submission that a key stands for already, with its events.
pub(crate) fn existing(
    db: &Connection,
    user: &UserName,
    key: &str,
) -> StoreResult<Option<(SubmissionId, Vec<JobEvent>)>> {
    let id: Option<u64> = db
        .prepare_cached("SELECT id FROM submissions WHERE user = ?1 AND key = ?2")?
        .query_row(params![user.as_str(), key], |row| row.get(0))
        .optional()?;
    let Some(id) = id.map(SubmissionId) else { return Ok(None) };
    Ok(Some((id, query::events(db, id, 1, usize::MAX)?.events)))
}

/// Ends a submission as cancelled, unless it has ended already. Returns the state that it is in afterwards.
pub(crate) fn cancel(
    db: &Connection,
    id: SubmissionId,
    at: Timestamp,
) -> StoreResult<Option<(bool, State, Changes)>> {
    let Some(mut record) = Record::load(db, id)? else { return Ok(None) };
    let mut changes = Changes::default();
    let open = record.state.is_open();
    if open {
        record.append(db, EventKind::Cancelled, at, &mut changes)?;
        let sequence = record.settle(db, at, &mut changes)?;
        changes.jobs.extend(sequence.map(JobChange::Withdrawn));
    }
    Ok(Some((open, record.state, changes)))
}

/// Ends a submission with a fault of ours, or asks for it to be judged again where that can help.
pub(crate) fn fault(db: &Connection, id: SubmissionId, fault: &Fault, at: Timestamp) -> StoreResult<Changes> {
    let mut changes = Changes::default();
    if let Some(mut record) = Record::load(db, id)?
        && record.state.is_open()
    {
        record.fault(db, fault, at, &mut changes)?;
    }
    Ok(changes)
}

/// Ends a submission with a fault of ours that is not tried again.
pub(crate) fn give_up(
    db: &Connection,
    id: SubmissionId,
    fault: &Fault,
    at: Timestamp,
) -> StoreResult<Changes> {
    let mut changes = Changes::default();
    if let Some(mut record) = Record::load(db, id)?
        && record.state.is_open()
    {
        record.fail(db, fault, at, &mut changes)?;
    }
    Ok(changes)
}

/// Forgets what is no attempt and ended before `before`.
pub(crate) fn forget_trials(db: &Connection, before: Timestamp) -> StoreResult<usize> {
    let old = "SELECT id FROM submissions WHERE purpose NOT IN ('submission', 'rejudge') AND state LIKE '%-ended' AND at < ?1";
    db.execute(&format!("DELETE FROM events WHERE submission IN ({old})"), [before.0])?;
    db.execute(&format!("DELETE FROM captures WHERE submission IN ({old})"), [before.0])?;
    Ok(db.execute(&format!("DELETE FROM submissions WHERE id IN ({old})"), [before.0])?)
}

/// What changes of a submission while it is judged.
struct Record {
    id: SubmissionId,
    user: UserName,
    purpose: Purpose,
    problem: Slug,
    package: PackageHash,
    language: LanguageId,
    entry: Option<String>,
    limits: Limits,
    state: State,
    delivery: u32,
    token: Option<codementor_protocol::DeliveryToken>,
    next_report: u32,
    faults: u32,
    next_seq: u64,
    total: u32,
    /// Whether feedback is still to come.
    pending: bool,
    /// What an accepted program is worth.
    most: Points,
    /// When judging stops.
    stop: StopRule,
    /// What the student sees of the cases.
    visibility: CaseVisibility,
    /// Whether it is for an assignment.
    assigned: bool,
    via: Option<UserName>,
}

impl Record {
    fn load(db: &Connection, id: SubmissionId) -> StoreResult<Option<Self>> {
        let mut statement = db.prepare_cached(
            "SELECT user, purpose, problem, package, language, entry, limits, state, delivery, token, next_report,
                    faults, next_seq, coalesce(total, 0), coalesce(feedback = 'pending', FALSE), via,
                    max_score, stop, visibility, assignment IS NOT NULL
             FROM submissions WHERE id = ?1",
        )?;
        let mut rows = statement.query([id.0])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let text = |column: usize| row.get::<_, String>(column);
        let record_token: Option<String> = row.get(9)?;
        Ok(Some(Self {
            id,
            user: parse("user", text(0)?)?,
            purpose: from_token("purpose", &text(1)?)?,
            problem: parse("problem", text(2)?)?,
            package: parse("package", text(3)?)?,
            language: parse("language", text(4)?)?,
            entry: row.get(5)?,
            limits: from_json("limits", &text(6)?)?,
            state: parse("state", text(7)?)?,
            delivery: row.get(8)?,
            token: record_token.map(|token| from_json("token", &token)).transpose()?,
            next_report: row.get(10)?,
            faults: row.get(11)?,
            next_seq: row.get(12)?,
            total: row.get(13)?,
            pending: row.get(14)?,
            most: parse("points", text(16)?)?,
            stop: from_token("stop rule", &text(17)?)?,
            visibility: from_token("visibility", &text(18)?)?,
            assigned: row.get(19)?,
            via: row.get::<_, Option<String>>(15)?.map(|via| parse("credential", via)).transpose()?,
        }))
    }

    /// Appends an event if the state allows it.
    fn append(
        &mut self,
        db: &Connection,
        kind: EventKind,
        at: Timestamp,
        changes: &mut Changes,
    ) -> StoreResult<()> {
        self.state = self.state.apply(&kind)?;
        let event = JobEvent {
            v: SCHEMA_VERSION,
            seq: self.next_seq,
            submission: self.id,
            delivery: self.delivery,
            at,
            kind,
        };
        db.prepare_cached("INSERT INTO events (submission, seq, body) VALUES (?1, ?2, ?3)")?
            .execute(params![self.id.0, event.seq, json(&event)?])?;
        self.next_seq += 1;
        changes.events.push((self.user.clone(), event));
        if let Some(via) = &self.via
            && !changes.via.iter().any(|(id, _)| *id == self.id)
        {
            changes.via.push((self.id, via.clone()));
        }
        Ok(())
    }

    /// Takes the job out of the outbox, since judging has ended, and ends the stream of events unless feedback is
    /// still to come. Returns the place of its message in the stream, if it was published.
    fn settle(&mut self, db: &Connection, at: Timestamp, changes: &mut Changes) -> StoreResult<Option<u64>> {
        if !self.pending {
            self.append(db, EventKind::End(Ended::default()), at, changes)?;
        }
        let sequence: Option<Option<u64>> = db
            .prepare_cached("DELETE FROM outbox WHERE submission = ?1 RETURNING sequence")?
            .query_row([self.id.0], |row| row.get(0))
            .optional()?;
        changes.jobs.push(JobChange::Gone(self.id));
        self.save(db)?;
        Ok(sequence.flatten())
    }

    /// A fault of ours: judge again, or give up and say so.
    fn fault(
        &mut self,
        db: &Connection,
        fault: &Fault,
        at: Timestamp,
        changes: &mut Changes,
    ) -> StoreResult<()> {
        self.faults += 1;
        tracing::warn!(submission = self.id.0, faults = self.faults, %fault, "a job ended in a fault");
        if fault.code.retryable() && self.faults <= MAX_FAULTS {
            self.append(db, EventKind::Restarted(Restarted { reason: fault.to_string() }), at, changes)?;
            changes.jobs.push(JobChange::Gone(self.id));
            changes.jobs.extend(republish(db, self.id, at)?.map(JobChange::Wanted));
            return self.save(db);
        }
        self.fail(db, fault, at, changes)
    }

    /// Gives up and says so.
    fn fail(
        &mut self,
        db: &Connection,
        fault: &Fault,
        at: Timestamp,
        changes: &mut Changes,
    ) -> StoreResult<()> {
        db.prepare_cached("UPDATE submissions SET fault = ?2 WHERE id = ?1")?
            .execute(params![self.id.0, fault.to_string()])?;
        self.append(db, EventKind::Error(Failed::from(fault)), at, changes)?;
        self.settle(db, at, changes)?;
        Ok(())
    }

    fn save(&self, db: &Connection) -> StoreResult<()> {
        db.prepare_cached(
            "UPDATE submissions SET state = ?2, delivery = ?3, token = ?4, next_report = ?5, faults = ?6, next_seq = ?7
             WHERE id = ?1",
        )?
        .execute(params![
            self.id.0,
            self.state.token(),
            self.delivery,
            self.token.as_ref().map(json).transpose()?,
            self.next_report,
            self.faults,
            self.next_seq,
        ])?;
        Ok(())
    }
}

/// Keeps what a program wrote for a sample.
fn keep_capture(
    db: &Connection,
    id: SubmissionId,
    case: &codementor_protocol::CaseReport,
    stdout: &Capture,
    stderr: &Capture,
) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO captures (submission, idx, name, verdict, stdout, stdout_total, stderr, stderr_total)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        id.0,
        case.index,
        case.name,
        case.verdict.token(),
        stdout.bytes,
        stdout.total,
        stderr.bytes,
        stderr.total,
    ])?;
    Ok(())
}
