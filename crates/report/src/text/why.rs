//! `why`: the paths that hold something, as a ladder from the root.

use std::io::{self, Write};

use deadweight_heap::path::{ShownPath, StepExpr};
use deadweight_heap::{Holding, MergedPath, Step};

use super::origin::origin;
use super::{clean, explain_marks, gaps, size};
use crate::numbers::{self, count};
use crate::view::{Why, trust};

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn why(view: &Why<'_>, out: &mut dyn Write) -> io::Result<()> {
    origin(&view.capture.provenance, out)?;
    writeln!(out)?;
    match view.count {
        0 => return writeln!(out, "0 instances of `{}` are alive", view.query),
        1 => write!(out, "{}", view.query)?,
        many => write!(out, "{} {}", count(many), view.query)?,
    }
    let (held, retained) = (size(view.trust, view.held), size(view.trust, view.retained));
    write!(out, " · {held} held, {retained} retained")?;
    let shown: u64 = view.paths.iter().map(|path| path.count).sum();
    match view.paths.as_slice() {
        [only] if only.count == view.count && view.count > 1 => {
            writeln!(out, " · all of them by one path")?;
        }
        _ => writeln!(out)?,
    }
    for (path, example) in view.paths.iter().zip(&view.examples) {
        writeln!(out)?;
        if view.paths.len() > 1 || path.count < view.count {
            let retained = size(trust(path.modelled), path.retained);
            writeln!(out, "{} of them, {retained} retained", count(path.count))?;
        }
        ladder(view, path, example, out)?;
    }
    if shown < view.count {
        writeln!(out)?;
        let other = if shown == 0 { "by paths not shown" } else { "more by other paths" };
        let rest = count(view.count - shown);
        writeln!(out, "{rest} {other}: --top N shows more")?;
    }
    explain_marks(view.trust == deadweight_heap::Trust::Modelled, out)?;
    gaps(&view.capture.gaps, out)
}

/// One path, a step a line, each under the one that holds it; then the path as it can be typed.
fn ladder(
    view: &Why<'_>,
    path: &MergedPath,
    example: &[Step],
    out: &mut dyn Write,
) -> io::Result<()> {
    let heap = &view.capture.heap;
    let shown = ShownPath::of_merged(heap, path);
    let Some(root) = &shown.root else {
        return writeln!(out, "  nothing reaches them");
    };
    let type_at = |row: usize| {
        let name = |step: &deadweight_heap::MergedStep| heap.types.get(step.type_id).name;
        path.steps.get(row).map_or("".into(), |step| clean(heap.names.get(name(step))))
    };
    writeln!(out, "  {}", described(&root.to_string(), &type_at(0)))?;
    let labels: Vec<String> = shown
        .steps
        .iter()
        .enumerate()
        .map(|(depth, step)| {
            format!("{}└─ {}", "   ".repeat(depth), step.expr.to_string().trim_start())
        })
        .collect();
    let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
    // Up to the first step that stands for many objects, the example's objects are everybody's.
    let mut alone = path.steps.len() == example.len();
    for (step, label) in shown.steps.iter().zip(&labels) {
        let many = matches!(step.expr, StepExpr::Elements | StepExpr::Keys | StepExpr::Temporaries);
        alone &= !(many || step.repeats);
        let held = match example.get(step.row).filter(|_| alone) {
            Some(one) => format!(", {} held", numbers::size(heap.nodes.held(one.node))),
            None => String::new(),
        };
        let conservative =
            path.steps.get(step.row).is_some_and(|step| step.label.label.is_conservative());
        let doubt = if conservative { "  (found by scanning, not by a known layout)" } else { "" };
        writeln!(out, "  {label:<width$}  {}{held}{doubt}", type_at(step.row))?;
    }
    writeln!(out, "  {shown}")?;
    others(path, out)
}

/// Who else holds them, so that letting go of the one path would not free them.
fn others(path: &MergedPath, out: &mut dyn Write) -> io::Result<()> {
    const LISTED: usize = 3;
    for holding in path.also_held_by.iter().take(LISTED) {
        let number = match path.count {
            1 => String::new(),
            _ => format!("  ({} of them)", count(holding.count)),
        };
        writeln!(out, "  also held by {}{number}", holding.path)?;
    }
    let rest = path.other_ways.saturating_sub(LISTED as u64);
    if rest > 0 {
        let all = path.also_held_by.len() as u64 == path.other_ways;
        let listed = if all { "them".to_owned() } else { format!("the first {}", Holding::MOST) };
        writeln!(out, "  also held in {} other ways: --json lists {listed}", count(rest))?;
    }
    match path.holder_retained {
        Some(bytes) => {
            let bytes = size(trust(path.modelled), bytes);
            writeln!(out, "  what holds them here would free {bytes} if it went alone")
        }
        None => Ok(()),
    }
}

/// `module app`; other roots say themselves what they are.
fn described(root: &str, type_name: &str) -> String {
    if type_name == "module" { format!("module {root}") } else { root.to_owned() }
}
