//! What a page of one's own submissions costs.

use rusqlite::StatementStatus;

use super::*;
use crate::submissions::query::history_sql;

/// What can be asked for: by a credential, of a problem, to an assignment; with what the database has to look it up by.
const ASKED: [(bool, bool, bool, &str); 6] = [
    (false, false, false, "submissions_by_user (user=? AND purpose=? AND id<?)"),
    (false, true, false, "submissions_by_problem (user=? AND problem=? AND purpose=? AND id<?)"),
    (
        false,
        false,
        true,
        "submissions_by_assignment_of_user (user=? AND course=? AND assignment=? AND purpose=? AND id<?)",
    ),
    (
        false,
        true,
        true,
        "submissions_by_assignment (course=? AND assignment=? AND user=? AND problem=? AND id<?)",
    ),
    (true, false, false, "submissions_by_credential (via=? AND user=? AND purpose=? AND id<?)"),
    (true, true, true, "submissions_by_credential (via=? AND user=? AND purpose=? AND id<?)"),
];

/// Brings the user to so many submissions: in turns to the problem `hello` of `algo/hw`, and to others of others.
fn fill(db: &Connection, from: u32, to: u32) {
    for number in from..to {
        let wanted = number % 2 == 0;
        let (problem, assignment) = if wanted { ("hello", "hw") } else { ("sum", "other") };
        db.execute(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at,
                                      state, course, assignment, via)
             VALUES ('kim', ?1, 'submission', ?2, ?3, 'c', '[]', 0, '{}', 1, ?1, 'judged-ended', 'algo', ?4, ?5)",
            rusqlite::params![number, problem, "a".repeat(64), assignment, wanted.then_some("kim--1")],
        )
        .expect("is written");
    }
}

#[test]
fn a_page_of_history_is_found_by_an_index_and_costs_the_same_however_many_there_are() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("t.db");
    drop(Store::open(&path).expect("opens"));
    let mut db = Connection::open(&path).expect("opens");
    let mut steps = Vec::new();
    for (from, to) in [(0, 100), (100, 10_000)] {
        let transaction = db.transaction().expect("begins");
        fill(&transaction, from, to);
        transaction.commit().expect("is written");
        steps.push(ASKED.map(|(via, problem, assignment, index)| {
            let sql = history_sql(via, problem, assignment);
            let plan = plan(&db, &sql);
            assert_eq!(plan, [format!("SEARCH submissions USING INDEX {index}")], "{sql}");
            let mut statement = db.prepare(&sql).expect("is understood");
            let (via, problem) = (via.then_some("kim--1"), problem.then_some("hello"));
            let (course, name) = assignment.then_some(("algo", "hw")).unzip();
            let found = statement
                .query_map(rusqlite::params!["kim", i64::MAX, 20, via, problem, course, name], |_| Ok(()))
                .expect("is asked")
                .count();
            assert_eq!(found, 20, "{sql}");
            statement.get_status(StatementStatus::VmStep)
        }));
    }
    assert_eq!(steps[0], steps[1]);
}

/// How the database means to answer a query, line by line.
fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("is understood");
    let none: [Option<i64>; 7] = [None; 7];
    let lines = statement.query_map(rusqlite::params_from_iter(none), |row| row.get(3)).expect("is asked");
    lines.collect::<Result<_, _>>().expect("are texts")
}
