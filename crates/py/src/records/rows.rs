//! The container: a sequence of rows over columns.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deadweight_heap::{Addr, Bytes};
use deadweight_records::{self as records, Valued};
use pyo3::exceptions::{PyAttributeError, PyBufferError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyString, PyType};
use pyo3::{PyTraverseError, PyVisit};

use super::column::Column;
use super::file::Watch;
use super::given::{check_length, column, of_libraries, rows_of};
use super::incoming::{objects, read, refused, shown};
use super::reference::{Later, clear, is_object, traverse};
use super::row::Row;
use super::schema::Schema;
use super::select::{Selection, no_memory, numbers, row as row_at, selection};
use super::table::{Held, Table, fitted};
use super::value::{Taken, give};
use crate::arrow::{schema_capsule, stream_capsule};
use crate::errors::{of_records, of_records_file};

#[pyclass(subclass, module = "deadweight._core")]
pub(crate) struct Rows {
    pub(crate) class: Py<PyType>,
    pub(crate) schema: Py<Schema>,
    table: records::Table,
    watch: Option<Watch>,
    /// How often rows have got other numbers.
    pub(crate) moves: u64,
    /// Buffers that somebody has, for each column: while there are any, no column moves. They are counted
    /// outside, for one may be given back at any moment, by the collector.
    pub(crate) lent: Arc<[AtomicUsize]>,
}

impl Rows {
    /// The columns, to read.
    #[inline]
    pub(crate) fn table(&self) -> PyResult<&records::Table> {
        if let Some(watch) = &self.watch {
            watch.holds()?;
        }
        Ok(&self.table)
    }

    /// Whether the numbers of a column lie in a file.
    pub(crate) fn is_mapped(&self, field: usize) -> PyResult<bool> {
        let Some(watch) = &self.watch else { return Ok(false) };
        let numbers = self.table.columns().get(field).and_then(records::Column::address);
        Ok(watch.holds()? && numbers.is_some_and(|numbers| watch.has(numbers)))
    }

    /// Memory that the columns take, in bytes: what is theirs alone, and blocks that others may have too. What is
    /// mapped is the file's.
    pub(crate) fn memory(&self) -> (Bytes, Vec<(Addr, Bytes)>) {
        let (mut own, mut shared) = (Bytes(0), Vec::new());
        for block in self.table.allocations() {
            let bytes = Bytes(block.held() as u64);
            match block.start {
                Some(start) if self.watch.as_ref().is_some_and(|watch| watch.maps(start)) => {}
                Some(start) => shared.push((Addr(start as u64), bytes)),
                None => own += bytes,
            }
        }
        (own, shared)
    }

    fn is_lent(&self) -> bool {
        self.lent.iter().any(|lent| lent.load(Ordering::Relaxed) > 0)
    }

    /// The columns, for other values of some fields in rows that are there.
    pub(crate) fn values_mut(&mut self, fields: Range<usize>) -> PyResult<&mut records::Table> {
        self.table()?;
        for field in fields {
            let lent_out =
                self.lent.get(field).is_some_and(|lent| lent.load(Ordering::Relaxed) > 0);
            // The first change of what lies in a file copies it, and a buffer would be of the old.
            if lent_out && self.is_mapped(field)? {
                return Err(lent());
            }
        }
        Ok(&mut self.table)
    }

    fn all(&self) -> Range<usize> {
        0..self.table.columns().len()
    }

    /// The columns, for more rows or fewer.
    fn resized(&mut self) -> PyResult<&mut records::Table> {
        if self.is_lent() {
            return Err(lent());
        }
        self.table()?;
        Ok(&mut self.table)
    }

    /// The columns, with other numbers for rows.
    fn moved(&mut self) -> PyResult<&mut records::Table> {
        self.resized()?;
        self.moves = self.moves.wrapping_add(1);
        Ok(&mut self.table)
    }

    /// Does something with the columns that shares them or writes them. What has a buffer of them may
    /// write into it, so that they cannot be shared then: a copy is.
    pub(crate) fn shared<T>(
        &mut self,
        does: impl FnOnce(&mut records::Table) -> PyResult<T>,
    ) -> PyResult<T> {
        self.table()?;
        if !self.is_lent() {
            return does(&mut self.table);
        }
        does(&mut self.table.slice(0..self.table.len()).map_err(of_records)?)
    }
}

fn lent() -> PyErr {
    PyBufferError::new_err(
        "a buffer of a column is in use (an array or a memoryview): rows cannot move meanwhile",
    )
}

