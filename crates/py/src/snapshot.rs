//! Where heaps come from: this process, another one, a file.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use deadweight_heap::Capture;
use deadweight_heap::snapshot::read as read_snapshot;
use deadweight_process::{
    Frozen, Limits, LiveCopy, ReadOptions, decode, freeze, look_first, memory_available, read,
};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::errors::{of_file, of_process, of_read, of_snapshot};
use crate::heap::Heap;
use crate::own::{address, attach};

/// A heap of this process.
#[pyfunction]
pub(crate) fn snapshot(py: Python<'_>, values: bool) -> PyResult<Heap> {
    let begun = Instant::now();
    let (capture, method) = capture(py, values)?;
    Ok(Heap::new(capture, Some(method), begun))
}

/// This process as it is now, and how it was read.
pub(crate) fn capture(py: Python<'_>, values: bool) -> PyResult<(Capture, String)> {
    attach(py)?;
    let options = ReadOptions { values, ..ReadOptions::default() };
    let (copy, method) = copy(py, &options)?;
    let capture = py.detach(move || decode(&copy, &options)).map_err(|error| of_read(&error))?;
    Ok((capture, method))
}

/// A copy of our memory: of a clone that stands still, or, where there can be none, of ourselves with
/// the interpreter's lock held all the while.
fn copy(py: Python<'_>, options: &ReadOptions) -> PyResult<(LiveCopy, String)> {
    let unclonable =
        py.detach(|| look_first(&options.limits)).map_err(|error| of_process(&error))?;
    match freeze(unclonable) {
        Ok(frozen) => {
            let copied = py.detach(|| Frozen::copy(frozen, &options.limits));
            match copied {
                Ok(copy) => Ok((copy, "clone".to_owned())),
                Err(error) => in_place(options, &error.to_string()),
            }
        }
        Err(error) => in_place(options, &error.to_string()),
    }
}

fn in_place(options: &ReadOptions, why: &str) -> PyResult<(LiveCopy, String)> {
    let copy = LiveCopy::of_ourselves(&options.limits).map_err(|error| of_process(&error))?;
    Ok((copy, format!("in place, for there could be no clone: {why}")))
}

/// A heap of another process.
#[pyfunction]
pub(crate) fn snapshot_of(
    py: Python<'_>,
    pid: u32,
    values: bool,
    max_pause: Option<Duration>,
) -> PyResult<Heap> {
    let options = ReadOptions { limits: Limits { max_pause, max_copy: None }, values };
    let begun = Instant::now();
    let capture = py.detach(|| read(pid, &options, |_| {})).map_err(|error| of_read(&error))?;
    Ok(Heap::new(capture, None, begun))
}

/// A heap that was saved.
#[pyfunction]
pub(crate) fn load(py: Python<'_>, path: PathBuf) -> PyResult<Heap> {
    py.detach(move || {
        let begun = Instant::now();
        let file = File::open(&path).map_err(|error| of_file(&path, &error))?;
        let read = read_snapshot(BufReader::new(file), memory_available());
        read.map(|capture| Heap::new(capture, None, begun))
            .map_err(|error| of_snapshot(&path, &error))
    })
}

/// What holds an object, by name. ``values`` keeps short ``str`` keys of dicts as names.
// A function of C code: a frame of Python code would hold the object itself.
#[pyfunction]
#[pyo3(signature = (object, /, *, values = false))]
pub(crate) fn why<'py>(object: &Bound<'py, PyAny>, values: bool) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let heap = snapshot(py, values)?;
    let query = address(object).to_string();
    // A copy of our own, or asking it for UTF-8 would leave that on the object. One with halves of surrogate
    // pairs names nothing.
    let text = object.cast::<PyString>().ok().and_then(|text| text.encode_utf8().ok());
    let text = text.as_ref().and_then(|utf8| std::str::from_utf8(utf8.as_bytes()).ok());
    let answers = py.import("deadweight._heap")?;
    answers.getattr("why_object")?.call1((heap, query, text))
}
