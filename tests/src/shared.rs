//! One home for the tests of a file.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::Home;

/// A home that lives while a test uses it: tests that run at the same time share one daemon, and the last of them
/// stops it. A static that held the home itself would never be dropped.
pub struct Shared(Mutex<Weak<Home>>);

impl Shared {
    /// No home yet.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a static needs a constant")]
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    /// The home that another test uses at this moment, else the one that `make` makes.
    pub fn get(&self, make: impl FnOnce() -> Home) -> Arc<Home> {
        // A test that failed while it made one has left none behind.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.upgrade().unwrap_or_else(|| {
            let home = Arc::new(make());
            *known = Arc::downgrade(&home);
            home
        })
    }
}
