//! Gives one step of feedback on one program: executes what [`Rounds`] decides.
//!
//! ```text
//! give ─ turn among those who ask the same ─▶ told before? ─▶ replay
//!                                        └──▶ run: a loop over what happens first of
//!    call      one answer of a model; waits for one of few permits, reserves, asks, settles
//!    check     one corrected program at the judges; waits for one of few permits
//!    judging   the student's program has a verdict, or none
//!    deadline  all of it together has taken too long
//! ```
//!
//! Call and check are futures that the loop owns: to drop one is to end it, with its connection or its job. Nothing
//! here is awaited by judging, and nothing here is read by it.

mod call;

use std::collections::VecDeque;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use codementor_protocol::{
    AnswerLanguage, Feedback as Piece, FeedbackEnd, FeedbackOutcome, Fix, SubmissionId, UserName,
};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tracing::Instrument;

use super::check::Bench;
use super::ledger::{self, Key, Told};
use super::model::{Models, Spending};
use super::prompt::{self, PublicView, Rejected, Want};
use super::rounds::{Checked, Effect, Event, Judged, Rounds, Rules};
use super::scan;
use super::scrub::{Author, Scrubbed};
use super::{Feedback, words};
use crate::queue::{Following, JudgingOutcome, now};
use crate::store::StoreResult;
use crate::submissions::{self, Changes, Program};
use call::Call;

/// What a step may take beyond its rounds, for the checks at the judges.
const FOR_CHECKS: Duration = Duration::from_secs(180);

/// Who sees what is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Whoever reads the stream of the submission's events.
    Stream,
    /// Whoever asks for the step.
    Ladder,
    /// Nobody: only the outcome counts.
    Rehearsal,
}

/// One step of feedback to be given on a program.
pub(super) struct Step {
    pub(super) submission: SubmissionId,
    /// Who pays.
    pub(super) user: UserName,
    pub(super) program: Program,
    /// What is known of whoever wrote it.
    pub(super) author: Author,
    pub(super) view: Arc<PublicView>,
    pub(super) answer_in: AnswerLanguage,
    pub(super) rules: Rules,
    /// How large a program may be.
    pub(super) code_kib: u64,
    pub(super) step: u32,
    pub(super) steps: u32,
    /// What the steps before have said.
    pub(super) earlier: Vec<String>,
    /// Whether a student asks again for what was withheld before.
    pub(super) anew: bool,
    pub(super) audience: Audience,
}

/// What came of a step.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) told: Told,
    pub(super) rounds: u32,
    pub(super) leaks: u32,
    pub(super) spend: Spending,
}

type Running<'a, T> = Option<Pin<Box<dyn Future<Output = T> + Send + 'a>>>;

/// Waits for what runs; for ever where nothing does.
async fn ended<T>(running: &mut Running<'_, T>) -> T {
    match running {
        Some(future) => {
            let output = future.await;
            *running = None;
            output
        }
        None => pending().await,
    }
}

/// What a call has told and the loop has not taken. It holds no more than one answer, whose size the client bounds.
#[derive(Default)]
struct Mailbox {
    events: Mutex<VecDeque<Event>>,
    filled: Notify,
}

impl Mailbox {
    fn push(&self, event: Event) {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
        self.filled.notify_one();
    }

    async fn next(&self) -> Event {
        loop {
            let next = self.events.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            match next {
                Some(event) => return event,
                None => self.filled.notified().await,
            }
        }
    }
}

impl Feedback {
    /// Gives a step. Whatever happens, it ends with an outcome.
    pub(super) async fn give(&self, step: &Step) -> Given {
        let span = tracing::info_span!("feedback", submission = step.submission.0, step = step.step);
        let given = match self.try_give(step).instrument(span).await {
            Ok(given) => given,
            Err(error) => {
                tracing::warn!(submission = step.submission.0, %error, "feedback broke off");
                let given = Given::nothing(FeedbackOutcome::Interrupted, words::OUR_FAULT);
                if let Err(error) = self.end(step, &given.told, None).await {
                    // The next start ends it.
                    tracing::error!(submission = step.submission.0, %error, "feedback could not be ended");
                }
                given
            }
        };
        tracing::info!(
            submission = step.submission.0,
            step = step.step,
            outcome = %given.told.outcome,
            rounds = given.rounds,
            verified = given.told.fix.is_some(),
            leaks = given.leaks,
            tokens = given.spend.tokens,
            cost_micro = given.spend.cost_micro,
            "feedback"
        );
        given
    }

