use codementor_protocol::{
    CaseReport, DeliveryToken, Ending, EventKind, Exit, Fault, FaultCode, Feedback, FeedbackEnd,
    FeedbackOutcome, Finish, Lane, Limits, PackageHash, Purpose, Report, ReportKind, Reports, SourceFile,
    State, SubmissionId, Submit, Timestamp, Usage, UserName, Verdict, Visibility,
};
use rusqlite::Connection;

use super::*;
use crate::daemon::daemon_user;
use crate::store::Store;

mod history;
mod rejudge;

fn user() -> UserName {
    UserName::new("kim").expect("a user name")
}

fn request(key: &str) -> Submit {
    Submit {
        key: key.into(),
        purpose: Purpose::Submission,
        problem: "hello".parse().expect("a slug"),
        package: None,
        language: "python3".parse().expect("a language"),
        files: vec![SourceFile { name: "hello.py".into(), text: "print(1)".into() }],
        entry: None,
        feedback: false,
        answer_in: None,
        assignment: None,
        confirmed: false,
    }
}

/// A database with one accepted submission.
fn with_submission(test: impl FnOnce(&Connection, SubmissionId)) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("t.db");
    drop(Store::open(&path).expect("opens"));
    let db = Connection::open(&path).expect("opens");
    let id = accept_key(&db, "a").0;
    test(&db, id);
}

fn accept_key(db: &Connection, key: &str) -> (SubmissionId, Changes) {
    let terms = Terms {
        package: PackageHash::new("a".repeat(64)).expect("a hash"),
        limits: Limits::default(),
        lane: Lane::Interactive,
        feedback: false,
        conditions: None,
    };
    let (id, _, changes) = accept(db, &user(), &request(key), &terms, Timestamp(1)).expect("is accepted");
    (id, changes)
}

fn token(generation: u32, redelivery: u32) -> DeliveryToken {
    DeliveryToken { generation, redelivery }
}

fn report(
    db: &Connection,
    id: SubmissionId,
    token: DeliveryToken,
    first: u32,
    kinds: &[ReportKind],
) -> Changes {
    let reports =
        (first..).zip(kinds).map(|(n, kind)| Report { n, at: Timestamp(2), kind: kind.clone() }).collect();
    let mut changes = Changes::default();
    project(db, &Reports { submission: id, token, reports }, &mut changes).expect("is projected");
    changes
}

fn started() -> ReportKind {
    ReportKind::Started { judge: "here".into(), total: 1 }
}

fn compiled() -> ReportKind {
    ReportKind::Compiled { ok: true, time_ms: 1, diagnostics: vec![], output: String::new() }
}

fn case() -> ReportKind {
    ReportKind::Case(CaseReport {
        index: 1,
        name: "secret/the-name".into(),
        group: "secret".into(),
        visibility: Visibility::Hidden,
        verdict: Verdict::Accepted,
        exit: Exit::Code(0),
        usage: Usage { cpu_us: 1500, wall_us: 2000, memory_kib: 900 },
        stdout: None,
        stderr: None,
    })
}

fn finished() -> ReportKind {
    ReportKind::Finished(Finish::Judged { verdict: Verdict::Accepted, passed: 1, total: 1 })
}

fn faulted(code: FaultCode) -> ReportKind {
    ReportKind::Finished(Finish::Faulted(Fault::new(code, "it broke")))
}

/// The types of all events, and that their numbers are dense.
fn types(db: &Connection, id: SubmissionId) -> Vec<String> {
    let events = events(db, id, 1, usize::MAX).expect("reads").events;
    assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as u64), "{events:?}");
    let value = |event| serde_json::to_value(event).expect("serialises");
    events.iter().map(|event| value(event)["type"].as_str().expect("has a type").to_owned()).collect()
}

fn state_of(db: &Connection, id: SubmissionId) -> State {
    query::state(db, id).expect("reads").expect("is there").1
}

#[test]
fn before_a_submission_is_what_no_judge_has_started() {
    with_submission(|db, first| {
        let position = |id| {
            let events = events(db, id, 2, 1).expect("reads").events;
            match &events.last().expect("it is queued").kind {
                EventKind::Queued(queued) => queued.position,
                other => panic!("{other:?}"),
            }
        };
        let job = job(db, first).expect("reads").expect("waits");
        set_published(db, &job, 1, Timestamp(2)).expect("is written");
        let second = accept_key(db, "b").0;
        assert_eq!([first, second].map(position), [0, 1], "what is published waits all the same");
        report(db, first, token(1, 1), 0, &[started()]);
        assert_eq!(position(accept_key(db, "c").0), 1, "what runs does not wait");
    });
}

