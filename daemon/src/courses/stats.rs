//! What happened in an assignment, read from counts that triggers keep in step (`0009_staff.sql`): it costs the same
//! however many submissions there are.

use codementor_protocol::{
    Assignment, AssignmentId, CaseStats, FailureCluster, MAX_NAMED, MAX_STATS, ProblemStats, Slug, Stats,
    SubmissionId, Timestamp, Verdict,
};
use rusqlite::{Connection, params};

use crate::store::StoreResult;
use crate::store::columns::{from_token, parse};

/// The begin of each span, and the verdicts in it.
type Timeline = Vec<(Timestamp, Vec<(Verdict, u64)>)>;

/// How long a span of the timeline can be, in hours.
const SPANS: [u64; 8] = [1, 3, 6, 12, 24, 48, 168, 672];
/// An hour, in milliseconds.
const HOUR: i64 = 3_600_000;

/// Reads it. How many students the course has is for the caller to say.
pub(crate) fn stats(db: &Connection, assignment: &Assignment, students: u32) -> StoreResult<Stats> {
    let id = &assignment.id;
    let mut problems = Vec::new();
    for one in &assignment.problems {
        let place = Place { id, problem: &one.problem };
        let (tried, solved) = place.students(db)?;
        let (span_hours, timeline) = place.timeline(db)?;
        problems.push(ProblemStats {
            problem: one.problem.clone(),
            points: one.points,
            tried,
            solved,
            verdicts: place.verdicts(db)?,
            span_hours,
            timeline,
            cases: place.cases(db)?,
            clusters: place.clusters(db)?,
            times_ms: place.times(db)?,
            attempts: place.attempts(db)?,
        });
    }
    Ok(Stats {
        assignment: id.clone(),
        title: assignment.title.clone(),
        due: assignment.due,
        time_zone: assignment.time_zone.clone(),
        students,
        submissions: problems.iter().flat_map(|one| &one.verdicts).map(|(_, n)| n).sum(),
        problems,
    })
}

/// The counts of one problem of an assignment.
struct Place<'a> {
    id: &'a AssignmentId,
    problem: &'a Slug,
}

