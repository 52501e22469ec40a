//! Has a corrected program judged: an ordinary submission of the daemon's own, by the very path that judges students,
//! with the problem's own limits. What comes of it is one bit, and the evidence that a student could see too: what the
//! compiler said, or what a sample's output was.

use codementor_protocol::{
    Capture, Lane, LanguageId, Limits, PackageHash, Purpose, Slug, SourceFile, SubmissionId, Submit,
    UserName, Verdict,
};
use rand::Rng;

use super::ledger::{self, Day};
use super::prompt::Rejected;
use super::rounds::Checked;
use crate::daemon::daemon_user;
use crate::gateway::check_files;
use crate::queue::{Core, Judging, JudgingOutcome, now};
use crate::registry::Registry;
use crate::store::StoreResult;
use crate::submissions::{self, Program, Terms};

/// How much of a sample's input, answer and output goes into a prompt.
const EVIDENCE: usize = 4 * 1024;

/// What to judge by, and whose ration it takes from.
#[derive(Debug, Clone)]
pub(super) struct Bench {
    pub(super) problem: Slug,
    pub(super) package: PackageHash,
    pub(super) language: LanguageId,
    pub(super) entry: Option<String>,
    pub(super) limits: Limits,
    /// How large a program may be.
    pub(super) code_kib: u64,
    /// Whose checks are counted, and how many there are in a day; nobody's in a rehearsal.
    pub(super) ration: Option<(UserName, u32)>,
}

impl Bench {
    /// Judges as the student's program was judged.
    pub(super) fn of(program: &Program, code_kib: u64, ration: Option<(UserName, u32)>) -> Self {
        Self {
            problem: program.problem.clone(),
            package: program.package.clone(),
            language: program.language.clone(),
            entry: program.entry.clone(),
            limits: program.limits,
            code_kib,
            ration,
        }
    }

    /// Has a program judged. Dropping the future stops it and leaves nothing behind.
    pub(super) async fn check(&self, core: &Core, registry: &Registry, files: Vec<SourceFile>) -> Checked {
        let size: u64 = files.iter().map(|file| file.text.len() as u64).sum();
        if size > self.code_kib * 1024 || check_files(&files, self.entry.as_deref()).is_err() {
            // A student could not submit it either.
            return Checked::Rejected(Rejected::Missing);
        }
        let day = Day::of(now());
        if let Some((user, most)) = self.ration.clone() {
            let problem = self.problem.clone();
            let take = move |db: &_| ledger::take_check(db, &user, &problem, day, most);
            match core.store.write(take).await {
                Ok(true) => {}
                Ok(false) => return Checked::NoneLeft,
                Err(error) => {
                    tracing::warn!(%error, "a corrected program could not be checked");
                    return Checked::Faulted;
                }
            }
        }
        let checked = self.judge(core, registry, files).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "a corrected program could not be checked");
            Checked::Faulted
        });
        if let (Checked::Faulted, Some((user, _))) = (&checked, self.ration.clone()) {
            let problem = self.problem.clone();
            // What was not judged told nothing.
            let give_back = move |db: &_| ledger::give_back_check(db, &user, &problem, day);
            if let Err(error) = core.store.write(give_back).await {
                tracing::warn!(%error, "a check could not be given back");
            }
        }
        checked
    }

    async fn judge(&self, core: &Core, registry: &Registry, files: Vec<SourceFile>) -> StoreResult<Checked> {
        let submit = Submit {
            key: format!("verification-{:032x}", rand::rng().random::<u128>()),
            purpose: Purpose::Verification,
            problem: self.problem.clone(),
            package: Some(self.package.clone()),
            language: self.language.clone(),
            files,
            entry: self.entry.clone(),
            feedback: false,
            answer_in: None,
            assignment: None,
            confirmed: false,
        };
        let terms = Terms {
            package: self.package.clone(),
            limits: self.limits,
            lane: Lane::Verify,
            feedback: false,
            conditions: None,
        };
        let write = move |db: &_| submissions::accept(db, &daemon_user(), &submit, &terms, now());
        let (id, _, changes) = core.store.write(write).await?;
        let trace = Trace { core: core.clone(), id };
        core.announce(changes).await;
        let judging = core.follow(id).await?.ended().await;
        let checked = match judging.outcome {
            Some(JudgingOutcome::Judged(Verdict::Accepted)) => Checked::Accepted,
            Some(JudgingOutcome::Judged(verdict)) => {
                Checked::Rejected(rejection(core, registry, id, &self.package, verdict, &judging).await)
            }
            Some(JudgingOutcome::Faulted | JudgingOutcome::Cancelled) | None => Checked::Faulted,
        };
        drop(trace);
        Ok(checked)
    }
}

/// Why a program is not accepted, as far as that may be told.
async fn rejection(
    core: &Core,
    registry: &Registry,
    id: SubmissionId,
    package: &PackageHash,
    verdict: Verdict,
    judging: &Judging,
) -> Rejected {
    if verdict == Verdict::CompileError {
        let output = judging.compiled.as_ref().map_or("", |compiled| compiled.output.as_str());
        return Rejected::DoesNotCompile { diagnostics: cut(output) };
    }
    failed_sample(core, registry, id, package, judging).await.unwrap_or(Rejected::FailsHidden)
}

/// The first sample that a program failed, with what it wrote; nothing where it failed none.
pub(super) async fn failed_sample(
    core: &Core,
    registry: &Registry,
    id: SubmissionId,
    package: &PackageHash,
    judging: &Judging,
) -> Option<Rejected> {
    let index = judging.failed_sample?;
    let case = core.store.read(move |db| submissions::capture(db, id, index)).await.ok()??;
    let case = registry.fill_in(package, case).await.ok()?;
    let text = |capture: &Capture| cut(&String::from_utf8_lossy(&capture.bytes));
    Some(Rejected::FailsSample {
        input: text(&case.input),
        expected: text(&case.expected),
        actual: text(&case.stdout),
        verdict: case.verdict,
    })
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(EVIDENCE);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}

/// Removes all that is known of a check, whether it has ended or is given up.
struct Trace {
    core: Core,
    id: SubmissionId,
}

impl Drop for Trace {
    fn drop(&mut self) {
        let (core, id) = (self.core.clone(), self.id);
        // What this misses, as when the daemon ends, is removed at the next start.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { forget(&core, id).await });
        }
    }
}

/// Takes back one of the daemon's own submissions and removes it.
pub(super) async fn forget(core: &Core, id: SubmissionId) {
    match core.store.write(move |db| submissions::forget(db, id, now())).await {
        Ok((was_open, changes)) => {
            core.announce(changes).await;
            if was_open {
                core.withdraw(id).await;
            }
        }
        Err(error) => tracing::warn!(submission = id.0, %error, "a check could not be removed"),
    }
}
