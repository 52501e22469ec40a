//! The ladder: what was said of a program so far, and the next step when it is asked for.

use codementor_protocol::{
    AssignmentId, Ending, FeedbackDetail, FeedbackEnd, FeedbackOutcome, FeedbackPolicy, FeedbackStep, Prompt,
    Purpose, Refusal, RefusalCode, ShowPrompt, State, SubmissionId, UserName, Verdict,
};
use rusqlite::Connection;

use super::ledger::{self, Day};
use super::prompt::{self, Ask, Nonce, Want};
use super::scrub::{Author, Scrubbed};
use super::session::{Audience, Step};
use super::{Allowed, Feedback, words};
use crate::gateway::store_refusal;
use crate::queue::now;
use crate::registry::Installed;
use crate::store::StoreResult;
use crate::submissions::{self, Program};
use crate::{accounts, courses};

impl Feedback {
    /// Gives the next step on a submission, or says how far one is that is being given.
    pub(crate) async fn hint(&self, id: SubmissionId, step: Option<u32>) -> Result<FeedbackStep, Refusal> {
        let (program, _, allowed) = self.program(id).await?;
        if allowed.policy == FeedbackPolicy::Off {
            return Err(Refusal::new(RefusalCode::Forbidden, "feedback is off for this problem"));
        }
        let steps = self.0.core.store.read(move |db| ledger::steps(db, id)).await.map_err(store_refusal)?;
        let next = next_step(&steps);
        let wanted = step.unwrap_or(next);
        let known = steps.into_iter().find(|known| known.step == wanted);
        let over = |outcome| Ok(ended(wanted, outcome));
        match &known {
            Some(known) if step.is_some() || known.end.is_none() => return Ok(known.clone()),
            _ if wanted > allowed.steps => return over(FeedbackOutcome::NoStepsLeft),
            _ if wanted != next => {
                let message = format!("step {next} comes before step {wanted}");
                return Err(Refusal::new(RefusalCode::Invalid, message));
            }
            _ if !self.is_configured() => return over(FeedbackOutcome::NotConfigured),
            _ => {}
        }
        match (program.state, program.verdict) {
            (_, Some(Verdict::Accepted)) => return over(FeedbackOutcome::Accepted),
            (State::Settled(ending) | State::Ended(ending), _) if ending != Ending::Judged => {
                return over(FeedbackOutcome::Stopped);
            }
            _ => {}
        }
        let Some(giving) = self.begin(id, wanted) else {
            let steps =
                self.0.core.store.read(move |db| ledger::steps(db, id)).await.map_err(store_refusal)?;
            let running = steps.into_iter().find(|known| known.step == wanted && known.end.is_none());
            return running.map_or_else(|| over(FeedbackOutcome::RateLimited), Ok);
        };
        let earlier = self.said_before(id, wanted).await?;
        let (mut step, _) = self.step(id, wanted, earlier, Audience::Ladder).await?;
        step.anew = known.is_some();
        let begin = move |db: &_| ledger::begin_step(db, id, wanted, now());
        self.0.core.store.write(begin).await.map_err(store_refusal)?;
        let feedback = self.clone();
        self.spawn(giving, async move { drop(feedback.give(&step).await) });
        Ok(FeedbackStep { step: wanted, text: String::new(), end: None })
    }

    async fn said_before(&self, id: SubmissionId, step: u32) -> Result<Vec<String>, Refusal> {
        let steps = self.0.core.store.read(move |db| ledger::steps(db, id)).await.map_err(store_refusal)?;
        let before = steps.into_iter().filter(|known| known.step < step && !known.text.is_empty());
        Ok(before.map(|known| known.text).collect())
    }

    /// All that was said of a submission.
    pub(crate) async fn detail(&self, id: SubmissionId) -> Result<FeedbackDetail, Refusal> {
        let (program, _, allowed) = self.program(id).await?;
        let (budget, user) = (self.0.budget.clone(), program.user.clone());
        let shows_fix = allowed.rules.shows_fix();
        let read = move |db: &_| {
            let fix = if shows_fix { ledger::shown_fix(db, id)? } else { None };
            Ok((ledger::steps(db, id)?, fix, ledger::left(db, &budget, &user, Day::of(now()))?))
        };
        let (mut steps, fix, left) = self.0.core.store.read(read).await.map_err(store_refusal)?;
        if steps.is_empty() && !self.is_configured() && allowed.policy != FeedbackPolicy::Off {
            steps.push(ended(1, FeedbackOutcome::NotConfigured));
        }
        Ok(FeedbackDetail {
            submission: id,
            policy: allowed.policy,
            steps,
            most_steps: allowed.steps,
            fix,
            left,
        })
    }

