//! Records of JSON as Python objects: of those that are asked for, what is asked for, and nothing else.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::vec;

use deadweight_files::json::{
    Asked, BadRecord, Literal, OnBad, Path, Query, Reader, Records, Tally,
};
use deadweight_files::{Lines, Windows};
use pyo3::exceptions::{PyException, PyMemoryError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::given::{Read, open_part, source};
use super::watch::Pulse;
use crate::errors::of_files;

/// A value of a condition.
struct Value(Literal);

impl<'py> FromPyObject<'_, 'py> for Value {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Value> {
        if value.is_none() {
            Ok(Value(Literal::Null))
        } else if let Ok(bool) = value.cast::<PyBool>() {
            Ok(Value(Literal::Bool(bool.is_true())))
        } else if value.is_instance_of::<PyInt>() {
            Ok(Value(Literal::Int(value.str()?.to_string())))
        } else if value.is_instance_of::<PyFloat>() {
            Ok(Value(Literal::Float(value.extract()?)))
        } else {
            Ok(Value(Literal::Text(value.extract()?)))
        }
    }
}

/// What is asked of each record.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct JsonQuery {
    query: Query,
    select: Option<usize>,
}

#[pymethods]
impl JsonQuery {
    /// Steps of conditions, each a path and the values that may be there; and the paths that are selected.
    #[new]
    #[pyo3(signature = (steps, select, /))]
    fn new(steps: Vec<Vec<(Path, Vec<Value>)>>, select: Option<Vec<Path>>) -> JsonQuery {
        let plain = |(path, values): (Path, Vec<Value>)| -> Asked {
            (path, values.into_iter().map(|value| value.0).collect())
        };
        let steps = steps.into_iter().map(|step| step.into_iter().map(plain).collect()).collect();
        let query = Query::new(steps, select.as_deref().unwrap_or_default());
        JsonQuery { query, select: select.map(|paths| paths.len()) }
    }

    /// How many steps a text meets, and what is selected of it if that is all of them. `None` for a blank one.
    fn of<'py>(
        &self,
        text: &Bound<'py, PyAny>,
    ) -> PyResult<Option<(usize, Option<Bound<'py, PyAny>>)>> {
        let py = text.py();
        let line = if let Ok(bytes) = text.cast::<PyBytes>() {
            bytes.as_bytes()
        } else if let Ok(text) = text.cast::<PyString>() {
            text.to_str()?.as_bytes()
        } else {
            let kind = text.get_type().fully_qualified_name()?;
            return Err(PyTypeError::new_err(format!("JSON is str or bytes, not {kind}")));
        };
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let mut reader = Reader::new(self.query.clone());
        reader.look(line);
        let met = reader
            .read(line, &(0..line.len()))
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        if met < self.query.steps() {
            return Ok(Some((met, None)));
        }
        let values = reader.selected().map(|place| place.map(|place| &line[place]));
        Ok(Some((met, Some(Loads::new(py)?.record(py, line, self.select, values)?))))
    }
}

/// The records of sources that meet a query, one after the other.
#[pyclass(frozen, weakref, module = "deadweight._core")]
pub(crate) struct JsonIterator {
    /// Locked while a record is sought, of which a `read` of the user's may be a part.
    all: Mutex<All>,
}

struct All {
    sources: vec::IntoIter<Py<PyAny>>,
    reading: Option<Reading>,
    loads: Loads,
    query: Query,
    select: Option<usize>,
    longest: usize,
    most: u64,
    part: Option<(u64, u64)>,
    progress: Option<Py<PyAny>>,
    /// How many bad records are kept; if it is `None`, one is an error.
    keep: Option<usize>,
    counts: Py<JsonCounts>,
}

/// What an iteration has passed: it holds no source, and never waits for one.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct JsonCounts(Mutex<Counted>);

struct Counted {
    /// Of the sources that have ended.
    before: Tally,
    /// Of the one that is read.
    now: Tally,
    bad: Vec<(String, BadRecord)>,
    /// How many of these are of the source that is read.
    told: usize,
}

/// A source that is open.
struct Reading {
    records: Records,
    read: Read,
    pulse: Pulse,
    /// How many of those in memory were given.
    given: usize,
}

/// The source of a record, its line, where lines are counted, its first byte, and how it begins.
pub(super) type Place<'py> = (String, Option<u64>, u64, Bound<'py, PyBytes>);

