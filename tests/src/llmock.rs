//! llmock: a model server that somebody else wrote, which breaks as it is told, keeps what it was sent, and judges how
//! its client took that.

use std::net::TcpStream;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::python::{Environment, expect_alive};
use crate::server::{free_port, http};
use crate::{Reaped, wait_until};

const REQUIREMENTS: &str = include_str!("../python/llmock.txt");
const PROGRAM: &str = include_str!("../python/llmock.py");
/// Between the pieces of an answer, so that whoever leaves in the middle is seen to leave.
const PACE_MS: &str = "20";

/// A server on loopback.
pub struct LlMock {
    port: u16,
    _log: NamedTempFile,
    _process: Reaped,
}

impl LlMock {
    /// Starts one, and waits until it listens.
    pub fn start() -> Self {
        let environment = Environment::of("llmock", REQUIREMENTS);
        let log = NamedTempFile::new().expect("a temporary file");
        let port = free_port();
        let at = port.to_string();
        let arguments = ["serve", "--host", "127.0.0.1", "--port", &at, "--stream-chunk-delay-ms", PACE_MS];
        let mut process = environment.start(PROGRAM, &arguments, log.as_file());
        wait_until("llmock listens", || {
            expect_alive(&mut process.0, log.path());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { port, _log: log, _process: process }
    }

    /// The base URL, as OpenAI's clients want it.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Sets what happens to the next requests, in place of what of that was left.
    pub fn play(&self, behaviors: &[Value]) {
        self.ask("DELETE", "scenario", "");
        if !behaviors.is_empty() {
            self.ask("POST", "scenario", &json!({ "behaviors": behaviors }).to_string());
        }
    }

    /// All requests that have ended, each with its body and what became of it, in the order in which they came.
    pub fn requests(&self) -> Vec<Value> {
        let kept: Value = serde_json::from_str(&self.ask("GET", "requests", "")).expect("is JSON");
        kept["requests"].as_array().expect("is a list").clone()
    }

    /// How the client behaved.
    pub fn verdict(&self) -> Value {
        serde_json::from_str(&self.ask("GET", "verdict", "")).expect("is JSON")
    }

    /// Forgets what was asked.
    pub fn reset(&self) {
        self.ask("POST", "reset", "");
    }

    #[track_caller]
    fn ask(&self, method: &str, what: &str, body: &str) -> String {
        let (status, answer) = http(self.port, method, &format!("/_llmock/{what}"), body);
        assert!((200..300).contains(&status), "{method} {what} {body}: {status} {answer}");
        answer
    }
}
