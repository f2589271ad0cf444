//! Files in parts: pieces of bytes, and where to cut for workers that take one part each.

use std::sync::Mutex;

use deadweight_files::csv::{self, Dialect};
use deadweight_files::{Chunks, splits};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3::{PyTraverseError, PyVisit};

use super::given::{Read, file, open_part, source};
use super::watch::{Pulse, watched};
use crate::errors::of_files;

/// The bytes of one source, a piece at a time.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Pieces {
    /// `None` when it has ended.
    reading: Mutex<Option<(Chunks, Read, Pulse)>>,
}

#[pymethods]
impl Pieces {
    #[new]
    #[pyo3(signature = (given, size, end, longest, most, part, progress, /))]
    fn new(
        given: &Bound<'_, PyAny>,
        size: usize,
        end: Option<u8>,
        longest: usize,
        most: u64,
        part: Option<(u64, u64)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Pieces> {
        let (source, read) = match part {
            Some((start, end)) => (open_part(given, start..end)?, None),
            None => source(given, Some(most))?,
        };
        let chunks = Chunks::new(source, size, end, longest);
        Ok(Pieces { reading: Mutex::new(Some((chunks, read, Pulse::new(progress)))) })
    }

    fn __iter__(it: Bound<'_, Self>) -> Bound<'_, Self> {
        it
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Ok(mut reading) = self.reading.try_lock() else {
            let text =
                "these chunks are read already, by another thread or within their own `read`";
            return Err(PyRuntimeError::new_err(text));
        };
        let piece = reading.as_mut().map(|(chunks, _read, pulse)| next(py, chunks, pulse));
        let piece = piece.unwrap_or(Ok(None));
        if !matches!(piece, Ok(Some(_))) {
            *reading = None;
        }
        piece
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(reading) = self.reading.try_lock() else { return Ok(()) };
        let Some((_chunks, read, pulse)) = &*reading else { return Ok(()) };
        visit.call(read.as_deref())?;
        pulse.visit(&visit)
    }

    fn __clear__(&self) {
        let held = self.reading.try_lock().map(|mut reading| reading.take());
        drop(held);
    }
}

fn next<'py>(
    py: Python<'py>,
    chunks: &mut Chunks,
    pulse: &mut Pulse,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let Some(bytes) = pulse.scan(py, |watch| chunks.next(watch))? else {
        pulse.end(py)?;
        return Ok(None);
    };
    let copy = |place: &mut [u8]| {
        place.copy_from_slice(bytes);
        Ok(())
    };
    PyBytes::new_with(py, bytes.len(), copy).map(Some)
}

/// Where the parts of a file begin and end that are cut after a byte.
#[pyfunction]
#[pyo3(signature = (given, count, end, /))]
pub(crate) fn split_after(
    given: &Bound<'_, PyAny>,
    count: usize,
    end: u8,
) -> PyResult<Vec<(u64, u64)>> {
    let path = file(given)?;
    let parts = watched(given.py(), None, |watch| splits(&path, count, end, watch))?;
    Ok(parts.into_iter().map(|part| (part.start, part.end)).collect())
}

/// The same between records of CSV.
#[pyfunction]
#[pyo3(signature = (given, count, delimiter, quote, progress, /))]
pub(crate) fn split_records(
    given: &Bound<'_, PyAny>,
    count: usize,
    delimiter: u8,
    quote: u8,
    progress: Option<Py<PyAny>>,
) -> PyResult<Vec<(u64, u64)>> {
    let path = file(given)?;
    let dialect = Dialect::new(delimiter, quote).map_err(of_files)?;
    let parts = watched(given.py(), progress, |watch| csv::splits(&path, count, dialect, watch))?;
    Ok(parts.into_iter().map(|part| (part.start, part.end)).collect())
}
