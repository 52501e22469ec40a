//! The private daemon: this very program in the background, started by the first command that needs it.
//!
//! ```text
//! daemon.json ─▶ connect ─▶ done                                     (the usual way: no lock, no process)
//!      │ missing, stale, of another build
//!      ▼
//! start.lock ─▶ daemon.lock held? ── yes, our build ──▶ wait until it answers
//!                    │ no             └─ another build ─▶ ask it to stop, wait for the lock ─┐
//!                    ▼                                                                       │
//!              spawn `codementor daemon`, wait for daemon.json, or for daemon.err ◀──────────┘
//! ```

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use codementor_protocol::{Enrol, Stop, Stopping};
use codementord::files::write_private;
use codementord::settings::{DaemonFile, Paths, Settings};
use rustix::fs::FlockOperation;

use crate::client::{Client, ClientError, Credentials};
use crate::error::{CliError, ExitStatus};
use crate::progress::Progress;

/// How long a daemon that lives may stay silent: its NATS server may be coming back.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a start may take: the first one may fetch a NATS server.
const START: Duration = Duration::from_secs(600);
/// How long a daemon may take to stop: it finishes running jobs first.
const DRAIN: Duration = Duration::from_secs(600);
/// After this long a start is worth more than one line off a terminal.
const NOTABLE: Duration = Duration::from_secs(2);
/// How often files are looked at while waiting.
const GLANCE: Duration = Duration::from_millis(10);

/// Why there is no private daemon.
#[derive(Debug, thiserror::Error)]
pub enum PrivateError {
    /// The data directory cannot be used.
    #[error("{}", t!("cannot use the data directory {path}: {source}", path = path.display(), source))]
    DataDir {
        /// The directory or a file in it.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The process cannot be started.
    #[error("{}", t!("cannot start the private daemon: {text}", text = .0))]
    Spawn(std::io::Error),
    /// It ended instead of becoming ready; its own words.
    #[error("{}", t!("the private daemon could not start: {message}", message))]
    Failed {
        /// What it said.
        message: String,
        /// What it advised.
        hint: String,
        /// What it exited with.
        status: ExitStatus,
    },
    /// It did not become ready.
    #[error("{}", t!(
        "the private daemon did not become ready within {seconds} s",
        seconds = START.as_secs()
    ))]
    Slow {
        /// Its log.
        log: PathBuf,
    },
    /// It lives, but does not answer.
    #[error("{}", match pid {
        Some(pid) => t!("the private daemon (process {pid}) does not answer", pid),
        None => t!("the private daemon does not answer").into(),
    })]
    Silent {
        /// Its process id, if it has said that.
        pid: Option<u32>,
        /// Its log.
        log: PathBuf,
    },
    /// It does not stop.
    #[error("{}", t!("the private daemon did not stop within {seconds} s", seconds = DRAIN.as_secs()))]
    DoesNotStop,
    /// Another command starts one, and does not come to an end.
    #[error("{}", t!(
        "another command has been starting the private daemon for {seconds} s",
        seconds = START.as_secs()
    ))]
    Contended,
    /// This is the directory of a server that its owner starts.
    #[error("{}", t!("the server of {path} is not running", path = .0.display()))]
    ServerDown(PathBuf),
    /// None runs.
    #[error("{}", t!("no private daemon is running"))]
    NotRunning,
    /// This command is for the private daemon, and another server is configured.
    #[error("{}", t!("a NATS server is configured ({url}): there is no private daemon to {what}", url, what))]
    Foreign {
        /// The server.
        url: String,
        /// What should have been done.
        what: &'static str,
    },
}

