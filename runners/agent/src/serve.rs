//! The agent's one loop.
//!
//! ```text
//! poll ─┬─ orders from the host ──▶ obey: write files, queue runs, cancel, finish
//!       ├─ the program's stdout and stderr ──▶ pump: output to the host (only while the host takes it)
//!       ├─ the end of a child ──▶ collect
//!       ├─ room towards the host ──▶ flush
//!       └─ time ──▶ check: limits
//! then: a run that is over is reported and tidied up after, and the next one starts
//! ```
//!
//! One thread, and no byte of a program's is ever looked at, only passed on.

use std::collections::VecDeque;
use std::ffi::{CString, NulError};
use std::fmt::Display;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use codementor_agent::{
    CHUNK, INPUTS, MAX_QUEUED, MAX_SENT_STDIN, Order, Phase, Raw, Reply, Run, RunId, SCRATCH, Stdin, Stream,
    VERSION, WORK,
};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, OFlags, SeekFrom, fcntl_getfl, fcntl_setfl, memfd_create, seek};
use rustix::stdio::{stdin, stdout};

use crate::cgroup::Cgroup;
use crate::folders::{self, Folder, Inputs, at};
use crate::host::{Inbox, Outbox};
use crate::process::{
    Owner, Reaped, Spawner, Wait, become_init, drain_signals, ipc_objects, reap, remove_ipc_objects,
};
use crate::run::{Current, Input, Waiting};

/// How long emptying the folders may take, after a run and at the end of a submission. Making a file takes longer than
/// removing one, so this is far more than what a program can leave within a usual time limit.
const WIPE_TIME: Duration = Duration::from_secs(15);

/// Serves the host until it is gone. An error means that nothing can be promised any more: the end of PID 1 is the
/// end of the container.
pub(crate) fn serve() -> io::Result<()> {
    let signals = become_init()?;
    fcntl_setfl(stdout(), fcntl_getfl(stdout())? | OFlags::NONBLOCK)?;
    folders::quicken_look_ups();
    let mut agent = Agent {
        inbox: Inbox::default(),
        work: Work::open()?,
        runs: Runs {
            outbox: Outbox::default(),
            cgroup: Cgroup::open(),
            spawner: Spawner::new(),
            inputs: Inputs::open(INPUTS),
            null: File::open("/dev/null")?.into(),
            submission: None,
            queue: VecDeque::new(),
            current: None,
        },
        scratch: vec![0; CHUNK],
    };
    agent.runs.outbox.say(&Reply::Hello { version: VERSION });
    agent.run_loop(&signals)
}

struct Agent {
    inbox: Inbox,
    work: Work,
    runs: Runs,
    scratch: Vec<u8>,
}

/// What woke the loop.
#[derive(Debug, Clone, Copy)]
enum Event {
    Orders,
    ChildEnded,
    Output(Stream),
    HostReady,
}

impl Agent {
    fn run_loop(&mut self, signals: &OwnedFd) -> io::Result<()> {
        loop {
            self.runs.settle(&mut self.work)?;
            self.runs.outbox.flush()?;
            for event in self.wait(signals)?.into_iter().flatten() {
                match event {
                    Event::Orders => {
                        if !self.inbox.receive()? {
                            return Ok(());
                        }
                        while let Some(order) = self.inbox.frames.take().map_err(io::Error::other)? {
                            self.runs.obey(&mut self.work, order)?;
                        }
                    }
                    Event::ChildEnded => {
                        drain_signals(signals);
                        self.runs.collect()?;
                    }
                    Event::Output(stream) => self.runs.pump(stream, &mut self.scratch)?,
                    Event::HostReady => self.runs.outbox.flush()?,
                }
            }
            self.runs.check(&self.work, Instant::now())?;
        }
    }

