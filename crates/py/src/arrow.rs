//! Columns for other libraries and from them, by Arrow's capsule interface:
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi::FFI_ArrowArray;
use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, RecordBatchIterator,
    RecordBatchOptions, StringArray,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const SCHEMA_NAME: &CStr = c"arrow_schema";
const ARRAY_NAME: &CStr = c"arrow_array";
const STREAM_NAME: &CStr = c"arrow_array_stream";

pub(crate) fn of_arrow(error: &ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// A capsule of a schema.
pub(crate) fn schema_capsule<'py>(
    py: Python<'py>,
    schema: &Schema,
) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema).map_err(|error| of_arrow(&error))?;
    PyCapsule::new_with_value(py, schema, SCHEMA_NAME)
}

/// A capsule of the schema of one column.
pub(crate) fn field_capsule<'py>(
    py: Python<'py>,
    field: &Field,
) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(field).map_err(|error| of_arrow(&error))?;
    PyCapsule::new_with_value(py, schema, SCHEMA_NAME)
}

/// A capsule of an array.
pub(crate) fn array_capsule<'py>(
    py: Python<'py>,
    array: &dyn Array,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArray::new(&array.to_data()), ARRAY_NAME)
}

/// A capsule of a stream of batches. It frees them if nobody takes the stream.
pub(crate) fn stream_capsule(
    py: Python<'_>,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
) -> PyResult<Bound<'_, PyCapsule>> {
    let reader = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    let stream = FFI_ArrowArrayStream::new(Box::new(reader));
    PyCapsule::new_with_value(py, stream, STREAM_NAME)
}

/// The batches of any object that has `__arrow_c_stream__`.
pub(crate) fn batches(source: &Bound<'_, PyAny>) -> PyResult<(SchemaRef, Vec<RecordBatch>)> {
    let capsule = source.call_method0(intern!(source.py(), "__arrow_c_stream__"))?;
    let capsule = capsule.cast::<PyCapsule>()?;
    let content = capsule.pointer_checked(Some(STREAM_NAME))?;
    // SAFETY: by the interface, a capsule of that name has a stream, which we take over: what is left
    // there is marked as released, and the capsule frees no more than the struct.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(content.as_ptr().cast()) };
    let reader = ArrowArrayStreamReader::try_new(stream).map_err(|error| of_arrow(&error))?;
    let schema = arrow_array::RecordBatchReader::schema(&reader);
    let batches: Result<Vec<_>, _> = reader.collect();
    Ok((schema, batches.map_err(|error| of_arrow(&error))?))
}

/// What is in a column of a result.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Int,
    Float,
    Text,
}

/// By the name of Python's type.
impl<'py> FromPyObject<'_, 'py> for Kind {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, 'py, PyAny>) -> PyResult<Kind> {
        match name.extract::<&str>()? {
            "int" => Ok(Kind::Int),
            "float" => Ok(Kind::Float),
            "str" => Ok(Kind::Text),
            other => {
                Err(PyValueError::new_err(format!("columns are of int, float or str, not {other}")))
            }
        }
    }
}

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Text => DataType::Utf8,
        }
    }

    fn array(self, values: &[Bound<'_, PyAny>]) -> PyResult<ArrayRef> {
        Ok(match self {
            Kind::Int => Arc::new(Int64Array::from(extracted(values)?)),
            Kind::Float => Arc::new(Float64Array::from(extracted(values)?)),
            Kind::Text => Arc::new(StringArray::from(extracted::<String>(values)?)),
        })
    }
}

/// A value or None of each.
fn extracted<'a, 'py, T>(values: &'a [Bound<'py, PyAny>]) -> PyResult<Vec<Option<T>>>
where
    T: FromPyObject<'a, 'py, Error = PyErr>,
{
    values.iter().map(PyAnyMethods::extract).collect()
}

fn small_schema<'a>(columns: impl Iterator<Item = (&'a String, Kind)>) -> SchemaRef {
    let field = |(name, kind): (&String, Kind)| Field::new(name, kind.data_type(), true);
    Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
}

/// The columns of a table: names, and what they hold.
#[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
#[pyfunction]
#[pyo3(name = "arrow_schema", signature = (columns, /))]
pub(crate) fn results_schema(
    py: Python<'_>,
    columns: Vec<(String, Kind)>,
) -> PyResult<Bound<'_, PyCapsule>> {
    schema_capsule(py, &small_schema(columns.iter().map(|(name, kind)| (name, *kind))))
}

/// A name, what it holds, and a value or None for each row.
type Filled<'py> = (String, Kind, Vec<Bound<'py, PyAny>>);

/// A table as a stream of one batch.
#[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
#[pyfunction]
#[pyo3(signature = (columns, length, /))]
pub(crate) fn arrow_stream<'py>(
    py: Python<'py>,
    columns: Vec<Filled<'py>>,
    length: usize,
) -> PyResult<Bound<'py, PyCapsule>> {
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, kind, values) in &columns {
        if values.len() != length {
            let text = format!("column {name} has {} values, not {length}", values.len());
            return Err(PyValueError::new_err(text));
        }
        arrays.push(kind.array(values)?);
    }
    let schema = small_schema(columns.iter().map(|(name, kind, _)| (name, *kind)));
    let options = RecordBatchOptions::new().with_row_count(Some(length));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
    stream_capsule(py, schema, vec![batch.map_err(|error| of_arrow(&error))?])
}
