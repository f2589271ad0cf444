//! A file of numbers as a sequence, and as a buffer over the mapped file.
//!
//! Whatever is asked of the sequence is read and written by position, so that a file that was cut short is an error.
//! Only buffers are mapped.

use std::ffi::{CString, c_int};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use deadweight_files::vector::{self as files, Number};
use memmap2::{MmapOptions, MmapRaw};
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{
    PyBufferError, PyIndexError, PyMemoryError, PyOverflowError, PyResourceWarning, PyTypeError,
    PyValueError,
};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyMemoryView, PySlice, PyType};

use super::anonymous::is_anonymous;
use super::apart::{BLOCK, PIECE, gather, pause};
use super::given::path as path_of;
use super::numbers::{format, give, holds, named, take};
use super::users::{User, Users};
use super::watch::watched;
use crate::errors::{of_file, of_files};

/// So many values are taken or written between two looks at whether a signal came.
const MANY: usize = 4096;
/// What is sooner copied than told from a mapped file.
const SMALL: usize = 1 << 20;

/// Numbers of one type in a file of fixed length, which others may have open too.
///
/// >>> import deadweight as dw
/// >>> with dw.Vector.create("squares.u4", "u4", 10) as squares:
/// ...     squares[3] = 9
/// ...     squares[4:6] = [16, 25]
/// >>> with dw.Vector.open("squares.u4") as squares:
/// ...     squares[5], sum(squares), len(squares)
/// (25, 50, 10)
#[pyclass(frozen, sequence, module = "deadweight._core")]
pub(crate) struct Vector {
    name: String,
    number: Number,
    open: Mutex<Option<Open>>,
    /// Counts what was written, for iterations that have read ahead.
    writes: AtomicU64,
}

struct Open {
    vector: Arc<files::Vector>,
    map: Option<Arc<MmapRaw>>,
    users: Users,
}

/// What goes with a buffer that is in use.
struct Lent {
    /// How many values, and how many bytes each.
    extent: [isize; 2],
    #[expect(dead_code, reason = "what the buffer is of")]
    map: Arc<MmapRaw>,
    #[expect(dead_code, reason = "counts as long as it is there")]
    user: User,
}

impl Open {
    fn of(vector: files::Vector) -> Vector {
        let (name, number) = (vector.name().to_owned(), vector.number());
        let open = Open { vector: Arc::new(vector), map: None, users: Users::default() };
        Vector { name, number, open: Mutex::new(Some(open)), writes: AtomicU64::new(0) }
    }
}

impl Drop for Vector {
    /// As files do. It cannot be closed here: that an exception ended its `with` is not seen.
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if !open.is_some_and(|open| open.vector.is_unfinished()) {
            return;
        }
        let text = format!("{} was written and not closed: it says that less is valid", self.name);
        Python::try_attach(|py| {
            // Where it is dropped, an error may be on its way.
            let raised = PyErr::take(py);
            let category = py.get_type::<PyResourceWarning>();
            let warned = CString::new(text)
                .map_or(Ok(()), |text| PyErr::warn(py, category.as_any(), &text, 1));
            if let Err(error) = warned {
                error.write_unraisable(py, None);
            }
            if let Some(raised) = raised {
                raised.restore(py);
            }
        });
    }
}

