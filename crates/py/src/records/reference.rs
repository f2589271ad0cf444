//! What no other column holds: references to Python objects.

use std::cell::RefCell;

use deadweight_records::{Kind, Object, Table, Value};
use pyo3::prelude::*;
use pyo3::{PyTraverseError, PyVisit};

/// A reference to an object, or to None.
#[derive(Debug, Default)]
pub(crate) struct Reference(Option<Py<PyAny>>);

pub(crate) const OBJECT: Kind = Kind::objects::<Reference>();

pub(crate) fn is_object(kind: Kind) -> bool {
    matches!(kind, Kind::Object(_))
}

impl Clone for Reference {
    fn clone(&self) -> Reference {
        Python::attach(|py| Reference(self.0.as_ref().map(|object| object.clone_ref(py))))
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let Some(object) = self.0.take() else { return };
        // At the end of a thread there is no later.
        let kept = WAITING.try_with(|waiting| {
            let mut waiting = waiting.borrow_mut();
            if waiting.askers == 0 {
                return Some(object);
            }
            waiting.objects.push(object);
            None
        });
        drop(kept);
    }
}

/// Objects that are let go later.
#[derive(Default)]
struct Waiting {
    askers: usize,
    objects: Vec<Py<PyAny>>,
}

thread_local! {
    static WAITING: RefCell<Waiting> = RefCell::default();
}

/// As long as this lives, no object of a column is let go: an object may run code as it goes, which may
/// look at the columns. To be made before the columns are borrowed for change.
pub(crate) struct Later(());

impl Later {
    pub(crate) fn begin() -> Later {
        WAITING.with_borrow_mut(|waiting| waiting.askers += 1);
        Later(())
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        let gone = WAITING.with_borrow_mut(|waiting| {
            waiting.askers -= 1;
            if waiting.askers == 0 { std::mem::take(&mut waiting.objects) } else { Vec::new() }
        });
        drop(gone);
    }
}

impl Reference {
    pub(crate) fn to(object: &Bound<'_, PyAny>) -> Reference {
        Reference((!object.is_none()).then(|| object.clone().unbind()))
    }

    pub(crate) fn value(&self) -> Value<'_> {
        Value::Object(Object::new(self))
    }
}

/// The Python object.
pub(crate) fn object_of<'py>(py: Python<'py>, object: Object<'_>) -> Bound<'py, PyAny> {
    let object = object.get::<Reference>().and_then(|reference| reference.0.as_ref());
    object.map_or(py.None(), |object| object.clone_ref(py)).into_bound(py)
}

/// The columns of objects.
fn columns(table: &Table) -> impl Iterator<Item = usize> {
    let columns = table.columns().iter().enumerate();
    columns.filter(|(_, column)| is_object(column.kind())).map(|(field, _)| field)
}

/// All objects of a table, as often as they are in it.
fn referred(table: &Table) -> impl Iterator<Item = &Py<PyAny>> {
    let values = columns(table)
        .flat_map(move |field| (0..table.len()).map(move |row| table.get(row, field)));
    values.filter_map(|value| match value {
        Ok(Value::Object(object)) => object.get::<Reference>()?.0.as_ref(),
        _ => None,
    })
}

/// Shows the collector all objects of a table.
pub(crate) fn traverse(table: &Table, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
    referred(table).try_for_each(|object| visit.call(object))
}

/// Lets go of all objects of a table: None is in their places. The columns of values stay where they
/// are, for others may have buffers of them.
pub(crate) fn clear(table: &mut Table) {
    let fields: Vec<usize> = columns(table).collect();
    for field in fields {
        for row in 0..table.len() {
            // Neither can be out of the table.
            let _ = table.set(row, field, Value::None);
        }
    }
}
