//! What `codementor stats` costs after a hundred submissions, and after ten thousand.

use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::rows::Bench;
use crate::{median, ms};

/// How often each side is run.
const ROUNDS: usize = 21;
/// How many students submit.
const STUDENTS: u64 = 50;
/// How many cases each submission has.
const CASES: u64 = 20;

/// A row of the table.
pub(crate) fn stats(bench: &Bench) {
    let home = bench.home();
    home.run(&["course", "create", "stats"]).expect_code(0);
    for (name, count) in [("few", 100), ("many", 10_000)] {
        let id = format!("stats/{name}");
        home.run(&["assignment", "create", &id, "--problem", "sums20", "--open"]).expect_code(0);
        fill(&home.data(), name, count);
    }
    let time = |name: &str| -> Duration {
        let begin = Instant::now();
        home.run(&["stats", &format!("stats/{name}")]).expect_code(0);
        begin.elapsed()
    };
    let (few, many): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (time("few"), time("many"))).unzip();
    let (few, many) = (median(few), median(many));
    println!(
        "| `stats` with 10,000 submissions | with 100 | 2.0 | {:.2} ({:.1} / {:.1} ms) |",
        many.as_secs_f64() / few.as_secs_f64(),
        ms(many),
        ms(few)
    );
}

/// Writes submissions as judging leaves them, over four weeks, each by the way that judging takes: first its cases, then
/// its verdict.
fn fill(data: &std::path::Path, assignment: &str, count: u64) {
    let path = std::fs::read_dir(data)
        .expect("lists")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|end| end == "db"))
        .expect("the database is there");
    let mut db = Connection::open(path).expect("opens");
    db.busy_timeout(Duration::from_secs(30)).expect("is set");
    let db = db.transaction().expect("begins");
    for n in 0..count {
        let fails = (n * 7) % (CASES + 5) + 1;
        let at = 1_795_000_000_000 + (n * 2_419_200_000 / count).cast_signed();
        db.execute(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at, state,
                                      course, assignment)
             VALUES (?1, ?2, 'submission', 'sums20', ?3, 'python3', ?4, 0, '{}', 1, ?5, 'running', 'stats', ?6)",
            params![
                format!("student{}", n % STUDENTS),
                format!("stats-{assignment}-{n:06}"),
                "0".repeat(64),
                format!("[{{\"name\":\"a.py\",\"text\":\"{}\"}}]", "x".repeat(800)),
                at,
                assignment,
            ],
        )
        .expect("inserts");
        let id = db.last_insert_rowid();
        for case in 1..=CASES.min(fails) {
            let verdict = if case == fails { "WRONG_ANSWER" } else { "ACCEPTED" };
            db.execute(
                "INSERT INTO cases (submission, idx, grp, sample, verdict, time_ms, memory_kib)
                 VALUES (?1, ?2, 'secret', 0, ?3, 10, 9000)",
                params![id, case, verdict],
            )
            .expect("inserts");
        }
        let verdict = if fails > CASES { "ACCEPTED" } else { "WRONG_ANSWER" };
        db.execute(
            "UPDATE submissions SET verdict = ?2, time_ms = ?3, state = 'judged-ended', score = '0' WHERE id = ?1",
            params![id, verdict, 10 + n % 700],
        )
        .expect("updates");
    }
    db.commit().expect("commits");
}
