//! `sizes`: what objects of an interpreter really cost.

use std::io::{self, Write};

use super::{lines, table};
use crate::numbers::count;
use crate::view::SizesView;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn sizes(view: &SizesView, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "Python {} · {}", view.python, view.executable)?;
    writeln!(out)?;
    for (name, value) in &view.model {
        writeln!(out, "  {name:<50}{:>5} B", count(*value))?;
    }
    let (low, high) = view.cached_ints;
    writeln!(out, "  {:<50} {low} to {high}", "ints that exist once")?;
    writeln!(out)?;
    let header = ["type", "", "held B", "requested B", "with items B", "getsizeof B"];
    let mut rows = table(&header);
    for row in &view.rows {
        rows.add_row([
            row.type_name.clone(),
            row.specimen.clone(),
            count(row.held.0),
            count(row.requested.0),
            count(row.retained.0),
            count(row.getsizeof.0),
        ]);
    }
    writeln!(out, "{}", lines(rows, &[false, false, true, true, true, true]))?;
    writeln!(out)?;
    writeln!(
        out,
        "held: each block as its allocator rounds it, with the heads in front of the object"
    )?;
    writeln!(
        out,
        "with items: what the specimen alone keeps alive; shared and cached items weigh nothing"
    )
}
