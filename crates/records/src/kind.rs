//! What a column can hold.

use std::fmt;
use std::ops::RangeInclusive;

use crate::objects::Objects;

/// The type of a column. The names are those of Python's `array` and NumPy: a letter and the number
/// of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Signed integers of one byte.
    I1,
    /// Signed integers of two bytes.
    I2,
    /// Signed integers of four bytes.
    I4,
    /// Signed integers of eight bytes.
    I8,
    /// Unsigned integers of one byte.
    U1,
    /// Unsigned integers of two bytes.
    U2,
    /// Unsigned integers of four bytes.
    U4,
    /// Unsigned integers of eight bytes.
    U8,
    /// Floats of four bytes.
    F4,
    /// Floats of eight bytes.
    F8,
    /// True and false, eight to the byte.
    Bool,
    /// Text.
    Str,
    /// Bytes.
    Bytes,
    /// Text of which there are few different: a number of one, two or four bytes for each.
    Category,
    /// Microseconds since 1970, in no time zone, of the years 1 to 9999.
    DateTime,
    /// Days since 1970, of the same years.
    Date,
    /// Microseconds.
    TimeDelta,
    /// Objects of which nothing is known here: [`Kind::objects`].
    Object(Objects),
}

/// Microseconds since 1970 from year 1 to year 9999: those that Python's `datetime` has (`MINYEAR` and
/// `MAXYEAR` of Include/datetime.h).
pub(crate) const DATETIMES: RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
/// Days of the same years.
pub(crate) const DATES: RangeInclusive<i32> = -719_162..=2_932_896;

impl Kind {
    /// All of them but objects, of which there is one kind for each who has some.
    pub const ALL: [Kind; 17] = [
        Kind::I1,
        Kind::I2,
        Kind::I4,
        Kind::I8,
        Kind::U1,
        Kind::U2,
        Kind::U4,
        Kind::U8,
        Kind::F4,
        Kind::F8,
        Kind::Bool,
        Kind::Str,
        Kind::Bytes,
        Kind::Category,
        Kind::DateTime,
        Kind::Date,
        Kind::TimeDelta,
    ];

    /// As a message names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::I1 => "i1",
            Kind::I2 => "i2",
            Kind::I4 => "i4",
            Kind::I8 => "i8",
            Kind::U1 => "u1",
            Kind::U2 => "u2",
            Kind::U4 => "u4",
            Kind::U8 => "u8",
            Kind::F4 => "f4",
            Kind::F8 => "f8",
            Kind::Bool => "bool",
            Kind::Str => "str",
            Kind::Bytes => "bytes",
            Kind::Category => "category",
            Kind::DateTime => "datetime",
            Kind::Date => "date",
            Kind::TimeDelta => "timedelta",
            Kind::Object(_) => "object",
        }
    }

    /// Least and greatest of a kind of integer; nothing for the others.
    #[must_use]
    pub fn bounds(self) -> Option<(i128, i128)> {
        match self {
            Kind::I1 => Some((i8::MIN.into(), i8::MAX.into())),
            Kind::I2 => Some((i16::MIN.into(), i16::MAX.into())),
            Kind::I4 => Some((i32::MIN.into(), i32::MAX.into())),
            Kind::I8 => Some((i64::MIN.into(), i64::MAX.into())),
            Kind::U1 => Some((0, u8::MAX.into())),
            Kind::U2 => Some((0, u16::MAX.into())),
            Kind::U4 => Some((0, u32::MAX.into())),
            Kind::U8 => Some((0, u64::MAX.into())),
            _ => None,
        }
    }

    /// The narrowest kind of integer that has both, unsigned if it can be.
    #[must_use]
    pub fn narrowest(low: i128, high: i128) -> Option<Kind> {
        let by_width =
            [Kind::U1, Kind::I1, Kind::U2, Kind::I2, Kind::U4, Kind::I4, Kind::U8, Kind::I8];
        by_width
            .into_iter()
            .find(|kind| kind.bounds().is_some_and(|(least, most)| least <= low && high <= most))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A column's name, what it holds, and whether it may hold nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether rows may have no value there.
    pub nullable: bool,
}

impl Field {
    /// A field that has a value in every row.
    pub fn new(name: impl Into<String>, kind: Kind) -> Field {
        Field { name: name.into(), kind, nullable: false }
    }

    /// The same field, with rows that may have no value.
    #[must_use]
    pub fn nullable(mut self) -> Field {
        self.nullable = true;
        self
    }
}
