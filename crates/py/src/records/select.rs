//! What stands between the brackets: a row, a slice, a mask, rows by number, or the name of a column.

use std::collections::TryReserveError;

use deadweight_records::RecordsError;
use pyo3::exceptions::{PyIndexError, PyOverflowError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PySlice, PyString};

use super::value::of_numpy;
use crate::errors::of_records;

pub(crate) enum Selection {
    Row(usize),
    /// First row, how many, and from one to the next.
    Slice {
        start: isize,
        count: usize,
        step: isize,
    },
    Rows(Vec<usize>),
    Column(String),
}

/// Of so many rows.
pub(crate) fn selection(key: &Bound<'_, PyAny>, len: usize) -> PyResult<Selection> {
    if let Ok(slice) = key.cast::<PySlice>() {
        let slice = slice.indices(len as isize)?;
        return Ok(Selection::Slice {
            start: slice.start,
            count: slice.slicelength,
            step: slice.step,
        });
    }
    if let Ok(name) = key.cast::<PyString>() {
        return Ok(Selection::Column(name.to_string_lossy().into_owned()));
    }
    if let Some(index) = number(key)? {
        return Ok(Selection::Row(row(index, len)?));
    }
    // Arrays: what is in them as Python objects, at once and not one by one.
    if let Ok(list) = key.call_method0(intern!(key.py(), "tolist")) {
        return Ok(Selection::Rows(many(&list, len)?));
    }
    Ok(Selection::Rows(many(key, len)?))
}

/// The flag that an item of a mask is, if it is one.
fn flag(item: &Bound<'_, PyAny>) -> PyResult<Option<bool>> {
    if let Ok(flag) = item.cast_exact::<PyBool>() {
        return Ok(Some(flag.is_true()));
    }
    let is_numpys = !item.is_exact_instance_of::<PyInt>() && of_numpy(item) && {
        // `bool_` to NumPy 1.
        matches!(item.get_type().name()?.to_string_lossy().as_ref(), "bool" | "bool_")
    };
    if is_numpys { item.is_truthy().map(Some) } else { Ok(None) }
}

/// The number that an object is, if it is one. Flags of NumPy's are none: to 2.2 they have `__index__`.
pub(crate) fn number(key: &Bound<'_, PyAny>) -> PyResult<Option<isize>> {
    if !key.is_instance_of::<PyInt>() && flag(key)?.is_some() {
        return Ok(None);
    }
    match key.extract() {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_instance_of::<PyTypeError>(key.py()) => Ok(None),
        // As a list has it.
        Err(error) if error.is_instance_of::<PyOverflowError>(key.py()) => {
            Err(PyIndexError::new_err("no row has a number that large"))
        }
        Err(error) => Err(error),
    }
}

pub(crate) fn no_memory(_: TryReserveError) -> PyErr {
    of_records(RecordsError::Memory)
}

/// The numbers of a slice's rows.
pub(crate) fn numbers(start: isize, count: usize, step: isize) -> PyResult<Vec<usize>> {
    let mut rows = Vec::new();
    rows.try_reserve_exact(count).map_err(no_memory)?;
    rows.extend((0..count).map(|at| (start + at as isize * step) as usize));
    Ok(rows)
}

/// A row counted from the beginning.
pub(crate) fn row(index: isize, len: usize) -> PyResult<usize> {
    let at = if index < 0 { index.checked_add_unsigned(len) } else { Some(index) };
    let at = at.and_then(|at| usize::try_from(at).ok()).filter(|at| *at < len);
    at.ok_or_else(|| PyIndexError::new_err(format!("row {index} of {len}")))
}

/// Rows by a mask of all, or by their numbers.
fn many(key: &Bound<'_, PyAny>, len: usize) -> PyResult<Vec<usize>> {
    let wrong = || {
        let text =
            "rows are chosen by a number, a slice, a mask, or several numbers; columns by name";
        PyTypeError::new_err(text)
    };
    let mut rows: Vec<usize> = Vec::new();
    let mut mask = 0;
    for (at, item) in key.try_iter().map_err(|_| wrong())?.enumerate() {
        let item = item?;
        rows.try_reserve(1).map_err(no_memory)?;
        if let Some(kept) = flag(&item)? {
            if mask != at {
                return Err(wrong());
            }
            mask += 1;
            if kept {
                rows.push(at);
            }
        } else if item.is_none() {
            return Err(PyTypeError::new_err(
                "a mask says True or False of each row, and not None",
            ));
        } else if mask == 0 {
            rows.push(row(number(&item)?.ok_or_else(wrong)?, len)?);
        } else {
            return Err(wrong());
        }
    }
    if mask > 0 && mask != len {
        return Err(PyValueError::new_err(format!("a mask of {mask} for {len} rows")));
    }
    Ok(rows)
}
