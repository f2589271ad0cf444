//! Whole columns and tables that somebody hands in.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{ArrayRef, PrimitiveArray, RecordBatch};
use deadweight_records::{self as records, Field, Kind, RecordsError};
use pyo3::buffer::{Element, ElementType, PyUntypedBuffer};
use pyo3::exceptions::{PyException, PyMemoryError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyModule, PyString, PyType};

use super::incoming::{refused, shown};
use super::reference::is_object;
use super::rows::Rows;
use super::schema::Schema;
use super::table::{Table, fitted, from_arrow};
use super::value::{of_numpy, take_for};
use crate::arrow::of_arrow;
use crate::errors::of_records;

/// The values of one field, as a table of it alone.
pub(crate) fn column(field: &Field, values: &Bound<'_, PyAny>) -> PyResult<records::Table> {
    if values.is_instance_of::<PyString>() {
        return Err(no_column(field, values));
    }
    let py = values.py();
    // A masked array lends its values, but not which of them are none.
    if values.hasattr(intern!(py, "hardmask"))? {
        return column(field, &values.call_method0(intern!(py, "tolist"))?);
    }
    if matches!(field.kind, Kind::DateTime | Kind::TimeDelta) && of_numpy(values) {
        let times = arrays(py)?.call_method1("times", (values, &field.name))?;
        return each(field, &times);
    }
    if is_object(field.kind) {
        // PyArrow's own items are none of Python's.
        return match values.getattr_opt(intern!(py, "to_pylist"))? {
            Some(method) => each(field, &method.call0()?),
            None => each(field, values),
        };
    }
    if let Some(table) = of_series(field, values)? {
        return Ok(table);
    }
    let of_numbers = field.kind.bounds().is_some() || matches!(field.kind, Kind::F4 | Kind::F8);
    if of_numbers && let Some(array) = numbers(values)? {
        let batch = RecordBatch::try_from_iter([(&field.name, array)]);
        let batch = batch.map_err(|error| of_arrow(&error))?;
        let table = records::Table::from_batches(&batch.schema(), [batch]).map_err(of_records)?;
        let wanted = std::slice::from_ref(field);
        if table.columns().iter().any(|column| column.kind() == field.kind) {
            return table.into_fields(wanted).map_err(of_records);
        }
        let mut converted = records::Table::new(wanted).map_err(of_records)?;
        converted.append(&table).map_err(of_records)?;
        return Ok(converted);
    }
    each(field, values)
}

fn no_column(field: &Field, values: &Bound<'_, PyAny>) -> PyErr {
    let (name, got) = (&field.name, shown(values));
    PyTypeError::new_err(format!("field {name:?}: a column is of a value for each row, not {got}"))
}

fn arrays(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("deadweight._arrays")
}

