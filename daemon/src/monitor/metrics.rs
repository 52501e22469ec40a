//! What is counted while the daemon runs, and what is read at the moment of a scrape.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use codementor_protocol::{
    EventKind, FeedbackOutcome, FeedbackStatus, JobEvent, Lane, SubmissionId, Timestamp,
};
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

use crate::nats::streams::Judges;
use crate::queue::now;
use crate::submissions::Backlog;

/// Bounds of the times of waiting and of judging, in seconds.
const TIMES: [f64; 14] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];
/// How many submissions are remembered between two of their events; more than can be under way.
const UNDER_WAY: usize = 100_000;

/// All metrics of one daemon.
pub(crate) struct Metrics {
    registry: Registry,
    submissions: IntCounter,
    verdicts: IntCounterVec,
    faults: IntCounterVec,
    cancelled: IntCounter,
    restarts: IntCounter,
    waiting: Histogram,
    judging: Histogram,
    feedback: IntCounterVec,
    queue: IntGaugeVec,
    oldest: Gauge,
    running: IntGauge,
    slots: IntGaugeVec,
    own_slots: IntGaugeVec,
    engine: IntGauge,
    ready: IntGauge,
    nats: IntGauge,
    database: IntGauge,
    tokens: IntGauge,
    cost: Gauge,
    certificate: Gauge,
    /// When submissions that are under way were accepted, and when a judge took them.
    under_way: Mutex<HashMap<SubmissionId, Since>>,
}

#[derive(Debug, Clone, Copy)]
struct Since {
    accepted: Option<Timestamp>,
    started: Option<Timestamp>,
}

/// What is true at the moment of a scrape.
pub(super) struct Moment<'a> {
    pub(super) backlog: &'a Backlog,
    pub(super) feedback: &'a FeedbackStatus,
    pub(super) judges: Option<Judges>,
    pub(super) ready: bool,
    pub(super) database: bool,
    pub(super) own_slots: Option<(u32, u32)>,
    pub(super) engine: Option<bool>,
    pub(super) certificate_ends: Option<SystemTime>,
}

