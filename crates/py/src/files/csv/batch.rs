//! Rows of texts or bytes, a few at a time: those that are read before anybody has to wait.

use deadweight_files::csv::{Record, Records};
use deadweight_files::{FilesError, Watch};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple, PyType};

use super::bad::{Bad, BadRows, Found, no_text, reason};
use super::decoding::Decoding;
use crate::errors::of_files;

/// Which columns are wanted, and as what.
pub(super) struct Wanted {
    /// How many fields a record is to have.
    pub(super) width: usize,
    /// Number and name of each column that is given.
    pub(super) columns: Vec<(usize, String)>,
    /// A class of tuples, and what makes one of a tuple.
    pub(super) class: Option<(Py<PyType>, Py<PyAny>)>,
    pub(super) decoding: Decoding,
}

impl Wanted {
    fn is_bytes(&self) -> bool {
        matches!(self.decoding, Decoding::Bytes)
    }
}

/// Why no rows come after those that were read.
enum End {
    Bad(Bad),
    Failed(FilesError),
}

/// Rows that were read and are not given yet.
#[derive(Default)]
pub(super) struct Batch {
    text: Vec<u8>,
    /// Where in it the fields end.
    ends: Vec<usize>,
    /// Comes after the rows.
    end: Option<End>,
}

impl Batch {
    /// Reads some rows, if there are any, instead of those before.
    pub(super) fn fill(
        &mut self,
        records: &mut Records,
        wanted: &Wanted,
        bad: &mut BadRows,
        watch: &mut Watch<'_>,
    ) -> Result<(), FilesError> {
        self.text.clear();
        self.ends.clear();
        loop {
            let record = match records.next(watch) {
                Ok(Some(record)) => record,
                Ok(None) => return Ok(()),
                Err(error) if self.ends.is_empty() => return Err(error),
                Err(error) => {
                    self.end = Some(End::Failed(error));
                    return Ok(());
                }
            };
            if let Err(reason) = self.take(&record, wanted) {
                let found = Found::new(&record, reason, wanted.decoding).on_line(records);
                self.end = bad.add(found).map(End::Bad);
            }
            if self.end.is_some() || (!self.ends.is_empty() && !records.is_at_hand()) {
                return Ok(());
            }
        }
    }

    fn take(&mut self, record: &Record<'_>, wanted: &Wanted) -> Result<(), String> {
        if let Some(reason) = reason(record, wanted.width) {
            return Err(reason);
        }
        let (text, fields) = (self.text.len(), self.ends.len());
        for (column, name) in &wanted.columns {
            let said = record.get(*column).unwrap_or_default();
            if wanted.is_bytes() {
                self.text.extend_from_slice(&said);
            } else if let Some(said) = wanted.decoding.text(said) {
                self.text.extend_from_slice(said.as_bytes());
            } else {
                self.text.truncate(text);
                self.ends.truncate(fields);
                return Err(no_text(name));
            }
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// Whether something is to be raised after the rows.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// What is to be raised after the rows.
    pub(super) fn take_end(&mut self, name: &str) -> Option<PyErr> {
        self.end.take().map(|end| match end {
            End::Bad(bad) => bad.raised(name),
            End::Failed(error) => of_files(error),
        })
    }

    /// The rows; `None` if there are none.
    pub(super) fn rows<'py>(
        &self,
        py: Python<'py>,
        wanted: &Wanted,
    ) -> PyResult<Option<Bound<'py, PyList>>> {
        if self.ends.is_empty() {
            return Ok(None);
        }
        let mut start = 0;
        let mut fields = Vec::with_capacity(wanted.columns.len());
        let mut rows = Vec::with_capacity(self.ends.len() / wanted.columns.len());
        for ends in self.ends.chunks_exact(wanted.columns.len()) {
            for end in ends {
                let said = &self.text[start..*end];
                fields.push(if wanted.is_bytes() {
                    bytes(py, said)?.into_any()
                } else {
                    PyString::from_bytes(py, said)?.into_any()
                });
                start = *end;
            }
            let row = PyTuple::new(py, fields.drain(..))?;
            rows.push(match &wanted.class {
                Some((class, new)) => new.bind(py).call1((class, row))?,
                None => row.into_any(),
            });
        }
        PyList::new(py, rows).map(Some)
    }
}

/// `PyBytes::new` panics if there is no memory.
fn bytes<'py>(py: Python<'py>, said: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, said.len(), |place| {
        place.copy_from_slice(said);
        Ok(())
    })
}
