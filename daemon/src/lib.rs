//! The CodeMentor daemon: who asks, in what order, and what is recorded.
//!
//! ```text
//! gateway ─▶ submissions, registry (SQLite) ─▶ queue ─▶ NATS ─▶ judge ─▶ NATS ─▶ queue ─▶ SQLite ─▶ events
//! ```
//!
//! `docs/ARCHITECTURE.md` has the map, the life of a submission and the invariants.

mod accounts;
mod backup;
mod courses;
mod daemon;
pub mod feedback;
pub mod files;
mod gateway;
mod instance;
mod judge;
mod monitor;
pub mod nats;
mod oidc;
mod personal;
mod program;
pub mod promptness;
mod queue;
mod registry;
mod rejudge;
pub mod settings;
mod setup;
pub mod store;
mod submissions;

pub use daemon::DaemonError;
pub use instance::{InstanceError, is_held};
pub use program::{main, run_private};

/// The build of this daemon. A daemon of another build is drained and replaced.
pub const BUILD: &str = env!("CODEMENTOR_BUILD");
