//! Columns on their way: from Arrow, a file, a pickle or `pack` into a container.

use std::sync::{Mutex, PoisonError};

use deadweight_records::{self as records, Value, Valued};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;

use super::file::Watch;
use super::incoming::shown;
use super::reference::{Reference, is_object};
use super::schema::{Schema, Told, told};
use super::value::{give, take_for};
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
    if table.fields() == schema.fields {
        return Ok(table);
    }
    let has = table.fields();
    let values_for_objects = |field: &records::Field| {
        let found = has.iter().find(|has| has.name == field.name);
        found.filter(|found| is_object(field.kind) && !is_object(found.kind)).cloned()
    };
    let wanted: Vec<_> = schema
        .fields
        .iter()
        .map(|field| values_for_objects(field).unwrap_or_else(|| field.clone()))
        .collect();
    let table = table.into_fields(&wanted).map_err(of_records)?;
    if wanted == schema.fields { Ok(table) } else { with_objects(py, &table, schema) }
}

/// The same rows, with Python's objects in the columns that are of objects and have values here.
fn with_objects(
    py: Python<'_>,
    table: &records::Table,
    schema: &Schema,
) -> PyResult<records::Table> {
    let mut made = records::Table::new(&schema.fields).map_err(of_records)?;
    made.reserve(table.len()).map_err(of_records)?;
    let mut cells = Vec::with_capacity(schema.fields.len());
    for row in 0..table.len() {
        cells.clear();
        for (at, field) in schema.fields.iter().enumerate() {
            let value = table.get(row, at).map_err(of_records)?;
            cells.push(Cell::of(py, value, is_object(field.kind))?);
        }
        made.push_each(&cells).map_err(of_records)?;
    }
    Ok(made)
}

/// A value of a table on its way into another.
pub(crate) enum Cell<'a> {
    Value(Value<'a>),
    Object(Reference),
}

impl<'a> Cell<'a> {
    pub(crate) fn of(py: Python<'_>, value: Value<'a>, as_object: bool) -> PyResult<Cell<'a>> {
        Ok(match value {
            Value::Object(_) => Cell::Value(value),
            value if as_object => Cell::Object(Reference::to(&give(py, value)?)),
            value => Cell::Value(value),
        })
    }
}

impl Valued for Cell<'_> {
    #[inline]
    fn value(&self) -> Value<'_> {
        match self {
            Cell::Value(value) => *value,
            Cell::Object(reference) => reference.value(),
        }
    }
}

/// The columns of any object with `__arrow_c_stream__`.
#[pyfunction]
#[pyo3(signature = (source, /))]
pub(crate) fn records_from_arrow(source: &Bound<'_, PyAny>) -> PyResult<Table> {
    Ok(Table::new(from_arrow(source)?, None))
}

pub(crate) fn from_arrow(source: &Bound<'_, PyAny>) -> PyResult<records::Table> {
    if !source.hasattr(intern!(source.py(), "__arrow_c_stream__"))? {
        return Err(PyTypeError::new_err(format!(
            "from_arrow takes a table with __arrow_c_stream__, not {}",
            shown(source)
        )));
    }
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
