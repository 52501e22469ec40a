//! `codementor ci`: grading in CI, and the files that set it up.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use codementor_protocol::{DueAssignment, ListDue, SCHEMA_VERSION};
use codementord::settings::{Flags, Settings, SettingsError};
use serde_json::json;

use crate::args;
use crate::ci::environment::{Environment, Service};
use crate::ci::grade::{self, Options, tell};
use crate::ci::graded::Graded;
use crate::ci::plan::{self, Plan, Said, Sources};
use crate::ci::{
    CiError, annotations, classroom, code_quality, gradescope, init, json, junit, log, outputs, summary,
};
use crate::commands::{Context, working_directory};
use crate::error::{CliError, ExitStatus};
use crate::terminal::Paint;

/// Where `--classroom` writes to, where it is not a file.
const ENVIRONMENT: &str = "env";

/// The settings for grading. Without credentials for a server nothing is graded by another one: what a fork lacks is
/// said instead.
pub(crate) fn settings(mut flags: Flags, args: &args::CiGrade) -> Result<Settings, CliError> {
    if args.local.is_some() {
        (flags.nats_url, flags.creds) = (None, None);
        let mut settings = Settings::load(flags)?;
        settings.nats_url = None;
        return Ok(settings);
    }
    // A variable that is there and empty is how a CI service hands on a secret that a fork does not have.
    let emptied = |name: &str| std::env::var_os(name).is_some_and(|value| value.is_empty());
    let emptied = flags.nats_url.as_ref().is_some_and(String::is_empty)
        || flags.creds.as_ref().is_some_and(|creds| creds.as_os_str().is_empty())
        || emptied("CODEMENTOR_CREDS");
    let checked = match Settings::load(flags) {
        Err(SettingsError::UrlWithoutCreds(url)) => Err(Some(url)),
        Ok(settings) => match (&settings.nats_url, &settings.creds) {
            (url, Some(creds)) if is_blank(creds) => Err(url.clone()),
            (None, None) if emptied => Err(None),
            _ => Ok(settings),
        },
        Err(error) => return Err(error.into()),
    };
    checked.map_err(|url| {
        let environment = Environment::detect();
        let (service, pull_request) = (environment.service, environment.pull_request);
        let error = CiError::NoCredentials { url, service, pull_request }.into();
        // The error itself is what counts.
        let _ = refuse(args, &environment, &error);
        error
    })
}

/// Has every format that is asked for say why nothing was graded, as far as it can say it.
fn refuse(args: &args::CiGrade, environment: &Environment, error: &CliError) -> Result<(), CliError> {
    remove_all(args)?;
    let said = working_directory().ok().and_then(|dir| plan::read(&sources(args), &dir).ok());
    let graded = grade::not_begun(said.as_ref(), error);
    if let Some(path) = &args.junit {
        write(path, &junit::render(&graded))?;
    }
    let summary = summary::refusal(&error.to_string(), error.hint().as_deref());
    match (&args.summary, &environment.summary) {
        (Some(path), _) => write(path, &summary)?,
        (None, Some(path)) => append(path, &summary)?,
        (None, None) => {}
    }
    if let Some(path) = &environment.outputs {
        append(path, &outputs::render(&graded, args.min_score))?;
    }
    if args.json {
        std::io::stdout().write_all(json::render(&graded, args.min_score).as_bytes())?;
    }
    Ok(())
}

fn sources(args: &args::CiGrade) -> Sources<'_> {
    Sources {
        problems: &args.problems,
        files: &args.files,
        assignment: args.assignment.as_deref(),
        local: args.local.as_deref(),
        // Its results are the grade, and what is graded is what a student has uploaded.
        distrustful: args.gradescope.is_some(),
    }
}

/// Removes what earlier runs wrote: no grade of one may be taken for this run's.
fn remove_all(args: &args::CiGrade) -> Result<(), CliError> {
    let classroom = args.classroom.as_ref().filter(|path| path.as_os_str() != ENVIRONMENT);
    let files = [&args.junit, &args.summary, &args.code_quality, &args.gradescope];
    files.into_iter().flatten().chain(classroom).try_for_each(remove)
}

fn is_blank(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| bytes.iter().all(u8::is_ascii_whitespace))
}

pub(crate) async fn grade(context: &Context, args: &args::CiGrade) -> Result<ExitStatus, CliError> {
    match graded(context, args).await {
        // The usual way to say it would put words of others at the beginning of a line.
        Err(error) if !matches!(error, CliError::BrokenPipe) => {
            tell(&error.render(Paint::PLAIN));
            if args.json {
                context.print(&log::json(&failure(&error)))?;
            }
            Ok(error.status())
        }
        ended => ended,
    }
}

fn failure(error: &CliError) -> String {
    let status = error.status();
    let object = json!({
        "v": SCHEMA_VERSION,
        "exit_code": status.code(),
        "error": {
            "code": status.token(),
            "message": error.to_string(),
            "hint": error.hint(),
            "retryable": error.retryable(),
        },
    });
    crate::sanitize::json(&format!("{object}\n")).into_owned()
}

