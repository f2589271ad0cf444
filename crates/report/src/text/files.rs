//! `files`: a line a file, a row or a match, so that other programs can take them apart.

use std::io::{self, Write};

use deadweight_files::csv::{BadRow, Fault};
use deadweight_heap::Bytes;

use super::{clean, lines, listed, table};
use crate::numbers::{count, size};
use crate::view::files::{CheckView, CountView, FindView, OfFile};

/// Writes the report of `files count`.
///
/// # Errors
/// Those of the writer.
pub fn files_count(view: &CountView, out: &mut dyn Write) -> io::Result<()> {
    let mut rows = table(&["rows", "size", "file"]);
    for file in &view.files {
        let name = clean(&file.name).into_owned();
        rows.add_row([count(view.rows(file.found)), size(file.size), name]);
    }
    if view.files.len() > 1 {
        let all = Bytes(view.files.iter().map(|file| file.size.0).sum());
        rows.add_row([count(view.all_rows()), size(all), "all".to_owned()]);
    }
    writeln!(out, "{}", lines(rows, &[true, true, false]))?;
    view.files.iter().try_for_each(|file| appended(file, out))
}

/// Writes the report of `files check`.
///
/// # Errors
/// Those of the writer.
pub fn files_check(view: &CheckView, out: &mut dyn Write) -> io::Result<()> {
    for file in &view.files {
        let (name, found) = (clean(&file.name), &file.found);
        for row in &found.rows {
            let reason = bad_row(row, found.fields);
            let line = row.line.map_or_else(String::new, |line| format!("{line}:"));
            writeln!(out, "{name}:{line} byte {}: {reason}", row.offset)?;
        }
        let left_out = found.bad - found.rows.len() as u64;
        if left_out > 0 {
            writeln!(out, "{name}: {} more bad rows: --top N shows more", count(left_out))?;
        }
        let rows = many(view.rows(found.records), "row", "rows");
        write!(out, "{name}: {rows} of {}", many(found.fields, "field", "fields"))?;
        write!(out, " in {}, {} bad", size(file.size), count(found.bad))?;
        let kinds = Fault::ALL.iter().zip(found.by_fault).filter(|(_, rows)| *rows > 0);
        let kinds: Vec<String> =
            kinds.map(|(fault, rows)| format!("{} {}", count(rows), kind(*fault))).collect();
        if kinds.is_empty() {
            writeln!(out)?;
        } else {
            writeln!(out, ": {}", listed(&kinds))?;
        }
        appended(file, out)?;
    }
    Ok(())
}

/// What is wrong with a row, where the first has so many fields.
#[must_use]
pub fn bad_row(row: &BadRow, fields: u64) -> String {
    let faults: Vec<String> = row.faults.iter().map(|fault| fault_of(fault, row, fields)).collect();
    listed(&faults)
}

/// Writes the report of `files find`.
///
/// # Errors
/// Those of the writer.
pub fn files_find(view: &FindView, out: &mut dyn Write) -> io::Result<()> {
    let several = view.patterns.len() > 1;
    for file in &view.files {
        let (name, found) = (clean(&file.name), &file.found);
        for one in &found.matches {
            write!(out, "{name}:{}", one.start)?;
            match view.patterns.get(one.pattern) {
                Some(pattern) if several => writeln!(out, ": {}", clean(pattern))?,
                _ => writeln!(out)?,
            }
        }
        let left_out = found.count - found.matches.len() as u64;
        if left_out > 0 {
            writeln!(out, "{name}: {} more matches: --top N shows more", count(left_out))?;
        }
        let matches = many(found.count, "match", "matches");
        writeln!(out, "{name}: {matches} in {}", size(file.size))?;
        appended(file, out)?;
    }
    Ok(())
}

fn appended<T>(file: &OfFile<T>, out: &mut dyn Write) -> io::Result<()> {
    if file.appended.0 > 0 {
        let (name, more) = (clean(&file.name), size(file.appended));
        writeln!(out, "{name}: {more} were appended meanwhile, and not read")?;
    }
    Ok(())
}

fn many(number: u64, one: &str, others: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { others })
}

fn kind(fault: Fault) -> &'static str {
    match fault {
        Fault::Ragged => "with another number of fields",
        Fault::BareQuote => "with a quote out of place",
        Fault::OpenQuote => "with a quote that is not closed",
        Fault::Nul => "with a zero byte",
        Fault::NotUtf8 => "not in UTF-8",
    }
}

fn fault_of(fault: Fault, row: &BadRow, fields: u64) -> String {
    match fault {
        Fault::Ragged => format!("{}, not {}", many(row.fields, "field", "fields"), count(fields)),
        Fault::BareQuote => "a quote out of place".to_owned(),
        Fault::OpenQuote => "a quote that is not closed: all that follows is one field".to_owned(),
        Fault::Nul => "a zero byte".to_owned(),
        Fault::NotUtf8 => "bytes that are no UTF-8 (Latin-1?)".to_owned(),
    }
}
