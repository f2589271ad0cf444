//! `census --json`.

use std::io::{self, Write};

use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::{trust, write};
use crate::view::CensusView;

#[derive(Serialize)]
struct Document<'a> {
    objects: u64,
    tracked: u64,
    references: Option<u64>,
    shallow_bytes: u64,
    getsizeof_bytes: u64,
    types: Vec<TypeJson<'a>>,
    gaps: Vec<GapRow<'a>>,
}

#[derive(Serialize)]
struct TypeJson<'a> {
    name: &'a str,
    count: u64,
    shallow_bytes: u64,
    retained_bytes: Option<u64>,
    getsizeof_bytes: u64,
    trust: &'static str,
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
        shallow_bytes: total.held.0,
        getsizeof_bytes: total.getsizeof.0,
        types: view
            .census
            .rows
            .iter()
            .take(view.top)
            .map(|row| TypeJson {
                name: view.names.get(row.name),
                count: row.count,
                shallow_bytes: row.held.0,
                retained_bytes: row.retained.map(|bytes| bytes.0),
                getsizeof_bytes: row.getsizeof.0,
                trust: trust(row.modelled),
            })
            .collect(),
        gaps: rows(view.gaps),
    };
    write(&document, out)
}
