//! A rehearsal: feedback is tried on a package's own wrong submissions, for its author to read. Each is judged first;
//! then the same rounds run as for a student, shown to nobody.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use codementor_protocol::{
    FeedbackOutcome, FeedbackPolicy, Lane, PackageHash, Purpose, Refusal, RefusalCode, Rehearsal, Rehearse,
    Rehearsed, SubmissionId, Submit, UserName,
};
use rand::Rng;

use super::session::Audience;
use super::{Feedback, check, words};
use crate::daemon::daemon_user;
use crate::gateway::store_refusal;
use crate::queue::{JudgingOutcome, now};
use crate::registry::{Installed, OwnSubmission};
use crate::submissions::{self, Terms};

/// How long a finished rehearsal is told to whoever asks for it again, before asking again means another one.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// Where a rehearsal stands.
pub(super) struct Progress {
    rehearsal: Rehearsal,
    /// When its end was told first.
    told: Option<Instant>,
}

type Progresses = std::collections::HashMap<PackageHash, Progress>;

impl Feedback {
    /// Begins a rehearsal, or says how far it is.
    pub(crate) async fn rehearse(&self, user: &UserName, request: Rehearse) -> Result<Rehearsal, Refusal> {
        if let Some(rehearsal) = self.look(&request.package) {
            return Ok(rehearsal);
        }
        let problem = self.0.registry.resolve(&request.problem, Some(&request.package)).await?;
        if self.allowed(&problem, None).policy == FeedbackPolicy::Off {
            return Err(Refusal::new(RefusalCode::Forbidden, "feedback is off for this problem"));
        }
        if !self.is_configured() {
            return Err(Refusal::new(RefusalCode::Nothing, "there is no model to rehearse with")
                .hint(words::NOT_CONFIGURED));
        }
        let wrong = self.0.registry.wrong_submissions(&request.package).await?;
        if wrong.is_empty() {
            return Err(Refusal::new(
                RefusalCode::Nothing,
                "the package has no wrong submissions to rehearse with",
            )
            .hint("put some under submissions/wrong_answer"));
        }
        let rehearsal = Rehearsal { total: wrong.len() as u32, tried: Vec::new(), finished: false };
        {
            let mut all = self.progresses();
            if let Some(progress) = all.get(&request.package).filter(|progress| progress.told.is_none()) {
                return Ok(progress.rehearsal.clone());
            }
            all.insert(request.package.clone(), Progress { rehearsal: rehearsal.clone(), told: None });
        }
        let (feedback, user) = (self.clone(), user.clone());
        tokio::spawn(async move {
            let _busy = feedback.0.core.gauges.giving_feedback();
            for own in wrong {
                let tried = feedback.try_on(&user, &request, &problem, own).await;
                feedback.change(&request.package, |rehearsal| rehearsal.tried.push(tried));
            }
            feedback.change(&request.package, |rehearsal| rehearsal.finished = true);
        });
        Ok(rehearsal)
    }

    fn progresses(&self) -> MutexGuard<'_, Progresses> {
        self.0.rehearsals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, package: &PackageHash, change: impl FnOnce(&mut Rehearsal)) {
        if let Some(progress) = self.progresses().get_mut(package) {
            change(&mut progress.rehearsal);
        }
    }

    /// A rehearsal that is under way, or has just finished.
    fn look(&self, package: &PackageHash) -> Option<Rehearsal> {
        let mut all = self.progresses();
        all.retain(|_, progress| progress.told.is_none_or(|told| told.elapsed() < TOLD_FOR));
        let progress = all.get_mut(package)?;
        if progress.rehearsal.finished {
            progress.told.get_or_insert_with(Instant::now);
        }
        Some(progress.rehearsal.clone())
    }

    async fn try_on(
        &self,
        user: &UserName,
        request: &Rehearse,
        problem: &Installed,
        own: OwnSubmission,
    ) -> Rehearsed {
        let began = Instant::now();
        let mut tried = Rehearsed {
            name: own.name.clone(),
            verdict: None,
            verified: false,
            changed_percent: None,
            rounds: 0,
            leaks: 0,
            outcome: FeedbackOutcome::Interrupted,
            tokens: 0,
            cost_micro: 0,
            time_ms: 0,
        };
        if let Err(refusal) = self.try_it(user, request, problem, own, &mut tried).await {
            tracing::warn!(name = tried.name, error = %refusal, "a rehearsal broke off");
        }
        tried.time_ms = began.elapsed().as_millis() as u64;
        tried
    }

    async fn try_it(
        &self,
        user: &UserName,
        request: &Rehearse,
        problem: &Installed,
        own: OwnSubmission,
        tried: &mut Rehearsed,
    ) -> Result<(), Refusal> {
        let core = &self.0.core;
        let submit = Submit {
            key: format!("rehearsal-{:032x}", rand::rng().random::<u128>()),
            // As what checks a correction: up to the first failure, and removed at the next start if this one is cut off.
            purpose: Purpose::Verification,
            problem: request.problem.clone(),
            package: Some(request.package.clone()),
            language: own.language,
            files: own.files,
            entry: own.entry,
            feedback: false,
            answer_in: None,
            assignment: None,
            confirmed: false,
        };
        let terms = Terms {
            package: problem.hash.clone(),
            limits: problem.limits,
            lane: Lane::Verify,
            feedback: false,
            conditions: None,
        };
        let write = move |db: &_| submissions::accept(db, &daemon_user(), &submit, &terms, now());
        let (id, _, changes) = core.store.write(write).await.map_err(store_refusal)?;
        core.announce(changes).await;
        let outcome = core.follow(id).await.map_err(store_refusal)?.ended().await.outcome;
        if let Some(JudgingOutcome::Judged(verdict)) = outcome {
            tried.verdict = Some(verdict);
        }
        let given = self.give_to_nobody(id, user).await;
        check::forget(core, id).await;
        let given = given?;
        tried.outcome = given.told.outcome;
        tried.verified = given.told.fix.is_some();
        tried.changed_percent = given.told.fix.as_ref().map(|fix| fix.changed_percent);
        tried.rounds = given.rounds;
        tried.leaks = given.leaks;
        tried.tokens = given.spend.tokens;
        tried.cost_micro = given.spend.cost_micro;
        Ok(())
    }

    async fn give_to_nobody(&self, id: SubmissionId, user: &UserName) -> Result<super::Given, Refusal> {
        let (mut step, _) = self.step(id, 1, Vec::new(), Audience::Rehearsal).await?;
        // Whoever rehearses pays for it. What is measured is the whole way, so that nothing is shown unchecked.
        step.user = user.clone();
        step.rules.hold = true;
        step.rules.comment = false;
        Ok(self.give(&step).await)
    }
}
