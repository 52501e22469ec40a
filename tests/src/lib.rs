//! What the end-to-end tests share: a home of its own for each test, and the real programs run in it.

pub mod browser;
pub mod canary;
pub mod crowd;
pub mod llmock;
pub mod package;
pub mod peer;
pub mod people;
pub mod python;
pub mod server;
pub mod shared;

use std::borrow::BorrowMut;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use codementord::settings::{Flags, Settings};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use crowd::Crowd;
pub use package::Draft;
pub use shared::Shared;

/// How long anything that a test waits for may take. Far longer than it ever takes: reaching it means a bug.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// How long a command may take. The first one that needs an image may have to build it, behind others that are built.
const LONGEST: Duration = Duration::from_secs(1200);

/// A [`Home`] with the programs of this package, whose paths cargo tells only to a test or a benchmark itself.
#[macro_export]
macro_rules! home {
    () => {
        $crate::Home::new(env!("CARGO_BIN_EXE_codementor-test"), env!("CARGO_BIN_EXE_codementord-test"))
    };
}

/// A data directory of its own, with the private daemon that its commands start.
pub struct Home {
    codementor: PathBuf,
    codementord: PathBuf,
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Home {
    /// A fresh home. Downloads and built packages are shared with other tests, as they would be on a user's machine.
    pub fn new(codementor: &str, codementord: &str) -> Self {
        let directory =
            tempfile::Builder::new().prefix("codementor-").tempdir().expect("a temporary directory");
        std::fs::create_dir(directory.path().join("work")).expect("a directory to work in");
        let environment = vec![("CODEMENTOR_IDLE_TIMEOUT".into(), "120".into())];
        Self { codementor: codementor.into(), codementord: codementord.into(), directory, environment }
    }

    /// Sets a variable for every command of this home.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.environment.push((name.into(), value.to_string()));
        self
    }

    /// Writes the configuration file, which a daemon reads when it starts.
    #[must_use]
    pub fn configured(self, text: &str) -> Self {
        std::fs::write(self.config(), text).expect("the configuration is written");
        self
    }

    /// Where the daemon keeps its files.
    pub fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// Where commands run.
    pub fn work(&self) -> PathBuf {
        self.directory.path().join("work")
    }

    /// Writes a file to work on.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        std::fs::create_dir_all(path.parent().expect("is below the home")).expect("the folder is made");
        std::fs::write(&path, content).expect("the file is written");
        path
    }

    /// A `codementor` command.
    pub fn codementor(&self, arguments: &[&str]) -> Command {
        self.program(&self.codementor, arguments)
    }

    /// A `codementord` command.
    pub fn codementord(&self, arguments: &[&str]) -> Command {
        self.program(&self.codementord, arguments)
    }

    fn program(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.work())
            .env("CODEMENTOR_DATA_DIR", self.data())
            .env("CODEMENTOR_CONFIG", self.config())
            // What is printed must not depend on who runs the tests.
            .env("LC_ALL", "C.UTF-8")
            .env_remove("CODEMENTOR_LANG")
            .env_remove("CODEMENTOR_ASCII")
            .env_remove("NO_COLOR")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("CI")
            .stdin(Stdio::null());
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        command
    }

    fn config(&self) -> PathBuf {
        let path = self.directory.path().join("config.toml");
        if !path.exists() {
            std::fs::write(&path, "").expect("the configuration is written");
        }
        path
    }

    /// Runs a `codementor` command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.codementor(arguments))
    }

    /// Submits a program and returns the events that `--json` printed.
    pub fn submit(&self, file: &Path, problem: &str) -> Ran {
        let file = file.to_str().expect("the path is a text");
        self.run(&["submit", file, "-p", problem, "--json"])
    }

    /// The process id of the private daemon.
    pub fn daemon_pid(&self) -> Option<i32> {
        let text = std::fs::read_to_string(self.data().join("daemon.json")).ok()?;
        let value: Value = serde_json::from_str(&text).ok()?;
        value["pid"].as_i64().and_then(|pid| i32::try_from(pid).ok())
    }

    /// The daemon's log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.data().join("daemon.log")).unwrap_or_default()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- daemon.log ---\n{}", tail(&self.log(), 120));
        }
        if self.data().join("daemon.json").exists() {
            // A daemon that does not stop is stopped by its idle time.
            let _ = self.codementor(&["down"]).output();
        }
    }
}

/// The problem library of the repository.
pub fn library() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../problems/library")
        .canonicalize()
        .expect("the library is there")
}

/// Where downloads are kept: the folder that daemons of this user have for theirs.
pub fn cache() -> PathBuf {
    // Of the configuration nothing is wanted: an empty file stands for it.
    let flags = Flags { config: Some("/dev/null".into()), ..Flags::default() };
    Settings::load(flags).expect("the settings are read").paths.cache
}

fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end, with nothing to read.
    #[track_caller]
    pub fn of(mut command: impl BorrowMut<Command>) -> Self {
        let command = command.borrow_mut().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::awaited(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// Waits for the end of a command whose output is piped. One that does not end is killed, and the test fails with
    /// what it had said.
    #[track_caller]
    pub fn awaited(child: Child) -> Self {
        let pid = Pid::from_child(&child);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || tell.send(child.wait_with_output()));
        let (in_time, output) = match told.recv_timeout(LONGEST) {
            Ok(output) => (true, output),
            Err(_) => {
                // It may end at this very moment.
                let _ = kill_process(pid, Signal::KILL);
                (false, told.recv_timeout(PATIENCE).expect("a command that was killed ends"))
            }
        };
        let output = output.expect("its output is read");
        let ran = Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(
            in_time,
            "a command did not end within {} s\nstdout:\n{}\nstderr:\n{}",
            LONGEST.as_secs(),
            ran.stdout,
            ran.stderr
        );
        ran
    }

    /// Fails the test unless the command ended with this code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The events that `--json` printed.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The one event of a type.
    #[track_caller]
    pub fn event(&self, kind: &str) -> Value {
        let mut found: Vec<Value> = self.events().into_iter().filter(|event| event["type"] == kind).collect();
        assert_eq!(found.len(), 1, "one '{kind}' in\n{}\n{}", self.stdout, self.stderr);
        found.remove(0)
    }

    /// The verdict of the submission.
    #[track_caller]
    pub fn verdict(&self) -> String {
        self.event("result")["verdict"].as_str().expect("a verdict is a text").to_owned()
    }

    /// All that a judge said of the submission's program: its cases, and then the verdict with the score.
    #[track_caller]
    pub fn judged(&self) -> Vec<Value> {
        let told = self.events().into_iter().filter_map(|event| match event["type"].as_str() {
            Some("test") => Some(json!([event["index"], event["verdict"]])),
            Some("result") => Some(json!([event["verdict"], event["score"], event["passed"]])),
            _ => None,
        });
        told.collect()
    }

    /// The number of the submission.
    #[track_caller]
    pub fn id(&self) -> u64 {
        self.event("submission")["id"].as_u64().expect("an id is a number")
    }
}

/// Waits until `done` says so; the wait has a bound, so that a hang is a failure.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        // why: the end of the wait is decided by `done`, never by this pause.
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A child that is killed when the test ends.
pub struct Reaped(pub Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Writes a line to the standard input of a child.
pub fn say(child: &mut Child, line: &str) {
    let input = child.stdin.as_mut().expect("the child's standard input is a pipe");
    writeln!(input, "{line}").expect("the child listens");
}
