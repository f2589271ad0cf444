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

/// A granule with its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) granule: Granule,
    pub(crate) addr: Addr,
    /// In static data of a program file or library.
    pub(crate) is_static: bool,
}

/// Granules of 8 bytes in static data, of 16 elsewhere.
const STATIC_SHIFT: u32 = 3;
const SHIFT: u32 = 4;

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
/// every 2 MiB of address space the first span that touches it; each `recent` is a row of `spans`.
#[derive(Debug)]
pub(crate) struct Space {
    spans: Vec<Span>,
    chunks: FxHashMap<u64, u32>,
    /// The span found last for addresses that share the low bits of their chunk.
    recent: Box<[Cell<u32>; RECENT]>,
    granules: u64,
}

impl Span {
    /// The granule that starts exactly at an address of the span.
    #[inline]
    fn granule(&self, addr: Addr) -> Option<Granule> {
        let offset = addr.0 - self.start;
        let between = offset & ((1 << self.shift) - 1) != 0;
        if between { None } else { Some(Granule(self.first + (offset >> self.shift))) }
    }
}

/// Regions of a sort with no more than this between them share a span: the small-block allocator leaves
/// a page or two out of each megabyte, and bits for those cost less than a search.
const LARGEST_GAP: u64 = 256 << 10;

const CHUNK_SHIFT: u32 = 21;
const RECENT: usize = 256;

impl Space {
    pub(crate) fn new(regions: &[Region]) -> Space {
        let mut spans: Vec<Span> = Vec::with_capacity(regions.len());
        let mut chunks = FxHashMap::default();
        for region in regions {
            let shift = if region.kind == RegionKind::Anonymous { SHIFT } else { STATIC_SHIFT };
            let previous_end = spans.last().map_or(0, |span| span.end);
            let Some(aligned) = region.start.0.checked_next_multiple_of(1 << shift) else {
                continue;
            };
            let start = aligned.max(previous_end);
            let end = region.end.0;
            if start >= end {
                continue;
            }
            match spans.last_mut() {
                Some(last) if last.shift == shift && start - last.end <= LARGEST_GAP => {
                    last.end = end;
                }
                _ => spans.push(Span { start, end, shift, first: 0 }),
            }
        }
        let mut granules = 0;
        for (index, span) in (0..).zip(&mut spans) {
            span.first = granules;
            granules += (span.end - span.start).div_ceil(1 << span.shift);
            for chunk in span.start >> CHUNK_SHIFT..=(span.end - 1) >> CHUNK_SHIFT {
                chunks.entry(chunk).or_insert(index);
            }
        }
        let recent = Box::new([const { Cell::new(0) }; RECENT]);
        Space { spans, chunks, recent, granules }
    }

    /// How many granules there are.
    pub(crate) fn granules(&self) -> u64 {
        self.granules
    }

    /// The granule that starts exactly at an address; `None` outside all regions and between granules.
    #[inline]
    pub(crate) fn granule(&self, addr: Addr) -> Option<Granule> {
        self.span_of(addr)?.granule(addr)
    }

    /// Granules of neighbouring addresses, looked up in the span of the last one first.
    pub(crate) fn neighbours(&self) -> impl FnMut(Addr) -> Option<Granule> + '_ {
        let mut span: Option<&Span> = None;
        move |addr| {
            let near = span.filter(|span| addr.0.wrapping_sub(span.start) < span.end - span.start);
            span = near.or_else(|| self.span_of(addr));
            span.and_then(|span| span.granule(addr))
        }
    }

    /// Whether an address lies in a region at all.
    #[inline]
    pub(crate) fn contains(&self, addr: Addr) -> bool {
        self.span_of(addr).is_some()
    }

    #[inline]
    fn span_of(&self, addr: Addr) -> Option<&Span> {
        let slot = &self.recent[(addr.0 >> CHUNK_SHIFT) as usize % RECENT];
        let span = self.spans.get(slot.get() as usize)?;
        if addr.0.wrapping_sub(span.start) < span.end - span.start {
            return Some(span);
        }
        self.span_elsewhere(addr, slot)
    }

    #[cold]
    fn span_elsewhere(&self, addr: Addr, slot: &Cell<u32>) -> Option<&Span> {
        let first = *self.chunks.get(&(addr.0 >> CHUNK_SHIFT))? as usize;
        let rest = &self.spans[first..];
        let index = first + rest.iter().position(|span| addr.0 < span.end)?;
        let span = &self.spans[index];
        if addr.0 < span.start {
            return None;
        }
        slot.set(index as u32);
        Some(span)
    }

    /// The places of rising granules.
    pub(crate) fn places<'s>(
        &'s self,
        granules: impl Iterator<Item = Granule> + 's,
    ) -> impl Iterator<Item = Place> + 's {
        let mut index = 0;
        granules.map(move |granule| {
            while self.spans.get(index + 1).is_some_and(|next| next.first <= granule.0) {
                index += 1;
            }
            let span = &self.spans[index];
            let addr = Addr(span.start + ((granule.0 - span.first) << span.shift));
            Place { granule, addr, is_static: span.shift == STATIC_SHIFT }
        })
    }

    /// Whether an address lies in static data.
    #[inline]
    pub(crate) fn is_static(&self, addr: Addr) -> bool {
        self.span_of(addr).is_some_and(|span| span.shift == STATIC_SHIFT)
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
            region(0x7fff_0000_0000, 0x7fff_0080_0000, RegionKind::Anonymous),
            region(0x7fff_0080_1000, 0x7fff_0100_0000, RegionKind::Anonymous),
        ]);
        assert_eq!(space.granules(), 4 + 3 + (1 << 20), "the gap has granules too");
        let all: Vec<_> = space.places((0..space.granules()).map(Granule)).collect();
        assert_eq!(all.len() as u64, space.granules());
        assert!(all.is_sorted_by(|a, b| a.addr < b.addr));
        let back = |place: &Place| space.granule(place.addr) == Some(place.granule);
        assert!(all.iter().step_by(97).all(back));
        assert_eq!(all.iter().filter(|place| place.is_static).count(), 3);
        for outside in [0, 0x0fff, 0x1008, 0x1058, 0x2000, 0x7fff_0100_0000, u64::MAX] {
            assert_eq!(space.granule(Addr(outside)), None, "{outside:#x}");
        }
        assert_eq!(space.granule(Addr(0x1048)), Some(Granule(5)));
    }
}
