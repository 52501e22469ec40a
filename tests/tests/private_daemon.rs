//! The private daemon: started by whoever needs it, one for a data directory, replaced, stopped, and never in the way.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use codementor_tests::peer::{Peer, runtime, within};
use codementor_tests::{Draft, Home, Ran, home, wait_until};
use codementord::nats::auth::Creds;
use codementord::nats::server::PINNED;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// Right for `patience`, after a while of doing nothing.
const SLOW: &str = "import time\ntime.sleep(2)\nprint('done')\n";
/// Right for `patience` at once.
const QUICK: &str = "print('done')\n";

fn patience() -> Draft {
    Draft::new("patience", 20).secret("1", "", "done\n")
}

/// A home whose daemon runs and has the problem `patience`.
fn ready(home: Home) -> Home {
    patience().install(&home);
    home
}

fn submit(home: &Home, text: &str, further: &[&str]) -> Ran {
    let file = home.write("program.py", text);
    let file = file.to_str().expect("a text");
    home.run(&[&["submit", file, "-p", "patience", "--json"], further].concat())
}

fn kinds(ran: &Ran) -> Vec<String> {
    ran.events().iter().map(|event| event["type"].as_str().expect("a text").to_owned()).collect()
}

/// Waits until a submission runs.
fn wait_until_started(home: &Home, id: u64) {
    wait_until("the submission runs", || {
        let ran = home.run(&["show", &id.to_string(), "--json"]).expect_code(0);
        let detail: Value = serde_json::from_str(&ran.stdout).expect("is JSON");
        detail["summary"]["state"] == "running"
    });
}

#[track_caller]
fn pid(home: &Home) -> i32 {
    home.daemon_pid().expect("the daemon is ready")
}

