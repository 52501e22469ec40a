//! Grades what a plan names: everything is submitted first, so that judges can work side by side, then each submission
//! is followed to its end. A failure of one problem is that problem's ending and stops no other.

use std::io::{self, Stderr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use codementor_protocol::{
    AssignmentId, JobEvent, PackageHash, Points, Purpose, Refusal, RefusalCode, Slug, SourceFile, Submit,
    Timestamp, Verdict,
};
use codementor_runners::Languages;

use crate::ci::environment::Environment;
use crate::ci::graded::{Ending, Graded, Problem, Source, Test};
use crate::ci::log::{self, Guard};
use crate::ci::plan::{Plan, Said, Task, UNNAMED};
use crate::commands::{Context, submit};
use crate::error::{CliError, ExitStatus, Outcome, come_back};
use crate::follow::follow;
use crate::package;
use crate::problem::Named;
use crate::render::Renderer;
use crate::render::plain::Plain;
use crate::render::tally::{End, Tally};
use crate::session::Session;
use crate::source::{self, Chosen, SourceError};
use crate::stream::{Ear, Stream};
use crate::terminal::Paint;

/// How grading is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Options<'a> {
    /// The language of programs whose language the plan does not fix.
    pub(crate) language: Option<&'a str>,
    /// Whether what counts against the student, being late or the last attempt, is agreed to, and all source files
    /// of a folder are taken as one program.
    pub(crate) agreed: bool,
    /// How long all verdicts may take.
    pub(crate) timeout: Option<Duration>,
}

/// Grades.
pub(crate) async fn grade(
    context: &Context,
    plan: &Plan,
    options: &Options<'_>,
    environment: &Environment,
) -> Result<Graded, CliError> {
    let began = Instant::now();
    let at = Timestamp(jiff::Timestamp::now().as_millisecond());
    let languages = context.languages()?;
    let mut session = None;
    // Why there is no session, once that is known: it is so for all problems.
    let mut unreachable: Option<Ending> = None;
    let mut sent = Vec::new();
    for task in &plan.tasks {
        let name = task.name();
        let (chosen, files) = match choose(task, options, &languages, environment) {
            Ok(chosen) => chosen,
            Err((missing, reason)) => {
                sent.push(Sent::Ended(problem(task, name, Ending::Unsent { missing, reason })));
                continue;
            }
        };
        if session.is_none() && unreachable.is_none() {
            match context.session().await {
                Ok(opened) => session = Some(opened),
                Err(error) => unreachable = Some(ungraded(&name, &error)),
            }
        }
        let submitted = match (&mut session, &unreachable) {
            (Some(session), _) => submit_one(context, session, plan, task, chosen, options, &languages).await,
            (None, Some(ending)) => Err(ending.clone()),
            (None, None) => Err(ungraded(&name, &CliError::NoSubmissions)),
        };
        let judged = Problem { files, ..problem(task, name, NOT_YET) };
        sent.push(match submitted {
            Ok(stream) => Sent::Judging(judged, Box::new(stream)),
            Err(ending) => Sent::Ended(Problem { ending, ..judged }),
        });
    }
    let mut problems = Vec::new();
    let mut interrupted = false;
    for one in sent {
        problems.push(match (one, &mut session) {
            (Sent::Ended(problem), _) => problem,
            (Sent::Judging(problem, stream), Some(session)) => {
                let left = options.timeout.map(|timeout| timeout.saturating_sub(began.elapsed()));
                let left = if interrupted { Some(Duration::ZERO) } else { left };
                let problem = watch(session, problem, *stream, left, interrupted).await;
                interrupted |=
                    matches!(problem.ending, Ending::Ungraded { status: ExitStatus::Interrupted, .. });
                problem
            }
            // What is being judged was sent through a session.
            (Sent::Judging(problem, _), None) => problem,
        });
    }
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Graded { name: plan.name.clone(), problems, at, elapsed_ms })
}

/// What grading comes to where not even the problems can be told.
pub(crate) fn nothing(name: String, error: &CliError) -> Graded {
    let problem = unsent(name.clone(), None, ungraded(&name, error));
    let at = Timestamp(jiff::Timestamp::now().as_millisecond());
    Graded { name, problems: vec![problem], at, elapsed_ms: 0 }
}

/// What grading comes to where it cannot begin: no problem of the plan has a grade. Nothing is told in the log.
pub(crate) fn not_begun(said: Option<&Said>, error: &CliError) -> Graded {
    let (name, problems) = match said {
        Some(Said::Plan(plan)) => {
            let one = |task: &Task| problem(task, task.name(), no_grade(error));
            (plan.name.clone(), plan.tasks.iter().map(one).collect())
        }
        Some(Said::Assignment { id: Some(id), .. }) => (id.assignment.to_string(), Vec::new()),
        Some(Said::Assignment { id: None, .. }) | None => (UNNAMED.to_owned(), Vec::new()),
    };
    let at = Timestamp(jiff::Timestamp::now().as_millisecond());
    let mut graded = Graded { name, problems, at, elapsed_ms: 0 };
    if graded.problems.is_empty() {
        graded.problems.push(unsent(graded.name.clone(), None, no_grade(error)));
    }
    graded
}

