use codementor_protocol::{AssignmentProblem, AttemptPolicy, CaseVisibility, StopRule};

use super::*;

/// 2026-12-04 23:59 in Seoul.
const DUE: i64 = 1_796_396_340_000;
const MINUTE: i64 = 60_000;

fn problem() -> Slug {
    "two-sum".parse().expect("a slug")
}

fn language() -> LanguageId {
    "python3".parse().expect("a language")
}

fn open() -> Assignment {
    Assignment {
        id: "cs101/hw3".parse().expect("an assignment"),
        title: "Homework 3".into(),
        problems: vec![AssignmentProblem { problem: problem(), points: "20".parse().expect("points") }],
        state: AssignmentState::Open,
        opens: None,
        due: Some(Timestamp(DUE)),
        time_zone: "Asia/Seoul".into(),
        late: LatePolicy { grace_s: 600, percent_per_day: 10, cutoff_s: Some(3 * 86_400) },
        attempts: AttemptPolicy::default(),
        languages: vec![],
        stop: StopRule::FirstFailure,
        visibility: CaseVisibility::All,
        feedback: None,
        counting: Counting::Best,
        weight: None,
    }
}

fn ask(assignment: &Assignment, extension: Option<i64>, now: i64, past: &[i64], confirmed: bool) -> String {
    let (problem, language) = (problem(), language());
    let wanted = Wanted { problem: &problem, language: &language, confirmed };
    let past: Vec<Timestamp> = past.iter().copied().map(Timestamp).collect();
    match admit(assignment, extension.map(Timestamp), wanted, Timestamp(now), &past) {
        Ok(Admitted { late: false, attempt, late_days: 0, late_percent: 0 }) => format!("attempt {attempt}"),
        Ok(admitted) => format!("attempt {}, {} days late", admitted.attempt, admitted.late_days),
        Err(refusal) => format!("{:?}: {}", refusal.code, refusal.message),
    }
}

#[test]
fn deadline_grace_days_and_cut_off_are_the_table() {
    let assignment = open();
    let day = DAY;
    #[rustfmt::skip]
    let table: &[(Option<i64>, i64, &str)] = &[
        // extension,     now,                     what happens
        (None,            DUE - day,               "attempt 1"),
        (None,            DUE,                     "attempt 1"),
        (None,            DUE + 1,                 "attempt 1"),
        (None,            DUE + 10 * MINUTE,       "attempt 1"),
        (None,            DUE + 10 * MINUTE + 1,   "attempt 1, 1 days late"),
        (None,            DUE + day,               "attempt 1, 1 days late"),
        (None,            DUE + day + 1,           "attempt 1, 2 days late"),
        (None,            DUE + 3 * day,           "attempt 1, 3 days late"),
        (None,            DUE + 3 * day + 1,       "Forbidden: 'cs101/hw3' was due at 2026-12-04 23:59 KST; nothing is accepted after 2026-12-07 23:59 KST"),
        (Some(DUE + day), DUE + day,               "attempt 1"),
        (Some(DUE + day), DUE + day + 11 * MINUTE, "attempt 1, 1 days late"),
        (Some(DUE + day), DUE + 4 * day,           "attempt 1, 3 days late"),
        (Some(DUE + day), DUE + 4 * day + 1,       "Forbidden: 'cs101/hw3' was due at 2026-12-05 23:59 KST; nothing is accepted after 2026-12-08 23:59 KST"),
        // The whole class got more time than the student had of its own.
        (Some(DUE - day), DUE,                     "attempt 1"),
    ];
    for (extension, now, expected) in table {
        assert_eq!(ask(&assignment, *extension, *now, &[], true), *expected, "{extension:?} {now}");
    }
}

