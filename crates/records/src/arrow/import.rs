//! In from Arrow.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_schema::{DataType, Schema};

use super::times::times;
use crate::bits::Bits;
use crate::category::{Categories, Codes};
use crate::column::Column;
use crate::error::{Reason, RecordsError};
use crate::fixed::Fixed;
use crate::kind::{Field, Kind};
use crate::table::Table;
use crate::texts::{MOST, Texts};
use crate::values::Values;

impl Table {
    /// A table of Arrow's batches, which all have the fields of the schema.
    ///
    /// The values are shared until they are changed. Texts in Arrow's large and view layouts are copied, and
    /// so are dates and times of other units than ours. A column of nulls is one of true and false.
    ///
    /// # Errors
    /// [`RecordsError::ArrowType`], [`RecordsError::SameName`], [`RecordsError::Memory`];
    /// [`RecordsError::Value`] of a date or a time that is beyond year 9999, or no whole number of
    /// microseconds or days.
    pub fn from_batches(
        schema: &Schema,
        batches: impl IntoIterator<Item = RecordBatch>,
    ) -> Result<Table, RecordsError> {
        let field = |field: &arrow_schema::FieldRef| {
            let kind = kind_of(field.data_type())
                .ok_or_else(|| refused(field.name(), field.data_type()))?;
            let nullable = field.is_nullable() || *field.data_type() == DataType::Null;
            Ok(Field { name: field.name().clone(), kind, nullable })
        };
        let fields: Vec<Field> = schema.fields().iter().map(field).collect::<Result<_, _>>()?;
        let mut tables = vec![Table::new(&fields)?];
        let mut rows = 0;
        for batch in batches {
            tables.push(of_batch(&fields, &batch).map_err(|error| error.moved(0, rows))?);
            rows += batch.num_rows();
        }
        Table::over_all(tables).ok_or(RecordsError::Memory)
    }
}

fn of_batch(fields: &[Field], batch: &RecordBatch) -> Result<Table, RecordsError> {
    if batch.num_columns() != fields.len() {
        let (got, want) = (batch.num_columns(), fields.len());
        return Err(RecordsError::Fields(format!("{got} columns, not {want}")));
    }
    let mut columns = Vec::new();
    for (field, array) in fields.iter().zip(batch.columns()) {
        if kind_of(array.data_type()) != Some(field.kind) {
            return Err(refused(&field.name, array.data_type()));
        }
        let at_fault = |reason| RecordsError::of_field(&field.name, reason);
        let values = match times(array, &field.name)? {
            Some(times) => Some(times),
            None => values(array).map_err(at_fault)?,
        };
        let values = values.ok_or_else(|| refused(&field.name, array.data_type()))?;
        // Of a column of nulls there is no bitmap.
        let is_null = *array.data_type() == DataType::Null;
        let nulls = if is_null { array.logical_nulls() } else { array.nulls().cloned() };
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let valid = nulls.as_ref().map(|nulls| Bits::from_arrow(nulls.inner())).transpose();
        let valid = valid.map_err(at_fault)?;
        let nullable = field.nullable || valid.is_some();
        columns.push(Column::over(field.kind, nullable, values, valid));
    }
    let names = fields.iter().map(|field| field.name.clone()).collect();
    Table::over(names, columns, batch.num_rows())
}

/// The kind of column that has the values of an Arrow type.
fn kind_of(data_type: &DataType) -> Option<Kind> {
    Some(match data_type {
        DataType::Int8 => Kind::I1,
        DataType::Int16 => Kind::I2,
        DataType::Int32 => Kind::I4,
        DataType::Int64 => Kind::I8,
        DataType::UInt8 => Kind::U1,
        DataType::UInt16 => Kind::U2,
        DataType::UInt32 => Kind::U4,
        DataType::UInt64 => Kind::U8,
        DataType::Float32 => Kind::F4,
        DataType::Float64 => Kind::F8,
        DataType::Boolean | DataType::Null => Kind::Bool,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Str,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Kind::Bytes,
        DataType::Dictionary(_, words) if kind_of(words) == Some(Kind::Str) => Kind::Category,
        DataType::Timestamp(_, None) => Kind::DateTime,
        DataType::Date32 | DataType::Date64 => Kind::Date,
        DataType::Duration(_) => Kind::TimeDelta,
        _ => return None,
    })
}

fn refused(field: &str, data_type: &DataType) -> RecordsError {
    let hint = match data_type {
        DataType::Timestamp(_, Some(_)) => "; convert it to UTC and take the time zone off",
        _ => "; rows that come one by one can have it in a field of objects",
    };
    let (field, found) = (field.to_owned(), data_type.to_string());
    RecordsError::ArrowType { field, found, hint }
}