impl Metrics {
    /// Metrics that begin at nothing.
    pub(crate) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let metrics = Self::registered(&registry)?;
        // Series that are there from the beginning can be told from ones that are missing.
        for lane in Lane::ALL {
            metrics.queue.with_label_values(&[lane.token()]).set(0);
        }
        let build = IntGaugeVec::new(
            Opts::new("codementor_build_info", "The version and build of the daemon; always 1."),
            &["version", "build"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), crate::BUILD]).set(1);
        registry.register(Box::new(build))?;
        let started = Gauge::new("codementor_start_time_seconds", "When the daemon started, in Unix time.")?;
        started.set(seconds(now().0));
        registry.register(Box::new(started))?;
        Ok(metrics)
    }

    fn registered(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| {
            let made = IntCounter::new(name, help)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let counters = |name: &str, help: &str, label: &str| {
            let made = IntCounterVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let gauge = |name: &str, help: &str| {
            let made = IntGauge::new(name, help)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let real = |name: &str, help: &str| {
            let made = Gauge::new(name, help)?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let gauges = |name: &str, help: &str, label: &str| {
            let made = IntGaugeVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        let times = |name: &str, help: &str| {
            let made = Histogram::with_opts(HistogramOpts::new(name, help).buckets(TIMES.to_vec()))?;
            registry.register(Box::new(made.clone())).map(|()| made)
        };
        Ok(Self {
            submissions: counter(
                "codementor_submissions_total",
                "Submissions of users that were accepted, tries on the samples among them.",
            )?,
            verdicts: counters(
                "codementor_verdicts_total",
                "Verdicts on submissions of users, by verdict.",
                "verdict",
            )?,
            faults: counters(
                "codementor_faults_total",
                "Submissions of users that could not be judged, after all retries, by the kind of fault.",
                "code",
            )?,
            cancelled: counter("codementor_cancelled_total", "Submissions that somebody stopped.")?,
            restarts: counter(
                "codementor_restarts_total",
                "How often judging began anew, since a judge stopped answering or had a fault.",
            )?,
            waiting: times("codementor_waiting_seconds", "From acceptance until a judge took it.")?,
            judging: times("codementor_judging_seconds", "From when a judge took it until its verdict.")?,
            feedback: counters(
                "codementor_feedback_total",
                "Steps of feedback that ended, by how they ended.",
                "outcome",
            )?,
            queue: gauges(
                "codementor_queue_depth",
                "Submissions that wait for a judge, by lane: what to scale judges by.",
                "lane",
            )?,
            oldest: real(
                "codementor_queue_oldest_seconds",
                "How long the submission that waits longest has waited; 0 where none waits.",
            )?,
            running: gauge("codementor_running", "Submissions that a judge works on.")?,
            slots: gauges(
                "codementor_slots",
                "Slots of all judges: free ones ask for a job at this moment, busy ones hold one.",
                "state",
            )?,
            own_slots: gauges(
                "codementor_own_slots",
                "Slots of the judge in the daemon's own process, of them busy.",
                "state",
            )?,
            engine: gauge(
                "codementor_engine_up",
                "Whether the container engine of the daemon's own judge answers; 1 where it has no judge.",
            )?,
            ready: gauge("codementor_ready", "Whether /readyz says so.")?,
            nats: gauge("codementor_nats_up", "Whether the NATS server answers.")?,
            database: gauge("codementor_database_up", "Whether the database can be written.")?,
            tokens: gauge(
                "codementor_feedback_tokens_today",
                "Tokens that feedback has taken today, in UTC, with what is set aside for calls under way.",
            )?,
            cost: real(
                "codementor_feedback_cost_today",
                "Money that feedback has taken today, in the unit of the configured prices.",
            )?,
            certificate: real(
                "codementor_certificate_expires_seconds",
                "When the certificate of the NATS server ends, in Unix time; 0 where it has none.",
            )?,
            registry: registry.clone(),
            under_way: Mutex::default(),
        })
    }

    /// Counts what was announced about a submission of a user.
    pub(crate) fn saw(&self, event: &JobEvent) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::Submission(_) => {
                self.submissions.inc();
                if under_way.len() < UNDER_WAY {
                    let since = Since { accepted: Some(event.at), started: None };
                    under_way.insert(event.submission, since);
                }
            }
            EventKind::Restarted(_) => self.restarts.inc(),
            EventKind::Started(_) => {
                let none = Since { accepted: None, started: None };
                // One that was accepted by an earlier life of the daemon is not in the map yet.
                if under_way.len() < UNDER_WAY || under_way.contains_key(&event.submission) {
                    let since = under_way.entry(event.submission).or_insert(none);
                    if let Some(accepted) = since.accepted.take() {
                        self.waiting.observe(between(accepted, event.at));
                    }
                    since.started = Some(event.at);
                }
            }
            EventKind::Result(result) => {
                self.verdicts.with_label_values(&[result.verdict.token()]).inc();
                let since = under_way.remove(&event.submission);
                if let Some(started) = since.and_then(|since| since.started) {
                    self.judging.observe(between(started, event.at));
                }
            }
            EventKind::Error(failed) => {
                self.faults.with_label_values(&[&failed.code]).inc();
                under_way.remove(&event.submission);
            }
            EventKind::Cancelled => {
                self.cancelled.inc();
                under_way.remove(&event.submission);
            }
            _ => {}
        }
    }

    /// Counts steps of feedback that have ended, those that no event tells of among them.
    pub(crate) fn gave_feedback(&self, outcome: FeedbackOutcome, steps: u64) {
        self.feedback.with_label_values(&[outcome.token()]).inc_by(steps);
    }

    /// All of it, in the text format of Prometheus.
    pub(super) fn render(&self, moment: &Moment<'_>) -> Result<String, String> {
        let backlog = moment.backlog;
        for (lane, depth) in backlog.waiting {
            self.queue.with_label_values(&[lane.token()]).set(whole(depth));
        }
        let waited = backlog.oldest.map_or(0.0, |since| between(since, now()));
        self.oldest.set(waited);
        self.running.set(whole(backlog.running));
        let judges = moment.judges.unwrap_or_default();
        self.slots.with_label_values(&["free"]).set(whole(judges.free));
        self.slots.with_label_values(&["busy"]).set(whole(judges.busy));
        if let Some((busy, total)) = moment.own_slots {
            self.own_slots.with_label_values(&["busy"]).set(busy.into());
            self.own_slots.with_label_values(&["free"]).set(total.saturating_sub(busy).into());
        }
        self.engine.set(moment.engine.unwrap_or(true).into());
        self.ready.set(moment.ready.into());
        self.nats.set(moment.judges.is_some().into());
        self.database.set(moment.database.into());
        self.tokens.set(whole(moment.feedback.tokens_today));
        self.cost.set(moment.feedback.cost_micro_today as f64 / 1e6);
        let ends = moment.certificate_ends.and_then(|ends| ends.duration_since(UNIX_EPOCH).ok());
        self.certificate.set(ends.map_or(0.0, |ends| ends.as_secs_f64()));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text).map_err(|error| error.to_string())?;
        String::from_utf8(text).map_err(|error| error.to_string())
    }
}

/// Prometheus counts with a sign.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// Clocks of judges may differ from ours: no time is less than none.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    seconds(to.0.saturating_sub(from.0)).max(0.0)
}
