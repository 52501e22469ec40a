//! Which job is published next: pure, without NATS or a clock.
//!
//! A NATS subject is first in, first out, so fairness is made before it. Only a few jobs lie in the stream unstarted
//! at a time; the others wait here (and in the outbox, which is the truth). The most urgent lane goes first, and
//! within a lane the users take turns, so that a thousand submissions of one do not hold up the first of another.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use codementor_protocol::{Lane, SubmissionId, UserName};

use crate::submissions::Waiting;

/// The jobs that wait, and those that lie in the stream.
#[derive(Debug)]
pub(super) struct Schedule {
    /// How many published jobs may be unstarted. Those that have started do not count, so that the window follows
    /// the number of judges without knowing it.
    window: usize,
    lanes: BTreeMap<Lane, Turns>,
    waiting: HashSet<SubmissionId>,
    unstarted: HashSet<SubmissionId>,
    running: HashSet<SubmissionId>,
}

/// The users of a lane that have jobs waiting, in the order of their turns.
#[derive(Debug, Default)]
struct Turns {
    order: VecDeque<UserName>,
    jobs: HashMap<UserName, VecDeque<SubmissionId>>,
}

impl Schedule {
    pub(super) fn new(window: usize) -> Self {
        Self {
            window,
            lanes: BTreeMap::new(),
            waiting: HashSet::new(),
            unstarted: HashSet::new(),
            running: HashSet::new(),
        }
    }

    /// A job wants to be published.
    pub(super) fn wanted(&mut self, job: Waiting) {
        self.unstarted.remove(&job.submission);
        self.running.remove(&job.submission);
        if !self.waiting.insert(job.submission) {
            return;
        }
        let turns = self.lanes.entry(job.lane).or_default();
        let jobs = turns.jobs.entry(job.user.clone()).or_default();
        if jobs.is_empty() {
            turns.order.push_back(job.user);
        }
        jobs.push_back(job.submission);
    }

    /// A job lies in the stream already, from before this daemon started.
    pub(super) fn published(&mut self, submission: SubmissionId, running: bool) {
        if running {
            self.running.insert(submission)
        } else {
            self.unstarted.insert(submission)
        };
    }

    /// A judge works on a job. What is gone stays gone: that a job was started can be told after its cancellation.
    pub(super) fn started(&mut self, submission: SubmissionId) {
        if self.unstarted.remove(&submission) {
            self.running.insert(submission);
        }
    }

    /// A job is over, or is taken back.
    pub(super) fn gone(&mut self, submission: SubmissionId) {
        self.waiting.remove(&submission);
        self.unstarted.remove(&submission);
        self.running.remove(&submission);
    }

    /// The job to publish now, if there is one and there is room for it. It counts as published from here on.
    pub(super) fn next(&mut self) -> Option<SubmissionId> {
        if self.unstarted.len() >= self.window {
            return None;
        }
        for turns in self.lanes.values_mut() {
            while let Some(user) = turns.order.pop_front() {
                let Some(jobs) = turns.jobs.get_mut(&user) else { continue };
                let next = jobs.pop_front();
                if jobs.is_empty() {
                    turns.jobs.remove(&user);
                } else {
                    turns.order.push_back(user);
                }
                // A job that was taken back stands in the queue still; its place is passed over here.
                if let Some(next) = next
                    && self.waiting.remove(&next)
                {
                    self.unstarted.insert(next);
                    return Some(next);
                }
            }
        }
        None
    }

    /// How many jobs wait in each lane.
    pub(super) fn depths(&self) -> Vec<(Lane, u64)> {
        let count = |turns: &Turns| {
            turns.jobs.values().flatten().filter(|submission| self.waiting.contains(submission)).count()
                as u64
        };
        Lane::ALL.into_iter().map(|lane| (lane, self.lanes.get(&lane).map_or(0, count))).collect()
    }

    /// How many jobs are with a judge.
    pub(super) fn running(&self) -> u64 {
        self.running.len() as u64
    }

    /// How many jobs lie in the stream and have not been started.
    pub(super) fn unstarted(&self) -> u64 {
        self.unstarted.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(submission: u64, user: &str, lane: Lane) -> Waiting {
        Waiting { submission: SubmissionId(submission), user: user.parse().expect("a user name"), lane }
    }

    /// Publishes and starts jobs until there are none, and returns their order.
    fn drain(schedule: &mut Schedule) -> Vec<u64> {
        std::iter::from_fn(|| {
            let next = schedule.next()?;
            schedule.started(next);
            Some(next.0)
        })
        .collect()
    }

    #[test]
    fn users_take_turns() {
        let mut schedule = Schedule::new(2);
        (1..=1000).for_each(|id| schedule.wanted(job(id, "kim", Lane::Interactive)));
        schedule.wanted(job(1001, "lee", Lane::Interactive));
        schedule.wanted(job(1002, "park", Lane::Interactive));
        assert_eq!(drain(&mut schedule)[..5], [1, 1001, 1002, 2, 3]);
    }

    #[test]
    fn a_more_urgent_lane_goes_first() {
        let mut schedule = Schedule::new(1);
        schedule.wanted(job(1, "kim", Lane::Batch));
        schedule.wanted(job(2, "kim", Lane::Verify));
        schedule.wanted(job(3, "lee", Lane::Interactive));
        assert_eq!(drain(&mut schedule), [3, 2, 1]);
    }

    #[test]
    fn no_more_jobs_lie_unstarted_than_the_window_allows() {
        let mut schedule = Schedule::new(2);
        (1..=5).for_each(|id| schedule.wanted(job(id, "kim", Lane::Interactive)));
        assert_eq!(
            [schedule.next(), schedule.next(), schedule.next()].map(|id| id.is_some()),
            [true, true, false]
        );
        schedule.started(SubmissionId(1));
        assert_eq!(schedule.next(), Some(SubmissionId(3)));
        assert_eq!((schedule.running(), schedule.unstarted()), (1, 2));
    }

    #[test]
    fn a_job_that_was_taken_back_is_passed_over() {
        let mut schedule = Schedule::new(2);
        (1..=3).for_each(|id| schedule.wanted(job(id, "kim", Lane::Interactive)));
        schedule.gone(SubmissionId(1));
        schedule.gone(SubmissionId(2));
        assert_eq!(schedule.depths()[0], (Lane::Interactive, 1));
        assert_eq!(drain(&mut schedule), [3]);
    }

    #[test]
    fn a_job_that_is_gone_is_not_started_by_a_late_word() {
        let mut schedule = Schedule::new(1);
        schedule.wanted(job(1, "kim", Lane::Interactive));
        let next = schedule.next().expect("there is one");
        schedule.gone(next);
        schedule.started(next);
        assert_eq!((schedule.running(), schedule.unstarted()), (0, 0));
    }

    #[test]
    fn a_job_that_is_wanted_again_is_published_again() {
        let mut schedule = Schedule::new(1);
        schedule.wanted(job(1, "kim", Lane::Interactive));
        assert_eq!(drain(&mut schedule), [1]);
        schedule.wanted(job(1, "kim", Lane::Interactive));
        assert_eq!((schedule.running(), drain(&mut schedule)), (0, vec![1]));
    }
}