    async fn try_give(&self, step: &Step) -> StoreResult<Given> {
        let mut following = self.0.core.follow(step.submission).await?;
        let mut stopping = self.0.stopping.clone();
        tokio::select! {
            given = self.replay_or_run(step, &mut following) => given,
            () = stop(&mut stopping) => {
                let given = Given::nothing(FeedbackOutcome::Interrupted, words::INTERRUPTED);
                self.end(step, &given.told, None).await?;
                Ok(given)
            }
        }
    }

    async fn replay_or_run(&self, step: &Step, following: &mut Following) -> StoreResult<Given> {
        if step.audience == Audience::Rehearsal {
            // What a rehearsal measures must happen.
            return self.run(step, following).await;
        }
        if step.rules.hold && step.is_too_long() {
            // No correction is asked of it, and so no hint could be shown.
            let given = Given::nothing(FeedbackOutcome::Withheld, words::TOO_LONG);
            self.end(step, &given.told, None).await?;
            return Ok(given);
        }
        let key = self.key(step);
        let mut turn = tokio::select! {
            turn = self.0.flights.turn(key) => turn,
            // Whoever is before may wait long, and what is known then needs no model.
            outcome = over_early(step, following) => {
                let given = Given::nothing(outcome, "");
                self.end(step, &given.told, None).await?;
                return Ok(given);
            }
        };
        let told = match turn.told() {
            Some(told) => Some(told),
            None => self
                .0
                .core
                .store
                .read(move |db| ledger::find_answer(db, &key))
                .await?
                .filter(|told| !(step.anew && told.outcome == FeedbackOutcome::Withheld)),
        };
        if let Some(told) = told
            && let Some(given) = self.replay(step, told, following).await?
        {
            return Ok(given);
        }
        let given = self.run(step, following).await?;
        // What ended for this submission's own reasons says nothing of others.
        if !matches!(
            given.told.outcome,
            FeedbackOutcome::Stopped | FeedbackOutcome::OverBudget | FeedbackOutcome::NoChecksLeft
        ) {
            turn.pass_on(&given.told);
        }
        Ok(given)
    }

    /// The hash of all that an answer follows from. What a program does on the samples follows from it and the package.
    fn key(&self, step: &Step) -> Key {
        let program = &step.program;
        let rules = format!("{:?}", step.rules);
        let place = format!("{} of {}", step.step, step.steps);
        let mut parts = vec![
            self.0.models.as_ref().map(Models::identity).unwrap_or_default(),
            prompt::VERSION.to_string(),
            rules,
            program.package.to_string(),
            program.language.to_string(),
            program.entry.clone().unwrap_or_default(),
            step.answer_in.as_str().to_owned(),
            place,
            step.earlier.len().to_string(),
        ];
        parts.extend(step.earlier.iter().cloned());
        for file in &program.files {
            parts.extend([file.name.clone(), file.text.clone()]);
        }
        Key::of(parts.iter().map(String::as_str))
    }

    /// Tells again what was told before, if it fits the verdict: a program that depends on chance can be wrong once and
    /// right another time.
    async fn replay(&self, step: &Step, told: Told, following: &mut Following) -> StoreResult<Option<Given>> {
        let (outcome, _) = following.judged().await;
        let about_accepted = told.about_accepted;
        match judged(outcome) {
            Judged::Stopped => {
                let given = Given::nothing(FeedbackOutcome::Stopped, "");
                self.end(step, &given.told, None).await?;
                return Ok(Some(given));
            }
            Judged::Accepted if !about_accepted => return Ok(None),
            Judged::Rejected if about_accepted => return Ok(None),
            Judged::Accepted | Judged::Rejected => {}
        }
        for piece in &told.said {
            self.say(step, piece.clone()).await?;
        }
        if let Some(fix) = told.fix.clone().filter(|_| step.rules.shows_fix()) {
            self.show(step, fix).await?;
        }
        self.end(step, &told, None).await?;
        Ok(Some(Given { told, rounds: 0, leaks: 0, spend: Spending::default() }))
    }

