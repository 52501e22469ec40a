//! What feedback writes down: what was shown, what may be given again, what was spent. Every function works inside a
//! transaction of the caller.
//!
//! ```text
//! feedback_steps     what a student was shown of each step; the only table of these that a student's request reads
//! feedback_answers   finished steps by the hash of all that went into them, with their corrected programs
//! feedback_spending  tokens and money by day: reserved before a call, settled after it
//! feedback_checks    how many corrected programs were judged for a user and a problem in a day
//! ```

use codementor_protocol::{
    Allowance, FeedbackEnd, FeedbackOutcome, FeedbackStep, Fix, Slug, SubmissionId, Timestamp, UserName,
};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::Spending;
use crate::store::StoreResult;
use crate::store::columns::{from_json, from_token, json};

/// The row of the whole server among those of users: no user has an empty name.
const SERVER: &str = "";
/// How many days answers, spending and checks are kept.
const KEEP_DAYS: i64 = 90;

/// A day, counted from 1970 in UTC: budgets begin anew at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn of(at: Timestamp) -> Self {
        Self(at.0.div_euclid(24 * 3600 * 1000))
    }
}

impl Spending {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            cost_micro: self.cost_micro.saturating_add(other.cost_micro),
        }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_sub(other.tokens),
            cost_micro: self.cost_micro.saturating_sub(other.cost_micro),
        }
    }

    fn fits(self, limit: &Allowance) -> bool {
        limit.tokens.is_none_or(|most| self.tokens <= most)
            && limit.cost_micro.is_none_or(|most| self.cost_micro <= most)
    }

    fn left_of(self, limit: &Allowance) -> Allowance {
        Allowance {
            tokens: limit.tokens.map(|most| most.saturating_sub(self.tokens)),
            cost_micro: limit.cost_micro.map(|most| most.saturating_sub(self.cost_micro)),
        }
    }
}

/// The most that may be spent in a day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Budget {
    /// By each user.
    pub(crate) user: Allowance,
    /// By all together.
    pub(crate) server: Allowance,
}

/// Sets aside what a call can take at most. Returns whether there is room for it; without room nothing is set aside.
pub(crate) fn reserve(
    db: &Connection,
    budget: &Budget,
    user: &UserName,
    day: Day,
    most: Spending,
) -> StoreResult<bool> {
    let own = spent(db, user.as_str(), day)?.plus(most);
    let all = spent(db, SERVER, day)?.plus(most);
    if !own.fits(&budget.user) || !all.fits(&budget.server) {
        return Ok(false);
    }
    set_spent(db, user.as_str(), day, own)?;
    set_spent(db, SERVER, day, all)?;
    Ok(true)
}

/// Puts what a call took in the place of what was set aside for it.
pub(crate) fn settle(
    db: &Connection,
    user: &UserName,
    day: Day,
    reserved: Spending,
    used: Spending,
) -> StoreResult<()> {
    for name in [user.as_str(), SERVER] {
        let without = spent(db, name, day)?.minus(reserved);
        set_spent(db, name, day, without.plus(used))?;
    }
    Ok(())
}

/// What a user may still spend: the less of what is left to the user and to the server.
pub(crate) fn left(db: &Connection, budget: &Budget, user: &UserName, day: Day) -> StoreResult<Allowance> {
    let own = spent(db, user.as_str(), day)?.left_of(&budget.user);
    let all = spent(db, SERVER, day)?.left_of(&budget.server);
    let less = |one: Option<u64>, other: Option<u64>| one.into_iter().chain(other).min();
    Ok(Allowance { tokens: less(own.tokens, all.tokens), cost_micro: less(own.cost_micro, all.cost_micro) })
}

/// What the whole server has spent, and may still spend.
pub(crate) fn server(db: &Connection, budget: &Budget, day: Day) -> StoreResult<(Spending, Allowance)> {
    let all = spent(db, SERVER, day)?;
    Ok((all, all.left_of(&budget.server)))
}

fn spent(db: &Connection, user: &str, day: Day) -> StoreResult<Spending> {
    let row = db
        .prepare_cached("SELECT tokens, cost_micro FROM feedback_spending WHERE day = ?1 AND user = ?2")?
        .query_row(params![day.0, user], |row| Ok(Spending { tokens: row.get(0)?, cost_micro: row.get(1)? }))
        .optional()?;
    Ok(row.unwrap_or_default())
}

