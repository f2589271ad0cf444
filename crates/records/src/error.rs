//! What can go wrong, as types: a Python exception is chosen by the variant.

use thiserror::Error;

use crate::kind::Kind;

/// Why a column does not take a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
    /// Of the right type, but too large, too small or not exact.
    #[error("{value} does not fit into {kind}")]
    Overflow {
        /// The value.
        value: String,
        /// What the column holds.
        kind: Kind,
    },
    /// Not of the right type.
    #[error("{value} is no {kind}")]
    WrongType {
        /// The value.
        value: String,
        /// What the column holds.
        kind: Kind,
    },
    /// Of a type that no column of values has.
    #[error("no column of values holds {value}")]
    NoType {
        /// The value.
        value: String,
    },
    /// Nothing, where there must be a value.
    #[error("None in a field that is not nullable")]
    Null,
    /// No type holds this value and those before it without loss.
    #[error("{value} among values of type {kind}: no column holds both without loss")]
    Mixed {
        /// The value.
        value: String,
        /// What the values before it are.
        kind: Kind,
    },
    /// One text of more bytes than a chunk can have.
    #[error("a text of {bytes} bytes: the most is {most}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// The most there can be.
        most: usize,
    },
    /// More different texts than a category can number.
    #[error("more than {} categories", i32::MAX)]
    Categories,
    /// Objects are to go where only values can.
    #[error("objects are nothing that Arrow or a file has")]
    Objects,
    /// There is no memory left.
    #[error("out of memory")]
    Memory,
    /// What a file has there makes no sense.
    #[error("damaged: {0}")]
    Damaged(&'static str),
}

impl From<std::collections::TryReserveError> for Reason {
    fn from(_: std::collections::TryReserveError) -> Reason {
        Reason::Memory
    }
}

/// Why something could not be done with a table. Nothing was changed, where nothing else is said.
#[derive(Debug, Error)]
pub enum RecordsError {
    /// A value was not taken, or could not be read.
    #[error("row {row}, field {field:?}: {reason}")]
    Value {
        /// Row, from zero.
        row: usize,
        /// Name of the field.
        field: String,
        /// Why not.
        reason: Reason,
    },
    /// A column could not be used as a whole.
    #[error("field {field:?}: {reason}")]
    Field {
        /// Name of the field.
        field: String,
        /// Why not.
        reason: Reason,
    },
    /// No such row.
    #[error("row {row} of {rows}")]
    NoRow {
        /// The row asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// No such field.
    #[error("no field {0:?}")]
    NoField(String),
    /// Two fields of one name.
    #[error("two fields are named {0:?}")]
    SameName(String),
    /// A row with too few or too many values.
    #[error("row {row} has {got} values, not {want}")]
    Ragged {
        /// The row.
        row: usize,
        /// How many values it has.
        got: usize,
        /// How many fields there are.
        want: usize,
    },
    /// Columns or a mask of another length than the table.
    #[error("{got} rows, not {want}")]
    Length {
        /// How many came.
        got: usize,
        /// How many there are to be.
        want: usize,
    },
    /// Tables of other fields.
    #[error("the fields differ: {0}")]
    Fields(String),
    /// There is no memory left.
    #[error("out of memory")]
    Memory,
    /// A column of a type that no column here has.
    #[error("field {field:?} has the Arrow type {found}, which records do not hold{hint}")]
    ArrowType {
        /// Name of the field.
        field: String,
        /// Its type, in Arrow's words.
        found: String,
        /// What to do about it: empty, or a clause that begins with `;`.
        hint: &'static str,
    },
    /// Arrow would not take what we gave it.
    #[error("Arrow: {0}")]
    Arrow(String),
}

impl RecordsError {
    pub(crate) fn at(row: usize, field: &str, reason: Reason) -> RecordsError {
        match reason {
            Reason::Memory => RecordsError::Memory,
            reason => RecordsError::Value { row, field: field.to_owned(), reason },
        }
    }

    /// The same of a row that was to go elsewhere: its number in `from` on is one in `to` on.
    #[must_use]
    pub fn moved(self, from: usize, to: usize) -> RecordsError {
        match self {
            RecordsError::Value { row, field, reason } => {
                RecordsError::Value { row: row.saturating_sub(from) + to, field, reason }
            }
            RecordsError::Ragged { row, got, want } => {
                RecordsError::Ragged { row: row.saturating_sub(from) + to, got, want }
            }
            other => other,
        }
    }

    /// For what concerns no single value.
    pub(crate) fn of_field(field: &str, reason: Reason) -> RecordsError {
        match reason {
            Reason::Memory => RecordsError::Memory,
            reason => RecordsError::Field { field: field.to_owned(), reason },
        }
    }
}
