//! What to copy: every page of private memory that differs from its file.

use std::ops::Range;

use crate::files::MappedFiles;
use crate::maps::Mapping;
use crate::pages::{PageSource, PageState, Pages, Run};
use crate::ranges;

/// The ranges to copy, sorted, neighbours joined.
///
/// Writable or not: what the loader made read-only after writing it (RELRO) differs from the file too.
/// A page that is the same as its file is read from the file later; where the file cannot be had (it was
/// deleted, and we are not root) it is copied. The zero page holds nothing, and shared memory no objects.
pub(crate) fn plan(maps: &[Mapping], pages: &Pages, files: &MappedFiles) -> Vec<Range<u64>> {
    let private = maps
        .iter()
        .filter(|mapping| !mapping.shared() && mapping.readable() && !mapping.is_kernels());
    ranges::merged(private.flat_map(|mapping| {
        let file_is_open = files.of(mapping).is_some();
        pages
            .runs_in(mapping.start.0..mapping.end.0)
            .filter(move |run| match run.state {
                PageState::Own | PageState::Swapped | PageState::HugeTlb => true,
                PageState::File => !file_is_open,
                PageState::Zero => false,
            })
            .map(|run| run.pages)
    }))
}

/// Whether reading the planned ranges makes pages resident that were not: it brings them back from
/// swap, and where whole mappings are read, from their files.
pub(crate) fn makes_resident(plan: &[Range<u64>], pages: &Pages) -> bool {
    let swapped = |run: Run| run.state == PageState::Swapped;
    pages.source == PageSource::Mappings
        || plan.iter().any(|range| pages.runs_in(range.clone()).any(swapped))
}
