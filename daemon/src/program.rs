//! The `codementord` program.

use std::fs::OpenOptions;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::backup::{self, BackupError, RestoreError};
use crate::daemon;
use crate::settings::{Flags, Paths, Server, ServerFlags, Settings};
use crate::setup::{self, InitError};

/// A log that has grown past this is put aside when a daemon starts.
const MAX_LOG: u64 = 16 * 1024 * 1024;
/// What is exited with where the daemon cannot run.
const UNREACHABLE: u8 = 69;
/// What is exited with where something else must be typed.
const USAGE: u8 = 2;
/// What is exited with where it can run later: there is no room on the disk.
const LATER: u8 = 75;

/// The CodeMentor daemon: judges programs for the `codementor` command line.
#[derive(Debug, Parser)]
#[command(name = "codementord", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    server: ServerFlags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new server: its keys, its administrator's credential, its configuration
    Init {
        /// What people call the administrator
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// Run the daemon in the foreground [default]
    Serve,
    /// Judge for a daemon elsewhere: needs --creds
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
    /// Write what a NATS server of your own needs to serve this installation
    NatsConfig {
        /// The folder to write it into
        #[arg(long, value_name = "DIR", default_value = "nats-config")]
        out: PathBuf,
        /// A folder that the NATS server may write, where it keeps accounts
        #[arg(long, value_name = "DIR", default_value = "codementor-accounts")]
        resolver_dir: PathBuf,
    },
    /// Write everything that must not be lost into one file, while the server runs
    Backup {
        /// The file, which must not be there yet; it holds secrets
        file: PathBuf,
    },
    /// Put a backup into an empty data directory
    Restore {
        /// The file that 'backup' has written
        file: PathBuf,
    },
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Serve);
    let (flags, server) = (arguments.settings, arguments.server);
    let settings = match &command {
        // What is to be made has no configuration yet.
        Command::Init { .. } | Command::Restore { .. } => {
            Settings::for_new_server(flags.clone(), server.clone())
        }
        _ => Settings::load_server(flags.clone(), server.clone()),
    };
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(USAGE);
        }
    };
    let result = match command {
        Command::Init { name } => run(async {
            print!("{}", setup::init(&settings, &flags, &server, name.as_deref()).await?);
            Ok(())
        }),
        Command::Backup { file } => back_up(&settings, &file).map_err(Stopped::from),
        Command::Restore { file } => restore(&settings, &file).map_err(Stopped::from),
        Command::NatsConfig { out, resolver_dir } => {
            nats_config(&settings, &out, &resolver_dir).map_err(Stopped::from)
        }
        Command::Serve => {
            log_to_stderr(&settings.log);
            // Only a private daemon ends by itself: commands start it again.
            run(async { Ok(daemon::serve(Settings { idle_timeout: None, ..settings }, true).await?) })
        }
        Command::Judge => {
            log_to_stderr(&settings.log);
            run(async { Ok(daemon::judge(settings).await?) })
        }
        Command::AdminCode => run(async {
            let (url, ca) = (settings.server.public_url(), settings.server.ca_name());
            // A closed standard output loses the code, not the server.
            let code = daemon::admin_code(settings).await?;
            println!("{code}");
            if let Some(url) = url {
                let ca = ca.map_or(String::new(), |ca| format!(" --ca {ca}"));
                eprintln!("to become an administrator: codementor join {url} {code}{ca}");
            }
            Ok(())
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
    // A private daemon is for this machine, whatever the configuration says of a server for others.
    let settings = Settings { server: Server::default(), ..settings };
    match run(async { Ok(daemon::serve(settings, false).await?) }) {
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

impl From<daemon::DaemonError> for Stopped {
    fn from(error: daemon::DaemonError) -> Self {
        let code = if error.is_disk_full() { LATER } else { UNREACHABLE };
        let message = match error.hint() {
            Some(hint) => format!("{error}\nhint: {hint}"),
            None => error.to_string(),
        };
        Self { message, code }
    }
}

impl From<InitError> for Stopped {
    fn from(error: InitError) -> Self {
        Self { code: if error.is_usage() { USAGE } else { UNREACHABLE }, message: error.to_string() }
    }
}

impl From<BackupError> for Stopped {
    fn from(error: BackupError) -> Self {
        let code = match (error.is_usage(), error.is_disk_full()) {
            (true, _) => USAGE,
            (_, true) => LATER,
            _ => UNREACHABLE,
        };
        Self { code, message: error.to_string() }
    }
}

impl From<RestoreError> for Stopped {
    fn from(error: RestoreError) -> Self {
        let code = match (error.is_usage(), error.is_disk_full()) {
            (true, _) => USAGE,
            (_, true) => LATER,
            _ => UNREACHABLE,
        };
        Self { code, message: error.to_string() }
    }
}

fn back_up(settings: &Settings, file: &Path) -> Result<(), BackupError> {
    let made = backup::backup(&settings.paths, file)?;
    let mib = made.bytes.div_ceil(1024 * 1024);
    println!("wrote {}: {} files, {mib} MiB; keep it as secret as the server", file.display(), made.files);
    Ok(())
}

fn restore(settings: &Settings, file: &Path) -> Result<(), RestoreError> {
    let files = backup::restore(file, &settings.paths.data)?;
    let data = settings.paths.data.display();
    println!("restored {files} files into {data}\nnext: codementord --data-dir {data} serve");
    Ok(())
}

fn nats_config(settings: &Settings, out: &Path, resolver: &Path) -> Result<(), daemon::DaemonError> {
    let exported = daemon::export(settings, out, resolver)?;
    println!(
        "wrote {}, for the configuration of the NATS server: include it there\n\
         wrote {}, a secret: codementord --nats-url URL --creds {} serve\n\
         wrote {}, for newcomers where the NATS server lets in nobody without credentials",
        exported.config.display(),
        exported.daemon.display(),
        exported.daemon.display(),
        exported.enrol.display(),
    );
    Ok(())
}

fn run(work: impl Future<Output = Result<(), Stopped>>) -> Result<(), Stopped> {
    crate::promptness::ask_for_short_turns();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Stopped { message: error.to_string(), code: UNREACHABLE })?;
    let result = runtime.block_on(work);
    // A task that reads a slow disk must not keep a daemon that has said goodbye.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    result
}

fn write_creds(settings: &Settings, name: &str, out: Option<PathBuf>) -> Result<(), String> {
    let path = out.unwrap_or_else(|| format!("{name}.creds").into());
    let (text, place) = daemon::judge_creds(settings, name).map_err(|error| error.to_string())?;
    crate::files::write_private(&path, text.as_bytes())
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    let url = if place.server.is_some() { "" } else { " --nats-url URL" };
    println!("wrote {}; on the judge's host: codementord judge{url} --creds FILE", path.display());
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
        .with_ansi(is_coloured())
        .log_internal_errors(false)
        .with_writer(std::io::stderr)
        .try_init();
}

/// A file, the journal and whatever else collects a log get no colours.
fn is_coloured() -> bool {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !unwanted
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