impl Vector {
    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        // Held for a moment.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Open) -> PyResult<T>) -> PyResult<T> {
        match &mut *self.lock() {
            Some(open) => look(open),
            None => Err(PyValueError::new_err(format!("{} is closed", self.name))),
        }
    }

    fn file(&self) -> PyResult<Arc<files::Vector>> {
        self.with(|open| Ok(Arc::clone(&open.vector)))
    }

    fn to_write(&self) -> PyResult<(Arc<files::Vector>, User)> {
        let (file, user) =
            self.with(|open| Ok((Arc::clone(&open.vector), open.users.one(&self.name)?)))?;
        self.check_writable(&file)?;
        Ok((file, user))
    }

    fn check_writable(&self, file: &files::Vector) -> PyResult<()> {
        if file.is_writable() {
            return Ok(());
        }
        let text = format!("{} was opened for reading: mode=\"r+\" is for both", self.name);
        Err(PyTypeError::new_err(text))
    }

    /// Writes bytes of values, each `step` from the last.
    fn scatter(&self, py: Python<'_>, start: isize, step: isize, bytes: &[u8]) -> PyResult<()> {
        let (file, _user) = self.to_write()?;
        let width = self.number.width();
        let piece = if step == 1 { PIECE } else { MANY * width };
        let mut at = start;
        for bytes in bytes.chunks(piece) {
            py.detach(|| match step {
                1 => file.write(at as u64, bytes),
                _ => file.write_apart(at as u64, step as i64, bytes),
            })
            .map_err(of_files)?;
            self.writes.fetch_add(1, Ordering::Relaxed);
            at = at.wrapping_add(step.wrapping_mul((bytes.len() / width) as isize));
            py.check_signals()?;
        }
        Ok(())
    }

    fn set_slice(&self, slice: &Bound<'_, PySlice>, values: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = values.py();
        let file = self.file()?;
        self.check_writable(&file)?;
        let slice_of = slice.indices(file.len() as isize)?;
        let (start, step, count) = (slice_of.start, slice_of.step, slice_of.slicelength);
        let fits = |got: usize| {
            let text = || format!("{got} values for {count} places: a vector keeps its length");
            if got == count { Ok(()) } else { Err(PyValueError::new_err(text())) }
        };
        let buffer = match PyUntypedBuffer::get(values) {
            Ok(buffer) => Some(buffer),
            // It has none, or none that anybody may have.
            Err(error)
                if error.is_instance_of::<PyTypeError>(py)
                    || error.is_instance_of::<PyBufferError>(py) =>
            {
                None
            }
            Err(error) => return Err(error),
        };
        let Some(buffer) = buffer.filter(|buffer| holds(buffer, self.number)) else {
            let mut bytes: Vec<u8> = Vec::new();
            let mut got = 0;
            for value in values.try_iter()? {
                got += 1;
                if got > count {
                    let text = format!("more values than the {count} places of the slice");
                    return Err(PyValueError::new_err(text));
                }
                bytes.try_reserve(self.number.width()).map_err(|_| PyMemoryError::new_err(()))?;
                take(self.number, &value?, &mut bytes)?;
                if got % MANY == 0 {
                    pause(py)?;
                }
            }
            fits(got)?;
            return self.scatter(py, start, step, &bytes);
        };
        fits(buffer.item_count())?;
        if count == 0 {
            return Ok(());
        }
        // A part of this file, whoever has mapped it, would change on the way.
        let address = buffer.buf_ptr().addr();
        let memory = address..address + buffer.len_bytes();
        let is_fixed = buffer.is_c_contiguous() && memory.len() > SMALL && is_anonymous(&memory);
        if !is_fixed {
            let copy = PyMemoryView::from(values)?.call_method0("tobytes")?;
            return self.scatter(py, start, step, copy.cast::<PyBytes>()?.as_bytes());
        }
        // SAFETY: the buffer is one block of so many bytes, which stays where it is as long as we hold it. Others may
        // write there meanwhile: nothing here looks at the bytes, only the kernel does.
        let bytes =
            unsafe { slice::from_raw_parts(buffer.buf_ptr().cast::<u8>(), buffer.len_bytes()) };
        self.scatter(py, start, step, bytes)
    }

    fn leave(&self, finish: bool) -> PyResult<()> {
        let mut held = self.lock();
        if let Some(open) = &*held {
            open.users.check_not_resized(&self.name, "closed")?;
        }
        if let Some(open) = held.take()
            && finish
        {
            open.vector.finish().map_err(of_files)?;
        }
        Ok(())
    }
}

/// The place of one of `length`, counted from the end if it is negative.
fn place(key: &Bound<'_, PyAny>, length: u64) -> PyResult<usize> {
    let py = key.py();
    let index: isize = key.extract().map_err(|error: PyErr| {
        if error.is_instance_of::<PyOverflowError>(py) {
            PyIndexError::new_err(format!("value {key} of {length}"))
        } else if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err("values are chosen by a number or a slice")
        } else {
            error
        }
    })?;
    let length = length as usize;
    let at = if index < 0 { index.checked_add_unsigned(length) } else { Some(index) };
    let at = at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < length);
    at.ok_or_else(|| PyIndexError::new_err(format!("value {index} of {length}")))
}

