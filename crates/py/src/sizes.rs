//! `sizeof`, `deepsizeof`, `layout`: single objects of this process.

use deadweight_cpython::Bounded;
use deadweight_heap::{Addr, Bytes};
use pyo3::Borrowed;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::native::{self, told};
use crate::own::{address, from_roots, with_memory};

fn unreadable() -> PyErr {
    PyRuntimeError::new_err("the object could not be read: its bytes make no sense")
}

/// Bytes really held by this object alone.
#[pyfunction]
#[pyo3(signature = (object, /))]
pub(crate) fn sizeof(object: &Bound<'_, PyAny>) -> PyResult<u64> {
    let at = address(object);
    let weight = with_memory(object.py(), |own, memory, _| own.scale.weigh(memory, at))?;
    let beside = native::beside(object);
    let blocks: Bytes = beside.blocks.iter().map(|(_, bytes)| *bytes).sum();
    Ok((weight.ok_or_else(unreadable)?.held + beside.held + blocks).0)
}

/// One type among what objects hold: its name, how many, held and requested bytes.
type Row = (String, u64, u64, u64);

/// What objects hold together: held, requested and shared bytes, how many objects, whether a size
/// follows a rule, and the rows by type. Each of the objects in `lent` has a reference that is not to count.
#[pyfunction]
#[pyo3(signature = (objects, stop, namespaces, lent = None))]
pub(crate) fn deepsizeof(
    py: Python<'_>,
    objects: &Bound<'_, PyTuple>,
    stop: &Bound<'_, PyTuple>,
    namespaces: bool,
    lent: Option<&Bound<'_, PyTuple>>,
) -> PyResult<(u64, u64, u64, u64, bool, Vec<Row>)> {
    for item in stop.iter_borrowed() {
        if !item.is_instance_of::<PyType>() {
            return Err(PyTypeError::new_err("stop takes a tuple of classes"));
        }
    }
    let addresses = |items: &Bound<'_, PyTuple>| -> Vec<Addr> {
        items.iter_borrowed().map(|item| address(&item)).collect()
    };
    let (stop, lent) = (addresses(stop), lent.map_or_else(Vec::new, addresses));
    let roots: Vec<_> = objects.iter_borrowed().collect();
    let (classes, bounds) = (native::classes(py), (&*stop, namespaces));
    let deep =
        from_roots(py, &roots, bounds, classes, told, |own, memory, checked, at, bounds| {
            own.scale.weigh_deep(memory, checked, at, &lent, bounds)
        })?;
    let row =
        |row: deadweight_cpython::TypeWeight| (row.name, row.count, row.held.0, row.requested.0);
    let total = deep.total;
    Ok((
        total.held.0,
        total.requested.0,
        deep.shared.0,
        deep.count,
        total.modelled,
        deep.by_type.into_iter().map(row).collect(),
    ))
}

/// What objects hold together, if at most so many are looked at; instances of `stop` and the interpreter's own are
/// left out, and so is what caches keep: that is theirs to bound.
pub(crate) fn bounded<'py>(
    py: Python<'py>,
    roots: &[Borrowed<'_, 'py, PyAny>],
    stop: &[Addr],
    most: u64,
) -> PyResult<Bounded> {
    let classes = native::classes(py);
    from_roots(py, roots, (stop, false), classes, told, |own, memory, checked, at, bounds| {
        own.scale.weigh_bounded(memory, checked, at, bounds, most)
    })
}

/// Some bytes: offset, size, kind, name.
type Part = (u64, u64, &'static str, String);
/// A block: name, address, requested, held, modelled, parts.
type Block = (String, u64, u64, u64, bool, Vec<Part>);

/// The blocks of an object, itself first.
#[pyfunction]
#[pyo3(signature = (object, /))]
pub(crate) fn layout(object: &Bound<'_, PyAny>) -> PyResult<Vec<Block>> {
    let at = address(object);
    let blocks = with_memory(object.py(), |own, memory, _| own.scale.anatomy(memory, at))?;
    let part =
        |part: deadweight_cpython::Part| (part.offset, part.size.0, part.kind.word(), part.name);
    let block = |block: deadweight_cpython::Block| {
        let parts = block.parts.into_iter().map(part).collect();
        (block.name, block.address.0, block.requested.0, block.held.0, block.modelled, parts)
    };
    Ok(blocks.ok_or_else(unreadable)?.into_iter().map(block).collect())
}
