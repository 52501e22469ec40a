//! The thread that keeps the server alive.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Child;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde::Deserialize;
use tokio::sync::{broadcast, oneshot, watch};
use tracing::{error, info, warn};

use super::{
    Config, EmbeddedError, Files, ServerEvent, check_free, config, file_error, health, orphan, process,
    try_lock,
};
use crate::nats::auth::{ANONYMOUS_SINCE, Keys};
use crate::nats::server::Version;

/// How often a starting server is looked at.
const STARTING: Duration = Duration::from_millis(2);
/// How long the server may take to end when it is asked.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How long it may take when it is unwell: it may hang, and clients wait.
const STOP_UNWELL_WITHIN: Duration = Duration::from_secs(2);
/// How often in a row a server may be unwell before it is started again.
const UNWELL: u32 = 3;
/// The longest pause between two starts.
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// A server that has run this long is no failure of a start: if it ends, the next is started at once.
const STEADY: Duration = Duration::from_secs(2);
/// How much of what the server has said is put in a message.
const TAIL: usize = 600;

/// What the thread is told.
pub(super) enum Command {
    /// Have the server read its certificate again.
    Reload,
    /// End the server, and say when it is gone.
    Stop(Option<oneshot::Sender<()>>),
    /// The process with this number has ended.
    Exited(u32),
}

/// What others see of the thread's work.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) pid: Option<u32>,
    pub(super) monitoring: Option<SocketAddr>,
    pub(super) restarts: u64,
}

/// Why a loop ended.
enum Left {
    /// The server is to be started again.
    Ended(String),
    /// Nobody needs the server any more.
    Stop(Option<oneshot::Sender<()>>),
}

/// A server that runs.
struct Running {
    child: Child,
    monitoring: SocketAddr,
    port: u16,
    since: Instant,
}

pub(super) struct Supervisor {
    config: Config,
    files: Files,
    keys: Arc<Keys>,
    exits: SyncSender<Command>,
    commands: Receiver<Command>,
    events: broadcast::Sender<ServerEvent>,
    state: watch::Sender<State>,
    /// Held for as long as this process may have a server on the store.
    _daemon_lock: File,
    /// The lock that the next server gets.
    server_lock: Option<File>,
}

/// What the server writes about its ports.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

impl Supervisor {
    /// Takes the store: makes its files, takes its locks, ends what is left on it.
    pub(super) fn prepare(
        config: Config,
        keys: Arc<Keys>,
        exits: SyncSender<Command>,
        commands: Receiver<Command>,
        events: broadcast::Sender<ServerEvent>,
        state: watch::Sender<State>,
    ) -> Result<Self, EmbeddedError> {
        // The server and /proc know the files by these paths, so they must not depend on a working directory.
        let dir = std::path::absolute(&config.dir).map_err(file_error(&config.dir))?;
        let files = Files { dir };
        files.create()?;
        let daemon_lock =
            try_lock(&files.daemon_lock())?.ok_or_else(|| EmbeddedError::InUse(files.dir.clone()))?;
        let server_lock = orphan::clear(&files)?;
        refuse_downgrade(&files, config.binary.version)?;
        Ok(Self {
            config,
            files,
            keys,
            exits,
            commands,
            events,
            state,
            _daemon_lock: daemon_lock,
            server_lock: Some(server_lock),
        })
    }

    /// Starts the server, says which port it has, and keeps it alive until nobody needs it.
    pub(super) fn run(mut self, started: oneshot::Sender<Result<u16, EmbeddedError>>) {
        let mut running = match self.first_start() {
            Ok(running) => running,
            Err(error) => {
                // The store is free before anybody hears of it. Who asked may have stopped waiting.
                drop(self);
                let _ = started.send(Err(error));
                return;
            }
        };
        let port = running.port;
        self.announce(&running, 0);
        if started.send(Ok(port)).is_err() {
            self.end(running, None);
            return;
        }
        let mut failures = 0;
        loop {
            let since = running.since;
            match self.watch(&mut running) {
                Left::Stop(done) => return self.end(running, done),
                Left::Ended(reason) => {
                    error!("the NATS server ended: {reason}");
                    self.tell(ServerEvent::Ended { reason });
                }
            }
            if since.elapsed() >= STEADY {
                failures = 0;
            }
            self.state.send_modify(|state| (state.pid, state.monitoring) = (None, None));
            running = loop {
                if let Some(stop) = self.pause(pause(failures)) {
                    return self.finish(stop);
                }
                failures += 1;
                match self.start(Some(port)) {
                    Ok(running) => break running,
                    Err(StartError::Stop(done)) => return self.finish(done),
                    Err(StartError::Failed(error)) => {
                        let next = pause(failures);
                        error!("the NATS server cannot be started again: {error}");
                        self.tell(ServerEvent::NotStarted { reason: error.to_string(), next });
                    }
                }
            };
            let restarts = self.state.borrow().restarts + 1;
            self.announce(&running, restarts);
        }
    }

    fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.config.host, port)
    }

    /// The first start settles the port: the one asked for, else the last one, else a free one.
    fn first_start(&mut self) -> Result<Running, EmbeddedError> {
        let failure = |error| match error {
            StartError::Failed(error) => error,
            StartError::Stop(_) => EmbeddedError::NotReady("it was stopped while it started".into()),
        };
        if let Some(port) = self.config.port {
            return self.start(Some(port)).map_err(failure);
        }
        let last = std::fs::read_to_string(self.files.last_port()).ok();
        let last =
            last.and_then(|text| text.trim().parse().ok()).filter(|port| check_free(self.at(*port)).is_ok());
        let running = match self.start(last) {
            // Somebody took the port in the moment between the look and the start.
            Err(StartError::Failed(EmbeddedError::PortTaken(_))) => self.start(None).map_err(failure)?,
            other => other.map_err(failure)?,
        };
        // Clients that outlive the daemon find the next one where the last one was; without this file they do not.
        if let Err(error) = std::fs::write(self.files.last_port(), running.port.to_string()) {
            warn!("cannot remember the port of the NATS server: {error}");
        }
        Ok(running)
    }

    /// Starts one server and waits until it is ready.
    fn start(&mut self, port: Option<u16>) -> Result<Running, StartError> {
        if let Some(port) = port {
            check_free(self.at(port))?;
        }
        let mut child = self.spawn(port)?;
        match self.wait_ready(&mut child, port) {
            Ok((monitoring, port)) => Ok(Running { child, monitoring, port, since: Instant::now() }),
            Err(error) => {
                terminate(&mut child, &[Signal::KILL], STOP_WITHIN);
                Err(error)
            }
        }
    }

    fn spawn(&mut self, port: Option<u16>) -> Result<Child, EmbeddedError> {
        let files = &self.files;
        let lock = match self.server_lock.take() {
            Some(lock) => lock,
            // The last server has been waited for, so the lock is free, or something is very wrong.
            None => try_lock(&files.server_lock())?.ok_or_else(|| EmbeddedError::Held(files.dir.clone()))?,
        };
        // What servers before this one have left would be taken for its own.
        let _ = std::fs::remove_file(files.pid());
        for entry in std::fs::read_dir(files.ports()).map_err(file_error(&files.ports()))?.flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        // The accounts as they are now, so that a server that lost its folder still knows what was revoked.
        let mut trust = self.keys.server_config(&files.accounts());
        if self.config.binary.version >= ANONYMOUS_SINCE {
            trust.push_str(&self.keys.anonymous_config().map_err(EmbeddedError::Keys)?);
        }
        let text = config::render(files, &self.config, port, &trust);
        std::fs::write(files.config(), text).map_err(file_error(&files.config()))?;
        let stderr = File::create(files.stderr()).map_err(file_error(&files.stderr()))?;
        let path = &self.config.binary.path;
        let child = process::spawn(path, &files.config(), lock, stderr)
            .map_err(|source| EmbeddedError::Spawn { path: path.clone(), source })?;
        let (exits, pid) = (self.exits.clone(), child.id());
        let waiter = std::thread::Builder::new().name("nats-server-wait".into()).spawn(move || {
            // It is a child that only the supervisor reaps, so waiting fails only when it has been reaped.
            let _ = process::wait_unreaped(pid);
            // Nobody listens when the supervisor has ended, and the server before it.
            let _ = exits.send(Command::Exited(pid));
        });
        if let Err(source) = waiter {
            let mut child = child;
            terminate(&mut child, &[Signal::KILL], STOP_WITHIN);
            return Err(EmbeddedError::Spawn { path: "a thread".into(), source });
        }
        Ok(child)
    }

    fn wait_ready(&mut self, child: &mut Child, port: Option<u16>) -> Result<(SocketAddr, u16), StartError> {
        let deadline = Instant::now() + self.config.ready_within;
        let mut last = "it has not said its ports".to_owned();
        loop {
            match self.commands.recv_timeout(STARTING) {
                Ok(Command::Stop(done)) => return Err(StartError::Stop(done)),
                Err(RecvTimeoutError::Disconnected) => return Err(StartError::Stop(None)),
                Ok(Command::Exited(pid)) if pid == child.id() => {
                    let said = self.tail();
                    return Err(StartError::Failed(match port {
                        Some(port) if said.contains("address already in use") => {
                            EmbeddedError::PortTaken(self.at(port))
                        }
                        _ => EmbeddedError::NotReady(format!("it ended at once: {said}")),
                    }));
                }
                // An earlier server's; and this one reads its certificate just now.
                Ok(Command::Exited(_) | Command::Reload) | Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some((monitoring, port)) = self.ports(child.id()) {
                match health::check(monitoring) {
                    Ok(()) => return Ok((monitoring, port)),
                    Err(reason) => last = reason,
                }
            }
            if Instant::now() > deadline {
                return Err(StartError::Failed(EmbeddedError::NotReady(format!("{last}: {}", self.tail()))));
            }
        }
    }

    /// Where the server with this number listens, once it has said so completely.
    fn ports(&self, pid: u32) -> Option<(SocketAddr, u16)> {
        let ending = format!("_{pid}.ports");
        let entry = std::fs::read_dir(self.files.ports())
            .ok()?
            .flatten()
            .find(|entry| entry.file_name().to_str().is_some_and(|name| name.ends_with(&ending)))?;
        let ports: Ports = serde_json::from_slice(&std::fs::read(entry.path()).ok()?).ok()?;
        let monitoring = ports.monitoring.first()?.strip_prefix("http://")?.parse().ok()?;
        // One for each address of the machine where it listens to all, and with a scheme that says how.
        let port = ports.nats.first()?.rsplit_once(':')?.1.parse().ok()?;
        Some((monitoring, port))
    }

    /// Watches a server that runs, until it has ended or is to be ended.
    fn watch(&mut self, running: &mut Running) -> Left {
        let mut unwell = 0;
        loop {
            match self.commands.recv_timeout(self.config.health_every) {
                Ok(Command::Stop(done)) => return Left::Stop(done),
                Err(RecvTimeoutError::Disconnected) => return Left::Stop(None),
                Ok(Command::Exited(pid)) if pid == running.child.id() => {
                    let status =
                        running.child.wait().map_or_else(|error| error.to_string(), |s| s.to_string());
                    return Left::Ended(format!("{status}: {}", self.tail()));
                }
                Ok(Command::Exited(_)) => {}
                Ok(Command::Reload) => match process::signal(running.child.id(), Signal::HUP) {
                    Ok(()) => info!("the NATS server reads its certificate again"),
                    Err(error) => warn!("the NATS server cannot be told of its new certificate: {error}"),
                },
                Err(RecvTimeoutError::Timeout) => match health::check(running.monitoring) {
                    Ok(()) => unwell = 0,
                    Err(reason) => {
                        unwell += 1;
                        warn!("the NATS server is unwell: {reason}");
                        if unwell >= UNWELL {
                            self.tell(ServerEvent::Unwell { reason: reason.clone() });
                            terminate(&mut running.child, &ASK_THEN_KILL, STOP_UNWELL_WITHIN);
                            return Left::Ended(format!("it was unwell: {reason}"));
                        }
                    }
                },
            }
        }
    }

    /// Waits before a start; `Some` when nobody needs the server any more.
    #[allow(clippy::option_option)]
    fn pause(&self, pause: Duration) -> Option<Option<oneshot::Sender<()>>> {
        let deadline = Instant::now() + pause;
        loop {
            match self.commands.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Command::Stop(done)) => return Some(done),
                Err(RecvTimeoutError::Disconnected) => return Some(None),
                Err(RecvTimeoutError::Timeout) => return None,
                Ok(Command::Exited(_) | Command::Reload) => {}
            }
        }
    }

    fn end(self, mut running: Running, done: Option<oneshot::Sender<()>>) {
        terminate(&mut running.child, &ASK_THEN_KILL, STOP_WITHIN);
        self.finish(done);
    }

    /// Gives the store up, then says so.
    fn finish(self, done: Option<oneshot::Sender<()>>) {
        info!("the NATS server is stopped");
        self.state.send_modify(|state| (state.pid, state.monitoring) = (None, None));
        self.tell(ServerEvent::Stopped);
        drop(self);
        if let Some(done) = done {
            // Who asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    fn announce(&self, running: &Running, restarts: u64) {
        let pid = running.child.id();
        info!(pid, port = running.port, restarts, "the NATS server is ready");
        self.state.send_replace(State { pid: Some(pid), monitoring: Some(running.monitoring), restarts });
        self.tell(ServerEvent::Ready { pid, restarts });
        // Written once a server has really used the store; if it cannot be, the next start is refused nothing.
        if let Err(error) = std::fs::write(self.files.last_version(), self.config.binary.version.to_string())
        {
            warn!("cannot remember the version of the NATS server: {error}");
        }
    }

    fn tell(&self, event: ServerEvent) {
        // Nobody has to listen.
        let _ = self.events.send(event);
    }

    /// The end of what the server said, on one line.
    fn tail(&self) -> String {
        // Before its log is open it speaks on standard error.
        let read = |path| std::fs::read(path).unwrap_or_default();
        let mut said = read(self.files.stderr());
        if said.is_empty() {
            said = read(self.files.log());
        }
        let text = String::from_utf8_lossy(&said[said.len().saturating_sub(TAIL)..]).into_owned();
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

/// Why a start led to no server.
enum StartError {
    Failed(EmbeddedError),
    Stop(Option<oneshot::Sender<()>>),
}

impl From<EmbeddedError> for StartError {
    fn from(error: EmbeddedError) -> Self {
        Self::Failed(error)
    }
}

/// The pause before a start after so many failures in a row. The first start is at once: clients wait.
fn pause(failures: u32) -> Duration {
    match failures {
        0 => Duration::ZERO,
        n => (Duration::from_millis(50) * 2u32.pow((n - 1).min(10))).min(MAX_PAUSE),
    }
}

/// On the first the server puts its store in order; the second needs no consent of its.
const ASK_THEN_KILL: [Signal; 2] = [Signal::INT, Signal::KILL];

/// Ends a server with the first of these signals that it heeds, and reaps it.
fn terminate(child: &mut Child, signals: &[Signal], patience: Duration) {
    for signal in signals {
        // An error means that it has ended already; it has not been reaped, so the number is still its own.
        let _ = process::signal(child.id(), *signal);
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(STARTING),
                // An error means that there is no such child, so nothing is left to end.
                Ok(Some(_)) | Err(_) => return,
            }
        }
        warn!(pid = child.id(), ?signal, "the NATS server does not end");
    }
}

