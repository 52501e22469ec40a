//! A relay between the daemon and a model: it passes bytes on as they are, keeps what was sent to the model, and sees how
//! long the model takes to begin.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How a request, and a piece of text in an answer, is known.
const REQUEST: &[u8] = b"POST ";
const TEXT: &[u8] = b"\"content\":\"";

/// A relay on loopback. It lives as long as the process.
pub(crate) struct Relay {
    port: u16,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    sent: Vec<u8>,
    /// When what has no text yet was asked.
    asked: Option<Instant>,
    first_tokens: Vec<Duration>,
}

impl Seen {
    fn request(&mut self, bytes: &[u8]) {
        self.sent.extend_from_slice(bytes);
        if bytes.starts_with(REQUEST) {
            self.asked = Some(Instant::now());
        }
    }

    fn answer(&mut self, bytes: &[u8]) {
        if bytes.windows(TEXT.len()).any(|window| window == TEXT) {
            self.first_tokens.extend(self.asked.take().map(|asked| asked.elapsed()));
        }
    }
}

impl Relay {
    /// Starts one before the server at a port of loopback.
    pub(crate) fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let keep = seen.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect(("127.0.0.1", server)).expect("the model listens");
                let ends = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
                let (requests, answers) = (keep.clone(), keep.clone());
                thread::spawn(move || pass(ends.0, ends.1, |bytes| lock(&requests).request(bytes)));
                thread::spawn(move || pass(server, client, |bytes| lock(&answers).answer(bytes)));
            }
        });
        Self { port, seen }
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// All that was sent to the model.
    pub(crate) fn sent(&self) -> Vec<u8> {
        lock(&self.seen).sent.clone()
    }

    /// From each request to the first text of its answer, since this was asked last.
    pub(crate) fn first_tokens(&self) -> Vec<Duration> {
        std::mem::take(&mut lock(&self.seen).first_tokens)
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on what one side says until it ends, and then ends the other: who leaves is seen to leave.
fn pass(mut from: TcpStream, mut to: TcpStream, keep: impl Fn(&[u8])) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        keep(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // It may have gone by itself.
    let _ = to.shutdown(Shutdown::Both);
}
