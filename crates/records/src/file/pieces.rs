//! An open file: its batches, each a table over the file's bytes.

use crate::error::RecordsError;
use crate::table::Table;
use crate::value::Value;

/// The batches of a file, in order; at least one. What this crate has written is one, unless its
/// texts take more than 2 GiB.
#[derive(Debug)]
pub struct Pieces {
    tables: Vec<Table>,
    /// The row after the last one of each.
    ends: Vec<usize>,
}

impl Pieces {
    pub(super) fn new(tables: Vec<Table>) -> Pieces {
        let ends = tables.iter().scan(0, |end, table| {
            *end += table.len();
            Some(*end)
        });
        Pieces { ends: ends.collect(), tables }
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or_default()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches.
    #[must_use]
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The batches, for export to Arrow.
    pub fn tables_mut(&mut self) -> &mut [Table] {
        &mut self.tables
    }

    /// One value.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn get(&self, row: usize, field: usize) -> Result<Value<'_>, RecordsError> {
        let at = self.ends.partition_point(|end| *end <= row);
        let before = if at == 0 { 0 } else { self.ends[at - 1] };
        let no_row = RecordsError::NoRow { row, rows: self.len() };
        let table = self.tables.get(at).ok_or(no_row)?;
        table.get(row - before, field).map_err(|error| error.moved(0, before))
    }

    /// One table of all: of the only batch without a copy, of several with one.
    ///
    /// # Errors
    /// [`RecordsError::Memory`], [`Reason::Damaged`](crate::Reason::Damaged).
    pub fn into_table(self) -> Result<Table, RecordsError> {
        let mut tables = self.tables.into_iter();
        let mut all = tables.next().unwrap_or_default();
        tables.try_for_each(|table| all.append(&table))?;
        Ok(all)
    }
}