/// A store that a later server has written is not for an earlier one: measured, it brings deleted messages back.
/// Versions that differ only in their last number share a format.
fn refuse_downgrade(files: &Files, found: Version) -> Result<(), EmbeddedError> {
    let last = std::fs::read_to_string(files.last_version()).ok();
    match last.and_then(|text| text.trim().parse::<Version>().ok()) {
        Some(last) if (found.major, found.minor) < (last.major, last.minor) => {
            Err(EmbeddedError::Downgrade { dir: files.dir.clone(), last, found })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(0), Duration::ZERO);
        assert!((1..40).all(|n| pause(n) <= pause(n + 1) && pause(n) <= MAX_PAUSE));
        assert_eq!(pause(40), MAX_PAUSE);
    }

    #[test]
    fn an_older_server_does_not_get_the_store_of_a_newer_one() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let files = Files { dir: dir.path().into() };
        assert!(refuse_downgrade(&files, Version::new(2, 12, 8)).is_ok());
        std::fs::write(files.last_version(), "2.12.8").expect("is written");
        assert!(refuse_downgrade(&files, Version::new(2, 12, 3)).is_ok());
        assert!(refuse_downgrade(&files, Version::new(2, 14, 0)).is_ok());
        let error = refuse_downgrade(&files, Version::new(2, 11, 11)).expect_err("is refused").to_string();
        assert!(error.contains("2.12.8") && error.contains("delete the folder"), "{error}");
    }
}