/// More than any file has, if it is that many.
fn count_of(length: &Bound<'_, PyAny>) -> PyResult<u64> {
    let is_negative = || length.lt(0).unwrap_or(false);
    match length.extract() {
        Ok(length) => Ok(length),
        Err(error) if !error.is_instance_of::<PyOverflowError>(length.py()) => Err(error),
        Err(_) if is_negative() => {
            Err(PyValueError::new_err(format!("{length} is no number of values")))
        }
        Err(_) => Ok(u64::MAX),
    }
}

#[pymethods]
impl Vector {
    /// Makes a file of `length` zeros of the type `dtype`: ``"u1"`` … ``"u8"``, ``"i1"`` … ``"i8"``, ``"f4"``,
    /// ``"f8"`` or ``"bool"``, or whatever else says the same of a column of records (``float``, ``np.int32``).
    ///
    /// All its blocks are taken from the disk now, beside; a file of that name is replaced once that is done. Raises
    /// `OSError` if there is no room (ENOSPC), or files cannot be that long (EFBIG).
    #[classmethod]
    #[pyo3(signature = (path, dtype, length, /))]
    fn create(
        _class: &Bound<'_, PyType>,
        path: &Bound<'_, PyAny>,
        dtype: &Bound<'_, PyAny>,
        length: &Bound<'_, PyAny>,
    ) -> PyResult<Vector> {
        let (number, length) = (named(dtype)?, count_of(length)?);
        let Some(path) = path_of(path)? else {
            return Err(PyTypeError::new_err("a vector is made at a path"));
        };
        watched(dtype.py(), None, |watch| files::Vector::create(&path, number, length, watch))
            .map(Open::of)
    }

    /// Opens a file that `create` or ``numpy.save`` made: ``"r"`` to read it, ``"r+"`` to write as well. It says its
    /// type itself.
    ///
    /// Raises `OSError` if it cannot be opened, and `ValueError` if it holds no numbers in one dimension.
    #[classmethod]
    #[pyo3(signature = (path, /, mode = "r"))]
    fn open(_class: &Bound<'_, PyType>, path: &Bound<'_, PyAny>, mode: &str) -> PyResult<Vector> {
        let writable = match mode {
            "r" => false,
            "r+" => true,
            _ => {
                let text = format!("mode is \"r\" or \"r+\", not {mode:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let py = path.py();
        let Some(path) = path_of(path)? else {
            return Err(PyTypeError::new_err("a vector is opened at a path"));
        };
        py.detach(|| files::Vector::open(&path, writable)).map(Open::of).map_err(of_files)
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.file()?.len() as usize)
    }

    fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = key.py();
        let file = self.file()?;
        let width = self.number.width();
        if let Ok(slice) = key.cast::<PySlice>() {
            let slice = slice.indices(file.len() as isize)?;
            let (from, count) = ((slice.start, slice.step), slice.slicelength);
            let copy = gather(py, width, from, count, &|at, place| file.read(at, place))?;
            let format = format(self.number).to_str().unwrap_or_default();
            return PyMemoryView::from(&copy)?.call_method1("cast", (format,));
        }
        let at = place(key, file.len())?;
        let mut value = [0; 8];
        file.read(at as u64, &mut value[..width]).map_err(of_files)?;
        give(py, self.number, &value[..width])
    }

    fn __setitem__(&self, key: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(slice) = key.cast::<PySlice>() {
            return self.set_slice(slice, value);
        }
        let mut bytes = Vec::with_capacity(8);
        take(self.number, value, &mut bytes)?;
        let (file, _user) = self.to_write()?;
        let at = place(key, file.len())?;
        file.write(at as u64, &bytes).map_err(of_files)?;
        self.writes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn __iter__(slf: Py<Vector>) -> VectorIterator {
        VectorIterator { vector: Some(slf), next: 0, begin: 0, block: Vec::new(), writes: 0 }
    }

    /// All values, as a list.
    fn tolist<'py>(slf: &Bound<'py, Vector>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(slf.py());
        for (number, value) in slf.try_iter()?.enumerate() {
            list.append(value?)?;
            if number % MANY == 0 {
                pause(slf.py())?;
            }
        }
        Ok(list)
    }

    /// The type of its values, such as ``"f8"``.
    #[getter]
    fn dtype(&self) -> &'static str {
        self.number.name()
    }

