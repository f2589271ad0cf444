//! `weigh --json`.

use std::io::{self, Write};

use deadweight_heap::{Heap, HeavyRow, Pymalloc};
use serde::Serialize;

use super::gaps::{GapRow, rows};
use super::provenance::{ProvenanceJson, millis, provenance};
use super::{trust, write};
use crate::view::{Cost, Sum, Weigh};

#[derive(Serialize)]
struct Document<'a> {
    rss_bytes: u64,
    pss_bytes: Option<u64>,
    uss_bytes: Option<u64>,
    pause_ms: f64,
    objects: u64,
    tracked: u64,
    references: u64,
    held_bytes: u64,
    trust: &'static str,
    account: Vec<AccountJson>,
    pymalloc: Option<PymallocJson>,
    interpreter: SumJson,
    native: SumJson,
    garbage: SumJson,
    modelled: SumJson,
    heaviest: Vec<HeavyJson<'a>>,
    gaps: Vec<GapRow<'a>>,
    provenance: ProvenanceJson<'a>,
    cost: CostJson,
}

#[derive(Serialize)]
struct AccountJson {
    kind: &'static str,
    bytes: u64,
    trust: &'static str,
}

#[derive(Serialize)]
struct PymallocJson {
    arenas: u64,
    arena_bytes: u64,
    used_blocks: u64,
    used_block_bytes: u64,
    owned_block_bytes: u64,
    free_block_bytes: u64,
    free_pool_bytes: u64,
    pool_header_bytes: u64,
    quantization_bytes: u64,
    arena_alignment_bytes: u64,
    sparse_arenas: u64,
    sparse_blocks: u64,
}

#[derive(Serialize)]
struct SumJson {
    objects: u64,
    held_bytes: u64,
}

#[derive(Serialize)]
struct HeavyJson<'a> {
    bytes: u64,
    retained_bytes: u64,
    trust: &'static str,
    path: String,
    holder_type: &'a str,
    holder_address: String,
    #[serde(rename = "type")]
    type_name: Option<&'a str>,
    count: Option<u64>,
    things: u64,
    held_by: Vec<String>,
    other_holders: u64,
}

#[derive(Serialize)]
struct CostJson {
    elapsed_ms: f64,
    cpu_ms: Option<f64>,
    peak_bytes: Option<u64>,
}

/// Writes the document.
///
/// # Errors
/// Those of the writer.
pub fn weigh(view: &Weigh<'_>, out: &mut dyn Write) -> io::Result<()> {
    let capture = view.capture;
    let account = &capture.account;
    let document = Document {
        rss_bytes: account.rss.0,
        pss_bytes: account.pss.map(|bytes| bytes.0),
        uss_bytes: account.uss.map(|bytes| bytes.0),
        pause_ms: millis(capture.provenance.pause_micros),
        objects: view.all.objects,
        tracked: view.tracked,
        references: view.references,
        held_bytes: view.all.held.0,
        trust: trust(view.modelled.objects > 0),
        account: account
            .rows
            .iter()
            .map(|row| AccountJson {
                kind: row.kind.word(),
                bytes: row.bytes.0,
                trust: view.trust(row).word(),
            })
            .collect(),
        pymalloc: account.pymalloc.as_ref().map(pymalloc),
        interpreter: sum(view.interpreter),
        native: sum(view.native),
        garbage: sum(view.garbage),
        modelled: sum(view.modelled),
        heaviest: view.heaviest.iter().map(|row| heavy(&capture.heap, row)).collect(),
        gaps: rows(&capture.gaps),
        provenance: provenance(&capture.provenance),
        cost: cost(view.cost),
    };
    write(&document, out)
}

fn sum(sum: Sum) -> SumJson {
    SumJson { objects: sum.objects, held_bytes: sum.held.0 }
}

fn pymalloc(books: &Pymalloc) -> PymallocJson {
    PymallocJson {
        arenas: books.arenas,
        arena_bytes: books.arena_size.0,
        used_blocks: books.used_block_count,
        used_block_bytes: books.used_blocks.0,
        owned_block_bytes: books.owned_blocks.0,
        free_block_bytes: books.free_blocks.0,
        free_pool_bytes: books.free_pools.0,
        pool_header_bytes: books.pool_headers.0,
        quantization_bytes: books.quantization.0,
        arena_alignment_bytes: books.arena_alignment.0,
        sparse_arenas: books.sparse_arenas,
        sparse_blocks: books.sparse_blocks,
    }
}

fn heavy<'a>(heap: &'a Heap, row: &HeavyRow) -> HeavyJson<'a> {
    HeavyJson {
        bytes: row.bytes.0,
        retained_bytes: row.retained.0,
        trust: trust(row.modelled),
        path: row.path.to_string(),
        holder_type: heap.type_name(row.holder),
        holder_address: heap.nodes.address(row.holder).to_string(),
        type_name: row.group.map(|group| heap.names.get(heap.types.get(group.type_id).name)),
        count: row.group.map(|group| group.count),
        things: row.things.len() as u64,
        held_by: row.held_by.iter().map(ToString::to_string).collect(),
        other_holders: row.other_holders,
    }
}

fn cost(cost: Cost) -> CostJson {
    CostJson {
        elapsed_ms: millis(cost.elapsed_micros),
        cpu_ms: cost.cpu_micros.map(millis),
        peak_bytes: cost.peak.map(|bytes| bytes.0),
    }
}
