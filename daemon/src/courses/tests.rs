use codementor_protocol::{
    AssignmentProblem, AttemptPolicy, CaseReport, CaseVisibility, Counting, DeliveryToken, EventKind, Exit,
    Finish, Lane, LatePolicy, Limits, PackageHash, Purpose, Report, ReportKind, Reports, Slug, SourceFile,
    StopRule, SubmissionId, Submit, Usage, Verdict, Visibility,
};

use super::*;
use crate::store::Store;
use crate::submissions::{self, Changes, Conditions, Terms};

mod counting;

const DUE: i64 = 1_000_000_000;

fn user(name: &str) -> UserName {
    name.parse().expect("a user name")
}

fn id() -> AssignmentId {
    "cs101/hw3".parse().expect("an assignment")
}

fn slug() -> Slug {
    "sum".parse().expect("a slug")
}

fn sound() -> Assignment {
    Assignment {
        id: id(),
        title: "Homework 3".into(),
        problems: vec![AssignmentProblem { problem: slug(), points: "20".parse().expect("points") }],
        state: AssignmentState::Open,
        opens: None,
        due: Some(Timestamp(DUE)),
        time_zone: "UTC".into(),
        late: LatePolicy { grace_s: 0, percent_per_day: 10, cutoff_s: None },
        attempts: AttemptPolicy { limit: Some(2), cool_down_s: 0 },
        languages: vec![],
        stop: StopRule::Never,
        visibility: CaseVisibility::All,
        feedback: Some(FeedbackPolicy::Off),
        counting: Counting::Best,
        weight: None,
    }
}

/// A database with a course and an assignment.
fn with(assignment: &Assignment, test: impl FnOnce(&Connection)) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("t.db");
    drop(Store::open(&path).expect("opens"));
    let db = Connection::open(&path).expect("opens");
    put_course(&db, &id().course, "Algorithms", &user("ada"), Timestamp(1)).expect("is written");
    put_assignment(&db, assignment, true, &user("ada"), Timestamp(2)).expect("is written").expect("is taken");
    test(&db);
}

fn request(key: &str, purpose: Purpose) -> Submit {
    Submit {
        key: key.into(),
        purpose,
        problem: slug(),
        package: None,
        language: "python3".parse().expect("a language"),
        files: vec![SourceFile { name: "a.py".into(), text: "print(1)".into() }],
        entry: None,
        feedback: false,
        answer_in: None,
        assignment: Some(id()),
        confirmed: true,
    }
}

fn enter(db: &Connection, who: &str, key: &str, at: i64) -> Result<Conditions, Refusal> {
    entry::enter(db, &id(), &user(who), false, &request(key, Purpose::Submission), Timestamp(at))
        .expect("reads")
}

/// Submits as the gateway does.
fn submit(db: &Connection, who: &str, key: &str, at: i64) -> Result<SubmissionId, Refusal> {
    let conditions = enter(db, who, key, at)?;
    Ok(write(db, who, key, at, conditions))
}

/// Writes a submission that was let in.
fn write(db: &Connection, who: &str, key: &str, at: i64, conditions: Conditions) -> SubmissionId {
    let terms = Terms {
        package: PackageHash::new("a".repeat(64)).expect("a hash"),
        limits: Limits::default(),
        lane: Lane::Interactive,
        feedback: false,
        conditions: Some(conditions),
    };
    let request = request(key, Purpose::Submission);
    let accepted = submissions::accept(db, &user(who), &request, &terms, Timestamp(at));
    accepted.expect("is written").0
}

fn case(index: u32, visibility: Visibility, verdict: Verdict) -> ReportKind {
    ReportKind::Case(CaseReport {
        index,
        name: format!("case-{index}"),
        group: if visibility == Visibility::Sample { "sample" } else { "secret" }.into(),
        visibility,
        verdict,
        exit: Exit::Code(0),
        usage: Usage { cpu_us: 1000 * u64::from(index), wall_us: 2000, memory_kib: 100 * u64::from(index) },
        stdout: None,
        stderr: None,
    })
}

