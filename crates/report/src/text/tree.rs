//! `tree`: what dominates what, indented.

use std::io::{self, Write};

use deadweight_heap::{How, TreeRow, TreeWhat};

use super::origin::origin;
use super::{clean, explain_marks, gaps, size};
use crate::numbers::{self, count, share};
use crate::view::{Tree, trust};

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn tree(view: &Tree<'_>, out: &mut dyn Write) -> io::Result<()> {
    origin(&view.capture.provenance, out)?;
    writeln!(out)?;
    writeln!(out, "{:>9} {:>5}  what", "retained", "share")?;
    let mut indirect = false;
    for row in view.rows.iter().filter(|row| is_shown(view, row)) {
        let indent = "  ".repeat(row.depth);
        let part = share(row.retained, view.whole);
        write!(out, "{:>9} {part:>5}  {indent}", size(trust(row.modelled), row.retained))?;
        match &row.what {
            TreeWhat::Alike { how, type_id, .. } => {
                let heap = &view.capture.heap;
                let name = clean(heap.names.get(heap.types.get(*type_id).name));
                let number = if row.count == 1 { String::new() } else { count(row.count) + " " };
                match how {
                    How::ThroughOthers(path) if row.depth == 0 && path.root.is_none() => {
                        writeln!(out, "everything")?;
                    }
                    How::ThroughOthers(path) if row.depth == 0 => {
                        writeln!(out, "{path}  {number}{name}")?;
                    }
                    How::Directly(path) => writeln!(out, "{path}  {number}{name}")?,
                    How::ThroughOthers(path) => {
                        indirect = true;
                        writeln!(out, "… {path}  {number}{name}")?;
                    }
                }
            }
            TreeWhat::Rest(rows) => writeln!(out, "… {} more", count(*rows))?,
        }
    }
    if view.rows.len() == 1 {
        writeln!(out, "                 nothing below it keeps that much alive alone")?;
    }
    writeln!(out)?;
    if indirect {
        writeln!(
            out,
            "… before a path: held by several things, of which none alone keeps it alive"
        )?;
    }
    if view.least.0 > 0 {
        let least = numbers::size(view.least);
        writeln!(out, "What retains less than {least} is not shown: --least 0 shows all")?;
    }
    explain_marks(view.rows.iter().any(|row| row.modelled), out)?;
    gaps(&view.capture.gaps, out)
}

/// What is left out is worth a line only where it adds up to something.
fn is_shown(view: &Tree<'_>, row: &TreeRow) -> bool {
    !matches!(row.what, TreeWhat::Rest(_)) || row.retained >= view.least
}
