//! `tree`: what dominates what, indented.

use std::io::{self, Write};

use deadweight_heap::{How, TreeOptions, TreeRow, TreeWhat};

use super::origin::origin;
use super::{clean, explain_marks, gaps, listed, size};
use crate::numbers::{self, count, share};
use crate::view::{Tree, trust};

/// Rows further down are indented no further: a text of as many levels as rows would be quadratic.
const DEEPEST: usize = 40;

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
        let indent = "  ".repeat(row.depth.min(DEEPEST));
        let part = share(row.retained, view.whole);
        write!(out, "{:>9} {part:>5}  {indent}", size(trust(row.modelled), row.retained))?;
        if row.depth > DEEPEST {
            write!(out, "level {}: ", count(row.depth as u64))?;
        }
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
                        write!(out, "… {path}  {number}{name}")?;
                        // The path is one of the ways.
                        let path = path.to_string();
                        let others = row.held_by.iter().map(ToString::to_string);
                        let others: Vec<String> = others.filter(|other| *other != path).collect();
                        match others.as_slice() {
                            [] => writeln!(out)?,
                            [a, b, _, ..] => writeln!(out, "  (also held by {a}, {b} and others)")?,
                            few => writeln!(out, "  (also held by {})", listed(few))?,
                        }
                    }
                }
            }
            TreeWhat::Rest(rows) => writeln!(out, "… {} more", count(*rows))?,
        }
    }
    let is_cut = view.rows.iter().any(|row| view.is_cut(row));
    if view.rows.len() == 1 && !is_cut {
        writeln!(out, "                 nothing below it keeps that much alive alone")?;
    }
    writeln!(out)?;
    if indirect {
        writeln!(
            out,
            "… before a path: held by several things, of which none alone keeps it alive"
        )?;
    }
    if view.rows.iter().any(|row| row.depth > DEEPEST && is_shown(view, row)) {
        writeln!(out, "Below level {DEEPEST}, rows are indented alike and say their level")?;
    }
    let omitted = omitted(view, is_cut);
    if !omitted.is_empty() {
        writeln!(out, "Not shown: {}", omitted.join(", "))?;
    }
    explain_marks(view.rows.iter().any(|row| row.modelled), out)?;
    gaps(&view.capture.gaps, out)
}

/// What is left out, and by which flag.
fn omitted(view: &Tree<'_>, is_cut: bool) -> Vec<String> {
    let TreeOptions { depth, width, least } = view.options;
    let mut parts = Vec::new();
    if least.0 > 0 {
        parts.push(format!("what retains less than {} (--least)", numbers::size(least)));
    }
    if view.rows.iter().any(|row| matches!(row.what, TreeWhat::Rest(_)) && is_shown(view, row)) {
        parts.push(format!("more than {} rows below one (--top)", count(width as u64)));
    }
    if is_cut {
        parts.push(format!("what is more than {} levels down (--depth)", count(depth as u64)));
    }
    parts
}

/// What is left out is worth a line only where it adds up to something.
fn is_shown(view: &Tree<'_>, row: &TreeRow) -> bool {
    !matches!(row.what, TreeWhat::Rest(_)) || row.retained >= view.options.least
}