/// Another container of the same class, with other columns.
fn like<'py>(rows: &Bound<'py, Rows>, table: records::Table) -> PyResult<Bound<'py, PyAny>> {
    let py = rows.py();
    let class = rows.try_borrow()?.class.clone_ref(py);
    // Not called: a subclass may have an `__init__` that wants more.
    let kind = rows.get_type();
    kind.call_method1(intern!(py, "__new__"), (&kind, class, Table::new(table, None)))
}

fn len(rows: &Bound<'_, Rows>) -> PyResult<usize> {
    Ok(rows.try_borrow()?.table.len())
}

fn schema(rows: &Bound<'_, Rows>) -> PyResult<Py<Schema>> {
    Ok(rows.try_borrow()?.schema.clone_ref(rows.py()))
}

/// A row that comes in: its values, and whose they are.
struct Incoming<'a, 'py> {
    schema: &'a Schema,
    taken: Vec<Taken<'py>>,
    /// The class of rows that are plain objects.
    plain: Option<Bound<'py, PyType>>,
}

impl<'a, 'py> Incoming<'a, 'py> {
    fn of(schema: &'a Schema) -> Incoming<'a, 'py> {
        Incoming { schema, taken: Vec::with_capacity(schema.fields.len()), plain: None }
    }

    /// Reads a row, and does something with its values. No code of anybody's runs in that.
    fn with<T>(
        &mut self,
        row: &Bound<'py, PyAny>,
        number: usize,
        does: impl FnOnce(&[Taken<'py>]) -> PyResult<Result<T, records::RecordsError>>,
    ) -> PyResult<T> {
        read(self.schema, row, number, &mut self.taken, &mut self.plain)?;
        does(&self.taken)?.map_err(|error| {
            let objects = objects(self.schema, row, number, &mut self.plain).unwrap_or_default();
            refused(error, |name| self.schema.position(name), &objects)
        })
    }

    fn push(&mut self, rows: &Bound<'py, Rows>, row: &Bound<'py, PyAny>) -> PyResult<()> {
        self.with(row, len(rows)?, |taken| Ok(rows.try_borrow_mut()?.resized()?.push_each(taken)))
    }
}

/// Another container whose columns can be taken as such. What is an object there and a value here, or
/// the other way round, goes by Python's rows.
fn as_columns<'a, 'py>(
    schema: &Schema,
    source: &'a Bound<'py, PyAny>,
) -> PyResult<Option<&'a Bound<'py, Rows>>> {
    let Ok(rows) = source.cast::<Rows>() else { return Ok(None) };
    let inside = rows.try_borrow()?;
    let theirs = inside.schema.get();
    let plain = !schema.has_objects() && !theirs.has_objects();
    Ok((plain || theirs.fields == schema.fields).then_some(rows))
}

/// The class that is the first argument.
fn class_of<'a, 'py>(record: Option<&'a Bound<'py, PyAny>>) -> PyResult<&'a Bound<'py, PyType>> {
    let Some(record) = record else {
        return Err(PyTypeError::new_err("Records takes a class of rows: Records(User, rows)"));
    };
    record.cast::<PyType>().map_err(|_| {
        PyTypeError::new_err(format!(
            "Records takes a class of rows first, not {}: Records(User, rows); pack(rows) makes a class",
            shown(record)
        ))
    })
}

/// A table of rows that come in.
fn fresh(schema: &Schema, source: &Bound<'_, PyAny>) -> PyResult<records::Table> {
    let mut table = records::Table::new(&schema.fields).map_err(of_records)?;
    if let Some(rows) = as_columns(schema, source)? {
        table.append(rows.try_borrow()?.table()?).map_err(of_records)?;
        return Ok(table);
    }
    if let Some(columns) = of_libraries(schema, source)? {
        table.append(&columns).map_err(of_records)?;
        return Ok(table);
    }
    let mut incoming = Incoming::of(schema);
    for (number, row) in rows_of(source)?.enumerate() {
        incoming.with(&row?, number, |taken| Ok(table.push_each(taken)))?;
    }
    Ok(table)
}

#[pymethods]
impl Rows {
    #[new]
    #[pyo3(signature = (record=None, table=None, /, *_rest, **_named))]
    fn new(
        py: Python<'_>,
        record: Option<&Bound<'_, PyAny>>,
        table: Option<&Bound<'_, PyAny>>,
        _rest: &Bound<'_, pyo3::types::PyTuple>,
        _named: Option<&Bound<'_, pyo3::types::PyDict>>,
    ) -> PyResult<Rows> {
        let record = class_of(record)?;
        let schema = Schema::of(record)?;
        if !record.is_subclass_of::<Row>()? {
            return Err(PyTypeError::new_err("records are of a subclass of Record"));
        }
        let mut held = if let Some(table) = table.and_then(|table| table.cast::<Table>().ok()) {
            table.get().take()?
        } else {
            let table = records::Table::new(&schema.get().fields).map_err(of_records)?;
            Held { table, watch: None }
        };
        held.table = fitted(py, held.table, schema.get())?;
        let lent = held.table.columns().iter().map(|_| AtomicUsize::new(0)).collect();
        let (class, schema) = (record.clone().unbind(), schema.unbind());
        Ok(Rows { class, schema, table: held.table, watch: held.watch, moves: 0, lent })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.class)?;
        visit.call(&self.schema)?;
        traverse(&self.table, &visit)
    }

    fn __clear__(&mut self) {
        clear(&mut self.table);
    }

    fn __len__(&self) -> usize {
        self.table.len()
    }

    /// The class of its rows.
    #[getter]
    fn record(&self, py: Python<'_>) -> Py<PyType> {
        self.class.clone_ref(py)
    }

    /// Bytes of all values.
    #[getter]
    fn nbytes(&self) -> usize {
        self.table.payload()
    }

    fn __sizeof__(&self) -> usize {
        let (own, shared) = self.memory();
        let shared: Bytes = shared.iter().map(|(_, bytes)| *bytes).sum();
        size_of::<Rows>() + (own + shared).0 as usize
    }

    fn __getitem__<'py>(
        slf: &Bound<'py, Rows>,
        key: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        match selection(key, len(slf)?)? {
            Selection::Row(index) => Row::within(slf, index),
            Selection::Column(name) => Column::of(slf, &name)?
                .ok_or_else(|| of_records(records::RecordsError::NoField(name))),
            Selection::Slice { start, count, step: 1 } => {
                let range = start as usize..start as usize + count;
                let slice = slf.try_borrow()?.table()?.slice(range).map_err(of_records)?;
                like(slf, slice)
            }
            Selection::Slice { start, count, step } => {
                let rows = numbers(start, count, step)?;
                let taken = slf.try_borrow()?.table()?.take(&rows).map_err(of_records)?;
                like(slf, taken)
            }
            Selection::Rows(rows) => {
                let taken = slf.try_borrow()?.table()?.take(&rows).map_err(of_records)?;
                like(slf, taken)
            }
        }
    }