impl PrivateError {
    /// What the process exits with.
    pub fn status(&self) -> ExitStatus {
        match self {
            Self::Failed { status, .. } => *status,
            Self::DataDir { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                ExitStatus::Later
            }
            Self::DataDir { .. }
            | Self::Spawn(_)
            | Self::Slow { .. }
            | Self::Silent { .. }
            | Self::DoesNotStop
            | Self::Contended
            | Self::ServerDown(_)
            | Self::NotRunning => ExitStatus::Unreachable,
            Self::Foreign { .. } => ExitStatus::Usage,
        }
    }

    /// What to try next.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::DataDir { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                t!("the disk is full: make room and try again").into()
            }
            Self::DataDir { .. } => t!("choose a directory that you may write with --data-dir DIR").into(),
            Self::Failed { hint, .. } => hint.clone(),
            Self::Slow { log } => t!("its log says what it is doing: {log}", log = log.display()),
            Self::Silent { pid: Some(pid), log } => {
                t!("see its log, {log}, or end it: kill {pid}", log = log.display(), pid)
            }
            Self::Silent { pid: None, log } => {
                t!(
                    "see its log, {log}; whoever holds daemon.lock beside it is the daemon",
                    log = log.display()
                )
            }
            Self::DoesNotStop => t!("cancel what runs (codementor cancel), or try again later").into(),
            Self::Contended => t!("is it still at work? Otherwise end it and try again").into(),
            Self::ServerDown(_) => t!("start it with: codementord serve").into(),
            Self::NotRunning => t!("other commands start it by themselves; by hand: codementor up").into(),
            Self::Foreign { .. } => t!("the private daemon is: codementor --context private").into(),
            Self::Spawn(_) => return None,
        })
    }
}

/// A connection to the private daemon, which is started where none runs.
pub async fn ensure(settings: &Settings, progress: &Progress) -> Result<Client, CliError> {
    let paths = &settings.paths;
    if let Some(file) = read_file(paths)
        && file.build == codementord::BUILD
        && let Ok(credentials) = Credentials::read(&paths.user_creds())
        && let Ok(client) = Client::connect_here(&file, &credentials).await
    {
        return Ok(client);
    }
    start(settings, progress).await
}

/// A connection to the private daemon, if one runs.
pub async fn find(settings: &Settings) -> Result<Client, CliError> {
    let paths = &settings.paths;
    match read_file(paths).filter(|_| is_alive(paths)) {
        Some(file) => enter(&file, paths).await,
        None if paths.server_mark().exists() => Err(PrivateError::ServerDown(paths.data.clone()).into()),
        None => Err(PrivateError::NotRunning.into()),
    }
}

/// Asks the private daemon to stop, and waits until it has.
pub async fn stop(settings: &Settings, progress: &Progress) -> Result<Stopping, CliError> {
    let client = find(settings).await?;
    let stopping = client.request(&Stop {}).await?;
    drop(client);
    gone(&settings.paths, stopping.running, progress).await?;
    Ok(stopping)
}

/// Whether a daemon lives on this data directory.
pub fn is_alive(paths: &Paths) -> bool {
    codementord::is_held(&paths.lock())
}

fn read_file(paths: &Paths) -> Option<DaemonFile> {
    serde_json::from_slice(&std::fs::read(paths.daemon_file()).ok()?).ok()
}

async fn start(settings: &Settings, progress: &Progress) -> Result<Client, CliError> {
    let paths = &settings.paths;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&paths.data)
        .map_err(|source| PrivateError::DataDir { path: paths.data.clone(), source })?;
    // Held until the daemon answers; the kernel drops it with the process, however that ends.
    let _starting = lock_start(paths, progress).await?;
    if is_alive(paths)
        && let Some(client) = join(settings, progress).await?
    {
        return Ok(client);
    }
    if paths.server_mark().exists() {
        return Err(PrivateError::ServerDown(paths.data.clone()).into());
    }
    launch(settings, progress).await
}

