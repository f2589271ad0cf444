//! `peak`: what Python's allocators gave out at most, and what is left of it.
//!
//! What is counted is what blocks hold, as their allocator rounds them: the small-block allocator's
//! size classes, and the C library's chunks with their header. That is known of any block when it is
//! freed, whoever made it and when.

mod counters;
mod hooks;
mod pools;
mod statement;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use deadweight_cpython::Memory;
use deadweight_heap::Addr;
use deadweight_process::Checked;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::errors::Unsupported;
use crate::own::{attach, with_memory};

/// One `with` that is open.
struct Window {
    number: u64,
    start: i64,
    peak: i64,
}

/// All that are open. Held with the interpreter's lock, and for no longer than it takes to look.
struct Windows {
    open: Vec<Window>,
    next: u64,
    /// Whether hooks of ours may be in.
    hooked: bool,
}

static WINDOWS: Mutex<Windows> = Mutex::new(Windows { open: Vec::new(), next: 0, hooked: false });

fn windows() -> MutexGuard<'static, Windows> {
    WINDOWS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was counted while a `with` was open.
#[derive(Clone, Copy)]
struct Counted {
    peak: i64,
    net: i64,
    rss: i64,
    complete: bool,
}

enum State {
    New,
    Open { number: u64, rss: i64 },
    Done(Counted),
}

/// Counts while its `with` is open.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Peak {
    state: Mutex<State>,
}

#[pymethods]
impl Peak {
    #[new]
    fn new() -> Peak {
        Peak { state: Mutex::new(State::New) }
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let py = slf.py();
        {
            let mut state = slf.get().state();
            if matches!(*state, State::Open { .. }) {
                let text = "this peak is open already: use another one inside";
                return Err(PyRuntimeError::new_err(text));
            }
            let passing = statement::passing(&slf)?;
            let rss = resident();
            *state = State::Open { number: open(py, passing)?, rss };
        }
        Ok(slf)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) {
        self.close();
    }

    /// Whether the `with` is open: the counts are those so far.
    #[getter]
    fn is_open(&self) -> bool {
        matches!(*self.state(), State::Open { .. })
    }

    /// The most bytes more than at the beginning.
    #[getter]
    fn peak(&self) -> PyResult<i64> {
        Ok(self.counted()?.peak)
    }

    /// Bytes more at the end than at the beginning.
    #[getter]
    fn net(&self) -> PyResult<i64> {
        Ok(self.counted()?.net)
    }

    /// Bytes of the process resident more at the end than at the beginning.
    #[getter]
    fn rss(&self) -> PyResult<i64> {
        Ok(self.counted()?.rss)
    }

    /// Plain data, as ``json`` takes it.
    fn to_dict(&self) -> PyResult<BTreeMap<&'static str, i64>> {
        let counted = self.counted()?;
        Ok([("peak", counted.peak), ("net", counted.net), ("rss", counted.rss)].into())
    }

    fn __repr__(&self) -> PyResult<String> {
        if matches!(*self.state(), State::New) {
            return Ok("Peak()".to_owned());
        }
        let Counted { peak, net, rss, .. } = self.counted()?;
        Ok(format!("Peak(peak={peak}, net={net}, rss={rss})"))
    }

    fn _repr_html_<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        if matches!(*self.state(), State::New) {
            return Ok(None);
        }
        let Counted { peak, net, rss, .. } = self.counted()?;
        py.import("deadweight._ipython")?.call_method1("peak_table", (peak, net, rss)).map(Some)
    }
}

impl Peak {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        let mut state = self.state();
        if let State::Open { number, rss } = *state {
            *state = State::Done(close(number, rss));
        }
    }

    fn counted(&self) -> PyResult<Counted> {
        let counted = match *self.state() {
            State::New => {
                return Err(PyRuntimeError::new_err("nothing was counted yet: use `with`"));
            }
            State::Open { number, rss } => so_far(number, rss),
            State::Done(counted) => counted,
        };
        if counted.complete {
            return Ok(counted);
        }
        Err(PyRuntimeError::new_err(
            "something else changed the allocators' hooks meanwhile (tracemalloc.stop, or another tool's \
             end), so that not all was counted. Start and stop it outside of `with peak()`",
        ))
    }
}

impl Drop for Peak {
    /// A generator that was never gone through to its end may leave its `with` open.
    fn drop(&mut self) {
        self.close();
    }
}

