//! Sets the time limit of a package that states none: its own submissions are run as jobs of the `verify` lane, by the
//! very path that judges students, and the limit follows from how long they took.
//!
//! First those that the limit must let pass; then, with the limit that follows, those that it must stop. What is
//! promised of them and does not hold is a warning.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use codementor_problems::calibrate::calibrate;
use codementor_problems::package::{Outcome, Package, Submission};
use codementor_problems::read::Opened;
use codementor_protocol::{
    InstallPackage, Lane, Limits, PackageHash, Purpose, Refusal, RefusalCode, SourceFile, SubmissionId,
    Submit, UserName, Verdict,
};
use codementor_runners::Languages;
use rand::Rng;

use super::{Installed, Registry};
use crate::daemon::daemon_user;
use crate::queue::now;
use crate::submissions::{self, Terms};

/// The longest that a package's own submission may take while it is measured.
const CEILING_MS: u64 = 60_000;

/// Calibrations that are running, or have failed and not been asked about.
#[derive(Clone, Default)]
pub(super) struct Calibrations(Arc<Mutex<HashMap<PackageHash, Progress>>>);

/// Where a calibration stands.
#[derive(Debug, Clone)]
pub(super) enum Progress {
    Running { done: u32, total: u32 },
    Failed(Refusal),
}

/// What to run.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Those that the limit must let pass.
    pub(super) runs: Vec<OwnSubmission>,
    /// Those that it must stop.
    slow: Vec<OwnSubmission>,
}

/// One submission of the package.
#[derive(Debug)]
pub(crate) struct OwnSubmission {
    pub(crate) name: String,
    accepted: bool,
    pub(crate) language: codementor_protocol::LanguageId,
    pub(crate) files: Vec<SourceFile>,
    pub(crate) entry: Option<String>,
}

/// How a run ended.
struct Measured {
    name: String,
    accepted: bool,
    verdict: Option<Verdict>,
    seconds: f64,
}

impl Calibrations {
    /// Where the calibration of a package stands. A failure is told once; asking again tries again.
    pub(super) fn look(&self, hash: &PackageHash) -> Option<Progress> {
        let mut all = self.lock();
        match all.get(hash)? {
            Progress::Failed(_) => all.remove(hash),
            running => Some(running.clone()),
        }
    }

