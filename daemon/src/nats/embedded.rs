//! A NATS server of the daemon's own, on loopback, with its store in the data directory.
//!
//! ```text
//! Embedded ── commands ──▶ thread "nats-server", which lives as long as the server may
//!     ▲                       ├─ spawns the server: its death signal follows this very thread
//!     └── events, state ──────┤  asks for its health; starts it again, on the same port, when it ends or hangs
//!                             └─ a thread that waits for the process to end ── Exited ──▶ back to the first
//! ```
//!
//! Two locks keep a second server off the store, since NATS has none. `daemon.lock` is held by the process that owns
//! the store. `server.lock` is handed to the server as its standard input, so that it is held for exactly as long as
//! a server lives, whatever became of the process that started it: a server is only ever started under both.

mod config;
mod health;
mod orphan;
mod process;
mod supervisor;

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::sync::{broadcast, oneshot, watch};

use super::auth::{Keys, KeysError};
use super::server::{ServerBinary, Version};
use super::tls::Certificate;
use crate::settings::reached_at;
use supervisor::{Command, State, Supervisor};

/// How many events wait for a slow listener; it then misses the oldest.
const EVENTS: usize = 64;
/// How many commands and exits wait for the supervising thread.
const COMMANDS: usize = 16;

/// What the server is started with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program.
    pub binary: ServerBinary,
    /// Where its files go; nobody else's.
    pub dir: PathBuf,
    /// Where it listens.
    pub host: IpAddr,
    /// What it proves itself with; without it connections are not encrypted.
    pub tls: Option<Certificate>,
    /// Its port. Without one it is the port of the last time, if that is free, else any free one.
    pub port: Option<u16>,
    /// How long the server may take to be ready; it reads its whole store first.
    pub ready_within: Duration,
    /// How often its health is asked for.
    pub health_every: Duration,
}

impl Config {
    /// The usual patience, on loopback.
    pub fn new(binary: ServerBinary, dir: PathBuf, port: Option<u16>) -> Self {
        Self {
            binary,
            dir,
            port,
            host: Ipv4Addr::LOCALHOST.into(),
            tls: None,
            ready_within: Duration::from_secs(60),
            health_every: Duration::from_secs(3),
        }
    }
}

/// What happens to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerEvent {
    /// It is ready, for the first time or again.
    Ready {
        /// Its process.
        pid: u32,
        /// How often it had to be started again before.
        restarts: u64,
    },
    /// It ended though nobody had asked for that.
    Ended {
        /// How, and the end of what it said.
        reason: String,
    },
    /// It does not say that it is well, for the last time before it is ended and started again.
    Unwell {
        /// What it says instead.
        reason: String,
    },
    /// It could not be started again; the next try follows.
    NotStarted {
        /// Why.
        reason: String,
        /// When the next try is.
        next: Duration,
    },
    /// It was ended as asked.
    Stopped,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Files cannot be made.
    #[error("cannot use {path} for the NATS server: {source}")]
    File {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another daemon has the store.
    #[error(
        "another daemon uses the NATS store in {0}: stop it with `codementor down`, or give this one a data directory of its own"
    )]
    InUse(PathBuf),
    /// A server of a daemon that is gone does not end.
    #[error(
        "a NATS server of an earlier daemon (process {pid}) still has the store in {dir} and does not end: end it by hand"
    )]
    Orphan {
        /// Its process.
        pid: u32,
        /// The store.
        dir: PathBuf,
    },
    /// The keys cannot sign.
    #[error(transparent)]
    Keys(KeysError),
    /// The store is held, and by no server that can be found.
    #[error(
        "the NATS store in {0} is held by a process that cannot be found, perhaps of another user or in a container"
    )]
    Held(PathBuf),
    /// The port that was asked for is another program's.
    #[error(
        "port {port} on {ip} is taken by another program: choose another with --listen or --nats-port, or leave it out",
        port = .0.port(),
        ip = .0.ip()
    )]
    PortTaken(SocketAddr),
    /// Nobody may listen there, or this machine has no such address.
    #[error(
        "cannot listen on {address}: {source}; is it an address of this machine, and a port that may be used? Set \
         another with --listen"
    )]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The store was written by a later server, and an earlier one would misread it.
    #[error(
        "the NATS store in {dir} was last used by nats-server {last}; {found} would bring deleted messages back: \
         use {last} or newer, or delete the folder (what is not in the database is judged again)"
    )]
    Downgrade {
        /// The store.
        dir: PathBuf,
        /// The server that used it last.
        last: Version,
        /// The server that was to be started.
        found: Version,
    },
    /// The program cannot be run at all.
    #[error("cannot run {path}: {source}")]
    Spawn {
        /// The program.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The server started and did not become ready.
    #[error("the NATS server did not become ready: {0}")]
    NotReady(String),
}

/// The server. Dropped, it ends the server and does not wait for that.
pub struct Embedded {
    commands: SyncSender<Command>,
    events: broadcast::Sender<ServerEvent>,
    state: watch::Receiver<State>,
    port: u16,
    host: IpAddr,
    encrypted: bool,
}

