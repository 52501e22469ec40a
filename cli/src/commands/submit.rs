//! `codementor submit`: the main job. What it costs on its own counts, since it runs for each try: one connection, no
//! other process, no thread, and the subscription and the submission travel together.

use std::time::Duration;

use codementor_protocol::{
    AnswerLanguage, AssignmentId, FeedbackPolicy, GetStatus, ListProblems, PackageHash, Purpose, RefusalCode,
    Slug, SourceFile, SubmissionId, Submit, Verdict,
};
use rand::TryRngCore;

use crate::args;
use crate::commands::{Context, ask, working_directory};
use crate::error::{CliError, ExitStatus, Outcome};
use crate::follow::{self, Until, Watching};
use crate::problem::{self, Named};
use crate::render::{self, Renderer, Shown};
use crate::session::Session;
use crate::source::{self, Chosen};
use crate::stream::{Ear, Stream};
use crate::{locale, near, package};

pub(crate) async fn run(context: &Context, args: &args::Submit) -> Result<ExitStatus, CliError> {
    if args.show_prompt {
        return super::prompt::run(context, args).await;
    }
    let talking = Talking::decide(context, &args.feedback, args.following.json);
    let shown = Shown { json: args.following.json, from: 1, feedback: talking.shown };
    let mut renderer = render::choose(&context.terminal, shown);
    let judged = async {
        let mut session = None;
        let wish = match args.feedback.no_feedback {
            true => Wish::NONE,
            false => Wish { feedback: true, answer_in: answer_in(context) },
        };
        let judged = judge(context, &args.program, Purpose::Submission, wish, &mut session);
        let mut judged = judged.await?;
        let session = session.as_mut().ok_or(CliError::NoSubmissions)?;
        let until = talking.until;
        let outcome =
            watch(session, &mut judged, &args.following, until, args.no_wait, &mut *renderer).await?;
        let silent = renderer.is_silent();
        let status = finish(&mut *renderer, &outcome, &judged.files)?;
        let failed = matches!(outcome, Outcome::Judged(verdict, _) if verdict != Verdict::Accepted);
        if failed && silent && until == Until::End && !args.following.json {
            explain_silence(context, session).await;
        }
        Ok(status)
    };
    let judged = judged.await;
    conclude(judged, &mut *renderer)
}

/// Whether feedback is shown, and whether it is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talking {
    pub(crate) shown: bool,
    pub(crate) until: Until,
}

impl Talking {
    /// A person on a terminal sees feedback while it streams; everybody else asks for it.
    pub(crate) fn decide(context: &Context, args: &args::Feedback, json: bool) -> Self {
        let awaited = !args.no_feedback && (args.feedback || (context.terminal.out_tty && !json));
        let until = if awaited { Until::End } else { Until::Verdict };
        // Programs may as well see what comes before the verdict.
        Self { shown: awaited || (json && !args.no_feedback), until }
    }
}

/// What a student wants of a model.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) feedback: bool,
    pub(crate) answer_in: Option<AnswerLanguage>,
}

impl Wish {
    /// No model is asked.
    pub(crate) const NONE: Self = Self { feedback: false, answer_in: None };
}

/// The language that answers should be in: as it is set, else as the messages are.
pub(crate) fn answer_in(context: &Context) -> Option<AnswerLanguage> {
    let set = context.settings.feedback.answer_in.clone();
    set.or_else(locale::answers)
}

/// Says how to set up a model where none is: to the owner of a private daemon, who can.
async fn explain_silence(context: &Context, session: &Session<'_>) {
    let feedback = &context.settings.feedback;
    if context.settings.nats_url.is_some() || feedback.policy == FeedbackPolicy::Off {
        return;
    }
    // That a daemon does not answer is no news after a verdict.
    let Ok(status) = session.client().request(&GetStatus {}).await else { return };
    let line = match (status.feedback.endpoints.is_empty(), feedback.endpoints.is_empty()) {
        (true, true) => {
            t!("feedback: no model is set up; set CODEMENTOR_FEEDBACK_URL and CODEMENTOR_FEEDBACK_MODEL, \
                then: codementor down")
        }
        (true, false) => t!("feedback: the daemon was started before a model was set up: codementor down"),
        (false, _) => return,
    };
    context.progress.note(line);
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
    wish: Wish,
    opened: &mut Option<Session<'a>>,
) -> Result<Judging, CliError> {
    let (slug, hash, chosen) = choose(context, program, opened).await?;
    let session = opened.as_mut().ok_or(CliError::NoSubmissions)?;
    let assignment = assignment(program)?;
    let ask_anyway = |cost: &str| ask(&t!("{cost}. Submit it all the same? [y/N] ", cost));
    let asks = context.terminal.asks.then_some(&ask_anyway as &dyn Fn(&str) -> bool);
    let entry = Entry { assignment, agreed: program.yes, asks };
    send(session, slug, hash, chosen, purpose, wish, entry).await
}

