//! Rows that cannot be given, and what becomes of them.

use deadweight_files::csv::{Record, Records};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::decoding::Decoding;

/// How many bad rows are kept; all are counted.
const MOST: usize = 1000;
/// Of a bad row, so many bytes are kept.
const SAMPLE: usize = 80;

/// What is wrong with a record that ends within quotes.
pub(super) const OPEN: &str = "a quote that is not closed: all that follows is one field";

/// What is wrong where a text is wanted.
pub(super) const NO_UTF8: &str = "bytes that are no UTF-8 (Latin-1?)";

/// What becomes of a bad row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Policy {
    Raise,
    Skip,
    Collect,
}

impl Policy {
    pub(super) fn of(name: &str) -> PyResult<Policy> {
        match name {
            "raise" => Ok(Policy::Raise),
            "skip" => Ok(Policy::Skip),
            "collect" => Ok(Policy::Collect),
            other => Err(PyValueError::new_err(format!(
                "bad_rows must be 'raise', 'skip' or 'collect', not {other:?}"
            ))),
        }
    }
}

/// A row that is not given.
pub(super) struct Bad {
    record: u64,
    line: Option<u64>,
    offset: u64,
    reason: String,
    sample: Sample,
}

/// How a bad row begins, to be looked at, and as it is in the file.
type Sample = (String, Vec<u8>);

/// A bad row while it is known where it is, but not on which line.
pub(super) struct Found {
    record: u64,
    offset: u64,
    reason: String,
    sample: Sample,
}

impl Found {
    #[cold]
    pub(super) fn new(record: &Record<'_>, reason: String, decoding: Decoding) -> Found {
        let bytes = record.bytes();
        let begins = &bytes[..bytes.len().min(SAMPLE)];
        let mut shown = decoding.shown(begins);
        if bytes.len() > SAMPLE {
            shown.push('…');
        }
        let sample = (shown, begins.to_vec());
        Found { record: record.number, offset: record.offset, reason, sample }
    }

    pub(super) fn on_line(self, records: &mut Records) -> Bad {
        let Found { record, offset, reason, sample } = self;
        Bad { record, line: records.line(), offset, reason, sample }
    }
}

/// Of a bad row: which record, line, byte, reason, and how it begins, as text and as bytes.
pub(super) type Told<'py> = (u64, Option<u64>, u64, String, String, Bound<'py, PyBytes>);

impl Bad {
    pub(super) fn raised(&self, name: &str) -> PyErr {
        let Bad { line, offset, reason, .. } = self;
        let line = line.map_or_else(String::new, |line| format!("{line}:"));
        PyValueError::new_err(format!("{name}:{line} byte {offset}: {reason}"))
    }

    fn told<'py>(&self, py: Python<'py>) -> Told<'py> {
        let (shown, bytes) = &self.sample;
        let bytes = PyBytes::new(py, bytes);
        (self.record, self.line, self.offset, self.reason.clone(), shown.clone(), bytes)
    }
}

/// Bad rows so far.
pub(super) struct BadRows {
    pub(super) policy: Policy,
    count: u64,
    kept: Vec<Bad>,
}

impl BadRows {
    pub(super) fn new(policy: Policy) -> BadRows {
        BadRows { policy, count: 0, kept: Vec::new() }
    }

    /// Gives the row back if it is to be raised.
    #[must_use]
    pub(super) fn add(&mut self, bad: Bad) -> Option<Bad> {
        self.count += 1;
        match self.policy {
            Policy::Raise => return Some(bad),
            Policy::Collect if self.kept.len() < MOST => self.kept.push(bad),
            Policy::Collect | Policy::Skip => {}
        }
        None
    }

    pub(super) fn told<'py>(&self, py: Python<'py>) -> (u64, Vec<Told<'py>>) {
        (self.count, self.kept.iter().map(|bad| bad.told(py)).collect())
    }
}

/// What is wrong with a record as such.
#[inline]
pub(super) fn reason(record: &Record<'_>, width: usize) -> Option<String> {
    if record.width() == width && !record.is_open {
        return None;
    }
    Some(if record.is_open {
        OPEN.to_owned()
    } else {
        let fields = if record.width() == 1 { "field" } else { "fields" };
        format!("{} {fields}, not {width}", record.width())
    })
}

pub(super) fn no_text(column: &str) -> String {
    format!("column {column:?}: {NO_UTF8}")
}
