//! What the commands do: one file a verb.

mod admin;
mod assignment;
mod audit;
mod cancel;
mod ci;
mod code;
mod completion;
mod context;
mod course;
mod creds;
mod daemon;
mod diff;
mod down;
mod due;
mod feedback;
mod fix;
pub(crate) mod get;
mod grade;
mod hint;
mod history;
mod join;
mod list;
mod logout;
mod man;
mod pair;
mod personal;
mod prompt;
mod pull;
mod push;
mod rehearse;
mod rejudge;
mod roster;
mod runners;
mod show;
mod stats;
mod status;
pub(crate) mod submit;
mod test;
mod r#try;
mod up;
mod watch;
mod whoami;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use codementor_protocol::{RefusalCode, Show, SubmissionId};
use codementor_runners::Languages;
use codementord::settings::Settings;
use serde::Serialize;

use crate::args::problem::Problem;
use crate::args::{Ci, Cli, Command, Runners};
use crate::contexts;
use crate::error::{CliError, ExitStatus};
use crate::progress::Progress;
use crate::sanitize;
use crate::session::Session;
use crate::terminal::Terminal;

pub(crate) use runners::View;

/// What every command that talks to the daemon has.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) terminal: Terminal,
    pub(crate) progress: Progress,
}

impl Context {
    pub(crate) async fn session(&self) -> Result<Session<'_>, CliError> {
        Session::open(&self.settings, &self.progress).await
    }

    pub(crate) fn languages(&self) -> Result<Languages, CliError> {
        Ok(Languages::load(self.settings.languages_dir.as_deref())?)
    }

    /// Prints a result.
    pub(crate) fn print(&self, text: &str) -> Result<(), CliError> {
        self.progress.clear();
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Prints a result for programs.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<(), CliError> {
        let mut text = serde_json::to_string(value).map_err(std::io::Error::from)?;
        text.push('\n');
        self.print(&sanitize::json(&text))
    }
}

/// Carries out a command.
pub fn run(cli: Cli, terminal: Terminal) -> Result<ExitCode, CliError> {
    match cli.command {
        // These work without settings, and so everywhere.
        Command::Completion(args) => completion::run(&args).map(ExitCode::from),
        Command::Man(args) => man::run(&args).map(ExitCode::from),
        Command::Ci(Ci::Init(args)) => ci::init(&args).map(ExitCode::from),
        Command::Daemon { detached } => Ok(daemon::run(Settings::load(cli.flags)?, detached)),
        command => {
            let named = cli.context.as_deref();
            let settings = match &command {
                Command::Ci(Ci::Grade(args)) if args.local.is_some() => ci::settings(cli.flags, args)?,
                Command::Ci(Ci::Grade(args)) => contexts::apply(ci::settings(cli.flags, args)?, named)?,
                // The server is named on the command line.
                Command::Join(_) | Command::Ci(Ci::Login(_)) => Settings::load(cli.flags)?,
                // A context that is damaged can still be listed and removed.
                Command::Context(_) => {
                    let settings = Settings::load(cli.flags)?;
                    contexts::apply(settings.clone(), named).unwrap_or(settings)
                }
                _ => contexts::apply(Settings::load(cli.flags)?, named)?,
            };
            // The log of a CI job is only ever added to, also where it is a terminal.
            let progress = Progress::new(terminal.redraws && !matches!(command, Command::Ci(_)));
            let context = Context { settings, terminal, progress };
            codementord::promptness::ask_for_short_turns();
            // One thread: a command waits for one thing at a time, and threads take time to start.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let status = runtime.block_on(with_daemon(command, &context, named));
            // Whatever is still going on in the background is not waited for.
            runtime.shutdown_background();
            status.map(ExitCode::from)
        }
    }
}

