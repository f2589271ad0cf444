//! One row: a place in a container, or values of its own.

use std::sync::{Mutex, PoisonError};

use deadweight_records::{Field, Valued};
use pyo3::exceptions::{PyAttributeError, PyRuntimeError, PyTypeError};
use pyo3::impl_::pymethods::tp_new_impl;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::incoming::{arguments, refused_object};
use super::reference::Later;
use super::rows::Rows;
use super::schema::Schema;
use super::value::{give, take_for};
use crate::errors::of_records;

enum Place {
    /// A row of a container. Once rows have moved there (`moves`), which one it was is not known any
    /// more.
    Within {
        rows: Py<Rows>,
        index: usize,
        moves: u64,
    },
    Alone(Box<Mutex<Vec<Py<PyAny>>>>),
}

/// What is common to the rows of all classes.
#[pyclass(frozen, subclass, module = "deadweight._core")]
pub(crate) struct Row {
    place: Place,
}

#[pymethods]
impl Row {
    #[new]
    #[classmethod]
    #[pyo3(signature = (*given, **named))]
    fn new(
        class: &Bound<'_, PyType>,
        given: &Bound<'_, PyTuple>,
        named: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Row> {
        let schema = Schema::of(class)?;
        let schema = schema.get();
        let objects = arguments(schema, &class.name()?.to_string_lossy(), given, named)?;
        let mut own = Vec::with_capacity(objects.len());
        for (field, object) in schema.fields.iter().zip(&objects) {
            own.push(as_held(field, object)?.unbind());
        }
        Ok(Row { place: Place::Alone(Box::new(Mutex::new(own))) })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        match &self.place {
            Place::Within { rows, .. } => visit.call(rows),
            // Who holds the lock runs nothing that collects.
            Place::Alone(own) => match own.try_lock() {
                Ok(own) => own.iter().try_for_each(|value| visit.call(value)),
                Err(_) => Ok(()),
            },
        }
    }

    fn __clear__(&self) {
        if let Place::Alone(own) = &self.place {
            let gone = std::mem::take(&mut *own.lock().unwrap_or_else(PoisonError::into_inner));
            drop(gone);
        }
    }

    /// All values, in the order of the fields.
    fn _astuple<'py>(slf: &Bound<'py, Row>) -> PyResult<Bound<'py, PyTuple>> {
        let fields = Schema::of(&slf.get_type())?.get().fields.len();
        PyTuple::new(slf.py(), slf.get().objects(slf.py(), fields)?)
    }

    /// Whether it is a place in a container, not a row of its own.
    #[getter]
    fn _within(&self) -> bool {
        matches!(self.place, Place::Within { .. })
    }
}

/// The object as a column of its field would give it back.
fn as_held<'py>(field: &Field, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let taken = take_for(field.kind, object)?;
    let value = field.held(taken.value());
    let value = value.map_err(|reason| refused_object(None, field.name.clone(), reason, object))?;
    give(object.py(), value)
}

