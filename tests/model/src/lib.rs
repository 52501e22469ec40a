//! A model server for tests: HTTP/1.1 on plain threads, whose every byte is scripted.
//!
//! ```text
//! ModelServer ── thread: accept ── thread for each connection: read a request ─▶ journal ─▶ reply(request) = Script ─▶ play
//! ```
//!
//! A [`Script`] is what goes over the wire: a head and steps. [`sse`](Script::sse) and its kin write what
//! OpenAI-compatible endpoints stream; [`Gate`]s hold an answer where a test wants it, so that no test has to wait for
//! a time to pass. The [`Journal`] keeps every request and knows when its client went away.
//!
//! [`tutor`](crate::correction) knows the form in which CodeMentor asks and wants to be answered.
//!
//! This is for tests only: it panics where it cannot go on.

mod journal;
mod script;
mod server;
mod sse;
mod tutor;

pub use journal::{Ended, Exchange, Journal, Request};
pub use script::{Gate, Script};
pub use server::ModelServer;
pub use sse::{chunk, event};
pub use tutor::correction;
