//! A file as one sequence of bytes, and what is found in it. It is never mapped: all is read by position.

use std::sync::{Arc, Mutex, PoisonError};

use deadweight_files::search::{self, Match as Place, Pattern, Search};
use deadweight_files::{FilesError, Watch, Whole, Windows};
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PySlice, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use super::apart::gather;
use super::given::path as path_of;
use super::pattern::pattern as pattern_of;
use super::watch::{Pulse, watched};
use crate::errors::of_files;

/// So many places are kept before they become Python's.
const MANY: usize = 32 * 1024;

/// A file as bytes, made by `mapped`.
#[pyclass(frozen, sequence, module = "deadweight._core")]
pub(crate) struct Mapped {
    name: String,
    whole: Mutex<Option<Arc<Whole>>>,
}

/// Opens a file of any length as if it were `bytes`.
///
/// >>> import deadweight as dw
/// >>> with open("log", "wb") as file:
/// ...     _ = file.write(b"one ERROR, two ERRORs")
/// >>> with dw.mapped("log") as log:
/// ...     log.find(b"ERROR"), log.count(b"ERROR"), log.offsets(b"ERROR").tolist(), log[4:9], len(log)
/// (4, 2, [4, 15], b'ERROR', 21)
///
/// Nothing of it is mapped, whatever it is called: bytes are read when they are asked for, so that a file that becomes
/// shorter is an `OSError` that names the byte. What is appended later is not seen. A compressed file has the bytes that
/// it has.
///
/// Raises `OSError` if it cannot be opened, and `ValueError` if it has no length, as a pipe.
#[pyfunction]
#[pyo3(signature = (path, /))]
pub(crate) fn mapped(path: &Bound<'_, PyAny>) -> PyResult<Mapped> {
    let py = path.py();
    let Some(path) = path_of(path)? else {
        return Err(PyTypeError::new_err("only a file has places to look at: a path is wanted"));
    };
    let whole = py.detach(|| Whole::open(&path)).map_err(of_files)?;
    Ok(Mapped { name: whole.name().to_owned(), whole: Mutex::new(Some(Arc::new(whole))) })
}

impl Mapped {
    fn whole(&self) -> PyResult<Arc<Whole>> {
        let whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let closed = || PyValueError::new_err(format!("{} is closed", self.name));
        whole.clone().ok_or_else(closed)
    }

    /// A part, as a slice has it.
    fn windows<'py>(
        &self,
        py: Python<'py>,
        (start, end): (Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>),
    ) -> PyResult<Windows> {
        let whole = self.whole()?;
        let slice = py.get_type::<PySlice>().call1((start, end))?;
        let slice = slice.cast::<PySlice>()?.indices(whole.len() as isize)?;
        let start = slice.start as u64;
        whole.windows(start..start + slice.slicelength as u64).map_err(of_files)
    }

    fn part<'py>(
        &self,
        py: Python<'py>,
        start: isize,
        step: isize,
        count: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let whole = self.whole()?;
        gather(py, 1, (start, step), count, &|at, place| whole.read(at, place))
    }
}

