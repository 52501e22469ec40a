//! The server: sockets and threads.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::script::{Framing, Step};
use crate::{Ended, Journal, Request, Script};

/// How long a thread waits before it looks again whether it should end.
const GLANCE: Duration = Duration::from_millis(5);
/// Larger requests are none of ours.
const MAX_REQUEST: usize = 64 << 20;

type Reply = dyn Fn(&Request) -> Script + Send + Sync;

/// A model server on loopback. Dropping it closes all connections.
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    journal: Journal,
    reply: Box<Reply>,
    stopped: AtomicBool,
    connections: Mutex<Vec<JoinHandle<()>>>,
}

impl ModelServer {
    /// Starts a server that answers each request as `reply` says.
    pub fn start(reply: impl Fn(&Request) -> Script + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback is free");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            journal: Journal::default(),
            reply: Box::new(reply),
            stopped: AtomicBool::new(false),
            connections: Mutex::default(),
        });
        let accepting = std::thread::spawn({
            let shared = shared.clone();
            move || accept(&listener, &shared)
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Starts a server that plays these scripts in turn. What is asked after the last is refused with 418, which no
    /// client tries again.
    pub fn playing(scripts: impl Into<Vec<Script>>) -> Self {
        let scripts = scripts.into();
        Self::start(move |request| match scripts.get(request.number) {
            Some(script) => script.clone(),
            None => Script::error(418, "no script is left"),
        })
    }

    /// Starts a server that plays one script again and again.
    pub fn always(script: Script) -> Self {
        Self::start(move |_| script.clone())
    }

    /// The base URL, as OpenAI's clients want it.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was asked.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // The accepting thread waits for a connection: it gets one.
        drop(TcpStream::connect(self.address));
        let accepting = self.accepting.take();
        accepting.map(JoinHandle::join);
        let connections =
            std::mem::take(&mut *self.shared.connections.lock().unwrap_or_else(|p| p.into_inner()));
        for connection in connections {
            drop(connection.join());
        }
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        shared.journal.opened();
        let connection = std::thread::spawn({
            let shared = shared.clone();
            move || {
                let stream = stream;
                serve(&stream, &shared);
                // A client that still sends shall not see a reset in place of what it was sent.
                drop(stream.shutdown(Shutdown::Write));
                shared.journal.closed();
            }
        });
        let mut connections = shared.connections.lock().unwrap_or_else(|p| p.into_inner());
        connections.retain(|connection| !connection.is_finished());
        connections.push(connection);
    }
}

/// One connection: requests and answers in turn, until one side closes it.
fn serve(stream: &TcpStream, shared: &Shared) {
    let prepared = stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(GLANCE)));
    prepared.expect("a socket takes options");
    let mut left = Vec::new();
    while let Some(request) = read_request(stream, shared, &mut left) {
        let request = shared.journal.asked(request);
        let script = (shared.reply)(&request);
        let ended = play(stream, shared, &script).unwrap_or(Ended::Left);
        shared.journal.ended(request.number, ended);
        let goes_on = matches!(script.framing, Framing::Chunked | Framing::Length);
        if ended != Ended::Played || !goes_on {
            return;
        }
    }
}

/// Reads a request; none where the client leaves. What was read beyond it stays in `left`.
fn read_request(stream: &TcpStream, shared: &Shared, left: &mut Vec<u8>) -> Option<Request> {
    let end_of_head = loop {
        if let Some(at) = left.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        read_some(stream, shared, left)?;
    };
    let head = String::from_utf8_lossy(&left[..end_of_head]).into_owned();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length: usize = length.map_or(Some(0), |(_, value)| value.parse().ok())?;
    while left.len() < end_of_head + length {
        read_some(stream, shared, left)?;
    }
    let body = left[end_of_head..end_of_head + length].to_vec();
    left.drain(..end_of_head + length);
    Some(Request { number: 0, method, path, headers, body })
}

fn read_some(mut stream: &TcpStream, shared: &Shared, into: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 << 10];
    loop {
        if shared.stopped.load(Ordering::SeqCst) || into.len() > MAX_REQUEST {
            return None;
        }
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(count) => {
                into.extend_from_slice(&buffer[..count]);
                return Some(());
            }
            Err(error) if is_nothing_yet(&error) => {}
            Err(_) => return None,
        }
    }
}

/// Plays a script; an error means that the client has left.
fn play(mut stream: &TcpStream, shared: &Shared, script: &Script) -> io::Result<Ended> {
    for step in &script.before {
        if let Some(ended) = pass(stream, shared, step) {
            return Ok(ended);
        }
    }
    if script.framing != Framing::Raw {
        stream.write_all(head(script).as_bytes())?;
    }
    for step in &script.steps {
        match step {
            // An empty chunk would be the end.
            Step::Send(bytes) if bytes.is_empty() => {}
            Step::Send(bytes) if script.framing == Framing::Chunked => {
                let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
                framed.extend_from_slice(bytes);
                framed.extend_from_slice(b"\r\n");
                stream.write_all(&framed)?;
            }
            Step::Send(bytes) => stream.write_all(bytes)?,
            step => {
                if let Some(ended) = pass(stream, shared, step) {
                    return Ok(ended);
                }
            }
        }
    }
    if script.framing == Framing::Chunked {
        stream.write_all(b"0\r\n\r\n")?;
    }
    Ok(Ended::Played)
}

fn head(script: &Script) -> String {
    let mut head = format!("HTTP/1.1 {} Scripted\r\n", script.status);
    match script.framing {
        Framing::Chunked => head += "transfer-encoding: chunked\r\n",
        Framing::Length => head += &format!("content-length: {}\r\n", script.bytes().len()),
        Framing::UntilClose => head += "connection: close\r\n",
        Framing::Raw => {}
    }
    for (name, value) in &script.headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}

/// Waits as a step says; returns how the exchange ended where it ended meanwhile.
fn pass(stream: &TcpStream, shared: &Shared, step: &Step) -> Option<Ended> {
    let begin = Instant::now();
    loop {
        match step {
            Step::BreakOff => return Some(Ended::BrokenOff),
            Step::Gate(gate) if gate.wait(GLANCE) => return None,
            Step::Pause(time) if begin.elapsed() >= *time => return None,
            _ => {}
        }
        if shared.stopped.load(Ordering::SeqCst) {
            return Some(Ended::Stopped);
        }
        if has_left(stream) {
            return Some(Ended::Left);
        }
    }
}

/// Whether the client has closed the connection. Takes about as long as a glance.
fn has_left(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(0) => true,
        Ok(_) => {
            // A further request has come early: reading would not wait.
            std::thread::sleep(GLANCE);
            false
        }
        Err(error) => !is_nothing_yet(&error),
    }
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}
