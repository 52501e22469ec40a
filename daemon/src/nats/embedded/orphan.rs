//! A server that an earlier daemon has left on the store: it is found by the pid file, else by its command line, and
//! ended before another is started. Only a process that is a nats-server and was started with our configuration file
//! is ever touched: the number in a pid file may long be somebody else's.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tracing::{info, warn};

use super::{EmbeddedError, Files, process, try_lock};

/// How long an orphan may take to end when it is asked, and again when it is killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked at meanwhile.
const INTERVAL: Duration = Duration::from_millis(10);

/// Ends whatever server is on the store, and takes its lock. The caller holds the daemon's lock.
pub(super) fn clear(files: &Files) -> Result<File, EmbeddedError> {
    let config = files.config();
    let mut pid = recorded(files, &config);
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        if let Some(pid) = pid {
            end(pid, &config, files)?;
        }
        // A server that another program has started holds no lock; one of ours, alive or just ending, does.
        if let Some(lock) = try_lock(&files.server_lock())? {
            return Ok(lock);
        }
        pid = search(&config);
        if pid.is_none() && Instant::now() > deadline {
            return Err(EmbeddedError::Held(files.dir.clone()));
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Asks the server to end, and kills it when it does not.
fn end(pid: u32, config: &Path, files: &Files) -> Result<(), EmbeddedError> {
    info!(pid, "ending the NATS server of an earlier daemon");
    for signal in [Signal::INT, Signal::KILL] {
        // It may have ended by itself, and then there is nobody to signal.
        let _ = process::signal(pid, signal);
        let deadline = Instant::now() + PATIENCE;
        while is_ours(pid, config) {
            if Instant::now() > deadline {
                warn!(pid, "the NATS server of an earlier daemon does not end");
                break;
            }
            std::thread::sleep(INTERVAL);
        }
        if !is_ours(pid, config) {
            return Ok(());
        }
    }
    Err(EmbeddedError::Orphan { pid, dir: files.dir.clone() })
}

/// The server that the pid file names, if it lives.
fn recorded(files: &Files, config: &Path) -> Option<u32> {
    let pid = std::fs::read_to_string(files.pid()).ok()?.trim().parse().ok()?;
    is_ours(pid, config).then_some(pid)
}

/// The server that was started with our configuration file, among all processes.
fn search(config: &Path) -> Option<u32> {
    std::fs::read_dir("/proc")
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .find(|pid| is_ours(*pid, config))
}

/// Whether a process is a nats-server that was started with our configuration file, and has not ended: of one that
/// has, nothing is left to read.
fn is_ours(pid: u32, config: &Path) -> bool {
    let proc = Path::new("/proc").join(pid.to_string());
    let (Ok(exe), Ok(line)) = (std::fs::read_link(proc.join("exe")), std::fs::read(proc.join("cmdline")))
    else {
        return false;
    };
    let is_server = exe.file_name().is_some_and(|name| name.as_bytes().starts_with(b"nats-server"));
    is_server && line.split(|byte| *byte == 0).any(|argument| OsStr::from_bytes(argument) == config)
}
