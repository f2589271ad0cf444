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
    /// [`FilesError::Dialect`] if they are one byte, a line end or beyond ASCII.
    pub fn new(delimiter: u8, quote: u8) -> Result<Dialect, FilesError> {
        let fits = |byte: u8| byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0);
        if delimiter == quote || !fits(delimiter) || !fits(quote) {
            return Err(FilesError::Dialect);
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
