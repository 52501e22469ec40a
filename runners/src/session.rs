//! The conversation with the agent of one container: frames out, frames in, a bound on everything that is waited for
//! or kept.
//!
//! ```text
//! caller ── send, flush ──▶ container's stdin
//! caller ◀── next ── bounded channel ◀── reader task ◀── container's stdout and stderr
//! ```
//!
//! The reader runs by itself, so that a program is not held up while its last answer is being compared, and so that
//! the death of a container that nobody talks to is noticed.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use codementor_agent::{
    Decoder, Exit, Order, Reply, RunId, Stream, Usage, VERSION, Violation, WireError, encode,
};
use codementor_protocol::{Fault, FaultCode};
use futures::StreamExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::container::ContainerOutput;

/// How many frames may wait for the caller. With chunks of 64 KiB that is 16 MiB at most; then the agent is no longer
/// read from, and stops the clock of its program.
const CHANNEL: usize = 256;

/// How long the agent may take to say hello. A busy engine needs seconds to start a container.
const HELLO_TIME: Duration = Duration::from_secs(30);

/// How long the container may take to accept what is written to it: it never waits for a program.
const WRITE_TIME: Duration = Duration::from_secs(30);

/// How much of the agent's standard error is kept, to say why it ended.
const LAST_WORDS: usize = 2048;

/// What a container writes.
pub(crate) type Output = Pin<Box<dyn futures::Stream<Item = std::io::Result<ContainerOutput>> + Send>>;

/// A reply that outlives its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    Output { id: RunId, stream: Stream, bytes: Bytes },
    Exited { id: RunId, exit: Exit, usage: Usage, violation: Option<Violation>, work_kib: u64 },
    Cancelled { up_to: RunId },
    Clean,
    Dirty { what: String },
    Failed { message: String },
}

/// Why a container cannot be talked to any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("the container ended{}", said(.last_words))]
    Ended { last_words: String },
    #[error("the container could not be written to: {0}")]
    Write(String),
    #[error("the container did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the agent sent {0}")]
    Wire(#[from] WireError),
    #[error("the agent is of another version: it speaks {theirs}, and {VERSION} is needed")]
    Version { theirs: u32 },
    #[error("the agent said {0}, which nobody asked for")]
    Unexpected(String),
    #[error("the agent could not do what it was asked for: {0}")]
    Failed(String),
    #[error("the container was left dirty: {0}")]
    Dirty(String),
}

fn said(last_words: &str) -> String {
    if last_words.is_empty() { String::new() } else { format!(", saying: {}", last_words.trim_end()) }
}

impl From<SessionError> for Fault {
    fn from(error: SessionError) -> Self {
        Fault::new(FaultCode::Sandbox, error)
    }
}

/// A conversation. Dropping it closes the agent's standard input, which ends the container.
pub(crate) struct Session {
    stdin: Pin<Box<dyn AsyncWrite + Send>>,
    heard: mpsc::Receiver<Result<Heard, SessionError>>,
    reader: JoinHandle<()>,
    /// What has still to be written, from `written` on.
    outgoing: Vec<u8>,
    written: usize,
}

impl Session {
    /// Begins the conversation: waits until the agent has said hello.
    pub(crate) async fn open(
        stdin: Pin<Box<dyn AsyncWrite + Send>>,
        mut output: Output,
    ) -> Result<Self, SessionError> {
        let mut ears = Ears::default();
        let hello = async {
            loop {
                if let Some(version) = ears.hello()? {
                    return Ok(version);
                }
                ears.listen(output.next().await)?;
            }
        };
        let theirs = timeout(HELLO_TIME, hello).await.unwrap_or(Err(SessionError::Silent(HELLO_TIME)))?;
        if theirs != VERSION {
            return Err(SessionError::Version { theirs });
        }
        let (tell, heard) = mpsc::channel(CHANNEL);
        let reader = tokio::spawn(read(ears, output, tell));
        Ok(Self { stdin, heard, reader, outgoing: Vec::new(), written: 0 })
    }

    /// Whether the container still runs, as far as anyone has heard.
    pub(crate) fn is_alive(&self) -> bool {
        !self.reader.is_finished()
    }

    /// Adds an order to what will be written.
    pub(crate) fn send(&mut self, order: &Order<'_>) -> Result<(), SessionError> {
        Ok(encode(order, &mut self.outgoing)?)
    }

    /// Writes what was added. When it is dropped half-way, the next call goes on where it stopped.
    pub(crate) async fn flush(&mut self) -> Result<(), SessionError> {
        let write = async {
            while self.written < self.outgoing.len() {
                match self.stdin.write(&self.outgoing[self.written..]).await? {
                    0 => return Err(std::io::ErrorKind::WriteZero.into()),
                    count => self.written += count,
                }
            }
            self.stdin.flush().await
        };
        match timeout(WRITE_TIME, write).await {
            Ok(Ok(())) => {
                self.outgoing.clear();
                self.written = 0;
                Ok(())
            }
            // The container is gone. Its last words say more than the broken pipe.
            Ok(Err(error)) => loop {
                match timeout(WRITE_TIME, self.heard.recv()).await {
                    Ok(Some(Ok(_))) => {}
                    Ok(Some(Err(ended))) => return Err(ended),
                    Ok(None) | Err(_) => return Err(SessionError::Write(error.to_string())),
                }
            },
            Err(_) => Err(SessionError::Silent(WRITE_TIME)),
        }
    }

