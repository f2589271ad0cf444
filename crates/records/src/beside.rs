//! Columns beside each other: more of them, or another in the place of one.

use crate::column::Column;
use crate::error::RecordsError;
use crate::kind::Field;
use crate::table::Table;
use crate::value::Value;

impl Table {
    /// The columns of another table of as many rows, after those of this one.
    ///
    /// # Errors
    /// [`RecordsError::Length`], [`RecordsError::SameName`], [`RecordsError::Memory`].
    pub fn beside(mut self, mut other: Table) -> Result<Table, RecordsError> {
        self.join()?;
        other.join()?;
        self.names.append(&mut other.names);
        self.columns.append(&mut other.columns);
        Table::over(self.names, self.columns, self.rows)
    }

    /// A field more, which has the same value in all rows.
    ///
    /// # Errors
    /// [`RecordsError::SameName`], [`RecordsError::Value`], [`RecordsError::Memory`].
    pub fn with_filled(mut self, field: &Field, value: Value<'_>) -> Result<Table, RecordsError> {
        let mut column = Column::new(field.kind, field.nullable);
        let filled = column.reserve(self.rows);
        let filled = filled.and_then(|()| (0..self.rows).try_for_each(|_| column.push(&value)));
        filled.map_err(|reason| RecordsError::at(column.len(), &field.name, reason))?;
        let more = std::mem::take(&mut self.more);
        self.names.push(field.name.clone());
        self.columns.push(column);
        let mut table = Table::over(self.names, self.columns, self.rows)?;
        for (start, piece) in more {
            table.more.push((start, piece.with_filled(field, value)?));
        }
        Ok(table)
    }

    /// The first column of another table of as many rows takes the place of a field's, which is of the
    /// same kind.
    ///
    /// # Errors
    /// [`RecordsError::NoField`], [`RecordsError::Length`], [`RecordsError::Value`] if it is of another
    /// kind that has values which the field does not take, [`RecordsError::Memory`].
    pub fn set_column(&mut self, field: usize, mut other: Table) -> Result<(), RecordsError> {
        other.join()?;
        let (got, want) = (other.len(), self.len());
        if got != want {
            return Err(RecordsError::Length { got, want });
        }
        let fields = self.fields();
        let no_field = || RecordsError::NoField(field.to_string());
        let fresh = other.columns.into_iter().next().ok_or_else(no_field)?;
        let fresh = fresh.into_field(fields.get(field).ok_or_else(no_field)?)?;
        *self.column_mut(field)? = fresh;
        Ok(())
    }
}
