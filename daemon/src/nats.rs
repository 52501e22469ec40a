//! The NATS side of the daemon: where the server's program comes from, who may do what on it, how it is kept alive,
//! how to connect, and the streams.
//!
//! ```text
//! server    finds or fetches the program             auth      operator → account → users, as signed JWTs
//! embedded  one server under a thread that watches    connect   a client with our time-outs and inbox
//! tls       certificates, and what a server is trusted by
//! streams   CM_JOBS, CM_RESULTS, the bucket of packages
//! ```

pub mod auth;
pub mod connect;
pub mod embedded;
pub mod export;
pub mod server;
pub mod streams;
pub mod tls;
