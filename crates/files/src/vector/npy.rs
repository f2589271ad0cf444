//! The header of a `.npy` file, as NumPy has it (`numpy/lib/_format_impl.py`): the type of the values, and how many
//! there are.

use std::fmt;

/// What a vector holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    /// True or false, a byte each.
    Bool,
    /// Whole numbers with a sign, by their bytes.
    I1,
    /// Of two bytes.
    I2,
    /// Of four.
    I4,
    /// Of eight.
    I8,
    /// Whole numbers from 0, by their bytes.
    U1,
    /// Of two bytes.
    U2,
    /// Of four.
    U4,
    /// Of eight.
    U8,
    /// Floating-point numbers of four bytes.
    F4,
    /// Of eight.
    F8,
}

impl Number {
    /// All there are.
    pub const ALL: [Number; 11] = [
        Number::Bool,
        Number::I1,
        Number::I2,
        Number::I4,
        Number::I8,
        Number::U1,
        Number::U2,
        Number::U4,
        Number::U8,
        Number::F4,
        Number::F8,
    ];

    /// What it is called, such as `f8`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Number::Bool => "bool",
            Number::I1 => "i1",
            Number::I2 => "i2",
            Number::I4 => "i4",
            Number::I8 => "i8",
            Number::U1 => "u1",
            Number::U2 => "u2",
            Number::U4 => "u4",
            Number::U8 => "u8",
            Number::F4 => "f4",
            Number::F8 => "f8",
        }
    }

    /// Bytes of a value.
    #[must_use]
    pub fn width(self) -> usize {
        match self {
            Number::Bool | Number::I1 | Number::U1 => 1,
            Number::I2 | Number::U2 => 2,
            Number::I4 | Number::U4 | Number::F4 => 4,
            Number::I8 | Number::U8 | Number::F8 => 8,
        }
    }

    fn descr(self) -> &'static str {
        match self {
            Number::Bool => "|b1",
            Number::I1 => "|i1",
            Number::I2 => "<i2",
            Number::I4 => "<i4",
            Number::I8 => "<i8",
            Number::U1 => "|u1",
            Number::U2 => "<u2",
            Number::U4 => "<u4",
            Number::U8 => "<u8",
            Number::F4 => "<f4",
            Number::F8 => "<f8",
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const MAGIC: &[u8] = b"\x93NUMPY";
/// Of the headers that we write: a multiple of 64, so that values are aligned for anything.
pub(super) const OWN: usize = 128;
/// No header of one dimension needs more.
pub(super) const MOST: usize = 64 * 1024;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) number: Number,
    pub(super) values: u64,
    /// Where the values begin.
    pub(super) data: usize,
    /// Where the text begins that ends there.
    pub(super) text: usize,
}

impl Header {
    pub(super) fn own(number: Number, values: u64) -> Header {
        Header { number, values, data: OWN, text: MAGIC.len() + 4 }
    }

    /// From the first bytes of a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Header, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a .npy file does")?;
        let (length, text) = match *rest {
            [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), MAGIC.len() + 4),
            [2 | 3, _, a, b, c, d, ..] => {
                (u32::from_le_bytes([a, b, c, d]) as usize, MAGIC.len() + 6)
            }
            _ => return Err("a .npy file of a version that is not known".to_owned()),
        };
        let data = text + length;
        let held = bytes.get(text..data).filter(|_| data <= MOST);
        let held = held.ok_or("its header is cut off, or too long")?;
        let held = std::str::from_utf8(held).map_err(|_| "its header is no text")?;
        let descr = value(held, "descr")?;
        let number =
            descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(d, _)| d);
        let number = Number::ALL.into_iter().find(|known| {
            number.is_some_and(|number| {
                number == known.descr()
                    || (known.width() == 1 && number.get(1..) == Some(&known.descr()[1..]))
            })
        });
        let number = number.ok_or_else(|| {
            let descr: String = descr.chars().take_while(|c| *c != ',').take(40).collect();
            format!(
                "it holds values of the type {descr}, and not numbers of this machine's byte order"
            )
        })?;
        let shape = value(held, "shape")?.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (shape, _) = shape.ok_or("its header has no shape")?;
        let sides: Vec<&str> =
            shape.split(',').map(str::trim).filter(|side| !side.is_empty()).collect();
        let [values] = sides[..] else {
            return Err(format!("its shape is ({shape}), which is not one dimension"));
        };
        let values = values.parse().map_err(|_| format!("its shape is ({shape})"))?;
        Ok(Header { number, values, data, text })
    }

    /// The bytes before the values; `None` if they have no room for it.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        let (descr, values) = (self.number.descr(), self.values);
        let said =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({values},), }}");
        let room = self.data - self.text;
        if said.len() + 1 > room {
            return None;
        }
        let mut bytes = MAGIC.to_vec();
        if self.text == MAGIC.len() + 4 {
            bytes.extend([1, 0]);
            bytes.extend(u16::try_from(room).ok()?.to_le_bytes());
        } else {
            bytes.extend([2, 0]);
            bytes.extend(u32::try_from(room).ok()?.to_le_bytes());
        }
        bytes.extend(format!("{said:<width$}\n", width = room - 1).into_bytes());
        Some(bytes)
    }
}

/// What stands behind a key of the dict that the header is.
fn value<'a>(held: &'a str, key: &str) -> Result<&'a str, String> {
    let (_, rest) =
        held.split_once(&format!("'{key}':")).ok_or_else(|| format!("its header has no {key}"))?;
    Ok(rest.trim_start())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Header, Number};

    #[test]
    fn what_is_written_is_read() {
        for number in Number::ALL {
            for values in [0, 1, 1_000_000, i64::MAX as u64] {
                let header = Header::own(number, values);
                let bytes = header.bytes().unwrap();
                assert_eq!(bytes.len(), super::OWN);
                assert_eq!(Header::parse(&bytes), Ok(header));
            }
        }
    }

    proptest! {
        #[test]
        fn anything_else_is_refused_or_read(mut bytes in proptest::collection::vec(any::<u8>(), 0..200), place in 0usize..128, to: u8) {
            let _ = Header::parse(&bytes);
            bytes.splice(0..0, *b"\x93NUMPY");
            let _ = Header::parse(&bytes);
            let mut whole = Header::own(Number::F8, 5).bytes().unwrap();
            whole[place] = to;
            if let Ok(header) = Header::parse(&whole) {
                prop_assert!(header.data <= whole.len());
            }
        }
    }
}
