//! The CodeMentor daemon: who asks, in what order, and what is recorded.

mod queue;
pub mod settings;
pub mod store;
pub mod submissions;

/// The build of this daemon. A daemon of another build is drained and replaced.
pub const BUILD: &str = env!("CODEMENTOR_BUILD");
