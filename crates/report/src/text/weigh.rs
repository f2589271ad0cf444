//! `weigh`: one screen that says what is there, where the memory is, and what holds most of it.

use std::io::{self, Write};

use deadweight_heap::path::ShownPath;
use deadweight_heap::{Account, AccountKind, Bytes, Heap, HeavyRow, Pymalloc};

use super::{gaps, table};
use crate::numbers::{count, duration, rough_count, share, size};
use crate::view::{Sum, Weigh};

/// Width of a full bar.
const BAR: f64 = 40.0;
/// Command lines are cut here.
const LONGEST_COMMAND: usize = 60;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn weigh(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    header(view, out)?;
    if view.capture.account.rss.0 > 0 {
        writeln!(out)?;
        account(&view.capture.account, out)?;
    }
    writeln!(out)?;
    writeln!(out, "Heaviest by what they alone keep alive")?;
    heaviest(view, out)?;
    aside(view, out)?;
    gaps(&view.capture.gaps, out)
}

fn header(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    let from = &view.capture.provenance;
    let mut command: String = from.command.chars().take(LONGEST_COMMAND).collect();
    if command.len() < from.command.len() {
        command.push('…');
    }
    write!(out, "Python {} · pid {} · {command}", from.python, from.pid)?;
    if from.pause_micros > 0 {
        write!(out, " · paused {}", duration(from.pause_micros))?;
    }
    let (objects, references) = (rough_count(view.all.objects), rough_count(view.references));
    write!(out, " · {objects} objects, {references} references")?;
    writeln!(out, " · {}", duration(view.cost.elapsed_micros))
}

fn name(kind: AccountKind) -> &'static str {
    match kind {
        AccountKind::PythonObjects => "Python objects",
        AccountKind::PymallocOther => "pymalloc, C code",
        AccountKind::PymallocFree => "pymalloc, free",
        AccountKind::OtherAnonymous => "other anonymous",
        AccountKind::Stacks => "stacks",
        AccountKind::ImageData => "static data",
        AccountKind::FileBacked => "files and code",
    }
}

fn account(account: &Account, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "{:<20}{:>8}", "Resident", size(account.rss))?;
    if let (Some(pss), Some(uss)) = (account.pss, account.uss) {
        write!(out, "   (its share {}, its own {})", size(pss), size(uss))?;
    }
    writeln!(out)?;
    for row in &account.rows {
        let length =
            if account.rss.0 == 0 { 0.0 } else { row.bytes.0 as f64 / account.rss.0 as f64 * BAR };
        // A row that is there has a bar, however short.
        let blocks = if row.bytes.0 == 0 { 0 } else { (length.round() as usize).max(1) };
        let bar = "█".repeat(blocks);
        let part = share(row.bytes, account.rss);
        write!(out, "  {:<18}{:>8}  {part:>5}  {bar}", name(row.kind), size(row.bytes))?;
        if row.kind == AccountKind::PymallocFree
            && let Some(books) = &account.pymalloc
        {
            write!(out, "  {}", held_open(books))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// How few blocks keep how many arenas from going back to the system.
fn held_open(books: &Pymalloc) -> String {
    let arenas = count(books.arenas);
    if books.sparse_arenas == 0 {
        return format!("({arenas} arenas)");
    }
    let (sparse, blocks) = (count(books.sparse_arenas), count(books.sparse_blocks));
    format!("({arenas} arenas, {sparse} of them held open by {blocks} blocks)")
}

fn heaviest(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    let heap = &view.capture.heap;
    if view.heaviest.is_empty() {
        return writeln!(out, "  nothing stands out");
    }
    let mut rows = table(&[], &[true, false, false]);
    for row in &view.heaviest {
        rows.add_row([size(row.bytes), what(heap, row), format!("← {}", holder(heap, row))]);
    }
    writeln!(out, "{}", rows.trim_fmt())
}

/// `1,000,000 UserRecord`, or the holder's own type where it is all there is.
fn what(heap: &Heap, row: &HeavyRow) -> String {
    match row.group {
        Some(group) => {
            let name = heap.names.get(heap.types.get(group.type_id).name);
            format!("{} {name}", count(group.count))
        }
        None => format!("one {}", heap.type_name(row.holder)),
    }
}

/// `list app.cache`.
fn holder(heap: &Heap, row: &HeavyRow) -> String {
    format!("{} {}", heap.type_name(row.holder), ShownPath::of(heap, &row.path))
}

/// What belongs to nobody in particular, where it is worth a line.
fn aside(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    /// Below this, a line would only distract.
    const LEAST: Bytes = Bytes(100_000);
    let lines = [
        ("Held by native code only", view.native),
        ("Garbage not yet collected", view.garbage),
        ("Sizes by rule, not measured", view.modelled),
    ];
    let worth = |sum: &Sum| sum.held >= LEAST;
    for (title, sum) in lines.iter().filter(|(_, sum)| worth(sum)) {
        writeln!(out)?;
        write!(out, "{title}: {} in {} objects", size(sum.held), count(sum.objects))?;
    }
    if lines.iter().any(|(_, sum)| worth(sum)) { writeln!(out) } else { Ok(()) }
}