    async fn run(&self, step: &Step, following: &mut Following) -> StoreResult<Given> {
        let scrubbed = Scrubbed::new(&step.program.files, &step.program.language, &step.author);
        let rationed = step.audience != Audience::Rehearsal;
        let ration = rationed.then(|| (step.user.clone(), self.0.settings.checks));
        let bench = Bench::of(&step.program, step.code_kib, ration);
        let spent = Mutex::new(Spending::default());
        let mut said = Vec::new();
        let mut about_accepted = false;
        let (mut rounds, mut effects) = Rounds::start(step.rules, scrubbed.files.clone());
        let mut mailbox = Arc::new(Mailbox::default());
        let mut call: Running<'_, ()> = None;
        let mut checking: Running<'_, Checked> = None;
        let mut is_judged = false;
        let most = self.0.settings.timeout * self.0.settings.rounds + FOR_CHECKS;
        // It begins with the verdict, which may be long in coming where many wait.
        let mut deadline: Option<Instant> = None;
        loop {
            for effect in std::mem::take(&mut effects) {
                match effect {
                    Effect::AskFix | Effect::AskComment => {
                        about_accepted = effect == Effect::AskComment;
                        // What an answer that was dropped had said stays in its own box.
                        mailbox = Arc::new(Mailbox::default());
                        let want = if about_accepted {
                            Want::Comment
                        } else {
                            Want::Fix { step: step.step, steps: step.steps }
                        };
                        let call_made = Call {
                            feedback: self,
                            step,
                            scrubbed: &scrubbed,
                            want,
                            rejected: rounds.rejected().to_vec(),
                            judging: following.now(),
                            mailbox: mailbox.clone(),
                            delivered: AtomicBool::new(false),
                            spent: &spent,
                        };
                        call = Some(Box::pin(call_made.make()));
                    }
                    Effect::Drop => {
                        call = None;
                        mailbox = Arc::new(Mailbox::default());
                    }
                    Effect::Check(files) => {
                        let files = scrubbed.restore(files);
                        let (bench, scrubbed) = (&bench, &scrubbed);
                        checking = Some(Box::pin(async move {
                            let Ok(_permit) = self.0.checks.acquire().await else { return Checked::Faulted };
                            match bench.check(&self.0.core, &self.0.registry, files).await {
                                Checked::Rejected(why) => Checked::Rejected(scrubbed_evidence(scrubbed, why)),
                                checked => checked,
                            }
                        }));
                    }
                    Effect::StopCheck => checking = None,
                    Effect::Say(piece) => {
                        let piece = scan::clean(&scrubbed.restore_text(&piece));
                        self.say(step, piece.clone()).await?;
                        said.push(piece);
                    }
                    Effect::Show(fix) => self.show(step, restored(&scrubbed, fix)).await?,
                    Effect::End { outcome, message } => {
                        about_accepted |= outcome == FeedbackOutcome::Accepted;
                        let fix = rounds.best().map(|fix| restored(&scrubbed, fix));
                        let told = Told { said, fix, about_accepted, outcome, message };
                        let keep = matches!(
                            outcome,
                            FeedbackOutcome::Complete | FeedbackOutcome::Withheld | FeedbackOutcome::Accepted
                        ) && rounds.is_repeatable();
                        self.end(step, &told, keep.then(|| self.key(step))).await?;
                        let spend = *spent.lock().unwrap_or_else(PoisonError::into_inner);
                        return Ok(Given { told, rounds: rounds.rounds(), leaks: rounds.leaks(), spend });
                    }
                }
            }
            let event = tokio::select! {
                biased;
                (outcome, _) = following.judged(), if !is_judged => {
                    is_judged = true;
                    deadline = Some(Instant::now() + most);
                    Event::Judged(judged(outcome))
                }
                event = mailbox.next() => event,
                () = ended(&mut call) => continue,
                checked = ended(&mut checking) => Event::Checked(checked),
                () = sleep_until(deadline) => {
                    deadline = None;
                    Event::Deadline
                }
            };
            effects = rounds.handle(event);
        }
    }

    async fn say(&self, step: &Step, piece: String) -> StoreResult<()> {
        let (id, number, audience) = (step.submission, step.step, step.audience);
        if audience == Audience::Rehearsal {
            return Ok(());
        }
        let write = move |db: &_| {
            ledger::add_to_step(db, id, number, &piece)?;
            match audience {
                Audience::Stream => submissions::say(db, id, Piece { step: number, delta: piece }, now()),
                Audience::Ladder | Audience::Rehearsal => Ok(Changes::default()),
            }
        };
        let changes = self.0.core.store.write(write).await?;
        self.0.core.announce(changes).await;
        Ok(())
    }

