//! What could not be read or is not certain, one line each.

use std::io::{self, Write};

use deadweight_heap::Gap;

use super::clean;

/// Writes the gaps, if there are any.
///
/// # Errors
/// Those of the writer.
pub fn gaps(gaps: &[Gap], out: &mut dyn Write) -> io::Result<()> {
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for gap in gaps {
        writeln!(out, "Not certain: {}", clean(&gap.to_string()))?;
    }
    Ok(())
}
