//! What judges report, turned into the events of submissions: exactly once, in order, of the newest delivery only.

use codementor_protocol::{
    Capture, CaseReport, CaseVisibility, Compiled, EventKind, Finish, Points, Purpose, Report, ReportKind,
    Reports, Restarted, Started, SubmissionId, TestEvent, Verdict, Verdicted, Visibility,
};
use rusqlite::{Connection, params};

use super::{Changes, JobChange, Record, keep_capture};
use crate::store::StoreResult;

/// What became of a message of reports.
#[derive(Debug)]
pub(crate) enum Projected {
    /// It was applied, as far as it was new.
    Applied,
    /// It belongs to a delivery that is not the newest, or to a submission that has ended.
    Stale,
}

/// Applies the reports that a judge sent in one message.
///
/// NATS takes an ack of a delivery that it has meanwhile given to another judge, so the fence is here: a report counts
/// only if its token is that of the newest delivery that has started, and only if it is the next one of that delivery.
pub(crate) fn project(db: &Connection, message: &Reports, changes: &mut Changes) -> StoreResult<Projected> {
    let Some(mut record) = Record::load(db, message.submission)? else { return Ok(Projected::Stale) };
    if !record.state.is_open() || record.token.is_some_and(|token| message.token < token) {
        return Ok(Projected::Stale);
    }
    if record.token != Some(message.token) {
        record.token = Some(message.token);
        record.next_report = 0;
        record.delivery += 1;
    }
    for report in &message.reports {
        if report.n < record.next_report {
            continue;
        }
        if report.n > record.next_report {
            tracing::error!(
                submission = record.id.0,
                n = report.n,
                wanted = record.next_report,
                "a report is missing"
            );
            return Ok(Projected::Stale);
        }
        record.next_report += 1;
        apply(db, &mut record, report, changes)?;
        if !record.state.is_open() {
            return Ok(Projected::Applied);
        }
    }
    record.save(db)?;
    Ok(Projected::Applied)
}

fn apply(db: &Connection, record: &mut Record, report: &Report, changes: &mut Changes) -> StoreResult<()> {
    let at = report.at;
    match &report.kind {
        ReportKind::Preparing { text } => {
            record.append(db, EventKind::Preparing { text: text.clone() }, at, changes)
        }
        ReportKind::Started { judge, total } => {
            if record.state == codementor_protocol::State::Running {
                let reason = "the judge that worked on it stopped answering".to_owned();
                record.append(db, EventKind::Restarted(Restarted { reason }), at, changes)?;
            }
            tracing::info!(submission = record.id.0, delivery = record.delivery, judge, "started");
            forget_run(db, record, *total)?;
            record.total = *total;
            record.append(db, EventKind::Started(Started { total: *total }), at, changes)?;
            changes.jobs.push(JobChange::Started(record.id));
            Ok(())
        }
        ReportKind::Compiled { ok, time_ms, diagnostics, output } => {
            let compiled = Compiled {
                ok: *ok,
                time_ms: *time_ms,
                diagnostics: diagnostics.clone(),
                output: output.clone(),
            };
            record.append(db, EventKind::Compiled(compiled), at, changes)
        }
        ReportKind::Case(case) => {
            // Whether a run that judges again is for an assignment is known to the submission that it is of.
            if record.assigned && record.purpose == Purpose::Submission || record.purpose == Purpose::Rejudge
            {
                keep_case(db, record.id, case)?;
            }
            if !record.shows(case.visibility) {
                // What the student may not see is in no row that a request of a student reads.
                return Ok(());
            }
            db.prepare_cached(
                "UPDATE submissions SET time_ms = max(coalesce(time_ms, 0), ?2),
                        memory_kib = max(coalesce(memory_kib, 0), ?3) WHERE id = ?1",
            )?
            .execute(params![
                record.id.0,
                case.usage.cpu_us.div_ceil(1000),
                case.usage.memory_kib
            ])?;
            if case.visibility == Visibility::Sample {
                let none = Capture::default();
                let (stdout, stderr) =
                    (case.stdout.as_ref().unwrap_or(&none), case.stderr.as_ref().unwrap_or(&none));
                keep_capture(db, record.id, case, stdout, stderr)?;
            }
            record.append(db, EventKind::Test(test_event(case, record.total)), at, changes)
        }
        ReportKind::Finished(Finish::Judged { verdict, passed, total }) => {
            let score = if *verdict == Verdict::Accepted { record.most } else { Points::ZERO }.to_string();
            let passed = (record.visible() == CaseVisibility::All).then_some(*passed);
            db.prepare_cached(
                "UPDATE submissions SET verdict = ?2, score = ?3, passed = ?4, total = ?5 WHERE id = ?1",
            )?
            .execute(params![record.id.0, verdict.token(), score, passed, total])?;
            let result = Verdicted {
                verdict: *verdict,
                score,
                max_score: record.most.to_string(),
                passed,
                total: *total,
            };
            record.append(db, EventKind::Result(result), at, changes)?;
            record.settle(db, at, changes)?;
            Ok(())
        }
        ReportKind::Finished(Finish::Faulted(fault)) => record.fault(db, fault, at, changes),
    }
}

impl Record {
    /// What the student sees of the cases. A try on the samples shows them whatever the assignment says.
    fn visible(&self) -> CaseVisibility {
        match self.purpose {
            Purpose::Submission | Purpose::Rejudge => self.visibility,
            Purpose::Trial | Purpose::Calibration | Purpose::Verification => CaseVisibility::All,
        }
    }

    /// Whether the student sees a case.
    fn shows(&self, case: Visibility) -> bool {
        match self.visible() {
            CaseVisibility::All => true,
            CaseVisibility::Samples => case == Visibility::Sample,
            CaseVisibility::Verdict => false,
        }
    }
}

/// Keeps how a case ended, for those who teach.
fn keep_case(db: &Connection, id: SubmissionId, case: &CaseReport) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO cases (submission, idx, grp, sample, verdict, time_ms, memory_kib)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id.0,
        case.index,
        case.group,
        case.visibility == Visibility::Sample,
        case.verdict.token(),
        case.usage.cpu_us.div_ceil(1000),
        case.usage.memory_kib,
    ])?;
    Ok(())
}

/// A new delivery starts from nothing.
fn forget_run(db: &Connection, record: &Record, total: u32) -> StoreResult<()> {
    db.prepare_cached("UPDATE submissions SET time_ms = NULL, memory_kib = NULL, total = ?2 WHERE id = ?1")?
        .execute(params![record.id.0, total])?;
    db.prepare_cached("DELETE FROM captures WHERE submission = ?1")?.execute([record.id.0])?;
    if record.assigned || record.purpose == Purpose::Rejudge {
        db.prepare_cached("DELETE FROM cases WHERE submission = ?1")?.execute([record.id.0])?;
    }
    Ok(())
}

fn test_event(case: &CaseReport, total: u32) -> TestEvent {
    let (exit_code, signal) = TestEvent::split_exit(case.exit);
    TestEvent {
        index: case.index,
        total,
        name: (case.visibility == Visibility::Sample).then(|| case.name.clone()),
        group: case.group.clone(),
        visibility: case.visibility,
        verdict: case.verdict,
        time_ms: case.usage.cpu_us.div_ceil(1000),
        wall_ms: case.usage.wall_us.div_ceil(1000),
        memory_kib: case.usage.memory_kib,
        exit_code,
        signal,
    }
}