/// How much of a record is shown where something is wrong with it.
pub(super) const SAMPLE: usize = 100;

#[pymethods]
impl JsonIterator {
    #[new]
    #[pyo3(signature = (sources, longest, most, part, progress, query, keep, /))]
    #[expect(clippy::too_many_arguments, reason = "`lines` has as many")]
    fn new(
        py: Python<'_>,
        sources: Vec<Py<PyAny>>,
        longest: usize,
        most: u64,
        part: Option<(u64, u64)>,
        progress: Option<Py<PyAny>>,
        query: &JsonQuery,
        keep: Option<usize>,
    ) -> PyResult<JsonIterator> {
        let before = Tally { met: vec![0; query.query.steps()], ..Tally::default() };
        let counted = Counted { before, now: Tally::default(), bad: Vec::new(), told: 0 };
        let all = All {
            sources: sources.into_iter(),
            reading: None,
            loads: Loads::new(py)?,
            query: query.query.clone(),
            select: query.select,
            longest,
            most,
            part,
            progress,
            keep,
            counts: Py::new(py, JsonCounts(Mutex::new(counted)))?,
        };
        Ok(JsonIterator { all: Mutex::new(all) })
    }

    fn __iter__(it: Bound<'_, Self>) -> Bound<'_, Self> {
        it
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut all = self.all()?;
        let record = all.next(py);
        if record.is_err() {
            all.close();
            all.sources = Vec::new().into_iter();
        }
        record
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
        visit.call(&all.loads.0)?;
        visit.call(&all.progress)
    }

    fn __clear__(&self) {
        let Ok(mut all) = self.all.try_lock() else { return };
        let sources = mem::replace(&mut all.sources, Vec::new().into_iter());
        let held = (sources, all.reading.take(), all.progress.take());
        drop(all);
        drop(held);
    }

    /// Where the record is that was given last.
    fn place<'py>(&self, py: Python<'py>) -> PyResult<Option<Place<'py>>> {
        let all = self.all()?;
        let reading = all.reading.as_ref().filter(|reading| reading.given > 0);
        Ok(reading.map(|Reading { records, given, .. }| {
            let (line, offset) = records.place(given - 1);
            let text = records.line(given - 1);
            let sample = PyBytes::new(py, &text[..text.len().min(SAMPLE)]);
            (records.name().to_owned(), line, offset, sample)
        }))
    }

    /// What was passed so far.
    fn counts(&self, py: Python<'_>) -> PyResult<Py<JsonCounts>> {
        Ok(self.all()?.counts.clone_ref(py))
    }
}

#[pymethods]
impl JsonCounts {
    /// How many records there were, how many of them were bad, and how many met each step.
    fn tally(&self) -> (u64, u64, Vec<u64>) {
        let counted = self.counted();
        let mut tally = counted.before.clone();
        tally.add(&counted.now);
        (tally.taken, tally.bad, tally.met)
    }

    /// The bad records that were kept: where they are and how they begin, and what is wrong with them.
    fn bad<'py>(&self, py: Python<'py>) -> Vec<(Place<'py>, String)> {
        let bad = self.counted().bad.clone();
        let told = |(name, bad): (String, BadRecord)| {
            ((name, bad.line, bad.offset, PyBytes::new(py, &bad.sample)), bad.reason)
        };
        bad.into_iter().map(told).collect()
    }
}

impl JsonCounts {
    /// Nothing waits while it is locked.
    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, records: &Records) {
        let mut counted = self.counted();
        counted.now = records.tally().clone();
        let first = counted.bad.len() - counted.told;
        // One of which nothing could be made comes behind the bad ones that were in memory with it.
        for bad in &records.bad()[counted.told..] {
            let its = &counted.bad[first..];
            let place = first + its.partition_point(|(_, other)| other.offset < bad.offset);
            counted.bad.insert(place, (records.name().to_owned(), bad.clone()));
        }
        counted.told = records.bad().len();
    }

    fn next_source(&self) {
        let mut counted = self.counted();
        let now = mem::take(&mut counted.now);
        counted.before.add(&now);
        counted.told = 0;
    }
}

