//! What a `with` statement itself has when it calls `__enter__`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::Peak;
use crate::own::{address, with_memory};

/// Bytes that a `with` has from before it calls `__enter__`, and gives back when that returns: up to
/// 3.13 it makes an object of the method (`SETUP_WITH`, `BEFORE_WITH` in Python/ceval.c and
/// Python/bytecodes.c). Who calls `__enter__` by its name makes none.
pub(super) fn passing(peak: &Bound<'_, Peak>) -> PyResult<i64> {
    let py = peak.py();
    if py.version_info() >= (3, 14) || !is_called_by_with(py).unwrap_or(false) {
        return Ok(0);
    }
    let method = peak.getattr(intern!(py, "__enter__"))?;
    let weight = with_memory(py, |own, memory, _| own.scale.weigh(memory, address(&method)))?;
    Ok(weight.map_or(0, |weight| weight.held.0.cast_signed()))
}

/// Whether the instruction that the calling frame is at is that of a `with`. An error if there is no frame.
///
/// All names are interned: up to 3.13 the interpreter keeps the one that an attribute was last looked up by
/// (`type_cache_entry` in `pycore_typeobject.h`), and would let go of one of ours while bytes are counted.
fn is_called_by_with(py: Python<'_>) -> PyResult<bool> {
    let name = if py.version_info() >= (3, 11) { "BEFORE_WITH" } else { "SETUP_WITH" };
    let with = py.import("opcode")?.getattr(intern!(py, "opmap"))?.get_item(name)?;
    let frame = py.import("sys")?.call_method0(intern!(py, "_getframe"))?;
    let at: usize = frame.getattr(intern!(py, "f_lasti"))?.extract()?;
    let code = frame.getattr(intern!(py, "f_code"))?.getattr(intern!(py, "co_code"))?;
    Ok(code.cast::<PyBytes>()?.as_bytes().get(at) == Some(&with.extract()?))
}