/// The assignment that the arguments name, or the folder does.
pub(crate) fn assignment(program: &args::Program) -> Result<Option<AssignmentId>, CliError> {
    Ok(problem::meant(program.problem.as_deref(), &working_directory()?)?.assignment)
}

/// Finds out which program and which problem are meant; a package that is named by its path is installed.
pub(crate) async fn choose<'a>(
    context: &'a Context,
    program: &args::Program,
    opened: &mut Option<Session<'a>>,
) -> Result<(Slug, Option<PackageHash>, Chosen), CliError> {
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
        Named::Package(path) if context.settings.nats_url.is_some() => {
            // As it was typed, where it was.
            let path = program.problem.clone().unwrap_or(path);
            return Err(package::PackageError::OnServer { path }.into());
        }
        Named::Package(path) => {
            let parcel = package::pack(&context.settings, &context.progress, &languages, &path).await?;
            let session = opened.insert(context.session().await?);
            let installed = package::install(session, &parcel, true).await?;
            // Whoever submits again to the same package has read them.
            for warning in installed.warnings.iter().filter(|_| !installed.unchanged) {
                context.progress.note(&t!("warning: {warning}", warning = locale::said(warning)));
            }
            (parcel.slug, Some(parcel.hash))
        }
    };
    Ok((slug, hash, chosen))
}

/// Where a program is handed in, and whether it is agreed to that this costs something.
#[derive(Default)]
pub(crate) struct Entry<'a> {
    /// The assignment; the only one that is meant where none is named.
    pub(crate) assignment: Option<AssignmentId>,
    /// Whether a late submission or a last attempt is agreed to.
    pub(crate) agreed: bool,
    /// Who can be asked whether it is; nobody where there is no terminal.
    pub(crate) asks: Option<&'a dyn Fn(&str) -> bool>,
}

/// Sends a program.
pub(crate) async fn send(
    session: &mut Session<'_>,
    problem: Slug,
    package: Option<PackageHash>,
    chosen: Chosen,
    purpose: Purpose,
    wish: Wish,
    entry: Entry<'_>,
) -> Result<Judging, CliError> {
    let mut submit = Submit {
        key: key()?,
        purpose,
        problem,
        package,
        language: chosen.language,
        files: chosen.files,
        entry: chosen.entry,
        feedback: wish.feedback,
        answer_in: wish.answer_in,
        assignment: entry.assignment,
        confirmed: entry.agreed,
    };
    // The subscription is before the submission on the wire: no event can be missed, and nothing is waited for.
    let ear = Ear::open(session).await?;
    let submitted = loop {
        match session.request(&submit).await {
            Ok(submitted) => break submitted,
            // What it costs is the server's to say: its clock and its books count.
            Err(CliError::Refused(refusal)) if refusal.code == RefusalCode::Confirm && !submit.confirmed => {
                if !entry.asks.is_some_and(|ask| ask(&locale::said(&refusal.message))) {
                    return Err(refusal.into());
                }
                submit.confirmed = true;
            }
            Err(error) => return Err(explain(session, error, &submit.problem).await),
        }
    };
    Ok(Judging {
        id: submitted.id,
        stream: Stream::new(submitted.id, ear, submitted.events),
        files: submit.files,
    })
}

/// Shows what happens to a program.
pub(crate) async fn watch(
    session: &mut Session<'_>,
    judging: &mut Judging,
    following: &args::Following,
    until: Until,
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
    let watching = Watching { until, timeout, files: &judging.files };
    follow::watch(session, &mut judging.stream, renderer, watching).await
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
    match error {
        CliError::Refused(refusal) if refusal.code == RefusalCode::NotFound && refusal.hint.is_none() => {
            // Where the list cannot be had, the refusal is still right.
            let known = session.request(&ListProblems {}).await.unwrap_or_default();
            let near = near::matches(problem.as_str(), known.iter().map(|known| known.slug.as_str()));
            CliError::NoProblem { refusal, near }
        }
        error => error,
    }
}

/// What makes a repeated request the same submission: 128 random bits.
pub(crate) fn key() -> Result<String, CliError> {
    let mut bytes = [0; 16];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(std::io::Error::other)?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}

/// Asks whether all of these files are one program.
fn confirm(names: &[String]) -> bool {
    ask(&t!(
        "Send all {count} files ({names}) as one program? [y/N] ",
        count = names.len(),
        names = names.join(", ")
    ))
}
