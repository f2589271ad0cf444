//! Files of CSV: once through them, for whatever is asked.

mod bad;
mod batch;
mod decoding;
mod fill;
mod types;

use std::sync::{Mutex, PoisonError};

use deadweight_files::csv::{self, Dialect, Records};
use deadweight_files::{FilesError, Watch, Windows};
use deadweight_heap::Bytes;
use deadweight_records::Field;
use deadweight_report::view::files::{CheckView, OfFile};
use deadweight_report::{json, text};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

use self::bad::{BadRows, Policy, Told, no_text};
use self::batch::{Batch, Wanted};
use self::decoding::Decoding;
use self::fill::{Column, Failed, Plan};
use self::types::types;
use super::given::source;
use super::watch::Pulse;
use crate::errors::{of_files, of_records};
use crate::heap::written;
use crate::records::{Table, kind};

/// Number in the file, name, type, and whether there may be none. A type without a name is that of texts, of
/// which there may be few.
type WantedColumn = (usize, String, String, bool);

/// A document for programs, a text for people, and why each row that is listed is bad.
type Checked = (String, String, Vec<String>);

#[pyclass(module = "deadweight._core")]
pub(crate) struct CsvPass {
    name: String,
    dialect: Dialect,
    decoding: Decoding,
    records: Held,
    pulse: Pulse,
    wanted: Option<Wanted>,
    batch: Batch,
    bad: BadRows,
}

impl CsvPass {
    /// Something of the whole, from the beginning.
    fn whole<T: Send>(
        &mut self,
        py: Python<'_>,
        find: impl FnOnce(&mut Windows, Dialect, &mut Watch<'_>) -> Result<T, FilesError> + Send,
    ) -> PyResult<OfFile<T>> {
        let mut windows = taken(&mut self.records, &self.name)?.into_windows();
        let (dialect, name) = (self.dialect, self.name.clone());
        self.pulse.scan(py, |watch| {
            let found = find(&mut windows, dialect, watch)?;
            let (size, appended) = (Bytes(windows.read_to()), Bytes(windows.source().appended()));
            Ok(OfFile { name, size, appended, found })
        })
    }
}

/// Until they are taken for good. Never locked, only so that others could: who has the pass has them alone.
type Held = Mutex<Option<Records>>;

fn held<'a>(records: &'a mut Held, name: &str) -> PyResult<&'a mut Records> {
    let records = records.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut();
    records.ok_or_else(|| PyValueError::new_err(format!("{name} was read")))
}

fn taken(records: &mut Held, name: &str) -> PyResult<Records> {
    held(records, name)?;
    let records = records.get_mut().unwrap_or_else(PoisonError::into_inner).take();
    records.ok_or_else(|| PyValueError::new_err(format!("{name} was read")))
}

#[pymethods]
impl CsvPass {
    #[new]
    fn new(
        given: &Bound<'_, PyAny>,
        dialect: (&str, &str),
        decoding: (&str, &str),
        bad_rows: &str,
        longest: usize,
        max_unpacked: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<CsvPass> {
        let dialect = dialect_of(dialect.0, dialect.1)?;
        let decoding = Decoding::of(decoding.0, decoding.1)?;
        let bad = BadRows::new(Policy::of(bad_rows)?);
        let source = source(given, max_unpacked)?;
        let name = source.name().to_owned();
        let records = Records::new(Windows::new(source), dialect).longest(longest);
        let records = Mutex::new(Some(records));
        let (pulse, batch) = (Pulse::new(progress), Batch::default());
        Ok(CsvPass { name, dialect, decoding, records, pulse, wanted: None, batch, bad })
    }

    /// What messages call it.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// What the fields of the first record say.
    fn header(&mut self, py: Python<'_>) -> PyResult<Option<Vec<String>>> {
        let decoding = self.decoding;
        let CsvPass { records, pulse, name, .. } = self;
        let records = held(records, name)?;
        let header = pulse.scan(py, |watch| {
            let Some(record) = records.next(watch)? else { return Ok(None) };
            Ok(Some(record.fields().map(|said| decoding.text(said).map(Into::into)).collect()))
        })?;
        let Some(fields): Option<Vec<Option<String>>> = header else { return Ok(None) };
        let named = fields.into_iter().enumerate().map(|(number, field)| {
            let text = || format!("{name}: the header: {}", no_text(&(number + 1).to_string()));
            field.ok_or_else(|| PyValueError::new_err(text()))
        });
        named.collect::<PyResult<_>>().map(Some)
    }

    /// Goes back to the beginning. No more than the first record was read.
    fn again(&mut self) -> PyResult<()> {
        self.records = Mutex::new(Some(taken(&mut self.records, &self.name)?.again()));
        Ok(())
    }

    /// How many records there are, the header among them. No more than that was read.
    fn count(&mut self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.whole(py, csv::count)?.found)
    }

