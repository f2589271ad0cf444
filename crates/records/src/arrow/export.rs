//! Out to Arrow.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, PrimitiveArray, RecordBatch,
    RecordBatchOptions, StringArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, Field, Schema, SchemaRef};

use super::data_type;
use crate::bits::Bits;
use crate::category::{Categories, Codes};
use crate::column::Column;
use crate::error::{Reason, RecordsError};
use crate::fixed::Fixed;
use crate::table::Table;
use crate::texts::Blob;
use crate::values::Values;

/// Arrays of one column, one after another: several where texts take more than one blob.
type Pieces = Vec<ArrayRef>;

enum Failure {
    Reason(Reason),
    Arrow(ArrowError),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Failure {
        Failure::Reason(reason)
    }
}

impl From<ArrowError> for Failure {
    fn from(error: ArrowError) -> Failure {
        Failure::Arrow(error)
    }
}

impl Table {
    /// The fields in Arrow's words.
    ///
    /// # Errors
    /// [`Reason::Objects`].
    pub fn arrow_schema(&self) -> Result<Schema, RecordsError> {
        let fields = (0..self.columns.len()).map(|field| self.arrow_field(field));
        Ok(Schema::new(fields.collect::<Result<Vec<_>, RecordsError>>()?))
    }

    /// One of the fields in Arrow's words.
    ///
    /// # Errors
    /// [`RecordsError::NoField`]; [`Reason::Objects`].
    pub fn arrow_field(&self, field: usize) -> Result<Field, RecordsError> {
        let (Some(name), Some(column)) = (self.names.get(field), self.columns.get(field)) else {
            return Err(RecordsError::NoField(field.to_string()));
        };
        let data_type = data_type(column);
        let data_type = data_type.ok_or_else(|| RecordsError::of_field(name, Reason::Objects))?;
        Ok(Field::new(name, data_type, column.is_nullable()))
    }

    /// The rows as Arrow's batches: one, unless texts take more than 2 GiB, or they came in several and
    /// were not changed.
    ///
    /// The batches and the table share memory. The table copies a column when it is changed while
    /// somebody still has a batch; when nobody has, it goes on with the memory as it is. Texts are
    /// written one after another first, which takes a copy if some were replaced by others of another
    /// length.
    ///
    /// # Errors
    /// [`RecordsError::Memory`]; [`Reason::Objects`]; [`Reason::Damaged`] or [`RecordsError::Arrow`] if
    /// the table lies in a file whose texts are none.
    pub fn batches(&mut self) -> Result<(SchemaRef, Vec<RecordBatch>), RecordsError> {
        let schema = Arc::new(self.arrow_schema()?);
        let mut batches = self.batches_of_piece(&schema)?;
        for piece in self.more_mut() {
            batches.extend(piece.batches_of_piece(&schema)?);
        }
        Ok((schema, batches))
    }

    /// One column: as one array, so that batches are joined first.
    ///
    /// # Errors
    /// As [`Table::batches`]; [`RecordsError::Arrow`] also of texts of more than 2 GiB.
    pub fn array(&mut self, field: usize) -> Result<ArrayRef, RecordsError> {
        let name = self.names.get(field).cloned().unwrap_or_default();
        let pieces =
            arrays(self.column_mut(field)?).map_err(|failure| of_failure(&name, failure))?;
        match <[ArrayRef; 1]>::try_from(pieces) {
            Ok([array]) => Ok(array),
            Err(_) => Err(RecordsError::Arrow(format!(
                "{name:?}: texts of more than 2 GiB are no one array"
            ))),
        }
    }

    fn batches_of_piece(&mut self, schema: &SchemaRef) -> Result<Vec<RecordBatch>, RecordsError> {
        let columns: Vec<Pieces> = self
            .columns
            .iter_mut()
            .zip(&self.names)
            .map(|(column, name)| arrays(column).map_err(|failure| of_failure(name, failure)))
            .collect::<Result<_, _>>()?;
        let mut ends: BTreeSet<usize> = columns.iter().flat_map(|pieces| ends(pieces)).collect();
        ends.insert(self.rows);
        let mut start = 0;
        let batches = ends.into_iter().filter(|end| *end > 0 || self.rows == 0).map(|end| {
            let rows = start..end;
            start = end;
            let arrays = columns.iter().map(|pieces| piece(pieces, &rows)).collect();
            let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
            RecordBatch::try_new_with_options(schema.clone(), arrays, &options)
        });
        let batches: Result<_, _> = batches.collect();
        batches.map_err(|error| RecordsError::Arrow(error.to_string()))
    }
}

fn of_failure(name: &str, failure: Failure) -> RecordsError {
    match failure {
        Failure::Reason(reason) => RecordsError::of_field(name, reason),
        Failure::Arrow(error) => RecordsError::Arrow(format!("{name:?}: {error}")),
    }
}

