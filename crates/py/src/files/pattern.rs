//! What is looked for: bytes, several of them, or a regular expression.

use std::fmt::Write;
use std::sync::Arc;

use deadweight_files::FilesError;
use deadweight_files::search::{Overlaps, Pattern};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::of_files;

/// A regular expression, made by `regex`.
#[pyclass(frozen, module = "deadweight._core")]
pub(crate) struct Regex {
    shown: String,
    apart: Arc<Pattern>,
    overlapping: Arc<Pattern>,
}

#[pymethods]
impl Regex {
    fn __repr__(&self) -> String {
        format!("<Regex {}>", self.shown)
    }
}

/// A regular expression to look for in a mapped file: of the syntax of Rust's ``regex``, which finds one match in time in
/// proportion to what it reads.
///
/// >>> import deadweight as dw
/// >>> dw.regex("error [0-9]+", ignore_case=True)
/// <Regex 'error [0-9]+'>
///
/// A `str` matches text in UTF-8, character by character; `bytes` match bytes. Flags are what they are in `re`. Raises
/// `ValueError` for what cannot be had that way, such as look-around and references back, for what may match an empty
/// text, and for what might match without end. The end of all is ``\z``, not ``\Z``.
#[pyfunction]
#[pyo3(signature = (expression, /, *, ignore_case = false, multi_line = false, dot_all = false))]
pub(crate) fn regex(
    expression: &Bound<'_, PyAny>,
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
) -> PyResult<Regex> {
    let (text, is_bytes) = if let Ok(text) = expression.cast::<PyString>() {
        (text.to_str()?.to_owned(), false)
    } else if let Ok(bytes) = expression.cast::<PyBytes>() {
        (ascii(bytes.as_bytes()), true)
    } else {
        let kind = expression.get_type().fully_qualified_name()?;
        let text = format!("an expression is str or bytes, not {kind}");
        return Err(PyTypeError::new_err(text));
    };
    let flags = [('i', ignore_case), ('m', multi_line), ('s', dot_all)];
    let mut before: String = flags.iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect();
    if is_bytes {
        before.push_str("-u");
    }
    let whole = if before.is_empty() { text } else { format!("(?{before}){text}") };
    let shown = expression.repr()?.to_string();
    let made = |overlaps| match Pattern::regex(&whole, overlaps) {
        Ok(pattern) => Ok(Arc::new(pattern)),
        Err(FilesError::Pattern { reason, .. }) => {
            Err(PyValueError::new_err(format!("the pattern {shown}: {reason}")))
        }
        Err(error) => Err(of_files(error)),
    };
    let (apart, overlapping) = (made(Overlaps::Left)?, made(Overlaps::Found)?);
    Ok(Regex { shown, apart, overlapping })
}

/// An expression of bytes as text that means the same.
fn ascii(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut is_escaped = false;
    for byte in bytes {
        if byte.is_ascii() {
            text.push(char::from(*byte));
            is_escaped = *byte == b'\\' && !is_escaped;
        } else {
            // It means itself, with a backslash before it or not.
            let backslash = if is_escaped { "" } else { "\\" };
            let _ = write!(text, "{backslash}x{byte:02x}");
            is_escaped = false;
        }
    }
    text
}

/// What a user looks for: bytes, several of them, or what `regex` made.
pub(super) fn pattern(wanted: &Bound<'_, PyAny>, overlapping: bool) -> PyResult<Arc<Pattern>> {
    let overlaps = if overlapping { Overlaps::Found } else { Overlaps::Left };
    if let Ok(regex) = wanted.cast::<Regex>() {
        let regex = regex.get();
        return Ok(Arc::clone(if overlapping { &regex.overlapping } else { &regex.apart }));
    }
    let made = if let Some(text) = bytes(wanted)? {
        Pattern::text(&text, overlaps)
    } else {
        let wrong = |it: &Bound<'_, PyAny>| {
            let kind = it.get_type().fully_qualified_name();
            let kind = kind.map_or_else(|_| "that".to_owned(), |kind| kind.to_string());
            PyTypeError::new_err(format!(
                "bytes are looked for, a list of them, or what `regex` made, not {kind}"
            ))
        };
        if wanted.is_instance_of::<PyString>() {
            return Err(wrong(wanted));
        }
        let mut texts = Vec::new();
        let texts_of = wanted.try_iter().map_err(|error| {
            if error.is_instance_of::<PyTypeError>(wanted.py()) { wrong(wanted) } else { error }
        })?;
        for text in texts_of {
            let text = text?;
            texts.push(bytes(&text)?.ok_or_else(|| wrong(&text))?);
        }
        Pattern::several(&texts, overlaps)
    };
    made.map(Arc::new).map_err(of_files)
}

fn bytes(given: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    let py = given.py();
    match PyBuffer::<u8>::get(given) {
        Ok(buffer) => buffer.to_vec(py).map(Some),
        // It has none, or one of something else.
        Err(error)
            if error.is_instance_of::<PyTypeError>(py)
                || error.is_instance_of::<PyBufferError>(py) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
