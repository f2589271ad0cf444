//! The type that all texts of a column say, where nothing is lost of any of them.
//!
//! - Integers are those that would be written so: `7` and `-7`, but not `007` (a code, not a number) or `+7`.
//! - Floats are decimal, of at most 17 digits, which is what programs write of them. Integers among them are floats
//!   too, if they are exact as such.
//! - True and false are called so; `1` and `0` are integers.
//! - Dates and times are those of [`Field::parsed`]. Dates among times are times.
//! - Everything else is text, as is what has blanks around it.

use std::ops::RangeInclusive;

use crate::kind::{Field, Kind};

/// So many digits tell every float from its neighbours. Who writes more means more than a float.
const DIGITS: usize = 17;
/// Integers that floats have exactly, one and all.
const EXACT: RangeInclusive<i128> = -(1 << 53)..=1 << 53;

/// What texts may say, what is asked for first first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Flag,
    Int,
    Float,
    Date,
    DateTime,
}

impl Form {
    const ALL: [Form; 5] = [Form::Flag, Form::Int, Form::Float, Form::Date, Form::DateTime];

    fn is_said(self, text: &str) -> bool {
        // A time has blanks in it, but not around it.
        let is_parsed = |kind| {
            text.trim_matches([' ', '\t']).len() == text.len()
                && Field::new("", kind).parsed(text).is_ok()
        };
        match self {
            Form::Flag => matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE"),
            Form::Int => is_int(text),
            Form::Float => is_int(text) || is_float(text),
            Form::Date => is_parsed(Kind::Date),
            Form::DateTime => is_parsed(Kind::DateTime),
        }
    }
}

/// What the texts of a column that were seen could be.
#[derive(Clone, Debug)]
pub struct Likely {
    could: Vec<Form>,
    least_and_greatest: Option<(i128, i128)>,
    some: bool,
    none: bool,
}

impl Default for Likely {
    fn default() -> Likely {
        let could = Form::ALL.to_vec();
        Likely { could, least_and_greatest: None, some: false, none: false }
    }
}

impl Likely {
    /// Takes account of one text more. An empty one says nothing.
    pub fn see(&mut self, text: &str) {
        if text.is_empty() {
            self.none = true;
            return;
        }
        self.some = true;
        self.could.retain(|form| form.is_said(text));
        if self.could.contains(&Form::Float) && is_int(text) {
            match text.parse() {
                Ok(int) => {
                    let (low, high) = self.least_and_greatest.unwrap_or((int, int));
                    self.least_and_greatest = Some((int.min(low), int.max(high)));
                }
                // No column has it.
                Err(_) => self.could.clear(),
            }
        }
    }

    /// The type; nothing of texts.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        let first = self.could.first().filter(|_| self.some)?;
        match (first, self.least_and_greatest) {
            (Form::Flag, _) => Some(Kind::Bool),
            (Form::Int, Some((low, high))) => Kind::narrowest(low, high),
            (Form::Int, None) => None,
            (Form::Float, ints) => {
                let exact = |(low, high)| EXACT.contains(&low) && EXACT.contains(&high);
                ints.is_none_or(exact).then_some(Kind::F8)
            }
            (Form::Date, _) => Some(Kind::Date),
            (Form::DateTime, _) => Some(Kind::DateTime),
        }
    }

    /// Whether some texts were empty.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.none
    }
}

/// Whether a text is what an integer is written like.
fn is_int(text: &str) -> bool {
    is_whole(text.strip_prefix('-').unwrap_or(text)) && text != "-0"
}

/// Whether a text is what a float is written like, that a float is no other than.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = [whole, fraction].concat();
    is_whole(whole)
        && are_digits(fraction)
        && are_digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))
        && digits.trim_start_matches('0').len() <= DIGITS
        && text.parse().is_ok_and(f64::is_finite)
}

fn is_whole(digits: &str) -> bool {
    are_digits(digits) && (digits.len() == 1 || !digits.starts_with('0'))
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
