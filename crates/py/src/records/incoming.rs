//! The values of one row that somebody hands in.

use deadweight_records::{Kind, Reason, RecordsError, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyFunction, PyInt, PyList, PyString, PyTuple, PyType};

use super::row::Row;
use super::schema::Schema;
use super::value::{Taken, is_of_enum, take, take_for};
use crate::errors::of_records;

/// A row's objects, in the order of the fields: of a row, a tuple, a list, a dict or another mapping, or
/// any object with such attributes. `plain` is a class whose instances are such objects, for the next row to be
/// known by: to ask a class takes as long as to read a row.
pub(crate) fn objects<'py>(
    schema: &Schema,
    row: &Bound<'py, PyAny>,
    number: usize,
    plain: &mut Option<Bound<'py, PyType>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    if let Ok(tuple) = row.cast::<PyTuple>() {
        return as_many(row.py(), schema, tuple.iter().collect(), number);
    }
    if let Ok(dict) = row.cast::<PyDict>() {
        return of_dict(schema, dict, number);
    }
    if let Ok(ours) = row.cast::<Row>() {
        let theirs = Schema::of(&row.get_type())?;
        let same = |(a, b): (&Py<PyString>, &Py<PyString>)| a.is(b);
        let names = &theirs.get().names;
        if names.len() == schema.names.len() && names.iter().zip(&schema.names).all(same) {
            return ours.get().objects(row.py(), names.len());
        }
    }
    if let Ok(list) = row.cast::<PyList>() {
        return as_many(row.py(), schema, list.iter().collect(), number);
    }
    let class = row.get_type();
    if !plain.as_ref().is_some_and(|plain| plain.is(&class)) {
        if let Some(dict) = as_dict(row)? {
            return of_dict(schema, &dict, number);
        }
        *plain = Some(class);
    }
    of_object(schema, row, number)
}

/// What any other mapping has, which is what `dict` takes for one: a class of rows whose field is called
/// `keys` has no items.
pub(crate) fn as_dict<'py>(row: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let (py, class) = (row.py(), row.get_type());
    if !class.hasattr(intern!(py, "keys"))? || !class.hasattr(intern!(py, "__getitem__"))? {
        return Ok(None);
    }
    Ok(Some(py.get_type::<PyDict>().call1((row,))?.cast_into()?))
}

fn of_object<'py>(
    schema: &Schema,
    row: &Bound<'py, PyAny>,
    number: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = row.py();
    let own = schema.names.iter().map(|name| row.getattr_opt(name.bind(py)));
    let own: Vec<_> = own.collect::<PyResult<_>>()?;
    if !own.is_empty() && own.iter().all(Option::is_none) {
        // All of it would be defaults: more likely it is no row.
        let class = row.get_type().name()?;
        let text = format!("row {number}: an object of type {class} has none of the fields");
        return Err(PyTypeError::new_err(text));
    }
    let values = own.into_iter().enumerate().map(|(field, object)| {
        let object = object.or_else(|| schema.default(py, field));
        object.ok_or_else(|| no_value(schema, field, number))
    });
    values.collect()
}

fn as_many<'py>(
    py: Python<'py>,
    schema: &Schema,
    mut objects: Vec<Bound<'py, PyAny>>,
    row: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let (got, want) = (objects.len(), schema.fields.len());
    if got > want {
        return Err(of_records(RecordsError::Ragged { row, got, want }));
    }
    objects.extend((got..want).map_while(|field| schema.default(py, field)));
    if objects.len() == want {
        return Ok(objects);
    }
    let least =
        (0..want).rfind(|&field| schema.default(py, field).is_none()).map_or(0, |last| last + 1);
    Err(if least == want {
        of_records(RecordsError::Ragged { row, got, want })
    } else {
        PyValueError::new_err(format!("row {row} has {got} values, not {least} to {want}"))
    })
}

