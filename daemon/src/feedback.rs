//! What a model says about a program, and how that is kept honest.

mod ledger;
pub(crate) mod settings;
