//! `why --json`.

use std::io::{self, Write};

use deadweight_heap::path::ShownPath;
use serde::Serialize;

use super::write;
use crate::view::Why;

#[derive(Serialize)]
struct Document<'a> {
    query: &'a str,
    count: u64,
    held_bytes: u64,
    retained_bytes: u64,
    paths: Vec<PathJson<'a>>,
}

#[derive(Serialize)]
struct PathJson<'a> {
    count: u64,
    retained_bytes: u64,
    path: String,
    example: String,
    shortened: bool,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    edge: String,
    #[serde(rename = "type")]
    type_name: &'a str,
    address: Option<String>,
    conservative: bool,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn why(view: &Why<'_>, out: &mut dyn Write) -> io::Result<()> {
    let heap = view.heap;
    let path = |index: usize| {
        let (merged, concrete) = (&view.paths[index], &view.examples[index]);
        let whole = merged.steps.len() == concrete.len();
        let steps = merged.steps.iter().enumerate().map(|(row, step)| StepJson {
            edge: ShownPath::of_label(heap, step.label).to_string(),
            type_name: heap.names.get(heap.types.get(step.type_id).name),
            // The example's own objects, where its path has the same steps.
            address: whole.then(|| heap.nodes.address(concrete[row].node).to_string()),
            conservative: step.label.label.is_conservative(),
        });
        PathJson {
            count: merged.count,
            retained_bytes: merged.retained.0,
            path: ShownPath::of_merged(heap, merged).to_string(),
            example: heap.nodes.address(merged.example).to_string(),
            shortened: merged.shortened,
            steps: steps.collect(),
        }
    };
    let document = Document {
        query: view.query,
        count: view.count,
        held_bytes: view.held.0,
        retained_bytes: view.retained.0,
        paths: (0..view.paths.len()).map(path).collect(),
    };
    write(&document, out)
}
