//! The streams, and what they promise when the server is killed in between.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::{Context, Message};
use async_nats::{HeaderMap, header};
use codementord::nats::auth::Role;
use codementord::nats::connect::check_version;
use codementord::nats::embedded::ServerEvent;
use codementord::nats::streams::{self, Layout};
use futures::StreamExt;
use rustix::process::Signal;

use crate::setup::{Peer, Rig, signal, within};

const JOB: &str = "cm.job.interactive.c";

async fn rig(layout: &Layout) -> (Rig, Peer, Context) {
    let rig = Rig::start().await;
    let daemon = rig.peer(Role::Daemon, "daemon").await;
    check_version(&daemon.client).expect("the server is new enough");
    let context = streams::context(daemon.client.clone());
    streams::prepare(&context, layout).await.expect("streams");
    (rig, daemon, context)
}

async fn publish(context: &Context, subject: &str, payload: impl Into<bytes::Bytes>) -> Result<u64, String> {
    let sent = within(context.publish(subject.to_owned(), payload.into()))
        .await
        .map_err(|error| error.to_string())?;
    Ok(within(async { sent.await }).await.map_err(|error| error.to_string())?.sequence)
}

async fn messages(context: &Context, stream: &str) -> u64 {
    within(context.get_stream(stream)).await.expect("the stream").cached_info().state.messages
}

#[tokio::test]
async fn preparing_again_changes_what_has_changed_and_keeps_what_is_there() {
    let layout = Layout::new(Duration::from_secs(10), 4, 8);
    let (_rig, _daemon, context) = rig(&layout).await;
    publish(&context, JOB, "job").await.expect("is stored");
    streams::prepare(&context, &layout).await.expect("is the same");
    let mut other = Layout::new(Duration::from_secs(7), 3, 100);
    other.jobs_bytes = 10_000_000;
    streams::prepare(&context, &other).await.expect("is changed");
    assert_eq!(messages(&context, "CM_JOBS").await, 1);
    let consumer: PullConsumer =
        within(context.get_consumer_from_stream("judge", "CM_JOBS")).await.expect("the consumer");
    let config = &consumer.cached_info().config;
    assert_eq!(
        (config.ack_wait, config.max_deliver, config.max_ack_pending),
        (Duration::from_secs(7), 3, 100)
    );
    let stream = within(context.get_stream("CM_JOBS")).await.expect("the stream");
    assert_eq!(stream.cached_info().config.max_bytes, 10_000_000);
}

/// The next job.
async fn job(consumer: &PullConsumer) -> Message {
    within(streams::next_job(consumer)).await.expect("the server answers").expect("a job")
}

#[tokio::test]
async fn a_job_is_stored_once_and_gone_when_it_is_acked() {
    let (_rig, _daemon, context) = rig(&Layout::new(Duration::from_secs(10), 4, 8)).await;
    let mut headers = HeaderMap::new();
    headers.insert(header::NATS_MESSAGE_ID, "7.1");
    for duplicate in [false, true] {
        let sent =
            within(context.publish_with_headers(JOB, headers.clone(), "job".into())).await.expect("is sent");
        assert_eq!(within(async { sent.await }).await.expect("is stored").duplicate, duplicate);
    }
    assert_eq!(messages(&context, "CM_JOBS").await, 1);
    let consumer = streams::judge_consumer(&context).await.expect("the consumer");
    within(job(&consumer).await.double_ack()).await.expect("is acked");
    assert_eq!(messages(&context, "CM_JOBS").await, 0);
}

#[tokio::test]
async fn a_full_stream_refuses_what_is_new_and_keeps_what_it_has() {
    let mut layout = Layout::new(Duration::from_secs(10), 4, 8);
    (layout.jobs_bytes, layout.results_bytes) = (100_000, 100_000);
    let (_rig, _daemon, context) = rig(&layout).await;
    for (subject, stream) in [(JOB, "CM_JOBS"), ("cm.res.1", "CM_RESULTS")] {
        let mut stored = 0;
        let refused = loop {
            match publish(&context, subject, vec![0; 10_000]).await {
                Ok(sequence) => stored = sequence,
                Err(reason) => break reason,
            }
            assert!(stored < 100, "it has no bound");
        };
        assert!(refused.contains("maximum bytes"), "{refused}");
        assert_eq!(messages(&context, stream).await, stored);
    }
    // Room is made by what is done.
    streams::purge_results(&context, 3).await.expect("is purged");
    publish(&context, "cm.res.1", "x").await.expect("is stored again");
}