    /// Which records are not as they should be. No more than the header was read.
    fn check(&mut self, py: Python<'_>, header: bool, top: usize) -> PyResult<Checked> {
        let file =
            self.whole(py, |windows, dialect, watch| csv::check(windows, dialect, top, watch))?;
        let found = &file.found;
        let reasons = found.rows.iter().map(|row| text::bad_row(row, found.fields)).collect();
        let view = CheckView { files: vec![file], header };
        let document = written(|out| json::files_check(&view, out))?;
        Ok((document, written(|out| text::files_check(&view, out))?, reasons))
    }

    /// Says which columns, by number and name, the rows have that come when this is iterated, of how many
    /// fields each record is, and of which class of tuples rows are.
    fn select(
        &mut self,
        py: Python<'_>,
        width: usize,
        columns: Vec<(usize, String)>,
        made: Option<Py<PyType>>,
    ) -> PyResult<()> {
        let new = py.get_type::<PyTuple>().getattr("__new__")?.unbind();
        let class = made.map(|class| (class, new));
        self.wanted = Some(Wanted { width, columns, class, decoding: self.decoding });
        Ok(())
    }

    fn __iter__(slf: Py<CsvPass>) -> Py<CsvPass> {
        slf
    }

    /// Some rows, one at least.
    fn __next__<'py>(&mut self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyList>>> {
        let CsvPass { wanted, records, batch, bad, pulse, name, .. } = self;
        let Some(wanted) = wanted else { return Ok(None) };
        let records = held(records, name)?;
        if let Some(bad) = batch.take_bad() {
            return Err(bad.raised(name));
        }
        pulse.scan(py, |watch| batch.fill(records, wanted, bad, watch))?;
        match batch.rows(py, wanted)? {
            None => batch.take_bad().map_or(Ok(None), |bad| Err(bad.raised(name))),
            rows => Ok(rows),
        }
    }

    /// The next rows, `most` of them or what there is, as columns.
    fn pack(
        &mut self,
        py: Python<'_>,
        width: usize,
        columns: Vec<WantedColumn>,
        most: Option<usize>,
    ) -> PyResult<Table> {
        let columns = columns.into_iter().map(column).collect::<PyResult<_>>()?;
        let most = most.unwrap_or(usize::MAX);
        let plan = Plan { width, columns, decoding: self.decoding, most };
        let CsvPass { records, bad, pulse, name, .. } = self;
        let records = held(records, name)?;
        let table = pulse.scan(py, |watch| {
            let packer = plan.read(records, bad, watch)?;
            Ok(packer.and_then(|packer| packer.finish().map_err(Failed::Records)))
        })?;
        match table {
            Ok(table) => Ok(Table::new(table, None)),
            Err(Failed::Records(error)) => Err(of_records(error)),
            Err(Failed::Bad(bad)) => Err(bad.raised(name)),
        }
    }

    /// Of each column, by number and name, the type that its texts say, empty of texts, and whether some are empty.
    fn types(
        &mut self,
        py: Python<'_>,
        width: usize,
        columns: Vec<(usize, String)>,
    ) -> PyResult<Vec<(&'static str, bool)>> {
        let CsvPass { records, bad, pulse, name, decoding, .. } = self;
        let records = held(records, name)?;
        let wanted = Wanted { width, columns, class: None, decoding: *decoding };
        match pulse.scan(py, |watch| types(records, &wanted, bad, watch))? {
            Ok(types) => Ok(types),
            Err(bad) => Err(bad.raised(name)),
        }
    }

    /// How many bad rows there were so far, and those that were kept.
    fn bad(&self) -> (u64, Vec<Told>) {
        self.bad.told()
    }
}

fn column((place, name, type_, nullable): WantedColumn) -> PyResult<Column> {
    let is_free = type_.is_empty();
    let field = Field::new(name, kind(if is_free { "str" } else { &type_ })?);
    let field = if nullable { field.nullable() } else { field };
    Ok(Column { place, field, is_free })
}

fn dialect_of(delimiter: &str, quote: &str) -> PyResult<Dialect> {
    let (&[delimiter], &[quote]) = (delimiter.as_bytes(), quote.as_bytes()) else {
        return Err(of_files(FilesError::Dialect));
    };
    Dialect::new(delimiter, quote).map_err(of_files)
}
