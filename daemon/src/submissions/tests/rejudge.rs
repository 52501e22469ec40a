//! Judging again, on the database alone.

use codementor_protocol::RejudgeState;

use super::*;
use crate::submissions::rejudge::{self, Order, Which};

const WHOLE: [&str; 7] = ["submission", "queued", "started", "compiled", "test", "result", "end"];

fn wrong() -> ReportKind {
    ReportKind::Finished(Finish::Judged { verdict: Verdict::WrongAnswer, passed: 0, total: 1 })
}

/// Judges the submission, orders it to be judged again by another version, and begins. Returns the order and its run.
fn begun(db: &Connection, id: SubmissionId) -> (u64, SubmissionId) {
    report(db, id, token(1, 1), 0, &[started(), compiled(), case(), finished()]);
    let problem: Slug = "hello".parse().expect("a slug");
    let package = PackageHash::new("b".repeat(64)).expect("a hash");
    let found = rejudge::candidates(db, &Which::Problem(problem.clone())).expect("reads");
    assert!(found.iter().all(|one| one.has_ended() && one.package != package));
    let order = Order {
        by: user(),
        what: problem.to_string(),
        open: 0,
        problems: vec![(problem.clone(), package, Limits { time_ms: 7, ..Limits::default() })],
        submissions: found.iter().map(|one| one.id).collect(),
    };
    let number = rejudge::order(db, &order, Timestamp(5)).expect("writes").expect("is the first");
    let again = rejudge::order(db, &order, Timestamp(5)).expect("writes");
    assert_eq!(again, Err((problem, number)), "one at a time for a problem");
    rejudge::feed(db, Timestamp(6)).expect("feeds");
    let waiting = waiting(db).expect("reads");
    assert_eq!(waiting.iter().map(|job| job.lane).collect::<Vec<_>>(), [Lane::Batch]);
    (number, waiting[0].submission)
}

fn count(db: &Connection, sql: &str) -> u64 {
    db.query_row(sql, [], |row| row.get(0)).expect("counts")
}

fn summary_of(db: &Connection, number: u64) -> codementor_protocol::RejudgeSummary {
    rejudge::summary(db, number).expect("reads").expect("is there")
}

#[test]
fn what_was_judged_again_counts_once_it_is_applied_and_not_before() {
    with_submission(|db, id| {
        let (number, run) = begun(db, id);
        assert_eq!(job(db, run).expect("reads").expect("waits").limits.time_ms, 7);
        let told = report(db, run, token(1, 1), 0, &[started(), compiled(), case()]);
        assert!(told.events.iter().all(|(user, _)| *user == daemon_user()), "nobody hears of it");
        rejudge::feed(db, Timestamp(7)).expect("feeds");
        assert_eq!((summary_of(db, number).state, summary_of(db, number).done), (RejudgeState::Judging, 0));
        report(db, run, token(1, 1), 3, &[wrong()]);
        rejudge::feed(db, Timestamp(8)).expect("feeds");
        let summary = summary_of(db, number);
        assert_eq!((summary.state, summary.moves, summary.faults), (RejudgeState::Ready, 1, 0));
        assert_eq!(types(db, id), WHOLE, "the student sees what was");
        assert_eq!(owner(db, run).expect("reads"), None, "the run is nobody's");
        let moves = rejudge::moves(db, number, SubmissionId(0), 10).expect("reads");
        assert_eq!((moves[0].was, moves[0].verdict), (Some(Verdict::Accepted), Verdict::WrongAnswer));
        assert_eq!((moves[0].had.as_deref(), moves[0].score.as_str()), (Some("100"), "0"));

        let changes = rejudge::apply(db, number, Timestamp(9)).expect("applies");
        assert_eq!(changes.events.len(), 1, "the student is told once");
        let mut expected = WHOLE[..6].to_vec();
        expected.extend(["rejudged", "started", "compiled", "test", "result", "end"]);
        assert_eq!(types(db, id), expected);
        let detail = detail(db, id).expect("reads").expect("is there");
        assert_eq!(detail.summary.verdict, Some(Verdict::WrongAnswer));
        assert_eq!(detail.summary.rejudged, Some(Timestamp(9)));
        assert_eq!(detail.package.as_str(), "b".repeat(64));
        assert_eq!(state_of(db, id), State::Ended(Ending::Judged));
        for table in ["rejudge_runs", "outbox"] {
            assert_eq!(count(db, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
        assert_eq!(count(db, "SELECT count(*) FROM submissions"), 1);
        assert_eq!(count(db, "SELECT count(DISTINCT submission) FROM events"), 1);
        assert_eq!(count(db, "SELECT count(*) FROM cases"), 0, "it is for no assignment");
        assert_eq!((summary_of(db, number).state, summary_of(db, number).moves), (RejudgeState::Applied, 1));
    });
}

#[test]
fn a_fault_of_ours_leaves_a_result_as_it_is() {
    with_submission(|db, id| {
        let (number, run) = begun(db, id);
        report(db, run, token(1, 1), 0, &[started(), faulted(FaultCode::Internal)]);
        rejudge::feed(db, Timestamp(8)).expect("feeds");
        for _ in 0..MAX_FAULTS {
            // One that is tried again is not over.
            if summary_of(db, number).state == RejudgeState::Ready {
                break;
            }
            give_up(db, run, &Fault::new(FaultCode::Internal, "x"), Timestamp(8)).expect("gives up");
            rejudge::feed(db, Timestamp(8)).expect("feeds");
        }
        let summary = summary_of(db, number);
        assert_eq!((summary.state, summary.moves, summary.faults), (RejudgeState::Ready, 0, 1));
        rejudge::apply(db, number, Timestamp(9)).expect("applies");
        assert_eq!(types(db, id), WHOLE);
        let detail = detail(db, id).expect("reads").expect("is there");
        assert_eq!((detail.summary.verdict, detail.summary.rejudged), (Some(Verdict::Accepted), None));
    });
}

#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    with_submission(|db, id| {
        let (number, run) = begun(db, id);
        report(db, run, token(1, 1), 0, &[started(), compiled(), case()]);
        let (withdrawn, _) = rejudge::drop_all(db, number, Timestamp(9)).expect("drops");
        assert_eq!(withdrawn, [run]);
        report(db, run, token(1, 1), 3, &[wrong()]);
        assert_eq!(types(db, id), WHOLE);
        for table in ["rejudge_runs", "outbox", "cases"] {
            assert_eq!(count(db, &format!("SELECT count(*) FROM {table}")), 0, "{table}");
        }
        assert_eq!(count(db, "SELECT count(*) FROM submissions"), 1);
        assert_eq!(summary_of(db, number).state, RejudgeState::Dropped);
    });
}
