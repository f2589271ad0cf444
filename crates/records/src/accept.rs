//! Which values a kind of column takes, and as what.
//!
//! True and false are integers in Python and are taken as such; integers are taken as floats if
//! nothing of them is lost. Nothing else is converted.

use crate::error::Reason;
use crate::kind::{DATES, DATETIMES, Field, Kind};
use crate::objects::Object;
use crate::value::Value;

fn wrong(value: &Value<'_>, kind: Kind) -> Reason {
    Reason::WrongType { value: value.to_string(), kind }
}

fn overflow(value: &Value<'_>, kind: Kind) -> Reason {
    Reason::Overflow { value: value.to_string(), kind }
}

#[inline]
pub(crate) fn int<T: TryFrom<i128>>(value: &Value<'_>, kind: Kind) -> Result<T, Reason> {
    match *value {
        Value::Int(int) => T::try_from(int).map_err(|_| overflow(value, kind)),
        Value::Bool(flag) => T::try_from(flag.into()).map_err(|_| overflow(value, kind)),
        _ => Err(wrong(value, kind)),
    }
}

#[inline]
pub(crate) fn f8(value: &Value<'_>, kind: Kind) -> Result<f64, Reason> {
    match *value {
        Value::Float(float) => Ok(float),
        Value::Bool(flag) => Ok(f64::from(u8::from(flag))),
        Value::Int(int) => {
            let float = int as f64;
            // The least and the greatest stand for all beyond them (`Value::Int`).
            let exact = float as i128 == int && int != i128::MIN && int != i128::MAX;
            exact.then_some(float).ok_or_else(|| overflow(value, kind))
        }
        _ => Err(wrong(value, kind)),
    }
}

#[inline]
pub(crate) fn f4(value: &Value<'_>, kind: Kind) -> Result<f32, Reason> {
    let wide = f8(value, kind)?;
    let narrow = wide as f32;
    let stays = match value {
        // An integer stays the very number.
        Value::Int(int) => narrow as i128 == *int,
        // As C's `float` does, it rounds; but what is finite stays finite.
        _ => narrow.is_finite() || !wide.is_finite(),
    };
    stays.then_some(narrow).ok_or_else(|| overflow(value, kind))
}

#[inline]
pub(crate) fn flag(value: &Value<'_>, kind: Kind) -> Result<bool, Reason> {
    if let Value::Bool(flag) = *value { Ok(flag) } else { Err(wrong(value, kind)) }
}

#[inline]
pub(crate) fn text<'a>(value: &Value<'a>, kind: Kind) -> Result<&'a str, Reason> {
    if let Value::Str(text) = *value { Ok(text) } else { Err(wrong(value, kind)) }
}

#[inline]
pub(crate) fn bytes<'a>(value: &Value<'a>, kind: Kind) -> Result<&'a [u8], Reason> {
    if let Value::Bytes(bytes) = *value { Ok(bytes) } else { Err(wrong(value, kind)) }
}

#[inline]
pub(crate) fn datetime(value: &Value<'_>, kind: Kind) -> Result<i64, Reason> {
    match *value {
        Value::DateTime(micros) if DATETIMES.contains(&micros) => Ok(micros),
        Value::DateTime(_) => Err(overflow(value, kind)),
        _ => Err(wrong(value, kind)),
    }
}

#[inline]
pub(crate) fn date(value: &Value<'_>, kind: Kind) -> Result<i32, Reason> {
    match *value {
        Value::Date(days) if DATES.contains(&days) => Ok(days),
        Value::Date(_) => Err(overflow(value, kind)),
        _ => Err(wrong(value, kind)),
    }
}

#[inline]
pub(crate) fn timedelta(value: &Value<'_>, kind: Kind) -> Result<i64, Reason> {
    if let Value::TimeDelta(micros) = *value { Ok(micros) } else { Err(wrong(value, kind)) }
}

/// Of objects, no value is a value like others.
#[inline]
pub(crate) fn object<'a>(value: &Value<'a>, kind: Kind) -> Result<Option<Object<'a>>, Reason> {
    match *value {
        Value::Object(object) => Ok(Some(object)),
        Value::None => Ok(None),
        _ => Err(wrong(value, kind)),
    }
}

/// Whether a column of this kind takes that value.
pub(crate) fn check(value: &Value<'_>, kind: Kind) -> Result<(), Reason> {
    match kind {
        Kind::I1 => int::<i8>(value, kind).map(drop),
        Kind::I2 => int::<i16>(value, kind).map(drop),
        Kind::I4 => int::<i32>(value, kind).map(drop),
        Kind::I8 => int::<i64>(value, kind).map(drop),
        Kind::U1 => int::<u8>(value, kind).map(drop),
        Kind::U2 => int::<u16>(value, kind).map(drop),
        Kind::U4 => int::<u32>(value, kind).map(drop),
        Kind::U8 => int::<u64>(value, kind).map(drop),
        Kind::F4 => f4(value, kind).map(drop),
        Kind::F8 => f8(value, kind).map(drop),
        Kind::Bool => flag(value, kind).map(drop),
        Kind::Str | Kind::Category => text(value, kind).map(drop),
        Kind::Bytes => bytes(value, kind).map(drop),
        Kind::DateTime => datetime(value, kind).map(drop),
        Kind::Date => date(value, kind).map(drop),
        Kind::TimeDelta => timedelta(value, kind).map(drop),
        Kind::Object(_) => object(value, kind).map(drop),
    }
}

impl Field {
    /// A value as a column of this field would give it back: a true of an integer is one, and an `f4`
    /// has been rounded.
    ///
    /// # Errors
    /// As those of [`RecordsError::Value`](crate::RecordsError::Value).
    pub fn held<'a>(&self, value: Value<'a>) -> Result<Value<'a>, Reason> {
        if value == Value::None && !matches!(self.kind, Kind::Object(_)) {
            return if self.nullable { Ok(value) } else { Err(Reason::Null) };
        }
        check(&value, self.kind)?;
        Ok(match (value, self.kind) {
            (_, Kind::F4) => Value::Float(f4(&value, self.kind)?.into()),
            (_, Kind::F8) => Value::Float(f8(&value, self.kind)?),
            (Value::Bool(flag), kind) if kind != Kind::Bool => Value::Int(flag.into()),
            _ => value,
        })
    }
}
