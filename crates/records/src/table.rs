//! Columns of one length, which together are rows.

use std::collections::HashSet;
use std::ops::Range;

use crate::column::Column;
use crate::error::{Reason, RecordsError};
use crate::kind::Field;
use crate::rows::Rows;
use crate::value::{Value, Valued};

/// Rows of typed fields, a column for each.
///
/// What fails leaves it as it was.
#[derive(Debug, Default)]
pub struct Table {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: usize,
}

impl Table {
    /// A table without rows.
    ///
    /// # Errors
    /// [`RecordsError::SameName`].
    pub fn new(fields: &[Field]) -> Result<Table, RecordsError> {
        Table::with_chunks(fields, usize::MAX)
    }

    /// The same, with blobs of texts cut at so many bytes, where that is less than 2 GiB.
    ///
    /// # Errors
    /// [`RecordsError::SameName`].
    pub fn with_chunks(fields: &[Field], most: usize) -> Result<Table, RecordsError> {
        let column = |field: &Field| Column::with_chunks(field.kind, field.nullable, most);
        let names = fields.iter().map(|field| field.name.clone()).collect();
        Table::over(names, fields.iter().map(column).collect(), 0)
    }

    pub(crate) fn over(
        names: Vec<String>,
        columns: Vec<Column>,
        rows: usize,
    ) -> Result<Table, RecordsError> {
        let mut seen = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(RecordsError::SameName(twice.clone()));
        }
        if let Some(other) = columns.iter().find(|column| column.len() != rows) {
            return Err(RecordsError::Length { got: other.len(), want: rows });
        }
        Ok(Table { names, columns, rows })
    }

    /// What its columns are.
    #[must_use]
    pub fn fields(&self) -> Vec<Field> {
        let field = |(name, column): (&String, &Column)| Field {
            name: name.clone(),
            kind: column.kind(),
            nullable: column.is_nullable(),
        };
        self.names.iter().zip(&self.columns).map(field).collect()
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The columns, in the order of the fields.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Which column has that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// A column, for whoever lends out a writable buffer of it.
    ///
    /// # Errors
    /// [`RecordsError::NoField`].
    pub fn column_mut(&mut self, field: usize) -> Result<&mut Column, RecordsError> {
        self.columns.get_mut(field).ok_or_else(|| RecordsError::NoField(field.to_string()))
    }

    fn check_row(&self, row: usize) -> Result<(), RecordsError> {
        if row < self.rows { Ok(()) } else { Err(RecordsError::NoRow { row, rows: self.rows }) }
    }

    fn check_width(&self, row: usize, got: usize) -> Result<(), RecordsError> {
        let want = self.columns.len();
        if got == want { Ok(()) } else { Err(RecordsError::Ragged { row, got, want }) }
    }

    fn refused(&self, row: usize, field: usize, reason: Reason) -> RecordsError {
        let name = self.names.get(field).map_or("", String::as_str);
        match reason {
            Reason::Memory => RecordsError::Memory,
            reason => RecordsError::at(row, name, reason),
        }
    }

    /// One value.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], [`RecordsError::NoField`]; [`Reason::Damaged`] if it lies in a file.
    pub fn get(&self, row: usize, field: usize) -> Result<Value<'_>, RecordsError> {
        let column = self.columns.get(field);
        let column = column.ok_or_else(|| RecordsError::NoField(field.to_string()))?;
        let value = column.get(row).map_err(|reason| self.refused(row, field, reason))?;
        value.ok_or(RecordsError::NoRow { row, rows: self.rows })
    }

    /// Appends a row.
    ///
    /// # Errors
    /// [`RecordsError::Ragged`], [`RecordsError::Value`], [`RecordsError::Memory`].
    pub fn push(&mut self, values: &[Value<'_>]) -> Result<(), RecordsError> {
        self.push_each(values)
    }

    /// Appends a row of whatever has the values.
    ///
    /// # Errors
    /// As [`Table::push`].
    pub fn push_each(&mut self, values: &[impl Valued]) -> Result<(), RecordsError> {
        self.check_width(self.rows, values.len())?;
        for (field, has) in values.iter().enumerate() {
            if let Err(reason) = self.columns[field].push(&has.value()) {
                self.cut_back(field + 1)?;
                return Err(self.refused(self.rows, field, reason));
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// Takes from the first columns what a change that was given up has put there.
    pub(crate) fn cut_back(&mut self, columns: usize) -> Result<(), RecordsError> {
        let rows = self.rows;
        let cut =
            self.columns.iter_mut().take(columns).try_for_each(|column| column.truncate(rows));
        cut.map_err(|_| RecordsError::Memory)
    }

    /// Gives one field of a row another value.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], [`RecordsError::NoField`], [`RecordsError::Value`],
    /// [`RecordsError::Memory`].
    pub fn set(&mut self, row: usize, field: usize, value: Value<'_>) -> Result<(), RecordsError> {
        self.check_row(row)?;
        let set = self.column_mut(field)?.set(row, &value);
        set.map_err(|reason| self.refused(row, field, reason))
    }

    /// Gives a row other values.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], [`RecordsError::Ragged`], [`RecordsError::Value`]: nothing is changed
    /// then. After [`RecordsError::Memory`] some of the fields may have been.
    pub fn set_row(&mut self, row: usize, values: &[Value<'_>]) -> Result<(), RecordsError> {
        self.check_row(row)?;
        self.check_width(row, values.len())?;
        for (field, value) in values.iter().enumerate() {
            let checked = self.columns[field].check(value);
            checked.map_err(|reason| self.refused(row, field, reason))?;
        }
        values.iter().enumerate().try_for_each(|(field, value)| self.set(row, field, *value))
    }

    /// Appends rows of another table, whose fields are of the same names, in the same order.
    pub(crate) fn append_rows(
        &mut self,
        from: &Table,
        rows: &Rows<'_>,
    ) -> Result<(), RecordsError> {
        if self.names != from.names {
            let (have, got) = (self.names.join(", "), from.names.join(", "));
            return Err(RecordsError::Fields(format!("({got}) among ({have})")));
        }
        for (field, other) in from.columns.iter().enumerate() {
            if let Err(reason) = self.columns[field].append(other, rows) {
                // The row that was refused is the first that is missing.
                let row = self.columns[field].len();
                self.cut_back(field + 1)?;
                return Err(self.refused(row, field, reason));
            }
        }
        self.rows += rows.len();
        Ok(())
    }

    fn empty_like(&self) -> Table {
        let columns = self.columns.iter().map(Column::fresh).collect();
        Table { names: self.names.clone(), columns, rows: 0 }
    }

    fn picked(&self, rows: &Rows<'_>) -> Result<Table, RecordsError> {
        let mut picked = self.empty_like();
        picked.append_rows(self, rows)?;
        picked.shrink_to_fit()?;
        Ok(picked)
    }

    fn check_range(&self, range: &Range<usize>) -> Result<(), RecordsError> {
        if range.start <= range.end && range.end <= self.rows {
            return Ok(());
        }
        Err(RecordsError::NoRow { row: range.end.max(range.start), rows: self.rows })
    }

    /// A compact copy of some rows one after another.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], [`RecordsError::Memory`]; [`Reason::Damaged`] if they lie in a file.
    pub fn slice(&self, range: Range<usize>) -> Result<Table, RecordsError> {
        self.check_range(&range)?;
        self.picked(&Rows::Run(range))
    }

    /// A compact copy of the rows named, in that order, as often as they are named.
    ///
    /// # Errors
    /// As [`Table::slice`].
    pub fn take(&self, rows: &[usize]) -> Result<Table, RecordsError> {
        rows.iter().try_for_each(|row| self.check_row(*row))?;
        self.picked(&Rows::Each(rows))
    }

    /// A compact copy of the rows at which the mask is true.
    ///
    /// # Errors
    /// [`RecordsError::Length`] if the mask is not as long as the table; else as [`Table::slice`].
    pub fn filter(&self, mask: &[bool]) -> Result<Table, RecordsError> {
        if mask.len() != self.rows {
            return Err(RecordsError::Length { got: mask.len(), want: self.rows });
        }
        let kept = mask.iter().enumerate().filter(|(_, kept)| **kept);
        self.take(&kept.map(|(row, _)| row).collect::<Vec<_>>())
    }

    /// Appends the rows of another table. Its fields have the same names; its columns may be of
    /// other kinds, if these here take the values.
    ///
    /// # Errors
    /// [`RecordsError::Fields`], [`RecordsError::Value`], [`RecordsError::Memory`].
    pub fn append(&mut self, other: &Table) -> Result<(), RecordsError> {
        self.append_rows(other, &Rows::Run(0..other.rows))
    }

    /// Puts the rows of another table before a row, or at the end.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], or as [`Table::append`]; of a value refused, the row is that which it
    /// would have become.
    pub fn insert(&mut self, at: usize, other: &Table) -> Result<(), RecordsError> {
        self.check_range(&(at..self.rows))?;
        let rows = self.rows;
        self.detach()?;
        self.append(other).map_err(|error| error.moved(rows, at))?;
        if self.columns.iter().any(Column::is_chunked) {
            return self.turn_by_copy(rows, at);
        }
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            let moved = column.move_last(other.rows, at);
            moved.map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        Ok(())
    }

    /// Moves the rows from the `rows`th on before another. What is in several chunks cannot be turned
    /// about where it lies; nothing is taken away before all is there twice.
    fn turn_by_copy(&mut self, rows: usize, at: usize) -> Result<(), RecordsError> {
        let copied = self.slice(at..rows).and_then(|tail| self.append(&tail));
        if let Err(error) = copied {
            self.truncate(rows)?;
            return Err(error);
        }
        self.delete(at..rows)
    }

    /// Takes rows away.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`]; [`RecordsError::Memory`], if Arrow or a file has the values and there
    /// is none for a copy.
    pub fn delete(&mut self, range: Range<usize>) -> Result<(), RecordsError> {
        self.check_range(&range)?;
        // After this nothing is left that could fail half-way.
        self.detach()?;
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            let deleted = column.delete(range.start, range.end);
            deleted.map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        self.rows -= range.len();
        Ok(())
    }

    /// Takes away the rows past a number of them.
    ///
    /// # Errors
    /// As [`Table::delete`].
    pub fn truncate(&mut self, rows: usize) -> Result<(), RecordsError> {
        if rows < self.rows { self.delete(rows..self.rows) } else { Ok(()) }
    }

    /// Takes all rows away, and gives back their memory.
    pub fn clear(&mut self) {
        *self = self.empty_like();
    }

    /// Makes room for exactly so many more rows; of texts, for where they are, not for themselves.
    ///
    /// # Errors
    /// [`RecordsError::Memory`].
    pub fn reserve(&mut self, rows: usize) -> Result<(), RecordsError> {
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            column.reserve(rows).map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        Ok(())
    }

    /// Copies what lies in a file or what Arrow has, so that the table needs neither any more.
    ///
    /// # Errors
    /// [`RecordsError::Memory`]; [`Reason::Damaged`] if it lies in a file.
    pub fn detach(&mut self) -> Result<(), RecordsError> {
        self.reserve(0)
    }

    /// Gives back room to grow, and what replaced texts have left.
    ///
    /// # Errors
    /// [`RecordsError::Memory`].
    pub fn shrink_to_fit(&mut self) -> Result<(), RecordsError> {
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            column.shrink_to_fit().map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        Ok(())
    }

    /// Bytes of all values: what the rows would take without room to grow.
    #[must_use]
    pub fn payload(&self) -> usize {
        self.columns.iter().map(Column::payload).sum()
    }

    /// Bytes that the columns have allocated, or that lie in a file for them; see [`Column::capacity`].
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.columns.iter().map(Column::capacity).sum()
    }
}