    /// Begins to measure. What follows from it is installed in the end, even when nobody asks any more.
    pub(super) fn start(
        &self,
        registry: Registry,
        user: UserName,
        request: InstallPackage,
        mut row: Installed,
        package: Package,
        plan: Plan,
    ) {
        let all = self.clone();
        let hash = row.hash.clone();
        all.lock().insert(hash.clone(), Progress::Running { done: 0, total: plan.runs.len() as u32 });
        tokio::spawn(async move {
            let measured = async {
                measure(&registry, &request, &mut row, &package, plan, &all).await?;
                registry.add(&row).await?;
                registry.point(&user, &request).await
            };
            match measured.await {
                Ok(_) => drop(all.lock().remove(&hash)),
                Err(refusal) => drop(all.lock().insert(hash, Progress::Failed(refusal))),
            }
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<PackageHash, Progress>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Chooses the submissions to run. Those that cannot be run are a warning.
pub(super) fn plan(opened: &Opened, languages: &Languages, warnings: &mut Vec<String>) -> Plan {
    let mut plan = Plan::default();
    for submission in &opened.package.submissions {
        let runs = if submission.bounds_time_limit_below() {
            &mut plan.runs
        } else if submission.bounds_time_limit_above() {
            &mut plan.slow
        } else {
            continue;
        };
        match to_run(opened, submission, languages) {
            Ok(run) => runs.push(run),
            Err(reason) => {
                warnings.push(format!(
                    "submissions/{} takes no part in the time limit: {reason}",
                    submission.name
                ));
            }
        }
    }
    plan
}

pub(super) fn to_run(
    opened: &Opened,
    submission: &Submission,
    languages: &Languages,
) -> Result<OwnSubmission, String> {
    let mut files = Vec::with_capacity(submission.files.len());
    for file in &submission.files {
        let bytes = opened
            .files
            .read_with(&file.file.name, &opened.package.constants)
            .map_err(|error| error.to_string())?;
        let text = String::from_utf8(bytes).map_err(|_| format!("{} is not in UTF-8", file.path))?;
        files.push(SourceFile { name: file.path.clone(), text });
    }
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    let language =
        languages.detect(&names, submission.language.as_deref()).map_err(|error| error.to_string())?;
    Ok(OwnSubmission {
        accepted: is_right(submission),
        name: submission.name.clone(),
        language: language.id().clone(),
        files,
        entry: submission.entrypoint.clone(),
    })
}

/// Whether a submission is promised to be accepted.
pub(super) fn is_right(submission: &Submission) -> bool {
    submission.expectations.iter().any(|promise| promise.permitted.iter().eq([&Outcome::Ac]))
}

async fn measure(
    registry: &Registry,
    request: &InstallPackage,
    row: &mut Installed,
    package: &Package,
    plan: Plan,
    all: &Calibrations,
) -> Result<(), Refusal> {
    let limits = Limits { time_ms: CEILING_MS, ..row.limits };
    let passed = run_all(registry, request, plan.runs, limits, Some(all)).await?;
    let mut slowest: Option<f64> = None;
    for run in passed {
        match run.verdict {
            Some(Verdict::Accepted) => slowest = Some(slowest.unwrap_or(0.0).max(run.seconds)),
            // A wrong program is let pass too: it must not run out of time before it is found out.
            Some(verdict) if !run.accepted && verdict != Verdict::TimeLimit => {
                slowest = Some(slowest.unwrap_or(0.0).max(run.seconds));
            }
            verdict => {
                let words = verdict_words(verdict);
                let should = if run.accepted { "should be accepted" } else { "should end in time" };
                row.warnings.push(format!("submissions/{} {should}, but is {words}", run.name));
            }
        }
    }
    let limit = calibrate(package.format, &package.limits, slowest, None)
        .map_err(|error| Refusal::new(RefusalCode::Invalid, error.to_string()))?;
    let seconds = limit.seconds;
    row.warnings.extend(limit.warnings.iter().map(ToString::to_string));
    row.limits.time_ms = (seconds * 1000.0).round() as u64;
    let margin = package.limits.time_limit_to_tle;
    let limits = Limits { time_ms: (seconds * margin * 1000.0).round() as u64, ..row.limits };
    for run in run_all(registry, request, plan.slow, limits, None).await? {
        if run.verdict != Some(Verdict::TimeLimit) {
            let words = verdict_words(run.verdict);
            row.warnings.push(format!(
                "submissions/{} should be too slow, but is {words} within {margin} times the limit of {seconds} s",
                run.name
            ));
        }
    }
    Ok(())
}

fn verdict_words(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("not judged, through a fault of ours", Verdict::token)
}

async fn run_all(
    registry: &Registry,
    request: &InstallPackage,
    runs: Vec<OwnSubmission>,
    limits: Limits,
    progress: Option<&Calibrations>,
) -> Result<Vec<Measured>, Refusal> {
    let terms = Terms {
        package: request.package.clone(),
        limits,
        lane: Lane::Verify,
        feedback: false,
        conditions: None,
    };
    let nonce: u64 = rand::rng().random();
    let mut names = Vec::new();
    for (number, run) in runs.into_iter().enumerate() {
        let submit = Submit {
            key: format!("calibration-{nonce:x}-{number}"),
            purpose: Purpose::Calibration,
            problem: request.slug.clone(),
            package: Some(request.package.clone()),
            language: run.language,
            files: run.files,
            entry: run.entry,
            feedback: false,
            answer_in: None,
            assignment: None,
            confirmed: false,
        };
        let terms = terms.clone();
        let write = move |db: &_| submissions::accept(db, &daemon_user(), &submit, &terms, now());
        let (id, _, changes) =
            registry.core.store.write(write).await.map_err(crate::gateway::store_refusal)?;
        registry.core.announce(changes).await;
        names.push((id, run.name, run.accepted));
    }
    let mut measured: Vec<Measured> = Vec::with_capacity(names.len());
    let total = names.len() as u32;
    for (id, name, accepted) in names {
        let (verdict, seconds) = ended(registry, id).await?;
        measured.push(Measured { name, accepted, verdict, seconds });
        if let Some(all) = progress {
            let running = Progress::Running { done: measured.len() as u32, total };
            all.lock().insert(request.package.clone(), running);
        }
    }
    Ok(measured)
}

/// Waits until a run has ended.
async fn ended(registry: &Registry, id: SubmissionId) -> Result<(Option<Verdict>, f64), Refusal> {
    let core = &registry.core;
    core.follow(id).await.map_err(crate::gateway::store_refusal)?.ended().await;
    let detail = core.store.read(move |db| submissions::detail(db, id)).await;
    let detail = detail.map_err(crate::gateway::store_refusal)?;
    let summary =
        detail.ok_or_else(|| Refusal::new(RefusalCode::Internal, "a measuring run is gone"))?.summary;
    Ok((summary.verdict, summary.time_ms.unwrap_or(0) as f64 / 1000.0))
}
