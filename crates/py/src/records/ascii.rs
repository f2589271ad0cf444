//! Which texts can be read where they lie.

use std::sync::OnceLock;

use deadweight_cpython::{AsciiMark, Version};
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Whether a text is UTF-8 as it lies. `PyUnicode_AsUTF8AndSize` gives the address of its characters
/// then; of any other it would leave a copy on the object (`PyUnicode_UTF8` in unicodeobject.c, the same
/// from 3.10 to 3.15).
#[inline]
pub(crate) fn is_ascii(text: &Bound<'_, PyString>) -> bool {
    let Some(mark) = mark(text.py()) else { return false };
    // SAFETY: the object is a `str`, for which we hold a reference, and a `str` begins with a whole
    // `PyASCIIObject`; where its state word is there, the layout of the running version says. Who writes
    // to it (3.12 and later, when a text is interned) holds the interpreter's lock, as we do.
    let state = unsafe { text.as_ptr().byte_add(mark.offset).cast::<u32>().read() };
    state & mark.mask == mark.mask
}

/// None in a version whose layout is not known.
#[inline]
fn mark(py: Python<'_>) -> Option<AsciiMark> {
    static MARK: OnceLock<Option<AsciiMark>> = OnceLock::new();
    *MARK.get_or_init(|| {
        let running = py.version_info();
        let (major, minor) = (u32::from(running.major), u32::from(running.minor));
        AsciiMark::of(Version { major, minor, micro: running.patch.into(), pre_release: None })
    })
}