    fn __getattr__<'py>(
        slf: &Bound<'py, Rows>,
        name: &Bound<'py, PyString>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let name = name.to_string_lossy();
        Column::of(slf, &name)?.ok_or_else(|| {
            PyAttributeError::new_err(format!("records have neither a method nor a field {name:?}"))
        })
    }

    fn __setitem__(
        slf: &Bound<'_, Rows>,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let _later = Later::begin();
        let schema = schema(slf)?;
        let schema = schema.get();
        let rows = len(slf)?;
        match selection(key, rows)? {
            // To swap two rows would give both the same values.
            Selection::Row(index) if Row::is_another_of(value, slf, index) => {
                Err(PyTypeError::new_err(
                    "a view of another row of the same records: assign a copy of it, copy.copy(row)",
                ))
            }
            Selection::Row(index) => Incoming::of(schema).with(value, index, |taken| {
                let values: Vec<_> = taken.iter().map(Taken::value).collect();
                let mut inside = slf.try_borrow_mut()?;
                let all = inside.all();
                Ok(inside.values_mut(all)?.set_row(index, &values))
            }),
            Selection::Slice { start, count, step } => {
                let fresh = fresh(schema, value)?;
                let mut inside = slf.try_borrow_mut()?;
                if inside.table.len() != rows {
                    return Err(PyValueError::new_err("the records changed meanwhile"));
                }
                replace(&mut inside, &fresh, start, count, step)
            }
            Selection::Column(name) => {
                let place = schema.position(&name);
                let place = place
                    .ok_or_else(|| of_records(records::RecordsError::NoField(name.clone())))?;
                let fresh = column(&schema.fields[place], value)?;
                let mut inside = slf.try_borrow_mut()?;
                check_length(&name, fresh.len(), inside.table()?.len())?;
                inside.resized()?.set_column(place, fresh).map_err(of_records)
            }
            Selection::Rows(_) => {
                Err(PyTypeError::new_err("only a row, a slice or a column can be assigned to"))
            }
        }
    }

    fn __delitem__(slf: &Bound<'_, Rows>, key: &Bound<'_, PyAny>) -> PyResult<()> {
        let _later = Later::begin();
        let rows = len(slf)?;
        let gone: Vec<usize> = match selection(key, rows)? {
            Selection::Row(index) => {
                let mut inside = slf.try_borrow_mut()?;
                return inside.moved()?.delete(index..index + 1).map_err(of_records);
            }
            Selection::Slice { start, count, step: 1 } => {
                let range = start as usize..start as usize + count;
                return slf.try_borrow_mut()?.moved()?.delete(range).map_err(of_records);
            }
            Selection::Slice { start, count, step } => numbers(start, count, step)?,
            Selection::Rows(rows) => rows,
            Selection::Column(_) => {
                return Err(PyTypeError::new_err("a column cannot be deleted"));
            }
        };
        let mut kept = Vec::new();
        kept.try_reserve_exact(rows).map_err(no_memory)?;
        kept.resize(rows, true);
        for row in gone {
            kept[row] = false;
        }
        let mut inside = slf.try_borrow_mut()?;
        let left = inside.table()?.filter(&kept).map_err(of_records)?;
        *inside.moved()? = left;
        Ok(())
    }

    fn __iter__(slf: &Bound<'_, Rows>) -> RowIterator {
        RowIterator { rows: slf.clone().unbind(), next: 0 }
    }

    /// Adds a row at the end: an instance of the class, a tuple or list in the order of the fields, which may
    /// leave out the last if they have defaults, a dict, or any object that has such attributes.
    ///
    /// Raises `OverflowError` or `TypeError` with row, field and value, and changes nothing then.
    #[pyo3(signature = (row, /))]
    fn append<'py>(slf: &Bound<'py, Rows>, row: &Bound<'py, PyAny>) -> PyResult<()> {
        Incoming::of(schema(slf)?.get()).push(slf, row)
    }

    /// Adds rows at the end. If one is refused or the iterable raises, those before it stay.
    #[pyo3(signature = (rows, /))]
    fn extend<'py>(slf: &Bound<'py, Rows>, rows: &Bound<'py, PyAny>) -> PyResult<()> {
        let schema = schema(slf)?;
        let schema = schema.get();
        if let Some(other) = as_columns(schema, rows)? {
            if !other.is(slf) {
                let other = other.try_borrow()?;
                let mut inside = slf.try_borrow_mut()?;
                return inside.resized()?.append(other.table()?).map_err(of_records);
            }
            let copy = fresh(schema, rows)?;
            return slf.try_borrow_mut()?.resized()?.append(&copy).map_err(of_records);
        }
        if let Some(columns) = of_libraries(schema, rows)? {
            return slf.try_borrow_mut()?.resized()?.append(&columns).map_err(of_records);
        }
        let mut incoming = Incoming::of(schema);
        for row in rows_of(rows)? {
            incoming.push(slf, &row?)?;
        }
        Ok(())
    }

    /// Puts a row before another, as a list does.
    #[pyo3(signature = (index, row, /))]
    fn insert(slf: &Bound<'_, Rows>, index: isize, row: &Bound<'_, PyAny>) -> PyResult<()> {
        let schema = schema(slf)?;
        let schema = schema.get();
        let rows = len(slf)?;
        let at = if index < 0 { index.saturating_add_unsigned(rows).max(0) } else { index };
        let at = (at as usize).min(rows);
        let mut one = records::Table::new(&schema.fields).map_err(of_records)?;
        Incoming::of(schema).with(row, at, |taken| {
            let mut inside = slf.try_borrow_mut()?;
            let resized = inside.resized()?;
            let at = at.min(resized.len());
            if let Err(error) = one.push_each(taken) {
                return Ok(Err(error.moved(0, at)));
            }
            resized.insert(at, &one).map_err(of_records)?;
            inside.moved()?;
            Ok(Ok(()))
        })
    }

    /// Takes a row away and returns it, with values of its own.
    #[pyo3(signature = (index=-1, /))]
    fn pop<'py>(slf: &Bound<'py, Rows>, index: isize) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let _later = Later::begin();
        let at = row_at(index, len(slf)?)?;
        let (class, values) = {
            let mut inside = slf.try_borrow_mut()?;
            inside.resized()?;
            let table = inside.table()?;
            let value = |field| Ok(give(py, table.get(at, field).map_err(of_records)?)?.unbind());
            let values: PyResult<Vec<_>> = (0..table.columns().len()).map(value).collect();
            let values = values?;
            inside.moved()?.delete(at..at + 1).map_err(of_records)?;
            (inside.class.clone_ref(py), values)
        };
        Row::alone(class.bind(py), values)
    }

    /// Takes all rows away.
    fn clear(slf: &Bound<'_, Rows>) -> PyResult<()> {
        let _later = Later::begin();
        slf.try_borrow_mut()?.moved()?.clear();
        Ok(())
    }

    /// Turns the order of the rows round.
    fn reverse(&mut self) -> PyResult<()> {
        let count = self.table.len();
        let rows = numbers(count as isize - 1, count, -1)?;
        let turned = self.table()?.take(&rows).map_err(of_records)?;
        *self.moved()? = turned;
        Ok(())
    }

    /// Makes room for exactly so many more rows.
    #[pyo3(signature = (rows, /))]
    fn reserve(&mut self, rows: isize) -> PyResult<()> {
        let rows = usize::try_from(rows)
            .map_err(|_| PyValueError::new_err(format!("there is no room for {rows} rows")))?;
        self.resized()?.reserve(rows).map_err(of_records)
    }

    /// Gives back room to grow, and what replaced texts have left.
    fn shrink_to_fit(&mut self) -> PyResult<()> {
        self.resized()?.shrink_to_fit().map_err(of_records)
    }

    /// Copies what lies in a file.
    fn _detach(&mut self) -> PyResult<()> {
        self.resized()?.detach().map_err(of_records)
    }

    /// Writes an Arrow file (IPC), in place of one that may be there.
    #[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
    #[pyo3(signature = (path, /))]
    fn save(&mut self, path: PathBuf) -> PyResult<()> {
        self.shared(|table| {
            records::file::save(table, &path).map_err(|error| of_records_file(&path, error))
        })
    }

    /// The same file in memory.
    fn _dump<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let failed = |error| of_records_file(&PathBuf::from("pickle"), error);
        self.shared(|table| {
            let length = records::file::length(table).map_err(failed)?;
            PyBytes::new_with(py, length, |place| {
                records::file::write(table, place).map_err(failed)
            })
        })
    }

    /// Whether the rows have the same values as those of another container; not of objects.
    #[pyo3(signature = (other, /))]
    fn _same(slf: &Bound<'_, Rows>, other: &Bound<'_, Rows>) -> PyResult<bool> {
        let (this, other) = (slf.try_borrow()?, other.try_borrow()?);
        let (this, other) = (this.table()?, other.table()?);
        if this.len() != other.len() {
            return Ok(false);
        }
        for (field, column) in this.columns().iter().enumerate() {
            if is_object(column.kind()) {
                continue;
            }
            for row in 0..this.len() {
                let (a, b) = (this.get(row, field), other.get(row, field));
                if a.map_err(of_records)? != b.map_err(of_records)? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The columns' types, as Arrow's capsule interface has them.
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.table.arrow_schema().map_err(of_records)?)
    }

    /// The rows, without a copy unless a buffer of a column is in use. No other schema can be had.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let (schema, batches) = self.shared(|table| table.batches().map_err(of_records))?;
        stream_capsule(py, schema, batches)
    }
}

