//! Rows in, of any shape, whose values decide the types.

use std::collections::HashMap;

use deadweight_records::{self as records, Field, Kind, Packer, RecordsError, Value};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use super::alike::put_alike;
use super::incoming::{as_dict, names_of, refused, shown};
use super::reference::is_object;
use super::schema::kind;
use super::table::{Cell, Table, from_arrow};
use super::value::{Taken, is_of_enum, take_for};
use crate::errors::of_records;

/// Name, type, and whether there may be none.
type Told = (String, String, bool);

/// Columns on their way, and what their fields are called in Python.
struct Packing {
    packer: Packer,
    /// The very objects that were the keys of the first dict, if there was one.
    names: Vec<Py<PyString>>,
    /// In the order in which the user says them.
    told: Vec<Field>,
    /// Of each field so far, whether its type is one of these.
    is_told: Vec<bool>,
    /// What the user calls the fields of rows that do not say it.
    given: Option<Vec<String>>,
    items: Items,
    /// The fields of objects of the classes that came so far, by the address of the class, which the
    /// dict `classes` keeps alive.
    of_class: HashMap<usize, Vec<usize>>,
    classes: Vec<Py<PyAny>>,
}

/// What the items of tuples and lists are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Items {
    /// No row has come yet.
    Unknown,
    /// As the user said, or the class of the first row, which is a tuple.
    Named,
    /// As we do, by their number.
    Numbered,
    /// No tuple came first: the order of the fields is that in which names came.
    Nameless,
}

/// Columns of rows: dicts and other mappings, tuples, lists, or objects with attributes.
#[pyfunction]
#[pyo3(signature = (rows, names, told, /))]
pub(crate) fn pack_records(
    rows: &Bound<'_, PyAny>,
    names: Option<Vec<String>>,
    told: Vec<Told>,
) -> PyResult<Table> {
    let mut packing = Packing {
        packer: Packer::default(),
        names: Vec::new(),
        told: told_fields(told)?,
        is_told: Vec::new(),
        items: if names.is_some() { Items::Named } else { Items::Unknown },
        given: names.clone(),
        of_class: HashMap::new(),
        classes: Vec::new(),
    };
    for name in names.unwrap_or_default() {
        packing.add(&PyString::intern(rows.py(), &name))?;
    }
    let (mut objects, mut taken) = (Vec::new(), Vec::new());
    for row in rows.try_iter()? {
        packing.push(&row?, &mut objects, &mut taken)?;
    }
    let is_free = matches!(packing.items, Items::Unknown | Items::Nameless);
    let table = finished(packing.packer, &packing.told)?;
    Ok(Table::new(if is_free { as_told(table, &packing.told)? } else { table }, None))
}

fn told_fields(told: Vec<Told>) -> PyResult<Vec<Field>> {
    let field = |(name, type_, nullable): Told| {
        let field = Field::new(name, kind(&type_)?);
        Ok(if nullable { field.nullable() } else { field })
    };
    told.into_iter().map(field).collect()
}

fn of_name<'a>(told: &'a [Field], name: &str) -> Option<&'a Field> {
    told.iter().find(|field| field.name == name)
}

/// The columns, with those that are told and that no row had: these may have no value, or there are no rows.
fn finished(mut packer: Packer, told: &[Field]) -> PyResult<records::Table> {
    for field in told {
        if packer.position(&field.name).is_some() {
            continue;
        }
        if packer.rows() > 0 && !field.nullable && !is_object(field.kind) {
            return Err(PyValueError::new_err(format!("no row has a field {:?}", field.name)));
        }
        packer.add_told(field).map_err(of_records)?;
    }
    packer.finish().map_err(of_records)
}

/// The columns in the order in which all of them are told, where it is no tuple's that gives them one.
fn as_told(table: records::Table, told: &[Field]) -> PyResult<records::Table> {
    let fields = table.fields();
    if told.len() != fields.len() || fields.iter().zip(told).all(|(a, b)| a.name == b.name) {
        return Ok(table);
    }
    table.into_fields(told).map_err(of_records)
}

/// Of a table, what would have come of its rows as dicts.
#[pyfunction]
#[pyo3(signature = (source, told, /))]
pub(crate) fn pack_arrow(source: &Bound<'_, PyAny>, told: Vec<Told>) -> PyResult<Table> {
    let py = source.py();
    let table = from_arrow(source)?;
    let told = told_fields(told)?;
    let mut packer = Packer::default();
    let fields = table.fields();
    for (place, field) in fields.iter().enumerate() {
        let nulls = table.null_count(place);
        let added = match of_name(&told, &field.name) {
            Some(told) => packer.add_told(told),
            // No value can say what it was: a float of four bytes, or whatever a column without values has.
            None if nulls == table.len() => packer.add_told(field),
            None if field.kind == Kind::F4 => {
                packer.add_told(&Field { nullable: nulls > 0, ..field.clone() })
            }
            None => packer.add(&field.name),
        };
        added.map_err(of_records)?;
    }
    let as_object: Vec<bool> =
        packer.so_far().columns().iter().map(|column| is_object(column.kind())).collect();
    let mut cells = Vec::with_capacity(fields.len());
    for row in 0..table.len() {
        cells.clear();
        for (field, as_object) in as_object.iter().enumerate() {
            let value = table.get(row, field).map_err(of_records)?;
            cells.push(Cell::of(py, value, *as_object)?);
        }
        packer.push_each(&cells).map_err(of_records)?;
    }
    Ok(Table::new(as_told(finished(packer, &told)?, &told)?, None))
}