    /// Bytes of its values.
    #[getter]
    fn nbytes(&self) -> PyResult<usize> {
        Ok(self.__len__()? * self.number.width())
    }

    /// How many of its values, from the first on, the file says now are valid: up to the last that was written before
    /// `flush`, or all of them once who wrote them has closed it.
    #[getter]
    fn valid(&self) -> PyResult<u64> {
        self.file()?.valid().map_err(of_files)
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.lock().is_none()
    }

    /// Brings all that was written to the disk, and then says in the file that it is valid up to the last value that
    /// was assigned. Where values come in another order, or through a buffer, `valid` says how many are.
    #[pyo3(signature = (valid = None))]
    fn flush(&self, py: Python<'_>, valid: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let valid = valid.map(|valid| count_of(valid)).transpose()?;
        // Who makes it shorter, or says that it is done, must not come in between.
        let (file, _user) =
            self.with(|open| Ok((Arc::clone(&open.vector), open.users.one(&self.name)?)))?;
        if valid.is_some() {
            self.check_writable(&file)?;
        }
        if let Some(valid) = valid
            && valid > file.len()
        {
            let text = format!("{valid} of {} values cannot be valid", file.len());
            return Err(PyValueError::new_err(text));
        }
        py.detach(|| file.flush(valid)).map_err(of_files)
    }

    /// Makes it `length` values long: by zeros at its end, or by cutting it off. Raises `BufferError` while a buffer of
    /// it is in use, and `OSError` if there is no room; it is as it was then.
    #[pyo3(signature = (length, /))]
    fn resize(&self, py: Python<'_>, length: &Bound<'_, PyAny>) -> PyResult<()> {
        let length = count_of(length)?;
        self.check_writable(self.file()?.as_ref())?;
        let (file, alone) = self.with(|open| {
            let alone = open.users.alone(&self.name)?;
            open.map = None;
            Ok((Arc::clone(&open.vector), alone))
        })?;
        let resized = watched(py, None, |watch| file.resize(length, watch));
        drop(alone);
        resized?;
        self.writes.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Makes it longer by `count` zeros, as `resize` does.
    #[pyo3(signature = (count, /))]
    fn grow(&self, py: Python<'_>, count: &Bound<'_, PyAny>) -> PyResult<()> {
        let length = self.file()?.len().saturating_add(count_of(count)?);
        self.resize(py, length.into_pyobject(py)?.as_any())
    }

    /// Says in the file that all of it is valid, if it was written here at all, and closes it. Raises `BufferError` while a buffer of it is in use.
    fn close(&self) -> PyResult<()> {
        if let Some(open) = &*self.lock() {
            open.users.check_none(&self.name, "closed")?;
        }
        self.leave(true)
    }

    fn __enter__(slf: Py<Vector>) -> PyResult<Py<Vector>> {
        slf.get().file()?;
        Ok(slf)
    }

    /// Buffers that are still in use stay usable. After an exception, what the file says of itself stays as it is.
    #[pyo3(signature = (*error))]
    fn __exit__(&self, error: &Bound<'_, pyo3::types::PyTuple>) -> PyResult<()> {
        self.leave(error.get_item(0)?.is_none())
    }

    fn __repr__(&self) -> String {
        match self.file() {
            Ok(file) => format!("<Vector {}: {} of {}>", self.name, file.len(), self.number),
            Err(_) => format!("<Vector {}: closed>", self.name),
        }
    }

    /// The file itself, mapped. As long as a buffer is in use, the vector keeps its length.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Vector>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no place for the buffer"));
        }
        // SAFETY: not null, and by the protocol (Include/cpython/pybuffer.h) a struct to be filled. With an error, its
        // owner must be null.
        unsafe { (*view).obj = ptr::null_mut() };
        let has = |flag: c_int| flags & flag == flag;
        let vector = slf.get();
        let width = vector.number.width();
        let (lent, address, readonly) = vector.with(|open| {
            // First: what is mapped while the file is resized would stay, and be too short.
            let user = open.users.one(&vector.name)?;
            let file = &open.vector;
            let readonly = !file.is_writable();
            if readonly && has(ffi::PyBUF_WRITABLE) {
                let text = format!("{} was opened for reading", file.name());
                return Err(PyBufferError::new_err(text));
            }
            // What is missing of the file could not be read without a signal that ends the process.
            file.check().map_err(of_files)?;
            let (whole, data) = file.file();
            let length = file.len() as usize;
            let map = if let Some(map) = &open.map {
                Arc::clone(map)
            } else {
                let mut options = MmapOptions::new();
                let options = options.len(data + length * width);
                let map = if readonly {
                    options.map_raw_read_only(whole)
                } else {
                    options.map_raw(whole)
                };
                let map = map.map_err(|error| of_file(file.name().as_ref(), &error))?;
                Arc::clone(open.map.insert(Arc::new(map)))
            };
            let address = map.as_mut_ptr().wrapping_add(data);
            let extent = [length as isize, width as isize];
            if !readonly {
                file.will_change();
            }
            Ok((Box::new(Lent { extent, map, user }), address, readonly))
        })?;
        // SAFETY: `view` is as above. The map stays where it is as long as `lent` holds it, and its file keeps its
        // length unless another process changes that. Shape and stride are in the box, which `__releasebuffer__` frees;
        // the format lives for ever, and nobody writes to it.
        unsafe {
            let lent = Box::into_raw(lent);
            let extent = (&raw mut (*lent).extent).cast::<isize>();
            (*view).buf = address.cast();
            (*view).len = *extent * *extent.add(1);
            (*view).itemsize = *extent.add(1);
            (*view).readonly = readonly.into();
            (*view).ndim = 1;
            (*view).format = ptr::null_mut();
            if has(ffi::PyBUF_FORMAT) {
                (*view).format = format(vector.number).as_ptr().cast_mut();
            }
            (*view).shape = if has(ffi::PyBUF_ND) { extent } else { ptr::null_mut() };
            (*view).strides = if has(ffi::PyBUF_STRIDES) { extent.add(1) } else { ptr::null_mut() };
            (*view).suboffsets = ptr::null_mut();
            (*view).internal = lent.cast();
            (*view).obj = slf.into_any().into_ptr();
        }
        Ok(())
    }

    #[expect(clippy::unused_self, reason = "as the protocol has it")]
    unsafe fn __releasebuffer__(&self, view: *mut ffi::Py_buffer) {
        // SAFETY: called once for each buffer that `__getbuffer__` has filled, whose `internal` is the box that was let
        // go of there.
        drop(unsafe { Box::from_raw((*view).internal.cast::<Lent>()) });
    }
}