fn of_dict<'py>(
    schema: &Schema,
    dict: &Bound<'py, PyDict>,
    number: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = dict.py();
    let (mut objects, mut found) = (Vec::with_capacity(schema.names.len()), 0);
    for (field, name) in schema.names.iter().enumerate() {
        objects.push(match dict.get_item(name.bind(py))? {
            Some(object) => {
                found += 1;
                object
            }
            None => schema.default(py, field).ok_or_else(|| no_value(schema, field, number))?,
        });
    }
    if found == dict.len() {
        return Ok(objects);
    }
    let unknown = dict.keys().iter().find(|key| {
        let name = key.extract::<String>();
        name.map_or(true, |name| schema.position(&name).is_none())
    });
    let key = unknown.map_or_else(String::new, |key| shown(&key));
    Err(PyValueError::new_err(format!("row {number}: there is no field {key}")))
}

fn no_value(schema: &Schema, field: usize, row: usize) -> PyErr {
    let name = &schema.fields[field].name;
    PyTypeError::new_err(format!("row {row}, field {name:?}: no value, and no default"))
}

/// The objects of a call: those by position first.
pub(crate) fn arguments<'py>(
    schema: &Schema,
    class: &str,
    given: &Bound<'py, PyTuple>,
    named: Option<&Bound<'py, PyDict>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let py = given.py();
    if given.len() > schema.fields.len() {
        let (most, got) = (schema.fields.len(), given.len());
        return Err(PyTypeError::new_err(format!("{class}() takes {most} values, not {got}")));
    }
    let mut objects: Vec<_> = given.iter().collect();
    let mut used = 0;
    for field in given.len()..schema.fields.len() {
        let told = match named {
            Some(named) => named.get_item(schema.names[field].bind(py))?,
            None => None,
        };
        used += usize::from(told.is_some());
        objects.push(told.or_else(|| schema.default(py, field)).ok_or_else(|| {
            let name = &schema.fields[field].name;
            let missing = || format!("{class}() has no value for field {name:?}");
            PyTypeError::new_err(
                misnamed(schema, class, given.len(), named).unwrap_or_else(missing),
            )
        })?);
    }
    if named.map_or(0, PyDictMethods::len) == used {
        return Ok(objects);
    }
    let text = misnamed(schema, class, given.len(), named).unwrap_or_default();
    Err(PyTypeError::new_err(text))
}

/// What is said of the first name that is of no field, or of one that has a value by position.
fn misnamed(
    schema: &Schema,
    class: &str,
    given: usize,
    named: Option<&Bound<'_, PyDict>>,
) -> Option<String> {
    named?.keys().iter().find_map(|key| {
        let place = key.extract::<String>().ok().and_then(|name| schema.position(&name));
        match place {
            None => Some(format!("{class}() has no field {}", shown(&key))),
            Some(place) if place < given => {
                Some(format!("{class}() has two values for field {}", shown(&key)))
            }
            Some(_) => None,
        }
    })
}

/// The values of a row, in a place that the next row uses again. The objects' own code has run when
/// this is done.
pub(crate) fn read<'py>(
    schema: &Schema,
    row: &Bound<'py, PyAny>,
    number: usize,
    taken: &mut Vec<Taken<'py>>,
    plain: &mut Option<Bound<'py, PyType>>,
) -> PyResult<()> {
    taken.clear();
    match row.cast::<PyTuple>() {
        Ok(tuple) if tuple.len() == schema.fields.len() => {
            for (object, field) in tuple.iter_borrowed().zip(&schema.fields) {
                taken.push(take_for(field.kind, &object)?);
            }
        }
        _ => {
            for (object, field) in objects(schema, row, number, plain)?.iter().zip(&schema.fields) {
                taken.push(take_for(field.kind, object)?);
            }
        }
    }
    Ok(())
}

