//! One server, one store, whatever dies.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use codementord::nats::auth::{Keys, Role};
use codementord::nats::connect::LinkEvent;
use codementord::nats::embedded::{Config, Embedded, EmbeddedError, ServerEvent};
use codementord::nats::streams::{self, Layout};
use rustix::process::Signal;
use tokio::sync::broadcast;

use crate::setup::{Rig, binary, lives, signal, start_in, until, within};

async fn ready(events: &mut broadcast::Receiver<ServerEvent>) -> u64 {
    within(async {
        loop {
            if let Ok(ServerEvent::Ready { restarts, .. }) = events.recv().await {
                return restarts;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_killed_server_comes_back_on_its_port_with_what_it_held() {
    let rig = Rig::start().await;
    let mut daemon = rig.peer(Role::Daemon, "daemon").await;
    let context = streams::context(daemon.client.clone());
    let layout = Layout::new(Duration::from_secs(10), 4, 8);
    streams::prepare(&context, &layout).await.expect("streams");
    let url = rig.server().url();
    let mut events = rig.server().events();
    for round in 1..=3u64 {
        within(async { context.publish("cm.job.batch.c", "job".into()).await.expect("is sent").await })
            .await
            .expect("is stored");
        let pid = rig.pid();
        let started = Instant::now();
        signal(pid, Signal::KILL);
        assert_eq!(ready(&mut events).await, round);
        let back = started.elapsed();
        assert!(!lives(pid));
        assert_eq!((rig.server().url(), rig.server().restarts()), (url.clone(), round));
        daemon.event(|event| *event == LinkEvent::Connected).await;
        while daemon.events.try_recv().is_ok() {}
        println!("kill -9: ready after {back:?}, the client is back after {:?}", started.elapsed());
        let held = within(context.get_stream("CM_JOBS")).await.expect("the stream");
        assert_eq!(held.cached_info().state.messages, round);
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_replaced() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keys = Arc::new(Keys::load_or_create(&dir.path().join("keys")).expect("keys"));
    let mut config = Config::new(binary().await, dir.path().join("nats"), None);
    config.health_every = Duration::from_millis(50);
    let server = within(Embedded::start(config, keys)).await.expect("starts");
    let mut events = server.events();
    let pid = server.pid().expect("a server");
    signal(pid, Signal::STOP);
    assert_eq!(ready(&mut events).await, 1);
    assert!(!lives(pid));
    within(server.stop()).await;
}

#[tokio::test]
async fn a_server_that_cannot_be_started_again_is_tried_until_it_can() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keys = Arc::new(Keys::load_or_create(&dir.path().join("keys")).expect("keys"));
    let mut program = binary().await;
    let link = dir.path().join("nats-server");
    symlink(&program.path, &link).expect("is linked");
    let real = std::mem::replace(&mut program.path, link.clone());
    let server = within(Embedded::start(Config::new(program, dir.path().join("nats"), None), keys)).await;
    let server = server.expect("starts");
    let mut events = server.events();
    std::fs::remove_file(&link).expect("is removed");
    signal(server.pid().expect("a server"), Signal::KILL);
    let mut failures = 0;
    while failures < 2 {
        if let Ok(ServerEvent::NotStarted { reason, next }) = within(events.recv()).await {
            assert!(reason.contains("cannot run") && next > Duration::ZERO, "{reason}");
            failures += 1;
        }
    }
    assert_eq!((server.pid(), server.monitoring()), (None, None));
    symlink(real, &link).expect("is linked");
    assert_eq!(ready(&mut events).await, 1);
    within(server.stop()).await;
}

#[tokio::test]
async fn a_stopped_server_leaves_the_store_to_the_next_on_the_same_port() {
    let rig = Rig::start().await;
    let (port, pid) = (rig.server().port(), rig.pid());
    let rig = rig.restart().await;
    assert!(!lives(pid));
    assert_eq!(rig.server().port(), port);
}

#[tokio::test]
async fn a_server_that_nobody_has_any_more_ends() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, server) = start_in(dir.path()).await;
    let (pid, mut events) = (server.pid().expect("a server"), server.events());
    drop(server);
    within(async { while events.recv().await != Ok(ServerEvent::Stopped) {} }).await;
    assert!(!lives(pid));
}

#[tokio::test]
async fn two_daemons_do_not_share_a_store() {
    let rig = Rig::start().await;
    let config = Config::new(binary().await, rig.dir().join("nats"), None);
    let error = within(Embedded::start(config, rig.keys.clone())).await.err().expect("is refused");
    assert!(matches!(error, EmbeddedError::InUse(_)), "{error}");
    assert!(lives(rig.pid()));
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keys = Arc::new(Keys::load_or_create(&dir.path().join("keys")).expect("keys"));
    let config = Config::new(binary().await, dir.path().join("nats"), Some(port));
    let error =
        within(Embedded::start(config.clone(), keys.clone())).await.err().expect("is refused").to_string();
    assert!(error.contains(&port.to_string()) && error.contains("--nats-port"), "{error}");
    drop(taken);
    let server = within(Embedded::start(config, keys)).await.expect("starts once the port is free");
    assert_eq!(server.port(), port);
    within(server.stop()).await;
}

#[tokio::test]
async fn a_server_that_cannot_start_says_why() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let keys = Arc::new(Keys::load_or_create(&dir.path().join("keys")).expect("keys"));
    let mut program = binary().await;
    program.path = dir.path().join("missing");
    let config = Config::new(program, dir.path().join("nats"), None);
    let error = within(Embedded::start(config, keys.clone())).await.err().expect("is refused");
    assert!(matches!(error, EmbeddedError::Spawn { .. }), "{error}");
    // A file where the store's folder should be.
    let config = Config::new(binary().await, dir.path().join("other"), None);
    std::fs::create_dir(&config.dir).expect("is made");
    std::fs::write(config.dir.join("jetstream"), "").expect("is written");
    let error = within(Embedded::start(config, keys)).await.err().expect("is refused");
    assert!(matches!(error, EmbeddedError::File { .. }), "{error}");
}

/// An orphan as a daemon of another version, or one whose death signal was lost, leaves it: it holds no lock of ours.
#[tokio::test]
async fn an_orphan_is_found_by_its_pid_file_and_ended() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, server) = start_in(dir.path()).await;
    within(server.stop()).await;
    let config = dir.path().join("nats/nats.conf");
    let mut orphan = Command::new(binary().await.path).arg("--config").arg(&config).spawn().expect("starts");
    let pid = orphan.id();
    let pid_file = dir.path().join("nats/nats.pid");
    until(|| std::fs::read_to_string(&pid_file).is_ok_and(|text| text.trim() == pid.to_string())).await;
    let (_, server) = start_in(dir.path()).await;
    assert!(!lives(pid));
    assert!(orphan.wait().expect("is a child").success(), "it was asked to end, not killed");
    within(server.stop()).await;
}