/// Judges a submission: one sample, and a hidden case that takes longer.
fn judge(db: &Connection, id: SubmissionId, verdict: Verdict) {
    let compiles = verdict != Verdict::CompileError;
    let mut kinds = vec![
        ReportKind::Started { judge: "here".into(), total: 2 },
        ReportKind::Compiled { ok: compiles, time_ms: 1, diagnostics: vec![], output: String::new() },
    ];
    if compiles {
        kinds.push(case(1, Visibility::Sample, Verdict::Accepted));
        kinds.push(case(2, Visibility::Hidden, verdict));
    }
    let passed = if verdict == Verdict::Accepted { 2 } else { u32::from(compiles) };
    kinds.push(ReportKind::Finished(Finish::Judged { verdict, passed, total: 2 }));
    let reports = (0..).zip(kinds).map(|(n, kind)| Report { n, at: Timestamp(5), kind }).collect();
    let token = DeliveryToken { generation: 1, redelivery: 1 };
    submissions::project(db, &Reports { submission: id, token, reports }, &mut Changes::default())
        .expect("is projected");
}

fn audit(db: &Connection) -> Vec<(String, String)> {
    let mut statement = db.prepare("SELECT action, detail FROM audit ORDER BY id").expect("reads");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("reads");
    rows.collect::<Result<_, _>>().expect("reads")
}