/// Begins to count, without `passing` bytes that go next. The last it does is to note where it began.
fn open(py: Python<'_>, passing: i64) -> PyResult<u64> {
    let mut windows = windows();
    if windows.open.is_empty() {
        hook(py, &mut windows)?;
    }
    settle(&mut windows);
    let number = windows.next;
    windows.next += 1;
    windows.open.reserve(1);
    let start = counters::total() - passing;
    counters::begin_lower(passing);
    windows.open.push(Window { number, start, peak: start });
    Ok(number)
}

fn hook(py: Python<'_>, windows: &mut Windows) -> PyResult<()> {
    let small = with_memory(py, |own, memory, checked| own.scale.small_blocks(memory, checked))?;
    let Some(small) = small else {
        return Err(Unsupported::new_err(
            "peak counts what the interpreter's own small-block allocator gives out, and this program \
             does not use it (PYTHONMALLOC=malloc or mimalloc)",
        ));
    };
    if small.interpreters > 1 {
        let text = "peak cannot count while there are subinterpreters: they may allocate at once";
        return Err(Unsupported::new_err(text));
    }
    if !windows.hooked {
        let checked = Checked::default();
        pools::clear();
        counters::set_blocks(small.lead, has_chunks(&checked, small.lead));
    }
    for &(start, size) in &small.arenas {
        pools::mark(start.0 as usize, size as usize, true);
    }
    // SAFETY: `py` shows that the lock is held.
    let all = unsafe {
        hooks::put_in();
        hooks::all_count()
    };
    windows.hooked = true;
    if !all {
        unhook(windows);
        let text =
            "peak cannot count the blocks of this program's allocators: they are none that we know";
        return Err(Unsupported::new_err(text));
    }
    Ok(())
}

fn unhook(windows: &mut Windows) {
    // SAFETY: windows are opened, closed and dropped with the lock held.
    windows.hooked = unsafe { !hooks::take_out() };
}

/// Whether blocks of the C library have their size before them, as glibc's do.
fn has_chunks(memory: &Checked, lead: u64) -> bool {
    let is_chunk = |size: u64| {
        let look = |at: usize| memory.word(Addr(at as u64) - lead - 8);
        // SAFETY: this is called with the lock held.
        let word = unsafe { hooks::with_block(size as usize, look) }.flatten().unwrap_or(0) & !7;
        (size + lead..size + lead + 8192).contains(&word)
    };
    // None so large that the C library asks the system for it, and learns to do otherwise when it is freed.
    [24, 1000, 50_000, 100_000].into_iter().all(is_chunk)
}

/// Notes what was reached so far with those that are open, and begins anew.
fn settle(windows: &mut Windows) {
    let peak = counters::take_peak();
    for window in &mut windows.open {
        window.peak = window.peak.max(peak);
    }
}

fn so_far(number: u64, rss: i64) -> Counted {
    let total = counters::total();
    let mut windows = windows();
    settle(&mut windows);
    let rss = resident() - rss;
    // SAFETY: the caller is called by the interpreter.
    let complete = unsafe { hooks::all_count() };
    let window = windows.open.iter().find(|window| window.number == number);
    let counted = |window: &Window| (window.peak.max(total) - window.start, total - window.start);
    let (peak, net) = window.map_or((0, 0), counted);
    // What was asked for just now is not the program's.
    counters::take_peak();
    Counted { peak, net, rss, complete }
}

fn close(number: u64, rss: i64) -> Counted {
    let counted = so_far(number, rss);
    let mut windows = windows();
    windows.open.retain(|window| window.number != number);
    if windows.open.is_empty() {
        unhook(&mut windows);
    }
    counted
}

/// Resident bytes of this process.
fn resident() -> i64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<i64>().ok());
    pages.unwrap_or(0) * 4096
}

/// Counts what Python's allocators give out while its ``with`` is open: ``peak``, ``net`` and ``rss``.
///
/// Memory that native code has from elsewhere, such as Arrow's columns and the buffers of NumPy before 2.5, is
/// not among ``peak`` and ``net``: ``rss``, how much more of the process is resident at the end, shows it too.
#[pyfunction]
pub(crate) fn peak(py: Python<'_>) -> PyResult<Peak> {
    attach(py)?;
    Ok(Peak::new())
}
