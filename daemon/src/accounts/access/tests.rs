//! The table in the documentation, cell by cell, against what the gateway decides.

use codementor_protocol::{AssignmentName, VERBS, named_course};

use super::*;

mod table;

use table::Names;

/// The course that all requests of the table name.
const COURSE: &str = "algo";

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
    let (columns, rows) = table::table();
    let callers = callers();
    assert_eq!(columns, callers.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    table::check_complete(VERBS);
    let text = || "x".to_owned();
    let names = Names {
        course: COURSE.into(),
        problem: "sum".into(),
        submission: 1,
        code: text(),
        key: text(),
        fresh: text(),
    };
    for (verb, cells) in rows {
        let json = names.fill(table::request(verb));
        let named = named_course(verb, json.as_bytes()).expect("the request is read");
        for (expected, (name, caller)) in cells.iter().zip(&callers) {
            let access = access(verb).unwrap_or_else(|| panic!("nobody may ask '{verb}'"));
            let decided = word(caller.may_ask(verb, named.as_ref()), access);
            assert_eq!(decided, *expected, "{verb} asked by {name}");
        }
    }
}

#[test]
fn what_is_in_no_table_is_refused_to_everybody() {
    for (name, caller) in callers() {
        let refusal = caller.may_ask("anything-else", None).expect_err(name);
        assert_eq!(refusal.code, RefusalCode::Invalid, "{name}");
    }
}
