//! Columns for other libraries, by Arrow's capsule interface: the structs of Arrow's C data
//! interface, filled from owned memory. No Arrow library is needed for that.
//!
//! What each pointer means and who frees it: <https://arrow.apache.org/docs/format/CDataInterface.html>,
//! `CStreamInterface.html` and `CDataInterface/PyCapsuleInterface.html` there.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;

const NULLABLE: i64 = 2;
const SCHEMA_NAME: &CStr = c"arrow_schema";
const STREAM_NAME: &CStr = c"arrow_array_stream";

/// `struct ArrowSchema`.
#[repr(C)]
struct ArrowSchema {
    format: *const c_char,
    name: *const c_char,
    metadata: *const c_char,
    flags: i64,
    n_children: i64,
    children: *mut *mut ArrowSchema,
    dictionary: *mut ArrowSchema,
    release: Option<unsafe extern "C" fn(*mut ArrowSchema)>,
    private_data: *mut c_void,
}

/// `struct ArrowArray`.
#[repr(C)]
struct ArrowArray {
    length: i64,
    null_count: i64,
    offset: i64,
    n_buffers: i64,
    n_children: i64,
    buffers: *mut *const c_void,
    children: *mut *mut ArrowArray,
    dictionary: *mut ArrowArray,
    release: Option<unsafe extern "C" fn(*mut ArrowArray)>,
    private_data: *mut c_void,
}

/// `struct ArrowArrayStream`.
#[repr(C)]
struct ArrowArrayStream {
    get_schema: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowSchema) -> c_int>,
    get_next: Option<unsafe extern "C" fn(*mut ArrowArrayStream, *mut ArrowArray) -> c_int>,
    get_last_error: Option<unsafe extern "C" fn(*mut ArrowArrayStream) -> *const c_char>,
    release: Option<unsafe extern "C" fn(*mut ArrowArrayStream)>,
    private_data: *mut c_void,
}

/// Name, and whether it holds integers; else text.
struct Field {
    name: CString,
    integers: bool,
}

impl Field {
    fn of(name: String, integers: bool) -> PyResult<Field> {
        let name = CString::new(name).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(Field { name, integers })
    }

    fn format(&self) -> &'static CStr {
        if self.integers { c"l" } else { c"u" }
    }
}

/// What a schema points to.
struct SchemaParts {
    name: CString,
    children: Vec<*mut ArrowSchema>,
}

fn schema(name: CString, format: &'static CStr, flags: i64, fields: &[Field]) -> ArrowSchema {
    let child = |field: &Field| {
        Box::into_raw(Box::new(schema(field.name.clone(), field.format(), NULLABLE, &[])))
    };
    let mut parts = Box::new(SchemaParts { name, children: fields.iter().map(child).collect() });
    ArrowSchema {
        format: format.as_ptr(),
        name: parts.name.as_ptr(),
        metadata: ptr::null(),
        flags,
        n_children: parts.children.len() as i64,
        children: parts.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_schema),
        private_data: Box::into_raw(parts).cast(),
    }
}

fn table_schema(fields: &[Field]) -> ArrowSchema {
    schema(CString::default(), c"+s", 0, fields)
}

unsafe extern "C" fn release_schema(schema: *mut ArrowSchema) {
    // SAFETY: by the interface this is called once, with a struct that `schema` filled (or a bitwise
    // move of one): `private_data` is the box that was let go of there, and each child one that was
    // let go of and is released here unless its new owner did.
    unsafe {
        let parts = Box::from_raw((*schema).private_data.cast::<SchemaParts>());
        for &child in &parts.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*schema).release = None;
    }
}

/// A column: which rows have a value, and the values.
struct Column {
    valid: Vec<u8>,
    nulls: i64,
    values: Values,
}

enum Values {
    Integers(Vec<i64>),
    /// Where each text ends, after a zero; and all texts together.
    Texts(Vec<i32>, Vec<u8>),
}

