//! `tree --json`.

use std::io::{self, Write};

use deadweight_heap::{How, TreeWhat};
use serde::Serialize;

use super::write;
use crate::view::Tree;

#[derive(Serialize)]
struct Document<'a> {
    retained_bytes: u64,
    rows: Vec<RowJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    depth: usize,
    count: u64,
    held_bytes: u64,
    retained_bytes: u64,
    #[serde(rename = "type")]
    type_name: Option<&'a str>,
    edge: Option<String>,
    path: Option<String>,
    example: Option<String>,
    rows_left_out: u64,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn tree(view: &Tree<'_>, out: &mut dyn Write) -> io::Result<()> {
    let heap = view.heap;
    let rows = view.rows.iter().map(|row| {
        let mut json = RowJson {
            depth: row.depth,
            count: row.count,
            held_bytes: row.held.0,
            retained_bytes: row.retained.0,
            type_name: None,
            edge: None,
            path: None,
            example: None,
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
    write(&Document { retained_bytes: view.whole.0, rows: rows.collect() }, out)
}