/// Puts rows in the place of others.
fn replace(
    rows: &mut Rows,
    fresh: &records::Table,
    start: isize,
    count: usize,
    step: isize,
) -> PyResult<()> {
    if step == 1 {
        let range = start as usize..start as usize + count;
        let table = if fresh.len() == count { rows.resized()? } else { rows.moved()? };
        table.insert(range.end, fresh).map_err(of_records)?;
        return table.delete(range).map_err(of_records);
    }
    if fresh.len() != count {
        return Err(PyValueError::new_err(format!(
            "a slice of {count} rows with a step takes as many, not {}",
            fresh.len()
        )));
    }
    let all = rows.all();
    let table = rows.values_mut(all)?;
    for (from, to) in numbers(start, count, step)?.into_iter().enumerate() {
        let values: Result<Vec<_>, _> =
            (0..fresh.columns().len()).map(|field| fresh.get(from, field)).collect();
        table.set_row(to, &values.map_err(of_records)?).map_err(of_records)?;
    }
    Ok(())
}

/// Rows one after another. It ends where there is none, at that moment: rows that are appended
/// meanwhile come too, as those of a list do.
#[pyclass(module = "deadweight._core")]
pub(crate) struct RowIterator {
    rows: Py<Rows>,
    next: usize,
}

#[pymethods]
impl RowIterator {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.rows)
    }

    fn __iter__(slf: Py<RowIterator>) -> Py<RowIterator> {
        slf
    }

    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let rows = self.rows.bind(py);
        if self.next >= len(rows)? {
            // Once at its end it stays there.
            self.next = usize::MAX;
            return Ok(None);
        }
        self.next += 1;
        Row::within(rows, self.next - 1).map(Some)
    }
}