impl Column {
    fn of(integers: bool, values: &[Bound<'_, PyAny>]) -> PyResult<Column> {
        let mut valid = vec![0_u8; values.len().div_ceil(8)];
        let mut nulls = 0;
        for (row, value) in values.iter().enumerate() {
            if value.is_none() {
                nulls += 1;
            } else {
                valid[row / 8] |= 1 << (row % 8);
            }
        }
        let values = if integers {
            let integer = |value: &Bound<'_, PyAny>| value.extract::<Option<i64>>();
            let all: PyResult<Vec<_>> = values.iter().map(integer).collect();
            Values::Integers(all?.into_iter().map(Option::unwrap_or_default).collect())
        } else {
            let (mut ends, mut bytes) = (vec![0_i32], Vec::new());
            for value in values {
                if let Some(text) = value.extract::<Option<String>>()? {
                    bytes.extend_from_slice(text.as_bytes());
                }
                let end = i32::try_from(bytes.len());
                ends.push(end.map_err(|_| {
                    PyOverflowError::new_err("more than 2 GiB of text in one column of a table")
                })?);
            }
            Values::Texts(ends, bytes)
        };
        Ok(Column { valid, nulls, values })
    }
}

/// What an array points to.
struct ArrayParts {
    /// None for the table itself, which has no values of its own.
    column: Option<Column>,
    buffers: Vec<*const c_void>,
    children: Vec<*mut ArrowArray>,
}

fn array(length: i64, column: Option<Column>, children: Vec<ArrowArray>) -> ArrowArray {
    let children = children.into_iter().map(|child| Box::into_raw(Box::new(child))).collect();
    let mut parts = Box::new(ArrayParts { column, buffers: Vec::new(), children });
    // The vectors are moved no more; what they point to stays where it is until they are dropped.
    parts.buffers = match &parts.column {
        None => vec![ptr::null()],
        Some(column) => {
            let valid = if column.nulls == 0 { ptr::null() } else { column.valid.as_ptr().cast() };
            match &column.values {
                Values::Integers(values) => vec![valid, values.as_ptr().cast()],
                Values::Texts(ends, bytes) => {
                    vec![valid, ends.as_ptr().cast(), bytes.as_ptr().cast()]
                }
            }
        }
    };
    ArrowArray {
        length,
        null_count: parts.column.as_ref().map_or(0, |column| column.nulls),
        offset: 0,
        n_buffers: parts.buffers.len() as i64,
        n_children: parts.children.len() as i64,
        buffers: parts.buffers.as_mut_ptr(),
        children: parts.children.as_mut_ptr(),
        dictionary: ptr::null_mut(),
        release: Some(release_array),
        private_data: Box::into_raw(parts).cast(),
    }
}

unsafe extern "C" fn release_array(array: *mut ArrowArray) {
    // SAFETY: as in `release_schema`, of a struct that `array` filled.
    unsafe {
        let parts = Box::from_raw((*array).private_data.cast::<ArrayParts>());
        for &child in &parts.children {
            if let Some(release) = (*child).release {
                release(child);
            }
            drop(Box::from_raw(child));
        }
        (*array).release = None;
    }
}

/// What a stream points to.
struct StreamParts {
    fields: Vec<Field>,
    length: i64,
    /// The one batch, until it is taken.
    columns: Option<Vec<Column>>,
}

unsafe extern "C" fn stream_schema(stream: *mut ArrowArrayStream, out: *mut ArrowSchema) -> c_int {
    // SAFETY: the consumer calls with a stream of ours that was not released, one call at a time, and
    // with room for a struct whose old bytes mean nothing.
    unsafe {
        let parts = &*(*stream).private_data.cast::<StreamParts>();
        out.write(table_schema(&parts.fields));
    }
    0
}

unsafe extern "C" fn stream_next(stream: *mut ArrowArrayStream, out: *mut ArrowArray) -> c_int {
    // SAFETY: as in `stream_schema`. The end of a stream is an array that is released already; zero
    // bytes are a value for each of its fields.
    unsafe {
        let parts = &mut *(*stream).private_data.cast::<StreamParts>();
        let next = match parts.columns.take() {
            None => std::mem::zeroed(),
            Some(columns) => {
                let child = |column| array(parts.length, Some(column), Vec::new());
                array(parts.length, None, columns.into_iter().map(child).collect())
            }
        };
        out.write(next);
    }
    0
}

/// Nothing fails: what could, has failed before there was a stream.
unsafe extern "C" fn stream_error(_: *mut ArrowArrayStream) -> *const c_char {
    ptr::null()
}

unsafe extern "C" fn release_stream(stream: *mut ArrowArrayStream) {
    // SAFETY: called once, with a struct that `arrow_stream` filled or a bitwise move of one.
    unsafe {
        drop(Box::from_raw((*stream).private_data.cast::<StreamParts>()));
        (*stream).release = None;
    }
}

/// The columns of a table: names, and whether they hold integers or else text.
#[pyfunction]
#[pyo3(signature = (columns, /))]
pub(crate) fn arrow_schema(
    py: Python<'_>,
    columns: Vec<(String, bool)>,
) -> PyResult<Bound<'_, PyAny>> {
    let fields: PyResult<Vec<_>> =
        columns.into_iter().map(|(name, integers)| Field::of(name, integers)).collect();
    capsule(py, table_schema(&fields?), SCHEMA_NAME, drop_schema)
}