    fn wait(&mut self, signals: &OwnedFd) -> io::Result<[Option<Event>; 5]> {
        let runs = &mut self.runs;
        let now = Instant::now();
        let room = runs.outbox.has_room();
        let mut timeout = None;
        if let Some(current) = &mut runs.current {
            current.set_stalled(!room, now);
            timeout = current.next_check().map(|check| {
                let left = check.saturating_duration_since(now);
                Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) }
            });
        }
        let mut polled = Vec::with_capacity(5);
        let mut events = [None; 5];
        let mut watch = |event, fd| {
            events[polled.len()] = Some(event);
            polled.push(fd);
        };
        // In this order, so that all that a program wrote is seen before its end.
        if let Some(current) = runs.current.as_ref().filter(|_| room) {
            for (stream, fd) in current.outputs() {
                watch(Event::Output(stream), PollFd::new(fd, PollFlags::IN));
            }
        }
        watch(Event::ChildEnded, PollFd::new(signals, PollFlags::IN));
        let (host_in, host_out) = (stdin(), stdout());
        watch(Event::Orders, PollFd::new(&host_in, PollFlags::IN));
        if runs.outbox.is_due() {
            watch(Event::HostReady, PollFd::new(&host_out, PollFlags::OUT));
        }
        match poll(&mut polled, timeout.as_ref()) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok([None; 5]),
            Err(error) => return Err(error.into()),
        }
        for (event, fd) in events.iter_mut().zip(&polled) {
            if fd.revents().is_empty() {
                *event = None;
            }
        }
        Ok(events)
    }
}

/// The submission that the container is lent to.
struct Submission {
    folder: OwnedFd,
    build: Owner,
    run: Owner,
}

impl Submission {
    fn owner(&self, phase: Phase) -> Owner {
        match phase {
            Phase::Build => self.build,
            Phase::Case => self.run,
        }
    }
}

/// The runs: the current one and those that wait.
struct Runs {
    outbox: Outbox,
    cgroup: Cgroup,
    spawner: Spawner,
    inputs: Inputs,
    null: OwnedFd,
    submission: Option<Submission>,
    queue: VecDeque<Waiting>,
    current: Option<Current>,
}

impl Runs {
    fn obey(&mut self, work: &mut Work, order: Order<'_>) -> io::Result<()> {
        match order {
            Order::Begin { build_uid, run_uid } => {
                let begun = if self.submission.is_some() {
                    Err("the last submission is not finished".into())
                } else {
                    work.begin(build_uid, run_uid)
                };
                match begun {
                    Ok(submission) => self.submission = Some(submission),
                    Err(message) => self.fail(None, message),
                }
            }
            Order::WriteFile { path, bytes, append, executable } => {
                let written = match &self.submission {
                    Some(submission) if self.current.is_none() && self.queue.is_empty() => {
                        let owner = submission.build;
                        folders::create(submission.folder.as_fd(), path.0, owner, append, executable)
                            .and_then(|file| folders::write_all(&file, bytes.0))
                            .map_err(at(path.0.escape_ascii()))
                    }
                    _ => Err("files are written between Begin and the first run".into()),
                };
                if let Err(message) = written {
                    self.fail(None, message);
                }
            }
            Order::Stdin { bytes } => {
                if let Err(message) = work.keep_stdin(bytes.0).map_err(at("standard input")) {
                    self.fail(None, message);
                }
            }
            Order::Run(run) => {
                let id = run.id;
                let waiting = if self.queue.len() >= MAX_QUEUED {
                    Err("more runs than may wait".to_string())
                } else {
                    own(run, work.sent.take()).map_err(|error| error.to_string())
                };
                match waiting {
                    Ok(waiting) => self.queue.push_back(waiting),
                    Err(message) => self.fail(Some(id), message),
                }
            }
            Order::Cancel { up_to } => {
                self.cancel(work, up_to)?;
                self.outbox.say(&Reply::Cancelled { up_to });
            }
            Order::Finish => {
                self.cancel(work, RunId::MAX)?;
                if !matches!(reap(Wait::No)?, Reaped::Nobody) {
                    work.spoil("processes that outlived their run".into());
                }
                let submission = self.submission.take();
                match work.finish(submission.as_ref()) {
                    Ok(()) => self.outbox.say(&Reply::Clean),
                    Err(what) => self.outbox.say(&Reply::Dirty { what: Raw(bounded(&what)) }),
                }
            }
        }
        Ok(())
    }

    fn cancel(&mut self, work: &mut Work, up_to: RunId) -> io::Result<()> {
        self.queue.retain(|waiting| waiting.id > up_to);
        work.sent = None;
        if let Some(current) = self.current.take_if(|current| current.id <= up_to) {
            let mut current = current;
            current.kill(&self.cgroup)?;
            self.tidy(work, &current);
        }
        Ok(())
    }

