//! A dense number for every place an object could start.
//!
//! Objects are found by address but marked, counted and named by small numbers. Each region is cut
//! into granules (16 bytes in anonymous memory, 8 in static data), numbered through by rising
//! address: one bit a granule is all the memory that marking needs, 1/128 of the target's.

use std::cell::Cell;

use deadweight_heap::Addr;
use rustc_hash::FxHashMap;

use crate::memory::{Region, RegionKind};

/// Where an object could start: a number below [`Space::granules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Granule(pub(crate) u64);

/// One region with its share of the numbers.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u64,
    end: u64,
    shift: u32,
    first: u64,
}

/// All regions.
///
/// Invariant: `spans` is sorted and free of overlaps, in addresses as in numbers; `chunks` gives for
/// every 2 MiB of address space the first span that touches it.
#[derive(Debug)]
pub(crate) struct Space {
    spans: Vec<Span>,
    chunks: FxHashMap<u64, u32>,
    last: Cell<u32>,
    granules: u64,
}

const CHUNK_SHIFT: u32 = 21;

impl Space {
    pub(crate) fn new(regions: &[Region]) -> Space {
        let mut spans: Vec<Span> = Vec::with_capacity(regions.len());
        let mut chunks = FxHashMap::default();
        let mut granules = 0;
        for region in regions {
            let shift = if region.kind == RegionKind::Anonymous { 4 } else { 3 };
            let previous_end = spans.last().map_or(0, |span| span.end);
            let start = region.start.0.next_multiple_of(1 << shift).max(previous_end);
            let end = region.end.0;
            if start >= end {
                continue;
            }
            let index = spans.len() as u32;
            for chunk in start >> CHUNK_SHIFT..=(end - 1) >> CHUNK_SHIFT {
                chunks.entry(chunk).or_insert(index);
            }
            spans.push(Span { start, end, shift, first: granules });
            granules += (end - start).div_ceil(1 << shift);
        }
        Space { spans, chunks, last: Cell::new(0), granules }
    }

    /// How many granules there are.
    pub(crate) fn granules(&self) -> u64 {
        self.granules
    }

    /// The granule that starts exactly at an address; `None` outside all regions and between granules.
    #[inline]
    pub(crate) fn granule(&self, addr: Addr) -> Option<Granule> {
        let span = self.span_of(addr)?;
        let offset = addr.0 - span.start;
        if offset & ((1 << span.shift) - 1) != 0 {
            return None;
        }
        Some(Granule(span.first + (offset >> span.shift)))
    }

    /// Whether an address lies in a region at all.
    #[inline]
    pub(crate) fn contains(&self, addr: Addr) -> bool {
        self.span_of(addr).is_some()
    }

    #[inline]
    fn span_of(&self, addr: Addr) -> Option<&Span> {
        let last = self.spans.get(self.last.get() as usize)?;
        if addr.0.wrapping_sub(last.start) < last.end - last.start {
            return Some(last);
        }
        self.span_elsewhere(addr)
    }

    fn span_elsewhere(&self, addr: Addr) -> Option<&Span> {
        let first = *self.chunks.get(&(addr.0 >> CHUNK_SHIFT))? as usize;
        let rest = &self.spans[first..];
        let index = first + rest.iter().position(|span| addr.0 < span.end)?;
        let span = &self.spans[index];
        if addr.0 < span.start {
            return None;
        }
        self.last.set(index as u32);
        Some(span)
    }

    /// The addresses of rising granules, faster than one by one.
    pub(crate) fn addresses<'s>(
        &'s self,
        granules: impl Iterator<Item = Granule> + 's,
    ) -> impl Iterator<Item = (Granule, Addr)> + 's {
        let mut index = 0;
        granules.map(move |granule| {
            while self.spans.get(index + 1).is_some_and(|next| next.first <= granule.0) {
                index += 1;
            }
            let span = &self.spans[index];
            (granule, Addr(span.start + ((granule.0 - span.first) << span.shift)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: u64, end: u64, kind: RegionKind) -> Region {
        Region { start: Addr(start), end: Addr(end), kind }
    }

    #[test]
    fn every_granule_has_one_address_and_back() {
        let space = Space::new(&[
            region(0x1000, 0x1040, RegionKind::Anonymous),
            region(0x1040, 0x1058, RegionKind::Image(0)),
            region(0x7fff_0000_0000, 0x7fff_0100_0000, RegionKind::Anonymous),
        ]);
        assert_eq!(space.granules(), 4 + 3 + (1 << 20));
        let all: Vec<_> = space.addresses((0..space.granules()).map(Granule)).collect();
        assert_eq!(all.len() as u64, space.granules());
        assert!(all.is_sorted_by(|a, b| a.1 < b.1));
        assert!(all.iter().step_by(97).all(|&(granule, at)| space.granule(at) == Some(granule)));
        for outside in [0, 0x0fff, 0x1008, 0x1058, 0x2000, 0x7fff_0100_0000, u64::MAX] {
            assert_eq!(space.granule(Addr(outside)), None, "{outside:#x}");
        }
        assert_eq!(space.granule(Addr(0x1048)), Some(Granule(5)));
    }
}
