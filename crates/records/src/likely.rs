//! The type that all texts of a column say, where nothing is lost of any of them.
//!
//! - Integers are those that would be written so: `7` and `-7`, but not `007` (a code, not a number) or `+7`.
//! - Floats are decimal, of at most 17 digits, the most that they keep. Integers among them are floats too, if they
//!   are exact as such.
//! - True and false are called so; `1` and `0` are integers.
//! - Dates and times are those of [`Field::parsed`]. Dates among times are times.
//! - Everything else is text, as is what has blanks around it.

use std::ops::RangeInclusive;

use crate::kind::{Field, Kind};
use crate::value::Value;

/// The most digits that are the same after a float has had them: of an `f8`, any that far apart are.
const DIGITS: usize = 17;
/// Integers that floats have exactly, one and all.
const EXACT: RangeInclusive<i128> = -(1 << 53)..=1 << 53;

/// What the texts of a column that were seen could be.
#[derive(Clone, Debug)]
pub struct Likely {
    flag: bool,
    int: bool,
    float: bool,
    date: bool,
    datetime: bool,
    /// Of the integers.
    least_and_greatest: Option<(i128, i128)>,
    some: bool,
    none: bool,
}

impl Default for Likely {
    fn default() -> Likely {
        let (flag, int, float, date, datetime) = (true, true, true, true, true);
        Likely {
            flag,
            int,
            float,
            date,
            datetime,
            least_and_greatest: None,
            some: false,
            none: false,
        }
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
        let says = |kind| Field::new("", kind).parsed(text).is_ok();
        let (is_int, is_float) = if self.int || self.float { number(text) } else { (false, false) };
        self.int &= is_int;
        self.float &= is_float;
        if is_int && let Ok(Value::Int(int)) = Field::new("", Kind::I8).parsed(text) {
            let (low, high) = self.least_and_greatest.unwrap_or((int, int));
            self.least_and_greatest = Some((low.min(int), high.max(int)));
        } else if is_int {
            (self.int, self.float) = (false, false);
        }
        self.flag &= matches!(text, "true" | "false" | "True" | "False" | "TRUE" | "FALSE");
        let has_blanks = text.trim_matches([' ', '\t']).len() < text.len();
        self.date = self.date && !has_blanks && says(Kind::Date);
        self.datetime = self.datetime && !has_blanks && says(Kind::DateTime);
    }

    /// The type; nothing of texts.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        if !self.some {
            return None;
        }
        let ints = self.least_and_greatest;
        let exact = ints.is_none_or(|(low, high)| EXACT.contains(&low) && EXACT.contains(&high));
        match ints {
            Some((low, high)) if self.int => Kind::narrowest(low, high),
            _ if self.float && exact => Some(Kind::F8),
            _ if self.flag => Some(Kind::Bool),
            _ if self.date => Some(Kind::Date),
            _ if self.datetime => Some(Kind::DateTime),
            _ => None,
        }
    }

    /// Whether some texts were empty.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        self.none
    }
}

/// Whether a text is a decimal integer, and whether it is a decimal number, written in the one way in which numbers
/// are.
fn number(text: &str) -> (bool, bool) {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_whole = digits(whole) && (whole.len() == 1 || !whole.starts_with('0'));
    let is_exponent = |text: &str| digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    let is_number = is_whole && fraction.is_none_or(digits) && exponent.is_none_or(is_exponent);
    let is_int = is_number && fraction.is_none() && exponent.is_none() && text != "-0";
    let shown = whole.len() + fraction.map_or(0, str::len);
    let is_finite = || text.parse().is_ok_and(f64::is_finite);
    (is_int, is_number && (is_int || shown <= DIGITS && is_finite()))
}
