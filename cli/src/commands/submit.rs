//! `codementor submit`: the main job. What it costs on its own counts, since it runs for each try: one connection, no
//! other process, no thread, and the subscription and the submission travel together.

use std::io::{BufRead, Write};
use std::time::Duration;

use codementor_protocol::{
    ListProblems, PackageHash, Purpose, RefusalCode, Slug, SourceFile, SubmissionId, Submit,
};
use rand::TryRngCore;

use crate::args;
use crate::commands::{Context, working_directory};
use crate::error::{CliError, ExitStatus, Outcome};
use crate::follow::follow;
use crate::problem::{self, Named};
use crate::render::{self, Renderer};
use crate::session::Session;
use crate::source::{self, Chosen};
use crate::stream::{Ear, Stream};
use crate::{near, package};

pub(crate) async fn run(context: &Context, args: &args::Submit) -> Result<ExitStatus, CliError> {
    let mut renderer = render::choose(&context.terminal, args.following.json, 1);
    let judged = async {
        let mut session = None;
        let judged = judge(context, &args.program, Purpose::Submission, &mut session);
        let mut judged = judged.await?;
        let session = session.as_mut().ok_or(CliError::NoSubmissions)?;
        let outcome = watch(session, &mut judged, &args.following, args.no_wait, &mut *renderer).await?;
        finish(&mut *renderer, &outcome, &judged.files)
    };
    let judged = judged.await;
    conclude(judged, &mut *renderer)
}

/// A program that is being judged.
pub(crate) struct Judging {
    pub(crate) id: SubmissionId,
    pub(crate) stream: Stream,
    pub(crate) files: Vec<SourceFile>,
}

/// Sends the program that the arguments mean, for the problem that they mean.
pub(crate) async fn judge<'a>(
    context: &'a Context,
    program: &args::Program,
    purpose: Purpose,
    opened: &mut Option<Session<'a>>,
) -> Result<Judging, CliError> {
    let dir = working_directory()?;
    let named = problem::name(program.problem.as_deref(), &dir)?;
    let languages = context.languages()?;
    let chosen = source::choose(
        &program.files,
        program.language.as_deref(),
        program.entry.as_deref(),
        &dir,
        &languages,
        |names| program.yes || (context.terminal.asks && confirm(names)),
    )?;
    let (slug, hash) = match named {
        Named::Installed(slug) => {
            *opened = Some(context.session().await?);
            (slug, None)
        }
        Named::Package(path) => {
            let parcel = package::pack(&context.settings, &context.progress, &languages, &path).await?;
            let session = opened.insert(context.session().await?);
            let installed = package::install(session, &parcel, true).await?;
            // Whoever submits again to the same package has read them.
            for warning in installed.warnings.iter().filter(|_| !installed.unchanged) {
                context.progress.note(&format!("warning: {warning}"));
            }
            (parcel.slug, Some(parcel.hash))
        }
    };
    let session = opened.as_mut().ok_or(CliError::NoSubmissions)?;
    send(session, slug, hash, chosen, purpose).await
}

/// Sends a program.
pub(crate) async fn send(
    session: &mut Session<'_>,
    problem: Slug,
    package: Option<PackageHash>,
    chosen: Chosen,
    purpose: Purpose,
) -> Result<Judging, CliError> {
    let submit = Submit {
        key: key()?,
        purpose,
        problem,
        package,
        language: chosen.language,
        files: chosen.files,
        entry: chosen.entry,
        feedback: false,
        answer_in: None,
        assignment: None,
        confirmed: false,
    };
    // The subscription is before the submission on the wire: no event can be missed, and nothing is waited for.
    let ear = Ear::open(session).await?;
    let submitted = match session.request(&submit).await {
        Ok(submitted) => submitted,
        Err(error) => return Err(explain(session, error, &submit.problem).await),
    };
    Ok(Judging {
        id: submitted.id,
        stream: Stream::new(submitted.id, ear, submitted.events),
        files: submit.files,
    })
}

/// Shows what happens to a program, until `Outcome`.
pub(crate) async fn watch(
    session: &mut Session<'_>,
    judging: &mut Judging,
    following: &args::Following,
    no_wait: bool,
    renderer: &mut dyn Renderer,
) -> Result<Outcome, CliError> {
    if no_wait {
        while let Some(event) = judging.stream.take_ready() {
            renderer.event(&event)?;
        }
        return Ok(Outcome::NotAwaited);
    }
    let timeout = following.timeout.map(Duration::from_secs);
    follow(session, &mut judging.stream, renderer, timeout).await
}

/// Shows the end. That nobody reads it does not change how it ended.
pub(crate) fn finish(
    renderer: &mut dyn Renderer,
    outcome: &Outcome,
    files: &[SourceFile],
) -> Result<ExitStatus, CliError> {
    match renderer.finish(outcome, files) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(outcome.status()),
    }
}

/// Ends a view whose watching failed.
pub(crate) fn conclude(
    judged: Result<ExitStatus, CliError>,
    renderer: &mut dyn Renderer,
) -> Result<ExitStatus, CliError> {
    match judged {
        // Nobody reads what happens any more; judging goes on, as after Ctrl-C.
        Err(CliError::BrokenPipe) => Ok(ExitStatus::Interrupted),
        Err(error) => {
            // The error itself is what counts.
            let _ = renderer.fail(&error);
            Err(error)
        }
        Ok(status) => Ok(status),
    }
}

/// Names the problems that may have been meant, where the daemon has not.
pub(crate) async fn explain(session: &mut Session<'_>, error: CliError, problem: &Slug) -> CliError {
    let CliError::Refused(mut refusal) = error else { return error };
    if refusal.code == RefusalCode::NotFound && refusal.hint.is_none() {
        // Where the list cannot be had, the refusal is still right.
        let known = session.request(&ListProblems {}).await.unwrap_or_default();
        let near = near::matches(problem.as_str(), known.iter().map(|known| known.slug.as_str()));
        refusal.hint = Some(match near.is_empty() {
            false => format!("did you mean {}?", near.join(" or ")),
            true => {
                "the installed problems: codementor list; a package goes by its path, such as ./hello".into()
            }
        });
    }
    refusal.into()
}

/// What makes a repeated request the same submission: 128 random bits.
fn key() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

/// Asks whether all of these files are one program.
fn confirm(names: &[String]) -> bool {
    let mut err = std::io::stderr();
    // A question that cannot be shown is answered by an empty line, which means no.
    let _ = write!(err, "Send all {} files ({}) as one program? [y/N] ", names.len(), names.join(", "));
    let _ = err.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}
