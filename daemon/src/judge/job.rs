//! One job from its package to its verdict.

use std::sync::Arc;
use std::time::{Duration, Instant};

use codementor_protocol::{
    CaseSelection, Fault, FaultCode, Finish, Job, ReportKind, StopRule, Verdict, Visibility,
};
use codementor_runners::{Language, Sandbox, Source, diagnostics};

use super::case::{self, CaseVerdict};
use super::package::{Prepared, PreparedCase};
use super::report::Reporter;
use super::{Judge, unknown};

/// How much of a compiler's own words is kept.
const MAX_COMPILER_OUTPUT: usize = 32 * 1024;
/// How often a student hears how far a language's image is.
const PREPARING_EVERY: Duration = Duration::from_millis(700);
/// How many such steps wait to be told; those that find no room are not told.
const PREPARING_STEPS: usize = 64;

/// Runs a job to its end. Everything but the last report goes to `reporter`.
pub(super) async fn run(judge: &Judge, job: &Job, slot: u32, reporter: &Reporter) -> Finish {
    let started = Instant::now();
    let finish = match judge_program(judge, job, reporter).await {
        Ok(finish) => finish,
        Err(fault) => Finish::Faulted(fault),
    };
    tracing::info!(
        submission = job.submission.0,
        slot,
        took_ms = started.elapsed().as_millis() as u64,
        ?finish,
        "judged"
    );
    finish
}

async fn judge_program(judge: &Judge, job: &Job, reporter: &Reporter) -> Result<Finish, Fault> {
    let language = judge
        .languages
        .by_id(&job.language)
        .ok_or_else(|| unknown(&format!("the language '{}'", job.language)))?;
    let package = judge.packages.get(&job.package).await?;
    let cases: Vec<&PreparedCase> = package
        .cases
        .iter()
        .filter(|case| job.cases == CaseSelection::All || case.visibility == Visibility::Sample)
        .collect();
    let total = cases.len() as u32;
    tracing::info!(submission = job.submission.0, generation = job.generation, "took a job");
    reporter.report(ReportKind::Started { judge: judge.setup.name.clone(), total }).await;
    let mut sandbox = open(judge, job, language, reporter).await?;
    let judged = judge_in(&mut sandbox, job, language, &package, &cases, reporter).await;
    match judged {
        // The verdict does not wait for the sandbox to be cleaned.
        Ok(verdict) => {
            drop(tokio::spawn(sandbox.close()));
            Ok(verdict)
        }
        Err(fault) => Err(fault),
    }
}

/// Leases a sandbox, making the language's image ready first where it is not, and saying so.
async fn open(judge: &Judge, job: &Job, language: &Language, reporter: &Reporter) -> Result<Sandbox, Fault> {
    let (progress, mut steps) = tokio::sync::mpsc::channel::<String>(PREPARING_STEPS);
    let opening = judge.workshop.open(language, &job.limits, progress);
    let telling = async {
        let mut last: Option<Instant> = None;
        while let Some(text) = steps.recv().await {
            if last.is_none_or(|last| last.elapsed() >= PREPARING_EVERY) {
                last = Some(Instant::now());
                reporter.report(ReportKind::Preparing { text }).await;
            }
        }
    };
    tokio::join!(opening, telling).0
}

async fn judge_in(
    sandbox: &mut Sandbox,
    job: &Job,
    language: &Arc<Language>,
    package: &Arc<Prepared>,
    cases: &[&PreparedCase],
    reporter: &Reporter,
) -> Result<Finish, Fault> {
    let total = cases.len() as u32;
    let source = Source {
        language,
        submitted: &job.files,
        included: package.include_for(language.id()),
        entry: job.entry.as_deref(),
    };
    let runs = cases.iter().map(|case| case.run()).collect();
    let (build, runs) = sandbox.judge(&source, runs, &job.limits).await?;
    // Whole, since a compiler's output for programs is read from its beginning to its end.
    let reading = diagnostics::read(
        language.diagnostics(),
        &String::from_utf8_lossy(&build.output.bytes),
        &[job.files.as_slice(), package.include_for(language.id())].concat(),
    );
    let compiled = ReportKind::Compiled {
        ok: build.ok,
        time_ms: build.time.as_millis() as u64,
        diagnostics: reading.diagnostics,
        output: cut(reading.text, MAX_COMPILER_OUTPUT),
    };
    reporter.report(compiled).await;
    let Some(mut runs) = runs else {
        return Ok(Finish::Judged { verdict: Verdict::CompileError, passed: 0, total });
    };

    tracing::debug!(submission = job.submission.0, total, "running the cases");
    let (mut passed, mut first_failure) = (0, None);
    while let Some(done) = runs.next().await? {
        let case = cases
            .get(done.index)
            .ok_or_else(|| Fault::new(FaultCode::Sandbox, "the sandbox ran a case that it was not given"))?;
        let CaseVerdict { verdict, report } = case::judge(package, case, done, &job.limits).await?;
        reporter.report(ReportKind::Case(report)).await;
        if verdict == Verdict::Accepted {
            passed += 1;
            continue;
        }
        first_failure.get_or_insert(verdict);
        if job.stop == StopRule::FirstFailure {
            runs.stop().await?;
            break;
        }
    }
    Ok(Finish::Judged { verdict: first_failure.unwrap_or(Verdict::Accepted), passed, total })
}

/// The beginning of a text, at most `bytes` of it.
fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        let mut end = bytes;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n…");
    }
    text
}
