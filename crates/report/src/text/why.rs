//! `why`: the paths that hold something, as a ladder from the root.

use std::io::{self, Write};

use deadweight_heap::MergedPath;
use deadweight_heap::path::ShownPath;

use crate::numbers::{count, size};
use crate::view::Why;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn why(view: &Why<'_>, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{} {}", count(view.count), view.query)?;
    write!(out, " · {} held, {} retained", size(view.held), size(view.retained))?;
    let shown: u64 = view.paths.iter().map(|path| path.count).sum();
    match view.paths.as_slice() {
        [only] if only.count == view.count && view.count > 1 => {
            writeln!(out, " · all of them by one path")?;
        }
        _ => writeln!(out)?,
    }
    for path in &view.paths {
        writeln!(out)?;
        if view.paths.len() > 1 || path.count < view.count {
            let (number, retained) = (count(path.count), size(path.retained));
            writeln!(out, "{number} of them, {retained} retained")?;
        }
        ladder(view, path, out)?;
    }
    if shown < view.count {
        writeln!(out)?;
        writeln!(out, "{} more by other paths: --top N shows more", count(view.count - shown))?;
    }
    Ok(())
}

/// One path, a step a line, each under the one that holds it.
fn ladder(view: &Why<'_>, path: &MergedPath, out: &mut dyn Write) -> io::Result<()> {
    let shown = ShownPath::of_merged(view.heap, path);
    let Some(root) = &shown.root else {
        return writeln!(out, "  nothing reaches them");
    };
    let type_at = |row: usize| {
        path.steps
            .get(row)
            .map_or("", |step| view.heap.names.get(view.heap.types.get(step.type_id).name))
    };
    writeln!(out, "  {}", described(&root.to_string(), type_at(0)))?;
    for (depth, step) in shown.steps.iter().enumerate() {
        let indent = "   ".repeat(depth);
        let text = step.expr.to_string();
        let conservative =
            path.steps.get(step.row).is_some_and(|step| step.label.label.is_conservative());
        let doubt = if conservative { "  (found by scanning, not by a known layout)" } else { "" };
        writeln!(out, "  {indent}└─ {:<14} {}{doubt}", text.trim_start(), type_at(step.row))?;
    }
    writeln!(out, "  {shown}")
}

/// `module app`; other roots say themselves what they are.
fn described(root: &str, type_name: &str) -> String {
    if type_name == "module" { format!("module {root}") } else { root.to_owned() }
}