async fn graded(context: &Context, args: &args::CiGrade) -> Result<ExitStatus, CliError> {
    let environment = Environment::detect();
    remove_all(args)?;
    let for_later_steps = args.classroom.as_ref().is_some_and(|path| path.as_os_str() == ENVIRONMENT);
    if for_later_steps && environment.variables.is_none() {
        return Err(CiError::NotOnGitHub.into());
    }
    let sources = sources(args);
    let dir = working_directory()?;
    let options = Options {
        language: args.language.as_deref(),
        agreed: args.yes,
        timeout: args.timeout.map(Duration::from_secs),
    };
    let apart = |error| match error {
        CiError::NotNamed if sources.distrustful => CiError::NotNamedApart,
        error => error,
    };
    let graded = match plan::read(&sources, &dir)? {
        Said::Plan(plan) => grade::grade(context, &plan, &options, &environment).await?,
        // A private daemon is not started only to hear that it has none.
        Said::Assignment { id: None, .. } if context.settings.nats_url.is_none() => {
            return Err(apart(CiError::NotNamed).into());
        }
        Said::Assignment { id, root } => match listed(context).await {
            Ok(due) => {
                let plan =
                    plan::finish(Plan::out_of(&due, id.as_ref(), &root).map_err(apart)?, &sources, &dir)?;
                grade::grade(context, &plan, &options, &environment).await?
            }
            Err(error) => {
                let name = id.map_or_else(|| plan::UNNAMED.into(), |id| id.assignment.to_string());
                grade::nothing(name, &error)
            }
        },
    };
    report(context, args, &graded, &environment)?;
    Ok(graded.status(args.min_score))
}

/// The assignments that the server shows.
async fn listed(context: &Context) -> Result<Vec<DueAssignment>, CliError> {
    context.session().await?.request(&ListDue {}).await
}

/// Writes every format that is asked for, and the result itself last.
fn report(
    context: &Context,
    args: &args::CiGrade,
    graded: &Graded,
    environment: &Environment,
) -> Result<(), CliError> {
    if let Some(path) = &args.junit {
        write(path, &junit::render(graded))?;
    }
    let summary = summary::render(graded, args.min_score);
    match (&args.summary, &environment.summary) {
        (Some(path), _) => write(path, &summary)?,
        (None, Some(path)) => append(path, &summary)?,
        (None, None) => {}
    }
    if let Some(path) = &environment.outputs {
        append(path, &outputs::render(graded, args.min_score))?;
    }
    // Of what has no grade there is no file: an empty one would say that all is well, or that there are no points.
    if let Some(path) = args.code_quality.as_ref().filter(|_| graded.score().is_some()) {
        write(path, &code_quality::render(graded))?;
    }
    if let Some((path, text)) = args.gradescope.as_ref().zip(gradescope::render(graded)) {
        write(path, &text)?;
    }
    if let Some((path, text)) = args.classroom.as_ref().zip(classroom::render(graded)) {
        match (path.as_os_str() == ENVIRONMENT, &environment.variables) {
            (true, Some(variables)) => {
                append(variables, &format!("{}={text}\n", classroom::VARIABLE))?;
                if let Some(path) = &environment.outputs {
                    append(path, &format!("result={text}\n"))?;
                }
            }
            _ => write(path, &text)?,
        }
    }
    let mut said = log::report(graded, args.min_score);
    if environment.service == Some(Service::GitHub) {
        said.push_str(&annotations::render(graded));
    }
    if args.json {
        // Standard output is the object's alone; a runner obeys both streams.
        let _ = std::io::stderr().write_all(said.as_bytes());
        said = json::render(graded, args.min_score);
    }
    match context.print(&said) {
        // That nobody reads it does not change how it ended.
        Err(CliError::BrokenPipe) => Ok(()),
        printed => printed,
    }
}

/// Writes one of the files that are asked for, and the folders that it is in.
fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let unwritten = |source| CliError::File { path: path.into(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(unwritten)?;
    }
    std::fs::write(path, text).map_err(unwritten)
}

/// Adds to one of the files of a CI service.
fn append(path: &Path, text: &str) -> Result<(), CliError> {
    let file = std::fs::File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| CliError::Write { what: path.display().to_string(), source })
}

/// Removes a file of an earlier run. What is no file, such as `/dev/stdout`, stays.
fn remove(path: &PathBuf) -> Result<(), CliError> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => {
            std::fs::remove_file(path).map_err(|source| CliError::File { path: path.into(), source })
        }
        _ => Ok(()),
    }
}

/// Writes the files that make a CI service grade this repository.
pub(crate) fn init(args: &args::CiInit) -> Result<ExitStatus, CliError> {
    let dir = working_directory()?;
    let repository = init::root(&dir);
    let host = match args.host {
        Some(host) => host,
        None => init::detect(&repository)?,
    };
    // What is made for Gradescope is zipped, and is no part of a repository.
    let root = if host == args::Host::Gradescope { dir.clone() } else { repository };
    let files = init::files(host);
    if args.print {
        let texts: String = files.iter().map(|file| file.text).collect();
        std::io::stdout().write_all(texts.as_bytes())?;
        return Ok(ExitStatus::Success);
    }
    // All or none: half of a set-up would only look like one.
    if let Some(there) =
        files.iter().map(|file| root.join(file.path)).find(|path| path.exists() && !args.force)
    {
        return Err(CiError::Exists { path: shown(&there, &dir) }.into());
    }
    for file in files {
        let path = root.join(file.path);
        write(&path, file.text)?;
        if file.runs {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
                .map_err(|source| CliError::File { path: path.clone(), source })?;
        }
        writeln!(std::io::stdout(), "{}", t!("wrote {shown}", shown = shown(&path, &dir).display()))?;
    }
    writeln!(std::io::stdout(), "{}", init::next(host))?;
    Ok(ExitStatus::Success)
}

fn shown(path: &Path, dir: &Path) -> PathBuf {
    path.strip_prefix(dir).unwrap_or(path).into()
}
