//! Our own objects, which no layout leads into: what they hold, they tell.

use deadweight_cpython::Told;
use deadweight_heap::{Addr, Bytes};
use pyo3::PyTypeInfo;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::caches::{Cache, CacheIterator, WeakCache};
use crate::own::{address, shown};
use crate::records::{Column, Row, RowIterator, Rows, ValueIterator};

/// Records and what leads to them, then caches.
fn all(py: Python<'_>) -> &'static (Vec<Addr>, usize) {
    fn of<T: PyTypeInfo>(py: Python<'_>) -> Addr {
        address(PyType::new::<T>(py).as_any())
    }
    static CLASSES: PyOnceLock<(Vec<Addr>, usize)> = PyOnceLock::new();
    CLASSES.get_or_init(py, || {
        let records = [
            of::<Rows>(py),
            of::<Row>(py),
            of::<Column>(py),
            of::<RowIterator>(py),
            of::<ValueIterator>(py),
        ];
        let caches = [of::<Cache>(py), of::<WeakCache>(py), of::<CacheIterator>(py)];
        ([&records[..], &caches[..]].concat(), records.len())
    })
}

/// The classes whose instances tell.
pub(crate) fn classes(py: Python<'_>) -> &'static [Addr] {
    &all(py).0
}

/// Those of records alone.
pub(crate) fn records(py: Python<'_>) -> &'static [Addr] {
    let (classes, records) = all(py);
    &classes[..*records]
}

/// What an object holds, which is of one of these classes.
pub(crate) fn told(object: &Bound<'_, PyAny>, class: Addr) -> Told {
    // Where caches keep their entries, their class says to everybody.
    let is_cache = object.is_instance_of::<Cache>() || object.is_instance_of::<WeakCache>();
    let references = if is_cache { Vec::new() } else { shown(object, class) };
    Told { references, ..beside(object) }
}

/// The memory that an object holds besides its block.
pub(crate) fn beside(object: &Bound<'_, PyAny>) -> Told {
    let mut told = Told::default();
    if let Ok(rows) = object.cast::<Rows>() {
        // Of records that somebody is about to change nothing can be said.
        if let Ok(rows) = rows.try_borrow() {
            (told.held, told.blocks) = rows.memory();
        }
    } else if let Ok(row) = object.cast::<Row>() {
        told.held = Bytes(row.get().size() as u64);
    } else if let Ok(cache) = object.cast::<Cache>() {
        told.held = Bytes(cache.get().table_size() as u64);
    } else if let Ok(cache) = object.cast::<WeakCache>() {
        told.held = Bytes(cache.get().table_size() as u64);
    }
    told
}