#[test]
fn an_assignment_is_open_when_its_state_and_its_times_say_so() {
    let now = DUE - DAY;
    let draft = Assignment { state: AssignmentState::Draft, ..open() };
    let closed = Assignment { state: AssignmentState::Closed, ..open() };
    let later = Assignment { opens: Some(Timestamp(now + 90 * MINUTE)), ..open() };
    let endless = Assignment { due: None, ..open() };
    let strict = Assignment { late: LatePolicy { cutoff_s: Some(0), ..LatePolicy::default() }, ..open() };
    let lenient = Assignment { late: LatePolicy::default(), ..open() };
    #[rustfmt::skip]
    let table = [
        (&draft,   now,            "NotFound: there is no assignment 'cs101/hw3'"),
        (&closed,  now,            "Forbidden: 'cs101/hw3' is closed"),
        (&later,   now,            "Forbidden: 'cs101/hw3' opens in 1 h 30 min, at 2026-12-04 01:29 KST"),
        (&later,   now + DAY,      "attempt 1"),
        (&endless, DUE + 99 * DAY, "attempt 1"),
        (&strict,  DUE,            "attempt 1"),
        (&strict,  DUE + 1,        "Forbidden: 'cs101/hw3' was due at 2026-12-04 23:59 KST; nothing is accepted after 2026-12-04 23:59 KST"),
        (&lenient, DUE + 99 * DAY, "attempt 1, 99 days late"),
    ];
    for (assignment, now, expected) in table {
        assert_eq!(ask(assignment, None, now, &[], true), expected);
    }
}

#[test]
fn attempts_and_the_time_between_them_are_the_table() {
    let now = DUE - DAY;
    let few = Assignment { attempts: AttemptPolicy { limit: Some(3), cool_down_s: 300 }, ..open() };
    let one = Assignment { attempts: AttemptPolicy { limit: Some(1), cool_down_s: 0 }, ..open() };
    #[rustfmt::skip]
    let table: &[(&Assignment, &[i64], &str)] = &[
        (&few, &[],                                              "attempt 1"),
        (&few, &[now - 5 * MINUTE],                              "attempt 2"),
        (&few, &[now - 5 * MINUTE + 1],                          "Forbidden: the next attempt at 'two-sum' is possible in 1 s, at 2026-12-03 23:59 KST"),
        (&few, &[now - 30 * MINUTE, now - 3 * MINUTE],           "Forbidden: the next attempt at 'two-sum' is possible in 2 min, at 2026-12-04 00:01 KST"),
        (&few, &[now - 30 * MINUTE, now - 6 * MINUTE],           "attempt 3"),
        (&few, &[now - 3 * DAY, now - 2 * DAY, now - DAY],       "Forbidden: all 3 attempts at 'two-sum' are used"),
        (&one, &[now],                                           "Forbidden: your one attempt at 'two-sum' is used"),
        // A clock that was set back must not open the gate.
        (&few, &[now + DAY],                                     "Forbidden: the next attempt at 'two-sum' is possible in 1 d, at 2026-12-05 00:04 KST"),
    ];
    for (assignment, past, expected) in table {
        assert_eq!(ask(assignment, None, now, past, true), *expected, "{past:?}");
    }
}

#[test]
fn what_costs_something_wants_to_be_agreed_to() {
    let two = Assignment { attempts: AttemptPolicy { limit: Some(2), cool_down_s: 0 }, ..open() };
    let free = Assignment { late: LatePolicy::default(), ..open() };
    #[rustfmt::skip]
    let table: &[(&Assignment, i64, &[i64], &str)] = &[
        (&two,  DUE,                   &[],  "attempt 1"),
        (&two,  DUE,                   &[0], "Confirm: it is the last of 2 attempts at 'two-sum'"),
        (&two,  DUE + DAY + 1,         &[],  "Confirm: it is late: the deadline was 2026-12-04 23:59 KST, which takes 20 % of the points"),
        (&two,  DUE + DAY,             &[0], "Confirm: it is late: the deadline was 2026-12-04 23:59 KST, which takes 10 % of the points; it is the last of 2 attempts at 'two-sum'"),
        (&free, DUE + 1,               &[],  "Confirm: it is late: the deadline was 2026-12-04 23:59 KST"),
        (&two,  DUE + MINUTE,          &[],  "attempt 1"),
    ];
    for (assignment, now, past, expected) in table {
        assert_eq!(ask(assignment, None, *now, past, false), *expected);
        assert!(ask(assignment, None, *now, past, true).starts_with("attempt"), "agreed to, it is taken");
    }
}