/// An error about a value of a row, with that value as Python shows it.
pub(crate) fn refused(
    error: RecordsError,
    position: impl Fn(&str) -> Option<usize>,
    objects: &[Bound<'_, PyAny>],
) -> PyErr {
    let RecordsError::Value { row, field, reason } = error else { return of_records(error) };
    match position(&field).and_then(|at| objects.get(at)) {
        Some(object) => refused_object(Some(row), field, reason, object),
        None => of_records(RecordsError::Value { row, field, reason }),
    }
}

/// The same of one object; it may be of no row that anybody could count.
pub(crate) fn refused_object(
    row: Option<usize>,
    field: String,
    reason: Reason,
    object: &Bound<'_, PyAny>,
) -> PyErr {
    let place = match row {
        Some(row) => format!("row {row}, field {field:?}"),
        None => format!("field {field:?}"),
    };
    let is_of_datetimes = matches!(
        reason,
        Reason::WrongType { kind: Kind::DateTime, .. }
            | Reason::Mixed { kind: Kind::DateTime, .. }
            | Reason::NoType { .. }
    );
    if is_of_datetimes && let Some(why) = not_in_datetime(object) {
        let text = object.str().map_or_else(|_| shown(object), |text| text.to_string());
        return PyTypeError::new_err(format!("{place}: {text} {why}"));
    }
    let reason = match (reason, take(object)) {
        (
            Reason::WrongType { .. } | Reason::NoType { .. } | Reason::Mixed { .. },
            Ok(Taken::Surrogate),
        ) => {
            let text = shown(object);
            return PyValueError::new_err(format!(
                "{place}: {text} has half of a surrogate pair, which UTF-8 has not"
            ));
        }
        (Reason::NoType { .. }, _) => {
            let text = shown(object);
            let plain = match take(object) {
                // What is no member of an enum is beyond all columns of numbers.
                Ok(Taken::Plain(Value::Int(_))) if is_of_enum(object).unwrap_or(false) => {
                    ", int takes the numbers"
                }
                Ok(Taken::Ascii(_) | Taken::Text(_)) => ", str takes the texts",
                _ => "",
            };
            return PyTypeError::new_err(format!(
                "{place}: no column of values holds {text}; \
                 types={{{field:?}: object}} makes it one of objects{plain}"
            ));
        }
        (Reason::Mixed { kind, .. }, _) => {
            let (text, before) = (shown(object), of_python(kind, object));
            let missing = if is_nan(object) { MISSING } else { "" };
            return PyTypeError::new_err(format!(
                "{place}: {text} among values of type {before}: no column holds both without loss; \
                 types={{{field:?}: object}} keeps them as they are{missing}"
            ));
        }
        (Reason::WrongType { kind, .. }, _) if is_nan(object) => {
            let text = shown(object);
            return PyTypeError::new_err(format!("{place}: {text} is no {kind}{MISSING}"));
        }
        (Reason::WrongType { value, kind: Kind::TimeDelta }, Ok(Taken::Beyond)) => {
            Reason::Overflow { value, kind: Kind::TimeDelta }
        }
        (reason, _) => reason,
    };
    let reason = with_shown(reason, object);
    of_records(match row {
        Some(row) => RecordsError::Value { row, field, reason },
        None => RecordsError::Field { field, reason },
    })
}

/// What pandas has NaN for in any column.
const MISSING: &str = "; what has no value is None here, not NaN";

fn is_nan(object: &Bound<'_, PyAny>) -> bool {
    object.cast::<PyFloat>().is_ok_and(|float| float.value().is_nan())
}

/// What the values of a column are to Python; but among integers, an integer is beyond those of their type.
fn of_python(kind: Kind, object: &Bound<'_, PyAny>) -> &'static str {
    match kind {
        Kind::Category => Kind::Str.name(),
        Kind::F4 | Kind::F8 => "float",
        kind if kind.bounds().is_some() && !object.is_exact_instance_of::<PyInt>() => "int",
        kind => kind.name(),
    }
}

/// What a datetime has that a column has not.
fn not_in_datetime(object: &Bound<'_, PyAny>) -> Option<&'static str> {
    let py = object.py();
    let datetime = py.import("datetime").and_then(|module| module.getattr("datetime")).ok()?;
    object.is_instance(&datetime).ok()?.then_some(())?;
    let part = |name| object.getattr_opt(name).ok().flatten();
    let fold = part(intern!(py, "fold"))?;
    if part(intern!(py, "tzinfo")).is_some_and(|zone| !zone.is_none()) {
        return Some(
            "has a time zone, which records do not keep: convert it to UTC and take that off",
        );
    }
    fold.eq(1).unwrap_or(false).then_some("has fold=1, which records do not keep: replace(fold=0)")
}

/// An error about the default of a field.
pub(crate) fn refused_default(field: String, reason: Reason, object: &Bound<'_, PyAny>) -> PyErr {
    of_records(RecordsError::Field { field, reason: with_shown(reason, object) })
}

fn with_shown(reason: Reason, object: &Bound<'_, PyAny>) -> Reason {
    match reason {
        Reason::Overflow { kind, .. } => Reason::Overflow { value: shown(object), kind },
        Reason::WrongType { kind, .. } => Reason::WrongType { value: shown(object), kind },
        other => other,
    }
}

/// Of a long text, messages show this many characters.
const SHOWN: usize = 60;

pub(crate) fn shown(object: &Bound<'_, PyAny>) -> String {
    let whole = object.repr().ok().map(|text| text.to_string_lossy().into_owned());
    let whole = whole.unwrap_or_else(|| {
        let name = object.get_type().name();
        name.map_or_else(|_| "an object".into(), |name| format!("an object of type {name}"))
    });
    match whole.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

/// Where `cached_method` keeps what is no value of an object's (`_cached_method.py`).
const CACHES: &str = "_deadweight_caches";

/// The names of the fields that an object of a user's has, if it says so: those of a named tuple or a
/// dataclass, of slots, or what is in its `__dict__`, but for what its class computes.
pub(crate) fn names_of(object: &Bound<'_, PyAny>) -> PyResult<Option<Vec<String>>> {
    let py = object.py();
    let class = object.get_type();
    if let Ok(names) = class.getattr(intern!(py, "_fields")) {
        return names.extract().map(Some);
    }
    if let Ok(fields) = class.getattr(intern!(py, "__dataclass_fields__")) {
        return Ok(Some(fields.cast::<PyDict>()?.keys().extract()?));
    }
    let mut names = Vec::new();
    for base in class.mro().iter().rev() {
        if let Ok(slots) = base.getattr(intern!(py, "__slots__")) {
            let of_base = match slots.extract::<String>() {
                Ok(one) => vec![one],
                Err(_) => slots.try_iter()?.map(|name| name?.extract()).collect::<PyResult<_>>()?,
            };
            let wanted = |name: &String| !name.starts_with("__") && !names.contains(name);
            let fresh: Vec<String> = of_base.into_iter().filter(wanted).collect();
            names.extend(fresh);
        }
    }
    if let Ok(dict) = object.getattr(intern!(py, "__dict__")) {
        names.extend(dict.cast::<PyDict>()?.keys().extract::<Vec<String>>()?);
    }
    let mut fields = Vec::with_capacity(names.len());
    for name in names {
        if name != CACHES && !is_computed(&class, &name)? {
            fields.push(name);
        }
    }
    Ok((!fields.is_empty()).then_some(fields))
}

/// Whether a class has a property of that name, cached or not, or another function that is run where an object has
/// no value of its own. An object that has one has kept what came of it.
fn is_computed(class: &Bound<'_, PyType>, name: &str) -> PyResult<bool> {
    static PROPERTY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static CACHED: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = class.py();
    let property = PROPERTY.import(py, "builtins", "property")?;
    let cached = CACHED.import(py, "functools", "cached_property")?;
    for base in class.mro() {
        // Not by `getattr`, which asks the descriptor.
        let Ok(found) = base.getattr(intern!(py, "__dict__"))?.get_item(name) else { continue };
        let kind = found.get_type();
        let getter = kind.getattr_opt(intern!(py, "__get__"))?;
        return Ok(kind.is_subclass(property)?
            || kind.is_subclass(cached)?
            || getter.is_some_and(|getter| getter.is_instance_of::<PyFunction>())
                && !kind.hasattr(intern!(py, "__set__"))?);
    }
    Ok(false)
}
