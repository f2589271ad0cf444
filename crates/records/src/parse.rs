//! Values of what texts say, as files of CSV have them: without a detour over anybody's objects.
//!
//! - Numbers are decimal, with blanks around them or not; integers with a sign or not, floats as Rust's
//!   standard library reads them (`1e5`, `.5`, `inf`, `NaN`), to the nearest.
//! - True and false are called so, in any case, or `1` and `0`.
//! - Dates are `2024-02-29`, times `2024-02-29 12:30`, with `T` for the blank or not, with seconds and their
//!   fraction or not, or a date alone, whose midnight they are. No time zone is one.
//! - A text is what it says.

use std::num::IntErrorKind;

use crate::error::Reason;
use crate::kind::{Field, Kind};
use crate::value::Value;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

impl Kind {
    /// Whether [`Field::parsed`] has values of this kind at all.
    #[must_use]
    pub fn is_parsed(self) -> bool {
        !matches!(self, Kind::TimeDelta | Kind::Object(_))
    }
}

impl Field {
    /// The value that a text says. Of a nullable field, an empty one says nothing.
    ///
    /// # Errors
    /// [`Reason::WrongType`] if it says no value of this kind, [`Reason::Overflow`] if it is an integer that no
    /// column has, or a float so large that it is infinite, of a narrow column. That others fit is seen when they
    /// are put into one.
    #[inline]
    pub fn parsed<'a>(&self, text: &'a str) -> Result<Value<'a>, Reason> {
        if text.is_empty() && self.nullable {
            return Ok(Value::None);
        }
        let value = match self.kind {
            Kind::Str | Kind::Category => Some(Value::Str(text)),
            Kind::Bytes => Some(Value::Bytes(text.as_bytes())),
            Kind::F4 | Kind::F8 => return float(text, self.kind),
            Kind::Bool => flag(blanks_off(text)).map(Value::Bool),
            Kind::Date => date(blanks_off(text).as_bytes()).map(Value::Date),
            Kind::DateTime => datetime(blanks_off(text).as_bytes()).map(Value::DateTime),
            Kind::TimeDelta | Kind::Object(_) => None,
            kind => return int(text, kind),
        };
        value.ok_or_else(|| wrong(text, self.kind))
    }
}

#[cold]
fn wrong(text: &str, kind: Kind) -> Reason {
    Reason::WrongType { value: Value::Str(text).to_string(), kind }
}

fn blanks_off(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[inline]
fn int(text: &str, kind: Kind) -> Result<Value<'_>, Reason> {
    let digits = blanks_off(text);
    if let Ok(int) = digits.parse::<i64>() {
        return Ok(Value::Int(int.into()));
    }
    digits.parse().map(Value::Int).map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => {
            Reason::Overflow { value: digits.to_owned(), kind }
        }
        _ => wrong(text, kind),
    })
}

#[inline]
fn float(text: &str, kind: Kind) -> Result<Value<'_>, Reason> {
    let digits = blanks_off(text);
    let float: f64 = digits.parse().map_err(|_| wrong(text, kind))?;
    // What is too large by less is refused where it is put into the column.
    if kind == Kind::F4 && float.is_infinite() && digits.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Reason::Overflow { value: digits.to_owned(), kind });
    }
    Ok(Value::Float(float))
}

fn flag(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match text {
        "1" => Some(true),
        "0" => Some(false),
        _ if is("true") => Some(true),
        _ if is("false") => Some(false),
        _ => None,
    }
}

/// Days since 1970 of `2024-02-29`.
fn date(text: &[u8]) -> Option<i32> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else { return None };
    let year = number(&[y1, y2, y3, y4])?;
    let (month, day) = (number(&[m1, m2])?, number(&[d1, d2])?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // Python has no year 0.
    if year == 0 || !(1..=last).contains(&day) {
        return None;
    }
    // Years that begin with March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let days_before_month = (month * 153 + 2) / 5;
    // From the first of March of year 0 to 1970.
    Some(days_before_year + days_before_month + day - 1 - 719_468)
}

/// Microseconds since 1970 of `2024-02-29T12:30:00.5`, or less of it.
fn datetime(text: &[u8]) -> Option<i64> {
    let (its_date, time) = text.split_at_checked(10)?;
    let days = i64::from(date(its_date)?);
    let of_day = match time {
        [] => 0,
        [b'T' | b' ', time @ ..] => time_of_day(time)?,
        _ => return None,
    };
    Some(days * DAY + of_day)
}

fn time_of_day(text: &[u8]) -> Option<i64> {
    let (hour, minute, rest) = match text {
        [h1, h2, b':', m1, m2, rest @ ..] => (number(&[*h1, *h2])?, number(&[*m1, *m2])?, rest),
        _ => return None,
    };
    let (second, fraction) = match rest {
        [] => (0, 0),
        [b':', s1, s2] => (number(&[*s1, *s2])?, 0),
        [b':', s1, s2, b'.', digits @ ..] => (number(&[*s1, *s2])?, micros(digits)?),
        _ => return None,
    };
    let in_range = hour < 24 && minute < 60 && second < 60;
    in_range.then(|| i64::from((hour * 60 + minute) * 60 + second) * SECOND + i64::from(fraction))
}

/// Of the digits of a fraction of a second, if they are all of it.
fn micros(digits: &[u8]) -> Option<i32> {
    let (shown, beyond) = digits.split_at(digits.len().min(6));
    let left_out = 6 - shown.len() as u32;
    let is_whole = !shown.is_empty() && beyond.iter().all(|digit| *digit == b'0');
    is_whole.then(|| number(shown)).flatten().map(|number| number * 10_i32.pow(left_out))
}

/// Of at most nine digits.
fn number(digits: &[u8]) -> Option<i32> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0'))
    })
}
