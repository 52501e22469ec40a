//! Sandboxes on the real engine: hostile programs against the outcomes that they must have, and after each of them a
//! program that looks for anything the last one left.

mod hostile;
mod house;
mod limits;
mod pool;
mod traffic;
