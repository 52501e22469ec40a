//! One answer of a model: within the budget, and booked however it ends.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use codementor_protocol::{FeedbackOutcome, SourceFile, UserName};
use rusqlite::Connection;

use super::{Mailbox, Step, scrubbed_evidence};
use crate::feedback::harmless::harmless;
use crate::feedback::ledger::{self, Budget, Day};
use crate::feedback::model::{AskError, Messages, Meter, Models, Spending};
use crate::feedback::prompt::{self, Ask, Nonce, Rejected, Want};
use crate::feedback::reply::{self, Reading};
use crate::feedback::rounds::Event;
use crate::feedback::scrub::Scrubbed;
use crate::feedback::{Feedback, check, scan, words};
use crate::queue::{Core, Judging, now};
use crate::store::StoreResult;

/// One answer of a model.
pub(super) struct Call<'a> {
    pub(super) feedback: &'a Feedback,
    pub(super) step: &'a Step,
    pub(super) scrubbed: &'a Scrubbed,
    pub(super) want: Want,
    pub(super) rejected: Vec<(Vec<SourceFile>, Rejected)>,
    pub(super) judging: Judging,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) delivered: AtomicBool,
    pub(super) spent: &'a Mutex<Spending>,
}

impl Call<'_> {
    /// Asks, and puts what is said and how it ends into the mailbox.
    pub(super) async fn make(self) {
        let end = match self.ask().await {
            Ok(()) => Event::Answered,
            Err((outcome, message)) => Event::Failed { outcome, message },
        };
        self.mailbox.push(end);
    }

    async fn ask(&self) -> Result<(), (FeedbackOutcome, String)> {
        let inner = &self.feedback.0;
        let Some(models) = &inner.models else {
            return Err((FeedbackOutcome::NotConfigured, words::NOT_CONFIGURED.into()));
        };
        let failed_sample = check::failed_sample(
            &inner.core,
            &inner.registry,
            self.step.submission,
            &self.step.program.package,
            &self.judging,
        )
        .await;
        let failed_sample = failed_sample.map(|why| scrubbed_evidence(self.scrubbed, why));
        let Ok(_permit) = inner.calls.acquire().await else { return Err(our_fault()) };
        let deadline = std::time::Instant::now() + inner.settings.timeout;
        // The same twice, so that the other side can tell that it is asked again.
        let nonce = Nonce::random();
        let messages = self.messages(failed_sample.as_ref(), &nonce);
        let error = match self.once(models, &nonce, &messages, deadline).await? {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        // What broke off may be asked for once more where nothing of it was used.
        let Some(pause) = error.again_after.filter(|_| !self.has_delivered()) else {
            return Err((error.outcome, error.detail));
        };
        tokio::time::sleep(pause).await;
        let again = self.once(models, &nonce, &messages, deadline).await?;
        again.map_err(|error| (error.outcome, error.detail))
    }

    /// One request: within the budget, or not at all.
    async fn once(
        &self,
        models: &Models,
        nonce: &Nonce,
        messages: &Messages,
        deadline: std::time::Instant,
    ) -> Result<Result<(), AskError>, (FeedbackOutcome, String)> {
        let inner = &self.feedback.0;
        let most = models.cost(messages);
        let reservation = Reservation::new(self, most);
        if !reservation.make(inner.budget.clone()).await.map_err(|_| our_fault())? {
            return Err((FeedbackOutcome::OverBudget, words::over_budget(most.tokens)));
        }
        let names: Vec<String> = self.scrubbed.files.iter().map(|file| file.name.clone()).collect();
        let mut reading = Reading::new(nonce, &names);
        let mut sink = |text: &str| reading.push(text).into_iter().for_each(|piece| self.deliver(piece));
        let answer = models.ask(messages, deadline, &reservation.meter, &mut sink).await;
        let used = match &answer {
            Ok(answer) => answer.spent,
            Err(error) => error.spent,
        };
        reservation.settle(used).await;
        Ok(answer.map(|_| reading.finish().rest.into_iter().for_each(|piece| self.deliver(piece))))
    }

    fn has_delivered(&self) -> bool {
        self.delivered.load(Ordering::Relaxed)
    }

    fn messages(&self, failed_sample: Option<&Rejected>, nonce: &Nonce) -> Messages {
        let compiled = self.judging.compiled.as_ref();
        let diagnostics = compiled.map(|compiled| self.scrubbed.diagnostics(&compiled.diagnostics));
        // They are kept as the student reads them.
        let earlier: Vec<_> = self.step.earlier.iter().map(|hint| self.scrubbed.scrub_text(hint)).collect();
        prompt::messages(
            &Ask {
                view: &self.step.view,
                language: self.step.program.language.as_str(),
                files: &self.scrubbed.files,
                diagnostics: &diagnostics.unwrap_or_default(),
                failed_sample,
                earlier_hints: &earlier,
                rejected: &self.rejected,
                answer_in: &self.step.answer_in,
                want: self.want,
            },
            nonce,
        )
    }

    fn deliver(&self, piece: reply::Piece) {
        self.delivered.store(true, Ordering::Relaxed);
        let event = match piece {
            reply::Piece::Fix(files) => match harmless(files, &self.scrubbed.files) {
                Some(files) => Event::Fix(files),
                // As if there were none.
                None => return,
            },
            reply::Piece::Hint(text) => Event::Hint(scan::clean(&text)),
        };
        self.mailbox.push(event);
    }
}

