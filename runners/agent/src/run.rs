//! One run of one program, from its start until nothing of it is alive.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use codementor_agent::{Exit, Limits, Phase, RunId, Stream, Usage, Violation};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};

use crate::cgroup::Cgroup;
use crate::process::{
    Ended, Launch, Owner, Reaped, SpawnError, Spawner, Wait, kill_everything, own_cpu, reap,
};

/// By how much the CPU time of the whole container may exceed that of the processes that were collected before it is
/// believed instead: a program can hide its children by ignoring that they end.
const HIDDEN: Duration = Duration::from_millis(20);

/// An order to run, kept until it is its turn.
pub(crate) struct Waiting {
    pub(crate) id: RunId,
    pub(crate) phase: Phase,
    pub(crate) argv: Vec<CString>,
    pub(crate) env: Vec<CString>,
    pub(crate) stdin: Input,
    pub(crate) files: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) limits: Limits,
}

/// Where its standard input will come from.
pub(crate) enum Input {
    Null,
    Named(Vec<u8>),
    Sent(OwnedFd),
}

/// The program that runs now.
pub(crate) struct Current {
    pub(crate) id: RunId,
    pub(crate) phase: Phase,
    /// Names of the files that were placed for it.
    pub(crate) placed: Vec<Vec<u8>>,
    pid: i32,
    limits: Limits,
    started: Instant,
    ends: Instant,
    check_cpu: Instant,
    /// Whether its time is over, and it has the same time once more since its runtime may be about to give up.
    overtime: bool,
    /// Since when the host has not taken what the program wrote. That time is not the program's.
    stalled: Option<Instant>,
    stalls: Duration,
    baseline: Baseline,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    written: u64,
    exit: Option<Exit>,
    reaped: Usage,
    violation: Option<Violation>,
}

/// The counters when it began.
struct Baseline {
    group_cpu_us: Option<u64>,
    own_cpu: Duration,
    oom_kills: u64,
}

impl Current {
    pub(crate) fn start(
        spawner: &mut Spawner,
        cgroup: &Cgroup,
        waiting: &Waiting,
        owner: Owner,
        folder: BorrowedFd<'_>,
        stdin: BorrowedFd<'_>,
    ) -> Result<Self, StartError> {
        let (stdout, stdout_end) = output_pipe()?;
        let (stderr, stderr_end) = output_pipe()?;
        let limits = waiting.limits;
        let baseline =
            Baseline { group_cpu_us: cgroup.cpu_us(), own_cpu: own_cpu(), oom_kills: cgroup.oom_kills() };
        let started = Instant::now();
        let pid = spawner.spawn(&Launch {
            argv: &waiting.argv,
            env: &waiting.env,
            folder,
            stdin,
            stdout: stdout_end.as_fd(),
            stderr: stderr_end.as_fd(),
            owner,
            limits,
        })?;
        Ok(Self {
            id: waiting.id,
            phase: waiting.phase,
            placed: Vec::new(),
            pid,
            limits,
            started,
            ends: started + Duration::from_micros(limits.wall_us),
            check_cpu: started + Duration::from_micros(enforced(limits.cpu_us)) / cgroup.cpus(),
            overtime: false,
            stalled: None,
            stalls: Duration::ZERO,
            baseline,
            stdout: Some(stdout),
            stderr: Some(stderr),
            written: 0,
            exit: None,
            reaped: Usage::default(),
            violation: None,
        })
    }