#[tokio::test]
async fn a_job_that_nobody_acks_comes_again_so_often_and_then_stays() {
    let layout = Layout::new(Duration::from_secs(1), 2, 8);
    let (_rig, daemon, context) = rig(&layout).await;
    let mut advisories =
        daemon.client.subscribe("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.CM_JOBS.*").await.expect("hears");
    publish(&context, JOB, "job").await.expect("is stored");
    let consumer = streams::judge_consumer(&context).await.expect("the consumer");
    for delivered in 1..=2 {
        let job = job(&consumer).await;
        assert_eq!(job.info().expect("an info").delivered, delivered);
    }
    // The server notices while a judge asks for more.
    let started = Instant::now();
    let over = async {
        tokio::select! {
            advisory = advisories.next() => advisory.expect("an advisory"),
            job = streams::next_job(&consumer) => panic!("it is delivered too often: {job:?}"),
        }
    };
    let advisory: serde_json::Value = serde_json::from_slice(&within(over).await.payload).expect("is JSON");
    println!("given up after {:?}", started.elapsed());
    assert_eq!((&advisory["stream_seq"], &advisory["deliveries"]), (&1.into(), &2.into()));
    assert_eq!(messages(&context, "CM_JOBS").await, 1);
}

#[tokio::test]
async fn neither_jobs_nor_reports_are_lost_or_late_when_the_server_is_killed() {
    let (rig, _daemon, context) = rig(&Layout::new(Duration::from_secs(10), 4, 8)).await;
    let judge = rig.peer(Role::Judge, "judge-1").await;
    let judging = streams::context(judge.client.clone());
    let consumer = streams::judge_consumer(&judging).await.expect("the consumer");
    let mut position = 0;
    let mut events = rig.server().events();
    for round in 0..4u64 {
        let text = round.to_string();
        publish(&context, JOB, text.clone()).await.expect("is stored");
        let started = Instant::now();
        let job = job(&consumer).await;
        assert_eq!(job.payload, text);
        within(job.double_ack()).await.expect("is acked");
        publish(&judging, "cm.res.1", text.clone()).await.expect("is stored");
        let mut results = streams::results_after(&context, position).await.expect("a stream");
        loop {
            let report = within(results.next()).await.expect("a report").expect("a report");
            position = report.info().expect("an info").stream_sequence;
            if report.payload == text {
                break;
            }
        }
        println!("job and report: {:?}{}", started.elapsed(), if round == 0 { "" } else { " after kill -9" });
        assert!(started.elapsed() < Duration::from_secs(5), "it came late");
        signal(rig.pid(), Signal::KILL);
        within(async { while !matches!(events.recv().await, Ok(ServerEvent::Ready { .. })) {} }).await;
        // The next call goes out on the new connection.
        within(async { while publish(&context, "cm.res.2", "").await.is_err() {} }).await;
    }
    assert_eq!(messages(&context, "CM_JOBS").await, 0);
}

#[tokio::test]
async fn reports_are_read_from_the_daemons_own_position() {
    let (_rig, _daemon, context) = rig(&Layout::new(Duration::from_secs(10), 4, 8)).await;
    for n in 1..=5 {
        publish(&context, "cm.res.1", n.to_string()).await.expect("is stored");
    }
    for position in [0u64, 3, 2] {
        let mut results = streams::results_after(&context, position).await.expect("a stream");
        for expected in position + 1..=5 {
            let report = within(results.next()).await.expect("a report").expect("a report");
            assert_eq!(report.info().expect("an info").stream_sequence, expected);
        }
    }
    streams::purge_results(&context, 4).await.expect("is purged");
    assert_eq!(messages(&context, "CM_RESULTS").await, 1);
    streams::purge_results(&context, 9).await.expect("a position beyond the end is no error");
}
