//! The table in the documentation, cell by cell, against what the gateway decides.

use codementor_protocol::{AssignmentName, VERBS, named_course};

use super::*;

const TABLE: &str = include_str!("../../../../docs/ACCESS.md");

/// The course that all requests of the table name.
const COURSE: &str = "algo";

/// A request of each verb, so that what it names is read as the gateway reads it.
#[rustfmt::skip]
const REQUESTS: &[(&str, &str)] = &[
    ("submit", r#"{"key":"12345678","purpose":"submission","problem":"sum","language":"c","files":[]}"#),
    ("events", r#"{"submission":1,"from":1}"#),
    ("show", "{}"),
    ("history", r#"{"limit":1}"#),
    ("case", r#"{"submission":1}"#),
    ("cancel", r#"{"submission":1}"#),
    ("problems", "{}"),
    ("problem", r#"{"problem":"sum"}"#),
    ("package-put", r#"{"package":"HASH","size":1,"offset":0,"piece":""}"#),
    ("package-install", r#"{"package":"HASH","slug":"sum","by_content":false}"#),
    ("package-compare", r#"{"package":"HASH","slug":"sum"}"#),
    ("package-get", r#"{"problem":"sum","offset":0}"#),
    ("rejudge", r#"{"what":{"problem":"sum"}}"#),
    ("rejudge-show", r#"{"id":1}"#),
    ("rejudge-end", r#"{"id":1,"apply":true}"#),
    ("rejudges", "{}"),
    ("stats", r#"{"assignment":"COURSE/hw1"}"#),
    ("status", "{}"),
    ("hint", r#"{"submission":1}"#),
    ("feedback", r#"{"submission":1}"#),
    ("prompt", r#"{"problem":"sum","language":"c","files":[]}"#),
    ("rehearse", r#"{"problem":"sum","package":"HASH"}"#),
    ("stop", "{}"),
    ("course-put", r#"{"course":"COURSE","title":"Algorithms"}"#),
    ("courses", "{}"),
    ("assignment-put", r#"{"create":true,"assignment":{"id":"COURSE/hw1","title":"One","problems":[],"state":"draft","time_zone":"UTC","stop":"never"}}"#),
    ("assignments", r#"{"course":"COURSE"}"#),
    ("assignment-state", r#"{"assignment":"COURSE/hw1","state":"open"}"#),
    ("assignment-extend", r#"{"assignment":"COURSE/hw1","due":0,"reason":""}"#),
    ("assignment-delete", r#"{"assignment":"COURSE/hw1"}"#),
    ("due", "{}"),
    ("problem-read", r#"{"problem":"sum"}"#),
    ("whoami", "{}"),
    ("join", r#"{"code":"x"}"#),
    ("renew", r#"{"public_key":"U"}"#),
    ("pair", "{}"),
    ("keys", "{}"),
    ("logout", r#"{"public_key":"U"}"#),
    ("code-make", r#"{"course":"COURSE","role":"student","lasts_s":60}"#),
    ("codes", r#"{"course":"COURSE"}"#),
    ("code-drop", r#"{"course":"COURSE","id":1}"#),
    ("credential-make", r#"{"public_key":"U","assignment":"COURSE/hw1","lasts_s":60}"#),
    ("revoke", r#"{"user":"lee"}"#),
    ("roster-import", r#"{"course":"COURSE","rows":[],"dry_run":true}"#),
    ("roster", r#"{"course":"COURSE"}"#),
    ("roster-link", r#"{"course":"COURSE","user":"lee","student_id":"1"}"#),
    ("member-remove", r#"{"course":"COURSE","who":"lee"}"#),
    ("grades", r#"{"assignment":"COURSE/hw1"}"#),
    ("grade", r#"{"assignment":"COURSE/hw1"}"#),
    ("grade-override", r#"{"assignment":"COURSE/hw1","student":"lee","reason":"x"}"#),
    ("grade-choose", r#"{"submission":1}"#),
    ("personal", "{}"),
    ("personal-erase", r#"{"who":"lee"}"#),
    ("audit", r#"{"course":"COURSE","limit":1}"#),
];

fn course(name: &str) -> CourseName {
    CourseName::new(name).expect("a course name")
}

fn caller(courses: &[(&str, CourseRole)], admin: bool) -> Caller {
    Caller {
        user: UserName::new("kim").expect("a user name"),
        admin,
        courses: Arc::new(courses.iter().map(|(name, role)| (course(name), *role)).collect()),
        scope: None,
    }
}

/// A caller for each column of the table, in its order.
fn callers() -> Vec<(&'static str, Caller)> {
    let scoped = Scope {
        credential: UserName::new("kim--1").expect("a user name"),
        assignment: AssignmentId {
            course: course(COURSE),
            assignment: AssignmentName::new("hw1").expect("an assignment name"),
        },
    };
    vec![
        ("nobody", caller(&[], false)),
        ("student", caller(&[(COURSE, CourseRole::Student)], false)),
        ("assistant", caller(&[(COURSE, CourseRole::Assistant)], false)),
        ("instructor", caller(&[(COURSE, CourseRole::Instructor)], false)),
        ("admin", caller(&[], true)),
        ("student elsewhere", caller(&[("other", CourseRole::Student)], false)),
        ("assistant elsewhere", caller(&[("other", CourseRole::Assistant)], false)),
        ("instructor elsewhere", caller(&[("other", CourseRole::Instructor)], false)),
        ("scoped", Caller { scope: Some(scoped), ..caller(&[(COURSE, CourseRole::Instructor)], false) }),
    ]
}

/// The rows of the first table whose head begins with `request`.
fn rows() -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| -> Vec<&'static str> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect()
    };
    TABLE
        .lines()
        .map(str::trim)
        .skip_while(|line| !line.starts_with("| request"))
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .filter(|cells| !cells[0].starts_with("--"))
        .collect()
}

fn word(decision: Result<(), Refusal>, access: Access) -> &'static str {
    match decision {
        Ok(()) if access == Access::Own => "own",
        Ok(()) => "yes",
        Err(refusal) if refusal.code == RefusalCode::NotFound => "unseen",
        Err(_) => "no",
    }
}

#[test]
fn every_request_of_every_role_is_decided_as_the_table_says() {
    let mut rows = rows().into_iter();
    let head = rows.next().expect("the table has a head");
    let callers = callers();
    assert_eq!(head[1..], callers.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let mut seen = Vec::new();
    for row in rows {
        let verb = row[0];
        assert_eq!(row.len(), head.len(), "{verb}");
        let (_, json) = REQUESTS
            .iter()
            .find(|(of, _)| *of == verb)
            .unwrap_or_else(|| panic!("the table has '{verb}', and the test has no such request"));
        let json = json.replace("HASH", &"0".repeat(64)).replace("COURSE", COURSE);
        let named = named_course(verb, json.as_bytes()).expect("the request is read");
        for (expected, (name, caller)) in row[1..].iter().zip(&callers) {
            let access = access(verb).unwrap_or_else(|| panic!("nobody may ask '{verb}'"));
            let decided = word(caller.may_ask(verb, named.as_ref()), access);
            assert_eq!(decided, *expected, "{verb} asked by {name}");
        }
        seen.push(verb);
    }
    let mut missing: Vec<_> = VERBS.iter().filter(|verb| !seen.contains(verb)).collect();
    missing.sort_unstable();
    assert!(missing.is_empty(), "docs/ACCESS.md says nothing of {missing:?}");
    assert_eq!(seen.len(), VERBS.len(), "docs/ACCESS.md says something twice");
}

#[test]
fn what_is_in_no_table_is_refused_to_everybody() {
    for (name, caller) in callers() {
        let refusal = caller.may_ask("anything-else", None).expect_err(name);
        assert_eq!(refusal.code, RefusalCode::Invalid, "{name}");
    }
}
