//! A server for others, as its owner starts it.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::{Home, PATIENCE, Ran, wait_until};

/// A `codementord serve` that is told to stop when the test ends.
pub struct Served {
    process: Child,
}

impl Home {
    /// Runs `codementord` to its end.
    pub fn run_daemon(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.codementord(arguments))
    }

    /// Starts `codementord serve`, and waits until it is ready. Its log is where that of a private daemon is.
    pub fn serve(&self, arguments: &[&str]) -> Served {
        let log = File::options().create(true).append(true).open(self.data().join("daemon.log"));
        let mut command = self.codementord(arguments);
        command.arg("serve").stdout(Stdio::null()).stderr(log.expect("the log is made"));
        let mut served = Served { process: command.spawn().expect("the program starts") };
        let file = self.data().join("daemon.json");
        let pid = format!("\"pid\":{},", served.process.id());
        wait_until("the server is ready", || {
            if let Some(status) = served.process.try_wait().expect("it can be waited for") {
                panic!("it ended with {status}: {}", self.log());
            }
            std::fs::read_to_string(&file).is_ok_and(|text| text.contains(&pid))
        });
        served
    }
}

impl Served {
    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(pid, signal).expect("it lives");
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        self.process.wait().expect("it ends");
    }

    /// Kills it, as a loss of power would.
    pub fn kill(mut self) {
        self.process.kill().expect("it lives");
        self.process.wait().expect("it ends");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(None)) {
            self.signal(Signal::TERM);
            let _ = self.process.wait();
        }
    }
}

/// A port that nobody listens at. Somebody may take it before it is used; no test on this machine does.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Asks over HTTP, and returns the status and the body.
pub fn get(port: u16, path: &str) -> (u16, String) {
    http(port, "GET", path, "")
}

/// Asks over HTTP with a body of JSON, and returns the status and the body of the answer.
pub fn http(port: u16, method: &str, path: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("somebody listens");
    stream.set_read_timeout(Some(PATIENCE.min(Duration::from_secs(60)))).expect("is set");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
    let content = format!("Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}");
    write!(stream, "{head}{content}").expect("is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("is answered");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("the path is a text")
}

/// The program that daemons of this user run.
pub fn nats_server() -> PathBuf {
    use codementord::nats::server::{Search, find_or_fetch};
    let search = Search {
        cache_dir: &crate::cache(),
        explicit: None,
        engine: None,
        search_path: None,
        progress: &|_| {},
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(find_or_fetch(&search)).expect("there is a NATS server").path
}