fn set_spent(db: &Connection, user: &str, day: Day, spend: Spending) -> StoreResult<()> {
    // SQLite's integers have a sign; no budget comes near the end of them.
    let most = i64::MAX as u64;
    db.prepare_cached(
        "INSERT OR REPLACE INTO feedback_spending (day, user, tokens, cost_micro) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![day.0, user, spend.tokens.min(most), spend.cost_micro.min(most)])?;
    Ok(())
}

/// Takes one of the checks that a user has for a problem in a day. Returns whether there was one.
pub(crate) fn take_check(
    db: &Connection,
    user: &UserName,
    problem: &Slug,
    day: Day,
    most: u32,
) -> StoreResult<bool> {
    let taken = db
        .prepare_cached(
            "INSERT INTO feedback_checks (day, user, problem, checks) SELECT ?1, ?2, ?3, 1 WHERE ?4 > 0
             ON CONFLICT (day, user, problem) DO UPDATE SET checks = checks + 1 WHERE checks < ?4",
        )?
        .execute(params![day.0, user.as_str(), problem.as_str(), most])?;
    Ok(taken > 0)
}

/// Gives a check back that told nothing, since it ended in a fault of ours.
pub(crate) fn give_back_check(db: &Connection, user: &UserName, problem: &Slug, day: Day) -> StoreResult<()> {
    db.prepare_cached(
        "UPDATE feedback_checks SET checks = checks - 1 WHERE day = ?1 AND user = ?2 AND problem = ?3",
    )?
    .execute(params![day.0, user.as_str(), problem.as_str()])?;
    Ok(())
}

/// A finished step, to be given again for the same program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Told {
    /// What was shown, piece by piece.
    pub(crate) said: Vec<String>,
    /// The corrected program that was accepted, whether or not the policy shows it.
    pub(crate) fix: Option<Fix>,
    /// Whether it was told of a program that is right.
    pub(crate) about_accepted: bool,
    /// How it ended.
    pub(crate) outcome: FeedbackOutcome,
    /// The same in words.
    pub(crate) message: String,
}

/// The hash of all that an answer follows from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    /// Two lists of parts have the same key only if they are the same.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        Self(hash.finalize().into())
    }
}

/// What was told for this key before.
pub(crate) fn find_answer(db: &Connection, key: &Key) -> StoreResult<Option<Told>> {
    let answer: Option<String> = db
        .prepare_cached("SELECT answer FROM feedback_answers WHERE key = ?1")?
        .query_row([&key.0[..]], |row| row.get(0))
        .optional()?;
    answer.map(|answer| from_json("answer", &answer)).transpose()
}

/// Keeps what was told.
pub(crate) fn keep_answer(db: &Connection, key: &Key, told: &Told, at: Timestamp) -> StoreResult<()> {
    db.prepare_cached("INSERT OR REPLACE INTO feedback_answers (key, answer, at) VALUES (?1, ?2, ?3)")?
        .execute(params![&key.0[..], json(told)?, at.0])?;
    Ok(())
}

/// Begins a step, anew if it was there before.
pub(crate) fn begin_step(db: &Connection, id: SubmissionId, step: u32, at: Timestamp) -> StoreResult<()> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO feedback_steps (submission, step, said, at) VALUES (?1, ?2, '', ?3)",
    )?
    .execute(params![id.0, step, at.0])?;
    Ok(())
}

/// Adds to what a step says.
pub(crate) fn add_to_step(db: &Connection, id: SubmissionId, step: u32, piece: &str) -> StoreResult<()> {
    db.prepare_cached(
        "UPDATE feedback_steps SET said = said || iif(said = '', '', char(10, 10)) || ?3
         WHERE submission = ?1 AND step = ?2",
    )?
    .execute(params![id.0, step, piece])?;
    Ok(())
}

/// Shows a corrected program with a step; only where the policy allows it.
pub(crate) fn add_fix(db: &Connection, id: SubmissionId, step: u32, fix: &Fix) -> StoreResult<()> {
    db.prepare_cached("UPDATE feedback_steps SET fix = ?3 WHERE submission = ?1 AND step = ?2")?
        .execute(params![id.0, step, json(fix)?])?;
    Ok(())
}

