//! One value of one row, on its way in or out.

use std::fmt;

use crate::objects::Object;

/// A value, with text and bytes borrowed from whoever has them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// No value.
    None,
    /// True or false.
    Bool(bool),
    /// An integer. One that does not fit is handed in as the nearest that does: no column holds
    /// either.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A date and time of day without a time zone: microseconds since 1970.
    DateTime(i64),
    /// A date: days since 1970.
    Date(i32),
    /// A span of time: microseconds.
    TimeDelta(i64),
    /// An object of which nothing is known here.
    Object(Object<'a>),
    /// Something that no column holds.
    Other,
}

/// What has a value, or is one.
pub trait Valued {
    /// The value.
    fn value(&self) -> Value<'_>;
}

impl Valued for Value<'_> {
    #[inline]
    fn value(&self) -> Value<'_> {
        *self
    }
}

/// Of a long text or bytes, messages show this many characters.
const SHOWN: usize = 40;

/// As a message names it: text in quotes, and its beginning only if it is long.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Value::None => f.write_str("None"),
            Value::Bool(true) => f.write_str("True"),
            Value::Bool(false) => f.write_str("False"),
            Value::Int(int) => write!(f, "{int}"),
            Value::Float(float) => write!(f, "{float:?}"),
            Value::Str(text) => match text.char_indices().nth(SHOWN) {
                None => write!(f, "{text:?}"),
                Some((end, _)) => write!(f, "{:?}…", text.get(..end).unwrap_or_default()),
            },
            Value::Bytes(bytes) => {
                let shown = bytes.get(..SHOWN).unwrap_or(bytes);
                let more = if shown.len() < bytes.len() { "…" } else { "" };
                write!(f, "b\"{}\"{more}", shown.escape_ascii())
            }
            // "Not a time", as NumPy writes it into arrays.
            Value::DateTime(i64::MIN) => f.write_str("NaT"),
            Value::DateTime(micros) => write!(f, "a datetime of {micros} µs since 1970"),
            Value::Date(days) => write!(f, "a date of {days} days since 1970"),
            Value::TimeDelta(micros) => write!(f, "a timedelta of {micros} µs"),
            Value::Object(_) | Value::Other => f.write_str("an object"),
        }
    }
}