#[tokio::test]
async fn a_process_that_only_has_the_number_of_an_orphan_is_left_alone() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (_, server) = start_in(dir.path()).await;
    within(server.stop()).await;
    let mut other = Command::new("cat").stdin(Stdio::piped()).spawn().expect("starts");
    std::fs::write(dir.path().join("nats/nats.pid"), other.id().to_string()).expect("is written");
    let (_, server) = start_in(dir.path()).await;
    assert!(lives(other.id()));
    within(server.stop()).await;
    drop(other.stdin.take());
    assert!(other.wait().expect("is a child").success());
}

/// The name of the directory that makes this test the daemon that is to die.
const VICTIM: &str = "CODEMENTOR_TEST_VICTIM";

#[test]
fn a_server_dies_with_its_daemon_and_the_next_daemon_starts_at_once() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(dir) = std::env::var_os(VICTIM) {
        // This process is the daemon: it says which server it has, and waits to be killed.
        runtime.block_on(async {
            let (_keys, server) = start_in(Path::new(&dir)).await;
            println!("\nserver {} {}", server.pid().expect("a server"), server.port());
            std::future::pending::<()>().await;
        });
    }
    for _ in 0..3 {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut daemon = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "embedded::a_server_dies_with_its_daemon_and_the_next_daemon_starts_at_once"])
            .arg("--nocapture")
            .env(VICTIM, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(daemon.stdout.take().expect("an output")).lines();
        let line = lines.map_while(Result::ok).find(|line| line.starts_with("server ")).expect("a server");
        let mut words = line.split(' ').skip(1).map(|word| word.parse::<u32>().expect("a number"));
        let (pid, port) = (words.next().expect("a process"), words.next().expect("a port"));
        assert!(lives(pid));
        daemon.kill().expect("is killed");
        let started = Instant::now();
        daemon.wait().expect("is a child");
        runtime.block_on(async {
            let (_, server) = start_in(dir.path()).await;
            println!("daemon killed: the next server is ready after {:?}", started.elapsed());
            assert!(!lives(pid), "two servers on one store");
            assert_eq!(u32::from(server.port()), port);
            within(server.stop()).await;
        });
    }
}
