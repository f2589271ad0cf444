//! What could not be read or is not certain, one line each.

use std::io::{self, Write};

use deadweight_heap::{Gap, GapKind};

use super::clean;

/// Writes the gaps, if there are any, below a report without an account: what differs there is no news.
///
/// # Errors
/// Those of the writer.
pub fn gaps(gaps: &[Gap], out: &mut dyn Write) -> io::Result<()> {
    write(gaps.iter().filter(|gap| gap.kind != GapKind::AccountDifference), out)
}

/// The same below an account.
///
/// # Errors
/// Those of the writer.
pub fn all_gaps(gaps: &[Gap], out: &mut dyn Write) -> io::Result<()> {
    write(gaps.iter(), out)
}

fn write<'a>(gaps: impl Iterator<Item = &'a Gap>, out: &mut dyn Write) -> io::Result<()> {
    for (number, gap) in gaps.enumerate() {
        if number == 0 {
            writeln!(out)?;
        }
        writeln!(out, "Not certain: {}", clean(&gap.to_string()))?;
    }
    Ok(())
}
