//! Caches as Python objects: which entries there are, and in which order they are let go.
//!
//! A key's `__hash__` and `__eq__`, a weigher, a callback and the end of a value are code that may come back to
//! the very cache. So a lock is held only where no code of Python's can run, and what was decided before such
//! code ran is looked at again after it.

mod cache;
mod call;
mod iterator;
mod layout;
mod locate;
mod slab;
mod weak;
mod weight;

pub(crate) use cache::Cache;
pub(crate) use call::Call;
pub(crate) use iterator::CacheIterator;
pub(crate) use weak::WeakCache;
