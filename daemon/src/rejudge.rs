//! Judging again: begins as many runs as may be out, and the next ones as those end.
//!
//! ```text
//! rejudge (gateway) ─▶ rejudges, rejudge_runs ─▶ run() ─▶ submissions of the daemon's own ─▶ lane `batch`
//!                                                  ▲                                             │
//!                                                  └────────── own_ended ◀── result, end ◀───────┘
//! ```
//!
//! All that it knows stands in the database, so that a daemon that was ended in the middle goes on where it was.

use std::time::Duration;

use crate::queue::{Core, now};
use crate::submissions::rejudge;

/// How long to wait before it is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Goes on until the daemon ends.
pub(crate) async fn run(core: Core) {
    loop {
        match core.store.write(|db| rejudge::feed(db, now())).await {
            Ok(changes) => {
                core.announce(changes).await;
                core.own_ended.notified().await;
            }
            Err(error) => {
                tracing::warn!(%error, "what is judged again could not be begun and is tried again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}
