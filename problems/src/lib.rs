//! Problem packages: reading, checking and packing them, and the default validator.
//!
//! ```text
//! folder, .zip, .kpp ─▶ read ─▶ Package + warnings, or all that is wrong with it
//!                        └▶ pack ─▶ Packed: one zip, named by the hash of its content ─▶ open ─▶ a judge
//! ```
//!
//! What must not happen here: nothing is written to a path that a package names, no program of a package is run
//! except through the caller's `Generate`, and nothing here knows a network, a container or a clock.

pub mod calibrate;
pub mod compare;
pub mod defect;
pub mod files;
pub mod float;
pub mod pack;
pub mod package;
pub mod read;
pub mod slug;
pub mod submissions;

mod names;
mod yaml;

#[cfg(test)]
mod testing;
