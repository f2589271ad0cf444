//! One column of a container: a sequence, and a buffer that others may read and write.

use std::ffi::{CStr, c_int};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deadweight_records::{Kind, Valued};
use pyo3::exceptions::{PyBufferError, PyIndexError, PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyCapsule, PyList};
use pyo3::{PyTraverseError, PyVisit};

use super::incoming::shown;
use super::reference::Later;
use super::rows::Rows;
use super::select::{number, row as row_at};
use super::value::{give, take_for};
use crate::arrow::{array_capsule, field_capsule};
use crate::errors::of_records;

#[pyclass(frozen, sequence, module = "deadweight._core")]
pub(crate) struct Column {
    rows: Py<Rows>,
    field: usize,
    /// Lends the numbers that dates and times are.
    raw: bool,
}

/// What goes with a buffer that is in use.
struct Lent {
    /// How many values, and how many bytes each.
    extent: [isize; 2],
    counts: Arc<[AtomicUsize]>,
    field: usize,
}

/// How the numbers of a kind are named in buffers, and how many bytes each has.
fn format(kind: Kind) -> Option<(&'static CStr, usize)> {
    Some(match kind {
        Kind::I1 => (c"b", 1),
        Kind::I2 => (c"h", 2),
        Kind::I4 | Kind::Date => (c"i", 4),
        Kind::I8 | Kind::DateTime | Kind::TimeDelta => (c"q", 8),
        Kind::U1 => (c"B", 1),
        Kind::U2 => (c"H", 2),
        Kind::U4 => (c"I", 4),
        Kind::U8 => (c"Q", 8),
        Kind::F4 => (c"f", 4),
        Kind::F8 => (c"d", 8),
        Kind::Bool | Kind::Str | Kind::Bytes | Kind::Category | Kind::Object(_) => return None,
    })
}

impl Column {
    pub(crate) fn of<'py>(
        rows: &Bound<'py, Rows>,
        name: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let field = rows.try_borrow()?.schema.get().position(name);
        let column = |field| {
            Bound::new(rows.py(), Column { rows: rows.clone().unbind(), field, raw: false })
        };
        field.map(column).transpose().map(|column| column.map(Bound::into_any))
    }

    fn value<'py>(&self, py: Python<'py>, row: usize) -> PyResult<Bound<'py, PyAny>> {
        let rows = self.rows.bind(py).try_borrow()?;
        give(py, rows.table()?.get(row, self.field).map_err(of_records)?)
    }

    fn kind(&self, py: Python<'_>) -> PyResult<Kind> {
        Ok(self.rows.bind(py).try_borrow()?.schema.get().fields[self.field].kind)
    }
}

