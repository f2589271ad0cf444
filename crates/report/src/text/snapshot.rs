//! `snapshot`: what was saved, in a line.

use std::io::{self, Write};

use super::gaps;
use super::origin::origin;
use crate::numbers::{rough_count, size};
use crate::view::Saved;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn snapshot(view: &Saved<'_>, out: &mut dyn Write) -> io::Result<()> {
    origin(&view.capture.provenance, out)?;
    let objects = rough_count(view.capture.heap.objects());
    writeln!(out, "{}: {objects} objects in {}", view.file.display(), size(view.size))?;
    gaps(&view.capture.gaps, out)
}
