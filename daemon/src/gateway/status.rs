//! Requests about the daemon itself.

use codementor_protocol::{GetStatus, Purpose, Refusal, Status, Stop, Stopping, Timestamp};
use tokio::sync::watch;

use super::{Caller, Gateway, Handle, store_refusal};
use crate::judge::Slots;

/// What does not change while the daemon lives, or is changed elsewhere.
pub(crate) struct Facts {
    /// When the daemon started.
    pub(crate) since: Timestamp,
    /// The NATS server's version.
    pub(crate) nats: String,
    /// After how many seconds without work the daemon stops.
    pub(crate) idle_timeout_s: Option<u64>,
    /// Whether it is a server for others, and not the private daemon of one user.
    pub(crate) shared: bool,
    /// Where the log is.
    pub(crate) log: String,
    /// The slots of the judge in this process, if there is one.
    pub(crate) slots: Option<Slots>,
    /// What is wrong with the engine, if something is.
    pub(crate) engine_error: watch::Receiver<Option<String>>,
}

impl Handle<GetStatus> for Gateway {
    async fn handle(&self, caller: &Caller, _: GetStatus) -> Result<Status, Refusal> {
        let counts = self.core.store.read(|db| {
            let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, u64>(0));
            let purpose = crate::store::columns::token(Purpose::Submission)?;
            Ok((
                count(&format!("SELECT count(*) FROM submissions WHERE purpose = '{purpose}'"))?,
                count("SELECT count(*) FROM problems")?,
            ))
        });
        let (submissions, problems) = counts.await.map_err(store_refusal)?;
        let feedback = self.feedback.status().await.map_err(store_refusal)?;
        let gauges = &self.core.gauges;
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").into(),
            build: crate::BUILD.into(),
            pid: std::process::id(),
            since: self.facts.since,
            user: caller.user.clone(),
            nats: self.facts.nats.clone(),
            slots: self.facts.slots.as_ref().map_or(0, Slots::total),
            busy: self.facts.slots.as_ref().map_or(0, Slots::busy),
            queued: gauges.depths().iter().map(|(lane, depth)| (lane.token().to_owned(), *depth)).collect(),
            running: gauges.running(),
            submissions,
            problems,
            idle_timeout_s: self.facts.idle_timeout_s,
            engine_error: self.facts.engine_error.borrow().clone(),
            // It is of no use to others, and tells of the machine.
            log: if caller.admin { self.facts.log.clone() } else { String::new() },
            feedback,
        })
    }
}

impl Handle<Stop> for Gateway {
    async fn handle(&self, caller: &Caller, _: Stop) -> Result<Stopping, Refusal> {
        tracing::info!(user = %caller.user, "asked to stop");
        let gauges = &self.core.gauges;
        let running = gauges.running();
        let queued = gauges.depths().iter().map(|(_, depth)| depth).sum();
        self.stopping.send_replace(true);
        Ok(Stopping { running, queued })
    }
}