impl Packing {
    fn add(&mut self, name: &Bound<'_, PyString>) -> PyResult<usize> {
        let text: String = name.extract()?;
        let told = of_name(&self.told, &text);
        let added = match told {
            Some(field) => self.packer.add_told(field),
            None => self.packer.add(&text),
        };
        self.is_told.push(told.is_some());
        self.names.push(name.clone().unbind());
        added.map_err(of_records)
    }

    fn position(&mut self, py: Python<'_>, name: &str) -> PyResult<usize> {
        match self.packer.position(name) {
            Some(position) => Ok(position),
            None => self.add(&PyString::intern(py, name)),
        }
    }

    fn push<'py>(
        &mut self,
        row: &Bound<'py, PyAny>,
        objects: &mut Vec<Bound<'py, PyAny>>,
        taken: &mut Vec<Taken<'py>>,
    ) -> PyResult<()> {
        objects.clear();
        taken.clear();
        if let Ok(dict) = row.cast::<PyDict>() {
            self.by_name(row)?;
            if put_alike(&mut self.packer, &self.names, dict)? {
                self.packer.end_row();
                return Ok(());
            }
            self.of_dict(dict, objects)?;
        } else if let Ok(tuple) = row.cast::<PyTuple>() {
            self.of_tuple(tuple, objects)?;
        } else if let Ok(list) = row.cast::<PyList>() {
            self.of_tuple(&list.to_tuple(), objects)?;
        } else {
            self.by_name(row)?;
            self.of_object(row, objects)?;
        }
        let columns = self.packer.so_far().columns();
        for ((object, column), is_told) in objects.iter().zip(columns).zip(&self.is_told) {
            // A member of an enum would come back as a plain number or text.
            taken.push(if !is_told && is_of_enum(object)? {
                Taken::Plain(Value::Other)
            } else {
                take_for(column.kind(), object)?
            });
        }
        let pushed = self.packer.push_each(taken);
        pushed.map_err(|error| refused(error, |name| self.packer.position(name), objects))
    }

    /// A row comes whose values have names.
    fn by_name(&mut self, row: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.items {
            Items::Numbered => {
                let (number, class) = (self.packer.rows(), row.get_type().name()?);
                Err(PyTypeError::new_err(format!(
                    "row {number}: a {class} among tuples, whose items have no names: names=[…] says them"
                )))
            }
            Items::Unknown => {
                self.items = Items::Nameless;
                Ok(())
            }
            Items::Named | Items::Nameless => Ok(()),
        }
    }

    fn of_dict<'py>(
        &mut self,
        dict: &Bound<'py, PyDict>,
        objects: &mut Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = dict.py();
        let mut found = 0;
        for name in &self.names {
            let object = dict.get_item(name.bind(py))?;
            found += usize::from(object.is_some());
            objects.push(object.unwrap_or_else(|| py.None().into_bound(py)));
        }
        if found == dict.len() {
            return Ok(());
        }
        for (key, value) in dict {
            let name = key.cast::<PyString>().map_err(|_| {
                let (row, key) = (self.packer.rows(), shown(&key));
                PyTypeError::new_err(format!("row {row}: the name of a field is a str, not {key}"))
            })?;
            if self.packer.position(&name.extract::<String>()?).is_none() {
                self.add(name)?;
                objects.push(value);
            }
        }
        Ok(())
    }

    fn of_tuple<'py>(
        &mut self,
        tuple: &Bound<'py, PyTuple>,
        objects: &mut Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = tuple.py();
        if self.items == Items::Unknown {
            let names = names_of(tuple.as_any())?.filter(|names| names.len() == tuple.len());
            self.items = if names.is_some() { Items::Named } else { Items::Numbered };
            let numbered = || (0..tuple.len()).map(|at| format!("field_{at}")).collect();
            let names: Vec<String> = names.unwrap_or_else(numbered);
            let add = |name: &String| self.add(&PyString::intern(py, name)).map(drop);
            names.iter().try_for_each(add)?;
        }
        if self.items == Items::Nameless {
            if names_of(tuple.as_any())?.is_some() {
                return self.of_object(tuple.as_any(), objects);
            }
            let row = self.packer.rows();
            return Err(PyTypeError::new_err(format!(
                "row {row}: items without names among rows with names: names=[…] says them"
            )));
        }
        let (row, got, want) = (self.packer.rows(), tuple.len(), self.names.len());
        if got != want {
            return Err(of_records(RecordsError::Ragged { row, got, want }));
        }
        objects.extend(tuple.iter());
        Ok(())
    }

    fn of_object<'py>(
        &mut self,
        row: &Bound<'py, PyAny>,
        objects: &mut Vec<Bound<'py, PyAny>>,
    ) -> PyResult<()> {
        let py = row.py();
        let class = row.get_type();
        let known = class.as_ptr() as usize;
        if !self.of_class.contains_key(&known) {
            if let Some(dict) = as_dict(row)? {
                return self.of_dict(&dict, objects);
            }
            let names = match (&self.given, names_of(row)?) {
                (Some(given), _) => given.clone(),
                (None, Some(names)) => names,
                (None, None) => {
                    let (row, name) = (self.packer.rows(), class.name()?);
                    let text = format!("row {row}: an object of type {name} has no fields");
                    return Err(PyTypeError::new_err(text));
                }
            };
            let positions: PyResult<_> = names.iter().map(|name| self.position(py, name)).collect();
            self.of_class.insert(known, positions?);
            self.classes.push(class.into_any().unbind());
        }
        objects.resize(self.names.len(), py.None().into_bound(py));
        for &field in self.of_class.get(&known).into_iter().flatten() {
            // An attribute that is missing is no value.
            if let Some(object) = row.getattr_opt(self.names[field].bind(py))? {
                objects[field] = object;
            }
        }
        Ok(())
    }
}