impl Place<'_> {
    fn key(&self) -> [&str; 3] {
        [self.id.course.as_str(), self.id.assignment.as_str(), self.problem.as_str()]
    }

    fn students(&self, db: &Connection) -> StoreResult<(u32, u32)> {
        Ok(db
            .prepare_cached(
                "SELECT count(*), count(solved) FROM stats_students
                 WHERE course = ?1 AND assignment = ?2 AND problem = ?3",
            )?
            .query_row(self.key(), |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    fn verdicts(&self, db: &Connection) -> StoreResult<Vec<(Verdict, u64)>> {
        let mut statement = db.prepare_cached(
            "SELECT verdict, sum(n) FROM stats_hours WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND n > 0
             GROUP BY verdict ORDER BY 2 DESC, 1",
        )?;
        let mut rows = statement.query(self.key())?;
        let mut verdicts = Vec::new();
        while let Some(row) = rows.next()? {
            verdicts.push((from_token("verdict", &row.get::<_, String>(0)?)?, row.get(1)?));
        }
        Ok(verdicts)
    }

    /// Spans that are so long that there are not too many of them.
    fn timeline(&self, db: &Connection) -> StoreResult<(u64, Timeline)> {
        let [course, assignment, problem] = self.key();
        let (first, last): (Option<i64>, Option<i64>) = db
            .prepare_cached(
                "SELECT min(hour), max(hour) FROM stats_hours
                 WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND n > 0",
            )?
            .query_row(self.key(), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (Some(first), Some(last)) = (first, last) else { return Ok((SPANS[0], Vec::new())) };
        let hours = last.abs_diff(first) + 1;
        let fits = |span: &u64| hours.div_ceil(*span) < MAX_STATS as u64;
        let span = SPANS.into_iter().find(fits).unwrap_or_else(|| hours.div_ceil(MAX_STATS as u64 - 1));
        let mut statement = db.prepare_cached(
            "SELECT hour / ?4, verdict, sum(n) FROM stats_hours
             WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND n > 0 GROUP BY 1, 2 ORDER BY 1, 2",
        )?;
        let mut rows = statement.query(params![course, assignment, problem, span])?;
        let mut timeline: Timeline = Vec::new();
        while let Some(row) = rows.next()? {
            let at = Timestamp(row.get::<_, i64>(0)? * span.cast_signed() * HOUR);
            let counted = (from_token("verdict", &row.get::<_, String>(1)?)?, row.get(2)?);
            match timeline.last_mut() {
                Some((begin, verdicts)) if *begin == at => verdicts.push(counted),
                _ => timeline.push((at, vec![counted])),
            }
        }
        Ok((span, timeline))
    }

    fn cases(&self, db: &Connection) -> StoreResult<Vec<CaseStats>> {
        let mut statement = db.prepare_cached(
            "SELECT idx, grp, sample, verdict, n FROM stats_cases
             WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND n > 0 ORDER BY idx, grp, sample, n DESC, verdict",
        )?;
        let mut rows = statement.query(self.key())?;
        let mut cases: Vec<CaseStats> = Vec::new();
        while let Some(row) = rows.next()? {
            let (index, group, sample): (u32, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (verdict, n): (Verdict, u64) =
                (from_token("verdict", &row.get::<_, String>(3)?)?, row.get(4)?);
            if verdict == Verdict::Skipped {
                continue;
            }
            if cases.last().is_none_or(|last| (last.index, &last.group) != (index, &group)) {
                cases.push(CaseStats { index, group, sample, run: 0, failed: Vec::new() });
            }
            if let Some(case) = cases.last_mut() {
                case.run += n;
                if verdict != Verdict::Accepted {
                    case.failed.push((verdict, n));
                }
            }
        }
        cases.retain(|case| !case.failed.is_empty());
        let failed = |case: &CaseStats| case.failed.iter().map(|(_, n)| n).sum::<u64>();
        cases.sort_by_key(|case| (std::cmp::Reverse(failed(case)), case.index));
        cases.truncate(MAX_STATS);
        Ok(cases)
    }

    fn clusters(&self, db: &Connection) -> StoreResult<Vec<FailureCluster>> {
        let mut statement = db.prepare_cached(
            "SELECT verdict, idx, user, newest FROM stats_students
             WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND solved IS NULL ORDER BY verdict, idx, user",
        )?;
        let mut rows = statement.query(self.key())?;
        let mut clusters: Vec<FailureCluster> = Vec::new();
        while let Some(row) = rows.next()? {
            let verdict: Verdict = from_token("verdict", &row.get::<_, String>(0)?)?;
            let index: Option<u32> = row.get(1)?;
            let newest = SubmissionId(row.get(3)?);
            if clusters.last().is_none_or(|last| (last.verdict, last.index) != (verdict, index)) {
                let cluster = FailureCluster { index, verdict, count: 0, users: Vec::new(), example: newest };
                clusters.push(cluster);
            }
            if let Some(cluster) = clusters.last_mut() {
                cluster.count += 1;
                cluster.example = cluster.example.max(newest);
                if cluster.users.len() < MAX_NAMED {
                    cluster.users.push(parse("user", row.get(2)?)?);
                }
            }
        }
        clusters.sort_by_key(|cluster| std::cmp::Reverse(cluster.count));
        clusters.truncate(MAX_STATS);
        Ok(clusters)
    }

    fn times(&self, db: &Connection) -> StoreResult<Vec<(u64, u64)>> {
        let mut statement = db.prepare_cached(
            "SELECT ms, n FROM stats_times WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND n > 0 ORDER BY ms",
        )?;
        let rows = statement.query_map(self.key(), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn attempts(&self, db: &Connection) -> StoreResult<Vec<(u32, u64)>> {
        let mut statement = db.prepare_cached(
            "SELECT solved, count(*) FROM stats_students
             WHERE course = ?1 AND assignment = ?2 AND problem = ?3 AND solved IS NOT NULL GROUP BY solved ORDER BY solved",
        )?;
        let rows = statement.query_map(self.key(), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const RECOUNT: &str = "
        SELECT (SELECT coalesce(sum(n), 0) FROM stats_hours), (SELECT count(*) FROM counted),
               (SELECT coalesce(sum(n), 0) FROM stats_times),
               (SELECT count(*) FROM counted WHERE verdict = 'ACCEPTED' AND ms IS NOT NULL),
               (SELECT coalesce(sum(n), 0) FROM stats_cases),
               (SELECT count(*) FROM cases JOIN submissions ON id = submission WHERE assignment IS NOT NULL AND NOT staff),
               (SELECT count(*) FROM stats_students), (SELECT count(*) FROM counted_students)";

    fn database(test: impl FnOnce(&Connection)) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("t.db");
        drop(Store::open(&path).expect("opens"));
        test(&Connection::open(&path).expect("opens"));
    }

    /// A submission of a user at an hour; each letter is a case: `a` accepted, `w` wrong, `t` too slow.
    fn submit(db: &Connection, user: &str, hour: i64, cases: &str, ms: Option<u64>) -> u64 {
        db.execute(
            "INSERT INTO submissions (user, key, purpose, problem, package, language, files, lane, limits, attempt, at,
                                      state, course, assignment)
             VALUES (?1, hex(randomblob(8)), 'submission', 'sum', 'x', 'c', '[]', 0, '{}', 1, ?2, 'running', 'algo', 'hw')",
            params![user, hour * HOUR + 5],
        )
        .expect("inserts");
        let id = db.last_insert_rowid() as u64;
        judge(db, id, cases, ms);
        id
    }

    fn judge(db: &Connection, id: u64, cases: &str, ms: Option<u64>) {
        db.execute("DELETE FROM cases WHERE submission = ?1", [id]).expect("deletes");
        let mut verdict = if cases.is_empty() { "COMPILE_ERROR" } else { "ACCEPTED" };
        for (place, case) in cases.chars().enumerate() {
            let word = match case {
                'a' => "ACCEPTED",
                'w' => "WRONG_ANSWER",
                't' => "TIME_LIMIT",
                other => panic!("no case ends like '{other}'"),
            };
            db.execute(
                "INSERT INTO cases (submission, idx, grp, sample, verdict, time_ms, memory_kib)
                 VALUES (?1, ?2, 'secret', 0, ?3, 1, 1)",
                params![id, place + 1, word],
            )
            .expect("inserts");
            if word != "ACCEPTED" {
                verdict = word;
            }
        }
        db.execute(
            "UPDATE submissions SET verdict = ?2, time_ms = ?3, state = 'judged-ended' WHERE id = ?1",
            params![id, verdict, ms],
        )
        .expect("updates");
    }

    fn assignment() -> Assignment {
        let json = r#"{"id":"algo/hw","title":"One","problems":[{"problem":"sum","points":"20"}],"state":"open",
                       "time_zone":"UTC","stop":"never"}"#;
        serde_json::from_str(json).expect("an assignment")
    }

    fn in_step(db: &Connection) {
        let pairs: [u64; 8] = db
            .query_row(RECOUNT, [], |row| {
                let mut pairs = [0; 8];
                for (place, value) in pairs.iter_mut().enumerate() {
                    *value = row.get(place)?;
                }
                Ok(pairs)
            })
            .expect("counts");
        for pair in pairs.chunks(2) {
            assert_eq!(pair[0], pair[1], "{pairs:?}");
        }
    }

    #[test]
    fn counts_say_what_happened_and_stay_in_step() {
        database(|db| {
            submit(db, "kim", 10, "aw", Some(30));
            submit(db, "kim", 10, "", None);
            let solved = submit(db, "kim", 40, "aa", Some(123));
            submit(db, "lee", 11, "aw", Some(3));
            submit(db, "park", 12, "aw", Some(3));
            submit(db, "choi", 12, "t", Some(2000));
            submit(db, "yoon", 12, "", None);
            in_step(db);
            let read = || stats(db, &assignment(), 9).expect("reads").problems.remove(0);
            let now = read();
            assert_eq!((now.tried, now.solved), (5, 1));
            assert_eq!(now.verdicts[0], (Verdict::WrongAnswer, 3));
            assert_eq!(now.attempts, [(2, 1)], "what does not compile is no attempt");
            assert_eq!(now.times_ms, [(120, 1)]);
            assert_eq!(
                (now.cases[0].index, now.cases[0].run, &now.cases[0].failed[..]),
                (2, 4, &[(Verdict::WrongAnswer, 3)][..])
            );
            let alike: Vec<(Option<u32>, u32, Vec<&str>)> = now
                .clusters
                .iter()
                .map(|one| (one.index, one.count, one.users.iter().map(|user| user.as_str()).collect()))
                .collect();
            assert_eq!(alike[0], (Some(2), 2, vec!["lee", "park"]));
            assert!(alike.contains(&(None, 1, vec!["yoon"])) && alike.contains(&(Some(1), 1, vec!["choi"])));
            assert_eq!(now.span_hours, 1);
            assert_eq!(now.timeline.len(), 4);
            // Judged again, and erased.
            judge(db, solved, "aw", Some(500));
            in_step(db);
            let now = read();
            assert_eq!((now.solved, now.times_ms.len(), now.clusters[0].count), (0, 0, 3));
            db.execute("DELETE FROM submissions WHERE user = 'kim'", []).expect("deletes");
            in_step(db);
            assert_eq!(read().tried, 4);
        });
    }

    #[test]
    fn what_those_who_teach_submit_is_counted_nowhere() {
        database(|db| {
            submit(db, "kim", 10, "aw", Some(30));
            let read = || stats(db, &assignment(), 1).expect("reads");
            let before = read();
            db.execute_batch(
                "CREATE TRIGGER tutors AFTER INSERT ON submissions WHEN NEW.user IN ('tutor', 'kim')
                 BEGIN UPDATE submissions SET staff = 1 WHERE id = NEW.id; END",
            )
            .expect("is made");
            let tried = submit(db, "tutor", 11, "aa", Some(20));
            submit(db, "tutor", 12, "", None);
            // Of who has become a tutor, what was submitted as a student counts on.
            let as_tutor = submit(db, "kim", 13, "aa", Some(20));
            in_step(db);
            assert_eq!(read(), before);
            // Judged again, and erased.
            judge(db, tried, "aw", Some(40));
            judge(db, 1, "aw", Some(30));
            db.execute("DELETE FROM submissions WHERE id IN (?1, ?2)", [tried, as_tutor]).expect("deletes");
            in_step(db);
            assert_eq!(read(), before);
        });
    }

    #[test]
    fn a_long_time_has_long_spans() {
        database(|db| {
            for day in 0..60 {
                submit(db, "kim", day * 24 + 5, "w", Some(1));
            }
            let now = stats(db, &assignment(), 1).expect("reads").problems.remove(0);
            assert!(now.timeline.len() <= MAX_STATS, "{}", now.timeline.len());
            assert_eq!(now.span_hours, 48);
            let all: u64 = now.timeline.iter().flat_map(|(_, verdicts)| verdicts).map(|(_, n)| n).sum();
            assert_eq!(all, 60);
        });
    }
}
