//! `weigh`: one screen that says what is there, where the memory is, and what holds most of it.

use std::io::{self, Write};

use deadweight_heap::{Account, AccountKind, Bytes, Heap, HeavyRow, Pymalloc};

use super::origin::origin;
use super::{all_gaps, clean, lines, listed, size as marked, table};
use crate::numbers::{count, duration, rough_count, share, size};
use crate::view::{Sum, Weigh, trust};

/// What is a smaller part of all objects is no row of the first screen: one in so many.
const LEAST_PART: u64 = 200;
/// Width of a full bar.
const BAR: f64 = 40.0;

/// Writes the report.
///
/// # Errors
/// Those of the writer.
pub fn weigh(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    header(view, out)?;
    if view.capture.account.rss.0 > 0 {
        writeln!(out)?;
        account(view, out)?;
    }
    if view.top > 0 {
        writeln!(out)?;
        writeln!(out, "Heaviest by what they alone keep alive")?;
        heaviest(view, out)?;
    }
    aside(view, out)?;
    all_gaps(&view.capture.gaps, out)
}

fn header(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    origin(&view.capture.provenance, out)?;
    let (objects, references) = (rough_count(view.all.objects), rough_count(view.references));
    write!(out, "{objects} objects, {references} references")?;
    write!(out, " · deadweight itself took {}", duration(view.cost.elapsed_micros))?;
    match view.cost.peak {
        Some(peak) => writeln!(out, " and {}", size(peak)),
        None => writeln!(out),
    }
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
        AccountKind::SharedMemory => "shared memory",
    }
}

fn account(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    let account: &Account = &view.capture.account;
    write!(out, "{:<20}{:>8}", "Resident", size(account.rss))?;
    if let (Some(pss), Some(uss)) = (account.pss, account.uss) {
        write!(
            out,
            "   ({} with shared pages split among their users, {} its own)",
            size(pss),
            size(uss)
        )?;
    }
    writeln!(out)?;
    for row in &account.rows {
        let length =
            if account.rss.0 == 0 { 0.0 } else { row.bytes.0 as f64 / account.rss.0 as f64 * BAR };
        // A row that is there has a bar, however short.
        let blocks = if row.bytes.0 == 0 { 0 } else { (length.round() as usize).max(1) };
        let bar = "█".repeat(blocks);
        let part = share(row.bytes, account.rss);
        write!(
            out,
            "  {:<18}{:>8}  {part:>5}  {bar}",
            name(row.kind),
            marked(view.trust(row), row.bytes)
        )?;
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
    let mut rows = table(&[]);
    let is_shown = |row: &&HeavyRow| row.bytes.0 >= view.all.held.0 / LEAST_PART;
    let shown = view.heaviest.iter().take_while(is_shown).count();
    if shown == 0 {
        return writeln!(out, "  nothing stands out");
    }
    for row in &view.heaviest[..shown] {
        let bytes = marked(trust(row.modelled), row.bytes);
        rows.add_row([bytes, what(heap, row), format!("← {}", held(heap, row))]);
    }
    writeln!(out, "{}", lines(rows, &[true, false, false]))?;
    match view.heaviest.get(shown) {
        Some(next) => {
            writeln!(out, "  the next holds {}: `deadweight tree` goes deeper", size(next.bytes))
        }
        None => Ok(()),
    }
}

/// `1,000,000 UserRecord`, or the holder's own type where it is all there is.
fn what(heap: &Heap, row: &HeavyRow) -> String {
    match row.group {
        Some(group) => {
            let name = heap.names.get(heap.types.get(group.type_id).name);
            let number = if group.count == 1 { "one".to_owned() } else { count(group.count) };
            format!("{number} {}", clean(name))
        }
        None => format!("one {}", clean(heap.type_name(row.holder))),
    }
}

/// `list app.cache`, and by way of what else that is kept alive; or who holds things together. A
/// holder that has no name in the program says by its path what it is.
fn held(heap: &Heap, row: &HeavyRow) -> String {
    let is_object = heap.nodes.is_object(row.holder);
    let named = if !row.things.is_empty() {
        String::new()
    } else if is_object || !row.path.steps.is_empty() {
        format!("{} {}", clean(heap.type_name(row.holder)), row.path)
    } else {
        row.path.to_string()
    };
    let mut holders: Vec<String> = row.held_by.iter().map(ToString::to_string).collect();
    if row.other_holders > 0 {
        holders.push(format!("{} more", count(row.other_holders)));
    }
    match (row.things.is_empty(), holders.as_slice()) {
        (true, []) => named,
        (true, more) => format!("{named}, also by way of {}", listed(more)),
        (false, []) => row.path.to_string(),
        (false, [one]) => one.clone(),
        (false, several) => format!("held by {}", listed(several)),
    }
}

/// What belongs to nobody in particular, where it is worth a line.
fn aside(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    /// Below this, a line would only distract.
    const LEAST: Bytes = Bytes(100_000);
    let lines =
        [("Held by native code only", view.native), ("Garbage not yet collected", view.garbage)];
    let worth = |sum: &Sum| sum.held >= LEAST;
    let said = |out: &mut dyn Write, title: &str, sum: &Sum| {
        let noun = if sum.objects == 1 { "object" } else { "objects" };
        writeln!(out, "{title}: {} in {} {noun}", size(sum.held), count(sum.objects))
    };
    if lines.iter().any(|(_, sum)| worth(sum)) || view.modelled.objects > 0 {
        writeln!(out)?;
    }
    for (title, sum) in lines.iter().filter(|(_, sum)| worth(sum)) {
        said(out, title, sum)?;
    }
    if view.modelled.objects > 0 {
        said(out, "~ sizes by the allocator's rule, not read", &view.modelled)?;
    }
    Ok(())
}
