//! The verdict of one case: the program's end against the limits, its output against the answer.

use std::sync::Arc;

use codementor_problems::compare::compare;
use codementor_protocol::{
    Capture, CaseReport, Comparison, Exit, Fault, FaultCode, Limits, Verdict, Visibility, classify,
};
use codementor_runners::CaseDone;

use super::package::{Prepared, PreparedCase};

/// How much of a sample's output a student can read again.
const MAX_CAPTURE: usize = 64 * 1024;
/// Outputs larger than this are compared on a thread where that holds up nobody.
const LARGE: usize = 256 * 1024;

/// A case's verdict, and all that is reported of it.
pub(super) struct CaseVerdict {
    pub(super) verdict: Verdict,
    pub(super) report: CaseReport,
}

/// Judges a case that was run. The answer is read here, outside of every container.
pub(super) async fn judge(
    package: &Arc<Prepared>,
    case: &PreparedCase,
    done: CaseDone,
    limits: &Limits,
) -> Result<CaseVerdict, Fault> {
    let comparison = if done.exited.stopped_by.is_none() && done.exited.exit == Exit::Code(0) {
        let answer = package.answer(case).await?;
        let (flags, stdout) = (case.flags.clone(), done.stdout.clone());
        let same = move || compare(&answer, &stdout, &flags).is_same();
        let same = if done.stdout.len() > LARGE {
            tokio::task::spawn_blocking(same).await.map_err(|error| Fault::new(FaultCode::Internal, error))?
        } else {
            same()
        };
        if same { Comparison::Same } else { Comparison::Different }
    } else {
        Comparison::Different
    };
    let verdict = classify(&done.exited, limits, comparison);
    let sample = case.visibility == Visibility::Sample;
    let report = CaseReport {
        index: case.index,
        name: case.name.clone(),
        group: case.group.clone(),
        visibility: case.visibility,
        verdict,
        exit: done.exited.exit,
        usage: done.exited.usage,
        stdout: sample.then(|| Capture::new(&done.stdout, done.stdout.len() as u64, MAX_CAPTURE)),
        stderr: sample.then(|| Capture::new(&done.stderr.bytes, done.stderr.total, MAX_CAPTURE)),
    };
    Ok(CaseVerdict { verdict, report })
}