/// Ends a step.
pub(crate) fn end_step(db: &Connection, id: SubmissionId, end: &FeedbackEnd) -> StoreResult<()> {
    db.prepare_cached(
        "UPDATE feedback_steps SET outcome = ?3, message = ?4 WHERE submission = ?1 AND step = ?2",
    )?
    .execute(params![id.0, end.step, end.outcome.token(), end.message])?;
    Ok(())
}

/// Ends every step that a former life of the daemon was giving. Returns how many there were.
pub(crate) fn abandon_steps(db: &Connection, message: &str) -> StoreResult<u64> {
    let steps = db.execute(
        "UPDATE feedback_steps SET outcome = ?1, message = ?2 WHERE outcome IS NULL",
        params![FeedbackOutcome::Interrupted.token(), message],
    )?;
    Ok(steps as u64)
}

/// All steps of a submission as they were shown.
pub(crate) fn steps(db: &Connection, id: SubmissionId) -> StoreResult<Vec<FeedbackStep>> {
    let mut statement = db.prepare_cached(
        "SELECT step, said, outcome, message FROM feedback_steps WHERE submission = ?1 ORDER BY step",
    )?;
    let mut rows = statement.query([id.0])?;
    let mut steps = Vec::new();
    while let Some(row) = rows.next()? {
        let step = row.get(0)?;
        let outcome: Option<String> = row.get(2)?;
        let end = outcome.map(|outcome| {
            let message = row.get::<_, Option<String>>(3)?.unwrap_or_default();
            Ok::<_, crate::store::StoreError>(FeedbackEnd {
                step,
                outcome: from_token("outcome", &outcome)?,
                message,
            })
        });
        steps.push(FeedbackStep { step, text: row.get(1)?, end: end.transpose()? });
    }
    Ok(steps)
}

/// The smallest of the corrected programs that were shown.
pub(crate) fn shown_fix(db: &Connection, id: SubmissionId) -> StoreResult<Option<Fix>> {
    let mut statement = db.prepare_cached(
        "SELECT fix FROM feedback_steps WHERE submission = ?1 AND fix IS NOT NULL ORDER BY step",
    )?;
    let fixes = statement.query_map([id.0], |row| row.get::<_, String>(0))?;
    let fixes = fixes.map(|fix| from_json::<Fix>("fix", &fix?)).collect::<StoreResult<Vec<_>>>()?;
    Ok(fixes.into_iter().min_by_key(|fix| fix.edits))
}

