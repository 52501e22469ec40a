//! The grades of a class are read by a few rows a student that the database keeps; what counts is what the rules say of
//! all that the student has submitted.

use rusqlite::params;

use super::*;

/// Students with tries of all kinds, some late, some alike: what a fixed sequence of numbers makes of them.
fn fill(db: &Connection) -> Vec<String> {
    let verdicts = ["ACCEPTED", "WRONG_ANSWER", "COMPILE_ERROR", "TIME_LIMIT", "WRONG_ANSWER"];
    let (mut state, mut at) = (1_u64, DUE - 40 * 86_400_000);
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let students: Vec<String> = (0..40).map(|number| format!("student-{number}")).collect();
    for number in 0..400 {
        at += i64::try_from(next(3) * 86_400_000 / 10).expect("fits");
        let (who, verdict) = (&students[next(40) as usize], verdicts[next(5) as usize]);
        db.execute(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at,
                                      state, course, assignment, staff)
             VALUES (?1, ?2, 'submission', 'sum', 'x', 'c', '[]', 0, '{}', 1, ?3, 'judged-ended', 'cs101', 'hw3', ?4)",
            params![who, number, at, next(9) == 0],
        )
        .expect("is written");
        db.execute("UPDATE submissions SET verdict = ?1 WHERE id = last_insert_rowid()", [verdict])
            .expect("is written");
        if next(4) == 0 {
            db.execute(
                "INSERT OR REPLACE INTO chosen (course, assignment, user, problem, submission)
                 VALUES ('cs101', 'hw3', ?1, 'sum', ?2)",
                params![who, db.last_insert_rowid()],
            )
            .expect("is written");
        }
    }
    students
}

#[test]
fn what_counts_of_a_class_is_what_counts_of_all_tries_of_each() {
    for counting in [Counting::Best, Counting::Last, Counting::Chosen] {
        let late = LatePolicy { grace_s: 0, percent_per_day: 30, cutoff_s: None };
        let assignment =
            Assignment { counting, late, due: Some(Timestamp(DUE - 20 * 86_400_000)), ..sound() };
        with(&assignment, |db| {
            let students = fill(db);
            let members: Vec<_> = students.iter().map(|one| member(Some(one.as_str()), None)).collect();
            let mut counted = 0;
            for (who, grade) in students.iter().zip(graded(db, &members)) {
                let tries = due::tries(db, &user(who), &assignment, &slug()).expect("reads");
                let chosen = grades::chosen(db, &id(), &user(who), &slug()).expect("reads");
                let most = assignment.problems[0].points;
                let counts = rules::counting(&assignment, None, most, &tries, chosen);
                let told = &grade.problems[0];
                assert_eq!(told.attempts as usize, tries.len(), "{who}");
                if let Some(counts) = counts {
                    assert_eq!(
                        (told.submission, told.verdict),
                        (Some(counts.id), Some(counts.verdict)),
                        "{who}"
                    );
                    counted += usize::from(told.late) + 1;
                }
                assert_eq!(graded(db, &[member(Some(who.as_str()), None)])[0], grade, "{who}");
            }
            assert!(counted > students.len(), "some are late: {counted}");
        });
    }
}
