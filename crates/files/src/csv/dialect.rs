//! Which bytes separate and quote fields.

use crate::error::FilesError;

/// Which bytes separate and quote fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: u8,
}

impl Dialect {
    /// Other bytes than `,` and `"`.
    ///
    /// # Errors
    /// If they are one byte, or one of them is zero, a line end or beyond ASCII.
    pub fn new(delimiter: u8, quote: u8) -> Result<Dialect, FilesError> {
        for (name, byte) in [("delimiter", delimiter), ("quote", quote)] {
            if !byte.is_ascii() || matches!(byte, b'\n' | b'\r' | 0) {
                return Err(FilesError::Dialect(name));
            }
        }
        if delimiter == quote {
            return Err(FilesError::OneMark);
        }
        Ok(Dialect { delimiter, quote })
    }
}

impl Default for Dialect {
    /// `,` and `"`.
    fn default() -> Dialect {
        Dialect { delimiter: b',', quote: b'"' }
    }
}
