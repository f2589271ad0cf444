//! Types from the data: rows are taken one at a time, and each column is widened in place when a
//! value comes that it cannot hold without loss.
//!
//! - Integers take the narrowest type that has the least and the greatest, unsigned if it can be.
//! - Integers and floats together are `f8`, if no integer loses anything; else they are refused.
//!   Integers alone are never floats.
//! - Floats are `f8`. `f4` might hold what is there; but what is set later it would round in silence.
//! - Text is a category while there is at most one different text to eight rows. That is looked at
//!   from row 32,768 on, and at the end; what has once become `str` stays so.
//! - A row without a value makes the field nullable.
//! - Nothing else mixes: not text and bytes, not dates and datetimes, not true and one.

use crate::column::Column;
use crate::error::{Reason, RecordsError};
use crate::kind::{Field, Kind};
use crate::table::Table;
use crate::value::{Value, Valued};
use crate::values::Values;

/// Categories are given up when there are more words than one in so many rows…
const ROWS_A_WORD: usize = 8;
/// …which is looked at once there are so many.
const ENOUGH: usize = 32_768;

/// What is known of a field's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// The user has said it.
    Told,
    /// By the values so far.
    Seen,
    /// Only that some rows have none.
    Nothing,
}

/// Rows on the way into a table whose types they decide.
///
/// ```
/// use deadweight_records::{Kind, Packer, Value};
///
/// let mut packer = Packer::default();
/// packer.add("id")?;
/// packer.push(&[Value::Int(7)])?;
/// packer.push(&[Value::Int(70_000)])?;
/// let packed = packer.finish()?;
/// assert_eq!(packed.fields()[0].kind, Kind::U4);
/// # Ok::<(), deadweight_records::RecordsError>(())
/// ```
#[derive(Debug, Default)]
pub struct Packer {
    table: Table,
    known: Vec<Known>,
}

impl Packer {
    /// Adds a field whose type the values decide. Rows that are there already have none in it.
    ///
    /// # Errors
    /// [`RecordsError::SameName`], [`RecordsError::Memory`].
    pub fn add(&mut self, name: &str) -> Result<usize, RecordsError> {
        // Any kind will do until there is a value: the narrowest.
        self.add_column(name, Column::new(Kind::Bool, self.rows() > 0), Known::Nothing)
    }

    /// Adds a field whose type is told. Rows that are there already have no value in it.
    ///
    /// # Errors
    /// [`RecordsError::SameName`], [`RecordsError::Memory`]; [`Reason::Null`], if it is not nullable
    /// and there are rows.
    pub fn add_told(&mut self, field: &Field) -> Result<usize, RecordsError> {
        self.add_column(&field.name, Column::new(field.kind, field.nullable), Known::Told)
    }

    fn add_column(
        &mut self,
        name: &str,
        mut column: Column,
        known: Known,
    ) -> Result<usize, RecordsError> {
        if self.position(name).is_some() {
            return Err(RecordsError::SameName(name.to_owned()));
        }
        for row in 0..self.rows() {
            let pushed = column.push(&Value::None);
            pushed.map_err(|reason| RecordsError::at(row, name, reason))?;
        }
        self.table.names.push(name.to_owned());
        self.table.columns.push(column);
        self.known.push(known);
        Ok(self.known.len() - 1)
    }

    /// Takes a field out again, with what it has so far: for whoever keeps on with its values, once no
    /// column has them.
    ///
    /// # Errors
    /// [`RecordsError::NoField`].
    pub fn remove(&mut self, field: usize) -> Result<Column, RecordsError> {
        if field >= self.known.len() {
            return Err(RecordsError::NoField(field.to_string()));
        }
        self.known.remove(field);
        self.table.names.remove(field);
        Ok(self.table.columns.remove(field))
    }