#[pymethods]
impl Mapped {
    fn __len__(&self) -> PyResult<usize> {
        Ok(self.whole()?.len() as usize)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let whole = self.whole()?;
        let length = whole.len() as usize;
        if let Ok(slice) = key.cast::<PySlice>() {
            let slice = slice.indices(length as isize)?;
            return Ok(self.part(py, slice.start, slice.step, slice.slicelength)?.into_any());
        }
        let index: isize = key.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(py) {
                PyIndexError::new_err(format!("byte {key} of {length}"))
            } else {
                error
            }
        })?;
        let at = if index < 0 { index.checked_add_unsigned(length) } else { Some(index) };
        let at = at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < length);
        let at = at.ok_or_else(|| PyIndexError::new_err(format!("byte {index} of {length}")))?;
        let mut byte = [0];
        whole.read(at as u64, &mut byte).map_err(of_files)?;
        Ok(byte[0].into_pyobject(py)?.into_any())
    }

    fn __contains__(&self, wanted: &Bound<'_, PyAny>) -> PyResult<bool> {
        Ok(self.find(wanted, None, None, None)? >= 0)
    }

    /// Where something is first, or -1: bytes, the first of a list of them, or what `regex` made. What is outside of
    /// `start` and `end` is not looked at. `progress` is called now and then with the number of bytes that were read.
    #[pyo3(signature = (pattern, start = None, end = None, *, progress = None))]
    fn find(
        &self,
        pattern: &Bound<'_, PyAny>,
        start: Option<Bound<'_, PyAny>>,
        end: Option<Bound<'_, PyAny>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<i64> {
        let (py, pattern) = (pattern.py(), pattern_of(pattern, false)?);
        let mut windows = self.windows(py, (start, end))?;
        let first = watched(py, progress, |watch| search::find(&mut windows, &pattern, watch))?;
        Ok(first.map_or(-1, |first| first.start as i64))
    }

    /// How often something is there: as many as `finditer` gives.
    #[pyo3(signature = (pattern, start = None, end = None, *, overlapping = false, progress = None))]
    fn count(
        &self,
        pattern: &Bound<'_, PyAny>,
        start: Option<Bound<'_, PyAny>>,
        end: Option<Bound<'_, PyAny>>,
        overlapping: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        let (py, pattern) = (pattern.py(), pattern_of(pattern, overlapping)?);
        let mut windows = self.windows(py, (start, end))?;
        watched(py, progress, |watch| search::count(&mut windows, &pattern, watch))
    }

    /// Where something begins, as an array of numbers of 8 bytes: ``array.array("q")``, which NumPy takes as it is.
    #[pyo3(signature = (pattern, start = None, end = None, *, overlapping = false, progress = None))]
    fn offsets<'py>(
        &self,
        pattern: &Bound<'py, PyAny>,
        start: Option<Bound<'py, PyAny>>,
        end: Option<Bound<'py, PyAny>>,
        overlapping: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, pattern) = (pattern.py(), pattern_of(pattern, overlapping)?);
        let offsets = py.import("array")?.getattr("array")?.call1(("q",))?;
        let mut search = Search::new(self.windows(py, (start, end))?, pattern);
        let mut pulse = Pulse::new(progress);
        let mut found = Vec::new();
        while pulse.scan(py, |watch| some(&mut search, MANY, &mut found, watch))? {
            let bytes: Vec<u8> =
                found.drain(..).flat_map(|place| place.start.to_ne_bytes()).collect();
            offsets.call_method1(intern!(py, "frombytes"), (PyBytes::new(py, &bytes),))?;
        }
        pulse.end(py)?;
        Ok(offsets)
    }

    /// What is found, one after the other, as far as somebody asks. Matches do not overlap: after one, the search goes on
    /// behind it. With `overlapping`, it goes on at the next byte, and of several patterns all that begin at a byte are
    /// found.
    #[pyo3(signature = (pattern, start = None, end = None, *, overlapping = false, progress = None))]
    fn finditer(
        slf: &Bound<'_, Mapped>,
        pattern: &Bound<'_, PyAny>,
        start: Option<Bound<'_, PyAny>>,
        end: Option<Bound<'_, PyAny>>,
        overlapping: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Matches> {
        let pattern = pattern_of(pattern, overlapping)?;
        let search = Search::new(slf.get().windows(slf.py(), (start, end))?, pattern);
        let finding = Finding { search, pulse: Pulse::new(progress), found: Vec::new(), next: 0 };
        Ok(Matches { file: slf.clone().unbind(), finding: Mutex::new(Some(finding)) })
    }

    /// The bytes at each offset, `size` of them or up to the end of the file, one after the other.
    fn sections(
        slf: &Bound<'_, Mapped>,
        offsets: &Bound<'_, PyAny>,
        size: &Bound<'_, PyAny>,
    ) -> PyResult<Sections> {
        slf.get().whole()?;
        let size: usize = size.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(slf.py()) {
                PyValueError::new_err(format!("no section has {size} bytes"))
            } else {
                error
            }
        })?;
        let offsets = offsets.try_iter()?.unbind();
        Ok(Sections { file: slf.clone().unbind(), offsets, size })
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.whole().is_err()
    }

    /// Closes the file. What was found stays known, but not its bytes.
    fn close(&self) {
        *self.whole.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn __enter__(slf: Py<Mapped>) -> PyResult<Py<Mapped>> {
        slf.get().whole()?;
        Ok(slf)
    }

    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyTuple>) {
        self.close();
    }

    fn __repr__(&self) -> String {
        match self.whole() {
            Ok(whole) => format!("<Mapped {}: {} B>", self.name, whole.len()),
            Err(_) => format!("<Mapped {}: closed>", self.name),
        }
    }
}