fn lives(pid: i32) -> bool {
    // A process that has ended and was not waited for is there still, and has no program.
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn kill(pid: i32) {
    kill_process(Pid::from_raw(pid).expect("is no 0"), Signal::KILL).expect("it lives");
    wait_until("it is gone", || !lives(pid));
}

fn starts(home: &Home) -> usize {
    home.log().lines().filter(|line| line.contains(": starting ")).count()
}

#[test]
fn it_is_started_once_used_again_and_stopped() {
    let home = home!();
    let none = home.run(&["status"]).expect_code(69);
    assert!(none.stderr.contains("no private daemon is running"), "{}", none.stderr);
    assert!(home.run(&["down"]).expect_code(0).stdout.contains("no private daemon is running"));
    assert!(!home.data().exists(), "asking starts nothing and writes nothing");

    home.run(&["list"]).expect_code(0);
    let first = pid(&home);
    for command in [&["up"][..], &["history"], &["list"], &["up"]] {
        home.run(command).expect_code(0);
        assert_eq!(pid(&home), first, "{command:?}");
    }
    let up = home.run(&["up"]).expect_code(0);
    assert!(up.stdout.contains(&format!("(process {first})")), "{}", up.stdout);
    assert_eq!(starts(&home), 1);

    assert!(home.run(&["down"]).expect_code(0).stdout.contains("has stopped"));
    // Its lock is free by now; the process itself needs a moment longer.
    home.run(&["status"]).expect_code(69);
    wait_until("it is gone", || !lives(first));
    home.run(&["up"]).expect_code(0);
    assert_ne!(pid(&home), first);
}

#[test]
fn commands_that_come_at_once_start_one() {
    let home = home!();
    let started: Vec<Child> = (0..5)
        .map(|n| {
            let command = [&["up"][..], &["list"], &["history"]][n % 3];
            home.codementor(command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs")
        })
        .collect();
    for command in started {
        Ran::awaited(command).expect_code(0);
    }
    assert_eq!(starts(&home), 1, "{}", home.log());
}

#[test]
fn what_a_dead_daemon_left_is_not_believed() {
    let home = ready(home!());
    let first = pid(&home);
    let id = submit(&home, QUICK, &[]).expect_code(0).id();
    let file = home.data().join("daemon.json");
    let known: Value = serde_json::from_slice(&std::fs::read(&file).expect("is read")).expect("is JSON");
    home.run(&["down"]).expect_code(0);

    // The port of one that is gone; a port where somebody else listens and says nothing; and no JSON at all.
    let foreign = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("nats://{}", foreign.local_addr().expect("an address"));
    let mut elsewhere = known.clone();
    elsewhere["url"] = url.into();
    // This stranger hangs up; one that says nothing is waited for as long as a connection may take.
    std::thread::spawn(move || drop(foreign.accept()));
    for stale in [known.to_string(), elsewhere.to_string(), "{\"pid\":".into(), String::new()] {
        std::fs::write(&file, &stale).expect("is written");
        let history = home.run(&["history", "--json"]).expect_code(0);
        let history: Value = serde_json::from_str(&history.stdout).expect("is JSON");
        assert_eq!(history[0]["id"], id, "after {stale}");
        assert!(pid(&home) != first && lives(pid(&home)));
        home.run(&["down"]).expect_code(0);
    }
}

#[test]
fn a_daemon_that_was_killed_is_started_again_and_has_lost_nothing() {
    let home = ready(home!().with("CODEMENTOR_ACK_WAIT", 2));
    let done = submit(&home, QUICK, &[]).expect_code(0).id();
    let open = submit(&home, SLOW, &["--no-wait"]).expect_code(0).id();
    wait_until_started(&home, open);
    kill(pid(&home));
    // The next command, whichever it is, brings it back.
    let shown = home.run(&["show", &done.to_string()]).expect_code(0);
    assert!(shown.stdout.contains("ACCEPTED"), "{}", shown.stdout);
    assert_eq!(home.run(&["watch", &open.to_string(), "--json"]).expect_code(0).verdict(), "ACCEPTED");
}

#[test]
fn a_command_that_watches_survives_the_daemon() {
    let home = ready(home!().with("CODEMENTOR_ACK_WAIT", 2));
    let file = home.write("slow.py", SLOW);
    let arguments = ["submit", file.to_str().expect("a text"), "-p", "patience", "--json"];
    let child =
        home.codementor(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    wait_until("it runs", || home.run(&["status", "--json"]).stdout.contains("\"running\":1"));
    kill(pid(&home));
    let ran = Ran::awaited(child).expect_code(0);
    let numbers: Vec<u64> =
        ran.events().iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{}", ran.stdout);
}

#[test]
fn a_daemon_of_another_build_finishes_its_jobs_and_is_replaced() {
    let home = ready(home!());
    let id = submit(&home, SLOW, &["--no-wait"]).expect_code(0).id();
    wait_until_started(&home, id);
    let old = pid(&home);
    let file = home.data().join("daemon.json");
    let text = std::fs::read_to_string(&file).expect("is read");
    std::fs::write(&file, text.replace(codementord::BUILD, "0.0.1-other")).expect("is written");
    home.run(&["up"]).expect_code(0);
    assert_ne!(pid(&home), old);
    wait_until("the old one is gone", || !lives(old));
    let text = std::fs::read_to_string(&file).expect("is read");
    assert!(text.contains(codementord::BUILD), "{text}");
    let watched = home.run(&["watch", &id.to_string(), "--json"]).expect_code(0);
    assert_eq!(watched.verdict(), "ACCEPTED");
    assert!(!kinds(&watched).contains(&"restarted".to_owned()), "what ran was finished: {}", watched.stdout);
}

#[test]
fn a_data_directory_has_one_daemon() {
    let home = home!();
    home.run(&["up"]).expect_code(0);
    let first = pid(&home);
    let said = Ran::of(home.codementord(&["serve"])).expect_code(69).stderr;
    assert!(said.contains("another daemon is running on") && said.contains("codementor down"), "{said}");
    assert!(lives(first) && pid(&home) == first);
    home.run(&["list"]).expect_code(0);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let home = home!();
    let ran = home.run(&["up", "--nats-port", &port]).expect_code(69);
    assert!(ran.stderr.contains(&format!("port {port} on 127.0.0.1 is taken")), "{}", ran.stderr);
    assert!(ran.stderr.contains("--nats-port"), "{}", ran.stderr);
    drop(taken);
    home.run(&["up", "--nats-port", &port]).expect_code(0);
    let text = std::fs::read_to_string(home.data().join("daemon.json")).expect("is read");
    assert!(text.contains(&format!("nats://127.0.0.1:{port}")), "{text}");
}

#[test]
fn starts_without_work_between_leave_the_queue_working() {
    let home = ready(home!());
    submit(&home, QUICK, &[]).expect_code(0);
    let creds = home.work().join("judge.creds");
    home.run_daemon(&["judge-creds", "peer", "--out", creds.to_str().expect("a text")]).expect_code(0);
    let creds = Creds::read(&creds).expect("are read");
    let text = std::fs::read_to_string(home.data().join("daemon.json")).expect("the daemon is ready");
    let daemon: Value = serde_json::from_str(&text).expect("is JSON");
    runtime().block_on(async {
        let peer = Peer::of(daemon["url"].as_str().expect("a text"), &creds).await;
        // More than are read before the stream is cleared of them.
        for _ in 0..600 {
            peer.client.publish("cm.res.999999", "no report".into()).await.expect("is sent");
        }
        within(peer.client.flush()).await.expect("it is with the server");
    });
    for _ in 0..3 {
        home.run(&["down"]).expect_code(0);
        home.run(&["list"]).expect_code(0);
        home.run(&["down"]).expect_code(0);
        submit(&home, QUICK, &["--timeout", "60"]).expect_code(0);
    }
}

#[test]
fn it_stops_when_there_is_nothing_to_do_and_not_before() {
    let home = ready(home!().with("CODEMENTOR_IDLE_TIMEOUT", 1));
    let id = submit(&home, SLOW, &["--no-wait"]).expect_code(0).id();
    let process = pid(&home);
    wait_until("it has stopped by itself", || !lives(process));
    assert!(!home.data().join("daemon.json").exists());
    let log = home.log();
    let (judged, stopped) = (log.find(" judged "), log.find("nothing was asked for a long time"));
    let (judged, stopped) = (judged.unwrap_or_else(|| panic!("{log}")), stopped.expect("it says why"));
    assert!(judged < stopped, "{log}");
    let watched = home.run(&["watch", &id.to_string(), "--json"]).expect_code(0);
    assert_eq!(watched.verdict(), "ACCEPTED");
    assert!(!kinds(&watched).contains(&"restarted".to_owned()), "{}", watched.stdout);
}

/// A folder with a `nats-server` that is much too old.
fn old_server(home: &Home) -> PathBuf {
    let program = home.write("old/nats-server", "#!/bin/sh\necho 'nats-server: v2.9.25'\n");
    std::fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it may be run");
    program
}

#[test]
fn a_nats_server_that_is_too_old_is_not_used() {
    let home = home!();
    let old = old_server(&home);
    let folder = old.parent().expect("has a folder").to_str().expect("a text").to_owned();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let home = home.with("PATH", path);
    home.run(&["up"]).expect_code(0);
    let status: Value =
        serde_json::from_str(&home.run(&["status", "--json"]).expect_code(0).stdout).expect("JSON");
    assert_eq!(status["nats"], PINNED.to_string());
    home.run(&["down"]).expect_code(0);
    // Where it is the very one that is asked for, there is no other.
    let named = home.run(&["up", "--nats-server", old.to_str().expect("a text")]).expect_code(69);
    assert!(named.stderr.contains("it is version 2.9.25, older than"), "{}", named.stderr);
}

#[test]
fn where_no_nats_server_can_be_got_each_way_that_was_tried_is_told() {
    let home = home!();
    let folder = old_server(&home).parent().expect("has a folder").to_str().expect("a text").to_owned();
    let home = home
        .with("PATH", &folder)
        .with("CODEMENTOR_CACHE_DIR", format!("{folder}/cache"))
        .with("CODEMENTOR_DOCKER_HOST", format!("unix://{folder}/docker.sock"));
    let ran = home.run(&["up"]).expect_code(69);
    for part in ["there is no NATS server program", "2.9.25", "container engine", "pip", "--nats-server"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn without_an_engine_a_submission_waits_and_is_not_lost() {
    let home = home!();
    let socket = home.work().join("nobody.sock");
    let host = format!("unix://{}", socket.display());
    let at = ["--docker-host", &host];
    home.run(&[&["problem", "push", &patience().folder(&home)][..], &at].concat()).expect_code(0);
    let ran = submit(&home, QUICK, &at).expect_code(69);
    let error = ran.event("error");
    assert_eq!((&error["code"], &error["retryable"]), (&Value::from("unreachable"), &Value::from(true)));
    let message = error["message"].as_str().expect("a text");
    assert!(message.contains("nobody.sock") || message.contains("engine"), "{message}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains("nothing is lost")), "{error}");
    let id = ran.id().to_string();
    assert!(
        home.run(&["status"])
            .expect_code(0)
            .stdout
            .lines()
            .any(|line| { line.starts_with("engine") && !line.contains("in order") })
    );
    let down = home.run(&["down"]).expect_code(0);
    assert!(down.stdout.contains("1 submission kept"), "{}", down.stdout);
    assert_eq!(home.run(&["watch", &id, "--json"]).expect_code(0).verdict(), "ACCEPTED");
}

#[test]
fn a_socket_that_may_not_be_used_is_named() {
    const NOBODY: u32 = 65_534;
    let home = home!();
    let socket = home.work().join("engine.sock");
    let _listener = UnixListener::bind(&socket).expect("a socket");
    std::fs::set_permissions(&socket, Permissions::from_mode(0o000)).expect("it is closed");
    let mut command = home.codementor(&["runners", "build", "python3"]);
    command.env("CODEMENTOR_DOCKER_HOST", format!("unix://{}", socket.display()));
    let copy = home.work().join("codementor");
    if rustix::process::getuid().is_root() {
        // Nothing is closed to root: somebody else runs a copy, in a place where everybody may.
        std::fs::copy(command.get_program(), &copy).expect("is copied");
        let everybody = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode));
        everybody(&copy, 0o755).expect("is opened");
        everybody(home.work().parent().expect("the home"), 0o755).expect("is opened");
        let mut other = std::process::Command::new(&copy);
        other.args(command.get_args()).current_dir(home.work()).stdin(Stdio::null()).uid(NOBODY).gid(NOBODY);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => other.env(name, value),
                None => other.env_remove(name),
            };
        }
        command = other;
    }
    let said = Ran::of(command).expect_code(69).stderr;
    assert!(said.contains("engine.sock"), "{said}");
    assert!(said.contains("you may not use") && said.contains("usermod -aG docker"), "{said}");
}

/// What stands between the daemon and the engine, and can be taken away.
struct Between {
    socket: PathBuf,
    engine: PathBuf,
    open: Arc<Mutex<Option<Vec<UnixStream>>>>,
}

impl Between {
    fn new(socket: PathBuf) -> Self {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| "unix:///var/run/docker.sock".into());
        let engine = host.strip_prefix("unix://").expect("the engine of the tests is on a socket").into();
        let between = Self { socket, engine, open: Arc::default() };
        between.restore();
        between
    }

    fn restore(&self) {
        let listener = UnixListener::bind(&self.socket).expect("a socket");
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(Vec::new());
        let (open, engine) = (self.open.clone(), self.engine.clone());
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.expect("a connection");
                let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(open) = open.as_mut() else { return };
                let far = UnixStream::connect(&engine).expect("the engine is there");
                let twice = |stream: &UnixStream| stream.try_clone().expect("a descriptor");
                open.extend([twice(&near), twice(&far)]);
                for (mut from, mut to) in [(twice(&near), twice(&far)), (far, near)] {
                    std::thread::spawn(move || {
                        // That it breaks is what this is for.
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(std::net::Shutdown::Write);
                    });
                }
            }
        });
    }

    fn cut(&self) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
        std::fs::remove_file(&self.socket).expect("it is there");
        for stream in open.into_iter().flatten() {
            // One end may be closed already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

#[test]
fn an_engine_that_stops_in_the_middle_of_a_job_loses_none() {
    let home = home!();
    let between = Between::new(home.work().join("between.sock"));
    let home = ready(home.with("CODEMENTOR_DOCKER_HOST", format!("unix://{}", between.socket.display())));
    submit(&home, QUICK, &[]).expect_code(0);
    let running = submit(&home, SLOW, &["--no-wait"]).expect_code(0).id();
    wait_until_started(&home, running);
    between.cut();
    let waiting = submit(&home, QUICK, &[]).expect_code(69);
    assert_eq!(waiting.event("error")["code"], "unreachable", "{}", waiting.stdout);
    between.restore();
    for id in [running, waiting.id()] {
        let watched = home.run(&["watch", &id.to_string(), "--json"]).expect_code(0);
        assert_eq!(watched.verdict(), "ACCEPTED", "{}", watched.stdout);
    }
    let status: Value =
        serde_json::from_str(&home.run(&["status", "--json"]).expect_code(0).stdout).expect("JSON");
    assert_eq!(status["engine_error"], Value::Null);
}

#[test]
fn an_engine_that_is_found_gone_by_the_next_job_loses_none() {
    let home = home!();
    let between = Between::new(home.work().join("between.sock"));
    let home = ready(home.with("CODEMENTOR_DOCKER_HOST", format!("unix://{}", between.socket.display())));
    submit(&home, QUICK, &[]).expect_code(0);
    between.cut();
    // It has been taken by a judge, and so has begun, before anybody knows of the engine.
    let waiting = submit(&home, QUICK, &[]).expect_code(69);
    assert_eq!(kinds(&waiting).first().map(String::as_str), Some("submission"), "{}", waiting.stdout);
    assert_eq!(waiting.event("error")["code"], "unreachable", "{}", waiting.stdout);
    between.restore();
    let watched = home.run(&["watch", &waiting.id().to_string(), "--json"]).expect_code(0);
    assert_eq!(watched.verdict(), "ACCEPTED", "{}", watched.stdout);
}
