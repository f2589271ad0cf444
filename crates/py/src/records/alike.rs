//! Dicts that are like the first one: most rows are.

use std::ptr;
use std::slice;

use deadweight_records::{Packer, Value};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::incoming::refused;
use super::reference::is_object;
use super::value::read;
use crate::errors::of_records;

/// Puts the values of a dict as those of the next row, if its keys are the very objects `names`, in that order, and
/// its values are read where they lie. Tells whether it was such a dict; if not, nothing is put.
///
/// Nothing is counted up and down, and no list of the objects is made: of five fields, that would take as long
/// as what is done here.
pub(crate) fn put_alike(
    packer: &mut Packer,
    names: &[Py<PyString>],
    dict: &Bound<'_, PyDict>,
) -> PyResult<bool> {
    if dict.len() != names.len() {
        return Ok(false);
    }
    let (mut field, mut at) = (0, 0);
    let (mut key, mut object) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the dict is one, and the others are places for what it tells.
    while unsafe { ffi::PyDict_Next(dict.as_ptr(), &raw mut at, &raw mut key, &raw mut object) }
        != 0
    {
        // SAFETY: the dict has a reference to the object for as long as nothing changes it. To read a value and to put
        // it in a column runs no code of Python's, and lets nobody else run: we hold the interpreter's lock. But an
        // int beyond 64 bits raises, and up to 3.11 that may collect: no value comes of it then, so that neither
        // object nor dict is looked at again here.
        let object = unsafe { Borrowed::from_ptr(dict.py(), object) };
        let is_next = names.get(field).is_some_and(|name| name.as_ptr() == key);
        let value = if is_next { value_of(packer, field, &object) } else { None };
        let Some(value) = value else {
            packer.leave_out(field).map_err(of_records)?;
            return Ok(false);
        };
        if let Err(error) = packer.put(field, &value) {
            // The message may run code to show it.
            let object = object.to_owned();
            return Err(refused(error, |_| Some(0), slice::from_ref(&object)));
        }
        field += 1;
    }
    Ok(true)
}

/// Nothing for a column of objects, which takes a reference.
#[inline]
fn value_of<'a>(packer: &Packer, field: usize, object: &'a Bound<'_, PyAny>) -> Option<Value<'a>> {
    let column = packer.so_far().columns().get(field)?;
    if is_object(column.kind()) { None } else { read(object) }
}