    /// Shows a corrected program: the only way by which one leaves the daemon.
    async fn show(&self, step: &Step, fix: Fix) -> StoreResult<()> {
        let (id, number, audience) = (step.submission, step.step, step.audience);
        if audience == Audience::Rehearsal || !step.rules.shows_fix() {
            return Ok(());
        }
        let write = move |db: &_| {
            ledger::add_fix(db, id, number, &fix)?;
            match audience {
                Audience::Stream => submissions::show_fix(db, id, fix, now()),
                Audience::Ladder | Audience::Rehearsal => Ok(Changes::default()),
            }
        };
        let changes = self.0.core.store.write(write).await?;
        self.0.core.announce(changes).await;
        Ok(())
    }

    /// Ends the step, and keeps what was told where it can be told again.
    async fn end(&self, step: &Step, told: &Told, keep: Option<Key>) -> StoreResult<()> {
        let (id, audience) = (step.submission, step.audience);
        if audience == Audience::Rehearsal {
            return Ok(());
        }
        let (told, outcome) = (told.clone(), told.outcome);
        let end = FeedbackEnd { step: step.step, outcome: told.outcome, message: told.message.clone() };
        let write = move |db: &_| {
            ledger::end_step(db, id, &end)?;
            if let Some(key) = keep {
                ledger::keep_answer(db, &key, &told, now())?;
            }
            match audience {
                Audience::Stream => submissions::close_feedback(db, id, end, now()),
                Audience::Ladder | Audience::Rehearsal => Ok(Changes::default()),
            }
        };
        let changes = self.0.core.store.write(write).await?;
        self.0.core.metrics.gave_feedback(outcome, 1);
        self.0.core.announce(changes).await;
        Ok(())
    }
}

impl Step {
    fn is_too_long(&self) -> bool {
        self.program.files.iter().map(|file| file.text.chars().count()).sum::<usize>() > prompt::MAX_PROGRAM
    }
}

impl Given {
    pub(super) fn nothing(outcome: FeedbackOutcome, message: &str) -> Self {
        Self {
            told: Told {
                said: Vec::new(),
                fix: None,
                about_accepted: false,
                outcome,
                message: message.to_owned(),
            },
            rounds: 0,
            leaks: 0,
            spend: Spending::default(),
        }
    }
}

/// Sleeps until then; for ever where there is no end to it.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}

/// Waits until the daemon is to end.
async fn stop(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stop| *stop).await.is_err() {
        pending::<()>().await;
    }
}

/// Waits until judging ends in a way that needs no model.
async fn over_early(step: &Step, following: &mut Following) -> FeedbackOutcome {
    match judged(following.judged().await.0) {
        Judged::Stopped => FeedbackOutcome::Stopped,
        Judged::Accepted if !step.rules.comment => FeedbackOutcome::Accepted,
        Judged::Accepted | Judged::Rejected => pending().await,
    }
}

/// What is told of a program that was put back together, in terms of the scrubbed one.
fn scrubbed_evidence(scrubbed: &Scrubbed, why: Rejected) -> Rejected {
    match why {
        Rejected::DoesNotCompile { diagnostics } => {
            Rejected::DoesNotCompile { diagnostics: scrubbed.scrub_text(&diagnostics) }
        }
        Rejected::FailsSample { input, expected, actual, verdict } => {
            Rejected::FailsSample { input, expected, actual: scrubbed.scrub_output(&actual), verdict }
        }
        other => other,
    }
}

/// Puts back what was scrubbed: rounds, prompts and answers know a program only without it.
fn restored(scrubbed: &Scrubbed, fix: Fix) -> Fix {
    Fix { files: scrubbed.restore(fix.files), ..fix }
}

fn judged(outcome: JudgingOutcome) -> Judged {
    match outcome {
        JudgingOutcome::Judged(codementor_protocol::Verdict::Accepted) => Judged::Accepted,
        JudgingOutcome::Judged(_) => Judged::Rejected,
        JudgingOutcome::Faulted | JudgingOutcome::Cancelled => Judged::Stopped,
    }
}
