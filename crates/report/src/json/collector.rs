//! `gc --json`.

use std::io::{self, Write};

use deadweight_heap::{CycleRow, Generation, Gone};
use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::write;
use crate::view::CollectorView;

#[derive(Serialize)]
struct Document<'a> {
    pause_ms: f64,
    enabled: bool,
    collecting: bool,
    kind: &'static str,
    generations: Vec<GenerationJson>,
    permanent: u64,
    garbage: u64,
    long_lived_total: u64,
    long_lived_pending: u64,
    interpreters: u64,
    full_collection: WorkJson,
    freeze: FreezeJson,
    types: Vec<TypeJson<'a>>,
    types_left_out: u64,
    waiting: Vec<CycleJson<'a>>,
    would_free: GoneJson,
    waiting_left_out: u64,
    cycles: Vec<CycleJson<'a>>,
    cycles_left_out: u64,
    advice: Vec<AdviceJson<'a>>,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
}

#[derive(Serialize)]
struct GenerationJson {
    threshold: i32,
    count: i32,
    objects: u64,
    collections: u64,
    collected: u64,
    uncollectable: u64,
}

#[derive(Serialize)]
struct WorkJson {
    objects: u64,
    references: u64,
    list_near_misses: u64,
    list_far_misses: u64,
    near_misses: u64,
    far_misses: u64,
    cpu_ms: f64,
    trust: &'static str,
}

#[derive(Serialize)]
struct FreezeJson {
    objects: u64,
    shallow_bytes: u64,
}

#[derive(Serialize)]
struct TypeJson<'a> {
    name: &'a str,
    count: u64,
    shallow_bytes: u64,
}

#[derive(Serialize)]
struct CycleJson<'a> {
    cycles: u64,
    objects: u64,
    shallow_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_free: Option<GoneJson>,
    types: Vec<MemberJson<'a>>,
    types_left_out: u64,
}

#[derive(Serialize)]
struct GoneJson {
    objects: u64,
    tracked: u64,
    retained_bytes: u64,
}

#[derive(Serialize)]
struct MemberJson<'a> {
    name: &'a str,
    count: u64,
}

#[derive(Serialize)]
struct AdviceJson<'a> {
    code: &'static str,
    text: &'a str,
}

/// Types of a cycle that are named.
const TYPES: usize = 10;

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn collector(view: &CollectorView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (state, from) = (view.collector, &view.capture.provenance);
    let left_out = |rows: usize| rows.saturating_sub(view.top) as u64;
    let cycles =
        |rows: &'_ [CycleRow]| rows.iter().take(view.top).map(|row| cycle(view, row)).collect();
    let document = Document {
        pause_ms: millis(from.pause_micros),
        enabled: state.enabled,
        collecting: state.collecting,
        kind: if state.incremental { "incremental" } else { "generational" },
        generations: state.generations.iter().map(generation).collect(),
        permanent: from.permanent,
        garbage: state.garbage,
        long_lived_total: state.long_lived_total,
        long_lived_pending: state.long_lived_pending,
        interpreters: state.interpreters,
        full_collection: WorkJson {
            objects: view.work.objects,
            references: view.work.references,
            list_near_misses: view.work.steps.near,
            list_far_misses: view.work.steps.far,
            near_misses: view.work.visits.near,
            far_misses: view.work.visits.far,
            cpu_ms: millis(view.micros),
            trust: super::trust(true),
        },
        freeze: FreezeJson { objects: view.work.objects, shallow_bytes: view.work.held.0 },
        types: view
            .types
            .iter()
            .take(view.top)
            .map(|row| TypeJson {
                name: row.name,
                count: row.sum.objects,
                shallow_bytes: row.sum.held.0,
            })
            .collect(),
        types_left_out: left_out(view.types.len()),
        waiting: cycles(&view.garbage),
        would_free: gone(view.gone),
        waiting_left_out: left_out(view.garbage.len()),
        cycles: cycles(&view.live),
        cycles_left_out: left_out(view.live.len()),
        advice: view
            .advice
            .iter()
            .map(|advice| AdviceJson { code: advice.code, text: &advice.text })
            .collect(),
        gaps: rows(&view.capture.gaps),
        provenance: provenance(from),
    };
    write(&document, out)
}

fn generation(of: &Generation) -> GenerationJson {
    let &Generation { threshold, count, objects, collections, collected, uncollectable } = of;
    GenerationJson { threshold, count, objects, collections, collected, uncollectable }
}

fn gone(of: Gone) -> GoneJson {
    GoneJson { objects: of.objects, tracked: of.tracked, retained_bytes: of.held.0 }
}

fn cycle<'a>(view: &'a CollectorView<'_>, row: &CycleRow) -> CycleJson<'a> {
    let member = |&(id, count): &(_, u64)| MemberJson { name: view.type_name(id), count };
    CycleJson {
        cycles: row.cycles,
        objects: row.objects,
        shallow_bytes: row.held.0,
        would_free: row.retained.map(gone),
        types: row.types.iter().take(TYPES).map(member).collect(),
        types_left_out: row.types.len().saturating_sub(TYPES) as u64,
    }
}