    /// What a model would be sent for a program. Nothing is sent.
    pub(crate) async fn prompt(
        &self,
        problem: &Installed,
        assignment: Option<FeedbackPolicy>,
        request: &ShowPrompt,
        author: &Author,
    ) -> Result<Prompt, Refusal> {
        let allowed = self.allowed(problem, assignment);
        let answer_in = self.language(request.answer_in.as_ref());
        let view = self.0.registry.public_view(problem, &answer_in).await?;
        let scrubbed = Scrubbed::new(&request.files, &request.language, author);
        let messages = prompt::messages(
            &Ask {
                view: &view,
                language: request.language.as_str(),
                files: &scrubbed.files,
                diagnostics: &[],
                failed_sample: None,
                earlier_hints: &[],
                rejected: &[],
                answer_in: &answer_in,
                want: Want::Fix { step: 1, steps: allowed.steps },
            },
            &Nonce::random(),
        );
        let models = self.0.models.as_ref().filter(|_| allowed.policy != FeedbackPolicy::Off);
        Ok(Prompt {
            policy: allowed.policy,
            endpoints: models.map(super::Models::names).unwrap_or_default(),
            body: match models {
                Some(models) => models.body(&messages),
                None => super::Models::new(Vec::new()).body(&messages),
            },
        })
    }

    /// A step on a submission, ready to be given.
    pub(super) async fn step(
        &self,
        id: SubmissionId,
        step: u32,
        earlier: Vec<String>,
        audience: Audience,
    ) -> Result<(Step, Allowed), Refusal> {
        let (program, problem, allowed) = self.program(id).await?;
        let answer_in = self.language(program.answer_in.as_ref());
        let view = self.0.registry.public_view(&problem, &answer_in).await?;
        let (user, assignment) = (program.user.clone(), program.assignment.clone());
        let read = move |db: &_| author(db, &user, assignment.as_ref());
        let author = self.0.core.store.read(read).await.map_err(store_refusal)?;
        let step = Step {
            submission: id,
            author,
            user: program.user.clone(),
            program,
            view,
            answer_in,
            rules: allowed.rules,
            code_kib: problem.code_kib,
            step,
            steps: allowed.steps,
            earlier,
            anew: false,
            audience,
        };
        Ok((step, allowed))
    }

    /// A submission's program, what judges it, and what is allowed for it.
    async fn program(&self, id: SubmissionId) -> Result<(Program, Installed, Allowed), Refusal> {
        let read = move |db: &_| {
            let Some(program) = submissions::program(db, id)? else { return Ok(None) };
            let assignment = program.assignment.as_ref();
            let policy = assignment.map(|assignment| courses::feedback_policy(db, assignment)).transpose()?;
            Ok(Some((program, policy.flatten())))
        };
        let found = self.0.core.store.read(read).await.map_err(store_refusal)?;
        let Some((program, assignment)) = found.filter(|(program, _)| program.purpose != Purpose::Trial)
        else {
            let message = format!("feedback is given on submissions; #{id} is none");
            return Err(Refusal::new(RefusalCode::Nothing, message));
        };
        let problem = self.0.registry.resolve(&program.problem, Some(&program.package)).await?;
        let allowed = self.allowed(&problem, assignment);
        Ok((program, problem, allowed))
    }
}

/// What the server knows of whoever wrote a program.
pub(crate) fn author(
    db: &Connection,
    user: &UserName,
    assignment: Option<&AssignmentId>,
) -> StoreResult<Author> {
    let (names, ids) = accounts::words_for(db, user)?;
    let places = assignment.map(|assignment| courses::words_for(db, assignment)).transpose()?;
    Ok(Author { names, ids, places: places.unwrap_or_default() })
}

/// The step that comes next: after those that were given as a whole. One that failed may be asked for again.
fn next_step(steps: &[FeedbackStep]) -> u32 {
    let complete =
        |step: &FeedbackStep| step.end.as_ref().is_some_and(|end| end.outcome == FeedbackOutcome::Complete);
    (1..).zip(steps).take_while(|(number, step)| step.step == *number && complete(step)).count() as u32 + 1
}

fn ended(step: u32, outcome: FeedbackOutcome) -> FeedbackStep {
    let end = FeedbackEnd { step, outcome, message: words::of(outcome).into() };
    FeedbackStep { step, text: String::new(), end: Some(end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(number: u32, outcome: Option<FeedbackOutcome>) -> FeedbackStep {
        match outcome {
            Some(outcome) => ended(number, outcome),
            None => FeedbackStep { step: number, text: String::new(), end: None },
        }
    }

    #[test]
    fn a_step_that_failed_is_the_next_again() {
        use FeedbackOutcome::{Complete, Stalled};
        let table: [(&[Option<FeedbackOutcome>], u32); 5] = [
            (&[], 1),
            (&[Some(Complete)], 2),
            (&[Some(Complete), Some(Complete)], 3),
            (&[Some(Complete), Some(Stalled)], 2),
            (&[None], 1),
        ];
        for (outcomes, next) in table {
            let steps: Vec<_> = (1..).zip(outcomes).map(|(number, outcome)| step(number, *outcome)).collect();
            assert_eq!(next_step(&steps), next, "{outcomes:?}");
        }
    }
}
