//! Values from Python objects, and Python objects of values.

use deadweight_records::{Kind, Value, Valued};
use pyo3::exceptions::PyUnicodeEncodeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PyString, PyType};

use super::ascii::is_ascii;
use super::reference::{Reference, is_object, object_of};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// `date(1970, 1, 1).toordinal()`.
const EPOCH_ORDINAL: i32 = 719_163;

/// A value that has what it borrows from.
///
/// Text that is ASCII is read where it lies. Other text is UTF-8 in a `bytes` of our own: asking a
/// `str` for it would leave a copy on it for as long as it lives (`PyUnicode_AsUTF8AndSize`).
pub(crate) enum Taken<'py> {
    Plain(Value<'static>),
    Ascii(Bound<'py, PyString>),
    Text(Bound<'py, PyBytes>),
    Bytes(Bound<'py, PyBytes>),
    Object(Reference),
    /// Text that is no UTF-8: half of a surrogate pair.
    Surrogate,
    /// A span of time whose microseconds 64 bits do not have.
    Beyond,
}

impl Valued for Taken<'_> {
    #[inline]
    fn value(&self) -> Value<'_> {
        match self {
            Taken::Plain(value) => *value,
            Taken::Ascii(text) => text.to_str().map_or(Value::Other, Value::Str),
            Taken::Text(utf8) => {
                std::str::from_utf8(utf8.as_bytes()).map_or(Value::Other, Value::Str)
            }
            Taken::Bytes(bytes) => Value::Bytes(bytes.as_bytes()),
            Taken::Object(reference) => reference.value(),
            Taken::Surrogate | Taken::Beyond => Value::Other,
        }
    }
}

/// What a column of that kind would get of an object. Runs no code but NumPy's.
#[inline]
pub(crate) fn take_for<'py>(kind: Kind, object: &Bound<'py, PyAny>) -> PyResult<Taken<'py>> {
    if is_object(kind) { Ok(Taken::Object(Reference::to(object))) } else { take(object) }
}

/// What any other column would get of an object.
#[inline]
pub(crate) fn take<'py>(object: &Bound<'py, PyAny>) -> PyResult<Taken<'py>> {
    if object.is_none() {
        return Ok(Taken::Plain(Value::None));
    }
    if let Ok(float) = object.cast_exact::<PyFloat>() {
        return Ok(Taken::Plain(Value::Float(float.value())));
    }
    if let Ok(text) = object.cast::<PyString>() {
        if is_ascii(text) {
            return Ok(Taken::Ascii(text.clone()));
        }
        return encoded(text);
    }
    if let Ok(flag) = object.cast_exact::<PyBool>() {
        return Ok(Taken::Plain(Value::Bool(flag.is_true())));
    }
    if let Ok(int) = object.cast::<PyInt>() {
        return Ok(Taken::Plain(Value::Int(integer(int)?)));
    }
    take_rarer(object)
}

/// What `take` gives of the commonest objects, read where it lies: with no reference, and no code run.
#[inline]
pub(crate) fn read<'a>(object: &'a Bound<'_, PyAny>) -> Option<Value<'a>> {
    if let Ok(text) = object.cast_exact::<PyString>() {
        return if is_ascii(text) { text.to_str().ok().map(Value::Str) } else { None };
    }
    if let Ok(int) = object.cast_exact::<PyInt>() {
        return int.extract::<i64>().ok().map(|int| Value::Int(int.into()));
    }
    if let Ok(float) = object.cast_exact::<PyFloat>() {
        return Some(Value::Float(float.value()));
    }
    if let Ok(flag) = object.cast_exact::<PyBool>() {
        return Some(Value::Bool(flag.is_true()));
    }
    object.is_none().then_some(Value::None)
}

fn encoded<'py>(text: &Bound<'py, PyString>) -> PyResult<Taken<'py>> {
    match text.encode_utf8() {
        Ok(utf8) => Ok(Taken::Text(utf8)),
        Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(text.py()) => {
            Ok(Taken::Surrogate)
        }
        Err(error) => Err(error),
    }
}

fn integer(int: &Bound<'_, PyInt>) -> PyResult<i128> {
    if let Ok(small) = int.extract::<i64>() {
        return Ok(small.into());
    }
    if let Ok(large) = int.extract::<u64>() {
        return Ok(large.into());
    }
    if let Ok(larger) = int.extract::<i128>() {
        return Ok(larger);
    }
    Ok(if int.lt(0)? { i128::MIN } else { i128::MAX })
}

fn take_rarer<'py>(object: &Bound<'py, PyAny>) -> PyResult<Taken<'py>> {
    let py = object.py();
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Taken::Bytes(bytes.clone()));
    }
    if is_missing(object) {
        return Ok(Taken::Plain(Value::None));
    }
    let times = Times::get(py)?;
    let value = if object.is_instance(times.datetime.bind(py))? {
        // A datetime with a time zone has no difference from one without. `fold` would be lost.
        let fold = object.getattr_opt(intern!(py, "fold"))?;
        let folded = fold.is_some_and(|fold| fold.is_truthy().unwrap_or(true));
        let since = if folded { None } else { object.sub(times.epoch.bind(py)).ok() };
        let since = since.and_then(|since| micros(times, &since));
        let since = since.and_then(|since| i64::try_from(since).ok());
        since.map_or(Value::Other, Value::DateTime)
    } else if object.is_instance(times.date.bind(py))? {
        let ordinal: i32 = object.call_method0(intern!(py, "toordinal"))?.extract()?;
        Value::Date(ordinal - EPOCH_ORDINAL)
    } else if object.is_instance(times.timedelta.bind(py))? {
        match micros(times, object).map(i64::try_from) {
            Some(Ok(micros)) => Value::TimeDelta(micros),
            Some(Err(_)) => return Ok(Taken::Beyond),
            None => Value::Other,
        }
    } else if of_numpy(object) {
        // An array has an item too, if it has no more than one.
        if object.getattr_opt(intern!(py, "ndim"))?.is_some_and(|ndim| ndim.ne(0).unwrap_or(true)) {
            return Ok(Taken::Plain(Value::Other));
        }
        return match object.call_method0(intern!(py, "item")) {
            Ok(item) if !of_numpy(&item) && (!is_time(object) || item.cast::<PyInt>().is_err()) => {
                take(&item)
            }
            _ => Ok(Taken::Plain(Value::Other)),
        };
    } else if let Ok(float) = object.cast::<PyFloat>() {
        Value::Float(float.value())
    } else {
        Value::Other
    };
    Ok(Taken::Plain(value))
}

