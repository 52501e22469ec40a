//! The NATS side of the daemon against real servers: a server of its own for each test, its program fetched by the
//! code under test into the cache that all tests share.

mod auth;
mod embedded;
mod server;
mod setup;
mod streams;
