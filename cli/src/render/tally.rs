//! What is known of a submission after the events so far: a pure fold, shared by all views.

use codementor_protocol::{
    Accepted, Compiled, EventKind, Failed, JobEvent, Rejudged, TestEvent, Timestamp, Verdict, Verdicted,
};

/// What is known of a submission.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// The facts of the submission.
    pub accepted: Option<Accepted>,
    /// What it is doing now.
    pub stage: Stage,
    /// How many cases will be run at most.
    pub total: u32,
    /// What the compiler did.
    pub compiled: Option<Compiled>,
    /// The cases that were run.
    pub tests: Vec<TestEvent>,
    /// How often it was judged again.
    pub restarts: u32,
    /// When it was last judged again after its end, and what it was before.
    pub rejudged: Option<(Timestamp, Rejudged)>,
    /// How judging ended.
    pub end: Option<End>,
    /// When the first event happened.
    pub since: Option<Timestamp>,
    /// When the newest event that belongs to judging happened.
    pub until: Option<Timestamp>,
}

/// What a submission is doing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is known yet.
    #[default]
    New,
    /// It waits behind so many others.
    Queued(u64),
    /// Its language is being made ready.
    Preparing(String),
    /// It is being compiled.
    Compiling,
    /// Its cases are being run.
    Running,
    /// Judging has ended.
    Ended,
}

/// How judging ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a verdict.
    Judged(Verdicted),
    /// With a fault of ours.
    Faulted(Failed),
    /// Somebody stopped it.
    Cancelled,
}

/// The cases of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many were accepted.
    pub passed: u32,
    /// How many were run.
    pub run: u32,
    /// The first that was not accepted.
    pub first: Option<&'a TestEvent>,
}

impl Tally {
    /// Takes in the next event.
    pub fn apply(&mut self, event: &JobEvent) {
        self.since.get_or_insert(event.at);
        if !matches!(
            event.kind,
            EventKind::Feedback(_)
                | EventKind::Fix(_)
                | EventKind::FeedbackEnd(_)
                | EventKind::End(_)
                | EventKind::Unknown
        ) {
            self.until = Some(event.at);
        }
        match &event.kind {
            EventKind::Submission(accepted) => self.accepted = Some(accepted.clone()),
            EventKind::Queued(queued) => self.stage = Stage::Queued(queued.position),
            EventKind::Preparing { text } => self.stage = Stage::Preparing(text.clone()),
            EventKind::Started(started) => {
                self.total = started.total;
                self.stage = Stage::Compiling;
            }
            EventKind::Restarted(_) => {
                self.stage = Stage::Queued(0);
                self.compiled = None;
                self.tests.clear();
                self.restarts += 1;
            }
            EventKind::Rejudged(rejudged) => {
                self.stage = Stage::Queued(0);
                self.compiled = None;
                self.tests.clear();
                self.end = None;
                self.rejudged = Some((event.at, rejudged.clone()));
                // How long it takes is told of the new run.
                self.since = None;
            }
            EventKind::Compiled(compiled) => {
                self.compiled = Some(compiled.clone());
                if compiled.ok {
                    self.stage = Stage::Running;
                }
            }
            EventKind::Test(test) => {
                self.total = test.total;
                self.tests.push(test.clone());
                self.stage = Stage::Running;
            }
            EventKind::Result(result) => self.ends(End::Judged(result.clone())),
            EventKind::Error(failed) => self.ends(End::Faulted(failed.clone())),
            EventKind::Cancelled => self.ends(End::Cancelled),
            EventKind::Feedback(_)
            | EventKind::Fix(_)
            | EventKind::FeedbackEnd(_)
            | EventKind::End(_)
            | EventKind::Unknown => {}
        }
    }

    fn ends(&mut self, end: End) {
        self.end = Some(end);
        self.stage = Stage::Ended;
    }

    /// The first case that was not accepted.
    pub fn first_failure(&self) -> Option<&TestEvent> {
        self.tests.iter().find(|test| !matches!(test.verdict, Verdict::Accepted | Verdict::Skipped))
    }

    /// The case that took the most CPU time.
    pub fn slowest(&self) -> Option<&TestEvent> {
        // The first of several that took the same, so that the line does not jump.
        self.tests.iter().rev().max_by_key(|test| test.time_ms)
    }

    /// The most memory that a case took, in KiB.
    pub fn memory_kib(&self) -> Option<u64> {
        self.tests.iter().map(|test| test.memory_kib).max()
    }

    /// The groups, in the order in which they were run.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for test in self.tests.iter().filter(|test| test.verdict != Verdict::Skipped) {
            let place = groups.iter().position(|group| group.name == test.group).unwrap_or_else(|| {
                groups.push(Group { name: &test.group, passed: 0, run: 0, first: None });
                groups.len() - 1
            });
            let group = &mut groups[place];
            group.run += 1;
            match test.verdict {
                Verdict::Accepted => group.passed += 1,
                _ if group.first.is_none() => group.first = Some(test),
                _ => {}
            }
        }
        groups
    }

    /// From the first event to the end of judging, in milliseconds.
    pub fn elapsed_ms(&self) -> Option<u64> {
        let (since, until) = (self.since?, self.until?);
        until.0.checked_sub(since.0).and_then(|ms| u64::try_from(ms).ok())
    }
}
