//! One column: values of one kind, and which rows have one.

use crate::accept;
use crate::allocation::Allocation;
use crate::bits::Bits;
use crate::error::{Reason, RecordsError};
use crate::kind::{Field, Kind};
use crate::rows::Rows;
use crate::texts::MOST;
use crate::value::Value;
use crate::values::{Values, each_kind};

/// Values of one [`Kind`], one a row.
///
/// Nullable columns have a bitmap of the rows with a value, made when the first row comes without.
/// Such a row has some value or other among the values.
#[derive(Debug)]
pub struct Column {
    kind: Kind,
    nullable: bool,
    pub(crate) values: Values,
    pub(crate) valid: Option<Bits>,
}

#[inline]
fn is_none(valid: Option<&Bits>, row: usize) -> bool {
    valid.is_some_and(|valid| valid.get(row) == Some(false))
}

impl Column {
    pub(crate) fn new(kind: Kind, nullable: bool) -> Column {
        Column::with_chunks(kind, nullable, MOST)
    }

    pub(crate) fn with_chunks(kind: Kind, nullable: bool, most: usize) -> Column {
        let values = Values::new(kind, most);
        Column { kind, nullable, values, valid: None }
    }

    pub(crate) fn over(kind: Kind, nullable: bool, values: Values, valid: Option<Bits>) -> Column {
        Column { kind, nullable, values, valid }
    }

    /// An empty one of the same kind, with chunks of the same size.
    pub(crate) fn fresh(&self) -> Column {
        let most = match &self.values {
            Values::Str(texts) | Values::Bytes(texts) => texts.most(),
            _ => MOST,
        };
        Column::with_chunks(self.kind, self.nullable, most)
    }

