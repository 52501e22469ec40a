//! Numbered changes of the schema. `PRAGMA user_version` is the number of the last one that was made. A change that
//! has been released is never edited; a new one is added.

use rusqlite::Connection;

use super::{StoreError, StoreResult};

/// Each with the number of its file, which only ever grows.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("migrations/0001_first.sql")),
    (3, include_str!("migrations/0003_accounts.sql")),
    (4, include_str!("migrations/0004_courses.sql")),
    (5, include_str!("migrations/0005_roster.sql")),
    (6, include_str!("migrations/0006_rejudge.sql")),
    (7, include_str!("migrations/0007_stats.sql")),
    (8, include_str!("migrations/0008_history.sql")),
    (9, include_str!("migrations/0009_staff.sql")),
    (10, include_str!("migrations/0010_attempts.sql")),
];

/// Makes the changes that this database has not had yet, each in a transaction.
pub(super) fn run(connection: &mut Connection) -> StoreResult<()> {
    let known = MIGRATIONS.last().map_or(0, |(number, _)| *number);
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_those_who_teach_had_submitted_before_is_counted_no_more() {
        let mut db = Connection::open_in_memory().expect("opens");
        for (number, sql) in MIGRATIONS.iter().filter(|(number, _)| *number < 9) {
            db.execute_batch(sql).expect("is changed");
            db.pragma_update(None, "user_version", number).expect("is written");
        }
        db.execute_batch(
            "INSERT INTO users (name, admin, created) VALUES ('chair', 1, 0), ('ada', 0, 0), ('kim', 0, 0);
             INSERT INTO memberships (course, user, role, joined)
                 VALUES ('algo', 'ada', 'assistant', 0), ('algo', 'kim', 'student', 0), ('os', 'kim', 'instructor', 0);",
        )
        .expect("is written");
        for user in ["chair", "ada", "kim"] {
            db.execute(
                "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at,
                                          state, course, assignment)
                 VALUES (?1, 'k', 'submission', 'sum', 'x', 'c', '[]', 0, '{}', 1, 5, 'running', 'algo', 'hw')",
                [user],
            )
            .expect("is written");
            db.execute_batch(
                "INSERT INTO cases (submission, idx, grp, sample, verdict, time_ms, memory_kib)
                     SELECT max(id), 1, 'secret', 0, 'ACCEPTED', 1, 1 FROM submissions;
                 UPDATE submissions SET verdict = 'ACCEPTED', time_ms = 7 WHERE verdict IS NULL",
            )
            .expect("is judged");
        }
        let counts = |db: &Connection| -> [u32; 4] {
            db.query_row(
                "SELECT (SELECT sum(n) FROM stats_hours), (SELECT sum(n) FROM stats_times),
                        (SELECT sum(n) FROM stats_cases), (SELECT count(*) FROM stats_students WHERE solved = 1)",
                [],
                |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
            )
            .expect("counts")
        };
        assert_eq!(counts(&db), [3; 4]);
        run(&mut db).expect("is changed");
        assert_eq!(counts(&db), [1; 4]);
        let user: String =
            db.query_row("SELECT user FROM stats_students", [], |row| row.get(0)).expect("is there");
        assert_eq!(user, "kim");
    }
}
