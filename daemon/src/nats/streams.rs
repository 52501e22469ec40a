//! The streams: jobs on their way to judges, reports on their way back, and the bucket of packages.
//!
//! SQLite is the truth and NATS the way: whatever is here can be published again.

use std::collections::HashMap;
use std::future::{Future, IntoFuture};
use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, PullConsumer, pull};
use async_nats::jetstream::object_store::ObjectStore;
use async_nats::jetstream::stream::{self, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{self, Context, Message};
use codementor_protocol::subject;
use futures::StreamExt;

/// How long one request to JetStream may take.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long one pull for a job lasts; then the next is sent.
const PULL: Duration = Duration::from_secs(30);
/// How long a message is known by its `Nats-Msg-Id`: longer than the outbox takes to try again.
const DUPLICATES: Duration = Duration::from_secs(120);

/// Where a stream keeps the name of its life.
const LIFE: &str = "codementor.life";

/// How large things are, and how patient.
#[derive(Debug, Clone)]
pub struct Layout {
    /// When a silent judge's job goes to another.
    pub ack_wait: Duration,
    /// How often a job is handed out before it is given up.
    pub max_deliver: u32,
    /// How many jobs may be under way on all judges together.
    pub max_ack_pending: u32,
    /// Bound of the stream of jobs, in bytes.
    pub jobs_bytes: u64,
    /// Bound of the stream of reports, in bytes.
    pub results_bytes: u64,
    /// Bound of the bucket of packages, in bytes.
    pub packages_bytes: u64,
}

impl Layout {
    /// Bounds that suit one class: only a few jobs of each user wait at a time, and reports are purged as soon as
    /// they are in the database.
    pub fn new(ack_wait: Duration, max_deliver: u32, max_ack_pending: u32) -> Self {
        const GIB: u64 = 1024 * 1024 * 1024;
        Self {
            ack_wait,
            max_deliver,
            max_ack_pending,
            jobs_bytes: GIB,
            results_bytes: GIB,
            packages_bytes: 16 * GIB,
        }
    }
}

/// Why the streams are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// No answer came.
    #[error("NATS did not answer in {} s when asked to {what}", TIMEOUT.as_secs())]
    Timeout {
        /// What was asked.
        what: &'static str,
    },
    /// The answer is no.
    #[error("NATS could not {what}: {reason}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Why not.
        reason: String,
    },
}

/// A JetStream context whose requests and acks are bounded in time.
pub fn context(client: async_nats::Client) -> Context {
    jetstream::ContextBuilder::new().timeout(TIMEOUT).ack_timeout(TIMEOUT).build(client)
}

/// Makes the streams, the judges' consumer and the bucket what they should be. What is in them stays. By the daemon.
pub async fn prepare(context: &Context, layout: &Layout) -> Result<(), StreamsError> {
    put_stream(context, "prepare the stream of jobs", jobs(layout)).await?;
    put_results(context, layout).await?;
    put_stream(context, "prepare the bucket of packages", packages(layout)).await?;
    put_consumer(context, "prepare the judges' consumer", judge(layout), subject::JOBS_STREAM).await?;
    Ok(())
}

/// The judges' consumer, made by the daemon: a judge may only look it up.
pub async fn judge_consumer(context: &Context) -> Result<PullConsumer, StreamsError> {
    let found = context.get_consumer_from_stream(subject::JUDGE_CONSUMER, subject::JOBS_STREAM);
    bounded("find the judges' consumer", found).await
}

/// The slots of all judges, as NATS sees them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Judges {
    /// Those that ask for a job at this moment.
    pub free: u64,
    /// Jobs that a judge holds.
    pub busy: u64,
}

/// Counts the slots of all judges.
pub async fn judges(context: &Context) -> Result<Judges, StreamsError> {
    let what = "look at the judges' consumer";
    let stream = bounded(what, context.get_stream_no_info(subject::JOBS_STREAM)).await?;
    let info = bounded(what, stream.consumer_info(subject::JUDGE_CONSUMER)).await?;
    Ok(Judges { free: info.num_waiting as u64, busy: info.num_ack_pending as u64 })
}

/// When the judges' consumer gives a silent judge's job to another: what a judge has to go by.
pub fn ack_wait(consumer: &PullConsumer) -> Duration {
    consumer.cached_info().config.ack_wait
}

/// Asks for one job and waits for it; `None` when none came in time. Each call is one pull for one message: a slot then
/// never holds a job that another could run. The library's endless stream with a batch of one is not used, since it
/// can count a job that comes before its own bookkeeping as one that is still to come, and then asks for no more until
/// its pull has expired.
pub async fn next_job(consumer: &PullConsumer) -> Result<Option<Message>, StreamsError> {
    let what = "ask for a job";
    let mut batch = bounded(what, consumer.batch().max_messages(1).expires(PULL).messages()).await?;
    match batch.next().await {
        Some(Ok(message)) => Ok(Some(message)),
        Some(Err(error)) => Err(StreamsError::Refused { what, reason: error.to_string() }),
        None => Ok(None),
    }
}

/// The reports after the one with stream sequence `position`, which the daemon keeps in the transaction that stores
/// what they say. There are no acks: after a new connection, and after a gap in the consumer's own numbers, the caller
/// asks again from its position.
pub async fn results_after(context: &Context, position: u64) -> Result<pull::Stream, StreamsError> {
    let what = "ask for reports";
    let config = pull::Config {
        deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: position + 1 },
        ack_policy: AckPolicy::None,
        inactive_threshold: Duration::from_secs(60),
        memory_storage: true,
        ..Default::default()
    };
    let consumer = put_consumer(context, what, config, subject::RESULTS_STREAM).await?;
    bounded(what, consumer.messages()).await
}