async fn lock_start(paths: &Paths, progress: &Progress) -> Result<File, CliError> {
    let path = paths.start_lock();
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|source| PrivateError::DataDir { path: path.clone(), source })?;
    let until = Instant::now() + START;
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) if Instant::now() < until => {
                progress.step(t!("another command is starting the private daemon"));
                tokio::time::sleep(GLANCE).await;
            }
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(PrivateError::Contended.into()),
            Err(errno) => return Err(PrivateError::DataDir { path, source: errno.into() }.into()),
        }
    }
}

/// Joins a daemon that lives. `None` when it has gone: of itself, or because it was of another build.
async fn join(settings: &Settings, progress: &Progress) -> Result<Option<Client>, CliError> {
    let paths = &settings.paths;
    let since = Instant::now();
    loop {
        if !is_alive(paths) {
            return Ok(None);
        }
        let file = read_file(paths);
        // One that has not said yet that it is ready may be fetching its NATS server.
        let bound = if file.is_some() { SILENCE } else { START };
        let pid = file.as_ref().map(|file| file.pid);
        if let Some(file) = file {
            match enter(&file, paths).await {
                // A server is replaced by its owner, and by no command.
                Ok(client) if file.build == codementord::BUILD || paths.server_mark().exists() => {
                    return Ok(Some(client));
                }
                Ok(client) => {
                    progress.step(t!("a daemon of another build is finishing its jobs"));
                    let stopping = client.request(&Stop {}).await?;
                    gone(paths, stopping.running, progress).await?;
                    return Ok(None);
                }
                Err(CliError::Client(error)) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
        }
        if since.elapsed() >= bound {
            return Err(PrivateError::Silent { pid, log: paths.log() }.into());
        }
        progress.step(t!("waiting for the private daemon"));
        tokio::time::sleep(GLANCE * 5).await;
    }
}

async fn gone(paths: &Paths, running: u64, progress: &Progress) -> Result<(), CliError> {
    let until = Instant::now() + DRAIN;
    while is_alive(paths) {
        if Instant::now() >= until {
            return Err(PrivateError::DoesNotStop.into());
        }
        if running > 0 {
            let jobs = count!(running, "job");
            progress.step(&t!("stopping; {jobs} to finish first", jobs));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(())
}

/// Connects as the owner of the data directory, enrolling first where that has not been done.
async fn enter(file: &DaemonFile, paths: &Paths) -> Result<Client, CliError> {
    if let Ok(credentials) = Credentials::read(&paths.user_creds()) {
        match Client::connect_here(file, &credentials).await {
            // Credentials of keys that are gone: those of this daemon are got anew.
            Err(ClientError::NotAccepted { .. }) => {}
            Err(error) => return Err(error.into()),
            Ok(client) => return Ok(client),
        }
    }
    let code_path = paths.enrol_code();
    let code = std::fs::read_to_string(&code_path)
        .map_err(|source| PrivateError::DataDir { path: code_path, source })?;
    let gate = Client::connect_here_to_enrol(file, &Credentials::read(&paths.enrol_creds())?).await?;
    let key = nkeys::KeyPair::new_user();
    let enrol = Enrol { code: code.trim().into(), public_key: key.public_key(), ..Enrol::default() };
    let enrolled = gate.enrol(&enrol).await?;
    let path = paths.user_creds();
    let unwritten = |source| PrivateError::DataDir { path: path.clone(), source };
    let seed = key.seed().map_err(|error| unwritten(std::io::Error::other(error)))?;
    write_private(&path, Credentials::compose(&enrolled.jwt, &seed).as_bytes()).map_err(unwritten)?;
    Ok(Client::connect_here(file, &Credentials::read(&path)?).await?)
}

async fn launch(settings: &Settings, progress: &Progress) -> Result<Client, CliError> {
    let paths = &settings.paths;
    // What an earlier daemon left would be taken for this one's. That there is nothing is the usual case.
    let _ = std::fs::remove_file(paths.daemon_error());
    let _ = std::fs::remove_file(paths.daemon_file());
    progress.step(t!("starting the private daemon"));
    // What the log held before is about an earlier daemon.
    let known = std::fs::metadata(paths.log()).map_or(0, |metadata| metadata.len());
    let mut child = spawn(settings)?;
    let began = Instant::now();
    loop {
        if let Some(file) = read_file(paths) {
            match enter(&file, paths).await {
                Ok(client) => return Ok(client),
                // It says that it is ready before it answers, or dies at this moment: the next round tells.
                Err(CliError::Client(error)) if error.is_passing() => {}
                Err(error) => return Err(error),
            }
        }
        if let Ok(Some(ended)) = child.try_wait() {
            return Err(why_it_failed(paths, known, ended.code()).into());
        }
        if began.elapsed() >= START {
            return Err(PrivateError::Slow { log: paths.log() }.into());
        }
        if (progress.redraws() || began.elapsed() >= NOTABLE)
            && let Some(line) = log_line(paths, known)
        {
            progress.step(&t!("starting the private daemon: {line}", line));
        }
        tokio::time::sleep(GLANCE).await;
    }
}

fn spawn(settings: &Settings) -> Result<Child, PrivateError> {
    let paths = &settings.paths;
    let program = std::env::current_exe().map_err(PrivateError::Spawn)?;
    // A panic before its log is open would otherwise leave no trace.
    let log = File::options().create(true).append(true).mode(0o600).open(paths.log());
    let log = log.map_err(|source| PrivateError::DataDir { path: paths.log(), source })?;
    let mut command = std::process::Command::new(program);
    command
        .args(["daemon", "--detached"])
        .current_dir(&paths.data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .env_remove("CODEMENTOR_NATS_URL")
        .env_remove("CODEMENTOR_CREDS")
        .env_remove("CODEMENTOR_CONFIG");
    if paths.config.exists() {
        command.env("CODEMENTOR_CONFIG", &paths.config);
    }
    // The settings in force here, flags included, hold there too.
    command
        .env("CODEMENTOR_DATA_DIR", &paths.data)
        .env("CODEMENTOR_CACHE_DIR", &paths.cache)
        .env("CODEMENTOR_SLOTS", settings.slots.to_string())
        .env("CODEMENTOR_IDLE_TIMEOUT", settings.idle_timeout.map_or(0, |d| d.as_secs()).to_string())
        .env("CODEMENTOR_ACK_WAIT", settings.ack_wait.as_secs().to_string())
        .env("CODEMENTOR_MAX_DELIVER", settings.max_deliver.to_string())
        .env("CODEMENTOR_JUDGE_CACHE_MIB", settings.judge_cache_mib.to_string())
        .env("CODEMENTOR_LOG", &settings.log)
        .env("CODEMENTOR_FEEDBACK_POLICY", settings.feedback.policy.token());
    // An endpoint of the configuration file is read from there by the daemon too.
    let endpoint = settings.feedback.endpoints.first().filter(|_| settings.feedback.by_flag);
    let optional = [
        ("CODEMENTOR_NATS_SERVER", settings.nats_server.as_ref().map(|path| path.clone().into_os_string())),
        ("CODEMENTOR_NATS_PORT", settings.nats_port.map(|port| port.to_string().into())),
        ("CODEMENTOR_DOCKER_HOST", settings.docker_host.as_ref().map(|host| host.into())),
        (
            "CODEMENTOR_LANGUAGES_DIR",
            settings.languages_dir.as_ref().map(|path| path.clone().into_os_string()),
        ),
        ("CODEMENTOR_FEEDBACK_URL", endpoint.map(|endpoint| endpoint.url.as_given().into())),
        ("CODEMENTOR_FEEDBACK_MODEL", endpoint.map(|endpoint| endpoint.model.clone().into())),
        (
            "CODEMENTOR_ANSWER_IN",
            settings.feedback.answer_in.as_ref().map(|language| language.as_str().into()),
        ),
    ];
    for (name, value) in optional {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.spawn().map_err(PrivateError::Spawn)
}

fn why_it_failed(paths: &Paths, known: u64, code: Option<i32>) -> PrivateError {
    let said = std::fs::read_to_string(paths.daemon_error()).unwrap_or_default();
    let (message, hint) = said.split_once("\nhint: ").unwrap_or((&said, ""));
    let status = match code {
        Some(2) => ExitStatus::Usage,
        Some(70) => ExitStatus::OurFault,
        Some(75) => ExitStatus::Later,
        _ => ExitStatus::Unreachable,
    };
    let see_log = t!("its log has more: {paths}", paths = paths.log().display());
    PrivateError::Failed {
        message: match message.trim() {
            // For its words there was no room either.
            "" if status == ExitStatus::Later => {
                t!("the disk that holds {data} is full", data = paths.data.display())
            }
            "" => log_line(paths, known).unwrap_or_else(|| t!("it gave no reason").into()),
            message => message.into(),
        },
        hint: match hint.trim() {
            "" if status == ExitStatus::Later => t!("free some space and try again").into(),
            "" => see_log,
            hint => hint.into(),
        },
        status,
    }
}

/// The message of the newest line of the daemon's log, of those after its first `known` bytes. A log that is shorter
/// has been begun anew.
fn log_line(paths: &Paths, known: u64) -> Option<String> {
    let mut file = File::open(paths.log()).ok()?;
    let length = file.metadata().ok()?.len();
    let known = if known <= length { known } else { 0 };
    file.seek(SeekFrom::Start(known.max(length.saturating_sub(4096)))).ok()?;
    let mut tail = Vec::new();
    file.take(4096).read_to_end(&mut tail).ok()?;
    let tail = String::from_utf8_lossy(&tail);
    let newest = tail.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(message_of(newest).into())
}

/// What a line of the log says, without its time, level, module and fields.
fn message_of(line: &str) -> &str {
    let levels = ["ERROR ", " WARN ", " INFO ", "DEBUG ", "TRACE "];
    let Some(rest) = levels.iter().find_map(|level| line.split_once(level).map(|(_, rest)| rest)) else {
        return line;
    };
    let message = match rest.split_once(": ") {
        Some((module, message)) if !module.contains(' ') => message,
        _ => rest,
    };
    let is_field = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte))
        })
    };
    let mut end = 0;
    for word in message.split(' ') {
        if is_field(word) {
            break;
        }
        end += word.len() + 1;
    }
    match message[..end.saturating_sub(1)].trim() {
        // Nothing but fields.
        "" => message,
        words => words,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_shown_without_its_prefix() {
        for (line, message) in [
            ("2026-11-24T10:00:00Z  INFO codementord::nats: fetching nats-server", "fetching nats-server"),
            ("2026-11-24T10:00:00Z  INFO downloading: 3 of 9 MiB", "3 of 9 MiB"),
            ("2026-11-24T10:00:00Z  WARN no module here", "no module here"),
            ("2026-11-24T10:00:00Z  INFO codementord: starting build=\"0.1\" pid=7", "starting"),
            ("2026-11-24T10:00:00Z  INFO codementord: error=\"x y\"", "error=\"x y\""),
            ("thread 'main' panicked", "thread 'main' panicked"),
        ] {
            assert_eq!(message_of(line), message);
        }
    }

    #[test]
    fn a_lock_file_that_nobody_holds_is_no_daemon() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let paths =
            Paths { data: dir.path().into(), config: dir.path().join("c"), cache: dir.path().join("cache") };
        assert!(!is_alive(&paths), "there is no file");
        let file = File::create(paths.lock()).expect("is made");
        assert!(!is_alive(&paths), "nobody holds it");
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).expect("is free");
        assert!(is_alive(&paths));
        drop(file);
        assert!(!is_alive(&paths), "its holder has gone");
    }
}