    /// What it holds.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether rows may have no value.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.nullable
    }

    /// Whether it has objects, of which no value is a value like others.
    fn has_objects(&self) -> bool {
        matches!(self.kind, Kind::Object(_))
    }

    pub(crate) fn make_nullable(&mut self) {
        self.nullable = true;
    }

    /// How many rows it has.
    #[must_use]
    pub fn len(&self) -> usize {
        each_kind!(&self.values, values => values.len())
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many rows have no value.
    #[must_use]
    pub fn null_count(&self) -> usize {
        self.valid.as_ref().map_or(0, |valid| valid.len() - valid.count())
    }

    #[inline]
    pub(crate) fn is_none(&self, row: usize) -> bool {
        is_none(self.valid.as_ref(), row)
    }

    /// The value of a row; nothing if there is no such row.
    ///
    /// # Errors
    /// [`Reason::Damaged`], of a column that lies in a file; [`Reason::Overflow`] of a date or a time that
    /// somebody has put there through a buffer, or a file has.
    #[inline]
    pub fn get(&self, row: usize) -> Result<Option<Value<'_>>, Reason> {
        if self.is_none(row) {
            return Ok(Some(Value::None));
        }
        let int = |value: Option<i128>| value.map(Value::Int);
        Ok(match &self.values {
            Values::I1(values) => int(values.get(row).map(Into::into)),
            Values::I2(values) => int(values.get(row).map(Into::into)),
            Values::I4(values) => int(values.get(row).map(Into::into)),
            Values::I8(values) => int(values.get(row).map(Into::into)),
            Values::U1(values) => int(values.get(row).map(Into::into)),
            Values::U2(values) => int(values.get(row).map(Into::into)),
            Values::U4(values) => int(values.get(row).map(Into::into)),
            Values::U8(values) => int(values.get(row).map(Into::into)),
            Values::F4(values) => values.get(row).map(|float| Value::Float(float.into())),
            Values::F8(values) => values.get(row).map(Value::Float),
            Values::Bool(values) => values.get(row).map(Value::Bool),
            // A buffer or a file may have any number.
            Values::DateTime(values) => match values.get(row).map(Value::DateTime) {
                Some(time) => Some(Value::DateTime(accept::datetime(&time, self.kind)?)),
                None => None,
            },
            Values::Date(values) => match values.get(row).map(Value::Date) {
                Some(date) => Some(Value::Date(accept::date(&date, self.kind)?)),
                None => None,
            },
            Values::TimeDelta(values) => values.get(row).map(Value::TimeDelta),
            Values::Object(objects) => objects.get(row).map(Value::Object),
            Values::Str(texts) if row < texts.len() => Some(Value::Str(texts.text(row)?)),
            Values::Bytes(texts) if row < texts.len() => Some(Value::Bytes(texts.get(row)?)),
            Values::Category(words) if row < words.len() => Some(Value::Str(words.text(row)?)),
            Values::Str(_) | Values::Bytes(_) | Values::Category(_) => None,
        })
    }

    pub(crate) fn push(&mut self, value: &Value<'_>) -> Result<(), Reason> {
        if matches!(value, Value::None) && !self.has_objects() {
            return self.push_none();
        }
        let kind = self.kind;
        match &mut self.values {
            Values::I1(values) => values.push(accept::int(value, kind)?),
            Values::I2(values) => values.push(accept::int(value, kind)?),
            Values::I4(values) => values.push(accept::int(value, kind)?),
            Values::I8(values) => values.push(accept::int(value, kind)?),
            Values::U1(values) => values.push(accept::int(value, kind)?),
            Values::U2(values) => values.push(accept::int(value, kind)?),
            Values::U4(values) => values.push(accept::int(value, kind)?),
            Values::U8(values) => values.push(accept::int(value, kind)?),
            Values::F4(values) => values.push(accept::f4(value, kind)?),
            Values::F8(values) => values.push(accept::f8(value, kind)?),
            Values::Bool(values) => values.push(accept::flag(value, kind)?),
            Values::Str(texts) => texts.push(accept::text(value, kind)?.as_bytes()),
            Values::Bytes(texts) => texts.push(accept::bytes(value, kind)?),
            Values::Category(words) => words.push(accept::text(value, kind)?),
            Values::DateTime(values) => values.push(accept::datetime(value, kind)?),
            Values::Date(values) => values.push(accept::date(value, kind)?),
            Values::TimeDelta(values) => values.push(accept::timedelta(value, kind)?),
            Values::Object(objects) => objects.push(accept::object(value, kind)?),
        }?;
        match &mut self.valid {
            Some(valid) => valid.push(true),
            None => Ok(()),
        }
    }

    fn push_none(&mut self) -> Result<(), Reason> {
        if !self.nullable {
            return Err(Reason::Null);
        }
        self.valid()?;
        self.push_filler()?;
        self.valid()?.push(false)
    }

    /// A value for a row that has none.
    fn push_filler(&mut self) -> Result<(), Reason> {
        each_kind!(&mut self.values, values => values.push(Default::default()),
            Values::Bool(values) => values.push(false),
            Values::Str(texts) | Values::Bytes(texts) => texts.push(&[]),
            Values::Category(words) => words.push_none(),
            Values::Object(objects) => objects.push(None))
    }

    /// The bitmap, made if there is none.
    fn valid(&mut self) -> Result<&mut Bits, Reason> {
        let rows = self.len();
        if self.valid.is_none() {
            let mut valid = Bits::default();
            valid.extend_with(true, rows)?;
            self.valid = Some(valid);
        }
        self.valid.as_mut().ok_or(Reason::Memory)
    }

    /// Whether a row may have that value.
    pub(crate) fn check(&self, value: &Value<'_>) -> Result<(), Reason> {
        match value {
            Value::None if self.nullable => Ok(()),
            Value::None if !self.has_objects() => Err(Reason::Null),
            value => {
                accept::check(value, self.kind)?;
                match (&self.values, value) {
                    (Values::Str(texts), Value::Str(text)) => texts.check(text.len()),
                    (Values::Bytes(texts), Value::Bytes(bytes)) => texts.check(bytes.len()),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Gives a row that is there another value.
    pub(crate) fn set(&mut self, row: usize, value: &Value<'_>) -> Result<(), Reason> {
        self.check(value)?;
        if matches!(value, Value::None) && !self.has_objects() {
            self.valid()?.set(row, false)?;
            if let Values::Category(words) = &mut self.values {
                words.set_none();
            }
            self.forget_if_worth_it();
            return Ok(());
        }
        let kind = self.kind;
        match &mut self.values {
            Values::I1(values) => values.set(row, accept::int(value, kind)?),
            Values::I2(values) => values.set(row, accept::int(value, kind)?),
            Values::I4(values) => values.set(row, accept::int(value, kind)?),
            Values::I8(values) => values.set(row, accept::int(value, kind)?),
            Values::U1(values) => values.set(row, accept::int(value, kind)?),
            Values::U2(values) => values.set(row, accept::int(value, kind)?),
            Values::U4(values) => values.set(row, accept::int(value, kind)?),
            Values::U8(values) => values.set(row, accept::int(value, kind)?),
            Values::F4(values) => values.set(row, accept::f4(value, kind)?),
            Values::F8(values) => values.set(row, accept::f8(value, kind)?),
            Values::Bool(values) => values.set(row, accept::flag(value, kind)?),
            Values::Str(texts) => texts.set(row, accept::text(value, kind)?.as_bytes()),
            Values::Bytes(texts) => texts.set(row, accept::bytes(value, kind)?),
            Values::Category(words) => words.set(row, accept::text(value, kind)?),
            Values::DateTime(values) => values.set(row, accept::datetime(value, kind)?),
            Values::Date(values) => values.set(row, accept::date(value, kind)?),
            Values::TimeDelta(values) => values.set(row, accept::timedelta(value, kind)?),
            Values::Object(objects) => objects.set(row, accept::object(value, kind)?),
        }?;
        if let Some(valid) = &mut self.valid {
            valid.set(row, true)?;
        }
        self.forget_if_worth_it();
        Ok(())
    }

    /// Gives back the words of a category that no row has, if that is worth it.
    fn forget_if_worth_it(&mut self) {
        let Column { values: Values::Category(words), valid, .. } = self else { return };
        // Without the memory for it they stay; the change before it was made.
        let _ = words.forget_if_worth_it(|row| is_none(valid.as_ref(), row));
    }

    /// Whether another column has the same words in the same order, if both are categories.
    pub(crate) fn has_words_of(&self, other: &Column) -> bool {
        match (&self.values, &other.values) {
            (Values::Category(words), Values::Category(others)) => {
                let (words, others) = (words.words(), others.words());
                words.len() == others.len()
                    && (0..words.len()).all(|word| words.get(word) == others.get(word))
            }
            _ => true,
        }
    }

    /// Gives back the words of a category that no row has.
    pub(crate) fn forget(&mut self) -> Result<(), Reason> {
        match &mut self.values {
            Values::Category(words) => words.forget(|row| is_none(self.valid.as_ref(), row)),
            _ => Ok(()),
        }
    }

    /// Appends rows of another column, of any kind whose values this one takes.
    pub(crate) fn append(&mut self, from: &Column, rows: &Rows<'_>) -> Result<(), Reason> {
        let has_none = from.valid.is_some();
        if self.kind != from.kind || (has_none && !self.nullable) {
            return rows.try_for_each(|row| self.push(&from.get(row)?.unwrap_or(Value::None)));
        }
        if has_none || self.valid.is_some() {
            let valid = self.valid()?;
            match &from.valid {
                Some(bits) => valid.append(bits, rows)?,
                None => valid.extend_with(true, rows.len())?,
            }
        }
        match (&mut self.values, &from.values) {
            (Values::I1(values), Values::I1(from)) => values.append(from, rows),
            (Values::I2(values), Values::I2(from)) => values.append(from, rows),
            (Values::I4(values), Values::I4(from)) | (Values::Date(values), Values::Date(from)) => {
                values.append(from, rows)
            }
            (Values::I8(values), Values::I8(from))
            | (Values::DateTime(values), Values::DateTime(from))
            | (Values::TimeDelta(values), Values::TimeDelta(from)) => values.append(from, rows),
            (Values::U1(values), Values::U1(from)) => values.append(from, rows),
            (Values::U2(values), Values::U2(from)) => values.append(from, rows),
            (Values::U4(values), Values::U4(from)) => values.append(from, rows),
            (Values::U8(values), Values::U8(from)) => values.append(from, rows),
            (Values::F4(values), Values::F4(from)) => values.append(from, rows),
            (Values::F8(values), Values::F8(from)) => values.append(from, rows),
            (Values::Bool(values), Values::Bool(from)) => values.append(from, rows),
            (Values::Str(texts), Values::Str(from))
            | (Values::Bytes(texts), Values::Bytes(from)) => texts.append(from, rows),
            (Values::Category(words), Values::Category(other)) => {
                words.append(other, rows, |row| from.is_none(row))
            }
            (Values::Object(objects), Values::Object(from)) => objects.append(from.as_ref(), rows),
            _ => Err(Reason::Damaged("a column of another kind than it says")),
        }
    }

    /// Cuts off rows past a number of them; what is shorter stays as it is. Bitmap and values may be
    /// of different length where a change was given up half-way.
    pub(crate) fn truncate(&mut self, len: usize) -> Result<(), Reason> {
        if let Some(valid) = &mut self.valid {
            valid.truncate(len)?;
        }
        each_kind!(&mut self.values, values => values.truncate(len))?;
        self.forget_if_worth_it();
        Ok(())
    }

    pub(crate) fn delete(&mut self, start: usize, end: usize) -> Result<(), Reason> {
        if let Some(valid) = &mut self.valid {
            valid.delete(start, end)?;
        }
        each_kind!(&mut self.values, values => values.delete(start, end))?;
        self.forget_if_worth_it();
        Ok(())
    }

    /// Whether its texts are in several chunks.
    pub(crate) fn is_chunked(&self) -> bool {
        matches!(&self.values, Values::Str(texts) | Values::Bytes(texts) if texts.is_chunked())
    }

    /// Moves the last rows before another. To be called of a column that is not chunked.
    pub(crate) fn move_last(&mut self, count: usize, at: usize) -> Result<(), Reason> {
        if let Some(valid) = &mut self.valid {
            valid.move_last(count, at)?;
        }
        each_kind!(&mut self.values, values => values.move_last(count, at))
    }

    pub(crate) fn reserve(&mut self, rows: usize) -> Result<(), Reason> {
        if let Some(valid) = &mut self.valid {
            valid.reserve(rows)?;
        }
        each_kind!(&mut self.values, values => values.reserve(rows))
    }

    pub(crate) fn shrink_to_fit(&mut self) -> Result<(), Reason> {
        if let Some(valid) = &mut self.valid {
            valid.shrink_to_fit();
        }
        each_kind!(&mut self.values, values => values.shrink_to_fit(),
            Values::Bool(values) => values.shrink_to_fit(),
            Values::Str(texts) | Values::Bytes(texts) => texts.shrink_to_fit()?,
            Values::Category(words) => words.shrink_to_fit()?,
            Values::Object(objects) => objects.shrink_to_fit()?);
        Ok(())
    }

    /// The same values in a column of that field: this one, if it is of the same kind.
    ///
    /// # Errors
    /// [`RecordsError::Value`], of the first that such a column does not take.
    pub(crate) fn into_field(mut self, field: &Field) -> Result<Column, RecordsError> {
        if self.kind == field.kind && (field.nullable || self.null_count() == 0) {
            self.nullable = field.nullable;
            self.valid = self.valid.filter(|_| field.nullable);
            return Ok(self);
        }
        let mut other = Column::new(field.kind, field.nullable);
        let is_float = matches!(self.kind, Kind::F4 | Kind::F8);
        let appended = if is_float && field.nullable && field.kind.bounds().is_some() {
            other.append_integers(&self)
        } else {
            other.append(&self, &Rows::Run(0..self.len()))
        };
        appended.map_err(|reason| RecordsError::at(other.len(), &field.name, reason))?;
        Ok(other)
    }

    /// Appends floats to integers: those of libraries that have no integers without a value, and NaN
    /// in such a row instead.
    fn append_integers(&mut self, floats: &Column) -> Result<(), Reason> {
        for row in 0..floats.len() {
            let value = match floats.get(row)? {
                Some(Value::Float(float)) if float.is_nan() => Value::None,
                Some(Value::Float(float)) if float.fract() == 0.0 => Value::Int(float as i128),
                value => value.unwrap_or(Value::None),
            };
            self.push(&value)?;
        }
        Ok(())
    }

    /// The same values in a column of another kind.
    pub(crate) fn converted(&self, kind: Kind) -> Result<Column, Reason> {
        let mut fresh = Column::new(kind, self.nullable);
        fresh.append(self, &Rows::Run(0..self.len()))?;
        Ok(fresh)
    }

    /// Bytes of its values: what it would take without room to grow.
    #[must_use]
    pub fn payload(&self) -> usize {
        let valid = self.valid.as_ref().map_or(0, Bits::payload);
        valid + each_kind!(&self.values, values => values.payload())
    }

    /// The blocks that its values lie in.
    pub(crate) fn allocations(&self, all: &mut Vec<Allocation>) {
        if let Some(valid) = &self.valid {
            valid.allocations(all);
        }
        each_kind!(&self.values, values => all.push(values.allocation()),
            Values::Bool(bits) => bits.allocations(all),
            Values::Str(texts) | Values::Bytes(texts) => texts.allocations(all),
            Values::Category(words) => words.allocations(all),
            Values::Object(objects) => all.push(objects.allocation()));
    }

    /// Bytes of its blob that no text has any more: zero but for columns of texts in which some were
    /// replaced. They go when they are more than half of it, or by `shrink_to_fit`.
    #[must_use]
    pub fn garbage(&self) -> usize {
        match &self.values {
            Values::Str(texts) | Values::Bytes(texts) => texts.garbage(),
            _ => 0,
        }
    }

    /// Where its numbers are, in order and without gaps, for whoever lends them out as a buffer;
    /// nothing for bits, texts, categories and objects.
    ///
    /// They stay there until the next call that takes the column for change. Writing is allowed if
    /// nobody else was handed the column meanwhile ([`Table::batches`](crate::Table::batches)).
    ///
    /// # Errors
    /// [`Reason::Memory`], when Arrow or a file has the values and there is none for a copy.
    pub fn address_mut(&mut self) -> Result<Option<*mut u8>, Reason> {
        Ok(each_kind!(&mut self.values, values => Some(values.own(0)?.as_mut_ptr().cast()),
            Values::Bool(_) | Values::Str(_) | Values::Bytes(_) => None,
            Values::Category(_) | Values::Object(_) => None))
    }

    /// The same, to read only: nothing is copied for it.
    #[must_use]
    pub fn address(&self) -> Option<*const u8> {
        each_kind!(&self.values, values => Some(values.as_slice().as_ptr().cast()),
            Values::Bool(_) | Values::Str(_) | Values::Bytes(_) => None,
            Values::Category(_) | Values::Object(_) => None)
    }
}
