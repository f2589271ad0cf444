//! What could not be read or is not certain.

use deadweight_heap::Gap;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct GapRow<'a> {
    kind: &'a str,
    count: u64,
    detail: &'a str,
}

pub(super) fn rows(gaps: &[Gap]) -> Vec<GapRow<'_>> {
    gaps.iter()
        .map(|gap| GapRow { kind: gap.kind.word(), count: gap.count, detail: &gap.detail })
        .collect()
}
