//! Who uses an open vector: as long as anybody does, nobody may make its file shorter.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;

/// Buffers that are lent, and writes and flushes that are under way; `ALONE` while the file is resized. They only become
/// more under the lock of the vector.
#[derive(Default)]
pub(super) struct Users(Arc<AtomicUsize>);

/// More users than there can be.
const ALONE: usize = usize::MAX;

/// One of the users, or one for all of them, as long as it lives.
pub(super) struct User(Arc<AtomicUsize>, usize);

impl Drop for User {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Users {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// One more, of the file of this name.
    pub(super) fn one(&self, name: &str) -> PyResult<User> {
        self.check_not_resized(name, "used")?;
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(User(Arc::clone(&self.0), 1))
    }

    /// Keeps all others away.
    pub(super) fn alone(&self, name: &str) -> PyResult<User> {
        self.check_none(name, "resized")?;
        self.0.store(ALONE, Ordering::Relaxed);
        Ok(User(Arc::clone(&self.0), ALONE))
    }

    pub(super) fn check_none(&self, name: &str, what: &str) -> PyResult<()> {
        self.check_not_resized(name, what)?;
        match self.count() {
            0 => Ok(()),
            count => Err(PyBufferError::new_err(format!(
                "{name} cannot be {what} while {count} of its buffers or writes are in use, such as an array of \
                 NumPy's or a memoryview"
            ))),
        }
    }

    pub(super) fn check_not_resized(&self, name: &str, what: &str) -> PyResult<()> {
        if self.count() == ALONE {
            let text = format!("{name} cannot be {what} while it is resized");
            return Err(PyBufferError::new_err(text));
        }
        Ok(())
    }
}
