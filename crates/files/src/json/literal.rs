//! What a value is compared with, as Python's `==` compares what its `json` makes of it.

use std::cmp::Ordering;
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

/// A literal, ready to be compared.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    Null,
    Text(String),
    Number(Number),
}

#[derive(Clone, Debug)]
pub(super) enum Number {
    Int(i128),
    /// Digits of an integer that is larger than that.
    Long(String),
    Float(f64),
}

impl Wanted {
    pub(super) fn new(literal: Literal) -> Wanted {
        match literal {
            Literal::Null => Wanted::Null,
            Literal::Bool(bool) => Wanted::Number(Number::Int(bool.into())),
            Literal::Int(digits) => Wanted::Number(Number::int(&digits)),
            Literal::Float(float) => Wanted::Number(Number::Float(float)),
            Literal::Text(text) => Wanted::Text(text),
        }
    }

    /// Whether a value, as JSON that is known to be valid, is this.
    #[inline]
    pub(super) fn is(&self, json: &[u8]) -> bool {
        match (self, json) {
            (Wanted::Text(text), [b'"', inside @ .., b'"']) => is_text(text, inside, json),
            (Wanted::Null, json) => json == b"null",
            (Wanted::Number(number), [b'-' | b'0'..=b'9', ..]) => number.is(&Number::of(json)),
            (Wanted::Number(number), b"true") => number.is(&Number::Int(1)),
            (Wanted::Number(number), b"false") => number.is(&Number::Int(0)),
            _ => false,
        }
    }
}

/// A text with half of a surrogate pair, which JSON may have, is no text of ours.
fn is_text(text: &str, inside: &[u8], json: &[u8]) -> bool {
    if inside.contains(&b'\\') {
        serde_json::from_slice::<String>(json).is_ok_and(|whole| whole == text)
    } else {
        inside == text.as_bytes()
    }
}

impl Number {
    fn of(json: &[u8]) -> Number {
        // All of it is ASCII, or it was no JSON.
        let json = str::from_utf8(json).unwrap_or_default();
        if json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
            // Only what is no number could fail, and would be equal to none.
            return Number::Float(json.parse().unwrap_or(f64::NAN));
        }
        Number::int(json)
    }

    fn int(digits: &str) -> Number {
        digits.parse().map_or_else(|_| Number::Long(digits.to_owned()), Number::Int)
    }

    /// Exactly: nothing is rounded to be compared.
    fn is(&self, other: &Number) -> bool {
        match (self, other) {
            (Number::Int(one), Number::Int(other)) => one == other,
            (Number::Float(one), Number::Float(other)) => {
                one.partial_cmp(other) == Some(Ordering::Equal)
            }
            (Number::Long(one), Number::Long(other)) => one == other,
            (Number::Int(int), Number::Float(float)) | (Number::Float(float), Number::Int(int)) => {
                // What is larger would be cast to the largest.
                let largest = 2_f64.powi(127);
                let fits = -largest <= *float && *float < largest;
                fits && float.fract() == 0.0 && *float as i128 == *int
            }
            (Number::Long(digits), Number::Float(float))
            | (Number::Float(float), Number::Long(digits)) => {
                float.is_finite() && format!("{float:.0}") == *digits
            }
            (Number::Int(_), Number::Long(_)) | (Number::Long(_), Number::Int(_)) => false,
        }
    }
}