/// A column of `PyArrow` or pandas as their tables are taken. What pandas has and Arrow has no type for comes item by
/// item.
fn of_series(field: &Field, values: &Bound<'_, PyAny>) -> PyResult<Option<records::Table>> {
    let py = values.py();
    let Ok(module) = values.get_type().module() else { return Ok(None) };
    let module = module.to_string_lossy();
    let library = module.split('.').next();
    // In a table of pandas NaN is no value: here it is one of floats.
    let is_float = matches!(field.kind, Kind::F4 | Kind::F8);
    let of_pandas = library == Some("pandas") && !is_float;
    if !of_pandas && library != Some("pyarrow") {
        return Ok(None);
    }
    let table = arrays(py)?.call_method1("as_table", (values, &field.name))?;
    if table.is_none() {
        return Ok(None);
    }
    match from_arrow(&table) {
        Ok(table) => table.into_fields(std::slice::from_ref(field)).map(Some).map_err(of_records),
        Err(error)
            if of_pandas
                && error.is_instance_of::<PyException>(py)
                && !error.is_instance_of::<PyMemoryError>(py) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// One value after the other.
fn each(field: &Field, values: &Bound<'_, PyAny>) -> PyResult<records::Table> {
    let py = values.py();
    let mut table = records::Table::new(std::slice::from_ref(field)).map_err(of_records)?;
    let each = values.try_iter().map_err(|error| {
        if error.is_instance_of::<PyTypeError>(py) { no_column(field, values) } else { error }
    });
    for object in each? {
        let object = object?;
        let pushed = table.push_each(&[take_for(field.kind, &object)?]);
        pushed.map_err(|error| refused(error, |_| Some(0), std::slice::from_ref(&object)))?;
    }
    Ok(table)
}

/// What an array of numbers has, by its buffer; nothing of anything else.
fn numbers(values: &Bound<'_, PyAny>) -> PyResult<Option<ArrayRef>> {
    let Ok(buffer) = PyUntypedBuffer::get(values) else { return Ok(None) };
    let format = buffer.format();
    // With a letter before it, they may be the other way round in memory; of `c` they are bytes, no numbers.
    if buffer.dimensions() != 1 || format.count_bytes() != 1 || format == c"c" {
        return Ok(None);
    }
    let py = values.py();
    match ElementType::from_format(format) {
        ElementType::SignedInteger { bytes: 1 } => array::<Int8Type>(py, buffer),
        ElementType::SignedInteger { bytes: 2 } => array::<Int16Type>(py, buffer),
        ElementType::SignedInteger { bytes: 4 } => array::<Int32Type>(py, buffer),
        ElementType::SignedInteger { bytes: 8 } => array::<Int64Type>(py, buffer),
        ElementType::UnsignedInteger { bytes: 1 } => array::<UInt8Type>(py, buffer),
        ElementType::UnsignedInteger { bytes: 2 } => array::<UInt16Type>(py, buffer),
        ElementType::UnsignedInteger { bytes: 4 } => array::<UInt32Type>(py, buffer),
        ElementType::UnsignedInteger { bytes: 8 } => array::<UInt64Type>(py, buffer),
        ElementType::Float { bytes: 4 } => array::<Float32Type>(py, buffer),
        ElementType::Float { bytes: 8 } => array::<Float64Type>(py, buffer),
        _ => Ok(None),
    }
}

fn array<T: ArrowPrimitiveType<Native: Element>>(
    py: Python<'_>,
    buffer: PyUntypedBuffer,
) -> PyResult<Option<ArrayRef>> {
    // Where they lie at addresses that are no multiple of their width, they are taken one by one.
    let Ok(buffer) = buffer.into_typed::<T::Native>() else { return Ok(None) };
    let mut values: Vec<T::Native> = Vec::new();
    let room = values.try_reserve_exact(buffer.item_count());
    room.map_err(|_| of_records(RecordsError::Memory))?;
    values.resize(buffer.item_count(), T::Native::default());
    buffer.copy_to_slice(py, &mut values)?;
    Ok(Some(Arc::new(PrimitiveArray::<T>::new(values.into(), None))))
}

/// Columns by name, of fields of a class.
#[pyfunction]
#[pyo3(signature = (record, columns, /))]
pub(crate) fn records_from_columns(
    record: &Bound<'_, PyType>,
    columns: &Bound<'_, PyDict>,
) -> PyResult<Table> {
    let schema = Schema::of(record)?;
    let schema = schema.get();
    let mut all: Option<records::Table> = None;
    for (name, values) in columns {
        let name: String = name.extract()?;
        let Some(place) = schema.position(&name) else {
            let class = record.name()?;
            return Err(PyTypeError::new_err(format!("{class} has no field {name:?}")));
        };
        let one = column(&schema.fields[place], &values)?;
        all = Some(match all {
            None => one,
            Some(before) => {
                check_length(&name, one.len(), before.len())?;
                before.beside(one).map_err(of_records)?
            }
        });
    }
    let none = || records::Table::new(&[]).map_err(of_records);
    Ok(Table::new(all.map_or_else(none, Ok)?, None))
}

pub(crate) fn check_length(name: &str, got: usize, want: usize) -> PyResult<()> {
    if got == want {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("field {name:?}: {got} values for {want} rows")))
}

/// The columns of a table of another library, as those of a class.
pub(crate) fn of_libraries(
    schema: &Schema,
    source: &Bound<'_, PyAny>,
) -> PyResult<Option<records::Table>> {
    let py = source.py();
    if source.is_instance_of::<Rows>() || !source.hasattr(intern!(py, "__arrow_c_stream__"))? {
        return Ok(None);
    }
    fitted(py, from_arrow(source)?, schema).map(Some)
}

/// The rows that something is of: those of a structured array are none of Python's.
pub(crate) fn rows_of<'py>(source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyIterator>> {
    let py = source.py();
    if source.is_instance_of::<PyDict>() {
        return Err(PyTypeError::new_err(
            "a dict is one row: [row] is rows of it; Records.from_columns takes columns by name",
        ));
    }
    let names = source.getattr_opt(intern!(py, "dtype"))?;
    let names = names.map(|dtype| dtype.getattr_opt(intern!(py, "names"))).transpose()?.flatten();
    if names.is_none_or(|names| names.is_none()) {
        return source.try_iter();
    }
    arrays(py)?.call_method1("dicts", (source,))?.try_iter()
}