/// Forgets what is of no more use.
pub(crate) fn tidy(db: &Connection, at: Timestamp) -> StoreResult<()> {
    let day = Day::of(at).0 - KEEP_DAYS;
    db.execute("DELETE FROM feedback_spending WHERE day < ?1", [day])?;
    db.execute("DELETE FROM feedback_checks WHERE day < ?1", [day])?;
    db.execute("DELETE FROM feedback_answers WHERE at < ?1", [day * 24 * 3600 * 1000])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const ID: SubmissionId = SubmissionId(7);
    const TODAY: Day = Day(20_000);
    const TOMORROW: Day = Day(20_001);

    fn with_database(test: impl FnOnce(&Connection)) {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("t.db");
        drop(Store::open(&path).expect("opens"));
        test(&Connection::open(&path).expect("opens"));
    }

    fn user(name: &str) -> UserName {
        UserName::new(name).expect("a user name")
    }

    fn tokens(tokens: u64) -> Spending {
        Spending { tokens, cost_micro: tokens * 2 }
    }

    fn limit(tokens: u64) -> Allowance {
        Allowance { tokens: Some(tokens), cost_micro: None }
    }

    #[test]
    fn what_is_reserved_counts_until_it_is_settled() {
        with_database(|db| {
            let budget = Budget { user: limit(100), server: limit(1000) };
            let kim = user("kim");
            let reserve = |day, most| reserve(db, &budget, &kim, day, tokens(most)).expect("writes");
            assert!(reserve(TODAY, 60));
            assert!(!reserve(TODAY, 60), "the first call may yet take all that was set aside");
            settle(db, &kim, TODAY, tokens(60), tokens(10)).expect("writes");
            assert!(reserve(TODAY, 60));
            assert_eq!(left(db, &budget, &kim, TODAY).expect("reads").tokens, Some(30));
            assert!(reserve(TOMORROW, 100), "each day begins anew");
        });
    }

    #[test]
    fn one_user_cannot_spend_what_is_left_to_others_nor_more_than_the_server_has() {
        with_database(|db| {
            let budget = Budget { user: limit(100), server: limit(150) };
            let take = |name: &str| reserve(db, &budget, &user(name), TODAY, tokens(80)).expect("writes");
            assert_eq!([take("kim"), take("kim"), take("lee")], [true, false, false]);
            assert_eq!(left(db, &budget, &user("lee"), TODAY).expect("reads").tokens, Some(70));
            assert_eq!(server(db, &budget, TODAY).expect("reads").0, tokens(80));
        });
    }

    #[test]
    fn money_is_limited_like_tokens_and_no_limit_is_no_limit() {
        with_database(|db| {
            let money = Allowance { tokens: None, cost_micro: Some(5) };
            let budget = Budget { user: money, server: Allowance::default() };
            let kim = user("kim");
            assert!(!reserve(db, &budget, &kim, TODAY, tokens(3)).expect("reads"));
            assert!(reserve(db, &budget, &kim, TODAY, tokens(2)).expect("writes"));
            let left = left(db, &budget, &kim, TODAY).expect("reads");
            assert_eq!(left, Allowance { tokens: None, cost_micro: Some(1) });
        });
    }

    #[test]
    fn checks_are_rationed_by_user_problem_and_day() {
        with_database(|db| {
            let take = |name: &str, problem: &str, day| {
                let problem = problem.parse().expect("a slug");
                take_check(db, &user(name), &problem, day, 2).expect("writes")
            };
            let taken: Vec<bool> = (0..3).map(|_| take("kim", "sum", TODAY)).collect();
            assert_eq!(taken, [true, true, false]);
            assert!(take("lee", "sum", TODAY) && take("kim", "hello", TODAY) && take("kim", "sum", TOMORROW));
            let sum = "sum".parse().expect("a slug");
            give_back_check(db, &user("kim"), &sum, TODAY).expect("writes");
            assert!(take("kim", "sum", TODAY));
            assert!(!take_check(db, &user("park"), &sum, TODAY, 0).expect("reads"), "none at all");
        });
    }

    #[test]
    fn an_answer_is_found_by_all_that_it_follows_from() {
        with_database(|db| {
            let told = Told {
                said: vec!["Look.".into()],
                fix: None,
                about_accepted: false,
                outcome: FeedbackOutcome::Complete,
                message: String::new(),
            };
            let key = Key::of(["model", "code"]);
            assert_eq!(find_answer(db, &key).expect("reads"), None);
            keep_answer(db, &key, &told, Timestamp(1)).expect("writes");
            assert_eq!(find_answer(db, &key).expect("reads"), Some(told));
            assert_eq!(find_answer(db, &Key::of(["modelc", "ode"])).expect("reads"), None);
        });
    }

    #[test]
    fn a_step_is_read_as_it_was_shown() {
        with_database(|db| {
            begin_step(db, ID, 1, Timestamp(1)).expect("writes");
            add_to_step(db, ID, 1, "One.").expect("writes");
            add_to_step(db, ID, 1, "Two.").expect("writes");
            let running = steps(db, ID).expect("reads");
            assert_eq!((running[0].text.as_str(), &running[0].end), ("One.\n\nTwo.", &None));
            assert_eq!(abandon_steps(db, "restarted").expect("writes"), 1);
            let end = steps(db, ID).expect("reads").remove(0).end.expect("has ended");
            assert_eq!(end.outcome, FeedbackOutcome::Interrupted);
            begin_step(db, ID, 1, Timestamp(2)).expect("writes");
            assert_eq!(steps(db, ID).expect("reads")[0].text, "", "a step that is tried again begins anew");
        });
    }

    #[test]
    fn the_smallest_shown_fix_is_the_fix() {
        with_database(|db| {
            for (step, edits) in [(1, 9), (2, 3), (3, 5)] {
                begin_step(db, ID, step, Timestamp(1)).expect("writes");
                let fix = Fix { files: vec![], edits, changed_percent: 1, rewrite: false };
                add_fix(db, ID, step, &fix).expect("writes");
            }
            assert_eq!(shown_fix(db, ID).expect("reads").expect("is there").edits, 3);
        });
    }
}