    /// The next thing that the agent says.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Heard, SessionError> {
        match timeout(patience, self.heard.recv()).await {
            Ok(Some(heard)) => heard,
            Ok(None) => Err(SessionError::Ended { last_words: String::new() }),
            Err(_) => Err(SessionError::Silent(patience)),
        }
    }

    /// Sends `order` and drops whatever comes before `answer` recognises its reply.
    pub(crate) async fn ask<T>(
        &mut self,
        order: &Order<'_>,
        patience: Duration,
        mut answer: impl FnMut(Heard) -> Option<T>,
    ) -> Result<T, SessionError> {
        self.send(order)?;
        self.flush().await?;
        let wait = async {
            loop {
                if let Some(answer) = answer(self.next(patience).await?) {
                    return Ok(answer);
                }
            }
        };
        timeout(patience, wait).await.unwrap_or(Err(SessionError::Silent(patience)))
    }

    /// Makes sure that somebody is there.
    pub(crate) async fn ping(&mut self, patience: Duration) -> Result<(), SessionError> {
        self.cancel(0, patience).await
    }

    /// Drops the runs up to this one, and everything that they still had to say.
    pub(crate) async fn cancel(&mut self, up_to: RunId, patience: Duration) -> Result<(), SessionError> {
        let order = Order::Cancel { up_to };
        self.ask(&order, patience, |heard| (heard == Heard::Cancelled { up_to }).then_some(())).await
    }

    /// Ends the submission, and has everything that it left removed and checked.
    pub(crate) async fn finish(&mut self, patience: Duration) -> Result<(), SessionError> {
        self.ask(&Order::Finish, patience, |heard| match heard {
            Heard::Clean => Some(Ok(())),
            Heard::Dirty { what } => Some(Err(SessionError::Dirty(what))),
            _ => None,
        })
        .await?
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The reader task. It ends with the container, or when nobody listens any more.
async fn read(mut ears: Ears, mut output: Output, tell: mpsc::Sender<Result<Heard, SessionError>>) {
    loop {
        loop {
            let heard = match ears.take() {
                Ok(None) => break,
                Ok(Some(heard)) => Ok(heard),
                Err(error) => Err(error),
            };
            let over = heard.is_err();
            if tell.send(heard).await.is_err() || over {
                return;
            }
        }
        if let Err(error) = ears.listen(output.next().await) {
            // The caller may be gone as well, and then there is nobody to tell.
            let _ = tell.send(Err(error)).await;
            return;
        }
    }
}

/// What has come from the container and is not understood yet. No I/O, no clock.
#[derive(Default)]
struct Ears {
    frames: Decoder,
    last_words: Vec<u8>,
}

impl Ears {
    fn listen(&mut self, piece: Option<std::io::Result<ContainerOutput>>) -> Result<(), SessionError> {
        match piece {
            Some(Ok(ContainerOutput::Stdout(bytes))) => self.frames.ingest(&bytes),
            Some(Ok(ContainerOutput::Stderr(bytes))) => {
                self.last_words.extend_from_slice(&bytes);
                let excess = self.last_words.len().saturating_sub(LAST_WORDS);
                self.last_words.drain(..excess);
            }
            Some(Err(error)) => return Err(SessionError::Ended { last_words: error.to_string() }),
            None => {
                let last_words = String::from_utf8_lossy(&self.last_words).into_owned();
                return Err(SessionError::Ended { last_words });
            }
        }
        Ok(())
    }

    fn hello(&mut self) -> Result<Option<u32>, SessionError> {
        match self.frames.take()? {
            None => Ok(None),
            Some(Reply::Hello { version }) => Ok(Some(version)),
            Some(other) => Err(SessionError::Unexpected(format!("{other:.60?}"))),
        }
    }

    fn take(&mut self) -> Result<Option<Heard>, SessionError> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(match self.frames.take()? {
            None => None,
            Some(Reply::Output { id, stream, bytes }) => {
                Some(Heard::Output { id, stream, bytes: Bytes::copy_from_slice(bytes.0) })
            }
            Some(Reply::Exited { id, exit, usage, violation, work_kib }) => {
                Some(Heard::Exited { id, exit, usage, violation, work_kib })
            }
            Some(Reply::Cancelled { up_to }) => Some(Heard::Cancelled { up_to }),
            Some(Reply::Clean) => Some(Heard::Clean),
            Some(Reply::Dirty { what }) => Some(Heard::Dirty { what: text(what.0) }),
            Some(Reply::Failed { id: _, message }) => Some(Heard::Failed { message: text(message.0) }),
            Some(Reply::Hello { .. }) => return Err(SessionError::Unexpected("hello again".into())),
        })
    }
}