#[test]
fn the_same_key_is_the_same_submission() {
    with_submission(|db, id| {
        let (again, changes) = accept_key(db, "a");
        assert_eq!(again, id);
        assert!(changes.jobs.is_empty(), "no second job");
        assert_ne!(accept_key(db, "b").0, id);
        assert_eq!(waiting(db).expect("reads").len(), 2);
    });
}

#[test]
fn reports_become_dense_events_and_the_job_leaves_the_outbox() {
    with_submission(|db, id| {
        let changes = report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
        assert_eq!(types(db, id), ["submission", "queued", "started", "compiled", "test", "result", "end"]);
        assert_eq!(state_of(db, id), State::Ended(Ending::Judged));
        assert!(waiting(db).expect("reads").is_empty());
        assert_eq!(changes.jobs.last(), Some(&JobChange::Gone(id)));
        let summary = detail(db, id).expect("reads").expect("is there").summary;
        assert_eq!(
            (summary.verdict, summary.time_ms, summary.memory_kib),
            (Some(Verdict::Accepted), Some(2), Some(900))
        );
    });
}

#[test]
fn a_message_that_comes_twice_counts_once() {
    with_submission(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), compiled()]);
        report(db, id, token(1, 1), 0, &[started(), compiled()]);
        report(db, id, token(1, 1), 1, &[compiled(), case()]);
        report(db, id, token(1, 1), 3, &[finished()]);
        report(db, id, token(1, 1), 3, &[finished()]);
        assert_eq!(types(db, id), ["submission", "queued", "started", "compiled", "test", "result", "end"]);
    });
}

#[test]
fn only_the_newest_delivery_that_started_counts() {
    with_submission(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), compiled()]);
        report(db, id, token(1, 2), 0, &[started()]);
        report(db, id, token(1, 1), 2, &[case(), finished()]);
        assert_eq!(types(db, id), ["submission", "queued", "started", "compiled", "restarted", "started"]);
        report(db, id, token(1, 2), 1, &[compiled(), case(), finished()]);
        assert_eq!(types(db, id).last().map(String::as_str), Some("end"));
        assert_eq!(types(db, id).iter().filter(|kind| *kind == "result").count(), 1);
    });
}

#[test]
fn a_fault_is_tried_again_and_then_told_without_a_verdict() {
    with_submission(|db, id| {
        for generation in 1..=MAX_FAULTS + 1 {
            assert_eq!(job(db, id).expect("reads").expect("waits").generation, generation);
            report(db, id, token(generation, 1), 0, &[started(), faulted(FaultCode::Sandbox)]);
        }
        assert_eq!(state_of(db, id), State::Ended(Ending::Faulted));
        let types = types(db, id);
        assert_eq!(types.iter().filter(|kind| *kind == "restarted").count(), MAX_FAULTS as usize);
        assert!(
            types.ends_with(&["error".into(), "end".into()]) && !types.contains(&"result".into()),
            "{types:?}"
        );
        assert_eq!(detail(db, id).expect("reads").expect("is there").summary.verdict, None);
    });
}

#[test]
fn a_fault_that_trying_again_cannot_mend_is_told_at_once() {
    with_submission(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), faulted(FaultCode::Package)]);
        assert_eq!(types(db, id), ["submission", "queued", "started", "error", "end"]);
    });
}

#[test]
fn what_a_judge_reports_after_a_cancellation_is_dropped() {
    with_submission(|db, id| {
        report(db, id, token(1, 1), 0, &[started()]);
        let (cancelled, state, _) = cancel(db, id, Timestamp(3)).expect("cancels").expect("is there");
        assert!(cancelled && state == State::Ended(Ending::Cancelled));
        report(db, id, token(1, 1), 1, &[compiled(), case(), finished()]);
        assert_eq!(types(db, id), ["submission", "queued", "started", "cancelled", "end"]);
        let (cancelled, _, _) = cancel(db, id, Timestamp(4)).expect("cancels").expect("is there");
        assert!(!cancelled, "it had ended");
    });
}

#[test]
fn the_name_of_a_hidden_case_does_not_reach_an_event() {
    with_submission(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
        let events = events(db, id, 1, usize::MAX).expect("reads").events;
        let text = serde_json::to_string(&events).expect("serialises");
        assert!(!text.contains("the-name"), "{text}");
        assert!(events.iter().any(|event| matches!(event.kind, EventKind::Test(_))));
    });
}

