//! Who may do what: each trap that was found by measuring NATS has its test here.

use std::time::{Duration, SystemTime};

use async_nats::connection::State;
use codementord::nats::auth::{Keys, Role};
use codementord::nats::connect::{Connect, ConnectError, Initial, LinkEvent, Refused, connect, settle};
use codementord::nats::streams::{self, Layout};
use futures::StreamExt;
use rustix::process::Signal;
use tokio::io::AsyncReadExt;

use crate::setup::{Peer, Rig, signal, within};

fn layout() -> Layout {
    Layout::new(Duration::from_secs(10), 4, 8)
}

#[tokio::test]
async fn a_student_asks_and_hears_as_itself_only() {
    let rig = Rig::start().await;
    let daemon = rig.peer(Role::Daemon, "daemon").await;
    streams::prepare(&streams::context(daemon.client.clone()), &layout()).await.expect("streams");

    for role in [Role::Student, Role::Instructor] {
        let mut kim = rig.peer(role, "kim").await;
        for subject in [
            "cm.u.lee.submit",
            "cm.u.kimchi.submit",
            "cm.enrol",
            "cm.job.interactive.c",
            "cm.res.1",
            "cm.ev.kim.1",
            "cm.ev.lee.1",
            "cm.ctl.cancel.1",
            "_INBOX.kim.x",
            "_INBOX.lee.x",
            "$JS.API.INFO",
            "$JS.API.STREAM.NAMES",
            "$JS.API.STREAM.INFO.CM_JOBS",
            "$JS.API.CONSUMER.MSG.NEXT.CM_JOBS.judge",
            "$JS.API.CONSUMER.CREATE.CM_JOBS",
            "$JS.API.DIRECT.GET.OBJ_cm-packages",
            "$JS.ACK.CM_JOBS.judge.1.1.1.1.0",
            "$SYS.REQ.CLAIMS.UPDATE",
        ] {
            kim.must_not_publish(subject).await;
        }
        for subject in [
            ">",
            "_INBOX.>",
            "_INBOX.*.x",
            "_INBOX.lee.>",
            "_INBOX_JUDGE.>",
            "_INBOX_DAEMON.>",
            "cm.>",
            "cm.u.kim.>",
            "cm.ev.>",
            "cm.ev.lee.>",
            "cm.job.>",
            "cm.res.>",
            "cm.ctl.>",
            "$JS.>",
            "$SYS.>",
        ] {
            kim.must_not_hear(subject).await;
        }
    }

    let kim = rig.peer(Role::Student, "kim").await;
    let mut requests = daemon.client.queue_subscribe("cm.u.*.*", "gateway".into()).await.expect("hears");
    let mut events = kim.client.subscribe("cm.ev.kim.>").await.expect("hears");
    settle(&daemon.client).await.expect("the server hears");
    let answer = async {
        let request = requests.next().await.expect("a request");
        assert_eq!(request.subject.as_str(), "cm.u.kim.submit");
        let reply = request.reply.expect("a reply subject");
        assert!(reply.starts_with("_INBOX.kim."), "{reply}");
        daemon.client.publish(reply, "yes".into()).await.expect("is sent");
        daemon.client.publish("cm.ev.kim.1", "event".into()).await.expect("is sent");
    };
    let (reply, ()) =
        within(async { tokio::join!(kim.client.request("cm.u.kim.submit", "x".into()), answer) }).await;
    assert_eq!(reply.expect("an answer").payload, "yes");
    assert_eq!(within(events.next()).await.expect("an event").payload, "event");
}

