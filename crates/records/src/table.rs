//! Columns of one length, which together are rows.

use std::collections::HashSet;
use std::iter;
use std::ops::Range;

use crate::allocation::{Allocation, distinct};
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
    /// How many the columns have.
    pub(crate) rows: usize,
    /// Further batches of a file or of Arrow, with the number of their first row: they stay where they
    /// lie until the first change, which joins them.
    pub(crate) more: Vec<(usize, Table)>,
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
        Ok(Table { names, columns, rows, more: Vec::new() })
    }

    /// One table of several, all of the same fields; nothing of none, or of more rows than can be counted.
    pub(crate) fn over_all(mut tables: Vec<Table>) -> Option<Table> {
        for field in 0..tables.first()?.columns.len() {
            if tables.iter().any(|table| table.columns[field].is_nullable()) {
                for table in &mut tables {
                    table.columns[field].make_nullable();
                }
            }
        }
        let mut tables = tables.into_iter();
        let mut all = tables.next()?;
        for table in tables.filter(|table| table.rows > 0) {
            if all.is_empty() {
                all = table;
            } else {
                let start = all.len();
                start.checked_add(table.rows)?;
                all.more.push((start, table));
            }
        }
        Some(all)
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
        self.more.last().map_or(self.rows, |(start, last)| start + last.rows)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The columns, in the order of the fields: with all rows, if the table is whole.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Whether each column lies in one piece. Those of a file or of Arrow may not, until they are changed.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.more.is_empty()
    }

    /// The table itself, and its further batches.
    fn pieces(&self) -> impl Iterator<Item = &Table> {
        iter::once(self).chain(self.more.iter().map(|(_, piece)| piece))
    }

    /// Further batches, for export.
    pub(crate) fn more_mut(&mut self) -> impl Iterator<Item = &mut Table> {
        self.more.iter_mut().map(|(_, piece)| piece)
    }

    /// The piece that has a row, and its first row's number.
    fn piece(&self, row: usize) -> (usize, &Table) {
        let after = self.more.partition_point(|(start, _)| *start <= row);
        let within = after.checked_sub(1).and_then(|at| self.more.get(at));
        within.map_or((0, self), |(start, piece)| (*start, piece))
    }

    /// Does something with rows of each piece, one piece after another.
    fn in_pieces(
        &self,
        rows: &Rows<'_>,
        mut does: impl FnMut(&Table, &Rows<'_>) -> Result<(), RecordsError>,
    ) -> Result<(), RecordsError> {
        match rows {
            Rows::Run(run) => {
                let mut next = run.start;
                while next < run.end {
                    let (start, piece) = self.piece(next);
                    let end = run.end.min(start + piece.rows);
                    does(piece, &Rows::Run(next - start..end - start))?;
                    next = end;
                }
            }
            Rows::Each(rows) => {
                let mut within = Vec::new();
                for rows in rows.chunk_by(|a, b| self.piece(*a).0 == self.piece(*b).0) {
                    let (start, piece) = self.piece(rows[0]);
                    within.clear();
                    within.try_reserve(rows.len()).map_err(|_| RecordsError::Memory)?;
                    within.extend(rows.iter().map(|row| row - start));
                    does(piece, &Rows::Each(&within))?;
                }
            }
        }
        Ok(())
    }

    /// Copies the pieces into one.
    pub(crate) fn join(&mut self) -> Result<(), RecordsError> {
        if self.is_whole() {
            return Ok(());
        }
        let mut joined = self.empty_like();
        joined.reserve(self.len())?;
        joined.append(self)?;
        *self = joined;
        Ok(())
    }

    /// How many rows of a field have no value.
    #[must_use]
    pub fn null_count(&self, field: usize) -> usize {
        self.pieces().map(|piece| piece.columns[field].null_count()).sum()
    }

    /// Bytes of the values of a field.
    #[must_use]
    pub fn payload_of(&self, field: usize) -> usize {
        self.pieces().map(|piece| piece.columns[field].payload()).sum()
    }

    /// Which column has that name.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// A column, for whoever lends out a writable buffer of it.
    ///
    /// # Errors
    /// [`RecordsError::NoField`]; [`RecordsError::Memory`] if the table was not whole.
    pub fn column_mut(&mut self, field: usize) -> Result<&mut Column, RecordsError> {
        self.join()?;
        self.columns.get_mut(field).ok_or_else(|| RecordsError::NoField(field.to_string()))
    }

    fn check_row(&self, row: usize) -> Result<(), RecordsError> {
        let rows = self.len();
        if row < rows { Ok(()) } else { Err(RecordsError::NoRow { row, rows }) }
    }

    fn check_width(&self, row: usize, got: usize) -> Result<(), RecordsError> {
        let want = self.columns.len();
        if got == want { Ok(()) } else { Err(RecordsError::Ragged { row, got, want }) }
    }

    fn refused(&self, row: usize, field: usize, reason: Reason) -> RecordsError {
        RecordsError::at(row, self.names.get(field).map_or("", String::as_str), reason)
    }

    /// One value.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], [`RecordsError::NoField`]; those of [`Column::get`].
    pub fn get(&self, row: usize, field: usize) -> Result<Value<'_>, RecordsError> {
        if row >= self.rows {
            self.check_row(row)?;
            let (start, piece) = self.piece(row);
            return piece.get(row - start, field).map_err(|error| error.moved(0, start));
        }
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
        self.check_width(self.len(), values.len())?;
        self.join()?;
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
        self.join()?;
        let before = self.rows;
        let appended = from.in_pieces(rows, |piece, rows| self.append_piece(piece, rows));
        if appended.is_err() {
            self.rows = before;
            self.cut_back(self.columns.len())?;
        }
        appended
    }

    fn append_piece(&mut self, from: &Table, rows: &Rows<'_>) -> Result<(), RecordsError> {
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
        Table { names: self.names.clone(), columns, rows: 0, more: Vec::new() }
    }

    fn picked(&self, rows: &Rows<'_>) -> Result<Table, RecordsError> {
        let mut picked = self.empty_like();
        picked.append_rows(self, rows)?;
        picked.shrink_to_fit()?;
        Ok(picked)
    }

    fn check_range(&self, range: &Range<usize>) -> Result<(), RecordsError> {
        let rows = self.len();
        if range.start <= range.end && range.end <= rows {
            return Ok(());
        }
        Err(RecordsError::NoRow { row: range.end.max(range.start), rows })
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
        if mask.len() != self.len() {
            return Err(RecordsError::Length { got: mask.len(), want: self.len() });
        }
        let kept = || mask.iter().enumerate().filter(|(_, kept)| **kept);
        let mut rows = Vec::new();
        rows.try_reserve_exact(kept().count()).map_err(|_| RecordsError::Memory)?;
        rows.extend(kept().map(|(row, _)| row));
        self.take(&rows)
    }

    /// The same rows in columns of these fields, each that of its name: as it is where the kind is the
    /// same, in a new one where the field's takes its values. Whole floats become integers where those may
    /// have no value, which NaN is then.
    ///
    /// # Errors
    /// [`RecordsError::Fields`] if the names are not the same, [`RecordsError::Value`],
    /// [`RecordsError::Memory`].
    pub fn into_fields(mut self, fields: &[Field]) -> Result<Table, RecordsError> {
        let mut columns = Vec::with_capacity(fields.len());
        for field in fields {
            let at = self.position(&field.name);
            let at =
                at.ok_or_else(|| RecordsError::Fields(format!("there is no {:?}", field.name)))?;
            self.names.swap_remove(at);
            columns.push(self.columns.swap_remove(at).into_field(field)?);
        }
        if let Some(more) = self.names.first() {
            return Err(RecordsError::Fields(format!(
                "there is {more:?} besides; Records(User, iter(rows)) copies the fields of User alone"
            )));
        }
        let names = fields.iter().map(|field| field.name.clone()).collect();
        let mut table = Table::over(names, columns, self.rows)?;
        for (start, piece) in self.more {
            let piece = piece.into_fields(fields).map_err(|error| error.moved(0, start))?;
            table.more.push((start, piece));
        }
        Ok(table)
    }

    /// Appends the rows of another table. Its fields have the same names; its columns may be of
    /// other kinds, if these here take the values.
    ///
    /// # Errors
    /// [`RecordsError::Fields`], [`RecordsError::Value`], [`RecordsError::Memory`].
    pub fn append(&mut self, other: &Table) -> Result<(), RecordsError> {
        self.append_rows(other, &Rows::Run(0..other.len()))
    }

    /// Puts the rows of another table before a row, or at the end.
    ///
    /// # Errors
    /// [`RecordsError::NoRow`], or as [`Table::append`]; of a value refused, the row is that which it
    /// would have become.
    pub fn insert(&mut self, at: usize, other: &Table) -> Result<(), RecordsError> {
        self.check_range(&(at..self.len()))?;
        self.detach()?;
        let rows = self.rows;
        self.append(other).map_err(|error| error.moved(rows, at))?;
        if self.columns.iter().any(Column::is_chunked) {
            return self.turn_by_copy(rows, at);
        }
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            let moved = column.move_last(other.len(), at);
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
        if range.is_empty() {
            return Ok(());
        }
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
        if rows < self.len() { self.delete(rows..self.len()) } else { Ok(()) }
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
        self.join()?;
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

    /// Sees to it that each category has one list of words, as a file has: Arrow's batches may have several.
    pub(crate) fn unite_words(&mut self) -> Result<(), RecordsError> {
        let same = |piece: &Table| {
            let mut both = self.columns.iter().zip(&piece.columns);
            both.all(|(column, other)| column.has_words_of(other))
        };
        if self.pieces().all(same) { Ok(()) } else { self.join() }
    }

    /// Gives back the words of categories that no row has. Several batches of a file or of Arrow, which were
    /// not changed, keep theirs; a single one is made anew, as by a save or a pickle.
    pub(crate) fn forget(&mut self) -> Result<(), RecordsError> {
        if !self.is_whole() {
            return Ok(());
        }
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            column.forget().map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        Ok(())
    }

    /// Gives back room to grow, what replaced texts have left, and categories that no row has.
    ///
    /// # Errors
    /// [`RecordsError::Memory`].
    pub fn shrink_to_fit(&mut self) -> Result<(), RecordsError> {
        self.forget()?;
        self.shrink_columns()
    }

    fn shrink_columns(&mut self) -> Result<(), RecordsError> {
        for (column, name) in self.columns.iter_mut().zip(&self.names) {
            column.shrink_to_fit().map_err(|reason| RecordsError::of_field(name, reason))?;
        }
        self.more_mut().try_for_each(Table::shrink_columns)
    }

    /// Bytes of all values: what the rows would take without room to grow.
    #[must_use]
    pub fn payload(&self) -> usize {
        (0..self.columns.len()).map(|field| self.payload_of(field)).sum()
    }

    /// The blocks of memory, or files, that the columns lie in: each once.
    #[must_use]
    pub fn allocations(&self) -> Vec<Allocation> {
        let mut all = Vec::new();
        let columns = self.pieces().flat_map(|piece| &piece.columns);
        columns.for_each(|column| column.allocations(&mut all));
        distinct(all)
    }
}
