//! What the rows of a class have: names, types and defaults.

use deadweight_records::{Field, Kind, Valued};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple, PyType};

use super::incoming::refused_default;
use super::reference::{OBJECT, is_object};
use super::value::{give, take_for};

/// Of a field: name, type as `u4` or `str`, whether rows may have none, and the default in a tuple, or
/// an empty one.
type Wanted<'py> = (Bound<'py, PyString>, String, bool, Bound<'py, PyTuple>);

#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Schema {
    pub(crate) fields: Vec<Field>,
    pub(crate) names: Vec<Py<PyString>>,
    defaults: Vec<Option<Py<PyAny>>>,
}

/// Of a field: name, type, whether rows may have none.
pub(crate) type Told<'a> = (&'a str, &'static str, bool);

pub(crate) fn told(field: &Field) -> Told<'_> {
    (&field.name, field.kind.name(), field.nullable)
}

/// The kind of that name.
pub(crate) fn kind(name: &str) -> PyResult<Kind> {
    let known = Kind::ALL.into_iter().chain([OBJECT]).find(|kind| kind.name() == name);
    known.ok_or_else(|| PyValueError::new_err(format!("there is no type {name:?}")))
}

#[pymethods]
impl Schema {
    #[new]
    #[pyo3(signature = (fields, /))]
    fn new(fields: Vec<Wanted<'_>>) -> PyResult<Schema> {
        let mut schema = Schema { fields: Vec::new(), names: Vec::new(), defaults: Vec::new() };
        for (name, type_, nullable, default) in fields {
            let field = Field::new(name.extract::<String>()?, kind(&type_)?);
            let field = if nullable { field.nullable() } else { field };
            schema.names.push(PyString::intern(name.py(), &name.extract::<String>()?).unbind());
            let default = match default.get_item(0) {
                Ok(default) => Some(as_default(&field, &default)?.unbind()),
                Err(_) if nullable => Some(name.py().None()),
                Err(_) => None,
            };
            schema.defaults.push(default);
            schema.fields.push(field);
        }
        Ok(schema)
    }

    /// Of each field: name, type, whether rows may have none.
    #[getter]
    fn fields(&self) -> Vec<Told<'_>> {
        self.fields.iter().map(told).collect()
    }
}

/// The default as a row has it.
fn as_default<'py>(field: &Field, default: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let taken = take_for(field.kind, default)?;
    let value = field.held(taken.value());
    give(
        default.py(),
        value.map_err(|reason| refused_default(field.name.clone(), reason, default))?,
    )
}

impl Schema {
    /// That of a class of rows.
    pub(crate) fn of<'py>(class: &Bound<'py, PyType>) -> PyResult<Bound<'py, Schema>> {
        let found = class.getattr(intern!(class.py(), "_schema"));
        found.ok().and_then(|schema| schema.cast_into::<Schema>().ok()).ok_or_else(|| {
            let name = class.name().map_or_else(|_| "that".into(), |name| name.to_string());
            PyTypeError::new_err(format!("{name} has no fields: it is no subclass of Record"))
        })
    }

    pub(crate) fn default<'py>(&self, py: Python<'py>, field: usize) -> Option<Bound<'py, PyAny>> {
        self.defaults.get(field)?.as_ref().map(|default| default.bind(py).clone())
    }

    pub(crate) fn has_objects(&self) -> bool {
        self.fields.iter().any(|field| is_object(field.kind))
    }

    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }
}
