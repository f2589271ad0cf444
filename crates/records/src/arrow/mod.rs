//! Arrow's arrays out of columns, and columns out of them, without copying values.

mod export;
mod import;
mod times;

use arrow_schema::{DataType, TimeUnit};

use crate::category::Codes;
use crate::column::Column;
use crate::values::Values;

/// The Arrow type that a column goes out as; nothing of objects.
fn data_type(column: &Column) -> Option<DataType> {
    Some(match &column.values {
        Values::I1(_) => DataType::Int8,
        Values::I2(_) => DataType::Int16,
        Values::I4(_) => DataType::Int32,
        Values::I8(_) => DataType::Int64,
        Values::U1(_) => DataType::UInt8,
        Values::U2(_) => DataType::UInt16,
        Values::U4(_) => DataType::UInt32,
        Values::U8(_) => DataType::UInt64,
        Values::F4(_) => DataType::Float32,
        Values::F8(_) => DataType::Float64,
        Values::Bool(_) => DataType::Boolean,
        Values::Str(_) => DataType::Utf8,
        Values::Bytes(_) => DataType::Binary,
        Values::Category(words) => {
            let code = match words.codes() {
                Codes::I1(_) => DataType::Int8,
                Codes::I2(_) => DataType::Int16,
                Codes::I4(_) => DataType::Int32,
            };
            DataType::Dictionary(Box::new(code), Box::new(DataType::Utf8))
        }
        Values::DateTime(_) => DataType::Timestamp(TimeUnit::Microsecond, None),
        Values::Date(_) => DataType::Date32,
        Values::TimeDelta(_) => DataType::Duration(TimeUnit::Microsecond),
        Values::Object(_) => return None,
    })
}
