//! What only the system's own interface can do: starting, killing and reaping processes, acting as another user,
//! and System V objects. The one place with unsafe code.
#![allow(unsafe_code)]

mod ipc;
mod spawn;
mod users;

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

use codementor_agent::Exit;

pub(crate) use ipc::{ipc_objects, remove_ipc_objects};
pub(crate) use spawn::{Launch, SpawnError, Spawner};
pub(crate) use users::{Owner, act_as};

/// Makes this process fit to be PID 1: nobody can look into it, no signal disposition or open file of whoever
/// started it reaches a student's program, and the end of children is told through the descriptor that is returned.
pub(crate) fn become_init() -> io::Result<OwnedFd> {
    // SAFETY: these calls only change attributes of this process, and are given constants and valid structures.
    unsafe {
        check(libc::prctl(libc::PR_SET_DUMPABLE, 0, 0, 0, 0))?;
        libc::umask(0o022);
        // Ignored signals stay ignored over an exec, and Rust's runtime ignores SIGPIPE. The kernel never ends PID 1
        // by a default action, so nothing is lost here. KILL, STOP and glibc's own two refuse, which is right.
        for signal in 1..=64 {
            libc::signal(signal, libc::SIG_DFL);
        }
        for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
            let number = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(fd @ 3..) = number {
                // It fails for the folder that is being read, which is closed at the end of the loop.
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
            }
        }
        let mut set = MaybeUninit::uninit();
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD);
        check(libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()))?;
        let fd = check(libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        // SAFETY: signalfd has just made it, and nobody else knows it.
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// Forgets the signals that `signals` has to tell.
pub(crate) fn drain_signals(signals: &OwnedFd) {
    let mut buffer = [0u8; size_of::<libc::signalfd_siginfo>() * 2];
    // SAFETY: the buffer is as long as is said. An error means that there is none to read.
    while unsafe { libc::read(signals.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) } > 0 {}
}

/// What waiting for a child gave.
#[derive(Debug)]
pub(crate) enum Reaped {
    /// This one has ended.
    Ended(Ended),
    /// There are children, and none has ended.
    Running,
    /// There is no child. As every orphan of the namespace becomes a child of PID 1, nothing but the agent is alive.
    Nobody,
}

/// A process that has ended, with what it and those that it has collected itself have used.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) pid: i32,
    pub(crate) exit: Exit,
    pub(crate) cpu: Duration,
    pub(crate) max_rss_kib: u64,
}

/// Whether to wait until a child has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

/// Collects one ended child.
pub(crate) fn reap(wait: Wait) -> io::Result<Reaped> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    let options = libc::__WALL | if wait == Wait::No { libc::WNOHANG } else { 0 };
    // SAFETY: both pointers lead to places of the right type. A zeroed rusage is a valid one.
    let (pid, usage) = unsafe {
        let pid = libc::wait4(-1, &mut status, options, usage.as_mut_ptr());
        (pid, usage.assume_init())
    };
    match pid {
        0 => Ok(Reaped::Running),
        -1 => {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::ECHILD) { Ok(Reaped::Nobody) } else { Err(error) }
        }
        pid => {
            let exit = if libc::WIFSIGNALED(status) {
                Exit::Signal(libc::WTERMSIG(status))
            } else {
                Exit::Code(libc::WEXITSTATUS(status))
            };
            let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
            Ok(Reaped::Ended(Ended { pid, exit, cpu, max_rss_kib: usage.ru_maxrss as u64 }))
        }
    }
}

/// Kills every process of the namespace but this one, in one step that no fork slips through.
pub(crate) fn kill_everything() {
    // SAFETY: no memory is involved. For PID 1 of a namespace, -1 means every other process in that namespace; where
    // there is none it fails, which is what was asked for.
    unsafe { libc::kill(-1, libc::SIGKILL) };
}

/// The CPU time that the agent itself has used.
pub(crate) fn own_cpu() -> Duration {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the pointer leads to a timespec, and a zeroed one is valid. This clock always exists.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, time.as_mut_ptr());
        time.assume_init()
    };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn duration(time: libc::timeval) -> Duration {
    Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000)
}

fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