/// Whether it is a member of an enum that is a number or a text as well, such as an `IntEnum`.
#[inline]
pub(crate) fn is_of_enum(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static ENUMS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if object.is_none()
        || object.is_exact_instance_of::<PyString>()
        || object.is_exact_instance_of::<PyInt>()
        || object.is_exact_instance_of::<PyFloat>()
        || object.is_exact_instance_of::<PyBool>()
    {
        return Ok(false);
    }
    let py = object.py();
    let enums = ENUMS.import(py, "enum", "EnumMeta")?;
    object.get_type().is_instance(enums)
}

/// What pandas has for no value.
fn is_missing(object: &Bound<'_, PyAny>) -> bool {
    let class = object.get_type();
    let name = class.name().is_ok_and(|name| name == "NaTType" || name == "NAType");
    name && class.module().is_ok_and(|module| module.to_string_lossy().starts_with("pandas."))
}

pub(crate) fn of_numpy(object: &Bound<'_, PyAny>) -> bool {
    let module = object.get_type().module();
    module.is_ok_and(|module| module == "numpy")
}

/// Whether it is a time of NumPy's: those of which `datetime` has no like come as integers.
fn is_time(object: &Bound<'_, PyAny>) -> bool {
    let name = object.get_type().name();
    name.is_ok_and(|name| name == "datetime64" || name == "timedelta64")
}

/// Microseconds of a `timedelta`, if they are all of it: pandas' have nanoseconds, or are no time at all.
fn micros(times: &Times, span: &Bound<'_, PyAny>) -> Option<i128> {
    let py = span.py();
    let part = |name: &Bound<'_, PyString>| span.getattr(name).ok()?.extract::<i64>().ok();
    if !span.get_type().is(&times.timedelta) {
        let nanos = span.getattr_opt(intern!(py, "nanoseconds")).ok()?;
        nanos.is_none_or(|nanos| nanos.eq(0).unwrap_or(false)).then_some(())?;
    }
    // Less than a day, both together.
    let rest = part(intern!(py, "seconds"))? * SECOND + part(intern!(py, "microseconds"))?;
    Some(i128::from(part(intern!(py, "days"))?) * i128::from(DAY) + i128::from(rest))
}

/// The classes of `datetime`, which the stable ABI has no functions for.
struct Times {
    datetime: Py<PyType>,
    date: Py<PyType>,
    timedelta: Py<PyType>,
    epoch: Py<PyAny>,
}

impl Times {
    fn get(py: Python<'_>) -> PyResult<&'static Times> {
        static TIMES: PyOnceLock<Times> = PyOnceLock::new();
        TIMES.get_or_try_init(py, || {
            let module = py.import("datetime")?;
            let class = |name: &str| -> PyResult<Py<PyType>> {
                Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
            };
            let datetime = class("datetime")?;
            let epoch = datetime.bind(py).call1((1970, 1, 1))?.unbind();
            Ok(Times { datetime, date: class("date")?, timedelta: class("timedelta")?, epoch })
        })
    }

    fn span<'py>(&self, py: Python<'py>, micros: i64) -> PyResult<Bound<'py, PyAny>> {
        let (days, rest) = (micros.div_euclid(DAY), micros.rem_euclid(DAY));
        self.timedelta.bind(py).call1((days, rest / SECOND, rest % SECOND))
    }
}

/// The Python object of a value.
#[inline]
pub(crate) fn give<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::None | Value::Other => py.None().into_bound(py),
        Value::Float(float) => PyFloat::new(py, float).into_any(),
        Value::Int(int) => match i64::try_from(int) {
            Ok(small) => small.into_pyobject(py)?.into_any(),
            Err(_) => int.into_pyobject(py)?.into_any(),
        },
        // `new` of either panics if there is no memory.
        Value::Str(text) => PyString::from_bytes(py, text.as_bytes())?.into_any(),
        Value::Bytes(bytes) => {
            let filled = |place: &mut [u8]| {
                place.copy_from_slice(bytes);
                Ok(())
            };
            PyBytes::new_with(py, bytes.len(), filled)?.into_any()
        }
        Value::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Value::DateTime(micros) => {
            let times = Times::get(py)?;
            times.epoch.bind(py).add(times.span(py, micros)?)?
        }
        Value::Date(days) => {
            let ordinal = i64::from(days) + i64::from(EPOCH_ORDINAL);
            Times::get(py)?.date.bind(py).call_method1(intern!(py, "fromordinal"), (ordinal,))?
        }
        Value::TimeDelta(micros) => Times::get(py)?.span(py, micros)?,
        Value::Object(object) => object_of(py, object),
    })
}