/// Values one after another, as long as there are any.
#[pyclass(module = "deadweight._core")]
pub(crate) struct VectorIterator {
    /// None at the end.
    vector: Option<Py<Vector>>,
    next: usize,
    /// What was read ahead, and the place of its first value.
    block: Vec<u8>,
    begin: usize,
    /// How often the vector had been written by then.
    writes: u64,
}

#[pymethods]
impl VectorIterator {
    fn __iter__(slf: Py<VectorIterator>) -> Py<VectorIterator> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(vector) = self.vector.as_ref().map(Py::get) else { return Ok(None) };
        let (file, lent) =
            vector.with(|open| Ok((Arc::clone(&open.vector), open.users.count())))?;
        let (width, length) = (vector.number.width(), file.len() as usize);
        if self.next >= length {
            self.vector = None;
            return Ok(None);
        }
        let writes = vector.writes.load(Ordering::Relaxed);
        let held = self.begin..self.begin + self.block.len() / width;
        // What was read ahead may be written by now: through a buffer unseen.
        if !held.contains(&self.next) || writes != self.writes || lent > 0 {
            let ahead = if lent > 0 || writes != self.writes { 1 } else { BLOCK / width };
            (self.begin, self.writes) = (self.next, writes);
            self.block.resize((length - self.next).min(ahead) * width, 0);
            file.read(self.next as u64, &mut self.block).map_err(of_files)?;
        }
        let at = (self.next - self.begin) * width;
        self.next += 1;
        give(py, vector.number, &self.block[at..at + width]).map(Some)
    }
}
