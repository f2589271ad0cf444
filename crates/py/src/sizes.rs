//! `sizeof`, `deepsizeof`, `layout`: single objects of this process.

use deadweight_process::Checked;
use pyo3::exceptions::{PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::own::{address, with_memory};

fn unreadable() -> PyErr {
    PyRuntimeError::new_err("the object could not be read: its bytes make no sense")
}

/// Bytes really held by this object alone.
#[pyfunction]
#[pyo3(signature = (object, /))]
pub(crate) fn sizeof(object: &Bound<'_, PyAny>) -> PyResult<u64> {
    let at = address(object);
    let weight = with_memory(object.py(), |own, memory, _| own.scale.weigh(memory, at))?;
    Ok(weight.ok_or_else(unreadable)?.held.0)
}

/// One type among what objects hold: its name, how many, held and requested bytes.
type Row = (String, u64, u64, u64);

/// What objects hold together: held, requested and shared bytes, how many objects, whether a size
/// follows a rule, and the rows by type.
#[pyfunction]
pub(crate) fn deepsizeof(
    py: Python<'_>,
    objects: &Bound<'_, PyTuple>,
    stop: &Bound<'_, PyTuple>,
    namespaces: bool,
) -> PyResult<(u64, u64, u64, u64, bool, Vec<Row>)> {
    let addresses = |tuple: &Bound<'_, PyTuple>| {
        tuple.iter_borrowed().map(|item| address(&item)).collect::<Vec<_>>()
    };
    for item in stop.iter_borrowed() {
        if !item.is_instance_of::<PyType>() {
            return Err(PyTypeError::new_err("stop takes a tuple of classes"));
        }
    }
    let (roots, stop) = (addresses(objects), addresses(stop));
    let deep = with_memory(py, |own, memory, checked: &Checked| {
        own.scale.weigh_deep(memory, checked, &roots, &stop, namespaces)
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
