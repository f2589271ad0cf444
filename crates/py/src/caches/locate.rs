//! Finding a key in a cache, whatever its `__eq__` does meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;

use super::slab::Slab;

/// What is kept behind a lock.
pub(super) trait Shelf {
    type Item;
    fn slab(&self) -> &Slab<Self::Item>;
}

/// Never held while Python code runs, so that nobody waits for long and nobody for himself. What is inside is
/// whole whenever the lock is let go, also by a panic.
#[inline]
pub(super) fn lock<S>(shelf: &Mutex<S>) -> MutexGuard<'_, S> {
    shelf.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hash of a key, as `hash(key)` has it.
#[inline]
pub(super) fn hash_of(key: &Bound<'_, PyAny>) -> PyResult<u64> {
    key.hash().map(|hash| hash as u64)
}

/// The error of a key that is not there, as a dict has it: one that is a tuple is one argument.
pub(super) fn missing(key: &Bound<'_, PyAny>) -> PyErr {
    PyKeyError::new_err((key.clone().unbind(),))
}

/// Where a key is, and the lock under which this is so.
pub(super) struct Found<'a, S> {
    pub(super) shelf: MutexGuard<'a, S>,
    pub(super) place: Option<u32>,
    /// Keys that may be nobody else's by now: what runs as they go must not meet the lock, so that they stand
    /// behind it.
    _asked: Vec<Py<PyAny>>,
}

/// Looks for a key: the very object, or one that says it is equal.
pub(super) fn locate<'a, S: Shelf>(
    shelf: &'a Mutex<S>,
    key: &Bound<'_, PyAny>,
    hash: u64,
) -> PyResult<Found<'a, S>> {
    let py = key.py();
    // Kept as long as we look, so that their addresses are nobody else's. The first are other keys.
    let mut asked: Vec<Py<PyAny>> = Vec::new();
    let mut others = 0;
    loop {
        let guard = lock(shelf);
        let mut identical = None;
        for (place, entry) in guard.slab().with_hash(hash) {
            if entry.key.is(key) {
                identical = Some(place);
                break;
            }
            let address = |key: &Py<PyAny>| key.as_ptr() as usize;
            if asked[..others].binary_search_by_key(&address(&entry.key), address).is_err() {
                asked.push(entry.key.clone_ref(py));
            }
        }
        if identical.is_some() || asked.len() == others {
            return Ok(Found { shelf: guard, place: identical, _asked: asked });
        }
        drop(guard);
        for index in others..asked.len() {
            if !asked[index].bind(py).eq(key)? {
                continue;
            }
            let guard = lock(shelf);
            let mut places = guard.slab().with_hash(hash);
            let place = places.find(|(_, entry)| entry.key.is(&asked[index])).map(|(at, _)| at);
            drop(places);
            if place.is_some() {
                return Ok(Found { shelf: guard, place, _asked: asked });
            }
        }
        asked.sort_unstable_by_key(|key| key.as_ptr() as usize);
        others = asked.len();
    }
}