async fn with_daemon(
    command: Command,
    context: &Context,
    named: Option<&str>,
) -> Result<ExitStatus, CliError> {
    match command {
        Command::Try => r#try::run(context).await,
        Command::Submit(args) => submit::run(context, &args).await,
        Command::Test(args) => test::run(context, &args).await,
        Command::Watch(args) => watch::run(context, &args).await,
        Command::Show(args) => show::run(context, &args).await,
        Command::Diff(args) => diff::run(context, &args).await,
        Command::Hint(args) => hint::run(context, &args).await,
        Command::Feedback(args) => feedback::run(context, &args).await,
        Command::Fix(args) => fix::run(context, &args).await,
        Command::History(args) => history::run(context, &args).await,
        Command::List(args) => list::run(context, &args).await,
        Command::Problem(Problem::List(args)) => list::versions(context, &args).await,
        Command::Problem(Problem::Push(args)) => push::run(context, &args).await,
        Command::Problem(Problem::Pull(args)) => pull::run(context, &args).await,
        Command::Problem(Problem::Rejudge(args)) => rejudge::run(context, &args).await,
        Command::Problem(Problem::Rehearse(args)) => rehearse::run(context, &args).await,
        Command::Due(args) => due::run(context, &args).await,
        Command::Get(args) => get::run(context, &args).await,
        Command::Join(args) => join::run(context, &args, named).await,
        Command::Whoami(args) => whoami::run(context, &args).await,
        Command::Logout(args) => logout::run(context, &args).await,
        Command::Pair(args) => pair::run(context, &args).await,
        Command::Context(command) => context::run(context, &command),
        Command::Admin(command) => admin::run(context, &command).await,
        Command::Ci(Ci::Login(args)) => join::log_in(context, &args).await,
        Command::Ci(Ci::Creds(args)) => creds::make(context, &args).await,
        Command::Ci(Ci::Drop { name }) => creds::drop_one(context, &name).await,
        Command::Course(command) => course::run(context, &command).await,
        Command::Assignment(command) => assignment::run(context, &command).await,
        Command::Grade(command) => grade::run(context, &command).await,
        Command::Export(args) => personal::export(context, &args).await,
        Command::Audit(args) => audit::run(context, &args).await,
        Command::Stats(args) => stats::run(context, &args).await,
        Command::Cancel(args) => cancel::run(context, &args).await,
        Command::Ci(Ci::Grade(args)) => ci::grade(context, &args).await,
        Command::Up => up::run(context).await,
        Command::Down => down::run(context).await,
        Command::Status(args) => status::run(context, &args).await,
        Command::Runners(Runners::List(args)) => runners::list(context, &args).await,
        Command::Runners(Runners::Prune) => runners::prune(context).await,
        Command::Runners(Runners::Build { languages }) => runners::build(context, &languages).await,
        // Carried out before there is a context.
        Command::Completion(_) | Command::Man(_) | Command::Daemon { .. } | Command::Ci(Ci::Init(_)) => {
            Ok(ExitStatus::Success)
        }
    }
}

/// The submission that is meant: the given one, else the user's newest.
async fn newest(session: &mut Session<'_>, given: Option<SubmissionId>) -> Result<SubmissionId, CliError> {
    match given {
        Some(id) => Ok(id),
        None => match session.request(&Show { submission: None }).await {
            Ok(detail) => Ok(detail.summary.id),
            Err(CliError::Refused(refusal)) if refusal.code == RefusalCode::NotFound => {
                Err(CliError::NoSubmissions)
            }
            Err(error) => Err(error),
        },
    }
}

/// Asks a person. A question that cannot be shown is answered by an empty line, which means no.
fn ask(question: &str) -> bool {
    let mut err = std::io::stderr();
    let _ = write!(err, "{}", sanitize::line(question));
    let _ = err.flush();
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes" | "예" | "네")
}

/// The folder that a command was called in.
fn working_directory() -> Result<PathBuf, CliError> {
    std::env::current_dir()
        .map_err(|source| CliError::Write { what: t!("in a folder that is gone").into(), source })
}
