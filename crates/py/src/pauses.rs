//! Pauses of the garbage collector, as `gc.callbacks` tells of them.
//!
//! What is told of a collection is told while it still runs (`collecting` is set until the last callback has
//! returned), so that none begins within another.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

const GENERATIONS: usize = 3;
/// Nanoseconds that are told apart: percentiles are within 1 % between them.
const SHORTEST: u64 = 100;
const LONGEST: u64 = 3_600_000_000_000;

/// What was measured of one generation. Nanoseconds.
struct Generation {
    pauses: Histogram<u64>,
    total: u64,
    longest: u64,
    collected: u64,
    uncollectable: u64,
}

impl Generation {
    fn new() -> PyResult<Generation> {
        let pauses = Histogram::new_with_bounds(SHORTEST, LONGEST, 2)
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(Generation { pauses, total: 0, longest: 0, collected: 0, uncollectable: 0 })
    }

    fn quantile(&self, quantile: f64) -> u64 {
        self.pauses.value_at_quantile(quantile).min(self.longest)
    }

    /// How many pauses were no longer than each bound and longer than the one before; the last are longer than all.
    fn buckets(&self, bounds: &[u64]) -> Vec<u64> {
        let mut buckets = vec![0; bounds.len() + 1];
        for step in self.pauses.iter_recorded() {
            let value = step.value_iterated_to().min(self.longest);
            buckets[bounds.partition_point(|&bound| bound < value)] += step.count_at_value();
        }
        buckets
    }
}

/// Pauses that one thread ran the collections of. Nanoseconds.
#[derive(Clone, Copy, Default)]
struct Thread {
    count: u64,
    total: u64,
    longest: u64,
}

struct Measured {
    /// When the collection that runs began.
    began: Option<Instant>,
    generations: [Generation; GENERATIONS],
    threads: BTreeMap<u64, Thread>,
}

impl Measured {
    fn new() -> PyResult<Measured> {
        let generations = [Generation::new()?, Generation::new()?, Generation::new()?];
        Ok(Measured { began: None, generations, threads: BTreeMap::new() })
    }

    fn add(&mut self, pause: &Pause) {
        let Some(generation) = self.generations.get_mut(pause.generation) else { return };
        generation.pauses.saturating_record(pause.length);
        generation.total += pause.length;
        generation.longest = generation.longest.max(pause.length);
        // Another callback may have put any number there.
        generation.collected = generation.collected.saturating_add(pause.collected);
        generation.uncollectable = generation.uncollectable.saturating_add(pause.uncollectable);
        let thread = self.threads.entry(pause.thread).or_default();
        thread.count += 1;
        thread.total += pause.length;
        thread.longest = thread.longest.max(pause.length);
    }
}

struct Pause {
    generation: usize,
    length: u64,
    collected: u64,
    uncollectable: u64,
    thread: u64,
}

/// A callback for ``gc.callbacks`` that measures each pause, and calls ``slow`` of those over a limit.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Pauses {
    /// Held with the interpreter's lock, and no object is made meanwhile: that could begin a collection.
    measured: Mutex<Measured>,
    /// Nanoseconds: where the buckets of the histograms end.
    bounds: Vec<u64>,
    over: Option<u64>,
    slow: Option<Py<PyAny>>,
    get_ident: Py<PyAny>,
}

/// Of a generation: the count; p50, p99, the longest and the total; what was collected and what could not be; buckets.
type Row = (u64, [u64; 4], [u64; 2], Vec<u64>);

#[pymethods]
impl Pauses {
    #[new]
    #[pyo3(signature = (bounds, over, slow, /))]
    fn new(
        py: Python<'_>,
        bounds: Vec<u64>,
        over: Option<u64>,
        slow: Option<Py<PyAny>>,
    ) -> PyResult<Pauses> {
        let get_ident = py.import("_thread")?.getattr("get_ident")?.unbind();
        Ok(Pauses { measured: Mutex::new(Measured::new()?), bounds, over, slow, get_ident })
    }