#[test]
fn every_change_is_written_down_with_what_was_before() {
    with(&sound(), |db| {
        let ada = user("ada");
        set_state(db, &id(), AssignmentState::Closed, &ada, Timestamp(3)).expect("writes").expect("is known");
        set_state(db, &id(), AssignmentState::Closed, &ada, Timestamp(4)).expect("writes").expect("is known");
        let later = Some(Timestamp(DUE + 5));
        extend_one(db, &id(), &user("kim"), later, "was ill", &ada, Timestamp(5))
            .expect("writes")
            .expect("is taken");
        extend_all(db, &id(), Timestamp(DUE + 1), "snow", &ada, Timestamp(6))
            .expect("writes")
            .expect("is taken");
        delete(db, &id(), &ada, Timestamp(7)).expect("writes").expect("is known");
        let log = audit(db);
        let actions: Vec<&str> = log.iter().map(|(action, _)| action.as_str()).collect();
        let expected = [
            "course-create",
            "assignment-create",
            "assignment-state",
            "assignment-extend",
            "assignment-extend",
            "assignment-delete",
        ];
        assert_eq!(actions, expected, "a change that changes nothing is none");
        assert!(
            log[2].1.contains(r#""from":"open""#) && log[2].1.contains(r#""to":"closed""#),
            "{}",
            log[2].1
        );
        assert!(log[3].1.contains("was ill") && log[3].1.contains("kim"), "{}", log[3].1);
        assert!(log[5].1.contains("Homework 3"), "what was deleted can be made again: {}", log[5].1);
    });
}

#[test]
fn what_is_not_there_and_what_is_there_already_is_said() {
    with(&sound(), |db| {
        let put = |assignment: &Assignment, create| {
            put_assignment(db, assignment, create, &user("ada"), Timestamp(3))
                .expect("reads")
                .map_err(|r| r.message)
        };
        assert_eq!(put(&sound(), true), Err("there is an assignment 'cs101/hw3' already".into()));
        assert_eq!(put(&Assignment { title: "Three".into(), ..sound() }, false), Ok(()));
        let other = |name: &str| Assignment { id: name.parse().expect("an assignment"), ..sound() };
        assert_eq!(put(&other("cs101/hw4"), false), Err("there is no assignment 'cs101/hw4'".into()));
        assert_eq!(put(&other("cs102/hw3"), true), Err("there is no course 'cs102'".into()));
        let extend = |due| {
            let due = Some(Timestamp(due));
            extend_one(db, &id(), &user("kim"), due, "", &user("ada"), Timestamp(3)).expect("reads").err()
        };
        assert!(
            extend(DUE).is_some_and(|refusal| refusal.message.contains("no later than the deadline of all"))
        );
        assert!(extend(DUE + 1).is_none());
    });
}

#[test]
fn an_extension_is_for_one_student_until_it_is_taken_back() {
    let strict = Assignment { late: LatePolicy { cutoff_s: Some(0), ..LatePolicy::default() }, ..sound() };
    with(&strict, |db| {
        let extend = |due: Option<i64>| {
            let due = due.map(Timestamp);
            extend_one(db, &id(), &user("kim"), due, "", &user("ada"), Timestamp(3))
                .expect("writes")
                .expect("is taken");
        };
        extend(Some(DUE + 10));
        assert!(enter(db, "kim", "aaaaaaaa", DUE + 10).is_ok_and(|conditions| !conditions.late));
        assert!(enter(db, "kim", "aaaaaaaa", DUE + 11).is_err());
        assert!(enter(db, "lee", "aaaaaaaa", DUE + 1).is_err());
        extend(None);
        assert!(enter(db, "kim", "aaaaaaaa", DUE + 1).is_err());
    });
}

#[test]
fn what_costs_no_attempt_is_the_table() {
    with(&sound(), |db| {
        let cost = |what: &str, judge: &dyn Fn(SubmissionId), expected: usize| {
            let key = format!("key-of-{}", what.replace(' ', "-"));
            let id = submit(db, what.split(' ').next().expect("a word"), &key, 10).expect("is taken");
            judge(id);
            let who = user(what.split(' ').next().expect("a word"));
            let used = submissions::attempts(db, &who, &slug(), Some(&super::tests::id()), false)
                .expect("reads")
                .len();
            assert_eq!(used, expected, "{what}");
        };
        let fault = |id| {
            let fault = codementor_protocol::Fault::new(codementor_protocol::FaultCode::Package, "it broke");
            submissions::give_up(db, id, &fault, Timestamp(20)).expect("writes");
        };
        let start = |id| {
            let kind = ReportKind::Started { judge: "here".into(), total: 2 };
            let reports = vec![Report { n: 0, at: Timestamp(11), kind }];
            let token = DeliveryToken { generation: 1, redelivery: 1 };
            let reports = Reports { submission: id, token, reports };
            submissions::project(db, &reports, &mut Changes::default()).expect("is projected");
        };
        let cancel = |id| drop(submissions::cancel(db, id, Timestamp(12)).expect("writes"));
        cost("waiting", &|_| (), 1);
        cost("wrong", &|id| judge(db, id, Verdict::WrongAnswer), 1);
        cost("right", &|id| judge(db, id, Verdict::Accepted), 1);
        cost("uncompiled", &|id| judge(db, id, Verdict::CompileError), 0);
        cost("faulted", &fault, 0);
        cost("cancelled-before", &cancel, 0);
        cost(
            "cancelled-after",
            &|id| {
                start(id);
                cancel(id);
            },
            1,
        );
        cost(
            "faulted-after",
            &|id| {
                start(id);
                fault(id);
            },
            0,
        );
    });
}

#[test]
fn attempts_that_cost_nothing_leave_the_number_as_it_was() {
    with(&sound(), |db| {
        let attempt = |id| submissions::detail(db, id).expect("reads").expect("is there").summary.attempt;
        let one = submit(db, "kim", "key-one-", 10).expect("is taken");
        judge(db, one, Verdict::CompileError);
        let two = submit(db, "kim", "key-two-", 11).expect("is taken");
        judge(db, two, Verdict::WrongAnswer);
        let three = submit(db, "kim", "key-three", 12).expect("is taken");
        assert_eq!([one, two, three].map(attempt), [1, 1, 2]);
        // It is still being judged and may cost the last attempt: nobody gets two of it.
        assert!(submit(db, "kim", "key-four", 13).is_err());
        judge(db, three, Verdict::CompileError);
        assert!(submit(db, "kim", "key-five", 14).is_ok(), "it cost nothing after all");
        assert!(submit(db, "lee", "key-lee-", 14).is_ok(), "others have attempts of their own");
    });
}

#[test]
fn what_was_submitted_while_teaching_costs_no_attempt_of_a_later_student() {
    with(&sound(), |db| {
        let entered = entry::enter(
            db,
            &super::tests::id(),
            &user("kim"),
            true,
            &request("key-zero", Purpose::Submission),
            Timestamp(10),
        );
        let conditions = entered.expect("reads").expect("staff is let in");
        assert!(conditions.staff);
        let one = write(db, "kim", "key-zero", 10, conditions);
        judge(db, one, Verdict::WrongAnswer);
        // The limit of this assignment is two.
        for key in ["key-one-", "key-two-"] {
            let id = submit(db, "kim", key, 11).expect("is taken");
            judge(db, id, Verdict::WrongAnswer);
        }
        assert!(submit(db, "kim", "key-three", 12).is_err());
    });
}

/// What a student can read of a submission, as one text.
fn readable(db: &Connection, id: SubmissionId) -> String {
    let events = submissions::events(db, id, 1, usize::MAX).expect("reads").events;
    let detail = submissions::detail(db, id).expect("reads").expect("is there");
    format!(
        "{}\n{}\n{:?}",
        serde_json::to_string(&events).expect("serialises"),
        serde_json::to_string(&detail).expect("serialises"),
        submissions::samples_run(db, id).expect("reads"),
    )
}

#[test]
fn what_the_assignment_hides_is_in_nothing_that_a_student_reads() {
    let table = [
        (CaseVisibility::All, vec![1, 2], true, (Some(1), Some(2), Some(200))),
        (CaseVisibility::Samples, vec![1], true, (None, Some(1), Some(100))),
        (CaseVisibility::Verdict, vec![], false, (None, None, None)),
    ];
    for (visibility, cases, samples, facts) in table {
        with(&Assignment { visibility, ..sound() }, |db| {
            let id = submit(db, "kim", "key-one-", 10).expect("is taken");
            judge(db, id, Verdict::WrongAnswer);
            let events = submissions::events(db, id, 1, usize::MAX).expect("reads").events;
            let seen: Vec<u32> = events
                .iter()
                .filter_map(|event| match &event.kind {
                    EventKind::Test(test) => Some(test.index),
                    _ => None,
                })
                .collect();
            assert_eq!(seen, cases, "{visibility:?}");
            let summary = submissions::detail(db, id).expect("reads").expect("is there").summary;
            assert_eq!((summary.passed, summary.time_ms, summary.memory_kib), facts, "{visibility:?}");
            assert_eq!(summary.verdict, Some(Verdict::WrongAnswer));
            assert_eq!(
                !submissions::samples_run(db, id).expect("reads").is_empty(),
                samples,
                "{visibility:?}"
            );
            assert_eq!(readable(db, id).contains("case-1"), samples, "{visibility:?}");
            let kept: u32 = db.query_row("SELECT count(*) FROM cases", [], |row| row.get(0)).expect("reads");
            assert_eq!(kept, 2, "those who teach see all of them");
        });
    }
}

#[test]
fn points_stop_and_lateness_are_those_of_the_assignment_at_that_time() {
    with(&sound(), |db| {
        let id = submit(db, "kim", "key-one-", DUE + 1).expect("is taken");
        delete(db, &super::tests::id(), &user("ada"), Timestamp(DUE + 2)).expect("writes").expect("is known");
        assert_eq!(submissions::job(db, id).expect("reads").expect("waits").stop, StopRule::Never);
        judge(db, id, Verdict::Accepted);
        let summary = submissions::detail(db, id).expect("reads").expect("is there").summary;
        assert_eq!((summary.score.as_deref(), summary.max_score.as_str()), (Some("20"), "20"));
        let events = submissions::events(db, id, 1, usize::MAX).expect("reads").events;
        let EventKind::Submission(facts) = &events[0].kind else { panic!("{events:?}") };
        assert_eq!((facts.late_percent, facts.less_lateness("20")), (10, "18".parse().ok()));
        assert!(summary.late && summary.assignment == Some(super::tests::id()));
        assert!(
            submit(db, "kim", "key-two-", DUE + 3)
                .is_err_and(|refusal| refusal.code == RefusalCode::NotFound)
        );
        let due = due::due(db, &user("kim"), &[super::tests::id().course], |_| "Sum".into(), Timestamp(DUE))
            .expect("reads");
        assert!(due.is_empty());
    });
}

#[test]
fn due_shows_the_students_own_deadline_and_what_counts() {
    with(&sound(), |db| {
        let id = submit(db, "kim", "key-one-", DUE + 1).expect("is taken");
        judge(db, id, Verdict::Accepted);
        let list = |who: &str, now: i64| {
            due::due(db, &user(who), &[super::tests::id().course], |_| "Sum".into(), Timestamp(now))
                .expect("reads")
        };
        let kim = list("kim", DUE).remove(0);
        assert_eq!(kim.problems[0].score.as_deref(), Some("18"), "a day late takes ten percent");
        assert_eq!(
            (kim.problems[0].max_score.as_str(), kim.problems[0].attempts, kim.extended),
            ("20", 1, false)
        );
        let later = Some(Timestamp(DUE + 5));
        extend_one(db, &super::tests::id(), &user("kim"), later, "", &user("ada"), Timestamp(3))
            .expect("writes")
            .expect("is taken");
        let kim = list("kim", DUE).remove(0);
        assert_eq!((kim.extended, kim.assignment.due), (true, Some(Timestamp(DUE + 5))));
        assert_eq!(kim.problems[0].score.as_deref(), Some("20"), "with more time it was not late");
        let lee = list("lee", DUE).remove(0);
        assert_eq!((lee.extended, lee.problems[0].verdict, lee.problems[0].attempts), (false, None, 0));
    });
    with(&Assignment { opens: Some(Timestamp(500)), ..sound() }, |db| {
        let early =
            due::due(db, &user("kim"), &[id().course], |_| "Sum".into(), Timestamp(499)).expect("reads");
        assert!(
            early[0].problems.is_empty() && early[0].assignment.problems.is_empty(),
            "its problems are no secret yet"
        );
    });
    with(&Assignment { state: AssignmentState::Draft, ..sound() }, |db| {
        assert!(
            due::due(db, &user("kim"), &[id().course], |_| "Sum".into(), Timestamp(1))
                .expect("reads")
                .is_empty()
        );
    });
}

#[test]
fn a_problem_alone_means_the_assignment_that_takes_it() {
    with(&sound(), |db| {
        let put = |name: &str, state: AssignmentState| {
            let other = Assignment { id: name.parse().expect("an assignment"), state, ..sound() };
            let create = assignment(db, &other.id).expect("reads").is_none();
            put_assignment(db, &other, create, &user("ada"), Timestamp(3))
                .expect("writes")
                .expect("is taken");
        };
        let meant = |courses: &[&str]| {
            let courses: Vec<CourseName> =
                courses.iter().map(|name| name.parse().expect("a course")).collect();
            match entry::meant(db, &courses, &slug(), Timestamp(4)).expect("reads") {
                Ok(id) => id.to_string(),
                Err(refusal) => refusal.hint.expect("says what to do"),
            }
        };
        put("cs101/old", AssignmentState::Closed);
        put("cs101/next", AssignmentState::Draft);
        assert_eq!(meant(&["cs101"]), "cs101/hw3");
        assert_eq!(meant(&[]), "codementor due lists your assignments and their problems");
        put("cs101/next", AssignmentState::Open);
        assert_eq!(meant(&["cs101"]), "say which with -p: cs101/hw3/sum, cs101/next/sum");
        put("cs101/hw3", AssignmentState::Closed);
        put("cs101/next", AssignmentState::Draft);
        assert_eq!(
            meant(&["cs101"]),
            "say which with -p: cs101/hw3/sum, cs101/old/sum",
            "seen, though neither takes it"
        );
    });
}

fn member(user: Option<&str>, student_id: Option<&str>) -> codementor_protocol::Member {
    codementor_protocol::Member {
        user: user.map(self::user),
        name: user.map(str::to_owned),
        student_id: student_id.map(str::to_owned),
        role: codementor_protocol::CourseRole::Student,
        row: None,
        joined: Some(Timestamp(1)),
        withdrawn: false,
    }
}

fn graded(db: &Connection, members: &[codementor_protocol::Member]) -> Vec<codementor_protocol::Grade> {
    grades::table(db, &id(), members).expect("reads").expect("is there").rows
}

#[test]
fn a_grade_is_what_counts_and_a_fault_of_ours_is_no_zero() {
    use codementor_protocol::{Fault, FaultCode, Standing};
    let rule = AttemptPolicy { limit: None, cool_down_s: 0 };
    with(&Assignment { attempts: rule, ..sound() }, |db| {
        let at = |who: &str, key: &str, at: i64, verdict| {
            let id = submit(db, who, key, at).expect("is taken");
            judge(db, id, verdict);
            id
        };
        at("kim", "kim-0001", DUE - 2, Verdict::WrongAnswer);
        let best = at("kim", "kim-0002", DUE - 1, Verdict::Accepted);
        at("kim", "kim-0003", DUE + 1, Verdict::Accepted);
        at("lee", "lee-0001", DUE + 1, Verdict::Accepted);
        at("han", "han-0001", DUE - 1, Verdict::CompileError);
        submit(db, "park", "park-0001", DUE - 1).expect("is taken");
        let faulted = submit(db, "choi", "choi-0001", DUE - 1).expect("is taken");
        let fault = Fault::new(FaultCode::Sandbox, "the container died");
        submissions::give_up(db, faulted, &fault, Timestamp(DUE)).expect("is written");
        let gone = codementor_protocol::Member { withdrawn: true, ..member(Some("oh"), None) };
        let everybody = ["kim", "lee", "han", "park", "choi", "none"].map(|who| member(Some(who), None));
        let everybody = [everybody.to_vec(), vec![member(None, Some("2026-9")), gone]].concat();
        let points = |grade: &codementor_protocol::Grade| grade.counts().map(|points| points.to_string());
        let told: Vec<_> = graded(db, &everybody).iter().map(|one| (one.standing, points(one))).collect();
        let some = |text: &str| Some(text.to_owned());
        let expected = [
            (Standing::InTime, some("20")),
            (Standing::Late, some("18")),
            (Standing::InTime, some("0")),
            (Standing::Unjudged, None),
            (Standing::Unjudged, None),
            (Standing::Missing, None),
            (Standing::Missing, None),
            (Standing::Withdrawn, None),
        ];
        assert_eq!(told, expected);
        // One alone is read as in the class.
        for (place, one) in everybody.iter().enumerate() {
            assert_eq!(graded(db, std::slice::from_ref(one))[0], graded(db, &everybody)[place]);
        }
        let kim = &graded(db, &everybody)[0];
        assert_eq!((kim.problems[0].submission, kim.problems[0].attempts), (Some(best), 3));
        let late = &graded(db, &everybody)[1];
        assert_eq!(
            (late.raw_score, late.late_penalty.to_string()),
            (Some("20".parse().expect("points")), "2".into())
        );
    });
}

#[test]
fn the_last_or_the_chosen_one_counts_where_the_assignment_says_so() {
    let rule = AttemptPolicy { limit: None, cool_down_s: 0 };
    let with_rule = |counting| Assignment { attempts: rule, counting, ..sound() };
    with(&with_rule(Counting::Chosen), |db| {
        let kim = [member(Some("kim"), None)];
        let score = || graded(db, &kim)[0].score.map(|points| points.to_string());
        let first = submit(db, "kim", "kim-0001", DUE - 3).expect("is taken");
        judge(db, first, Verdict::Accepted);
        let second = submit(db, "kim", "kim-0002", DUE - 2).expect("is taken");
        judge(db, second, Verdict::WrongAnswer);
        assert_eq!(score().as_deref(), Some("0"), "the last one, until one is chosen");
        let choose = |id| {
            grades::choose(db, &user("kim"), id, |_| false, Timestamp(9))
                .expect("writes")
                .map_err(|no| no.message)
        };
        choose(first).expect("is chosen");
        assert_eq!(score().as_deref(), Some("20"));
        let title = |slug: &Slug| slug.to_string();
        let due = due::due(db, &user("kim"), &[id().course], title, Timestamp(9)).expect("reads");
        assert_eq!(due[0].problems[0].score.as_deref(), Some("20"), "and so in what is due");
        let waits = submit(db, "kim", "kim-0003", DUE - 1).expect("is taken");
        assert!(choose(waits).expect_err("is refused").contains("no verdict"));
        set_state(db, &id(), AssignmentState::Closed, &user("ada"), Timestamp(9))
            .expect("writes")
            .expect("is there");
        assert!(choose(second).expect_err("is refused").contains("closed"));
    });
    with(&with_rule(Counting::Last), |db| {
        let first = submit(db, "kim", "kim-0001", DUE - 3).expect("is taken");
        judge(db, first, Verdict::Accepted);
        let second = submit(db, "kim", "kim-0002", DUE - 2).expect("is taken");
        judge(db, second, Verdict::WrongAnswer);
        let score = graded(db, &[member(Some("kim"), None)])[0].score;
        assert_eq!(score, Some(Points::ZERO));
        let refused = grades::choose(db, &user("kim"), first, |_| false, Timestamp(9)).expect("reads");
        assert!(refused.expect_err("is refused").message.contains("the last submission counts"));
    });
}

#[test]
fn a_grade_that_a_person_sets_counts_is_kept_and_can_be_taken_back() {
    use codementor_protocol::{OverrideTo, Standing};
    with(&sound(), |db| {
        let kim = member(Some("kim"), Some("2026-1"));
        let put = |who: &codementor_protocol::Member, to, reason: &str| {
            grades::put(db, &id(), who, to, reason, &user("ada"), Timestamp(9)).expect("writes")
        };
        let points = |text: &str| Some(OverrideTo::Score(text.parse().expect("points")));
        let set = put(&kim, points("12.5"), "an oral exam").expect("is set");
        assert_eq!(set.counts(), Some("12.5".parse().expect("points")));
        assert!(
            put(&kim, points("20.5"), "too good")
                .expect_err("is refused")
                .message
                .contains("more than the 20")
        );
        let excused = put(&kim, Some(OverrideTo::Excused), "was ill").expect("is set");
        assert_eq!((excused.standing, excused.counts()), (Standing::Excused, None));
        // It is the student's, also before it has joined.
        let row = member(None, Some("2026-1"));
        assert_eq!(graded(db, std::slice::from_ref(&row))[0].standing, Standing::Excused);
        put(&row, None, "a mistake").expect("is taken back");
        assert_eq!(graded(db, std::slice::from_ref(&kim))[0].standing, Standing::Missing);
        assert!(put(&kim, None, "again").expect_err("is refused").message.contains("nothing was set"));
        let log = audit::entries(db, &id().course, None, 100).expect("reads");
        let log: Vec<_> = log.iter().filter(|entry| entry.action == "grade-override").collect();
        assert_eq!(log.len(), 3);
        assert_eq!(
            (&log[1].detail["reason"], &log[1].detail["from"]),
            (&json!("was ill"), &json!({ "score": "12.5" }))
        );
    });
}
