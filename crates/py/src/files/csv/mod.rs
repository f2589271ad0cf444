//! Files of CSV: once through them, for whatever is asked.

mod bad;
mod batch;
mod decoding;
mod fill;
mod types;

use std::mem;
use std::sync::{Mutex, MutexGuard, TryLockError};

use deadweight_files::csv::{self, Dialect, Records};
use deadweight_files::{FilesError, Watch, Windows};
use deadweight_heap::Bytes;
use deadweight_records::Field;
use deadweight_report::view::files::{CheckView, OfFile};
use deadweight_report::{json, text};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};

use self::bad::{BadRows, NO_UTF8, OPEN, Policy, Told};
use self::batch::{Batch, Wanted};
use self::decoding::Decoding;
use self::fill::{Column, Failed, Plan};
use self::types::types;
use super::given::{Read, open_part, source};
use super::watch::Pulse;
use crate::errors::{of_files, of_records};
use crate::heap::written;
use crate::records::{Table, kind};

/// Number in the file, name, type, and whether there may be none. A type without a name is that of texts, of
/// which there may be few.
type WantedColumn = (usize, String, String, bool);

/// A document for programs, a text for people, and why each row that is listed is bad.
type Checked = (String, String, Vec<String>);

#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct CsvPass {
    name: String,
    dialect: Dialect,
    decoding: Decoding,
    reading: Mutex<Reading>,
}

struct Reading {
    /// Until they are taken for good, or have ended.
    records: Option<Records>,
    read: Read,
    pulse: Pulse,
    wanted: Option<Wanted>,
    batch: Batch,
    bad: BadRows,
}

impl Reading {
    /// Some rows, one at least, or what comes after the last.
    fn rows<'py>(&mut self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyList>>> {
        let Reading { records: Some(records), wanted: Some(wanted), .. } = self else {
            return Ok(None);
        };
        if !self.batch.has_ended() {
            self.pulse.scan(py, |watch| self.batch.fill(records, wanted, &mut self.bad, watch))?;
            if let Some(rows) = self.batch.rows(py, wanted)? {
                return Ok(Some(rows));
            }
        }
        match self.batch.take_end(name) {
            Some(error) => Err(error),
            None => self.pulse.end(py).map(|()| None),
        }
    }

    /// What holds files open, and objects, once nothing is read any more.
    fn close(&mut self) -> (Option<Records>, Read, Option<Wanted>) {
        (self.records.take(), self.read.take(), self.wanted.take())
    }
}