/// Forgets the reports up to and with stream sequence `position`; they are in the database.
pub async fn purge_results(context: &Context, position: u64) -> Result<(), StreamsError> {
    let what = "purge reports";
    let stream = bounded(what, context.get_stream_no_info(subject::RESULTS_STREAM)).await?;
    bounded(what, stream.purge().sequence(position + 1).into_future()).await?;
    Ok(())
}

/// Has the server write over what it has removed from its streams of jobs and reports.
pub async fn scrub(context: &Context) -> Result<(), StreamsError> {
    for name in [subject::JOBS_STREAM, subject::RESULTS_STREAM] {
        let what = "write over what was removed";
        let stream = bounded(what, context.get_stream(name)).await?;
        let state = &stream.cached_info().state;
        // Only up to what is there: of what has come meanwhile nothing is lost.
        let first = if state.messages == 0 { state.last_sequence + 1 } else { state.first_sequence };
        bounded(what, stream.purge().sequence(first).into_future()).await?;
    }
    Ok(())
}

/// The bucket of packages, each under its hash.
pub async fn packages_bucket(context: &Context) -> Result<ObjectStore, StreamsError> {
    bounded("open the bucket of packages", context.get_object_store(subject::PACKAGES_BUCKET)).await
}

fn jobs(layout: &Layout) -> stream::Config {
    stream::Config {
        name: subject::JOBS_STREAM.into(),
        subjects: vec!["cm.job.>".into()],
        retention: RetentionPolicy::WorkQueue,
        storage: StorageType::File,
        // A job that does not fit waits in the outbox; discarding the oldest would lose one that was accepted.
        discard: DiscardPolicy::New,
        max_bytes: clamp(layout.jobs_bytes),
        duplicate_window: DUPLICATES,
        num_replicas: 1,
        ..Default::default()
    }
}

fn results(layout: &Layout) -> stream::Config {
    stream::Config {
        name: subject::RESULTS_STREAM.into(),
        subjects: vec!["cm.res.>".into()],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        // A judge whose report is refused tries again; a report that is discarded is lost.
        discard: DiscardPolicy::New,
        max_bytes: clamp(layout.results_bytes),
        duplicate_window: DUPLICATES,
        num_replicas: 1,
        ..Default::default()
    }
}

/// The stream below the bucket, as the client library makes it: the library can only create a bucket, not change one.
fn packages(layout: &Layout) -> stream::Config {
    let bucket = subject::PACKAGES_BUCKET;
    stream::Config {
        name: format!("OBJ_{bucket}"),
        subjects: vec![format!("$O.{bucket}.C.>"), format!("$O.{bucket}.M.>")],
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        max_bytes: clamp(layout.packages_bytes),
        allow_rollup: true,
        allow_direct: true,
        num_replicas: 1,
        ..Default::default()
    }
}

fn judge(layout: &Layout) -> pull::Config {
    pull::Config {
        durable_name: Some(subject::JUDGE_CONSUMER.into()),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: layout.ack_wait,
        max_deliver: layout.max_deliver.into(),
        max_ack_pending: layout.max_ack_pending.into(),
        filter_subject: "cm.job.>".into(),
        ..Default::default()
    }
}

async fn put_stream(
    context: &Context,
    what: &'static str,
    config: stream::Config,
) -> Result<(), StreamsError> {
    bounded(what, context.create_or_update_stream(config)).await?;
    Ok(())
}

/// The stream of reports keeps the name of its life, by which its places are told from those of one that was lost. When
/// it was made does not tell that: the server changes this with a change of the stream.
async fn put_results(context: &Context, layout: &Layout) -> Result<(), StreamsError> {
    let what = "prepare the stream of reports";
    let life = match bounded(what, context.get_stream(subject::RESULTS_STREAM)).await {
        Ok(stream) => life(stream.cached_info()).map(str::to_owned),
        Err(StreamsError::Timeout { what }) => return Err(StreamsError::Timeout { what }),
        // There is none yet, or making it says what is wrong.
        Err(StreamsError::Refused { .. }) => None,
    };
    let life = life.unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let config = stream::Config { metadata: HashMap::from([(LIFE.into(), life)]), ..results(layout) };
    put_stream(context, what, config).await
}

/// The name of a stream's life.
pub fn life(info: &stream::Info) -> Option<&str> {
    info.config.metadata.get(LIFE).map(String::as_str)
}

async fn put_consumer(
    context: &Context,
    what: &'static str,
    config: pull::Config,
    stream: &str,
) -> Result<PullConsumer, StreamsError> {
    bounded(what, context.create_consumer_on_stream(config, stream)).await
}

/// Awaits a request to JetStream, which must not take for ever whatever the library does.
async fn bounded<T, E: std::error::Error>(
    what: &'static str,
    request: impl Future<Output = Result<T, E>>,
) -> Result<T, StreamsError> {
    match tokio::time::timeout(TIMEOUT, request).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(StreamsError::Refused { what, reason: error.to_string() }),
        Err(_) => Err(StreamsError::Timeout { what }),
    }
}

/// JetStream counts in signed bytes.
fn clamp(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
