//! What a `with` statement itself has when it calls `__enter__`.

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
    let method = peak.getattr("__enter__")?;
    let weight = with_memory(py, |own, memory, _| own.scale.weigh(memory, address(&method)))?;
    Ok(weight.map_or(0, |weight| weight.held.0.cast_signed()))
}

/// Whether the instruction that the calling frame is at is that of a `with`. An error if there is no frame.
fn is_called_by_with(py: Python<'_>) -> PyResult<bool> {
    let name = if py.version_info() >= (3, 11) { "BEFORE_WITH" } else { "SETUP_WITH" };
    let with: u8 = py.import("opcode")?.getattr("opmap")?.get_item(name)?.extract()?;
    let frame = py.import("sys")?.getattr("_getframe")?.call0()?;
    let at: usize = frame.getattr("f_lasti")?.extract()?;
    let code = frame.getattr("f_code")?.getattr("co_code")?;
    Ok(code.cast::<PyBytes>()?.as_bytes().get(at) == Some(&with))
}
