//! Sandboxes on the real engine: hostile programs against the outcomes that they must have, and after each of them a
//! program that looks for anything the last one left.

// Clippy takes only functions marked as tests for tests, and not those that they share.
#![allow(clippy::unwrap_used)]

mod first_case;
mod hostile;
mod house;
mod languages;
mod limits;
mod pool;
mod traffic;