    /// Reports and tidies up after a run that is over, and starts the next.
    fn settle(&mut self, work: &mut Work) -> io::Result<()> {
        loop {
            if let Some(current) = &self.current {
                let Some((exit, usage, violation)) = current.ended(&self.cgroup) else { return Ok(()) };
                let built = current.phase == Phase::Build;
                let work_kib = if built { work.folder.used_kib()? } else { 0 };
                let id = current.id;
                self.outbox.say(&Reply::Exited { id, exit, usage, violation, work_kib });
                // The host can go on with this one while its traces are removed.
                self.outbox.flush()?;
                if let Some(current) = self.current.take() {
                    self.tidy(work, &current);
                }
            }
            let Some(next) = self.queue.pop_front() else { return Ok(()) };
            match self.start(work, &next) {
                Ok(current) => self.current = Some(current),
                Err(message) => self.fail(Some(next.id), message),
            }
        }
    }

    fn start(&mut self, work: &Work, next: &Waiting) -> Result<Current, String> {
        if let Some(what) = &work.dirty {
            return Err(what.clone());
        }
        let Some(submission) = &self.submission else { return Err("no submission has begun".into()) };
        let owner = submission.owner(next.phase);
        let folder = submission.folder.as_fd();
        let mut placed = Vec::new();
        let started = (|| {
            for (name, input) in &next.files {
                let from = self.inputs.get(input).map_err(at(input.escape_ascii()))?;
                let to = folders::create(folder, name, submission.build, false, false)
                    .map_err(at(name.escape_ascii()))?;
                placed.push(name.clone());
                folders::copy(&from, &to).map_err(at(name.escape_ascii()))?;
            }
            let named;
            let stdin = match &next.stdin {
                Input::Null => self.null.as_fd(),
                Input::Sent(file) => file.as_fd(),
                Input::Named(name) => {
                    named = self.inputs.get(name).map_err(at(name.escape_ascii()))?;
                    named.as_fd()
                }
            };
            Current::start(&mut self.spawner, &self.cgroup, next, owner, folder, stdin)
                .map_err(|error| error.to_string())
        })();
        match started {
            Ok(mut current) => {
                current.placed = placed;
                Ok(current)
            }
            Err(message) => {
                for name in placed {
                    // If this fails too, the check at the end of the submission finds the file.
                    let _ = folders::remove(folder, &name, submission.build);
                }
                Err(message)
            }
        }
    }

    fn tidy(&self, work: &mut Work, ended: &Current) {
        let Some(submission) = &self.submission else { return };
        for name in &ended.placed {
            if let Err(error) = folders::remove(submission.folder.as_fd(), name, submission.build) {
                work.spoil(format!("{}: {error}", name.escape_ascii()));
            }
        }
        if let Err(what) = work.wipe_scratch(submission, Instant::now() + WIPE_TIME) {
            work.spoil(what);
        }
    }

    fn collect(&mut self) -> io::Result<()> {
        match &mut self.current {
            Some(current) => current.collect(&self.cgroup),
            None => Ok(()),
        }
    }

    fn pump(&mut self, stream: Stream, scratch: &mut [u8]) -> io::Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        current.pump(&self.cgroup, stream, scratch, |id, stream, bytes| {
            self.outbox.mention(&Reply::Output { id, stream, bytes: Raw(bytes) });
        })
    }

    fn check(&mut self, work: &Work, now: Instant) -> io::Result<()> {
        match &mut self.current {
            Some(current) => current.check(&self.cgroup, now, || work.folder.used_kib().unwrap_or(0)),
            None => Ok(()),
        }
    }

    fn fail(&mut self, id: Option<RunId>, message: impl Display) {
        self.outbox.say(&Reply::Failed { id, message: Raw(bounded(&message.to_string())) });
    }
}

/// The places that a submission can write to.
struct Work {
    folder: Folder,
    scratch: Vec<Folder>,
    begun: u64,
    /// Standard input for the run that is ordered next, and its length.
    sent: Option<(OwnedFd, u64)>,
    /// What could not be removed. From then on nothing is run.
    dirty: Option<String>,
}

