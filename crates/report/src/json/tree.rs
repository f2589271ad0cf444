//! `tree --json`.

use std::io::{self, Write};

use deadweight_heap::{How, TreeWhat};
use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::{trust, write};
use crate::view::Tree;

#[derive(Serialize)]
struct Document<'a> {
    retained_bytes: u64,
    least_bytes: u64,
    pause_ms: f64,
    rows: Vec<RowJson<'a>>,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    depth: usize,
    count: u64,
    held_bytes: u64,
    retained_bytes: u64,
    trust: &'static str,
    #[serde(rename = "type")]
    type_name: Option<&'a str>,
    edge: Option<String>,
    path: Option<String>,
    example: Option<String>,
    held_by: Vec<String>,
    more_below: bool,
    rows_left_out: u64,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn tree(view: &Tree<'_>, out: &mut dyn Write) -> io::Result<()> {
    let heap = &view.capture.heap;
    let tree_rows = view.rows.iter().map(|row| {
        let mut json = RowJson {
            depth: row.depth,
            count: row.count,
            held_bytes: row.held.0,
            retained_bytes: row.retained.0,
            trust: trust(row.modelled),
            type_name: None,
            edge: None,
            path: None,
            example: None,
            held_by: row.held_by.iter().map(ToString::to_string).collect(),
            more_below: view.is_cut(row),
            rows_left_out: 0,
        };
        match &row.what {
            TreeWhat::Rest(rows) => json.rows_left_out = *rows,
            TreeWhat::Alike { how, type_id, example } => {
                json.type_name = Some(heap.names.get(heap.types.get(*type_id).name));
                json.example = Some(heap.nodes.address(*example).to_string());
                match how {
                    How::Directly(path) => json.edge = Some(path.to_string()),
                    How::ThroughOthers(path) => json.path = Some(path.to_string()),
                }
            }
        }
        json
    });
    let document = Document {
        retained_bytes: view.whole.0,
        least_bytes: view.options.least.0,
        pause_ms: millis(view.capture.provenance.pause_micros),
        rows: tree_rows.collect(),
        gaps: rows(&view.capture.gaps),
        provenance: provenance(&view.capture.provenance),
    };
    write(&document, out)
}
