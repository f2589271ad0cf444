//! `census`: a table of types or modules.

use std::io::{self, Write};

use super::{gaps, table};
use crate::numbers::{count, size};
use crate::view::CensusView;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn census(view: &CensusView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let total = &view.census.total;
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
    header.extend(["getsizeof", "type"]);
    let mut right = vec![true; header.len() - 1];
    right.push(false);
    let mut rows = table(&header, &right);
    let shown = view.census.rows.len().min(view.top);
    for row in view.census.rows.iter().take(shown).chain([total]) {
        let mark = if row.modelled { "~" } else { "" };
        let mut cells = vec![count(row.count), format!("{mark}{}", size(row.held))];
        if with_retained {
            cells
                .push(row.retained.map_or(String::new(), |bytes| format!("{mark}{}", size(bytes))));
        }
        let name = if std::ptr::eq(row, total) {
            "all".to_owned()
        } else {
            match view.names.get(row.name) {
                "" => "builtins".to_owned(),
                name => name.to_owned(),
            }
        };
        cells.extend([size(row.getsizeof), name]);
        rows.add_row(cells);
    }
    writeln!(out, "{}", rows.trim_fmt())?;
    let left_out = view.census.rows.len() - shown;
    if left_out > 0 {
        writeln!(out)?;
        writeln!(out, "{} more rows: --top N shows more", count(left_out as u64))?;
    }
    gaps(view.gaps, out)
}
