//! What a model says about a program, and how that is kept honest.
//!
//! ```text
//! Submit ─▶ Feedback::start  ─ a task a submission ─┐
//! Hint   ─▶ Feedback::hint   ─ a task a step ───────┼▶ session: Rounds ─┬▶ call  ─▶ model ─▶ endpoint
//! Rehearse ▶ Feedback::rehearse ─ a task a package ─┘                   └▶ check ─▶ a submission of the daemon's own
//! ```
//!
//! - A corrected program is shown only where the policy is `full`, and only after it was judged on all tests.
//! - Judging waits for nothing here and reads nothing of what is written here: feedback follows a submission's events,
//!   and adds events of three kinds of its own to them.
//! - Calls and checks are few at a time; what waits for them costs a task and no more, and of these there is a bound too.
//! - What a prompt is made of cannot hold anything hidden ([`prompt::PublicView`]). A program is scrubbed of what says
//!   who wrote it before anything else, and what was scrubbed is put back last.

mod check;
pub mod edit;
mod flight;
mod harmless;
mod ladder;
mod ledger;
mod model;
pub mod prompt;
mod rehearsal;
pub mod reply;
mod rounds;
pub mod scan;
pub mod scrub;
mod session;
pub(crate) mod settings;
mod tokens;
mod words;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codementor_protocol::{
    Allowance, AnswerLanguage, FeedbackOutcome, FeedbackPolicy, FeedbackStatus, PackageHash, Refusal,
    SubmissionId,
};
use rusqlite::Connection;
use tokio::sync::{Notify, Semaphore, watch};

use crate::queue::{Core, GivingFeedback, now};
use crate::registry::{Installed, Registry};
use crate::store::StoreResult;
use crate::submissions;
use flight::Flights;
pub(crate) use ladder::author;
use ledger::{Budget, Day};
use model::Models;
use rounds::Rules;
use session::{Audience, Given, Step};
use settings::FeedbackSettings;

/// How many answers are waited for at a time.
const CALLS: usize = 16;
/// How many steps are being given at a time, those that wait for their turn among them.
const GIVING: usize = 512;
/// The language of answers where nobody has said one.
const ANSWER_IN: &str = "en";

/// Gives feedback. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Feedback(Arc<Inner>);

struct Inner {
    core: Core,
    registry: Registry,
    settings: FeedbackSettings,
    /// Absent where nobody is to be asked: no client is made then, and no connection.
    models: Option<Models>,
    budget: Budget,
    calls: Semaphore,
    /// Fewer than there are slots, so that students' programs always find one.
    checks: Semaphore,
    flights: Flights,
    /// The steps that are being given.
    giving: Mutex<HashSet<(SubmissionId, u32)>>,
    all_given: Notify,
    rehearsals: Mutex<HashMap<PackageHash, rehearsal::Progress>>,
    stopping: watch::Receiver<bool>,
}

/// What the rules allow for a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowed {
    /// How much may be shown.
    pub(crate) policy: FeedbackPolicy,
    /// How many steps there are.
    pub(crate) steps: u32,
    rules: Rules,
}

/// Counts a step as being given for as long as it lives.
struct Giving {
    feedback: Feedback,
    step: (SubmissionId, u32),
    _busy: GivingFeedback,
}

impl Drop for Giving {
    fn drop(&mut self) {
        let mut giving = self.feedback.giving();
        giving.remove(&self.step);
        if giving.is_empty() {
            self.feedback.0.all_given.notify_waiters();
        }
    }
}

impl Feedback {
    /// Makes ready to give feedback. `slots` is how many programs are judged at once here.
    pub(crate) fn new(
        core: Core,
        registry: Registry,
        settings: FeedbackSettings,
        slots: u32,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let wanted = settings.policy != FeedbackPolicy::Off && !settings.endpoints.is_empty();
        let models = wanted.then(|| Models::new(settings.endpoints.clone()));
        let allowance = |tokens, cost: Option<settings::Money>| Allowance {
            tokens,
            cost_micro: cost.map(|cost| cost.micro),
        };
        let budget = Budget {
            user: allowance(settings.user_tokens, settings.user_cost),
            server: allowance(settings.server_tokens, settings.server_cost),
        };
        Self(Arc::new(Inner {
            core,
            registry,
            models,
            budget,
            settings,
            calls: Semaphore::new(CALLS),
            checks: Semaphore::new((slots as usize / 2).max(1)),
            flights: Flights::default(),
            giving: Mutex::default(),
            all_given: Notify::new(),
            rehearsals: Mutex::default(),
            stopping,
        }))
    }

    /// Ends what a former life of the daemon was giving, and removes its checks: nobody waits for them any more.
    pub(crate) async fn take_over(core: &Core) -> StoreResult<()> {
        let (steps, changes, checks) = core
            .store
            .write(|db| {
                let steps = ledger::abandon_steps(db, words::INTERRUPTED)?;
                ledger::tidy(db, now())?;
                let changes = submissions::abandon_feedback(db, words::INTERRUPTED, now())?;
                Ok((steps, changes, submissions::verifications(db)?))
            })
            .await?;
        core.metrics.gave_feedback(FeedbackOutcome::Interrupted, steps);
        core.announce(changes).await;
        for id in checks {
            check::forget(core, id).await;
        }
        Ok(())
    }

    /// Waits until nothing is being given any more.
    pub(crate) async fn ended(&self) {
        loop {
            let all_given = self.0.all_given.notified();
            if self.giving().is_empty() {
                return;
            }
            all_given.await;
        }
    }

    /// Whether anybody can be asked at all.
    pub(crate) fn is_configured(&self) -> bool {
        self.0.models.is_some()
    }