impl Row {
    pub(crate) fn objects<'py>(
        &self,
        py: Python<'py>,
        fields: usize,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        (0..fields).map(|field| self.value(py, field)).collect()
    }

    #[inline]
    fn value<'py>(&self, py: Python<'py>, field: usize) -> PyResult<Bound<'py, PyAny>> {
        match &self.place {
            Place::Within { rows, index, moves } => {
                let rows = rows.bind(py).try_borrow()?;
                if rows.moves != *moves {
                    return Err(moved());
                }
                give(py, rows.table()?.get(*index, field).map_err(of_records)?)
            }
            Place::Alone(own) => {
                let own = own.lock().unwrap_or_else(PoisonError::into_inner);
                own.get(field).map(|value| value.bind(py).clone()).ok_or_else(no_field)
            }
        }
    }

    fn set(&self, schema: &Schema, field: usize, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = object.py();
        match &self.place {
            Place::Within { rows, index, moves } => {
                let _later = Later::begin();
                let taken = take_for(schema.fields[field].kind, object)?;
                let mut rows = rows.bind(py).try_borrow_mut()?;
                if rows.moves != *moves {
                    return Err(moved());
                }
                let set = rows.values_mut(field..field + 1)?.set(*index, field, taken.value());
                drop(rows);
                set.map_err(|error| {
                    super::incoming::refused(error, |_| Some(0), std::slice::from_ref(object))
                })
            }
            Place::Alone(own) => {
                let held = as_held(&schema.fields[field], object)?.unbind();
                let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
                let place = own.get_mut(field).ok_or_else(no_field)?;
                let old = std::mem::replace(place, held);
                drop(own);
                drop(old);
                Ok(())
            }
        }
    }

    /// Bytes of the memory that its own values are referred to in.
    pub(crate) fn size(&self) -> usize {
        match &self.place {
            Place::Within { .. } => 0,
            Place::Alone(own) => {
                let values = own.lock().unwrap_or_else(PoisonError::into_inner);
                size_of_val(&**own) + values.capacity() * size_of::<Py<PyAny>>()
            }
        }
    }

    /// Whether it is a view of a row of these, but not of this one.
    pub(crate) fn is_another_of(row: &Bound<'_, PyAny>, of: &Bound<'_, Rows>, at: usize) -> bool {
        row.cast::<Row>().is_ok_and(|row| match &row.get().place {
            Place::Within { rows, index, .. } => rows.is(of) && *index != at,
            Place::Alone(_) => false,
        })
    }

    /// A row of a class whose fields are the container's.
    #[inline]
    pub(crate) fn within<'py>(
        rows: &Bound<'py, Rows>,
        index: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        // Making an object may run the collector, and that anybody's code: the columns are not held then.
        let (class, moves) = {
            let inside = rows.try_borrow()?;
            (inside.class.clone_ref(rows.py()), inside.moves)
        };
        instance(class.bind(rows.py()), Place::Within { rows: rows.clone().unbind(), index, moves })
    }

    /// A row of that class with values of its own, which come from a container of the same fields.
    pub(crate) fn alone<'py>(
        class: &Bound<'py, PyType>,
        values: Vec<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        instance(class, Place::Alone(Box::new(Mutex::new(values))))
    }
}

/// A row of a user's class, made without a call of the class: that would take a hundred nanoseconds
/// for each row that is looked at. `tp_new_impl` is what `#[new]` expands to and
/// no promise of `pyo3`: where a version lacks it this does not compile, and a call of the class is the way.
#[inline]
fn instance<'py>(class: &Bound<'py, PyType>, place: Place) -> PyResult<Bound<'py, PyAny>> {
    if !class.is_subclass_of::<Row>()? {
        return Err(PyTypeError::new_err("records are of a subclass of Record"));
    }
    let row = PyClassInitializer::from(Row { place });
    // SAFETY: the class is `Row` or a subclass of it, as we have just seen, and what `tp_new_impl`
    // gives is a new reference that is ours. It is what `#[new]` comes to.
    unsafe {
        let made = tp_new_impl::<_, Row>(class.py(), row, class.as_ptr().cast())?;
        Bound::from_owned_ptr_or_err(class.py(), made)
    }
}

fn moved() -> PyErr {
    PyRuntimeError::new_err(
        "rows were inserted or deleted since this one was taken from its container: take it anew",
    )
}

fn no_field() -> PyErr {
    PyRuntimeError::new_err("a field of another class")
}

/// What a class has for each of its fields: reads and writes it in the class's rows.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Attribute {
    schema: Py<Schema>,
    field: usize,
}

#[pymethods]
impl Attribute {
    #[new]
    #[pyo3(signature = (schema, field, /))]
    fn new(schema: Py<Schema>, field: usize) -> Attribute {
        Attribute { schema, field }
    }

    fn __get__<'py>(
        slf: &Bound<'py, Attribute>,
        row: Option<&Bound<'py, PyAny>>,
        _class: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match row {
            Some(row) => row.cast::<Row>()?.get().value(slf.py(), slf.get().field),
            None => Ok(slf.clone().into_any()),
        }
    }

    fn __set__(&self, row: &Bound<'_, PyAny>, object: &Bound<'_, PyAny>) -> PyResult<()> {
        row.cast::<Row>()?.get().set(self.schema.get(), self.field, object)
    }

    fn __delete__(&self, _row: &Bound<'_, PyAny>) -> PyResult<()> {
        let name = self.schema.get().fields.get(self.field).map_or("", |field| &field.name);
        Err(PyAttributeError::new_err(format!("field {name:?} cannot be deleted")))
    }
}