#[pymethods]
impl Column {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)
    }

    /// By identity it would be False, and that number's row would be taken for `users[users.id == 3]`.
    fn __eq__(slf: &Bound<'_, Column>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
        if slf.is(other) {
            return Ok(true);
        }
        Err(PyTypeError::new_err(
            "a column is not compared as a whole: numpy.asarray(column) == value gives a mask, and so does \
             [each == value for each in column]; column.tolist() is compared as a list",
        ))
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.rows.bind(py).try_borrow()?.table()?.len())
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Column>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let column = slf.get();
        if let Some(index) = number(key)? {
            return column.value(py, row_at(index, column.__len__(py)?)?);
        }
        // Of the rows chosen, a column as well.
        let rows = column.rows.bind(py).get_item(key)?;
        let rows = rows.cast_into::<Rows>().map_err(|_| {
            PyIndexError::new_err(
                "values are chosen by a number, a slice, a mask, or several numbers",
            )
        })?;
        Ok(Bound::new(py, Column { rows: rows.unbind(), field: column.field, raw: column.raw })?
            .into_any())
    }

    fn __setitem__(
        slf: &Bound<'_, Column>,
        key: &Bound<'_, PyAny>,
        object: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = slf.py();
        let column = slf.get();
        let Some(index) = number(key)? else {
            let name = column.name(py)?;
            return Err(PyTypeError::new_err(format!(
                "a value is set by the number of its row; rows[{name:?}] = values sets all of them"
            )));
        };
        let at = row_at(index, column.__len__(py)?)?;
        let _later = Later::begin();
        let taken = take_for(column.kind(py)?, object)?;
        let mut rows = column.rows.bind(py).try_borrow_mut()?;
        let set =
            rows.values_mut(column.field..column.field + 1)?.set(at, column.field, taken.value());
        drop(rows);
        set.map_err(|error| {
            super::incoming::refused(error, |_| Some(0), std::slice::from_ref(object))
        })
    }

    /// The first row with that value.
    #[pyo3(signature = (value, /))]
    fn index(&self, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = value.py();
        let mut row = 0;
        while row < self.__len__(py)? {
            if self.value(py, row)?.eq(value)? {
                return Ok(row);
            }
            row += 1;
        }
        Err(PyValueError::new_err(format!("no row has the value {}", shown(value))))
    }

    /// How many rows have that value.
    #[pyo3(signature = (value, /))]
    fn count(&self, value: &Bound<'_, PyAny>) -> PyResult<usize> {
        let py = value.py();
        let (mut row, mut count) = (0, 0);
        while row < self.__len__(py)? {
            count += usize::from(self.value(py, row)?.eq(value)?);
            row += 1;
        }
        Ok(count)
    }

    fn __iter__(slf: Py<Column>) -> ValueIterator {
        ValueIterator { column: slf, next: 0 }
    }

    /// The field's name.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        Ok(self.rows.bind(py).try_borrow()?.schema.get().fields[self.field].name.clone())
    }

    /// The field's type, such as `u4`.
    #[getter]
    #[pyo3(name = "type")]
    fn type_(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.kind(py)?.name())
    }

    /// How many rows have no value.
    #[getter]
    fn null_count(&self, py: Python<'_>) -> PyResult<usize> {
        let rows = self.rows.bind(py).try_borrow()?;
        Ok(rows.table()?.null_count(self.field))
    }

    /// Bytes of its values.
    #[getter]
    fn nbytes(&self, py: Python<'_>) -> PyResult<usize> {
        let rows = self.rows.bind(py).try_borrow()?;
        Ok(rows.table()?.payload_of(self.field))
    }

    /// The same column, whose buffer has the numbers that dates and times are.
    fn _raw(&self, py: Python<'_>) -> Column {
        Column { rows: self.rows.clone_ref(py), field: self.field, raw: true }
    }

    /// Which rows have no value, a byte each.
    fn _mask<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyByteArray>> {
        let rows = self.rows.bind(py).try_borrow()?;
        let table = rows.table()?;
        let is_none =
            |row| matches!(table.get(row, self.field), Ok(deadweight_records::Value::None));
        PyByteArray::new_with(py, table.len(), |mask| {
            mask.iter_mut().enumerate().for_each(|(row, none)| *none = is_none(row).into());
            Ok(())
        })
    }

    /// All values, as a list.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for row in 0..self.__len__(py)? {
            list.append(self.value(py, row)?)?;
        }
        Ok(list)
    }

    /// A NumPy array: over the values themselves if it can be, masked where rows have none.
    fn to_numpy<'py>(slf: &Bound<'py, Column>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("deadweight._arrays")?.call_method1("to_numpy", (slf,))
    }

    /// For `numpy.asarray`, where there is no buffer.
    #[pyo3(signature = (dtype=None, copy=None))]
    fn __array__<'py>(
        slf: &Bound<'py, Column>,
        dtype: Option<Bound<'py, PyAny>>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("deadweight._arrays")?.call_method1("as_array", (slf, dtype, copy))
    }

    /// The type of the values, as Arrow's capsule interface has it.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let rows = self.rows.bind(py).try_borrow()?;
        field_capsule(py, &rows.table()?.arrow_field(self.field).map_err(of_records)?)
    }

    /// The values as one array, which shares them as the rows' stream does. No other type can be had.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        let mut rows = self.rows.bind(py).try_borrow_mut()?;
        let array = rows.shared(|table| table.array(self.field).map_err(of_records))?;
        drop(rows);
        Ok((self.__arrow_c_schema__(py)?, array_capsule(py, &array)?))
    }

    /// For those who know no buffers. It has one of the values in it, which holds them in place.
    #[getter]
    fn __array_interface__<'py>(slf: &Bound<'py, Column>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("deadweight._arrays")?.call_method1("interface", (slf,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let (name, kind, rows) = (self.name(py)?, self.kind(py)?, self.__len__(py)?);
        Ok(format!("<Column {name}: {rows} of {kind}>"))
    }

    /// The values where they lie, writable unless that is in a file. Until it is given back, the
    /// container takes no rows and gives none up, as a `bytearray` does not.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Column>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let py = slf.py();
        let column = slf.get();
        if view.is_null() {
            return Err(PyBufferError::new_err("no place for the buffer"));
        }
        // SAFETY: not null, and by the protocol (Include/cpython/pybuffer.h) a struct to be filled. With
        // an error, its owner must be null.
        unsafe { (*view).obj = ptr::null_mut() };
        let mut rows = column.rows.bind(py).try_borrow_mut()?;
        let kind = rows.schema.get().fields[column.field].kind;
        let is_time = matches!(kind, Kind::DateTime | Kind::Date | Kind::TimeDelta);
        let (format, width) = format(kind).filter(|_| column.raw || !is_time).ok_or_else(|| {
            PyBufferError::new_err(format!("a column of {kind} has no buffer: use to_numpy()"))
        })?;
        if !column.raw && rows.table()?.null_count(column.field) > 0 {
            return Err(PyBufferError::new_err(
                "rows without a value have no place in a buffer: use to_numpy()",
            ));
        }
        let len = rows.table()?.len();
        let wants_to_write = flags & ffi::PyBUF_WRITABLE == ffi::PyBUF_WRITABLE;
        let readonly = !wants_to_write && rows.is_mapped(column.field)? && rows.table()?.is_whole();
        let address = if readonly {
            rows.table()?.columns()[column.field].address().map(<*const u8>::cast_mut)
        } else {
            // Of a file, or of what Arrow has, a copy is made here, once: no buffer may be out.
            let own = rows.values_mut(column.field..column.field + 1)?;
            let own = own.column_mut(column.field).map_err(of_records)?;
            own.address_mut().map_err(|_| of_records(deadweight_records::RecordsError::Memory))?
        };
        let address = address.ok_or_else(|| PyBufferError::new_err("no numbers"))?;
        let extent = [len as isize, width as isize];
        let lent = Lent { extent, counts: rows.lent.clone(), field: column.field };
        lent.counts[column.field].fetch_add(1, Ordering::Relaxed);
        drop(rows);
        let has = |flag: c_int| flags & flag == flag;
        // SAFETY: `view` is as above. The values stay where they are while `lent` is not zero: `Rows`
        // refuses whatever would move them, and `__releasebuffer__` counts down. Shape and stride are
        // in a box that it frees; the format lives for ever, and nobody writes to it.
        unsafe {
            let lent = Box::into_raw(Box::new(lent));
            let extent = (&raw mut (*lent).extent).cast::<isize>();
            (*view).buf = address.cast();
            (*view).len = (len * width) as isize;
            (*view).itemsize = width as isize;
            (*view).readonly = readonly.into();
            (*view).ndim = 1;
            (*view).format = ptr::null_mut();
            if has(ffi::PyBUF_FORMAT) {
                (*view).format = format.as_ptr().cast_mut();
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
        // SAFETY: called once for each buffer that `__getbuffer__` has filled, whose `internal` is the box
        // that was let go of there.
        let lent = unsafe { Box::from_raw((*view).internal.cast::<Lent>()) };
        lent.counts[lent.field].fetch_sub(1, Ordering::Relaxed);
    }
}

/// Values one after another, as long as there are any.
#[pyclass(module = "deadweight._core")]
pub(crate) struct ValueIterator {
    column: Py<Column>,
    next: usize,
}

#[pymethods]
impl ValueIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.column)
    }

    fn __iter__(slf: Py<ValueIterator>) -> Py<ValueIterator> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let column = self.column.get();
        if self.next >= column.__len__(py)? {
            self.next = usize::MAX;
            return Ok(None);
        }
        self.next += 1;
        column.value(py, self.next - 1).map(Some)
    }
}
