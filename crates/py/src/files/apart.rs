//! Slices of what is read by position.

use deadweight_files::FilesError;
use pyo3::prelude::*;

use crate::errors::of_files;

/// So much is read or written between two looks at whether a signal came.
pub(super) const PIECE: usize = 16 << 20;
/// So much is read at once of what lies apart.
pub(super) const BLOCK: usize = 64 * 1024;

/// Lets other threads have the interpreter, and handles signals.
pub(super) fn pause(py: Python<'_>) -> PyResult<()> {
    py.detach(|| ());
    py.check_signals()
}

/// Reads items of `width` bytes into `place`: from number `start` on, each `step` from the last.
pub(super) fn gather(
    py: Python<'_>,
    width: usize,
    (start, step): (isize, isize),
    place: &mut [u8],
    read: &(impl Fn(u64, &mut [u8]) -> Result<(), FilesError> + Sync),
) -> PyResult<()> {
    if step == 1 {
        let at_once = PIECE / width;
        for (number, piece) in place.chunks_mut(at_once * width).enumerate() {
            let at = (start as usize + number * at_once) as u64;
            py.detach(|| read(at, piece)).map_err(of_files)?;
            py.check_signals()?;
        }
        return Ok(());
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
