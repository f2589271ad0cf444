//! Lines as `str` or `bytes`. They are given many at a time, so that a line costs little but its own object.

use std::ops::Range;
use std::sync::Mutex;

use deadweight_files::{Lines, Windows};
use pyo3::exceptions::{PyRuntimeError, PyUnicodeDecodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

use super::given::{part, source};
use super::watch::Pulse;

/// Longer ones may not fit into memory, which is an exception where shorter ones would be a panic.
const LONG: usize = 1 << 20;

/// The lines of one source, a list at a time.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct LineLists {
    /// `None` when it has ended.
    reading: Mutex<Option<Reading>>,
    text: Text,
    /// Whether lines are counted from the first of the file.
    numbered: bool,
}

struct Reading {
    lines: Lines,
    pulse: Pulse,
    found: Vec<Range<usize>>,
}

/// What a line is made into.
enum Text {
    Bytes,
    Utf8 { errors: String },
    Latin1,
    Other { decode: Py<PyAny>, errors: String },
}

#[pymethods]
impl LineLists {
    /// `encoding` is the name that `codecs.lookup` knows it by.
    #[new]
    #[pyo3(signature = (given, encoding, errors, ends, longest, most, bytes, progress, /))]
    #[expect(clippy::too_many_arguments, reason = "`lines` has as many")]
    fn new(
        given: &Bound<'_, PyAny>,
        encoding: Option<&str>,
        errors: String,
        ends: bool,
        longest: usize,
        most: u64,
        bytes: Option<(u64, u64)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<LineLists> {
        let text = match encoding {
            None => Text::Bytes,
            Some("utf-8") => Text::Utf8 { errors },
            Some("iso8859-1") => Text::Latin1,
            Some(name) => {
                let codec = given.py().import("codecs")?.call_method1("lookup", (name,))?;
                Text::Other { decode: codec.getattr("decode")?.unbind(), errors }
            }
        };
        let (source, numbered) = match bytes {
            Some((start, end)) => (part(given, start..end)?, start == 0),
            None => (source(given, Some(most))?, true),
        };
        let lines = Lines::new(Windows::new(source)).longest(longest).keep_ends(ends);
        let reading = Reading { lines, pulse: Pulse::new(progress), found: Vec::new() };
        Ok(LineLists { reading: Mutex::new(Some(reading)), text, numbered })
    }

    fn __iter__(it: Bound<'_, Self>) -> Bound<'_, Self> {
        it
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let Ok(mut reading) = self.reading.try_lock() else {
            let text = "these lines are read already, by another thread or within their own `read`";
            return Err(PyRuntimeError::new_err(text));
        };
        let list = reading.as_mut().map(|reading| self.next(py, reading));
        let list = list.unwrap_or(Ok(None));
        if !matches!(list, Ok(Some(_))) {
            *reading = None;
        }
        list
    }
}

impl LineLists {
    fn next<'py>(
        &self,
        py: Python<'py>,
        reading: &mut Reading,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        let Reading { lines, pulse, found } = reading;
        pulse.scan(py, |watch| lines.batch(found, watch))?;
        if found.is_empty() {
            return Ok(None);
        }
        let bytes = lines.windows().bytes();
        let made: PyResult<Vec<_>> = found
            .iter()
            .enumerate()
            .map(|(index, its)| {
                self.text.of(py, &bytes[its.clone()]).map_err(|error| {
                    let before = lines.given() - found.len() as u64 + index as u64;
                    self.placed(py, error, lines.windows(), its.start, before + 1)
                })
            })
            .collect();
        Ok(Some(PyList::new(py, made?)?))
    }

    /// Says where a line is that cannot be decoded, and what to do.
    fn placed(
        &self,
        py: Python<'_>,
        error: PyErr,
        windows: &Windows,
        start: usize,
        line: u64,
    ) -> PyErr {
        if !error.is_instance_of::<PyUnicodeDecodeError>(py) {
            return error;
        }
        let placed = || {
            let value = error.value(py);
            let (from, to) = (value.getattr("start")?, value.getattr("end")?);
            let offset = windows.offset() + start as u64 + from.extract::<u64>()?;
            let line = if self.numbered { format!("line {line}, ") } else { String::new() };
            let reason = format!(
                "{}, in {}, {line}byte {offset}. `errors=\"replace\"` goes on, `encoding=\"latin-1\"` takes any byte, \
                 `encoding=None` gives bytes",
                value.getattr("reason")?,
                windows.source().name(),
            );
            let (encoding, object) = (value.getattr("encoding")?, value.getattr("object")?);
            let arguments = (encoding, object, from, to, reason);
            py.get_type::<PyUnicodeDecodeError>().call1(arguments)
        };
        placed().map_or_else(|error| error, PyErr::from_value)
    }
}

impl Text {
    fn of<'py>(&self, py: Python<'py>, line: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Text::Bytes => bytes(py, line),
            Text::Utf8 { errors } => match PyString::from_bytes(py, line) {
                Ok(text) => Ok(text.into_any()),
                Err(error) if errors == "strict" => Err(error),
                Err(_) => bytes(py, line)?.call_method1("decode", ("utf-8", errors)),
            },
            Text::Latin1 if line.is_ascii() => Ok(PyString::from_bytes(py, line)?.into_any()),
            Text::Latin1 => {
                let text: String = line.iter().map(|byte| char::from(*byte)).collect();
                Ok(PyString::from_bytes(py, text.as_bytes())?.into_any())
            }
            Text::Other { decode, errors } => {
                decode.bind(py).call1((bytes(py, line)?, errors))?.get_item(0)
            }
        }
    }
}

fn bytes<'py>(py: Python<'py>, line: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if line.len() < LONG {
        return Ok(PyBytes::new(py, line).into_any());
    }
    let copy = |place: &mut [u8]| {
        place.copy_from_slice(line);
        Ok(())
    };
    Ok(PyBytes::new_with(py, line.len(), copy)?.into_any())
}