/// A problem on its way.
enum Sent {
    Ended(Problem),
    Judging(Problem, Box<Stream>),
}

/// The ending of a problem that has none yet; that it stays so would be our fault.
const NOT_YET: Ending =
    Ending::Ungraded { status: ExitStatus::OurFault, code: String::new(), message: String::new() };

fn problem(task: &Task, name: String, ending: Ending) -> Problem {
    unsent(name, task.points, ending)
}

fn unsent(name: String, points: Option<Points>, ending: Ending) -> Problem {
    Problem {
        name,
        points,
        submission: None,
        language: None,
        late: false,
        late_percent: 0,
        files: Vec::new(),
        tests: Vec::new(),
        total: 0,
        compiled: None,
        elapsed_ms: 0,
        ending,
    }
}

/// Tells in the log why a problem has no grade.
fn ungraded(name: &str, error: &CliError) -> Ending {
    tell(&format!("{name}: {}", error.render(Paint::PLAIN)));
    no_grade(error)
}

fn no_grade(error: &CliError) -> Ending {
    Ending::Ungraded {
        status: error.status(),
        code: error.status().token().into(),
        message: error.to_string(),
    }
}

/// Writes lines to the log of the job, beside the result.
pub(crate) fn tell(text: &str) {
    // A log that nobody reads is no reason to stop.
    let _ = io::Write::write_all(&mut io::stderr(), log::lines(text).as_bytes());
}

/// The program, and where each of its files is in the repository; or why there is none, and whether it is simply
/// missing.
fn choose(
    task: &Task,
    options: &Options,
    languages: &Languages,
    environment: &Environment,
) -> Result<(Chosen, Vec<Source>), (bool, String)> {
    let (dir, files) = place(task, languages);
    let language = task.language.as_deref().or(options.language);
    let chosen = source::choose(&files, language, task.entry.as_deref(), &dir, languages, |_| {
        task.whole || options.agreed
    });
    let chosen = chosen.map_err(|error| {
        let shown = match environment.in_repository(&dir) {
            here if here.is_empty() => "the repository".into(),
            shown => shown,
        };
        match &error {
            SourceError::NothingHere { .. } => (true, format!("there is no source file in {shown}")),
            SourceError::Folder { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                let name = task.name();
                (true, format!("there is neither a folder {shown} nor a source file {name}.*"))
            }
            SourceError::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                (true, error.to_string())
            }
            error => (
                false,
                format!("{error}{}", error.hint().map(|hint| format!("; {hint}")).unwrap_or_default()),
            ),
        }
    })?;
    let path = |file: &SourceFile| {
        let named = files.iter().find(|path| path.file_name().is_some_and(|name| name == file.name.as_str()));
        dir.join(named.map_or(Path::new(&file.name), PathBuf::as_path))
    };
    let sources = chosen.files.iter().map(|file| {
        let path = environment.in_repository(&path(file));
        Source { file: file.clone(), path }
    });
    let sources = sources.collect();
    Ok((chosen, sources))
}

/// Where a problem's files are: as the plan says, else in the problem's folder, else beside it under its name.
fn place(task: &Task, languages: &Languages) -> (PathBuf, Vec<PathBuf>) {
    if !task.whole || task.dir.is_dir() {
        return (task.dir.clone(), task.files.clone());
    }
    let (Some(root), Some(name)) = (task.dir.parent(), task.dir.file_name()) else {
        return (task.dir.clone(), task.files.clone());
    };
    let beside = std::fs::read_dir(root).into_iter().flatten().flatten().filter_map(|entry| {
        let file = PathBuf::from(entry.file_name());
        let known = languages.iter().any(|language| language.is_source(&file.to_string_lossy()));
        (known && file.file_stem() == Some(name) && entry.path().is_file()).then_some(file)
    });
    let mut files: Vec<PathBuf> = beside.collect();
    files.sort();
    if files.is_empty() { (task.dir.clone(), files) } else { (root.into(), files) }
}

/// Sends a program; where that fails, how its problem ends.
async fn submit_one(
    context: &Context,
    session: &mut Session<'_>,
    plan: &Plan,
    task: &Task,
    chosen: Chosen,
    options: &Options<'_>,
    languages: &Languages,
) -> Result<Stream, Ending> {
    let submitted = async {
        let (slug, hash) = match &task.problem {
            Named::Installed(slug) => (slug.clone(), None),
            Named::Package(path) if context.settings.nats_url.is_some() => {
                return Err(package::PackageError::OnServer { path: path.clone() }.into());
            }
            Named::Package(path) => {
                let parcel = package::pack(&context.settings, &context.progress, languages, path).await?;
                let installed = package::install(session, &parcel, true).await?;
                for warning in installed.warnings.iter().filter(|_| !installed.unchanged) {
                    tell(&format!("{}: warning: {}", parcel.slug, log::line(warning)));
                }
                (parcel.slug, Some(parcel.hash))
            }
        };
        let assignment = task.assignment.clone().or_else(|| plan.assignment.clone());
        send(session, slug, hash, chosen, assignment, options.agreed).await
    };
    submitted.await.map_err(|error: CliError| ungraded(&task.name(), &error))
}

