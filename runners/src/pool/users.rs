//! Users for programs: numbers, without names or rights.

use std::sync::atomic::{AtomicU32, Ordering};

use codementor_agent::FIRST_USER;

/// Hands out pairs of uids. The kernel counts the processes of a user over all containers, so two programs with the
/// same one would share a limit, and a container that was left unclean could be touched by a later program.
#[derive(Debug)]
pub(crate) struct Users {
    first: u32,
    count: u32,
    next: AtomicU32,
}

impl Users {
    /// Where root in a container is another user outside, only the low numbers exist inside.
    pub(crate) fn new(mapped: bool) -> Self {
        let (first, count) = if mapped { (FIRST_USER, 50_000) } else { (1_000_000_000, 1_000_000_000) };
        // Pools of other processes begin elsewhere.
        Self { first, count, next: AtomicU32::new(rand::random_range(0..count / 2) * 2) }
    }

    pub(crate) fn next(&self) -> (u32, u32) {
        let place = self.next.fetch_add(2, Ordering::Relaxed) % self.count;
        (self.first + place, self.first + place + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_user_is_given_twice_before_all_have_been_and_none_leaves_the_range() {
        let users = Users::new(true);
        let mut seen = HashSet::new();
        for _ in 0..25_000 {
            let (build, run) = users.next();
            assert!(build >= 10_000 && run < 60_000 && build != run);
            assert!(seen.insert(build) && seen.insert(run));
        }
        assert!(!seen.insert(users.next().0));
    }
}
