//! The values of a column, by kind.

use crate::bits::Bits;
use crate::category::Categories;
use crate::fixed::Fixed;
use crate::kind::Kind;
use crate::objects::Held;
use crate::texts::Texts;

#[derive(Debug)]
pub(crate) enum Values {
    I1(Fixed<i8>),
    I2(Fixed<i16>),
    I4(Fixed<i32>),
    I8(Fixed<i64>),
    U1(Fixed<u8>),
    U2(Fixed<u16>),
    U4(Fixed<u32>),
    U8(Fixed<u64>),
    F4(Fixed<f32>),
    F8(Fixed<f64>),
    Bool(Bits),
    Str(Texts),
    Bytes(Texts),
    Category(Box<Categories>),
    DateTime(Fixed<i64>),
    Date(Fixed<i32>),
    TimeDelta(Fixed<i64>),
    Object(Box<dyn Held>),
}

/// The same expression for every kind of values; for those of numbers alone, with another for the
/// rest.
macro_rules! each_kind {
    ($values:expr, $inner:ident => $does:expr) => {
        each_kind!($values, $inner => $does,
            Values::Bool($inner) => $does,
            Values::Str($inner) | Values::Bytes($inner) => $does,
            Values::Category($inner) => $does,
            Values::Object($inner) => $does)
    };
    ($values:expr, $inner:ident => $does:expr, $($other:pat => $else:expr),+) => {
        match $values {
            Values::I1($inner) => $does,
            Values::I2($inner) => $does,
            Values::I4($inner) | Values::Date($inner) => $does,
            Values::I8($inner) | Values::DateTime($inner) | Values::TimeDelta($inner) => $does,
            Values::U1($inner) => $does,
            Values::U2($inner) => $does,
            Values::U4($inner) => $does,
            Values::U8($inner) => $does,
            Values::F4($inner) => $does,
            Values::F8($inner) => $does,
            $($other => $else),+
        }
    };
}
pub(crate) use each_kind;

impl Values {
    /// None yet; of texts, with blobs of so many bytes at most.
    pub(crate) fn new(kind: Kind, most: usize) -> Values {
        match kind {
            Kind::I1 => Values::I1(Fixed::default()),
            Kind::I2 => Values::I2(Fixed::default()),
            Kind::I4 => Values::I4(Fixed::default()),
            Kind::I8 => Values::I8(Fixed::default()),
            Kind::U1 => Values::U1(Fixed::default()),
            Kind::U2 => Values::U2(Fixed::default()),
            Kind::U4 => Values::U4(Fixed::default()),
            Kind::U8 => Values::U8(Fixed::default()),
            Kind::F4 => Values::F4(Fixed::default()),
            Kind::F8 => Values::F8(Fixed::default()),
            Kind::Bool => Values::Bool(Bits::default()),
            Kind::Str => Values::Str(Texts::new(most)),
            Kind::Bytes => Values::Bytes(Texts::new(most)),
            Kind::Category => Values::Category(Box::new(Categories::new())),
            Kind::DateTime => Values::DateTime(Fixed::default()),
            Kind::Date => Values::Date(Fixed::default()),
            Kind::TimeDelta => Values::TimeDelta(Fixed::default()),
            Kind::Object(objects) => Values::Object(objects.column()),
        }
    }
}
