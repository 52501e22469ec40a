//! What a model says about a program, and how that is kept honest.

pub mod edit;
#[allow(dead_code, reason = "used by the sessions of feedback, which are not there yet")]
mod flight;
#[allow(dead_code, reason = "used by the sessions of feedback, which are not there yet")]
mod ledger;
#[allow(dead_code, reason = "asked by the sessions of feedback, which are not there yet")]
mod model;
pub mod prompt;
pub mod reply;
pub mod scan;
pub mod scrub;
pub(crate) mod settings;
mod tokens;
