//! `census`: a table of types or modules.

use std::io::{self, Write};

use deadweight_heap::{CensusRow, Grouping};

use super::origin::origin;
use super::{clean, explain_marks, gaps, lines, size, table};
use crate::numbers::count;
use crate::view::{CensusView, trust};

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn census(view: &CensusView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let total = &view.census.total;
    origin(view.provenance, out)?;
    write!(out, "{} objects, {} tracked", count(total.count), count(view.tracked))?;
    if let Some(references) = view.references {
        write!(out, ", {} references", count(references))?;
    }
    writeln!(out)?;
    writeln!(out)?;
    let with_retained = total.retained.is_some();
    let mut header = vec!["count", "held"];
    if with_retained {
        header.push("retained");
    }
    let what = if view.grouping == Grouping::Module { "module" } else { "type" };
    header.extend(["getsizeof", what]);
    let mut right = vec![true; header.len() - 1];
    right.push(false);
    let mut rows = table(&header);
    let shown = view.census.rows.len().min(view.top);
    for row in view.census.rows.iter().take(shown) {
        rows.add_row(cells(row, with_retained, &clean(view.name(row))));
    }
    rows.add_row(cells(total, with_retained, "all"));
    writeln!(out, "{}", lines(rows, &right))?;
    let left_out = view.census.rows.len() - shown;
    if left_out > 0 {
        writeln!(out)?;
        writeln!(out, "{} more rows: --top N shows more", count(left_out as u64))?;
    }
    explain_marks(total.modelled, out)?;
    gaps(view.gaps, out)
}

fn cells(row: &CensusRow, with_retained: bool, name: &str) -> Vec<String> {
    let mut cells = vec![count(row.count), size(trust(row.modelled), row.held)];
    if with_retained {
        let retained = |bytes| size(trust(row.retained_modelled), bytes);
        cells.push(row.retained.map_or(String::new(), retained));
    }
    cells.extend([crate::numbers::size(row.getsizeof), name.to_owned()]);
    cells
}