    /// Which field has that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.table.position(name)
    }

    /// How many rows came.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.table.len()
    }

    /// The type of a field as it is now; nothing if it has had no value.
    #[must_use]
    pub fn kind(&self, field: usize) -> Option<Kind> {
        let known = self.known.get(field).filter(|known| **known != Known::Nothing);
        known.and(self.table.columns.get(field)).map(Column::kind)
    }

    /// What came so far, as it is held now.
    #[must_use]
    pub fn so_far(&self) -> &Table {
        &self.table
    }

    /// Takes a row: a value for each field.
    ///
    /// # Errors
    /// [`RecordsError::Ragged`], [`RecordsError::Memory`], and [`RecordsError::Value`]: with
    /// [`Reason::Mixed`] if no type has this value and the ones before it, [`Reason::NoType`] if no
    /// type has it at all. The row is left out then, and another may be taken.
    pub fn push(&mut self, values: &[Value<'_>]) -> Result<(), RecordsError> {
        self.push_each(values)
    }

    /// Takes a row of whatever has the values.
    ///
    /// # Errors
    /// As [`Packer::push`].
    pub fn push_each(&mut self, values: &[impl Valued]) -> Result<(), RecordsError> {
        let (row, want) = (self.rows(), self.known.len());
        if values.len() != want {
            return Err(RecordsError::Ragged { row, got: values.len(), want });
        }
        for (field, has) in values.iter().enumerate() {
            self.put(field, &has.value())?;
        }
        self.end_row();
        Ok(())
    }

    /// Takes a value of the next row, for whoever has no use for a row in one piece. All fields have theirs, from
    /// the first to the last, before [`Packer::end_row`] makes them a row.
    ///
    /// # Errors
    /// As [`Packer::push`]: the values of the row that came before are left out too then.
    #[inline]
    pub fn put(&mut self, field: usize, value: &Value<'_>) -> Result<(), RecordsError> {
        self.push_value(field, value).or_else(|reason| self.refused(field, reason))
    }

    #[cold]
    fn refused(&mut self, field: usize, reason: Reason) -> Result<(), RecordsError> {
        self.leave_out(field + 1)?;
        Err(match reason {
            Reason::Memory => RecordsError::Memory,
            reason => RecordsError::at(self.rows(), &self.table.names[field], reason),
        })
    }

    /// The values that were put are a row.
    pub fn end_row(&mut self) {
        debug_assert!(self.table.columns.iter().all(|column| column.len() == self.table.rows + 1));
        self.table.rows += 1;
    }

    /// Takes back the values that were put in so many fields.
    ///
    /// # Errors
    /// [`RecordsError::Memory`].
    pub fn leave_out(&mut self, fields: usize) -> Result<(), RecordsError> {
        self.table.cut_back(fields)
    }

    #[inline]
    fn push_value(&mut self, field: usize, value: &Value<'_>) -> Result<(), Reason> {
        let column = &mut self.table.columns[field];
        if self.known[field] == Known::Told {
            return column.push(value);
        }
        if matches!(value, Value::None) {
            column.make_nullable();
            return column.push(value);
        }
        if self.known[field] == Known::Nothing {
            let kind =
                first_kind(*value).ok_or_else(|| Reason::NoType { value: value.to_string() })?;
            *column = column.converted(kind)?;
            self.known[field] = Known::Seen;
        }
        // True is an integer and a float to a column, but not the same value once it is in one.
        let is_number = column.kind().bounds().is_some() || column.kind() == Kind::F8;
        if is_number && matches!(value, Value::Bool(_)) {
            return Err(mixed(value, column.kind()));
        }
        if let Err(reason) = column.push(value) {
            if !matches!(reason, Reason::Overflow { .. } | Reason::WrongType { .. }) {
                return Err(reason);
            }
            widen_for(column, value)?;
            column.push(value)?;
        }
        if self.table.rows >= ENOUGH { give_up_too_many_words(column) } else { Ok(()) }
    }

    /// The table.
    ///
    /// # Errors
    /// [`RecordsError::Memory`].
    pub fn finish(mut self) -> Result<Table, RecordsError> {
        for (field, known) in self.known.iter().enumerate() {
            if *known == Known::Seen {
                let settled = give_up_too_many_words(&mut self.table.columns[field]);
                settled
                    .map_err(|reason| RecordsError::of_field(&self.table.names[field], reason))?;
            }
        }
        self.table.shrink_to_fit()?;
        Ok(self.table)
    }
}

fn mixed(value: &Value<'_>, kind: Kind) -> Reason {
    Reason::Mixed { value: value.to_string(), kind }
}

/// The kind of a column that has this value alone.
fn first_kind(value: Value<'_>) -> Option<Kind> {
    match value {
        Value::None | Value::Object(_) | Value::Other => None,
        Value::Bool(_) => Some(Kind::Bool),
        Value::Int(int) => Kind::narrowest(int, int),
        Value::Float(_) => Some(Kind::F8),
        Value::Str(_) => Some(Kind::Category),
        Value::Bytes(_) => Some(Kind::Bytes),
        Value::DateTime(_) => Some(Kind::DateTime),
        Value::Date(_) => Some(Kind::Date),
        Value::TimeDelta(_) => Some(Kind::TimeDelta),
    }
}

/// Makes a column one that has its values and this one too.
fn widen_for(column: &mut Column, value: &Value<'_>) -> Result<(), Reason> {
    let kind = column.kind();
    let narrowest = match *value {
        Value::Int(int) if kind.bounds().is_some() => {
            let (low, high) = least_and_greatest(column)?.unwrap_or((int, int));
            Kind::narrowest(low.min(int), high.max(int))
        }
        Value::Float(_) if kind.bounds().is_some() => Some(Kind::F8),
        _ => None,
    };
    let wider = narrowest.ok_or_else(|| mixed(value, kind))?;
    let converted = column.converted(wider).map_err(|reason| match reason {
        Reason::Overflow { .. } => mixed(value, kind),
        reason => reason,
    })?;
    if crate::accept::check(value, wider).is_err() {
        return Err(mixed(value, kind));
    }
    *column = converted;
    Ok(())
}

fn least_and_greatest(column: &Column) -> Result<Option<(i128, i128)>, Reason> {
    let mut both = None;
    for row in 0..column.len() {
        if let Some(Value::Int(int)) = column.get(row)? {
            let (low, high) = both.unwrap_or((int, int));
            both = Some((int.min(low), int.max(high)));
        }
    }
    Ok(both)
}

fn give_up_too_many_words(column: &mut Column) -> Result<(), Reason> {
    if let Values::Category(words) = &column.values
        && words.words().len() * ROWS_A_WORD > words.len()
    {
        *column = column.converted(Kind::Str)?;
    }
    Ok(())
}
