//! Fills a database with a class and its submissions, as they stand after they were judged.

use codementor_tests::Home;
use rusqlite::{Connection, params};

/// How many students the class has.
pub(crate) const STUDENTS: u64 = 100;

/// Brings an assignment to so many submissions in all: of the students in turn, one in ten of the owner of the data
/// directory, who teaches, each with events, cases and then its verdict, in the order of judging, which keeps the counts of `stats` in
/// step. One in three is accepted.
pub(crate) fn fill(home: &Home, course: &str, assignment: &str, problem: &str, submissions: u64) {
    let mut db = Connection::open(home.data().join("codementor.db")).expect("opens");
    db.busy_timeout(std::time::Duration::from_secs(60)).expect("is set");
    let db = db.transaction().expect("begins");
    for number in 0..STUDENTS {
        let (name, id) = (format!("student-{number}"), format!("2026-{number:05}"));
        db.execute(
            "INSERT OR IGNORE INTO users (name, full_name, student_id, created) VALUES (?1, ?1, ?2, 0)",
            [&name, &id],
        )
        .expect("is written");
        db.execute(
            "INSERT OR IGNORE INTO memberships (course, user, role, joined) VALUES (?1, ?2, 'student', 0)",
            [course, &name],
        )
        .expect("is written");
        db.execute(
            "INSERT OR IGNORE INTO roster (course, student_id, name, email) VALUES (?1, ?2, ?3, ?4)",
            [course, &id, &name, &format!("{name}@example.org")],
        )
        .expect("is written");
    }
    let package: String = db
        .query_row("SELECT package FROM problems WHERE slug = ?1", [problem], |row| row.get(0))
        .expect("is installed");
    let there: u64 = db
        .query_row(
            "SELECT count(*) FROM submissions WHERE course = ?1 AND assignment = ?2",
            [course, assignment],
            |row| row.get(0),
        )
        .expect("is counted");
    // As long as a program is.
    let files =
        serde_json::json!([{ "name": "a.py", "text": "print(sum(map(int, input().split())))\n".repeat(40) }]);
    for number in there..submissions {
        let user = match number % 10 {
            0 => "local".to_owned(),
            _ => format!("student-{}", number % STUDENTS),
        };
        let (verdict, score) = if number % 3 == 0 { ("ACCEPTED", "100") } else { ("WRONG_ANSWER", "0") };
        db.execute(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at,
                                      state, course, assignment, staff)
             VALUES (?1, ?2, 'submission', ?3, ?4, 'python3', ?5, 0, '{}', 1, ?6, 'running', ?7, ?8, ?1 = 'local')",
            params![
                user,
                format!("fill-{assignment}-{number:08}"),
                problem,
                package,
                files.to_string(),
                1_790_000_000_000_i64 + i64::try_from(number).expect("fits") * 60_000,
                course,
                assignment
            ],
        )
        .expect("is written");
        let id = db.last_insert_rowid();
        for seq in 1..=12 {
            db.execute(
                "INSERT INTO events (submission, seq, body) VALUES (?1, ?2, ?3)",
                params![id, seq, "{\"v\":1,\"type\":\"test\"}".repeat(8)],
            )
            .expect("is written");
        }
        for case in 1..=10 {
            let verdict = if verdict == "ACCEPTED" || case <= 5 { "ACCEPTED" } else { verdict };
            db.execute(
                "INSERT INTO cases (submission, idx, grp, sample, verdict, time_ms, memory_kib)
                 VALUES (?1, ?2, 'secret', 0, ?3, 20, 9000)",
                params![id, case, verdict],
            )
            .expect("is written");
        }
        db.execute(
            "UPDATE submissions SET state = 'judged-ended', verdict = ?2, score = ?3, passed = 5, total = 10,
                                    time_ms = ?4, memory_kib = 9000 WHERE id = ?1",
            params![id, verdict, score, 10 + number % 700],
        )
        .expect("is written");
    }
    db.commit().expect("is written");
}
