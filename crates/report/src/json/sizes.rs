//! `sizes --json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::write;
use crate::view::SizesView;

#[derive(Serialize)]
struct Document<'a> {
    python: &'a str,
    executable: &'a str,
    model: BTreeMap<&'a str, u64>,
    cached_ints: (i64, i64),
    sizes: Vec<RowJson<'a>>,
}

#[derive(Serialize)]
struct RowJson<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    specimen: &'a str,
    held_bytes: u64,
    requested_bytes: u64,
    retained_bytes: u64,
    getsizeof_bytes: u64,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn sizes(view: &SizesView, out: &mut dyn Write) -> io::Result<()> {
    let sizes = view.rows.iter().map(|row| RowJson {
        type_name: &row.type_name,
        specimen: &row.specimen,
        held_bytes: row.held.0,
        requested_bytes: row.requested.0,
        retained_bytes: row.retained.0,
        getsizeof_bytes: row.getsizeof.0,
    });
    let document = Document {
        python: &view.python,
        executable: &view.executable,
        model: view.model.iter().map(|(name, value)| (name.as_str(), *value)).collect(),
        cached_ints: view.cached_ints,
        sizes: sizes.collect(),
    };
    write(&document, out)
}
