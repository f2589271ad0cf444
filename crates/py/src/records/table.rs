//! Columns on their way: from Arrow, a file, a pickle or `pack` into a container.

use std::sync::{Mutex, PoisonError};

use deadweight_records::{self as records, Valued};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use super::file::Watch;
use super::reference::is_object;
use super::schema::{Schema, Told, told};
use super::value::take_for;
use crate::arrow::{batches, of_arrow};
use crate::errors::of_records;

/// A table that the first container takes.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Table {
    fields: Vec<records::Field>,
    held: Mutex<Option<Held>>,
}

/// A table, and the file that it lies in.
pub(crate) struct Held {
    pub(crate) table: records::Table,
    pub(crate) watch: Option<Watch>,
}

impl Table {
    pub(crate) fn new(table: records::Table, watch: Option<Watch>) -> Table {
        Table { fields: table.fields(), held: Mutex::new(Some(Held { table, watch })) }
    }

    pub(crate) fn take(&self) -> PyResult<Held> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
        held.ok_or_else(|| PyValueError::new_err("these columns are in a container already"))
    }
}

#[pymethods]
impl Table {
    /// Of each field: name, type, whether rows may have none.
    #[getter]
    fn fields(&self) -> Vec<Told<'_>> {
        self.fields.iter().map(told).collect()
    }
}

/// The columns of a class's fields, each that of its name; where there is none, one of the default.
pub(crate) fn fitted(
    py: Python<'_>,
    mut table: records::Table,
    schema: &Schema,
) -> PyResult<records::Table> {
    for (place, field) in schema.fields.iter().enumerate() {
        if table.position(&field.name).is_none()
            && let Some(default) = schema.default(py, place)
        {
            let taken = take_for(field.kind, &default)?;
            table = table.with_filled(field, taken.value()).map_err(of_records)?;
        }
    }
    if let Some(field) = schema.fields.iter().find(|field| is_values_for_objects(&table, field)) {
        return Err(PyTypeError::new_err(format!(
            "field {:?} is of objects, which a table has none of: its rows are taken as dicts or tuples",
            field.name
        )));
    }
    if table.fields() == schema.fields {
        return Ok(table);
    }
    table.into_fields(&schema.fields).map_err(of_records)
}

/// Whether a field is one of objects, and its column in the table has values.
fn is_values_for_objects(table: &records::Table, field: &records::Field) -> bool {
    is_object(field.kind)
        && table.position(&field.name).is_some_and(|at| {
            !is_object(table.columns()[at].kind()) && table.null_count(at) < table.len()
        })
}

/// The columns of any object with `__arrow_c_stream__`.
#[pyfunction]
#[pyo3(signature = (source, /))]
pub(crate) fn records_from_arrow(source: &Bound<'_, PyAny>) -> PyResult<Table> {
    Ok(Table::new(from_arrow(source)?, None))
}

pub(crate) fn from_arrow(source: &Bound<'_, PyAny>) -> PyResult<records::Table> {
    let (schema, batches) = batches(source)?;
    let fields = schema.fields().iter().enumerate();
    let kept: Vec<usize> =
        fields.filter(|(_, field)| !is_index(field.name())).map(|(at, _)| at).collect();
    let wanted = schema.project(&kept).map_err(|error| of_arrow(&error))?;
    let batches: Result<Vec<_>, _> = batches.iter().map(|batch| batch.project(&kept)).collect();
    let batches = batches.map_err(|error| of_arrow(&error))?;
    records::Table::from_batches(&wanted, batches).map_err(of_records)
}

/// Whether a column is the index of a data frame, which has no name: so pandas calls it, as no field can
/// be called.
fn is_index(name: &str) -> bool {
    let number = name.strip_prefix("__index_level_").and_then(|rest| rest.strip_suffix("__"));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}
