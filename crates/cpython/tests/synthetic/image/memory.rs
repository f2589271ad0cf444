//! The bytes of a process: while it is being made, and as the finished fake lends them.

use std::collections::BTreeMap;
use std::ops::Range;

use deadweight_cpython::{Memory, Region, RegionKind, Symbols, Thread};
use deadweight_heap::Addr;

pub(crate) const PAGE: u64 = 4096;

/// What a stretch of address space is for: `None` for what can be read but holds no objects.
#[derive(Clone, Debug)]
pub(crate) struct Area {
    pub(crate) range: Range<u64>,
    pub(crate) kind: Option<RegionKind>,
}

/// Memory that is being written. Only pages that were written or touched are there.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pages: BTreeMap<u64, Box<[u8; PAGE as usize]>>,
}

impl Pages {
    pub(crate) fn put(&mut self, at: u64, bytes: &[u8]) {
        let mut at = at;
        let mut rest = bytes;
        while !rest.is_empty() {
            let offset = at % PAGE;
            let now = rest.len().min((PAGE - offset) as usize);
            let (head, tail) = rest.split_at(now);
            self.page(at)[offset as usize..][..now].copy_from_slice(head);
            at += now as u64;
            rest = tail;
        }
    }

    pub(crate) fn put_word(&mut self, at: u64, word: u64) {
        self.put(at, &word.to_le_bytes());
    }

    pub(crate) fn put_int(&mut self, at: u64, int: u32) {
        self.put(at, &int.to_le_bytes());
    }

    pub(crate) fn put_words(&mut self, at: u64, words: &[u64]) {
        for (index, &word) in (0..).zip(words) {
            self.put_word(at + index * 8, word);
        }
    }

    /// Makes memory be there, as zeros unless it was written before.
    pub(crate) fn touch(&mut self, at: u64, len: u64) {
        for page in at / PAGE..(at + len.max(1)).div_ceil(PAGE) {
            self.page(page * PAGE);
        }
    }

    pub(crate) fn zero(&mut self, at: u64, len: u64) {
        self.put(at, &vec![0; len as usize]);
    }

    /// An aligned word; 0 where nothing was written.
    pub(crate) fn word(&self, at: u64) -> u64 {
        let page = self.pages.get(&(at / PAGE));
        let bytes = page.and_then(|page| page[(at % PAGE) as usize..].first_chunk());
        bytes.map_or(0, |word| u64::from_le_bytes(*word))
    }

    fn page(&mut self, at: u64) -> &mut [u8; PAGE as usize] {
        self.pages.entry(at / PAGE).or_insert_with(|| Box::new([0; PAGE as usize]))
    }

    /// Contiguous pages of one area become one segment.
    pub(crate) fn finish(self, areas: &[Area]) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        for (number, page) in self.pages {
            let start = number * PAGE;
            let area = areas.iter().find(|area| area.range.contains(&start));
            let kind = area.unwrap_or_else(|| panic!("{start:#x} is in no area")).kind;
            match segments.last_mut() {
                Some(last) if last.end() == start && last.kind == kind => {
                    last.bytes.extend_from_slice(&*page);
                }
                _ => segments.push(Segment { start, bytes: page.to_vec(), kind }),
            }
        }
        segments
    }
}

/// Bytes that lie together.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) start: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) kind: Option<RegionKind>,
}

impl Segment {
    pub(crate) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// The memory of a process that never ran.
///
/// Invariant: `segments` is sorted and free of overlaps.
#[derive(Clone, Debug)]
pub(crate) struct FakeProcess {
    pub(crate) segments: Vec<Segment>,
    pub(crate) regions: Vec<Region>,
    pub(crate) symbols: Symbols,
    pub(crate) threads: Vec<Thread>,
    pub(crate) images: Vec<String>,
}

impl FakeProcess {
    pub(crate) fn new(segments: Vec<Segment>, symbols: Symbols) -> FakeProcess {
        let region = |segment: &Segment| {
            let (start, end) = (Addr(segment.start), Addr(segment.end()));
            Some(Region { start, end, kind: segment.kind? })
        };
        let regions = segments.iter().filter_map(region).collect();
        let images = vec!["/usr/bin/python3".to_string()];
        FakeProcess { segments, regions, symbols, threads: Vec::new(), images }
    }

    fn segment(&self, at: u64) -> Option<usize> {
        let index = self.segments.partition_point(|segment| segment.end() <= at);
        (self.segments.get(index)?.start <= at).then_some(index)
    }

    /// Replaces an aligned word; returns what was there.
    pub(crate) fn poke(&mut self, at: u64, word: u64) -> Option<u64> {
        let index = self.segment(at)?;
        let segment = self.segments.get_mut(index)?;
        let place = segment.bytes.get_mut((at - segment.start) as usize..)?.first_chunk_mut()?;
        Some(u64::from_le_bytes(std::mem::replace(place, word.to_le_bytes())))
    }

    /// An aligned word.
    pub(crate) fn peek(&self, at: u64) -> Option<u64> {
        let segment = self.segments.get(self.segment(at)?)?;
        let bytes = segment.bytes.get((at - segment.start) as usize..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    }

    /// Ends a segment here, though its region says that it goes on.
    pub(crate) fn cut(&mut self, at: u64) {
        if let Some(index) = self.segment(at)
            && let Some(segment) = self.segments.get_mut(index)
        {
            segment.bytes.truncate((at - segment.start) as usize);
        }
    }

    /// Every aligned word with its address.
    pub(crate) fn words(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.segments.iter().flat_map(|segment| {
            let words = segment.bytes.as_chunks().0.iter();
            (segment.start..).step_by(8).zip(words.map(|word| u64::from_le_bytes(*word)))
        })
    }

    /// How many words there are in places where objects can be.
    pub(crate) fn room(&self) -> u64 {
        self.regions.iter().map(|region| region.end.since(region.start) / 8).sum()
    }
}

impl Memory for FakeProcess {
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let mut index = self.segment(addr.0)?;
        let first = self.segments.get(index)?;
        let offset = (addr.0 - first.start) as usize;
        if let Some(bytes) = first.bytes.get(offset..offset.checked_add(len)?) {
            return Some(bytes);
        }
        // Across segments that follow each other without a gap.
        scratch.clear();
        scratch.extend_from_slice(first.bytes.get(offset..)?);
        while scratch.len() < len {
            let end = self.segments.get(index)?.end();
            index += 1;
            let next = self.segments.get(index).filter(|next| next.start == end)?;
            let rest = next.bytes.len().min(len - scratch.len());
            scratch.extend_from_slice(next.bytes.get(..rest)?);
        }
        Some(scratch)
    }

    fn regions(&self) -> &[Region] {
        &self.regions
    }
}

/// The same memory from a source that never lends, only copies.
pub(crate) struct Copying<'a>(pub(crate) &'a FakeProcess);

impl Memory for Copying<'_> {
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let mut own = Vec::new();
        let copy = self.0.bytes(addr, len, &mut own)?.to_vec();
        *scratch = copy;
        Some(scratch)
    }

    fn regions(&self) -> &[Region] {
        self.0.regions()
    }
}
