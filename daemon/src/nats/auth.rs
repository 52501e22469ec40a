//! Who may do what on NATS: an operator signs an account, the account's scoped signing keys sign users. A key carries
//! the permissions of a role, a user's JWT carries a name and a public key and nothing else, so that a role's
//! permissions change with the account and never with the users.
//!
//! The account is checked against this module whenever keys are loaded: after an upgrade that changes a role's
//! permissions, the account is signed again, and every user of that role has the new ones.

mod creds;
mod jwt;
mod keys;
mod permissions;

pub use creds::{Creds, CredsError, Place};
pub use keys::{ANONYMOUS_SINCE, Keys, KeysError, MintError, RevokeError};
pub use permissions::Role;

#[cfg(test)]
mod tests;
