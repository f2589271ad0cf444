//! Rows in, of any shape, whose values decide the types.

use std::collections::HashMap;

use deadweight_records::{Field, Packer, RecordsError};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use super::alike::put_alike;
use super::incoming::{names_of, refused};
use super::schema::kind;
use super::table::Table;
use super::value::{Taken, take_for};
use crate::errors::of_records;

/// Name, type, and whether there may be none.
type Told = (String, String, bool);

/// Columns on their way, and what their fields are called in Python.
struct Packing {
    packer: Packer,
    /// The very objects that were the keys of the first dict, if there was one.
    names: Vec<Py<PyString>>,
    told: HashMap<String, Field>,
    /// For tuples that do not say how their items are called.
    given: Option<Vec<String>>,
    /// The fields of objects of the classes that came so far, by the address of the class, which the
    /// dict `classes` keeps alive.
    of_class: HashMap<usize, Vec<usize>>,
    classes: Vec<Py<PyAny>>,
}

/// Columns of rows: dicts, tuples, or objects with attributes.
#[pyfunction]
#[pyo3(signature = (rows, names, told, /))]
pub(crate) fn pack_records(
    rows: &Bound<'_, PyAny>,
    names: Option<Vec<String>>,
    told: Vec<Told>,
) -> PyResult<Table> {
    let mut fields = HashMap::new();
    for (name, type_, nullable) in told {
        let field = Field::new(name.clone(), kind(&type_)?);
        fields.insert(name, if nullable { field.nullable() } else { field });
    }
    let mut packing = Packing {
        packer: Packer::default(),
        names: Vec::new(),
        told: fields,
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
    if packing.packer.rows() == 0 {
        let unseen: Vec<String> = packing.told.keys().cloned().collect();
        unseen.iter().try_for_each(|name| packing.position(rows.py(), name).map(drop))?;
    }
    if let Some(name) = packing.told.keys().find(|name| packing.packer.position(name).is_none()) {
        return Err(PyValueError::new_err(format!("no row has a field {name:?}")));
    }
    Ok(Table::new(packing.packer.finish().map_err(of_records)?, None))
}

impl Packing {
    fn add(&mut self, name: &Bound<'_, PyString>) -> PyResult<usize> {
        let text: String = name.extract()?;
        let added = match self.told.get(&text) {
            Some(field) => self.packer.add_told(field),
            None => self.packer.add(&text),
        };
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
        if let Ok(dict) = row.cast::<PyDict>()
            && put_alike(&mut self.packer, &self.names, dict)?
        {
            self.packer.end_row();
            return Ok(());
        }
        if let Ok(dict) = row.cast::<PyDict>() {
            self.of_dict(dict, objects)?;
        } else if let Ok(tuple) = row.cast::<PyTuple>() {
            self.of_tuple(tuple, objects)?;
        } else {
            self.of_object(row, objects)?;
        }
        for (object, column) in objects.iter().zip(self.packer.so_far().columns()) {
            taken.push(take_for(column.kind(), object)?);
        }
        let pushed = self.packer.push_each(taken);
        pushed.map_err(|error| refused(error, |name| self.packer.position(name), objects))
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
                let row = self.packer.rows();
                PyTypeError::new_err(format!("row {row}: a key of a record is a str"))
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
        if self.names.is_empty() && self.packer.rows() == 0 {
            let names = match names_of(tuple.as_any())? {
                Some(names) if names.len() == tuple.len() => names,
                _ => (0..tuple.len()).map(|at| format!("field_{at}")).collect(),
            };
            let add = |name: &String| self.add(&PyString::intern(py, name)).map(drop);
            names.iter().try_for_each(add)?;
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
