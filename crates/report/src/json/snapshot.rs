//! `snapshot --json`.

use std::io::{self, Write};

use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::write;
use crate::view::Saved;

#[derive(Serialize)]
struct Document<'a> {
    file: String,
    file_bytes: u64,
    objects: u64,
    references: u64,
    pause_ms: f64,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn snapshot(view: &Saved<'_>, out: &mut dyn Write) -> io::Result<()> {
    let capture = view.capture;
    let document = Document {
        file: view.file.to_string_lossy().into_owned(),
        file_bytes: view.size.0,
        objects: capture.heap.objects(),
        references: capture.heap.references(),
        pause_ms: millis(capture.provenance.pause_micros),
        gaps: rows(&capture.gaps),
        provenance: provenance(&capture.provenance),
    };
    write(&document, out)
}
