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
    if let Some((path, trust, retained)) = &view.names {
        let retained = size(*trust, *retained);
        writeln!(out, "what it has names for is held by {path}: {retained} retained")?;
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
    for (row, (step, label)) in shown.steps.iter().zip(&labels).enumerate() {
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
        if step.repeats || path.shortened && row + 2 == shown.steps.len() {
            writeln!(out, "  {}…", "   ".repeat(row + 1))?;
        }
    }
    writeln!(out, "  {shown}")?;
    if path.count == 1 && path.steps.len() < example.len() {
        writeln!(out, "  it is {} references away from the root", count(example.len() as u64))?;
    }
    others(path, out)
}

/// Who else holds them, so that letting go of the one path would not free them.
fn others(path: &MergedPath, out: &mut dyn Write) -> io::Result<()> {
    const LISTED: usize = 3;
    let (whose, many) = match &path.shared {
        Some((shared, many)) => (format!("{shared} is "), *many),
        None => (String::new(), path.count),
    };
    for holding in path.also_held_by.iter().take(LISTED) {
        writeln!(out, "  {whose}also held by {}{}", holding.path, how_many(holding, many))?;
    }
    let rest = path.other_ways.saturating_sub(LISTED as u64);
    if rest > 0 {
        let all = path.also_held_by.len() as u64 == path.other_ways;
        let listed = match (all, rest) {
            (true, 1) => "it".to_owned(),
            (true, _) => "them".to_owned(),
            (false, _) => format!("the first {}", Holding::MOST),
        };
        let ways = if rest == 1 { "way" } else { "ways" };
        writeln!(out, "  also held in {} other {ways}: --json lists {listed}", count(rest))?;
    }
    let Some(holder) = &path.holder else { return Ok(()) };
    let these = if path.count == 1 { "it" } else { "these" };
    let sized = |bytes| size(trust(path.modelled), bytes);
    let freed = match holder.frees.0 {
        0 => "none".to_owned(),
        // All but a few of a million: that is no news.
        _ if sized(holder.frees) == sized(path.retained) => return Ok(()),
        _ => sized(holder.frees),
    };
    writeln!(out, "  if {} went, and nothing else, {freed} of {these} would go", holder.path)
}

/// How many of so many things a holding is about, and by how many references, if that is not plain.
fn how_many(holding: &Holding, many: u64) -> String {
    let of_them = (many > 1).then(|| format!("{} of them", count(holding.count)));
    let references = (holding.references > holding.count)
        .then(|| format!("{} references", count(holding.references)));
    match [of_them, references].into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        parts => format!("  ({})", parts.join(", ")),
    }
}

/// `module app`; other roots say themselves what they are.
fn described(root: &str, type_name: &str) -> String {
    if type_name == "module" { format!("module {root}") } else { root.to_owned() }
}