impl JsonIterator {
    fn all(&self) -> PyResult<MutexGuard<'_, All>> {
        self.all.try_lock().map_err(|_| {
            let text =
                "these records are read already, by another thread or within their own `read`";
            PyRuntimeError::new_err(text)
        })
    }
}

impl All {
    fn next<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        loop {
            if let Some(Reading { records, pulse, given, .. }) = &mut self.reading {
                if *given == records.len() {
                    *given = 0;
                    let advanced = pulse.scan(py, |watch| records.advance(watch));
                    self.counts.get().tell(records);
                    if !advanced? {
                        pulse.end(py)?;
                        self.close();
                        continue;
                    }
                }
                let index = *given;
                *given += 1;
                let (line, values) = (records.line(index), records.values(index));
                let error = match self.loads.record(py, line, self.select, values) {
                    Ok(record) => return Ok(Some(record)),
                    Err(error) if is_of_record(py, &error) => error,
                    Err(error) => return Err(error),
                };
                let reason = format!("{}: {}", error.get_type(py).name()?, error.value(py));
                let refused = records.refuse(index, reason);
                self.counts.get().tell(records);
                refused.map_err(|refused| {
                    let refused = of_files(refused);
                    refused.set_cause(py, Some(error));
                    refused
                })?;
                continue;
            }
            let Some(source) = self.sources.next() else { return Ok(None) };
            self.reading = Some(self.open(source.bind(py))?);
        }
    }

    fn open(&self, given: &Bound<'_, PyAny>) -> PyResult<Reading> {
        let (source, read) = match self.part {
            Some((start, end)) => (open_part(given, start..end)?, None),
            None => source(given, Some(self.most))?,
        };
        let lines = Lines::new(Windows::new(source)).longest(self.longest);
        let left =
            |keep: usize| OnBad::Skip(keep.saturating_sub(self.counts.get().counted().bad.len()));
        let on_bad = self.keep.map_or(OnBad::Fail, left);
        let records = Records::new(lines, self.query.clone(), on_bad);
        let progress = self.progress.as_ref().map(|progress| progress.clone_ref(given.py()));
        Ok(Reading { records, read, pulse: Pulse::new(progress), given: 0 })
    }

    fn close(&mut self) {
        self.reading = None;
        self.counts.get().next_source();
    }
}

/// JSON has no bounds, but Python has: on the digits of integers, and on how deeply things are nested.
fn is_of_record(py: Python<'_>, error: &PyErr) -> bool {
    error.is_instance_of::<PyException>(py) && !error.is_instance_of::<PyMemoryError>(py)
}

/// What makes objects of JSON that is known to be valid: Python's own `json` of all that is not plain.
struct Loads(Py<PyAny>);

impl Loads {
    fn new(py: Python<'_>) -> PyResult<Loads> {
        Ok(Loads(py.import("json")?.getattr("loads")?.unbind()))
    }

    /// All of a line, or what is selected: one value as it is, several as a tuple.
    fn record<'py, 'a>(
        &self,
        py: Python<'py>,
        line: &[u8],
        select: Option<usize>,
        mut values: impl Iterator<Item = Option<&'a [u8]>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match select {
            None => self.value(py, Some(line)),
            Some(1) => self.value(py, values.next().flatten()),
            Some(_) => {
                let values: PyResult<Vec<_>> = values.map(|value| self.value(py, value)).collect();
                Ok(PyTuple::new(py, values?)?.into_any())
            }
        }
    }

    fn value<'py>(&self, py: Python<'py>, json: Option<&[u8]>) -> PyResult<Bound<'py, PyAny>> {
        let Some(json) = json else { return Ok(py.None().into_bound(py)) };
        match json {
            b"null" => return Ok(py.None().into_bound(py)),
            b"true" | b"false" => {
                return Ok(PyBool::new(py, json == b"true").to_owned().into_any());
            }
            [b'"', inside @ .., b'"'] if !inside.contains(&b'\\') => {
                return Ok(PyString::from_bytes(py, inside)?.into_any());
            }
            [b'-' | b'0'..=b'9', ..] => {
                let int = str::from_utf8(json).ok().and_then(|digits| digits.parse::<i64>().ok());
                if let Some(int) = int {
                    return Ok(int.into_pyobject(py)?.into_any());
                }
            }
            _ => {}
        }
        self.0.bind(py).call1((PyString::from_bytes(py, json)?,))
    }
}