#[test]
fn only_problems_and_languages_of_the_assignment_are_taken() {
    let assignment = Assignment { languages: vec!["cpp".parse().expect("a language")], ..open() };
    assert_eq!(ask(&assignment, None, DUE, &[], true), "Forbidden: 'cs101/hw3' may not be solved in python3");
    let refusal =
        visible(&assignment, &"three-sum".parse().expect("a slug"), Timestamp(DUE)).expect_err("is refused");
    assert_eq!(refusal.message, "'cs101/hw3' has no problem 'three-sum'");
    assert_eq!(refusal.hint.as_deref(), Some("its problems: two-sum"));
}

#[test]
fn samples_may_be_tried_whenever_the_problem_is_seen() {
    let tried = |assignment: &Assignment, now| {
        admit_trial(assignment, &problem(), &language(), Timestamp(now)).map_err(|refusal| refusal.code)
    };
    assert_eq!(tried(&open(), DUE + 99 * DAY), Ok(()));
    assert_eq!(tried(&Assignment { state: AssignmentState::Closed, ..open() }, DUE), Ok(()));
    let draft = Assignment { state: AssignmentState::Draft, ..open() };
    assert_eq!(tried(&draft, DUE), Err(RefusalCode::NotFound));
    let later = Assignment { opens: Some(Timestamp(DUE)), ..open() };
    assert_eq!(tried(&later, DUE - 1), Err(RefusalCode::Forbidden));
}

#[test]
fn which_submission_counts_is_the_table() {
    use Verdict::{Accepted, WrongAnswer};
    let tries = |list: &[(Verdict, i64)]| -> Vec<Tried> {
        (1..)
            .zip(list)
            .map(|(id, (verdict, at))| Tried { id: SubmissionId(id), at: Timestamp(*at), verdict: *verdict })
            .collect()
    };
    let most: Points = "20".parse().expect("points");
    let late = DUE + DAY;
    #[rustfmt::skip]
    #[allow(clippy::type_complexity, reason = "a table is read by its rows")]
    let table: &[(&[(Verdict, i64)], Option<u64>, [Option<u64>; 3])] = &[
        // submissions,                                              chosen,  best,    last,    chosen counts
        (&[],                                                        None,    [None,    None,    None]),
        (&[(WrongAnswer, 1), (WrongAnswer, 2)],                      None,    [Some(1), Some(2), Some(2)]),
        (&[(WrongAnswer, 1), (Accepted, 2), (WrongAnswer, 3)],       Some(1), [Some(2), Some(3), Some(1)]),
        (&[(Accepted, 1), (Accepted, late)],                         None,    [Some(1), Some(2), Some(2)]),
        (&[(WrongAnswer, 1), (Accepted, late)],                      Some(9), [Some(2), Some(2), Some(2)]),
    ];
    for (list, chosen, expected) in table {
        let tries = tries(list);
        let found = [Counting::Best, Counting::Last, Counting::Chosen].map(|rule| {
            let assignment = Assignment { counting: rule, ..open() };
            counting(&assignment, None, most, &tries, chosen.map(SubmissionId)).map(|tried| tried.id.0)
        });
        assert_eq!(found, *expected, "{list:?}");
    }
}

#[test]
fn lateness_takes_its_percent_for_each_day_begun() {
    let policy = open().late;
    let twelve: Points = "12.5".parse().expect("points");
    #[rustfmt::skip]
    let table = [(false, 0, "12.5"), (true, 1, "11.25"), (true, 3, "8.75"), (true, 10, "0"), (true, 4_000_000_000, "0")];
    for (late, days, left) in table {
        assert_eq!(worth(&policy, twelve, Lateness { late, days }).to_string(), left, "{days} days");
    }
}