/// The row after the last one of each piece.
fn ends(pieces: &[ArrayRef]) -> impl Iterator<Item = usize> {
    pieces.iter().scan(0, |end, piece| {
        *end += piece.len();
        Some(*end)
    })
}

/// Rows of one column, all of which lie in one of its pieces.
fn piece(pieces: &[ArrayRef], rows: &Range<usize>) -> ArrayRef {
    let at = ends(pieces).take_while(|end| *end <= rows.start).count().min(pieces.len() - 1);
    let before = ends(&pieces[..at]).last().unwrap_or_default();
    pieces[at].slice(rows.start - before, rows.len())
}

fn arrays(column: &mut Column) -> Result<Pieces, Failure> {
    let nulls = column.valid.as_mut().map(|valid: &mut Bits| NullBuffer::new(valid.share()));
    Ok(match &mut column.values {
        Values::I1(values) => numbers::<Int8Type>(values, nulls)?,
        Values::I2(values) => numbers::<Int16Type>(values, nulls)?,
        Values::I4(values) => numbers::<Int32Type>(values, nulls)?,
        Values::I8(values) => numbers::<Int64Type>(values, nulls)?,
        Values::U1(values) => numbers::<UInt8Type>(values, nulls)?,
        Values::U2(values) => numbers::<UInt16Type>(values, nulls)?,
        Values::U4(values) => numbers::<UInt32Type>(values, nulls)?,
        Values::U8(values) => numbers::<UInt64Type>(values, nulls)?,
        Values::F4(values) => numbers::<Float32Type>(values, nulls)?,
        Values::F8(values) => numbers::<Float64Type>(values, nulls)?,
        Values::DateTime(values) => numbers::<TimestampMicrosecondType>(values, nulls)?,
        Values::Date(values) => numbers::<Date32Type>(values, nulls)?,
        Values::TimeDelta(values) => numbers::<DurationMicrosecondType>(values, nulls)?,
        Values::Bool(values) => vec![Arc::new(BooleanArray::new(values.share(), nulls))],
        Values::Str(texts) => of_texts(texts.share()?, nulls.as_ref(), |offsets, blob, nulls| {
            Ok(Arc::new(StringArray::try_new(offsets, blob.into_inner(), nulls)?))
        })?,
        Values::Bytes(texts) => {
            of_texts(texts.share()?, nulls.as_ref(), |offsets, blob, nulls| {
                Ok(Arc::new(BinaryArray::try_new(offsets, blob.into_inner(), nulls)?))
            })?
        }
        Values::Category(words) => vec![categories(words, nulls)?],
        Values::Object(_) => return Err(Reason::Objects.into()),
    })
}

fn numbers<T: ArrowPrimitiveType>(
    values: &mut Fixed<T::Native>,
    nulls: Option<NullBuffer>,
) -> Result<Pieces, ArrowError> {
    Ok(vec![Arc::new(PrimitiveArray::<T>::try_new(values.share(), nulls)?)])
}

fn of_texts(
    chunks: Vec<Blob>,
    nulls: Option<&NullBuffer>,
    array: impl Fn(
        OffsetBuffer<i32>,
        ScalarBuffer<u8>,
        Option<NullBuffer>,
    ) -> Result<ArrayRef, ArrowError>,
) -> Result<Pieces, ArrowError> {
    let mut start = 0;
    let pieces = chunks.into_iter().map(|(offsets, blob)| {
        let rows = offsets.len() - 1;
        let nulls = nulls.map(|nulls| nulls.slice(start, rows));
        start += rows;
        array(OffsetBuffer::new(offsets), blob, nulls)
    });
    pieces.collect()
}

fn categories(words: &mut Categories, nulls: Option<NullBuffer>) -> Result<ArrayRef, Failure> {
    let (offsets, blob) = words.share_words()?;
    let list = StringArray::try_new(OffsetBuffer::new(offsets), blob.into_inner(), None)?;
    let list = Arc::new(list);
    Ok(match words.codes_mut() {
        Codes::I1(codes) => {
            let codes = PrimitiveArray::try_new(codes.share(), nulls)?;
            Arc::new(DictionaryArray::<Int8Type>::try_new(codes, list)?)
        }
        Codes::I2(codes) => {
            let codes = PrimitiveArray::try_new(codes.share(), nulls)?;
            Arc::new(DictionaryArray::<Int16Type>::try_new(codes, list)?)
        }
        Codes::I4(codes) => {
            let codes = PrimitiveArray::try_new(codes.share(), nulls)?;
            Arc::new(DictionaryArray::<Int32Type>::try_new(codes, list)?)
        }
    })
}
