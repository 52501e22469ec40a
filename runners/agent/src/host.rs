//! The two directions of the attached stream.

use std::io;

use codementor_agent::{Decoder, Reply, encode};
use rustix::io::Errno;
use rustix::stdio::{stdin, stdout};

/// While more than this waits to be sent, nothing is read from the running program.
const ROOM: usize = 128 * 1024;

/// Output below this waits for the end of its run, and they travel together: every message costs three processes of the
/// host a turn on the processors that programs run on, and nobody reads a program's output before it has ended.
const LITTLE: usize = 16 * 1024;

/// Orders as they come in.
#[derive(Default)]
pub(crate) struct Inbox {
    pub(crate) frames: Decoder,
}

impl Inbox {
    /// Reads one piece. `false` means that the host is gone, which is how a container is told to end.
    pub(crate) fn receive(&mut self) -> io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let length = rustix::io::read(stdin(), &mut piece)?;
        self.frames.ingest(&piece[..length]);
        Ok(length > 0)
    }
}

/// Replies that wait to be sent.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Vec<u8>,
    sent: usize,
    /// Whether what waits is to be sent now.
    due: bool,
}

impl Outbox {
    /// Something that the host waits for.
    pub(crate) fn say(&mut self, reply: &Reply<'_>) {
        self.put(reply);
        self.due = true;
    }

    /// Something that can wait for what is said next.
    pub(crate) fn mention(&mut self, reply: &Reply<'_>) {
        self.put(reply);
        self.due |= self.waiting.len() - self.sent >= LITTLE;
    }

    fn put(&mut self, reply: &Reply<'_>) {
        if let Err(error) = encode(reply, &mut self.waiting) {
            // Every reply is bounded below the cap by how it is made; without this one the host could only hang.
            panic!("{error}");
        }
    }

    /// Whether something is to be sent now.
    pub(crate) fn is_due(&self) -> bool {
        self.due
    }

    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() - self.sent < ROOM
    }

    /// Sends what is due, as much as the host takes without waiting.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if !self.due {
            return Ok(());
        }
        while self.sent < self.waiting.len() {
            match rustix::io::write(stdout(), &self.waiting[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.waiting.clear();
        (self.sent, self.due) = (0, false);
        Ok(())
    }
}