impl Work {
    fn open() -> io::Result<Self> {
        // What the engine does not mount, nobody can write to.
        let scratch = SCRATCH.into_iter().filter_map(|path| Folder::open(path).ok()).collect();
        Ok(Self { folder: Folder::open(WORK)?, scratch, begun: 0, sent: None, dirty: None })
    }

    fn begin(&mut self, build: Owner, run: Owner) -> Result<Submission, String> {
        if build == 0 || run == 0 || build == run {
            return Err(format!("users {build} and {run}"));
        }
        if let Some(what) = &self.dirty {
            return Err(what.clone());
        }
        self.begun += 1;
        // Only while the folder is made may anybody but root make one.
        self.folder.set_open(true).map_err(at(WORK))?;
        let folder = self.folder.make(&self.begun.to_string(), build).map_err(at(WORK));
        self.folder.set_open(false).map_err(at(WORK))?;
        Ok(Submission { folder: folder?, build, run })
    }

    fn keep_stdin(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (file, length) = match self.sent.take() {
            Some(sent) => sent,
            None => (memfd_create("stdin", MemfdFlags::CLOEXEC)?, 0),
        };
        let length = length + bytes.len() as u64;
        if length > MAX_SENT_STDIN {
            return Err(io::Error::other("it is too long to be sent"));
        }
        folders::write_all(&file, bytes)?;
        self.sent = Some((file, length));
        Ok(())
    }

    /// Removes what a run left outside the submission's folder. Nearly always there is nothing, and the check is a
    /// few microseconds.
    fn wipe_scratch(&self, submission: &Submission, until: Instant) -> Result<(), String> {
        let owners = [submission.build, submission.run];
        for folder in &self.scratch {
            if !folder.is_empty().map_err(at(folder.path))? {
                folder.empty(&owners, until).map_err(at(folder.path))?;
            }
        }
        if ipc_objects() > 0 {
            remove_ipc_objects(&owners);
            if ipc_objects() > 0 {
                return Err("System V objects that cannot be removed".into());
            }
        }
        Ok(())
    }

    fn finish(&mut self, submission: Option<&Submission>) -> Result<(), String> {
        if let Some(what) = &self.dirty {
            return Err(what.clone());
        }
        let Some(submission) = submission else { return Ok(()) };
        let until = Instant::now() + WIPE_TIME;
        let wiped = (|| {
            self.wipe_scratch(submission, until)?;
            // Folders are moved up into this one while it is emptied.
            self.folder.set_open(true).map_err(at(WORK))?;
            self.folder.empty(&[submission.build, submission.run], until).map_err(at(WORK))?;
            self.folder.set_open(false).map_err(at(WORK))
        })();
        if let Err(what) = &wiped {
            self.spoil(what.clone());
        }
        wiped
    }

    fn spoil(&mut self, what: String) {
        self.dirty.get_or_insert(what);
    }
}

/// Turns an order into one that outlives its frame.
fn own(run: Run<'_>, sent: Option<(OwnedFd, u64)>) -> io::Result<Waiting> {
    let strings = |list: Vec<Raw<'_>>| -> Result<Vec<CString>, NulError> {
        list.into_iter().map(|raw| CString::new(raw.0)).collect()
    };
    let argv = strings(run.argv)?;
    if argv.is_empty() {
        return Err(io::Error::other("no program is named"));
    }
    let stdin = match (run.stdin, sent) {
        (Stdin::Null, _) => Input::Null,
        (Stdin::Input(name), _) => Input::Named(name.0.to_vec()),
        (Stdin::Sent, Some((file, _))) => {
            seek(&file, SeekFrom::Start(0))?;
            Input::Sent(file)
        }
        (Stdin::Sent, None) => return Err(io::Error::other("no standard input was sent")),
    };
    Ok(Waiting {
        id: run.id,
        phase: run.phase,
        argv,
        env: strings(run.env)?,
        stdin,
        files: run.files.into_iter().map(|(name, input)| (name.0.to_vec(), input.0.to_vec())).collect(),
        limits: run.limits,
    })
}

/// The beginning of a message, short enough for any frame.
fn bounded(message: &str) -> &[u8] {
    let bytes = message.as_bytes();
    &bytes[..bytes.len().min(2048)]
}
