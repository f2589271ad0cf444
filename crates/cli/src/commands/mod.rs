//! One subcommand a file.

pub(crate) mod census;
pub(crate) mod collector;
pub(crate) mod completions;
pub(crate) mod files;
pub(crate) mod sizes;
pub(crate) mod snapshot;
pub(crate) mod tree;
pub(crate) mod weigh;
pub(crate) mod why;

use std::time::Instant;

use deadweight_heap::{Dominators, Heap, ShortestPaths};
use deadweight_process::usage;
use deadweight_report::view::Cost;

use crate::progress::Progress;

/// Who keeps what alive.
fn dominators(heap: &Heap, progress: &mut Progress) -> Dominators {
    progress.stage("working out what keeps what alive");
    Dominators::of(heap)
}

/// The paths to everything.
fn paths(heap: &Heap, progress: &mut Progress) -> ShortestPaths {
    progress.stage("finding paths");
    ShortestPaths::of(heap)
}

/// What a run has cost so far.
fn cost(since: Instant) -> Cost {
    let usage = usage();
    let micros = |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    Cost {
        elapsed_micros: micros(since.elapsed()),
        cpu_micros: Some(micros(usage.cpu)),
        peak: Some(usage.peak),
    }
}
