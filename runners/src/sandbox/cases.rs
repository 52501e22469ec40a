//! The cases of one program, some of them sent ahead.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use codementor_agent as agent;
use codementor_agent::{CHUNK, Order, Phase, Raw, RunId, Stdin, Stream};
use codementor_protocol::{Capture, Exited, Fault, Limit, Limits};

use super::{CaseDone, CaseInput, CaseRun, EXCESS_MIB, GRACE, MAX_KEPT, Sandbox, exited};
use crate::language::Language;
use crate::session::{Heard, SessionError};

/// How many runs are sent ahead: enough that the agent never waits for this side, few enough that little is lost
/// when the rest is not wanted.
const AHEAD: usize = 16;

/// How many bytes of standard input are sent ahead; they wait in the container's memory.
const BYTES_AHEAD: usize = 1 << 20;

/// How much of the end of standard error is kept beside its beginning, to look for a runtime's last words.
const TAIL: usize = 4096;

/// The cases of one program while they run. Dropped before the end, the rest is stopped when the sandbox is used or
/// closed next.
pub struct Cases<'a> {
    sandbox: &'a mut Sandbox,
    waiting: VecDeque<CaseRun>,
    /// The runs that were sent and have not ended, with the bytes of standard input that went with them.
    ahead: VecDeque<(RunId, usize)>,
    limits: Limits,
    /// How many have ended, the one that ended early included.
    done: usize,
    /// A first case that had to end before the others began, until it is asked for.
    early: Option<CaseDone>,
    current: Collected,
}

impl<'a> Cases<'a> {
    pub(super) fn new(
        sandbox: &'a mut Sandbox,
        early: Option<CaseDone>,
        cases: Vec<CaseRun>,
        limits: &Limits,
    ) -> Self {
        Self {
            sandbox,
            waiting: cases.into(),
            ahead: VecDeque::new(),
            limits: *limits,
            done: early.iter().len(),
            early,
            current: Collected::default(),
        }
    }

    /// The next case's end, in the order in which they were given. It can be dropped and called again: nothing that
    /// was heard is lost.
    pub async fn next(&mut self) -> Result<Option<CaseDone>, Fault> {
        let next = self.step().await;
        self.sandbox.sound(next)
    }

    /// Stops what is left, the current case included. The sandbox can be used for something else afterwards.
    pub async fn stop(self) -> Result<(), Fault> {
        self.sandbox.quiet().await
    }

    async fn step(&mut self) -> Result<Option<CaseDone>, SessionError> {
        self.send_ahead()?;
        if let Some(done) = self.early.take() {
            // The others run while the caller looks at this one.
            self.sandbox.parts.session.flush().await?;
            return Ok(Some(done));
        }
        let Some(&(id, _)) = self.ahead.front() else { return Ok(None) };
        self.sandbox.parts.session.flush().await?;
        // Twice, since a runtime that struggles with its heap has the time once more.
        let patience = 2 * Duration::from_millis(self.limits.wall_ms()) + GRACE;
        loop {
            match self.sandbox.parts.session.next(patience).await? {
                Heard::Output { id: of, stream, bytes } if of == id => {
                    self.current.take(stream, &bytes, self.limits.output_mib << 20)?;
                }
                Heard::Exited { id: of, exit, usage, violation, work_kib: _ } if of == id => {
                    self.ahead.pop_front();
                    self.sandbox.running = !self.ahead.is_empty();
                    let index = self.done;
                    self.done += 1;
                    let collected = std::mem::take(&mut self.current);
                    let language = self.sandbox.built.as_ref().map(|built| &*built.language);
                    return Ok(Some(collected.into_done(index, exited(exit, usage, violation), language)));
                }
                Heard::Failed { message } => return Err(SessionError::Failed(message)),
                other => return Err(SessionError::Unexpected(format!("{other:.60?}"))),
            }
        }
    }

    fn send_ahead(&mut self) -> Result<(), SessionError> {
        while self.ahead.len() < AHEAD {
            let bytes_ahead: usize = self.ahead.iter().map(|(_, bytes)| bytes).sum();
            let bytes = |case: &CaseRun| match &case.stdin {
                CaseInput::Bytes(bytes) => bytes.len(),
                CaseInput::Nothing | CaseInput::Input(_) => 0,
            };
            let Some(case) = self.waiting.front() else { return Ok(()) };
            if !self.ahead.is_empty() && bytes_ahead + bytes(case) > BYTES_AHEAD {
                return Ok(());
            }
            let length = bytes(case);
            let id = self.send(&case.clone())?;
            self.ahead.push_back((id, length));
            self.waiting.pop_front();
        }
        Ok(())
    }

