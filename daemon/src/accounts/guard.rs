//! Slows down whoever guesses codes.
//!
//! A wrong code costs a token of the code's first characters, where any code begins like that, and one of all together.
//! Without a token of its own, a code that begins like that is refused whether it is right or wrong, so that guessing
//! the rest of a code that somebody has half seen goes at the speed of the bucket. That all tokens are spent closes
//! nothing to those who have a right code: a flood of guesses keeps nobody out, it is only answered and logged less.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong codes with the same beginning are answered at once, and how long each takes to come back.
const OWN: Rate = Rate { burst: 10, each: Duration::from_secs(30) };
/// The same for all wrong codes together.
const ALL: Rate = Rate { burst: 60, each: Duration::from_secs(1) };
/// How many beginnings are remembered. There are only as many as there are codes.
const REMEMBERED: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct Rate {
    burst: u32,
    each: Duration,
}

/// Tokens that come back with time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// When it was full, or would have been, had it no bound.
    full_at: Instant,
}

impl Bucket {
    fn has_token(&self, rate: Rate, now: Instant) -> bool {
        self.full_at.saturating_duration_since(now) + rate.each <= rate.each * rate.burst
    }

    fn take(&mut self, rate: Rate, now: Instant) {
        self.full_at = (self.full_at.max(now) + rate.each).min(now + rate.each * rate.burst);
    }
}

/// Who guesses, and how fast.
#[derive(Debug)]
pub(super) struct Guard(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    all: Bucket,
    own: HashMap<String, Bucket>,
    unsaid: u64,
}

/// What is to be done about a wrong code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Say that it is wrong; so many before it were not logged.
    Say { unlogged: u64 },
    /// Say that there were too many.
    TooMany,
}

impl Guard {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new(Buckets { all: Bucket { full_at: now }, own: HashMap::new(), unsaid: 0 }))
    }

    /// Whether a code that begins like this may be tried now.
    pub(super) fn may_try(&self, prefix: &str, now: Instant) -> bool {
        let buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.own.get(prefix).is_none_or(|bucket| bucket.has_token(OWN, now))
    }

    /// Takes down a wrong code. `prefix` is its beginning, where any code begins like that.
    pub(super) fn wrong(&self, prefix: Option<&str>, now: Instant) -> Wrong {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prefix) = prefix {
            if buckets.own.len() >= REMEMBERED {
                buckets.own.retain(|_, bucket| bucket.full_at > now);
            }
            if buckets.own.len() < REMEMBERED || buckets.own.contains_key(prefix) {
                buckets.own.entry(prefix.to_owned()).or_insert(Bucket { full_at: now }).take(OWN, now);
            }
        }
        if buckets.all.has_token(ALL, now) {
            buckets.all.take(ALL, now);
            Wrong::Say { unlogged: std::mem::take(&mut buckets.unsaid) }
        } else {
            buckets.unsaid += 1;
            Wrong::TooMany
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beginning_that_was_guessed_at_is_closed_until_time_has_passed() {
        let start = Instant::now();
        let guard = Guard::new(start);
        for _ in 0..OWN.burst {
            assert!(guard.may_try("abcd", start));
            guard.wrong(Some("abcd"), start);
        }
        assert!(!guard.may_try("abcd", start));
        assert!(guard.may_try("efgh", start), "another code is not concerned");
        assert!(guard.may_try("abcd", start + OWN.each), "one more after a while");
        guard.wrong(Some("abcd"), start + OWN.each);
        assert!(!guard.may_try("abcd", start + OWN.each));
    }

    #[test]
    fn a_flood_of_guesses_is_not_logged_and_closes_no_code() {
        let start = Instant::now();
        let guard = Guard::new(start);
        for _ in 0..ALL.burst {
            assert_eq!(guard.wrong(None, start), Wrong::Say { unlogged: 0 });
        }
        for _ in 0..3 {
            assert_eq!(guard.wrong(None, start), Wrong::TooMany);
        }
        assert!(guard.may_try("abcd", start));
        assert_eq!(guard.wrong(None, start + ALL.each), Wrong::Say { unlogged: 3 });
    }

    #[test]
    fn what_is_remembered_of_guesses_is_bounded() {
        let start = Instant::now();
        let guard = Guard::new(start);
        for number in 0..REMEMBERED * 2 {
            guard.wrong(Some(&number.to_string()), start);
        }
        assert_eq!(guard.0.lock().expect("nobody panicked").own.len(), REMEMBERED);
    }
}
