//! `tree`: what dominates what, indented.

use std::io::{self, Write};

use deadweight_heap::{How, TreeWhat};

use crate::numbers::{count, share, size};
use crate::view::Tree;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn tree(view: &Tree<'_>, out: &mut dyn Write) -> io::Result<()> {
    for row in &view.rows {
        let indent = "  ".repeat(row.depth);
        let part = share(row.retained, view.whole);
        write!(out, "{:>9} {part:>5}  {indent}", size(row.retained))?;
        match &row.what {
            TreeWhat::Alike { how, type_id, .. } => {
                let name = view.heap.names.get(view.heap.types.get(*type_id).name);
                let number = if row.count == 1 { String::new() } else { count(row.count) + " " };
                match how {
                    _ if row.depth == 0 => writeln!(out, "everything")?,
                    How::Directly(path) => writeln!(out, "{path}  {number}{name}")?,
                    How::ThroughOthers(path) => writeln!(out, "… {path}  {number}{name}")?,
                }
            }
            TreeWhat::Rest(rows) => writeln!(out, "… {} more", count(*rows))?,
        }
    }
    Ok(())
}
