//! Slices of what is read by position.

use std::ptr;
use std::slice;

use deadweight_files::FilesError;
use pyo3::exceptions::PyMemoryError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::of_files;

/// So much, a multiple of any width, is read or written between two looks at whether a signal came.
pub(super) const PIECE: usize = 16 << 20;
/// So much is read at once of what lies apart.
pub(super) const BLOCK: usize = 64 * 1024;

/// Lets other threads have the interpreter, and handles signals.
pub(super) fn pause(py: Python<'_>) -> PyResult<()> {
    py.detach(|| ());
    py.check_signals()
}

/// Reads `count` items of `width` bytes: from number `start` on, each `step` from the last.
pub(super) fn gather<'py>(
    py: Python<'py>,
    width: usize,
    (start, step): (isize, isize),
    count: usize,
    read: &(impl Fn(u64, &mut [u8]) -> Result<(), FilesError> + Sync),
) -> PyResult<Bound<'py, PyBytes>> {
    let length = count.checked_mul(width).and_then(|length| isize::try_from(length).ok());
    let length = length.ok_or_else(|| PyMemoryError::new_err(()))?;
    // SAFETY: without bytes to copy it makes an object of so many, or raises.
    let bytes = unsafe {
        let made = ffi::PyBytes_FromStringAndSize(ptr::null(), length);
        Bound::from_owned_ptr_or_err(py, made)?.cast_into::<PyBytes>()?
    };
    // SAFETY: it is an object of bytes.
    let first = unsafe { ffi::PyBytes_AsString(bytes.as_ptr()) }.cast::<u8>();
    let mut from = start;
    // Not all of them are zeroed at once: it takes as long as to read them, and no signal ends it.
    for at in (0..length as usize).step_by(PIECE) {
        let size = PIECE.min(length as usize - at);
        // SAFETY: they are in the object, which nobody else has seen yet, and are zeroed before they are a slice.
        let piece = unsafe {
            let piece = first.add(at);
            piece.write_bytes(0, size);
            slice::from_raw_parts_mut(piece, size)
        };
        fill(py, width, (from, step), piece, read)?;
        from = from.wrapping_add(step.wrapping_mul((size / width) as isize));
        py.check_signals()?;
    }
    Ok(bytes)
}

fn fill(
    py: Python<'_>,
    width: usize,
    (start, step): (isize, isize),
    place: &mut [u8],
    read: &(impl Fn(u64, &mut [u8]) -> Result<(), FilesError> + Sync),
) -> PyResult<()> {
    if step == 1 {
        return py.detach(|| read(start as u64, place)).map_err(of_files);
    }
    let at_once = (BLOCK / step.unsigned_abs().saturating_mul(width)).max(1);
    let mut block = Vec::new();
    let mut from = start;
    for (number, places) in place.chunks_mut(at_once * width).enumerate() {
        let last = from + (places.len() / width - 1) as isize * step;
        let first = from.min(last);
        block.resize((from.abs_diff(last) + 1) * width, 0);
        py.detach(|| read(first as u64, &mut block)).map_err(of_files)?;
        for (number, place) in places.chunks_exact_mut(width).enumerate() {
            let begin = (from + number as isize * step).abs_diff(first) * width;
            place.copy_from_slice(&block[begin..begin + width]);
        }
        from = last.wrapping_add(step);
        if number % 256 == 0 {
            py.check_signals()?;
        }
    }
    Ok(())
}