#[tokio::test]
async fn a_judge_takes_jobs_and_packages_and_gives_reports_only() {
    let rig = Rig::start().await;
    let daemon = rig.peer(Role::Daemon, "daemon").await;
    let context = streams::context(daemon.client.clone());
    streams::prepare(&context, &layout()).await.expect("streams");
    let bucket = streams::packages_bucket(&context).await.expect("a bucket");
    let package: Vec<u8> = (0u32..5_000_000).flat_map(u32::to_le_bytes).collect();
    within(bucket.put("abc", &mut package.as_slice())).await.expect("is stored");
    within(async { context.publish("cm.job.interactive.c", "job".into()).await.expect("is sent").await })
        .await
        .expect("is stored");

    let mut judge = rig.peer(Role::Judge, "judge-1").await;
    let judging = streams::context(judge.client.clone());
    let consumer = streams::judge_consumer(&judging).await.expect("the consumer");
    let job = within(streams::next_job(&consumer)).await.expect("the server answers").expect("a job");
    assert_eq!(job.payload, "job");
    job.ack_with(async_nats::jetstream::AckKind::Progress).await.expect("is sent");
    within(async { judging.publish("cm.res.1", "report".into()).await.expect("is sent").await })
        .await
        .expect("is stored");
    within(job.double_ack()).await.expect("is acked");

    let started = std::time::Instant::now();
    let bucket = streams::packages_bucket(&judging).await.expect("the bucket");
    let mut read = Vec::new();
    let mut object = within(bucket.get("abc")).await.expect("an object");
    within(object.read_to_end(&mut read)).await.expect("is read");
    assert!(read == package, "the package is damaged");
    println!("a package of {} MB in {:?}", read.len() / 1_000_000, started.elapsed());

    for subject in [
        "cm.job.interactive.c",
        "cm.u.kim.submit",
        "cm.ev.kim.1",
        "cm.ctl.cancel.1",
        "_INBOX.kim.x",
        "$O.cm-packages.C.x",
        "$O.cm-packages.M.x",
        "$JS.API.STREAM.PURGE.CM_JOBS",
        "$JS.API.STREAM.DELETE.CM_JOBS",
        "$JS.API.STREAM.MSG.DELETE.CM_JOBS",
        "$JS.API.STREAM.MSG.GET.CM_JOBS",
        "$JS.API.STREAM.PURGE.OBJ_cm-packages",
        "$JS.API.CONSUMER.CREATE.CM_JOBS",
        "$JS.API.CONSUMER.DELETE.CM_JOBS.judge",
        "$JS.API.CONSUMER.MSG.NEXT.CM_RESULTS.daemon",
        "$JS.API.CONSUMER.CREATE.CM_RESULTS",
        "$JS.API.DIRECT.GET.CM_JOBS",
    ] {
        judge.must_not_publish(subject).await;
    }
    for subject in [
        ">",
        "_INBOX.>",
        "_INBOX.judge-1.>",
        "_INBOX_JUDGE.>",
        "_INBOX_JUDGE.judge-2.>",
        "cm.res.>",
        "cm.u.>",
    ] {
        judge.must_not_hear(subject).await;
    }

    let mut cancels = judge.client.subscribe("cm.ctl.>").await.expect("hears");
    // Answered after the subscription is known, since both go over one connection.
    streams::judge_consumer(&judging).await.expect("the consumer");
    daemon.client.publish("cm.ctl.cancel.1", "".into()).await.expect("is sent");
    within(cancels.next()).await.expect("a cancel");
}

#[tokio::test]
async fn the_daemon_never_speaks_as_a_user() {
    let rig = Rig::start().await;
    let mut daemon = rig.peer(Role::Daemon, "daemon").await;
    daemon.must_not_publish("cm.u.kim.submit").await;
    daemon.must_not_publish("cm.enrol").await;
}

#[tokio::test]
async fn an_enroller_may_only_enrol_and_a_user_of_its_name_hears_nothing() {
    let rig = Rig::start().await;
    let daemon = rig.peer(Role::Daemon, "daemon").await;
    let mut requests = daemon.client.subscribe("cm.enrol").await.expect("hears");
    settle(&daemon.client).await.expect("the server hears");
    let creds = rig.keys.enrol_creds().expect("creds");
    let mut newcomer = Peer::connect(&rig.server().url(), creds, &Role::Enrol.inbox("enrol")).await;
    for subject in ["cm.u.enrol.submit", "cm.job.batch.c", "$JS.API.INFO", "_INBOX.kim.x"] {
        newcomer.must_not_publish(subject).await;
    }
    for subject in ["_INBOX.enrol.>", "_INBOX.>", "cm.>", ">"] {
        newcomer.must_not_hear(subject).await;
    }
    let answer = async {
        let request = requests.next().await.expect("a request");
        daemon.client.publish(request.reply.expect("a reply subject"), "jwt".into()).await.expect("is sent");
    };
    let (reply, ()) =
        within(async { tokio::join!(newcomer.client.request("cm.enrol", "code".into()), answer) }).await;
    assert_eq!(reply.expect("an answer").payload, "jwt");

    for name in ["enrol", "daemon", "judge-1"] {
        let mut user = rig.peer(Role::Student, name).await;
        for root in ["_INBOX_ENROL", "_INBOX_DAEMON", "_INBOX_JUDGE"] {
            user.must_not_hear(&format!("{root}.{name}.>")).await;
        }
    }
}

