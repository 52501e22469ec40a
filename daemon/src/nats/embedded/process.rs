//! Starting the server so that it does not outlive us, and ending it.

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal};

/// Starts `binary` with the configuration file `config`. The process gets SIGINT when the calling *thread* ends, so
/// the caller is a thread that lives as long as the server should. `lock` is held for as long as the server lives.
pub(super) fn spawn(binary: &Path, config: &Path, lock: File, stderr: File) -> io::Result<Child> {
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(binary);
    command
        .arg("--config")
        .arg(config)
        .stdin(Stdio::from(lock))
        .stdout(Stdio::null())
        .stderr(Stdio::from(stderr))
        // An interrupt at the terminal is for the daemon, which then ends the server in its order.
        .process_group(0);
    die_with_this_thread(&mut command);
    command.spawn()
}

/// Sends a signal to a process that has not been waited for, so that its number is still its own.
pub(super) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

/// Waits until a child has ended, and leaves it as it is: its number stays taken until somebody reaps it.
pub(super) fn wait_unreaped(pid: u32) -> io::Result<()> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
    rustix::io::retry_on_intr(|| waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT))?;
    Ok(())
}

/// The only way to do something between fork and exec is unsafe in the standard library.
#[allow(unsafe_code)]
fn die_with_this_thread(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    let parent = rustix::process::getpid();
    let prepare = move || {
        rustix::process::set_parent_process_death_signal(Some(Signal::INT))?;
        // The parent may have died before the line above, and then no signal comes any more.
        if rustix::process::getppid() != Some(parent) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        Ok(())
    };
    // SAFETY: the closure runs in the child of a process that may have other threads, so it may only make calls that
    // are safe in a signal handler. It makes two system calls, prctl and getppid, and allocates nothing: both
    // errors that it can return are plain numbers.
    unsafe {
        command.pre_exec(prepare);
    }
}
