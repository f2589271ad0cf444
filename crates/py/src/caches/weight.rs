//! What an entry weighs.

use deadweight_heap::Addr;
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::own::address;
use crate::sizes::bounded;

/// Deep sizes are not followed further.
const MOST_OBJECTS: u64 = 10_000;
const ESTIMATED: u64 = 1 << 63;

/// Bytes, and in the highest bit whether they are an estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight(u64);

impl Weight {
    fn new(bytes: u64, is_estimated: bool) -> Weight {
        let mark = if is_estimated { ESTIMATED } else { 0 };
        Weight(bytes.min(ESTIMATED - 1) | mark)
    }

    pub(super) fn bytes(self) -> u64 {
        self.0 & !ESTIMATED
    }

    pub(super) fn is_estimated(self) -> bool {
        self.0 & ESTIMATED != 0
    }
}

/// What a user's function says.
pub(super) fn asked(
    weigher: &Bound<'_, PyAny>,
    key: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<Weight> {
    let answer = weigher.call1((key, value))?;
    let error = match answer.extract() {
        Ok(bytes) => return Ok(Weight::new(bytes, false)),
        Err(error) => error,
    };
    let no_weight = || {
        let shown = answer.repr()?;
        Ok::<_, PyErr>(format!("a weigher gives a whole number of bytes, 0 or more, not {shown}"))
    };
    if error.is_instance_of::<PyOverflowError>(key.py()) {
        Err(PyValueError::new_err(no_weight()?))
    } else if error.is_instance_of::<PyTypeError>(key.py()) {
        Err(PyTypeError::new_err(no_weight()?))
    } else {
        Err(error)
    }
}

/// What a key and a value hold together, each object once; without what the interpreter or a module holds anyway.
pub(super) fn deep(key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<Weight> {
    let py = key.py();
    let roots = [key.as_borrowed(), value.as_borrowed()];
    let bounded = bounded(py, &roots, left_out(py)?, MOST_OBJECTS)?;
    Ok(Weight::new(bounded.held.0, bounded.is_estimated))
}

/// Classes, modules and functions: they are there with or without a cache. Their types are static and stay.
fn left_out(py: Python<'_>) -> PyResult<&'static [Addr]> {
    static LEFT_OUT: PyOnceLock<[Addr; 4]> = PyOnceLock::new();
    let left_out = LEFT_OUT.get_or_try_init(py, || {
        let types = py.import("types")?;
        let at = |name| Ok::<_, PyErr>(address(&types.getattr(name)?));
        let class = address(py.get_type::<pyo3::types::PyType>().as_any());
        Ok::<_, PyErr>([class, at("ModuleType")?, at("FunctionType")?, at("BuiltinFunctionType")?])
    })?;
    Ok(left_out)
}