/// A database with one accepted submission on which feedback is to be given.
fn with_feedback(test: impl FnOnce(&Connection, SubmissionId)) {
    with_submission(|db, _| {
        let terms = Terms {
            package: PackageHash::new("a".repeat(64)).expect("a hash"),
            limits: Limits::default(),
            lane: Lane::Interactive,
            feedback: true,
            conditions: None,
        };
        let (id, _, _) = accept(db, &user(), &request("told"), &terms, Timestamp(1)).expect("is accepted");
        test(db, id);
    });
}

fn told(delta: &str) -> Feedback {
    Feedback { step: 1, delta: delta.into() }
}

fn complete() -> FeedbackEnd {
    FeedbackEnd { step: 1, outcome: FeedbackOutcome::Complete, message: String::new() }
}

#[test]
fn the_stream_ends_when_both_judging_and_feedback_have_ended() {
    with_feedback(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
        assert_eq!(types(db, id).last().map(String::as_str), Some("result"));
        assert!(job(db, id).expect("reads").is_none(), "the job has left the outbox all the same");
        say(db, id, told("Look at the loop."), Timestamp(3)).expect("is said");
        close_feedback(db, id, complete(), Timestamp(3)).expect("is closed");
        assert!(types(db, id).ends_with(&["feedback", "feedback_end", "end"].map(String::from)));
        assert_eq!(state_of(db, id), State::Ended(Ending::Judged));
    });
    with_feedback(|db, id| {
        close_feedback(db, id, complete(), Timestamp(3)).expect("is closed");
        assert_eq!(state_of(db, id), State::Queued);
        report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
        assert!(types(db, id).ends_with(&["result", "end"].map(String::from)));
    });
}

#[test]
fn nothing_is_said_after_the_end_of_feedback() {
    with_feedback(|db, id| {
        close_feedback(db, id, complete(), Timestamp(3)).expect("is closed");
        let before = types(db, id);
        say(db, id, told("More."), Timestamp(4)).expect("is dropped");
        close_feedback(db, id, complete(), Timestamp(4)).expect("is dropped");
        assert_eq!(types(db, id), before);
    });
}

#[test]
fn feedback_that_a_restart_broke_off_ends_as_interrupted() {
    with_feedback(|db, id| {
        report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
        let changes = abandon_feedback(db, "restarted", Timestamp(5)).expect("is ended");
        let outcomes: Vec<_> = changes.events.iter().map(|(_, event)| &event.kind).collect();
        assert!(
            matches!(outcomes[..], [EventKind::FeedbackEnd(end), EventKind::End(_)] if end.outcome == FeedbackOutcome::Interrupted),
            "{outcomes:?}"
        );
        assert!(abandon_feedback(db, "restarted", Timestamp(6)).expect("reads").events.is_empty());
    });
}

#[test]
fn a_verification_belongs_to_nobody_and_leaves_nothing_behind() {
    with_submission(|db, _| {
        let terms = Terms {
            package: PackageHash::new("a".repeat(64)).expect("a hash"),
            limits: Limits::default(),
            lane: Lane::Verify,
            feedback: false,
            conditions: None,
        };
        let check = Submit { purpose: Purpose::Verification, ..request("check") };
        let (id, _, _) = accept(db, &user(), &check, &terms, Timestamp(1)).expect("is accepted");
        assert_eq!(
            job(db, id).expect("reads").expect("waits").stop,
            codementor_protocol::StopRule::FirstFailure
        );
        assert_eq!(
            owner(db, id).expect("reads"),
            None,
            "not even the user under whose name it runs can ask for it"
        );
        assert!(
            history(db, &user(), None, None, None, None, 10)
                .expect("reads")
                .iter()
                .all(|summary| summary.id != id)
        );
        assert_eq!(verifications(db).expect("reads"), [id]);
        report(db, id, token(1, 1), 0, &[started(), compiled(), case()]);
        let (_, changes) = forget(db, id, Timestamp(2)).expect("is forgotten");
        assert_eq!(changes.jobs, [JobChange::Gone(id)]);
        for table in ["events", "captures", "outbox"] {
            let sql = format!("SELECT count(*) FROM {table} WHERE submission = ?1");
            let left: u64 = db.query_row(&sql, [id.0], |row| row.get(0)).expect("reads");
            assert_eq!(left, 0, "{table}");
        }
        assert!(verifications(db).expect("reads").is_empty());
        let late = report(db, id, token(1, 1), 3, &[finished()]);
        assert!(late.events.is_empty(), "what a judge reports of it now is dropped");
    });
}