    /// What server, problem and assignment allow together: the strictest holds.
    pub(crate) fn allowed(&self, problem: &Installed, assignment: Option<FeedbackPolicy>) -> Allowed {
        let (server, problem) = (&self.0.settings, &problem.feedback);
        let policies = [Some(server.policy), problem.policy, assignment];
        let policy = policies.into_iter().flatten().min().unwrap_or_default();
        Allowed {
            policy,
            steps: problem.steps.map_or(server.steps, |steps| steps.min(server.steps)),
            rules: Rules {
                policy,
                rounds: server.rounds,
                hold: server.hold || problem.hold == Some(true),
                comment: server.comment && problem.comment != Some(false),
            },
        }
    }

    /// Whether feedback is given on a submission without being asked for.
    pub(crate) fn is_given(&self, problem: &Installed, assignment: Option<FeedbackPolicy>) -> bool {
        self.is_configured() && self.allowed(problem, assignment).policy != FeedbackPolicy::Off
    }

    /// Begins to give the first step on a submission that was just accepted.
    pub(crate) fn start(&self, id: SubmissionId) {
        let feedback = self.clone();
        let Some(giving) = self.begin(id, 1) else {
            let message = words::of(FeedbackOutcome::RateLimited);
            tokio::spawn(async move { feedback.close(id, 1, FeedbackOutcome::RateLimited, message).await });
            return;
        };
        self.spawn(giving, async move {
            match feedback.first_step(id).await {
                Ok(step) => drop(feedback.give(&step).await),
                Err(error) => {
                    tracing::warn!(submission = id.0, %error, "feedback could not be begun");
                    let outcome = FeedbackOutcome::Interrupted;
                    feedback.close(id, 1, outcome, words::of(outcome)).await;
                }
            }
        });
    }

    /// Gives a step in a task of its own. Where that panics, the step ends all the same: somebody waits for its end.
    fn spawn(&self, giving: Giving, task: impl Future<Output = ()> + Send + 'static) {
        let feedback = self.clone();
        let (id, step) = giving.step;
        tokio::spawn(async move {
            unless_it_panics(task, async {
                tracing::error!(submission = id.0, step, "feedback panicked");
                feedback.close(id, step, FeedbackOutcome::Interrupted, words::OUR_FAULT).await;
            })
            .await;
            drop(giving);
        });
    }

    /// Ends a step that nothing more can be said in, and the stream of its submission if that still waits for one.
    async fn close(&self, id: SubmissionId, step: u32, outcome: FeedbackOutcome, message: &str) {
        let end = codementor_protocol::FeedbackEnd { step, outcome, message: message.into() };
        let write = move |db: &Connection| {
            ledger::end_step(db, id, &end)?;
            submissions::close_feedback(db, id, end, now())
        };
        match self.0.core.store.write(write).await {
            Ok(changes) => {
                self.0.core.metrics.gave_feedback(outcome, 1);
                self.0.core.announce(changes).await;
            }
            // The next start ends it.
            Err(error) => tracing::error!(submission = id.0, %error, "feedback could not be ended"),
        }
    }

    async fn first_step(&self, id: SubmissionId) -> Result<Step, Refusal> {
        let (step, _) = self.step(id, 1, Vec::new(), Audience::Stream).await?;
        Ok(step)
    }

    /// Takes the place of a step that is being given; nothing where it is being given already, or too many are.
    fn begin(&self, id: SubmissionId, step: u32) -> Option<Giving> {
        let mut giving = self.giving();
        if giving.len() >= GIVING || !giving.insert((id, step)) {
            return None;
        }
        let busy = self.0.core.gauges.giving_feedback();
        Some(Giving { feedback: self.clone(), step: (id, step), _busy: busy })
    }

    fn giving(&self) -> MutexGuard<'_, HashSet<(SubmissionId, u32)>> {
        self.0.giving.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn language(&self, wanted: Option<&AnswerLanguage>) -> AnswerLanguage {
        #[expect(clippy::unwrap_used, reason = "the constant obeys the rule of languages of answers")]
        let default = || ANSWER_IN.parse().unwrap();
        wanted.or(self.0.settings.answer_in.as_ref()).cloned().unwrap_or_else(default)
    }

    /// How feedback is set up, and what was spent.
    pub(crate) async fn status(&self) -> StoreResult<FeedbackStatus> {
        let budget = self.0.budget.clone();
        let read = move |db: &_| ledger::server(db, &budget, Day::of(now()));
        let (spent, left) = self.0.core.store.read(read).await?;
        Ok(FeedbackStatus {
            endpoints: self.0.models.as_ref().map(Models::names).unwrap_or_default(),
            left,
            tokens_today: spent.tokens,
            cost_micro_today: spent.cost_micro,
        })
    }
}

/// Runs a task of its own to its end, and what mends what it leaves behind where it panics.
async fn unless_it_panics(
    task: impl Future<Output = ()> + Send + 'static,
    otherwise: impl Future<Output = ()> + Send,
) {
    if tokio::spawn(task).await.is_err_and(|ended| ended.is_panic()) {
        otherwise.await;
    }
}

/// What is written in the transaction that accepts a submission on which feedback will be given.
pub(crate) fn accepted(db: &Connection, id: SubmissionId) -> StoreResult<()> {
    ledger::begin_step(db, id, 1, now())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_panics_leaves_no_step_open() {
        let mended = AtomicBool::new(false);
        unless_it_panics(async { panic!("a library slices a text in the middle of a character") }, async {
            mended.store(true, Ordering::Relaxed);
        })
        .await;
        assert!(mended.load(Ordering::Relaxed));
        unless_it_panics(async {}, async { panic!("there is nothing to mend") }).await;
    }
}