/// A name, whether it holds integers, and a value or None for each row.
type Filled<'py> = (String, bool, Vec<Bound<'py, PyAny>>);

/// A table as a stream of one batch.
#[pyfunction]
#[pyo3(signature = (columns, length, /))]
pub(crate) fn arrow_stream<'py>(
    py: Python<'py>,
    columns: Vec<Filled<'py>>,
    length: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let (mut fields, mut filled) = (Vec::new(), Vec::new());
    for (name, integers, values) in columns {
        if values.len() != length {
            let text = format!("column {name} has {} values, not {length}", values.len());
            return Err(PyValueError::new_err(text));
        }
        filled.push(Column::of(integers, &values)?);
        fields.push(Field::of(name, integers)?);
    }
    let parts = StreamParts { fields, length: length as i64, columns: Some(filled) };
    let stream = ArrowArrayStream {
        get_schema: Some(stream_schema),
        get_next: Some(stream_next),
        get_last_error: Some(stream_error),
        release: Some(release_stream),
        private_data: Box::into_raw(Box::new(parts)).cast(),
    };
    capsule(py, stream, STREAM_NAME, drop_stream)
}

/// A struct in a capsule, which frees it by `destroy`.
fn capsule<'py, T>(
    py: Python<'py>,
    content: T,
    name: &'static CStr,
    destroy: unsafe extern "C" fn(*mut ffi::PyObject),
) -> PyResult<Bound<'py, PyAny>> {
    let content = Box::into_raw(Box::new(content));
    // SAFETY: the pointer is not null, the name lives for ever, and `destroy` takes the box back. A
    // null result is an exception that is set, as `from_owned_ptr_or_err` expects.
    unsafe {
        let made = ffi::PyCapsule_New(content.cast(), name.as_ptr(), Some(destroy));
        Bound::from_owned_ptr_or_err(py, made)
    }
}

unsafe extern "C" fn drop_schema(capsule: *mut ffi::PyObject) {
    // SAFETY: called once, by the capsule that `capsule` made; who took the content over has set
    // `release` to null.
    unsafe {
        let held = ffi::PyCapsule_GetPointer(capsule, SCHEMA_NAME.as_ptr()).cast::<ArrowSchema>();
        if let Some(release) = (*held).release {
            release(held);
        }
        drop(Box::from_raw(held));
    }
}

unsafe extern "C" fn drop_stream(capsule: *mut ffi::PyObject) {
    // SAFETY: as in `drop_schema`.
    unsafe {
        let held =
            ffi::PyCapsule_GetPointer(capsule, STREAM_NAME.as_ptr()).cast::<ArrowArrayStream>();
        if let Some(release) = (*held).release {
            release(held);
        }
        drop(Box::from_raw(held));
    }
}
