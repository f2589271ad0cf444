//! Numbers as they lie in a vector's file, and as Python has them.

use std::ffi::CStr;

use deadweight_files::vector::Number;
use pyo3::IntoPyObjectExt;
use pyo3::buffer::{ElementType, PyUntypedBuffer};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;

/// What Python makes of bytes, as many as a number has.
pub(super) fn give<'py>(
    py: Python<'py>,
    number: Number,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    let mut whole = [0; 8];
    whole[..bytes.len()].copy_from_slice(bytes);
    let whole = u64::from_le_bytes(whole);
    match number {
        Number::Bool => (whole != 0).into_bound_py_any(py),
        Number::I1 => (whole as i8).into_bound_py_any(py),
        Number::I2 => (whole as i16).into_bound_py_any(py),
        Number::I4 => (whole as i32).into_bound_py_any(py),
        Number::I8 => (whole as i64).into_bound_py_any(py),
        Number::U1 | Number::U2 | Number::U4 | Number::U8 => whole.into_bound_py_any(py),
        Number::F4 => f32::from_bits(whole as u32).into_bound_py_any(py),
        Number::F8 => f64::from_bits(whole).into_bound_py_any(py),
    }
}

/// Adds the bytes of a value.
pub(super) fn take(number: Number, value: &Bound<'_, PyAny>, to: &mut Vec<u8>) -> PyResult<()> {
    let whole = match number {
        Number::Bool => value.extract::<bool>()?.into(),
        Number::F4 => {
            let double: f64 = value.extract()?;
            let single = double as f32;
            if single.is_infinite() && double.is_finite() {
                return Err(beyond(number, value));
            }
            single.to_bits().into()
        }
        Number::F8 => value.extract::<f64>()?.to_bits(),
        Number::U8 => value.extract::<u64>().map_err(|error| fits(error, number, value))?,
        _ => {
            let int: i64 = value.extract().map_err(|error| fits(error, number, value))?;
            let bits = 8 * number.width() as u32;
            let signed = matches!(number, Number::I1 | Number::I2 | Number::I4 | Number::I8);
            // In the middle of what the width can say, or from zero on.
            let lowest = if signed { i64::MIN >> (64 - bits) } else { 0 };
            let highest = if signed { i64::MAX >> (64 - bits) } else { (1 << bits) - 1 };
            if int < lowest || int > highest {
                return Err(beyond(number, value));
            }
            int as u64
        }
    };
    to.extend_from_slice(&whole.to_le_bytes()[..number.width()]);
    Ok(())
}

fn fits(error: PyErr, number: Number, value: &Bound<'_, PyAny>) -> PyErr {
    if error.is_instance_of::<PyOverflowError>(value.py()) { beyond(number, value) } else { error }
}

fn beyond(number: Number, value: &Bound<'_, PyAny>) -> PyErr {
    PyOverflowError::new_err(format!("{value} does not fit into {number}"))
}

/// What buffers call a number.
pub(super) fn format(number: Number) -> &'static CStr {
    match number {
        Number::Bool => c"?",
        Number::I1 => c"b",
        Number::I2 => c"h",
        Number::I4 => c"i",
        Number::I8 => c"q",
        Number::U1 => c"B",
        Number::U2 => c"H",
        Number::U4 => c"I",
        Number::U8 => c"Q",
        Number::F4 => c"f",
        Number::F8 => c"d",
    }
}

/// Whether a buffer is a row of such numbers.
pub(super) fn holds(buffer: &PyUntypedBuffer, number: Number) -> bool {
    let bytes = number.width();
    let wanted = match number {
        Number::Bool => ElementType::Bool,
        Number::I1 | Number::I2 | Number::I4 | Number::I8 => ElementType::SignedInteger { bytes },
        Number::U1 | Number::U2 | Number::U4 | Number::U8 => ElementType::UnsignedInteger { bytes },
        Number::F4 | Number::F8 => ElementType::Float { bytes },
    };
    let format = buffer.format();
    // The other way round in memory.
    let swapped = matches!(format.to_bytes(), [b'>' | b'!', _]);
    buffer.dimensions() == 1 && !swapped && ElementType::from_format(format) == wanted
}

/// The number that a user means: by its name, or in any other way that a column of records is told its type.
pub(super) fn named(dtype: &Bound<'_, PyAny>) -> PyResult<Number> {
    let known = dtype.py().import("deadweight._dtypes")?.call_method1("column_type", (dtype,));
    let known = match known {
        Ok(known) => Some(known.extract::<(String, bool)>()?),
        Err(error) if error.is_instance_of::<PyTypeError>(dtype.py()) => None,
        Err(error) => return Err(error),
    };
    // NumPy's types of the other byte order mean the same values, but not the same file.
    let is_swapped = dtype
        .getattr_opt("isnative")?
        .is_some_and(|native| matches!(native.is_truthy(), Ok(false)));
    let number = known.filter(|_| !is_swapped).and_then(|(name, or_none)| {
        Number::ALL.into_iter().find(|number| !or_none && number.name() == name)
    });
    number.ok_or_else(|| {
        let names = Number::ALL.map(Number::name).join(", ");
        let dtype = dtype.repr().map_or_else(|_| "that".to_owned(), |text| text.to_string());
        let order = if is_swapped { ", in this machine's byte order" } else { "" };
        PyTypeError::new_err(format!("no vector holds {dtype}: it holds one of {names}{order}"))
    })
}
