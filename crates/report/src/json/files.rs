//! `files --json`.

use std::io::{self, Write};

use deadweight_files::csv::{BadRow, Fault};
use serde::Serialize;

use super::write;
use crate::view::files::{CheckView, CountView, FindView, NotRead, OfFile};

#[derive(Serialize)]
struct FileJson<'a, T> {
    file: &'a str,
    bytes: u64,
    appended_bytes: u64,
    #[serde(flatten)]
    found: T,
}

impl<'a, T> FileJson<'a, T> {
    fn of<F>(file: &'a OfFile<F>, found: T) -> FileJson<'a, T> {
        let (bytes, appended_bytes) = (file.size.0, file.appended.0);
        FileJson { file: &file.name, bytes, appended_bytes, found }
    }
}

#[derive(Serialize)]
struct NotReadJson<'a> {
    file: &'a str,
    reason: &'a str,
}

fn failed(files: &[NotRead]) -> Vec<NotReadJson<'_>> {
    files.iter().map(|file| NotReadJson { file: &file.name, reason: &file.reason }).collect()
}

#[derive(Serialize)]
struct CountDocument<'a> {
    rows: u64,
    files: Vec<FileJson<'a, CountJson>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<NotReadJson<'a>>,
}

#[derive(Serialize)]
struct CountJson {
    rows: u64,
    records: u64,
}

/// Writes the document of `files count`.
///
/// # Errors
/// Those of the writer.
pub fn files_count(view: &CountView, out: &mut dyn Write) -> io::Result<()> {
    let files = view.files.iter().map(|file| {
        let found = CountJson { rows: view.rows(file.found), records: file.found };
        FileJson::of(file, found)
    });
    write(
        &CountDocument {
            rows: view.all_rows(),
            files: files.collect(),
            failed: failed(&view.failed),
        },
        out,
    )
}

#[derive(Serialize)]
struct CheckDocument<'a> {
    bad: u64,
    files: Vec<FileJson<'a, CheckJson>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<NotReadJson<'a>>,
}

#[derive(Serialize)]
struct CheckJson {
    rows: u64,
    records: u64,
    fields: u64,
    bad: u64,
    faults: FaultsJson,
    bad_rows: Vec<BadRowJson>,
    bad_rows_left_out: u64,
}

#[derive(Serialize)]
struct FaultsJson {
    ragged: u64,
    bare_quote: u64,
    open_quote: u64,
    nul: u64,
    not_utf8: u64,
}

#[derive(Serialize)]
struct BadRowJson {
    record: u64,
    line: Option<u64>,
    offset: u64,
    fields: u64,
    faults: Vec<&'static str>,
}

/// Writes the document of `files check`.
///
/// # Errors
/// Those of the writer.
pub fn files_check(view: &CheckView, out: &mut dyn Write) -> io::Result<()> {
    let files = view.files.iter().map(|file| {
        let found = &file.found;
        let of = |fault: Fault| found.by_fault[fault as usize];
        let found = CheckJson {
            rows: view.rows(found.records),
            records: found.records,
            fields: found.fields,
            bad: found.bad,
            faults: FaultsJson {
                ragged: of(Fault::Ragged),
                bare_quote: of(Fault::BareQuote),
                open_quote: of(Fault::OpenQuote),
                nul: of(Fault::Nul),
                not_utf8: of(Fault::NotUtf8),
            },
            bad_rows: found.rows.iter().map(bad_row).collect(),
            bad_rows_left_out: found.bad - found.rows.len() as u64,
        };
        FileJson::of(file, found)
    });
    write(
        &CheckDocument {
            bad: view.all_bad(),
            files: files.collect(),
            failed: failed(&view.failed),
        },
        out,
    )
}

fn bad_row(row: &BadRow) -> BadRowJson {
    let BadRow { record, line, offset, fields, faults } = *row;
    BadRowJson { record, line, offset, fields, faults: faults.iter().map(word).collect() }
}

fn word(fault: Fault) -> &'static str {
    match fault {
        Fault::Ragged => "ragged",
        Fault::BareQuote => "bare_quote",
        Fault::OpenQuote => "open_quote",
        Fault::Nul => "nul",
        Fault::NotUtf8 => "not_utf8",
    }
}

#[derive(Serialize)]
struct FindDocument<'a> {
    patterns: &'a [String],
    count: u64,
    files: Vec<FileJson<'a, FindJson>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<NotReadJson<'a>>,
}

#[derive(Serialize)]
struct FindJson {
    count: u64,
    matches: Vec<MatchJson>,
    matches_left_out: u64,
}

#[derive(Serialize)]
struct MatchJson {
    offset: u64,
    bytes: u64,
    pattern: usize,
}

/// Writes the document of `files find`.
///
/// # Errors
/// Those of the writer.
pub fn files_find(view: &FindView, out: &mut dyn Write) -> io::Result<()> {
    let files = view.files.iter().map(|file| {
        let found = &file.found;
        let matches = found.matches.iter().map(|one| MatchJson {
            offset: one.start,
            bytes: one.end - one.start,
            pattern: one.pattern,
        });
        let found = FindJson {
            count: found.count,
            matches: matches.collect(),
            matches_left_out: found.count - found.matches.len() as u64,
        };
        FileJson::of(file, found)
    });
    let count = view.files.iter().map(|file| file.found.count).sum();
    write(
        &FindDocument {
            patterns: &view.patterns,
            count,
            files: files.collect(),
            failed: failed(&view.failed),
        },
        out,
    )
}
