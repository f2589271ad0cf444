//! `census --json`.

use std::io::{self, Write};

use deadweight_heap::Grouping;
use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::{trust, write};
use crate::view::CensusView;

#[derive(Serialize)]
struct Document<'a> {
    objects: u64,
    tracked: u64,
    references: Option<u64>,
    pause_ms: f64,
    by: &'static str,
    shallow_bytes: u64,
    getsizeof_bytes: u64,
    types: Vec<TypeJson<'a>>,
    rows_left_out: u64,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
}

#[derive(Serialize)]
struct TypeJson<'a> {
    name: &'a str,
    count: u64,
    shallow_bytes: u64,
    retained_bytes: Option<u64>,
    getsizeof_bytes: u64,
    trust: &'static str,
    retained_trust: Option<&'static str>,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn census(view: &CensusView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let total = &view.census.total;
    let document = Document {
        objects: total.count,
        tracked: view.tracked,
        references: view.references,
        pause_ms: millis(view.provenance.pause_micros),
        by: if view.grouping == Grouping::Module { "module" } else { "type" },
        shallow_bytes: total.held.0,
        getsizeof_bytes: total.getsizeof.0,
        types: view
            .census
            .rows
            .iter()
            .take(view.top)
            .map(|row| TypeJson {
                name: view.name(row),
                count: row.count,
                shallow_bytes: row.held.0,
                retained_bytes: row.retained.map(|bytes| bytes.0),
                getsizeof_bytes: row.getsizeof.0,
                trust: trust(row.modelled),
                retained_trust: row.retained.map(|_| trust(row.retained_modelled)),
            })
            .collect(),
        rows_left_out: (view.census.rows.len() - view.census.rows.len().min(view.top)) as u64,
        gaps: rows(view.gaps),
        provenance: provenance(view.provenance),
    };
    write(&document, out)
}