    /// Never raises: who calls is the collector.
    fn __call__(&self, phase: &Bound<'_, PyAny>, info: &Bound<'_, PyAny>) {
        let now = Instant::now();
        let py = phase.py();
        let (Ok(phase), Ok(info)) = (phase.cast::<PyString>(), info.cast::<PyDict>()) else {
            return;
        };
        if phase == "start" {
            self.measured().began = Some(Instant::now());
        } else if phase == "stop" {
            self.ended(py, info, now);
        }
    }

    /// A row a generation.
    fn generations(&self) -> Vec<Row> {
        let measured = self.measured();
        let row = |generation: &Generation| {
            let Generation { pauses, total, longest, collected, uncollectable } = generation;
            let times = [generation.quantile(0.5), generation.quantile(0.99), *longest, *total];
            (pauses.len(), times, [*collected, *uncollectable], generation.buckets(&self.bounds))
        };
        measured.generations.iter().map(row).collect()
    }

    /// Thread, count, total and longest.
    fn threads(&self) -> Vec<(u64, u64, u64, u64)> {
        let measured = self.measured();
        let row =
            |(&ident, thread): (&u64, &Thread)| (ident, thread.count, thread.total, thread.longest);
        measured.threads.iter().map(row).collect()
    }

    /// Count and total of all.
    fn so_far(&self) -> (u64, u64) {
        let measured = self.measured();
        let count = measured.generations.iter().map(|generation| generation.pauses.len()).sum();
        (count, measured.generations.iter().map(|generation| generation.total).sum())
    }

    /// Forgets all.
    fn clear(&self) -> PyResult<()> {
        *self.measured() = Measured::new()?;
        Ok(())
    }

    /// Whether it is in the list. Others there may compare as they like: none is asked.
    fn is_in(slf: &Bound<'_, Self>, callbacks: &Bound<'_, PyList>) -> bool {
        callbacks.iter().any(|callback| callback.is(slf))
    }

    /// Takes it out of the list, if it is there.
    fn take_out_of(slf: &Bound<'_, Self>, callbacks: &Bound<'_, PyList>) -> PyResult<()> {
        // Of a collection that it is taken out in, it is not told the end.
        slf.get().measured().began = None;
        match callbacks.iter().position(|callback| callback.is(slf)) {
            Some(place) => callbacks.del_item(place),
            None => Ok(()),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.slow)
    }
}

impl Pauses {
    fn measured(&self) -> MutexGuard<'_, Measured> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, py: Python<'_>, info: &Bound<'_, PyDict>, now: Instant) {
        let Some(generation) = number(info, intern!(py, "generation")) else { return };
        let thread = self.get_ident.call0(py).and_then(|ident| ident.extract(py)).unwrap_or(0);
        let mut pause = Pause {
            generation: generation as usize,
            length: 0,
            collected: number(info, intern!(py, "collected")).unwrap_or(0),
            uncollectable: number(info, intern!(py, "uncollectable")).unwrap_or(0),
            thread,
        };
        {
            let mut measured = self.measured();
            // It was put in after this collection began.
            let Some(began) = measured.began.take() else { return };
            pause.length = nanoseconds(now.saturating_duration_since(began));
            measured.add(&pause);
        }
        let (Some(slow), Some(over)) = (&self.slow, self.over) else { return };
        if pause.length > over {
            let Pause { length, collected, uncollectable, .. } = pause;
            let told = (generation, length, collected, uncollectable, thread);
            if let Err(error) = slow.call1(py, told) {
                error.write_unraisable(py, Some(slow.bind(py)));
            }
        }
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Another callback may have changed what is told.
fn number(info: &Bound<'_, PyDict>, key: &Bound<'_, PyString>) -> Option<u64> {
    info.get_item(key).ok()??.extract().ok()
}

/// Tells `sys.unraisablehook` what a callback raised.
#[pyfunction]
#[pyo3(signature = (error, callback, /))]
pub(crate) fn unraisable(error: Bound<'_, PyAny>, callback: &Bound<'_, PyAny>) {
    PyErr::from_value(error).write_unraisable(callback.py(), Some(callback));
}