/// What is set aside for a call. Until it is settled all of it counts; where the call is dropped, what it has taken by
/// then is put in its place.
struct Reservation<'a> {
    core: &'a Core,
    user: &'a UserName,
    day: Day,
    most: Spending,
    meter: Meter,
    /// Whether it is in the books: known to the writer of the database before it is to whoever waits for it.
    made: Arc<AtomicBool>,
    settled: bool,
    spent: &'a Mutex<Spending>,
}

impl<'a> Reservation<'a> {
    fn new(call: &'a Call<'_>, most: Spending) -> Self {
        Self {
            core: &call.feedback.0.core,
            user: &call.step.user,
            day: Day::of(now()),
            most,
            meter: Meter::default(),
            made: Arc::default(),
            settled: false,
            spent: call.spent,
        }
    }

    /// Sets it aside, if there is room for it.
    async fn make(&self, budget: Budget) -> StoreResult<bool> {
        let (user, day, most, made) = (self.user.clone(), self.day, self.most, self.made.clone());
        let reserve = move |db: &_| {
            let fits = ledger::reserve(db, &budget, &user, day, most)?;
            made.store(fits, Ordering::Relaxed);
            Ok(fits)
        };
        self.core.store.write(reserve).await
    }

    /// Puts what was taken in its place.
    async fn settle(mut self, used: Spending) {
        self.settled = true;
        write_down(self.settlement(used), self.core).await;
    }

    fn settlement(&self, used: Spending) -> Settlement {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        *spent = spent.plus(used);
        let (user, day, most, made) = (self.user.clone(), self.day, self.most, self.made.clone());
        Box::new(move |db| match made.load(Ordering::Relaxed) {
            true => ledger::settle(db, &user, day, most, used),
            false => Ok(()),
        })
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (settlement, core) = (self.settlement(self.meter.spent()), self.core.clone());
        // Where the daemon ends, all of it stays in the books.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { write_down(settlement, &core).await });
        }
    }
}

type Settlement = Box<dyn FnOnce(&Connection) -> StoreResult<()> + Send>;

async fn write_down(settlement: Settlement, core: &Core) {
    // What cannot be written stays reserved.
    if let Err(error) = core.store.write(settlement).await {
        tracing::warn!(%error, "what a call took could not be written down");
    }
}

fn our_fault() -> (FeedbackOutcome, String) {
    (FeedbackOutcome::Interrupted, words::OUR_FAULT.to_owned())
}