impl Embedded {
    /// Starts the server and waits until it is ready. A server that an earlier daemon left behind is ended first.
    pub async fn start(config: Config, keys: Arc<Keys>) -> Result<Self, EmbeddedError> {
        let (events, _) = broadcast::channel(EVENTS);
        let (state, watched) = watch::channel(State::default());
        let (commands, received) = std::sync::mpsc::sync_channel(COMMANDS);
        let (started, ready) = oneshot::channel();
        let (exits, told) = (commands.clone(), events.clone());
        let (host, encrypted) = (reached_at(config.host), config.tls.is_some());
        // Everything happens on this thread, the locks included: they are then given up when, and only when, the
        // server is gone.
        let thread = std::thread::Builder::new().name("nats-server".into()).spawn(move || {
            match Supervisor::prepare(config, keys, exits, received, told, state) {
                Ok(supervisor) => supervisor.run(started),
                Err(error) => drop(started.send(Err(error))),
            }
        });
        if let Err(source) = thread {
            return Err(EmbeddedError::Spawn { path: "a thread".into(), source });
        }
        match ready.await {
            Ok(Ok(port)) => Ok(Self { commands, events, state: watched, port, host, encrypted }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(EmbeddedError::NotReady("its thread ended".into())),
        }
    }

    /// Where clients on this machine connect. It stays the same when the server is started again.
    pub fn url(&self) -> String {
        let scheme = if self.encrypted { "tls" } else { "nats" };
        format!("{scheme}://{}", SocketAddr::new(self.host, self.port))
    }

    /// What has the server read its certificate again.
    pub fn reloader(&self) -> Reloader {
        Reloader(self.commands.clone())
    }

    /// The port of [`Self::url`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process of the server, while it is ready.
    pub fn pid(&self) -> Option<u32> {
        self.state.borrow().pid
    }

    /// How often the server had to be started again.
    pub fn restarts(&self) -> u64 {
        self.state.borrow().restarts
    }

    /// The address of the server's monitoring, on loopback; another one after each start.
    pub fn monitoring(&self) -> Option<std::net::SocketAddr> {
        self.state.borrow().monitoring
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<ServerEvent> {
        self.events.subscribe()
    }

    /// Ends the server, first by asking, and waits until it is gone and the store is free.
    pub async fn stop(self) {
        let (done, stopped) = oneshot::channel();
        let commands = self.commands.clone();
        // The channel is full only while the thread is busy; waiting for it must not hold up the runtime.
        let sent = tokio::task::spawn_blocking(move || commands.send(Command::Stop(Some(done)))).await;
        if matches!(sent, Ok(Ok(()))) {
            // An error means that the thread has ended, and the server before it.
            let _ = stopped.await;
        }
    }
}

/// Has a server read its certificate again.
#[derive(Clone)]
pub struct Reloader(SyncSender<Command>);

impl Reloader {
    /// Tells the server. Connections that there are stay as they are.
    pub fn reload(&self) {
        // The channel is full only while the server is being started, and closed once it is stopped: it then reads the
        // certificate anyway, or never again.
        let _ = self.0.try_send(Command::Reload);
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        // The channel cannot be full: a start adds one exit, and the thread takes that before the next start. That it
        // is closed means that the server was stopped.
        let _ = self.commands.try_send(Command::Stop(None));
    }
}

/// The files of one store.
#[derive(Debug, Clone)]
struct Files {
    dir: PathBuf,
}

impl Files {
    fn config(&self) -> PathBuf {
        self.dir.join("nats.conf")
    }

    fn pid(&self) -> PathBuf {
        self.dir.join("nats.pid")
    }

    fn ports(&self) -> PathBuf {
        self.dir.join("ports")
    }

    fn store(&self) -> PathBuf {
        self.dir.join("jetstream")
    }

    fn accounts(&self) -> PathBuf {
        self.dir.join("accounts")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("nats.log")
    }

    fn stderr(&self) -> PathBuf {
        self.dir.join("nats.stderr")
    }

    fn last_port(&self) -> PathBuf {
        self.dir.join("port")
    }

    fn last_version(&self) -> PathBuf {
        self.dir.join("version")
    }

    fn daemon_lock(&self) -> PathBuf {
        self.dir.join("daemon.lock")
    }

    fn server_lock(&self) -> PathBuf {
        self.dir.join("server.lock")
    }

    fn create(&self) -> Result<(), EmbeddedError> {
        for dir in [&self.dir, &self.ports(), &self.store(), &self.accounts()] {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(file_error(dir))?;
        }
        Ok(())
    }
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError + use<> {
    let path = path.to_owned();
    move |source| EmbeddedError::File { path, source }
}

/// Takes a lock that is released when the file is closed everywhere; `None` while somebody else has it.
fn try_lock(path: &Path) -> Result<Option<File>, EmbeddedError> {
    let file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(path)
        .map_err(file_error(path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(file_error(path)(error.into())),
    }
}

/// Says why nobody can listen there, if that is so.
fn check_free(address: SocketAddr) -> Result<(), EmbeddedError> {
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(EmbeddedError::PortTaken(address)),
        Err(source) => Err(EmbeddedError::Listen { address, source }),
    }
}