/// Goes on with a search until at least so much was found. False if there was nothing more.
fn some(
    search: &mut Search<Windows, Arc<Pattern>>,
    many: usize,
    found: &mut Vec<Place>,
    watch: &mut Watch<'_>,
) -> Result<bool, FilesError> {
    while found.len() < many && search.more(found, watch)? {}
    Ok(!found.is_empty())
}

/// What is found, as long as there is more.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Matches {
    file: Py<Mapped>,
    /// `None` when it has ended.
    finding: Mutex<Option<Finding>>,
}

struct Finding {
    search: Search<Windows, Arc<Pattern>>,
    pulse: Pulse,
    found: Vec<Place>,
    /// The first of them that was not given yet.
    next: usize,
}

impl Finding {
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<Place>> {
        if self.next == self.found.len() {
            self.next = 0;
            self.found.clear();
            let Finding { search, pulse, found, .. } = self;
            if !pulse.scan(py, |watch| some(search, 1, found, watch))? {
                pulse.end(py)?;
            }
        }
        self.next += 1;
        Ok(self.found.get(self.next - 1).copied())
    }
}

#[pymethods]
impl Matches {
    fn __iter__(slf: Py<Matches>) -> Py<Matches> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Match>> {
        // The search lets go of the interpreter, so nobody may wait for it here.
        let Ok(mut finding) = self.finding.try_lock() else {
            let text = "these matches are looked for already, by another thread or by `progress`";
            return Err(PyRuntimeError::new_err(text));
        };
        if let Err(closed) = self.file.get().whole() {
            // It holds the file open, too.
            *finding = None;
            return Err(closed);
        }
        let place = finding.as_mut().map(|finding| finding.next(py));
        let place = place.unwrap_or(Ok(None));
        if !matches!(place, Ok(Some(_))) {
            *finding = None;
        }
        Ok(place?.map(|place| Match { file: self.file.clone_ref(py), place }))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(finding) = self.finding.try_lock() else { return Ok(()) };
        finding.as_ref().map_or(Ok(()), |finding| finding.pulse.visit(&visit))
    }

    fn __clear__(&self) {
        let Ok(mut finding) = self.finding.try_lock() else { return };
        let held = finding.take();
        drop(finding);
        drop(held);
    }
}

/// Something that was found.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Match {
    file: Py<Mapped>,
    place: Place,
}

#[pymethods]
impl Match {
    /// Its first byte.
    #[getter]
    fn start(&self) -> u64 {
        self.place.start
    }

    /// Behind its last byte.
    #[getter]
    fn end(&self) -> u64 {
        self.place.end
    }

    /// Which of several patterns it is, from 0; 0 of one.
    #[getter]
    fn pattern(&self) -> usize {
        self.place.pattern
    }

    /// Its bytes, which are read now.
    fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let count = (self.place.end - self.place.start) as usize;
        self.file.get().part(py, self.place.start as isize, 1, count)
    }

    fn __repr__(&self) -> String {
        let Place { start, end, pattern } = self.place;
        format!("<Match {start}:{end} of pattern {pattern}>")
    }
}

/// Bytes at one offset after the other.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Sections {
    file: Py<Mapped>,
    offsets: Py<PyIterator>,
    size: usize,
}

#[pymethods]
impl Sections {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.offsets)
    }

    fn __iter__(slf: Py<Sections>) -> Py<Sections> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let Some(offset) = self.offsets.bind(py).clone().next() else { return Ok(None) };
        let offset = offset?;
        let file = self.file.get();
        let length = file.whole()?.len();
        let at: Option<u64> = match offset.extract() {
            Ok(at) => Some(at),
            Err(error) if error.is_instance_of::<PyOverflowError>(py) => None,
            Err(error) => return Err(error),
        };
        let Some(at) = at.filter(|at| *at <= length) else {
            let text = format!("offset {offset} of {length} bytes in {}", file.name);
            return Err(PyIndexError::new_err(text));
        };
        let count = self.size.min((length - at) as usize);
        file.part(py, at as isize, 1, count).map(Some)
    }
}
