//! Lines as `str` or `bytes`, one by one out of many that were found at once.

use std::mem;
use std::ops::Range;
use std::sync::Mutex;
use std::vec;

use deadweight_files::{Lines, Windows};
use pyo3::exceptions::{PyRuntimeError, PyUnicodeDecodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyo3::{PyTraverseError, PyVisit};

use super::given::{Read, open_part, source};
use super::json::{Place, SAMPLE};
use super::watch::Pulse;

/// Longer ones may not fit into memory, which is an exception where shorter ones would be a panic.
const LONG: usize = 1 << 20;

/// The lines of sources, one after the other.
#[pyclass(frozen, weakref, module = "deadweight._core")]
pub(crate) struct LineIterator {
    /// Locked while a line is sought, of which a `read` of the user's may be a part.
    all: Mutex<All>,
}

struct All {
    sources: vec::IntoIter<Py<PyAny>>,
    reading: Option<Reading>,
    text: Text,
    ends: bool,
    longest: usize,
    most: u64,
    part: Option<(u64, u64)>,
    progress: Option<Py<PyAny>>,
}

/// A source that is open.
struct Reading {
    lines: Lines,
    read: Read,
    pulse: Pulse,
    /// Where lines are that were found, and how many of these were given.
    found: Vec<Range<usize>>,
    given: usize,
    /// Whether lines are counted from the first of the file.
    numbered: bool,
}

/// What a line is made into.
enum Text {
    Bytes,
    Utf8 { errors: String },
    Latin1,
    Other { decode: Py<PyAny>, errors: String },
}

#[pymethods]
impl LineIterator {
    /// `encoding` is the name that `codecs.lookup` knows it by.
    #[new]
    #[pyo3(signature = (sources, encoding, errors, ends, longest, most, part, progress, /))]
    #[expect(clippy::too_many_arguments, reason = "`lines` has as many")]
    fn new(
        py: Python<'_>,
        sources: Vec<Py<PyAny>>,
        encoding: Option<&str>,
        errors: String,
        ends: bool,
        longest: usize,
        most: u64,
        part: Option<(u64, u64)>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<LineIterator> {
        let text = match encoding {
            None => Text::Bytes,
            Some("utf-8") => Text::Utf8 { errors },
            Some("iso8859-1") => Text::Latin1,
            Some(name) => {
                let codec = py.import("codecs")?.call_method1("lookup", (name,))?;
                Text::Other { decode: codec.getattr("decode")?.unbind(), errors }
            }
        };
        let sources = sources.into_iter();
        let reading = None;
        let all = All { sources, reading, text, ends, longest, most, part, progress };
        Ok(LineIterator { all: Mutex::new(all) })
    }

    fn __iter__(it: Bound<'_, Self>) -> Bound<'_, Self> {
        it
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Ok(mut all) = self.all.try_lock() else { return Err(in_use()) };
        let line = all.next(py);
        if line.is_err() {
            all.reading = None;
            all.sources = Vec::new().into_iter();
        }
        line
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(all) = self.all.try_lock() else { return Ok(()) };
        for source in all.sources.as_slice() {
            visit.call(source)?;
        }
        if let Some(Reading { read, pulse, .. }) = &all.reading {
            visit.call(read.as_deref())?;
            pulse.visit(&visit)?;
        }
        if let Text::Other { decode, .. } = &all.text {
            visit.call(decode)?;
        }
        visit.call(&all.progress)
    }

    fn __clear__(&self) {
        let Ok(mut all) = self.all.try_lock() else { return };
        let sources = mem::replace(&mut all.sources, Vec::new().into_iter());
        let held = (sources, all.reading.take(), all.progress.take());
        drop(all);
        drop(held);
    }

    /// Where the line is that was given last.
    fn place<'py>(&self, py: Python<'py>) -> PyResult<Option<Place<'py>>> {
        let Ok(all) = self.all.try_lock() else { return Err(in_use()) };
        let Some(Reading { lines, found, given, numbered, .. }) = &all.reading else {
            return Ok(None);
        };
        let Some(its) = given.checked_sub(1).map(|last| found[last].clone()) else {
            return Ok(None);
        };
        let (windows, number) = (lines.windows(), lines.given() - (found.len() - given) as u64);
        let offset = windows.offset() + its.start as u64;
        let text = &windows.bytes()[its];
        let sample = PyBytes::new(py, &text[..text.len().min(SAMPLE)]);
        Ok(Some((windows.source().name().to_owned(), numbered.then_some(number), offset, sample)))
    }
}

fn in_use() -> PyErr {
    let text = "these lines are read already, by another thread or within their own `read`";
    PyRuntimeError::new_err(text)
}

impl All {
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if let Some(reading) = &mut self.reading {
                if let Some(line) = reading.next(py, &self.text)? {
                    return Ok(Some(line));
                }
                self.reading = None;
            }
            let Some(given) = self.sources.next() else { return Ok(None) };
            self.reading = Some(self.open(given.bind(py))?);
        }
    }

    fn open(&self, given: &Bound<'_, PyAny>) -> PyResult<Reading> {
        let ((source, read), numbered) = match self.part {
            Some((start, end)) => ((open_part(given, start..end)?, None), start == 0),
            None => (source(given, Some(self.most))?, true),
        };
        let lines = Lines::new(Windows::new(source)).longest(self.longest).keep_ends(self.ends);
        let progress = self.progress.as_ref().map(|progress| progress.clone_ref(given.py()));
        let pulse = Pulse::new(progress);
        Ok(Reading { lines, read, pulse, found: Vec::new(), given: 0, numbered })
    }
}

impl Reading {
    fn next<'py>(&mut self, py: Python<'py>, text: &Text) -> PyResult<Option<Bound<'py, PyAny>>> {
        if self.given == self.found.len() {
            self.given = 0;
            let (lines, found) = (&mut self.lines, &mut self.found);
            self.pulse.scan(py, |watch| lines.batch(found, watch))?;
        }
        let Some(its) = self.found.get(self.given) else {
            self.pulse.end(py)?;
            return Ok(None);
        };
        self.given += 1;
        let line = text.of(py, &self.lines.windows().bytes()[its.clone()]);
        line.map(Some).map_err(|error| self.placed(py, error, its.start))
    }

    /// Says where the line is that was given last and cannot be decoded, and what to do.
    fn placed(&self, py: Python<'_>, error: PyErr, start: usize) -> PyErr {
        if !error.is_instance_of::<PyUnicodeDecodeError>(py) {
            return error;
        }
        let windows = self.lines.windows();
        let placed = || {
            let value = error.value(py);
            let (from, to) = (value.getattr("start")?, value.getattr("end")?);
            let offset = windows.offset() + start as u64 + from.extract::<u64>()?;
            let number = self.lines.given() - (self.found.len() - self.given) as u64;
            let line = if self.numbered { format!("line {number}, ") } else { String::new() };
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
