//! Texts of bytes.

use std::borrow::Cow;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What bytes are as text.
#[derive(Clone, Copy)]
pub(super) enum Decoding {
    /// UTF-8, and nothing else.
    Utf8,
    /// UTF-8, with a replacement character for what is none.
    Replaced,
    /// A byte a character.
    Latin1,
    /// UTF-8 where a text is wanted; rows are of bytes.
    Bytes,
}

impl Decoding {
    /// Whether bytes must be UTF-8 to be text.
    pub(super) fn is_utf8(self) -> bool {
        !matches!(self, Decoding::Latin1)
    }

    /// Of the names that Python has for them, or none for bytes.
    pub(super) fn of(encoding: Option<&str>, errors: &str) -> PyResult<Decoding> {
        let Some(encoding) = encoding else { return Ok(Decoding::Bytes) };
        let name = encoding.to_ascii_lowercase().replace('_', "-");
        let is_utf8 = matches!(name.as_str(), "utf-8" | "utf8" | "utf-8-sig");
        let is_latin1 = matches!(name.as_str(), "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1");
        match errors {
            "strict" if is_utf8 => Ok(Decoding::Utf8),
            "replace" if is_utf8 => Ok(Decoding::Replaced),
            "strict" | "replace" if is_latin1 => Ok(Decoding::Latin1),
            "strict" | "replace" => Err(PyValueError::new_err(format!(
                "encoding must be 'utf-8' or 'latin-1', or None for rows of bytes, not {encoding:?}: \
                 `iconv -f {encoding} -t UTF-8` makes it UTF-8"
            ))),
            _ => Err(PyValueError::new_err(format!(
                "errors must be 'strict' or 'replace', not {errors:?}"
            ))),
        }
    }

    /// The text, unless the bytes are none.
    #[inline]
    pub(super) fn text(self, bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
        match (self, bytes) {
            (Decoding::Latin1, bytes) if !bytes.is_ascii() => {
                Some(bytes.iter().map(|byte| char::from(*byte)).collect())
            }
            (Decoding::Replaced, bytes) if !bytes.is_ascii() => {
                Some(String::from_utf8_lossy(&bytes).into_owned().into())
            }
            (_, Cow::Borrowed(bytes)) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            (_, Cow::Owned(bytes)) => String::from_utf8(bytes).ok().map(Cow::Owned),
        }
    }

    /// The name of a column, which is a text where rows are of bytes, too.
    pub(super) fn name(self, bytes: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
        match self {
            Decoding::Bytes => Decoding::Replaced.text(bytes),
            _ => self.text(bytes),
        }
    }

    /// Whatever the bytes are, as something to look at.
    pub(super) fn shown(self, bytes: &[u8]) -> String {
        match self {
            Decoding::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }
}