impl CsvPass {
    fn reading(&self) -> PyResult<MutexGuard<'_, Reading>> {
        match self.reading.try_lock() {
            Ok(reading) => Ok(reading),
            Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Err(PyRuntimeError::new_err(format!(
                "{} is read already, by another thread or within its own `read` or `progress`",
                self.name
            ))),
        }
    }

    fn was_read(&self) -> PyErr {
        PyValueError::new_err(format!("{} was read", self.name))
    }

    /// Something of the whole, from the beginning.
    fn whole<T: Send>(
        &self,
        py: Python<'_>,
        find: impl FnOnce(&mut Windows, Dialect, &mut Watch<'_>) -> Result<T, FilesError> + Send,
    ) -> PyResult<OfFile<T>> {
        let mut reading = self.reading()?;
        let records = reading.records.take().ok_or_else(|| self.was_read())?;
        let (mut windows, name) = (records.into_windows(), self.name.clone());
        let found = reading.pulse.scan(py, |watch| {
            let found = find(&mut windows, self.dialect, watch)?;
            let (size, appended) = (Bytes(windows.read_to()), Bytes(windows.source().appended()));
            Ok(OfFile { name, size, appended, found })
        })?;
        reading.pulse.end(py)?;
        Ok(found)
    }

    /// Nothing comes any more: all was read, unless `found` is an error.
    fn close<T, E>(&self, py: Python<'_>, found: &Result<T, E>) -> PyResult<()> {
        let mut reading = self.reading()?;
        let ended = reading.close();
        let told = if found.is_ok() { reading.pulse.end(py) } else { Ok(()) };
        drop(reading);
        drop(ended);
        told
    }

    /// Something of the records that come.
    fn ahead<T: Send>(
        &self,
        py: Python<'_>,
        find: impl FnOnce(&mut Records, &mut BadRows, &mut Watch<'_>) -> Result<T, FilesError> + Send,
    ) -> PyResult<T> {
        let mut reading = self.reading()?;
        let Reading { records, pulse, bad, .. } = &mut *reading;
        let records = records.as_mut().ok_or_else(|| self.was_read())?;
        let found = pulse.scan(py, |watch| find(records, bad, watch));
        if found.is_err() {
            let ended = reading.close();
            drop(reading);
            drop(ended);
        }
        found
    }
}

#[pymethods]
impl CsvPass {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "`scan_csv` has as many")]
    fn new(
        given: &Bound<'_, PyAny>,
        bytes: Option<(u64, u64)>,
        dialect: (&str, &str),
        decoding: (Option<&str>, &str),
        bad_rows: &str,
        longest: usize,
        max_unpacked: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<CsvPass> {
        let dialect = dialect_of(dialect.0, dialect.1)?;
        let decoding = Decoding::of(decoding.0, decoding.1)?;
        let bad = BadRows::new(Policy::of(bad_rows)?);
        let (source, read) = match bytes {
            Some((start, end)) => (open_part(given, start..end)?, None),
            None => source(given, max_unpacked)?,
        };
        let name = source.name().to_owned();
        let records = Some(Records::new(Windows::new(source), dialect).longest(longest));
        let (pulse, batch) = (Pulse::new(progress), Batch::default());
        let reading = Mutex::new(Reading { records, read, pulse, wanted: None, batch, bad });
        Ok(CsvPass { name, dialect, decoding, reading })
    }

    /// What messages call it.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// Where the first record begins and what its fields say, if there is one.
    fn header(&self, py: Python<'_>) -> PyResult<(u64, Vec<String>)> {
        let header = self.ahead(py, |records, _bad, watch| {
            let Some(record) = records.next(watch)? else { return Ok(None) };
            let text = |said| self.decoding.name(said).map(Into::into);
            Ok(Some((record.offset, record.is_open, record.fields().map(text).collect())))
        })?;
        let Some((offset, is_open, fields)): Option<(u64, bool, Vec<Option<String>>)> = header
        else {
            return Ok((0, Vec::new()));
        };
        let wrong =
            |reason: &str| PyValueError::new_err(format!("{}: the header: {reason}", self.name));
        if is_open {
            return Err(wrong(OPEN));
        }
        let width = fields.len();
        let named = fields.into_iter().zip(1..).map(|(field, number)| {
            field.ok_or_else(|| wrong(&format!("field {number} of {width}: {NO_UTF8}")))
        });
        Ok((offset, named.collect::<PyResult<_>>()?))
    }

    /// How many fields the first record has, which is read again by what comes.
    fn width(&self, py: Python<'_>) -> PyResult<usize> {
        let width = self.ahead(py, |records, _bad, watch| {
            Ok(records.next(watch)?.map_or(0, |record| record.width()))
        })?;
        let mut reading = self.reading()?;
        reading.records = reading.records.take().map(Records::again);
        Ok(width)
    }

    /// How many records there are, the header among them. No more than that was read.
    fn count(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.whole(py, csv::count)?.found)
    }

    /// Which records are not as they should be, with so many fields. No more than the header was read.
    fn check(&self, py: Python<'_>, header: bool, fields: u64, top: usize) -> PyResult<Checked> {
        let is_utf8 = self.decoding.is_utf8();
        let file = self.whole(py, |windows, dialect, watch| {
            csv::check(windows, dialect, top, Some(fields), is_utf8, watch)
        })?;
        let found = &file.found;
        let reasons = found.rows.iter().map(|row| text::bad_row(row, found.fields)).collect();
        let view = CheckView { files: vec![file], failed: Vec::new(), header };
        let document = written(|out| json::files_check(&view, out))?;
        Ok((document, written(|out| text::files_check(&view, out))?, reasons))
    }

    /// Says which columns, by number and name, the rows have that come when this is iterated, of how many
    /// fields each record is, and of which class of tuples rows are.
    fn select(
        &self,
        py: Python<'_>,
        width: usize,
        columns: Vec<(usize, String)>,
        made: Option<Py<PyType>>,
    ) -> PyResult<()> {
        let new = py.get_type::<PyTuple>().getattr("__new__")?.unbind();
        let class = made.map(|class| (class, new));
        let wanted = Wanted { width, columns, class, decoding: self.decoding };
        self.reading()?.wanted = Some(wanted);
        Ok(())
    }

    fn __iter__(slf: Py<CsvPass>) -> Py<CsvPass> {
        slf
    }

    /// Some rows, one at least.
    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let mut reading = self.reading()?;
        let rows = reading.rows(py, &self.name);
        if !matches!(rows, Ok(Some(_))) {
            let ended = reading.close();
            drop(reading);
            drop(ended);
        }
        rows
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does not wait for the collector.
        let Ok(reading) = self.reading.try_lock() else { return Ok(()) };
        visit.call(reading.read.as_deref())?;
        if let Some(Wanted { class: Some((class, new)), .. }) = &reading.wanted {
            visit.call(class)?;
            visit.call(new)?;
        }
        reading.pulse.visit(&visit)
    }

    fn __clear__(&self) {
        let Ok(mut reading) = self.reading.try_lock() else { return };
        let held = (reading.close(), mem::replace(&mut reading.pulse, Pulse::new(None)));
        drop(reading);
        drop(held);
    }

    /// The next rows, `most` of them or what there is, as columns.
    fn pack(
        &self,
        py: Python<'_>,
        width: usize,
        columns: Vec<WantedColumn>,
        most: Option<usize>,
    ) -> PyResult<Table> {
        let columns = columns.into_iter().map(column).collect::<PyResult<_>>()?;
        let most = most.unwrap_or(usize::MAX);
        let plan = Plan { width, columns, decoding: self.decoding, most };
        let table = self.ahead(py, |records, bad, watch| {
            let packer = plan.read(records, bad, watch)?;
            Ok(packer.and_then(|packer| packer.finish().map_err(Failed::Records)))
        })?;
        if !table.as_ref().is_ok_and(|table| table.len() >= most) {
            self.close(py, &table)?;
        }
        match table {
            Ok(table) => Ok(Table::new(table, None)),
            Err(Failed::Records(error)) => Err(of_records(error)),
            Err(Failed::Bad(bad)) => Err(bad.raised(&self.name)),
        }
    }

    /// Of each column, by number and name, the type that its texts say, empty of texts, and whether some are empty.
    fn types(
        &self,
        py: Python<'_>,
        width: usize,
        columns: Vec<(usize, String)>,
    ) -> PyResult<Vec<(&'static str, bool)>> {
        let wanted = Wanted { width, columns, class: None, decoding: self.decoding };
        let found = self.ahead(py, |records, bad, watch| types(records, &wanted, bad, watch))?;
        self.close(py, &found)?;
        found.map_err(|bad| bad.raised(&self.name))
    }

    /// How many bad rows there were so far, and those that were kept.
    fn bad<'py>(&self, py: Python<'py>) -> PyResult<(u64, Vec<Told<'py>>)> {
        Ok(self.reading()?.bad.told(py))
    }
}

fn column((place, name, type_, nullable): WantedColumn) -> PyResult<Column> {
    let is_free = type_.is_empty();
    let field = Field::new(name, kind(if is_free { "str" } else { &type_ })?);
    let field = if nullable { field.nullable() } else { field };
    Ok(Column { place, field, is_free })
}

fn dialect_of(delimiter: &str, quote: &str) -> PyResult<Dialect> {
    let byte = |name, text: &str| match text.as_bytes() {
        &[byte] => Ok(byte),
        _ => Err(of_files(FilesError::Dialect(name))),
    };
    Dialect::new(byte("delimiter", delimiter)?, byte("quote", quote)?).map_err(of_files)
}
