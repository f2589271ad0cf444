//! What a value is compared with, as Python's `==` compares what its `json` makes of it.

use std::borrow::Cow;
use std::str;

/// A value of Python that JSON has too. `true` is 1 and 1 is 1.0, as in Python; a text is no number.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `None`, which is `null`.
    Null,
    /// `True` and `False`.
    Bool(bool),
    /// An integer of any size, as its digits.
    Int(String),
    /// A number with a fraction, or none.
    Float(f64),
    /// A text.
    Text(String),
}

/// Values, one of which is wanted. There may be many: they are in order.
#[derive(Clone, Debug)]
pub(super) struct Wanted(Vec<Value<'static>>);

/// A value in a form that it shares with all that Python calls equal to it, and with nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Value<'a> {
    Null,
    Int(i128),
    /// Digits of an integer that is larger than that.
    Long(String),
    /// The bits of a number with a fraction, or of an infinite one.
    Float(u64),
    Text(Cow<'a, [u8]>),
}

impl Wanted {
    pub(super) fn new(literals: Vec<Literal>) -> Wanted {
        let mut values: Vec<_> = literals.into_iter().filter_map(Value::of).collect();
        values.sort_unstable();
        Wanted(values)
    }

    /// Whether a value, as JSON that is known to be valid, is one of them.
    #[inline]
    pub(super) fn has(&self, json: &[u8]) -> bool {
        Value::read(json).is_some_and(|value| self.0.binary_search(&value).is_ok())
    }
}

impl<'a> Value<'a> {
    /// `None` is equal to nothing.
    fn of(literal: Literal) -> Option<Value<'a>> {
        match literal {
            Literal::Null => Some(Value::Null),
            Literal::Bool(bool) => Some(Value::Int(bool.into())),
            Literal::Int(digits) => Some(Value::int(&digits)),
            Literal::Float(float) => Value::float(float),
            Literal::Text(text) => Some(Value::Text(text.into_bytes().into())),
        }
    }

    #[inline]
    fn read(json: &'a [u8]) -> Option<Value<'a>> {
        match json {
            [b'"', inside @ .., b'"'] => text(inside, json).map(Value::Text),
            [b'-' | b'0'..=b'9', ..] => Value::number(str::from_utf8(json).ok()?),
            b"null" => Some(Value::Null),
            b"true" => Some(Value::Int(1)),
            b"false" => Some(Value::Int(0)),
            _ => None,
        }
    }

    fn number(json: &str) -> Option<Value<'a>> {
        if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            return Value::float(json.parse().ok()?);
        }
        Some(Value::int(json))
    }

    fn int(digits: &str) -> Value<'a> {
        digits.parse().map_or_else(|_| Value::Long(digits.to_owned()), Value::Int)
    }

    /// Exactly: nothing is rounded to be compared.
    fn float(float: f64) -> Option<Value<'a>> {
        if float.is_nan() {
            return None;
        }
        if float.is_infinite() || float.fract() != 0.0 {
            return Some(Value::Float(float.to_bits()));
        }
        // What is larger would be cast to the largest.
        let largest = 2_f64.powi(127);
        let fits = -largest <= float && float < largest;
        Some(if fits { Value::Int(float as i128) } else { Value::Long(format!("{float:.0}")) })
    }
}

/// One with half of a surrogate pair, which JSON may have, is no text of ours.
#[inline]
fn text<'a>(inside: &'a [u8], json: &'a [u8]) -> Option<Cow<'a, [u8]>> {
    if inside.contains(&b'\\') {
        return Some(serde_json::from_slice::<String>(json).ok()?.into_bytes().into());
    }
    Some(inside.into())
}
