//! The `codementord` program.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::daemon;
use crate::settings::{Flags, Paths, Settings};

/// A log that has grown past this is put aside when a daemon starts.
const MAX_LOG: u64 = 16 * 1024 * 1024;
/// What is exited with where the daemon cannot run.
const UNREACHABLE: u8 = 69;
/// What is exited with where it can run later: there is no room on the disk.
const LATER: u8 = 75;

/// The CodeMentor daemon: judges programs for the `codementor` command line.
#[derive(Debug, Parser)]
#[command(name = "codementord", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    settings: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the daemon in the foreground [default]
    Serve,
    /// Judge for a daemon elsewhere: needs --nats-url and --creds
    Judge,
    /// Make the credential of a judge on another host
    JudgeCreds {
        /// The judge's name, of the characters a-z, 0-9, _ and -
        name: String,
        /// Where to write it [default: NAME.creds]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Print a code that works once, within an hour: who joins by it becomes an administrator
    AdminCode,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = match Settings::load(arguments.settings) {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let result = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => {
            log_to_stderr(&settings.log);
            // Only a private daemon ends by itself: commands start it again.
            run(daemon::serve(Settings { idle_timeout: None, ..settings }, true))
        }
        Command::Judge => {
            log_to_stderr(&settings.log);
            run(daemon::judge(settings))
        }
        Command::AdminCode => run(async {
            // A closed standard output loses the code, not the server.
            daemon::admin_code(settings).await.map(|code| println!("{code}"))
        }),
        Command::JudgeCreds { name, out } => {
            write_creds(&settings, &name, out).map_err(|message| Stopped { message, code: UNREACHABLE })
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped { message, code }) => {
            eprintln!("error: {message}");
            ExitCode::from(code)
        }
    }
}

/// Runs the private daemon of a data directory: in the background, with its log in that directory. What keeps it from
/// starting is left in a file for the command that waits for it.
pub fn run_private(settings: Settings) -> ExitCode {
    let paths = settings.paths.clone();
    if let Err(error) = std::fs::create_dir_all(&paths.data).and_then(|()| log_to_file(&paths, &settings.log))
    {
        let message = format!("cannot write the log {}: {error}", paths.log().display());
        let _ = crate::files::write_private(&paths.daemon_error(), message.as_bytes());
        let full = error.kind() == std::io::ErrorKind::StorageFull;
        return ExitCode::from(if full { LATER } else { UNREACHABLE });
    }
    match run(daemon::serve(settings, false)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped { message, code }) => {
            tracing::error!(message, "the daemon ends");
            // Should this fail too, the log still says why.
            let _ = crate::files::write_private(&paths.daemon_error(), message.as_bytes());
            ExitCode::from(code)
        }
    }
}

/// Why the program ends, and what it exits with.
struct Stopped {
    message: String,
    code: u8,
}

fn run(work: impl Future<Output = Result<(), daemon::DaemonError>>) -> Result<(), Stopped> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped { message: error.to_string(), code: UNREACHABLE })?;
    let result = runtime.block_on(work).map_err(|error| Stopped {
        message: match error.hint() {
            Some(hint) => format!("{error}\nhint: {hint}"),
            None => error.to_string(),
        },
        code: if error.is_disk_full() { LATER } else { UNREACHABLE },
    });
    // A task that reads a slow disk must not keep a daemon that has said goodbye.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

fn write_creds(settings: &Settings, name: &str, out: Option<PathBuf>) -> Result<(), String> {
    let path = out.unwrap_or_else(|| format!("{name}.creds").into());
    let creds = daemon::judge_creds(settings, name).map_err(|error| error.to_string())?;
    creds.write(&path).map_err(|error| error.to_string())?;
    println!("wrote {}; on the judge's host: codementord judge --nats-url URL --creds FILE", path.display());
    Ok(())
}

fn filter(text: &str) -> EnvFilter {
    EnvFilter::try_new(text).unwrap_or_else(|error| {
        eprintln!("the log filter '{text}' is wrong ({error}); using 'info'");
        EnvFilter::new("info")
    })
}

fn log_to_stderr(text: &str) {
    // A second subscriber in one process keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(text))
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .try_init();
}

fn log_to_file(paths: &Paths, text: &str) -> std::io::Result<()> {
    let path = paths.log();
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_LOG) {
        std::fs::rename(&path, path.with_extension("log.1"))?;
    }
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter(text))
        .with_ansi(false)
        // That a line cannot be written would be told to standard error, which is this very file; on a full disk that
        // panics, and takes a task along that would have gone on.
        .log_internal_errors(false)
        .with_writer(file);
    let _ = subscriber.try_init();
    Ok(())
}