    fn send(&mut self, case: &CaseRun) -> Result<RunId, SessionError> {
        let Some(built) = self.sandbox.built.take() else {
            return Err(SessionError::Unexpected("nothing to run".into()));
        };
        let stdin = match &case.stdin {
            CaseInput::Nothing => Stdin::Null,
            CaseInput::Input(name) => Stdin::Input(Raw(name.as_str().as_bytes())),
            CaseInput::Bytes(bytes) if bytes.is_empty() => Stdin::Null,
            CaseInput::Bytes(bytes) => {
                for chunk in bytes.chunks(CHUNK) {
                    self.sandbox.parts.session.send(&Order::Stdin { bytes: Raw(chunk) })?;
                }
                Stdin::Sent
            }
        };
        let limits = agent::Limits {
            cpu_us: self.limits.time_ms * 1000,
            wall_us: self.limits.wall_ms() * 1000,
            memory_kib: (self.limits.memory_mib + EXCESS_MIB) * 1024,
            full_kib: built.language.full_heap_kib(self.limits.memory_mib),
            output_bytes: self.limits.output_mib << 20,
            file_bytes: self.limits.output_mib << 20,
            processes: built.language.limits().pids,
        };
        let (argv, environment) = (&built.argv, &built.environment);
        let id =
            self.sandbox.order_run(Phase::Case, argv, &case.args, environment, stdin, &case.files, limits);
        self.sandbox.built = Some(built);
        id
    }
}

/// What the current case has written so far.
#[derive(Debug, Default)]
struct Collected {
    stdout: BytesMut,
    stderr: Capture,
    /// The end of standard error, where it is longer than what is kept of its beginning.
    tail: Vec<u8>,
}

impl Collected {
    /// Adds a piece. The agent stops at the limit; an agent that does not is not believed any more.
    fn take(&mut self, stream: Stream, bytes: &[u8], limit: u64) -> Result<(), SessionError> {
        match stream {
            Stream::Stdout => self.stdout.extend_from_slice(bytes),
            Stream::Stderr => {
                let room = MAX_KEPT - self.stderr.bytes.len();
                let (kept, rest) = bytes.split_at(bytes.len().min(room));
                self.stderr.bytes.extend_from_slice(kept);
                self.tail.extend_from_slice(&rest[rest.len().saturating_sub(TAIL)..]);
                let excess = self.tail.len().saturating_sub(TAIL);
                self.tail.drain(..excess);
                self.stderr.total += bytes.len() as u64;
            }
        }
        if self.stdout.len() as u64 + self.stderr.total > limit {
            return Err(SessionError::Unexpected("more output than the limit lets through".into()));
        }
        Ok(())
    }

    fn into_done(mut self, index: usize, mut exited: Exited, language: Option<&Language>) -> CaseDone {
        let exhausted = |language: &Language, tail: &[u8], head: &[u8]| {
            language.memory_exhausted(exited.exit, head) || language.memory_exhausted(exited.exit, tail)
        };
        // A runtime that gave up just when the time was over had reached the memory limit before.
        if matches!(exited.stopped_by, None | Some(Limit::CpuTime | Limit::WallTime))
            && language.is_some_and(|language| exhausted(language, &self.tail, &self.stderr.bytes))
        {
            exited.stopped_by = Some(Limit::Memory);
        }
        let stdout: Bytes = std::mem::take(&mut self.stdout).freeze();
        CaseDone { index, exited, stdout, stderr: self.stderr }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_of_standard_error_are_kept_and_the_middle_is_only_counted() {
        let mut collected = Collected::default();
        collected.take(Stream::Stderr, &[b'a'; MAX_KEPT - 1], u64::MAX).unwrap();
        collected.take(Stream::Stderr, &[b'b'; MAX_KEPT], u64::MAX).unwrap();
        collected.take(Stream::Stderr, b"the end", u64::MAX).unwrap();
        assert_eq!(collected.stderr.bytes.len(), MAX_KEPT);
        assert!(collected.stderr.bytes.ends_with(b"ab"));
        assert_eq!(collected.stderr.total, MAX_KEPT as u64 * 2 - 1 + 7);
        assert_eq!(collected.tail.len(), TAIL);
        assert!(collected.tail.ends_with(b"bthe end"));
    }

    #[test]
    fn more_than_the_limit_is_not_believed() {
        let mut collected = Collected::default();
        collected.take(Stream::Stdout, &[0; 60], 100).unwrap();
        collected.take(Stream::Stderr, &[0; 40], 100).unwrap();
        assert!(collected.take(Stream::Stdout, &[0], 100).is_err());
    }
}