    /// The ends of its pipes that may still have something to say.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (Stream, &OwnedFd)> {
        let stdout = self.stdout.as_ref().map(|fd| (Stream::Stdout, fd));
        stdout.into_iter().chain(self.stderr.as_ref().map(|fd| (Stream::Stderr, fd)))
    }

    /// When it has to be looked at again although nothing happened.
    pub(crate) fn next_check(&self) -> Option<Instant> {
        if self.exit.is_some() {
            return None;
        }
        Some(if self.stalled.is_some() { self.check_cpu } else { self.check_cpu.min(self.ends) })
    }

    /// Notes whether the host takes what the program writes.
    pub(crate) fn set_stalled(&mut self, stalled: bool, now: Instant) {
        match self.stalled {
            None if stalled => self.stalled = Some(now),
            Some(since) if !stalled => {
                self.stalls += now - since;
                self.ends += now - since;
                self.stalled = None;
            }
            _ => {}
        }
    }

    /// Stops it if it is over a limit now. `work_kib` tells what the submission's folder takes of the memory.
    pub(crate) fn check(
        &mut self,
        cgroup: &Cgroup,
        now: Instant,
        work_kib: impl Fn() -> u64,
    ) -> io::Result<()> {
        if self.exit.is_some() || self.violation.is_some() {
            return Ok(());
        }
        let mut limit =
            Duration::from_micros(enforced(self.limits.cpu_us)) * if self.overtime { 2 } else { 1 };
        if now >= self.check_cpu {
            let used = self.cpu_of_group(cgroup);
            if used >= limit {
                if !self.goes_on(cgroup, work_kib()) {
                    return self.stop(cgroup, self.reason(cgroup, work_kib(), Violation::CpuTime));
                }
                limit *= 2;
            }
            // It cannot have used the rest earlier than this, not even on every CPU at once.
            self.check_cpu = now + ((limit - used) / cgroup.cpus()).max(Duration::from_millis(1));
            if cgroup.oom_kills() > self.baseline.oom_kills {
                return self.stop(cgroup, Violation::Memory);
            }
        }
        if now >= self.ends && self.stalled.is_none() && !self.goes_on(cgroup, work_kib()) {
            return self.stop(cgroup, self.reason(cgroup, work_kib(), Violation::WallTime));
        }
        Ok(())
    }

    /// Takes what one of its pipes holds, as much as the output limit leaves, and hands it on.
    pub(crate) fn pump(
        &mut self,
        cgroup: &Cgroup,
        stream: Stream,
        scratch: &mut [u8],
        mut hand_on: impl FnMut(RunId, Stream, &[u8]),
    ) -> io::Result<()> {
        let pipe = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        };
        let Some(fd) = pipe else { return Ok(()) };
        let length = match rustix::io::read(&*fd, &mut *scratch) {
            Ok(length) => length,
            // With nobody alive there is nobody left to write, whoever may hold the other end.
            Err(Errno::AGAIN) if self.exit.is_some() => 0,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if length == 0 {
            *pipe = None;
            return Ok(());
        }
        let left = self.limits.output_bytes.saturating_sub(self.written);
        self.written += length as u64;
        let allowed = length.min(usize::try_from(left).unwrap_or(usize::MAX));
        if allowed > 0 {
            hand_on(self.id, stream, &scratch[..allowed]);
        }
        if self.written > self.limits.output_bytes && self.violation.is_none() {
            return self.stop(cgroup, Violation::Output);
        }
        Ok(())
    }

    /// Collects what has ended. When the first process has, everything else is killed and collected too.
    pub(crate) fn collect(&mut self, cgroup: &Cgroup) -> io::Result<()> {
        while self.exit.is_none() {
            match reap(Wait::No)? {
                Reaped::Running | Reaped::Nobody => return Ok(()),
                Reaped::Ended(child) => self.count(child),
            }
        }
        self.clear_away(cgroup)
    }

    /// Kills and collects everything, whatever state it is in.
    pub(crate) fn kill(&mut self, cgroup: &Cgroup) -> io::Result<()> {
        kill_everything();
        self.clear_away(cgroup)
    }

    /// How it ended, when it has ended and all of its output has been taken.
    pub(crate) fn ended(&self, cgroup: &Cgroup) -> Option<(Exit, Usage, Option<Violation>)> {
        let exit = self.exit.filter(|_| self.stdout.is_none() && self.stderr.is_none())?;
        let oom = cgroup.oom_kills() > self.baseline.oom_kills;
        let violation = match (self.violation, exit) {
            _ if oom => Some(Violation::Memory),
            (None, Exit::Signal(libc::SIGXFSZ)) => Some(Violation::Output),
            (None, Exit::Signal(libc::SIGXCPU)) => Some(Violation::CpuTime),
            (None, _) if self.overtime => Some(Violation::CpuTime),
            (violation, _) => violation,
        };
        Some((exit, self.reaped, violation))
    }

    fn stop(&mut self, cgroup: &Cgroup, violation: Violation) -> io::Result<()> {
        self.violation = Some(violation);
        self.kill(cgroup)
    }

    /// Gives a program that is out of time the same time once more, where its runtime's heap may be what it struggles with.
    fn goes_on(&mut self, cgroup: &Cgroup, work_kib: u64) -> bool {
        let held = cgroup.held_kib().saturating_sub(work_kib);
        let is_full =
            self.limits.full_kib > 0 && held >= self.limits.full_kib && held <= self.limits.memory_kib;
        if self.overtime || !is_full {
            return false;
        }
        self.overtime = true;
        self.ends += Duration::from_micros(self.limits.wall_us);
        true
    }

    /// Out of time with more memory in hand than it may have: it has reached the memory limit first, and perhaps got
    /// nowhere because of that.
    fn reason(&self, cgroup: &Cgroup, work_kib: u64, otherwise: Violation) -> Violation {
        let held = cgroup.held_kib().saturating_sub(work_kib);
        if held > self.limits.memory_kib { Violation::Memory } else { otherwise }
    }

    /// Collects what is alive until nothing is, killing it first.
    fn clear_away(&mut self, cgroup: &Cgroup) -> io::Result<()> {
        // Most programs leave nobody behind, and then this is the only call.
        let mut reaped = reap(Wait::No)?;
        if matches!(reaped, Reaped::Running) {
            kill_everything();
            reaped = reap(Wait::Yes)?;
        }
        // What is killed cannot fork any more, so the wait is for the kernel alone. If that never ends, the host's
        // patience does, and it destroys the container.
        while let Reaped::Ended(child) = reaped {
            self.count(child);
            reaped = match reap(Wait::No)? {
                Reaped::Running => {
                    kill_everything();
                    reap(Wait::Yes)?
                }
                other => other,
            };
        }
        let seen = self.cpu_of_group(cgroup).saturating_sub(HIDDEN);
        self.reaped.cpu_us = self.reaped.cpu_us.max(seen.as_micros() as u64);
        Ok(())
    }

    fn count(&mut self, child: Ended) {
        self.reaped.cpu_us += child.cpu.as_micros() as u64;
        self.reaped.memory_kib = self.reaped.memory_kib.max(child.max_rss_kib);
        if child.pid == self.pid {
            self.exit = Some(child.exit);
            self.reaped.wall_us = self.started.elapsed().saturating_sub(self.stalls).as_micros() as u64;
        }
    }

    /// The CPU time of everything in the container since the start, but for the agent's own.
    /// Zero where the engine does not show it; then each process has its own limit, and the wall time holds.
    fn cpu_of_group(&self, cgroup: &Cgroup) -> Duration {
        let (Some(now), Some(before)) = (cgroup.cpu_us(), self.baseline.group_cpu_us) else {
            return Duration::ZERO;
        };
        let own = own_cpu().saturating_sub(self.baseline.own_cpu);
        Duration::from_micros(now.saturating_sub(before)).saturating_sub(own)
    }
}

/// Why a run could not begin. Ours, every one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("the program could not be started: {0}")]
    Spawn(SpawnError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<SpawnError> for StartError {
    fn from(error: SpawnError) -> Self {
        Self::Spawn(error)
    }
}

/// The CPU time at which a program is stopped: enough above the limit that having used more than it is a fact.
fn enforced(limit_us: u64) -> u64 {
    limit_us.saturating_add(limit_us / 100).saturating_add(10_000)
}

/// A pipe of which only the agent's end does not wait.
fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (ours, theirs) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setfl(&ours, OFlags::NONBLOCK)?;
    Ok((ours, theirs))
}