#[cfg(test)]
mod tests {
    use codementor_agent::{CHUNK, Raw};
    use futures::stream;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn frames(replies: &[Reply<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for reply in replies {
            encode(reply, &mut bytes).expect("it fits");
        }
        bytes
    }

    fn stdout(bytes: Vec<u8>) -> std::io::Result<ContainerOutput> {
        Ok(ContainerOutput::Stdout(bytes.into()))
    }

    /// A conversation with somebody who says `pieces` and then ends.
    async fn open(pieces: Vec<std::io::Result<ContainerOutput>>) -> Result<Session, SessionError> {
        Session::open(Box::pin(tokio::io::sink()), Box::pin(stream::iter(pieces))).await
    }

    #[tokio::test]
    async fn replies_are_heard_in_order_and_the_end_after_them() {
        let hello = frames(&[Reply::Hello { version: VERSION }]);
        let said = frames(&[
            Reply::Output { id: 1, stream: Stream::Stdout, bytes: Raw(b"42\n") },
            Reply::Cancelled { up_to: 3 },
        ]);
        let mut pieces = vec![stdout(hello)];
        pieces.extend(said.chunks(5).map(|piece| stdout(piece.to_vec())));
        pieces.push(Ok(ContainerOutput::Stderr("out of luck\n".into())));
        let mut session = open(pieces).await.unwrap();
        let output = Heard::Output { id: 1, stream: Stream::Stdout, bytes: "42\n".into() };
        assert_eq!(session.next(PATIENCE).await, Ok(output));
        assert_eq!(session.next(PATIENCE).await, Ok(Heard::Cancelled { up_to: 3 }));
        let ended = session.next(PATIENCE).await.unwrap_err();
        assert_eq!(ended.to_string(), "the container ended, saying: out of luck");
        assert_eq!(Fault::from(ended).code, FaultCode::Sandbox);
    }

    #[tokio::test]
    async fn only_the_right_hello_opens_a_conversation() {
        let stale = frames(&[Reply::Hello { version: VERSION + 1 }]);
        let early = frames(&[Reply::Clean]);
        let table = [
            (vec![stdout(stale)], "the agent is of another version"),
            (vec![stdout(early)], "the agent said Clean"),
            (vec![stdout(vec![0xff; 8])], "the agent sent a frame of 4294967295 bytes"),
            (vec![], "the container ended"),
        ];
        for (pieces, begins) in table {
            let error = open(pieces).await.err().expect("refused").to_string();
            assert!(error.starts_with(begins), "{error}");
        }
    }

    #[tokio::test]
    async fn a_flood_is_held_back_by_the_channel_and_last_words_are_cut() {
        let mut pieces = vec![stdout(frames(&[Reply::Hello { version: VERSION }]))];
        let flood = Reply::Output { id: 1, stream: Stream::Stdout, bytes: Raw(&[b'x'; CHUNK]) };
        pieces.extend((0..CHANNEL * 2).map(|_| stdout(frames(std::slice::from_ref(&flood)))));
        pieces.push(Ok(ContainerOutput::Stderr(vec![b'y'; LAST_WORDS * 3].into())));
        let mut session = open(pieces).await.unwrap();
        for _ in 0..CHANNEL * 2 {
            assert!(session.heard.len() <= CHANNEL);
            assert!(matches!(session.next(PATIENCE).await, Ok(Heard::Output { .. })));
        }
        match session.next(PATIENCE).await {
            Err(SessionError::Ended { last_words }) => assert_eq!(last_words.len(), LAST_WORDS),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_container_that_says_nothing_is_given_up() {
        let silence =
            stream::iter([stdout(frames(&[Reply::Hello { version: VERSION }]))]).chain(stream::pending());
        let mut session = Session::open(Box::pin(tokio::io::sink()), Box::pin(silence)).await.unwrap();
        assert_eq!(session.ping(PATIENCE).await, Err(SessionError::Silent(PATIENCE)));
        assert!(session.is_alive());
        let nothing = Session::open(Box::pin(tokio::io::sink()), Box::pin(stream::pending())).await;
        assert_eq!(nothing.err(), Some(SessionError::Silent(HELLO_TIME)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_container_that_reads_nothing_is_given_up() {
        let hello =
            stream::iter([stdout(frames(&[Reply::Hello { version: VERSION }]))]).chain(stream::pending());
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut session = Session::open(Box::pin(ours), Box::pin(hello)).await.unwrap();
        session.send(&Order::Stdin { bytes: Raw(&[0; 100]) }).unwrap();
        assert_eq!(session.flush().await, Err(SessionError::Silent(WRITE_TIME)));
    }
}
