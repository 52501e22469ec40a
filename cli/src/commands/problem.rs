//! `codementor problem push`: makes packages the versions that judge.

use std::path::PathBuf;

use crate::commands::Context;
use crate::error::{CliError, ExitStatus};
use crate::package;
use crate::render::words;
use crate::sanitize;

pub(crate) async fn push(context: &Context, packages: &[PathBuf]) -> Result<ExitStatus, CliError> {
    let languages = context.languages()?;
    let mut session = context.session().await?;
    for path in packages {
        let parcel = package::pack(&context.settings, &context.progress, &languages, path).await?;
        let installed = package::install(&mut session, &parcel, false).await?;
        for warning in &installed.warnings {
            context.progress.note(&format!("warning: {}: {warning}", parcel.slug));
        }
        let problem = &installed.problem;
        let what = if installed.unchanged { "is unchanged" } else { "is installed" };
        context.print(&format!(
            "{} {what}: {}, {} ({} shown), {} of CPU time, {}\n",
            problem.slug,
            sanitize::line(&problem.title),
            words::plural(problem.cases.into(), "test"),
            problem.samples,
            words::duration(problem.limits.time_ms),
            words::memory(problem.limits.memory_mib * 1024),
        ))?;
    }
    Ok(ExitStatus::Success)
}