#[tokio::test]
async fn credentials_of_other_keys_are_refused() {
    let rig = Rig::start().await;
    let other = tempfile::tempdir().expect("a temporary directory");
    let others = Keys::load_or_create(other.path()).expect("keys");
    let creds = others.issue(Role::Daemon, "daemon", None).expect("is signed");
    let url = rig.server().url();
    let refused = connect(Connect {
        url: &url,
        creds: &creds,
        name: "test",
        inbox_prefix: "_INBOX_DAEMON.daemon",
        initial: Initial::Within(Duration::from_secs(30)),
        on_event: None,
    });
    let error = within(refused).await.expect_err("is refused");
    assert!(matches!(&error, ConnectError::Refused { user, .. } if user == "daemon"), "{error}");
}

#[tokio::test]
async fn a_revocation_cuts_the_connection_and_survives_everything() {
    let mut rig = Rig::start().await;
    let mut kim = rig.peer(Role::Student, "kim").await;
    let mut lee = rig.peer(Role::Student, "lee").await;
    let started = std::time::Instant::now();
    within(rig.keys.revoke(&rig.server().url(), &kim.public_key())).await.expect("is revoked");
    kim.event(|event| matches!(event, LinkEvent::Refused(_))).await;
    println!("revoked and cut in {:?}", started.elapsed());
    assert_eq!(lee.client.connection_state(), State::Connected);
    assert!(!std::iter::from_fn(|| lee.events.try_recv().ok()).any(|event| event == LinkEvent::Disconnected));

    // A crash of the server, then of everything.
    let pid = rig.pid();
    let mut events = rig.server().events();
    signal(pid, Signal::KILL);
    within(async {
        while !matches!(events.recv().await, Ok(codementord::nats::embedded::ServerEvent::Ready { .. })) {}
    })
    .await;
    assert_refused(&rig, &kim).await;
    rig = rig.restart().await;
    assert_refused(&rig, &kim).await;

    // The same key, signed again later, is good; so is everybody else.
    let jwt = rig.keys.mint_user(Role::Student, "kim", &kim.public_key(), None).expect("is signed");
    let creds = codementord::nats::auth::Creds { jwt, seed: kim.creds.seed.clone() };
    Peer::connect(&rig.server().url(), creds, "_INBOX.kim").await;
    Peer::connect(&rig.server().url(), lee.creds.clone(), "_INBOX.lee").await;
}

async fn assert_refused(rig: &Rig, peer: &Peer) {
    let url = rig.server().url();
    let refused = connect(Connect {
        url: &url,
        creds: &peer.creds,
        name: "test",
        inbox_prefix: "_INBOX.kim",
        initial: Initial::Once,
        on_event: None,
    });
    let error = within(refused).await.expect_err("is refused");
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn an_expired_credential_stops_its_client_after_one_word() {
    let rig = Rig::start().await;
    let soon = SystemTime::now() + Duration::from_secs(2);
    let creds = rig.keys.issue(Role::Student, "kim", Some(soon)).expect("is signed");
    let mut kim = Peer::connect(&rig.server().url(), creds, "_INBOX.kim").await;
    let event = kim.event(|event| matches!(event, LinkEvent::Refused(_))).await;
    assert_eq!(event, LinkEvent::Refused(Refused::Expired));
    // Whatever the client still says comes before its last pause, and then it is silent.
    kim.event(|event| *event == LinkEvent::Disconnected).await;
    let quiet = tokio::time::timeout(Duration::from_secs(1), async {
        let mut said = 0;
        while kim.events.recv().await.is_some() {
            said += 1;
            assert!(said < 4, "the client goes on");
        }
    });
    assert!(quiet.await.is_err(), "the client is dropped");
}
