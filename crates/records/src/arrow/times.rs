//! Dates and times in from Arrow: those of other units where nothing is lost of them, and none that
//! Python has not.

use std::fmt::Display;

use arrow_array::Array;
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use arrow_schema::{DataType, TimeUnit};

use crate::error::{Reason, RecordsError};
use crate::fixed::Fixed;
use crate::kind::{DATES, DATETIMES, Kind};
use crate::values::Values;

/// Nothing for an array of another type.
pub(super) fn times(array: &dyn Array, field: &str) -> Result<Option<Values>, RecordsError> {
    let read = |kind, unit| Read { array, field, kind, unit };
    let date = |unit| read(Kind::Date, unit);
    Ok(Some(match array.data_type() {
        DataType::Timestamp(unit, None) => {
            let is_time = |micros: &i64| DATETIMES.contains(micros);
            let read = read(Kind::DateTime, symbol(*unit));
            Values::DateTime(match unit {
                TimeUnit::Microsecond => read.as_they_are(is_time)?,
                unit => read.converted(|value| micros(*unit, value).filter(is_time))?,
            })
        }
        DataType::Duration(unit) => {
            let read = read(Kind::TimeDelta, symbol(*unit));
            Values::TimeDelta(match unit {
                TimeUnit::Microsecond => read.as_they_are(|_| true)?,
                unit => read.converted(|value| micros(*unit, value))?,
            })
        }
        DataType::Date32 => Values::Date(date("days").as_they_are(|days| DATES.contains(days))?),
        DataType::Date64 => Values::Date(date("ms").converted(whole_days)?),
        _ => return Ok(None),
    }))
}

fn micros(unit: TimeUnit, value: i64) -> Option<i64> {
    match unit {
        TimeUnit::Second => value.checked_mul(1_000_000),
        TimeUnit::Millisecond => value.checked_mul(1_000),
        TimeUnit::Microsecond => Some(value),
        TimeUnit::Nanosecond => (value % 1_000 == 0).then_some(value / 1_000),
    }
}

fn symbol(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "µs",
        TimeUnit::Nanosecond => "ns",
    }
}

fn whole_days(millis: i64) -> Option<i32> {
    const DAY: i64 = 86_400_000;
    let days = i32::try_from(millis / DAY).ok().filter(|days| DATES.contains(days));
    days.filter(|_| millis % DAY == 0)
}

/// An array on its way into a column.
struct Read<'a> {
    array: &'a dyn Array,
    field: &'a str,
    kind: Kind,
    unit: &'static str,
}

impl Read<'_> {
    fn numbers<T: ArrowNativeType>(&self) -> ScalarBuffer<T> {
        let data = self.array.to_data();
        let buffer = data.buffers().first().cloned().unwrap_or_default();
        ScalarBuffer::new(buffer, data.offset(), data.len())
    }

    fn refused(&self, row: usize, value: impl Display) -> RecordsError {
        let value = format!("{value} {}", self.unit);
        RecordsError::at(row, self.field, Reason::Overflow { value, kind: self.kind })
    }

    /// Shared with Arrow. The number of a row without a value may be anything.
    fn as_they_are<T: ArrowNativeType + Display>(
        &self,
        holds: impl Fn(&T) -> bool,
    ) -> Result<Fixed<T>, RecordsError> {
        let numbers = self.numbers::<T>();
        for (row, number) in numbers.iter().enumerate() {
            if !holds(number) && self.array.is_valid(row) {
                return Err(self.refused(row, number));
            }
        }
        Ok(numbers.into())
    }

    fn converted<T: ArrowNativeType>(
        &self,
        convert: impl Fn(i64) -> Option<T>,
    ) -> Result<Fixed<T>, RecordsError> {
        let numbers = self.numbers::<i64>();
        let mut fresh = Fixed::default();
        let own = fresh.own(numbers.len()).map_err(|_| RecordsError::Memory)?;
        for (row, number) in numbers.iter().enumerate() {
            match convert(*number) {
                None if self.array.is_valid(row) => return Err(self.refused(row, number)),
                converted => own.push(converted.unwrap_or_default()),
            }
        }
        Ok(fresh)
    }
}
