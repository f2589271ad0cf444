//! Units and handles: no bare `usize` crosses a crate's edge.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// A number of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub u64);

impl Add for Bytes {
    type Output = Bytes;
    fn add(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Bytes) {
        *self = *self + other;
    }
}

/// Saturates at zero: a difference of two accounts is never "minus so many bytes of memory".
impl Sub for Bytes {
    type Output = Bytes;
    fn sub(self, other: Bytes) -> Bytes {
        Bytes(self.0.saturating_sub(other.0))
    }
}

impl SubAssign for Bytes {
    fn sub_assign(&mut self, other: Bytes) {
        *self = *self - other;
    }
}

impl Sum for Bytes {
    fn sum<I: Iterator<Item = Bytes>>(values: I) -> Bytes {
        values.fold(Bytes(0), Add::add)
    }
}

/// An address in the *target's* memory. Arithmetic wraps: a wrapped address is simply not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Addr(pub u64);

impl Addr {
    /// The null pointer.
    pub const NULL: Addr = Addr(0);

    /// Whether this is the null pointer.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Bytes from `base` up to here (wrapping).
    #[must_use]
    pub fn since(self, base: Addr) -> u64 {
        self.0.wrapping_sub(base.0)
    }
}

impl Add<u64> for Addr {
    type Output = Addr;
    fn add(self, bytes: u64) -> Addr {
        Addr(self.0.wrapping_add(bytes))
    }
}

impl Sub<u64> for Addr {
    type Output = Addr;
    fn sub(self, bytes: u64) -> Addr {
        Addr(self.0.wrapping_sub(bytes))
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

macro_rules! handle {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a column.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl From<usize> for $name {
            /// Columns hold fewer than 2³² rows; the builder refuses more.
            fn from(index: usize) -> $name {
                $name(index as u32)
            }
        }
    };
}

handle!(
    /// A row of the node table.
    NodeId
);
handle!(
    /// A row of the type table.
    TypeId
);
handle!(
    /// A row of the name table.
    NameId
);

/// How a size or a saving is known. Text marks it: nothing, `~`, `≈`; JSON spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trust {
    /// Read from the target: an allocator's own header, a page table, a field.
    Measured,
    /// Computed by a rule that was checked against measurements.
    Modelled,
    /// Extrapolated or guessed from a sample.
    Estimated,
}

impl Trust {
    /// The word JSON uses.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Trust::Measured => "measured",
            Trust::Modelled => "modelled",
            Trust::Estimated => "estimated",
        }
    }

    /// The mark text puts before a number.
    #[must_use]
    pub fn mark(self) -> &'static str {
        match self {
            Trust::Measured => "",
            Trust::Modelled => "~",
            Trust::Estimated => "≈",
        }
    }
}

/// A number as people write it: `1,000,000`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
