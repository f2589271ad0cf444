//! Columns for other libraries and from them, by Arrow's capsule interface:
//! <https://arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html>.

use std::ffi::CStr;
use std::sync::Arc;

use arrow_array::ffi_stream::{ArrowArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{
    ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, RecordBatchOptions, StringArray,
};
use arrow_schema::ffi::FFI_ArrowSchema;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

const SCHEMA_NAME: &CStr = c"arrow_schema";
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

fn small_schema<'a>(columns: impl Iterator<Item = (&'a String, bool)>) -> SchemaRef {
    let field = |(name, integers): (&String, bool)| {
        let data_type = if integers { DataType::Int64 } else { DataType::Utf8 };
        Field::new(name, data_type, true)
    };
    Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
}

/// The columns of a table: names, and whether they hold integers or else text.
#[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
#[pyfunction]
#[pyo3(name = "arrow_schema", signature = (columns, /))]
pub(crate) fn results_schema(
    py: Python<'_>,
    columns: Vec<(String, bool)>,
) -> PyResult<Bound<'_, PyCapsule>> {
    schema_capsule(py, &small_schema(columns.iter().map(|(name, integers)| (name, *integers))))
}

/// A name, whether it holds integers, and a value or None for each row.
type Filled<'py> = (String, bool, Vec<Bound<'py, PyAny>>);

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
    for (name, integers, values) in &columns {
        if values.len() != length {
            let text = format!("column {name} has {} values, not {length}", values.len());
            return Err(PyValueError::new_err(text));
        }
        arrays.push(if *integers {
            let all: PyResult<Vec<Option<i64>>> =
                values.iter().map(PyAnyMethods::extract).collect();
            Arc::new(Int64Array::from(all?))
        } else {
            let all: PyResult<Vec<Option<String>>> =
                values.iter().map(PyAnyMethods::extract).collect();
            Arc::new(StringArray::from(all?))
        });
    }
    let schema = small_schema(columns.iter().map(|(name, integers, _)| (name, *integers)));
    let options = RecordBatchOptions::new().with_row_count(Some(length));
    let batch = RecordBatch::try_new_with_options(schema.clone(), arrays, &options);
    stream_capsule(py, schema, vec![batch.map_err(|error| of_arrow(&error))?])
}
