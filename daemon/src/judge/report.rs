//! Reports of one delivery, in order, each stored before the next is sent.
//!
//! What is reported within a moment travels in one message, so that a hundred cases of a millisecond each cost a handful
//! of messages. The last report waits for nothing.

use std::time::Duration;

use async_nats::jetstream;
use codementor_protocol::{DeliveryToken, Finish, Report, ReportKind, Reports, SubmissionId, subject};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::queue::now;

/// How many reports wait before the judge has to.
const PENDING: usize = 256;
/// The most bytes of reports in one message, well below what NATS takes.
const MAX_MESSAGE: usize = 512 * 1024;
/// How far apart messages are at least, but for the last one. More often than this nobody sees a bar move, and each
/// message costs two flushes to disk.
const WINDOW: Duration = Duration::from_millis(150);
/// How long the first report waits for company: a short program then costs one message altogether.
const FIRST: Duration = Duration::from_millis(25);
/// How long one message may take to be stored.
const STORE_TIMEOUT: Duration = Duration::from_secs(3);
/// How long storing is tried before the delivery is given up.
const GIVE_UP: Duration = Duration::from_secs(120);
/// How long to wait between two tries.
const RETRY: Duration = Duration::from_millis(200);

/// Sends the reports of one delivery.
pub(super) struct Reporter {
    reports: mpsc::Sender<ReportKind>,
    sender: JoinHandle<Result<(), String>>,
}

impl Reporter {
    pub(super) fn start(
        jetstream: jetstream::Context,
        submission: SubmissionId,
        token: DeliveryToken,
    ) -> Self {
        let (reports, queue) = mpsc::channel(PENDING);
        Self { reports, sender: tokio::spawn(send(jetstream, submission, token, queue)) }
    }

    /// Reports something. Waits only where a great many reports are on their way.
    pub(super) async fn report(&self, kind: ReportKind) {
        // That the sender has given up is told by `finish`.
        let _ = self.reports.send(kind).await;
    }

    /// Sends the last report, and waits until everything is stored.
    pub(super) async fn finish(self, finish: Finish) -> Result<(), String> {
        self.report(ReportKind::Finished(finish)).await;
        drop(self.reports);
        self.sender.await.map_err(|error| error.to_string())?
    }

    /// Sends nothing more.
    pub(super) fn abandon(self) {
        self.sender.abort();
    }
}

async fn send(
    jetstream: jetstream::Context,
    submission: SubmissionId,
    token: DeliveryToken,
    mut queue: mpsc::Receiver<ReportKind>,
) -> Result<(), String> {
    let mut next = 0;
    let mut held = None;
    let mut last = None;
    loop {
        let first = match held.take() {
            Some(report) => report,
            None => match queue.recv().await {
                Some(kind) => number(&mut next, kind),
                None => return Ok(()),
            },
        };
        let window = last.map_or_else(|| Instant::now() + FIRST, |last: Instant| last + WINDOW);
        let mut size = weight(&first);
        let mut reports = vec![first];
        while !reports.last().is_some_and(|report| matches!(report.kind, ReportKind::Finished(_))) {
            let kind = match queue.try_recv() {
                Ok(kind) => kind,
                Err(_) => match timeout_at(window, queue.recv()).await {
                    Ok(Some(kind)) => kind,
                    // The window is over, or there is nothing more to come.
                    Ok(None) | Err(_) => break,
                },
            };
            let report = number(&mut next, kind);
            size += weight(&report);
            if size > MAX_MESSAGE {
                held = Some(report);
                break;
            }
            reports.push(report);
        }
        let message = Reports { submission, token, reports };
        let body = bytes::Bytes::from(serde_json::to_vec(&message).map_err(|error| error.to_string())?);
        last = Some(Instant::now());
        store(&jetstream, submission, body).await?;
    }
}

fn number(next: &mut u32, kind: ReportKind) -> Report {
    let report = Report { n: *next, at: now(), kind };
    *next += 1;
    report
}

/// About how many bytes a report takes in a message.
fn weight(report: &Report) -> usize {
    match &report.kind {
        ReportKind::Compiled { output, diagnostics, .. } => {
            // A character can take six bytes in JSON.
            let words: usize = diagnostics.iter().map(|diagnostic| diagnostic.message.len() + 256).sum();
            512 + 6 * (output.len() + words)
        }
        ReportKind::Case(case) => {
            let bytes = [&case.stdout, &case.stderr].into_iter().flatten().map(|capture| capture.bytes.len());
            512 + 4 * bytes.sum::<usize>() / 3
        }
        _ => 512,
    }
}

/// Stores a message. Storing it twice does no harm: the reports are numbered.
async fn store(
    jetstream: &jetstream::Context,
    submission: SubmissionId,
    body: bytes::Bytes,
) -> Result<(), String> {
    let deadline = Instant::now() + GIVE_UP;
    loop {
        let publish = async {
            let ack = jetstream.publish(subject::results(submission), body.clone()).await;
            ack.map_err(|error| error.to_string())?.await.map_err(|error| error.to_string())
        };
        match timeout(STORE_TIMEOUT, publish).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if Instant::now() >= deadline => return Err(error),
            Err(_) if Instant::now() >= deadline => return Err("NATS did not answer in time".into()),
            Ok(Err(error)) => tracing::debug!(error, "a report was not stored and is sent again"),
            Err(_) => tracing::debug!("a report was not stored in time and is sent again"),
        }
        tokio::time::sleep(RETRY).await;
    }
}