async fn send(
    session: &mut Session<'_>,
    problem: Slug,
    package: Option<PackageHash>,
    chosen: Chosen,
    assignment: Option<AssignmentId>,
    confirmed: bool,
) -> Result<Stream, CliError> {
    let request = Submit {
        key: submit::key()?,
        purpose: Purpose::Submission,
        problem,
        package,
        language: chosen.language,
        files: chosen.files,
        entry: chosen.entry,
        // Nobody sits before the log of a job.
        feedback: false,
        answer_in: None,
        assignment,
        confirmed,
    };
    let ear = Ear::open(session).await?;
    match session.request(&request).await {
        Ok(submitted) => Ok(Stream::new(submitted.id, ear, submitted.events)),
        Err(CliError::Refused(refusal)) if refusal.code == RefusalCode::Confirm => {
            Err(agree_first(refusal).into())
        }
        Err(error) => Err(submit::explain(session, error, &request.problem).await),
    }
}

fn agree_first(refusal: Refusal) -> Refusal {
    Refusal { hint: Some("to have it count all the same: codementor ci grade --yes".into()), ..refusal }
}

/// Follows a submission to its end.
async fn watch(
    session: &mut Session<'_>,
    mut problem: Problem,
    mut stream: Stream,
    timeout: Option<Duration>,
    interrupted: bool,
) -> Problem {
    let mut view = View {
        tally: Tally::default(),
        plain: Plain::new(io::sink(), Guard::new(io::stderr()), Paint::PLAIN),
    };
    let outcome = follow(session, &mut stream, &mut view, timeout).await;
    let tally = view.tally;
    let (mut time_limit, mut memory_limit) = (0, 0);
    if let Some(facts) = &tally.accepted {
        problem.submission = Some(facts.id);
        problem.language = Some(facts.lang.clone());
        problem.late = facts.late;
        problem.late_percent = facts.late_percent;
        (time_limit, memory_limit) = (facts.time_limit_ms, facts.memory_limit_mib);
    }
    problem.elapsed_ms = tally.elapsed_ms().unwrap_or(0);
    problem.ending = ending(&problem.name, &tally, outcome, interrupted);
    // What was seen before a fault is void.
    if let Ending::Judged(result) = &problem.ending {
        problem.tests = tally.tests.iter().map(|test| Test::of(test, time_limit, memory_limit)).collect();
        problem.total = result.total.max(tally.total);
        problem.compiled = tally.compiled;
    }
    problem
}

fn ending(name: &str, tally: &Tally, outcome: Result<Outcome, CliError>, interrupted: bool) -> Ending {
    let back = tally.accepted.as_ref().map(|facts| come_back(facts.id)).unwrap_or_default();
    let without = |status: ExitStatus, message: String| Ending::Ungraded {
        status,
        code: status.token().into(),
        message,
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return ungraded(name, &error),
    };
    let status = outcome.status();
    match (outcome, &tally.end) {
        (Outcome::Judged(verdict, total), Some(End::Judged(result))) => {
            if total == 0 && verdict != Verdict::CompileError {
                return without(ExitStatus::NothingToGrade, "the problem has no tests".into());
            }
            Ending::Judged(result.clone())
        }
        (Outcome::Faulted(code), Some(End::Faulted(failed))) => {
            Ending::Ungraded { status, code, message: failed.message.clone() }
        }
        (Outcome::Cancelled, _) => without(status, "somebody cancelled it".into()),
        (Outcome::StillRunning, _) if !interrupted => {
            without(status, format!("still running at --timeout; judging goes on: {back}"))
        }
        (Outcome::Detached | Outcome::StillRunning, _) => {
            without(ExitStatus::Interrupted, format!("interrupted; judging goes on: {back}"))
        }
        (Outcome::Judged(..) | Outcome::Faulted(_) | Outcome::NotAwaited, _) => {
            without(ExitStatus::OurFault, "its events say nothing of how it ended".into())
        }
    }
}

/// What is known of a submission so far, and the lines that tell of it in the log.
struct View {
    tally: Tally,
    plain: Plain<io::Sink, Guard<Stderr>>,
}

impl Renderer for View {
    fn event(&mut self, event: &JobEvent) -> io::Result<()> {
        self.tally.apply(event);
        self.plain.event(event)
    }

    fn tick(&mut self, now: Instant) -> io::Result<()> {
        self.plain.tick(now)
    }

    fn finish(&mut self, _outcome: &Outcome, _files: &[SourceFile]) -> io::Result<()> {
        Ok(())
    }

    fn fail(&mut self, _error: &CliError) -> io::Result<()> {
        Ok(())
    }
}
