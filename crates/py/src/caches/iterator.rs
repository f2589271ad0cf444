//! Going through the entries of a cache.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

use super::cache::Cache;

/// What of each entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Key,
    Value,
    Item,
}

/// The entries as they are when it begins, from the one used longest ago. To use an entry changes the order, and
/// not what is gone through; an entry that comes or goes ends it.
#[pyclass(module = "deadweight._core")]
pub(crate) struct CacheIterator {
    cache: Py<Cache>,
    order: Vec<u32>,
    next: usize,
    changes: u64,
    part: Part,
}

impl CacheIterator {
    pub(super) fn over(cache: Py<Cache>, part: Part) -> CacheIterator {
        let (order, changes) = {
            let state = cache.get().state();
            (state.slab.by_age().collect(), state.slab.changes)
        };
        CacheIterator { cache, order, next: 0, changes, part }
    }

    /// Bytes of what it has allocated.
    pub(crate) fn size(&self) -> usize {
        self.order.capacity() * size_of::<u32>()
    }
}

#[pymethods]
impl CacheIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.cache)
    }

    fn __iter__(slf: Py<CacheIterator>) -> Py<CacheIterator> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(&place) = self.order.get(self.next) else {
            self.order = Vec::new();
            return Ok(None);
        };
        let entry = {
            let state = self.cache.get().state();
            let same = state.slab.changes == self.changes;
            let entry = state.slab.get(place).filter(|_| same);
            entry.map(|it| (it.key.clone_ref(py), it.item.value.clone_ref(py)))
        };
        let Some((key, value)) = entry else {
            return Err(PyRuntimeError::new_err("cache changed during iteration"));
        };
        self.next += 1;
        Ok(Some(match self.part {
            Part::Key => key.into_bound(py),
            Part::Value => value.into_bound(py),
            Part::Item => (key, value).into_pyobject(py)?.into_any(),
        }))
    }

    fn __length_hint__(&self) -> usize {
        self.order.len().saturating_sub(self.next)
    }
}
