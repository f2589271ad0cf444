//! `gc`: the collector's state, its work, cycles and advice.

use std::io::{self, Write};

use deadweight_heap::{CycleRow, Generation};

use super::origin::origin;
use super::{clean, gaps, lines, table};
use crate::numbers::{count, duration, size};
use crate::view::CollectorView;

/// Types of a cycle that are named.
const TYPES: usize = 4;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn collector(view: &CollectorView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (state, from) = (view.collector, &view.capture.provenance);
    origin(from, out)?;
    let kind = if state.incremental { "incremental" } else { "generational" };
    let on = match (state.enabled, state.is_on()) {
        (_, true) => "on",
        (true, false) => "off (its first threshold is 0)",
        (false, _) => "off (gc.disable)",
    };
    let running = if state.collecting { ", and was just collecting" } else { "" };
    writeln!(out, "Collector: {on}, {kind}{running}")?;
    if state.interpreters > 1 {
        let others = count(state.interpreters - 1);
        writeln!(out, "{others} more interpreters have collectors of their own, not shown")?;
    }
    writeln!(out)?;
    generations(view, out)?;
    writeln!(out)?;
    writeln!(
        out,
        "Survived the last full collection: {}; and younger ones since: {}",
        count(state.long_lived_total),
        count(state.long_lived_pending)
    )?;
    writeln!(out, "gc.garbage: {} objects", count(state.garbage))?;
    writeln!(out)?;
    writeln!(
        out,
        "A full collection that frees nothing: ~{} of processor time ({} objects, {} references)",
        duration(view.micros),
        count(view.work.objects),
        count(view.work.references)
    )?;
    writeln!(
        out,
        "gc.freeze() would take out {} objects, {}",
        count(view.work.objects),
        size(view.work.held)
    )?;
    writeln!(out)?;
    writeln!(out, "Tracked objects by type")?;
    let mut rows = table(&["count", "held", "type"]);
    for row in view.types.iter().take(view.top) {
        rows.add_row([count(row.sum.objects), size(row.sum.held), clean(row.name).into_owned()]);
    }
    writeln!(out, "{}", lines(rows, &[true, true, false]))?;
    more(view.types.len(), view.top, out)?;
    writeln!(out)?;
    let (waiting, gone) = (view.waiting(), view.gone);
    write!(out, "Garbage that waits: {} objects in cycles", count(waiting.objects))?;
    if gone.objects > 0 {
        let (tracked, held) = (count(gone.tracked), size(gone.held));
        write!(out, "; with what goes with them {held}, {tracked} objects as gc.collect() counts")?;
    }
    writeln!(out)?;
    cycles(view, &view.garbage, out)?;
    writeln!(out)?;
    writeln!(out, "Cycles among what is alive")?;
    cycles(view, &view.live, out)?;
    for advice in &view.advice {
        writeln!(out)?;
        writeln!(out, "Advice: {}", advice.text)?;
    }
    writeln!(out)?;
    writeln!(out, "~ a rough model: docs/collector.md says for which programs it is how far off")?;
    gaps(&view.capture.gaps, out)
}

fn generations(view: &CollectorView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = table(&[
        "generation",
        "threshold",
        "count",
        "objects",
        "collections",
        "collected",
        "uncollectable",
    ]);
    let cells = |of: &Generation| {
        vec![
            of.threshold.to_string(),
            of.count.to_string(),
            count(of.objects),
            count(of.collections),
            count(of.collected),
            count(of.uncollectable),
        ]
    };
    for (number, generation) in view.collector.generations.iter().enumerate() {
        rows.add_row([vec![number.to_string()], cells(generation)].concat());
    }
    let permanent = count(view.capture.provenance.permanent);
    rows.add_row(["frozen".to_owned(), String::new(), String::new(), permanent]);
    writeln!(out, "{}", lines(rows, &[false, true, true, true, true, true, true]))
}

fn cycles(view: &CollectorView<'_>, rows: &[CycleRow], out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "  none");
    }
    let is_garbage = rows.iter().any(|row| row.garbage);
    let mut heads = vec!["cycles", "objects", "held", "of types"];
    if is_garbage {
        heads.insert(3, "retained");
    }
    let mut shown = table(&heads);
    for row in rows.iter().take(view.top) {
        let names: Vec<_> =
            row.types.iter().take(TYPES).map(|&(id, _)| clean(view.type_name(id))).collect();
        let others = row.types.len().saturating_sub(TYPES);
        let more =
            if others > 0 { format!(" and {} more", count(others as u64)) } else { String::new() };
        let types = format!("{}{more}", names.join(", "));
        let mut cells = vec![count(row.cycles), count(row.objects), size(row.held)];
        cells.extend(row.retained.map(|gone| size(gone.held)));
        cells.push(types);
        shown.add_row(cells);
    }
    let right = [[true].repeat(heads.len() - 1), vec![false]].concat();
    writeln!(out, "{}", lines(shown, &right))?;
    more(rows.len(), view.top, out)
}

fn more(rows: usize, top: usize, out: &mut dyn Write) -> io::Result<()> {
    match rows.saturating_sub(top) {
        0 => Ok(()),
        more => writeln!(out, "  {} more rows: --top N shows more", count(more as u64)),
    }
}
