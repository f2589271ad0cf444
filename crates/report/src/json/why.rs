//! `why --json`.

use std::io::{self, Write};

use deadweight_heap::path::ShownPath;
use deadweight_heap::{Holding, MergedStep};
use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::{trust, write};
use crate::view::Why;

#[derive(Serialize)]
struct Document<'a> {
    query: &'a str,
    count: u64,
    held_bytes: u64,
    retained_bytes: u64,
    trust: &'static str,
    pause_ms: f64,
    paths: Vec<PathJson<'a>>,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
}

#[derive(Serialize)]
struct PathJson<'a> {
    count: u64,
    retained_bytes: u64,
    trust: &'static str,
    path: String,
    example: String,
    shortened: bool,
    also_held_by: Vec<HoldingJson>,
    shared: Option<SharedJson>,
    holder: Option<HolderJson>,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct HoldingJson {
    path: String,
    count: u64,
    references: u64,
}

#[derive(Serialize)]
struct SharedJson {
    path: String,
    count: u64,
}

#[derive(Serialize)]
struct HolderJson {
    path: String,
    frees_bytes: u64,
}

#[derive(Serialize)]
struct StepJson<'a> {
    edge: String,
    #[serde(rename = "type")]
    type_name: &'a str,
    address: Option<String>,
    conservative: bool,
}

fn holding(holding: &Holding) -> HoldingJson {
    let Holding { path, count, references } = holding;
    HoldingJson { path: path.to_string(), count: *count, references: *references }
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn why(view: &Why<'_>, out: &mut dyn Write) -> io::Result<()> {
    let heap = &view.capture.heap;
    let path = |index: usize| {
        let (merged, concrete) = (&view.paths[index], &view.examples[index]);
        let whole = merged.steps.len() == concrete.len();
        let steps = merged.steps.iter().enumerate().map(|(row, step)| StepJson {
            edge: ShownPath::of_step(heap, MergedStep { repeats: false, ..*step }).to_string(),
            type_name: heap.names.get(heap.types.get(step.type_id).name),
            // The example's own objects, where its path has the same steps.
            address: whole.then(|| heap.nodes.address(concrete[row].node).to_string()),
            conservative: step.label.label.is_conservative(),
        });
        PathJson {
            count: merged.count,
            retained_bytes: merged.retained.0,
            trust: trust(merged.modelled),
            path: ShownPath::of_merged(heap, merged).to_string(),
            example: heap.nodes.address(merged.example).to_string(),
            shortened: merged.shortened,
            also_held_by: merged.also_held_by.iter().map(holding).collect(),
            shared: merged
                .shared
                .as_ref()
                .map(|(path, count)| SharedJson { path: path.to_string(), count: *count }),
            holder: merged.holder.as_ref().map(|holder| HolderJson {
                path: holder.path.to_string(),
                frees_bytes: holder.frees.0,
            }),
            steps: steps.collect(),
        }
    };
    let document = Document {
        query: view.query,
        count: view.count,
        held_bytes: view.held.0,
        retained_bytes: view.retained.0,
        trust: view.trust.word(),
        pause_ms: millis(view.capture.provenance.pause_micros),
        paths: (0..view.paths.len()).map(path).collect(),
        gaps: rows(&view.capture.gaps),
        provenance: provenance(&view.capture.provenance),
    };
    write(&document, out)
}