/// Nothing for a type, or words of a dictionary, that no column has.
fn values(array: &dyn Array) -> Result<Option<Values>, Reason> {
    Ok(Some(match array.data_type() {
        DataType::Int8 => Values::I1(numbers::<Int8Type>(array)),
        DataType::Int16 => Values::I2(numbers::<Int16Type>(array)),
        DataType::Int32 => Values::I4(numbers::<Int32Type>(array)),
        DataType::Int64 => Values::I8(numbers::<Int64Type>(array)),
        DataType::UInt8 => Values::U1(numbers::<UInt8Type>(array)),
        DataType::UInt16 => Values::U2(numbers::<UInt16Type>(array)),
        DataType::UInt32 => Values::U4(numbers::<UInt32Type>(array)),
        DataType::UInt64 => Values::U8(numbers::<UInt64Type>(array)),
        DataType::Float32 => Values::F4(numbers::<Float32Type>(array)),
        DataType::Float64 => Values::F8(numbers::<Float64Type>(array)),
        DataType::Null => {
            let mut none = Bits::default();
            none.extend_with(false, array.len())?;
            Values::Bool(none)
        }
        DataType::Boolean => Values::Bool(Bits::from_arrow(array.as_boolean().values())?),
        DataType::Binary => {
            let array = array.as_binary::<i32>();
            let blob = ScalarBuffer::from(array.values().clone());
            Values::Bytes(Texts::over(array.offsets().inner().clone(), blob))
        }
        DataType::LargeBinary => Values::Bytes(copied(array.as_binary::<i64>().iter())?),
        DataType::BinaryView => Values::Bytes(copied(array.as_binary_view().iter())?),
        DataType::Dictionary(..) => match categories(array)? {
            Some(categories) => Values::Category(Box::new(categories)),
            None => return Ok(None),
        },
        _ => match texts(array)? {
            Some(texts) => Values::Str(texts),
            None => return Ok(None),
        },
    }))
}

fn numbers<T: ArrowPrimitiveType>(array: &dyn Array) -> Fixed<T::Native> {
    array.as_primitive::<T>().values().clone().into()
}

fn texts(array: &dyn Array) -> Result<Option<Texts>, Reason> {
    Ok(Some(match array.data_type() {
        DataType::Utf8 => {
            let array = array.as_string::<i32>();
            let blob = ScalarBuffer::from(array.values().clone());
            Texts::over(array.offsets().inner().clone(), blob)
        }
        DataType::LargeUtf8 => {
            copied(array.as_string::<i64>().iter().map(|text| text.map(str::as_bytes)))?
        }
        DataType::Utf8View => {
            copied(array.as_string_view().iter().map(|text| text.map(str::as_bytes)))?
        }
        _ => return Ok(None),
    }))
}

fn copied<'a>(from: impl Iterator<Item = Option<&'a [u8]>>) -> Result<Texts, Reason> {
    let mut texts = Texts::new(MOST);
    for text in from {
        texts.push(text.unwrap_or_default())?;
    }
    Ok(texts)
}

fn categories(array: &dyn Array) -> Result<Option<Categories>, Reason> {
    let dictionary = array.as_any_dictionary();
    // A row of a word that is no word has no value, in Arrow; here only the bitmap can say so.
    if dictionary.values().null_count() > 0 {
        return Ok(None);
    }
    let Some(words) = texts(dictionary.values())? else { return Ok(None) };
    let keys = dictionary.keys();
    let codes = match keys.data_type() {
        DataType::Int8 => Codes::I1(numbers::<Int8Type>(keys)),
        DataType::Int16 => Codes::I2(numbers::<Int16Type>(keys)),
        DataType::Int32 => Codes::I4(numbers::<Int32Type>(keys)),
        DataType::UInt8 => Codes::I2(widened::<UInt8Type, i16>(keys)?),
        DataType::UInt16 => Codes::I4(widened::<UInt16Type, i32>(keys)?),
        DataType::UInt32 => Codes::I4(widened::<UInt32Type, i32>(keys)?),
        DataType::Int64 => Codes::I4(widened::<Int64Type, i32>(keys)?),
        DataType::UInt64 => Codes::I4(widened::<UInt64Type, i32>(keys)?),
        _ => return Ok(None),
    };
    Ok(Some(Categories::over(codes, words)))
}

fn widened<K: ArrowDictionaryKeyType, T: arrow_buffer::ArrowNativeType + TryFrom<K::Native>>(
    keys: &dyn Array,
) -> Result<Fixed<T>, Reason> {
    let mut codes = Fixed::default();
    let keys = keys.as_primitive::<K>().values();
    // The code of a row without a value may be anything.
    codes.own(keys.len())?.extend(keys.iter().map(|key| T::try_from(*key).unwrap_or_default()));
    Ok(codes)
}
