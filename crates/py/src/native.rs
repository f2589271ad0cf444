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

/// The classes whose instances tell.
pub(crate) fn classes(py: Python<'_>) -> &'static [Addr] {
    fn of<T: PyTypeInfo>(py: Python<'_>) -> Addr {
        address(PyType::new::<T>(py).as_any())
    }
    static CLASSES: PyOnceLock<[Addr; 8]> = PyOnceLock::new();
    CLASSES.get_or_init(py, || {
        [
            of::<Rows>(py),
            of::<Row>(py),
            of::<Column>(py),
            of::<RowIterator>(py),
            of::<ValueIterator>(py),
            of::<Cache>(py),
            of::<WeakCache>(py),
            of::<CacheIterator>(py),
        ]
    })
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
    } else if let Ok(iterator) = object.cast::<CacheIterator>() {
        // Of one that is at its next entry nothing can be said.
        if let Ok(iterator) = iterator.try_borrow() {
            told.held = Bytes(iterator.size() as u64);
        }
    }
    told
}
