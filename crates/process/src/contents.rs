//! The contents of an address space: copied pages, pages of files, and static zeros, by address.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use deadweight_heap::Addr;

use crate::blocks::BlockCache;
use crate::sys::{self, Buffer};

/// A stretch of addresses whose bytes come from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) range: Range<u64>,
    pub(crate) source: Source,
}

/// Where the bytes of a piece are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the copy, from this offset on.
    Copied(usize),
    /// In a file, by number, from this offset on.
    File(u32, u64),
    /// Nowhere: static data that was never written.
    Zeros,
}

/// Pieces by address, and what they are of.
#[derive(Debug)]
pub(crate) struct Contents {
    copy: Buffer,
    /// Sorted, not overlapping.
    pieces: Vec<Piece>,
    /// The copied ones again, as the fast path needs them.
    copied: Vec<Copied>,
    /// By a few bits of an address, the one of `copied` that it is most likely in. Only a guess: the
    /// addresses are compared. Its length is a power of two.
    table: Vec<u32>,
    files: Vec<Arc<File>>,
    cache: BlockCache,
}

#[derive(Clone, Copy, Debug)]
struct Copied {
    start: u64,
    len: u64,
    offset: usize,
}

/// Addresses that differ only below this bit share a slot of the table. The small-block allocator
/// leaves a gap in each megabyte: with slots as large as that, every second lookup would miss.
const GRANULE_BITS: u32 = 16;

/// A megabyte of table, enough for 8 GB of copy without a collision.
const MAX_SLOTS: usize = 1 << 18;

impl Contents {
    /// `pieces` are sorted and do not overlap; `files` are those they name.
    pub(crate) fn new(copy: Buffer, pieces: Vec<Piece>, files: Vec<Arc<File>>) -> Contents {
        let copied: Vec<Copied> = pieces.iter().filter_map(Piece::copied).collect();
        let table = table(&copied);
        Contents { copy, pieces, copied, table, files, cache: BlockCache::new() }
    }

    /// `len` bytes at `addr`, if all of them are there.
    #[inline]
    pub(crate) fn bytes<'a>(
        &'a self,
        addr: Addr,
        len: usize,
        scratch: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        if let Some(bytes) = self.guess(addr, len) {
            return Some(bytes);
        }
        self.search(addr, len, scratch)
    }

    /// The stretches of the address space that were copied.
    pub(crate) fn copied(&self) -> impl Iterator<Item = Range<u64>> {
        self.copied.iter().map(|piece| piece.start..piece.start + piece.len)
    }

    /// A few bytes, copied.
    #[inline]
    pub(crate) fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        if let Some(byte) = self.guess(addr, N) {
            return byte.first_chunk().copied();
        }
        let mut scratch = Vec::new();
        self.search(addr, N, &mut scratch)?.first_chunk().copied()
    }

    /// `len` bytes at `addr`, if they are where the table guesses.
    #[inline]
    fn guess(&self, addr: Addr, len: usize) -> Option<&[u8]> {
        let slot = (addr.0 >> GRANULE_BITS) as usize & (self.table.len() - 1);
        let piece = self.copied.get(*self.table.get(slot)? as usize)?;
        let into = addr.0.wrapping_sub(piece.start);
        if into >= piece.len || len as u64 > piece.len - into {
            return None;
        }
        let at = piece.offset + into as usize;
        self.copy.get(at..at + len)
    }

    /// Has the bytes at `addr` ready soon, if they are where the table guesses.
    #[inline]
    pub(crate) fn prefetch(&self, addr: Addr) {
        if let Some([byte, ..]) = self.guess(addr, 1) {
            sys::prefetch(byte);
        }
    }

    /// [`Contents::bytes`] for what is not in the table, not in the copy, or in several pieces.
    #[cold]
    #[inline(never)]
    fn search<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        let range = addr.0..addr.0.checked_add(len as u64)?;
        let pieces = self.covering(&range)?;
        if let [Piece { range: piece, source: Source::Copied(offset) }] = pieces {
            let at = offset + (range.start - piece.start) as usize;
            return self.copy.get(at..at + len);
        }
        scratch.clear();
        for piece in pieces {
            let start = range.start.max(piece.range.start);
            let len = (range.end.min(piece.range.end) - start) as usize;
            let into = start - piece.range.start;
            match piece.source {
                Source::Copied(offset) => {
                    let at = offset + into as usize;
                    scratch.extend_from_slice(self.copy.get(at..at + len)?);
                }
                Source::File(number, offset) => {
                    let file = self.files.get(number as usize)?;
                    self.cache.append(file, number, offset.checked_add(into)?, len, scratch)?;
                }
                Source::Zeros => scratch.resize(scratch.len() + len, 0),
            }
        }
        Some(scratch)
    }

    /// The pieces that a range is in, if they hold all of it. Looked at before anything is allocated:
    /// a length that comes from a target can be anything.
    fn covering(&self, range: &Range<u64>) -> Option<&[Piece]> {
        let first = self.pieces.partition_point(|piece| piece.range.end <= range.start);
        let mut at = range.start;
        let mut count = 0;
        for piece in self.pieces.get(first..)? {
            if at >= range.end {
                break;
            }
            if piece.range.start > at {
                return None;
            }
            at = piece.range.end;
            count += 1;
        }
        (at >= range.end).then(|| self.pieces.get(first..first + count)).flatten()
    }
}

impl Piece {
    fn copied(&self) -> Option<Copied> {
        let Source::Copied(offset) = self.source else { return None };
        let Range { start, end } = self.range;
        Some(Copied { start, len: end - start, offset })
    }
}

/// Every granule of a copied piece gets a slot; of several pieces in one slot, the one that has most
/// of its granule.
fn table(copied: &[Copied]) -> Vec<u32> {
    let granules = |piece: &Copied| {
        piece.start >> GRANULE_BITS..=(piece.start + piece.len - 1) >> GRANULE_BITS
    };
    let total: u64 =
        copied.iter().map(granules).map(|granules| granules.end() - granules.start() + 1).sum();
    let slots = (total as usize * 2).next_power_of_two().clamp(64, MAX_SLOTS);
    let mut table = vec![0; slots];
    let mut has = vec![0; slots];
    for (number, piece) in (0..).zip(copied) {
        for granule in granules(piece) {
            let slot = granule as usize & (slots - 1);
            let first = granule << GRANULE_BITS;
            let end = (piece.start + piece.len).min(first + (1 << GRANULE_BITS));
            let part = end - piece.start.max(first);
            if part > has[slot] {
                has[slot] = part;
                table[slot] = number;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PAGE;

    /// Pieces of every sort, near each other and far apart, and what each address must read as.
    fn sample() -> (Contents, Vec<(u64, u8)>) {
        let path = std::env::temp_dir().join(format!(
            "deadweight-pieces-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let content: Vec<u8> = (0..3 * PAGE).map(|n| 60 + (n / 70) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let file = Arc::new(File::open(&path).unwrap());
        std::fs::remove_file(&path).unwrap();

        let mut copy = Buffer::new(8 * PAGE as usize).unwrap();
        for (at, byte) in copy.iter_mut().enumerate() {
            *byte = (at / 30) as u8;
        }
        let far = 0x7f00_0000_0000;
        let at = |start: u64, pages: u64| start..start + pages * PAGE;
        let pieces = vec![
            Piece { range: at(0x1000, 2), source: Source::Copied(0) },
            Piece { range: at(0x3000, 2), source: Source::File(0, PAGE) },
            Piece { range: at(0x5000, 1), source: Source::Copied(2 * PAGE as usize) },
            Piece { range: at(0x6000, 1), source: Source::Zeros },
            // One page is missing here.
            Piece { range: at(0x8000, 1), source: Source::Copied(3 * PAGE as usize) },
            Piece { range: at(far, 3), source: Source::Copied(4 * PAGE as usize) },
            // The same slot as the one before, as far as 6 bits of the granule go.
            Piece {
                range: at(far + (1 << (16 + 6)), 1),
                source: Source::Copied(7 * PAGE as usize),
            },
        ];
        let mut truth = Vec::new();
        for piece in &pieces {
            for addr in piece.range.clone() {
                let into = (addr - piece.range.start) as usize;
                truth.push((
                    addr,
                    match piece.source {
                        Source::Copied(offset) => ((offset + into) / 30) as u8,
                        Source::File(_, offset) => content[offset as usize + into],
                        Source::Zeros => 0,
                    },
                ));
            }
        }
        (Contents::new(copy, pieces, vec![file]), truth)
    }

    #[test]
    fn any_range_reads_as_it_would_byte_by_byte() {
        let (contents, truth) = sample();
        let naive = |addr: u64, len: usize| -> Option<Vec<u8>> {
            (addr..addr + len as u64)
                .map(|at| {
                    truth.binary_search_by_key(&at, |&(addr, _)| addr).ok().map(|n| truth[n].1)
                })
                .collect()
        };
        let mut scratch = Vec::new();
        for base in [0_u64, 0x7f00_0000_0000, 0x7f00_0040_0000] {
            for start in (0..0xa000).step_by(509) {
                for len in [0, 1, 8, 4096, 5000, 12_288, 16_385, 24_576] {
                    let addr = base + start;
                    let read = contents.bytes(Addr(addr), len, &mut scratch);
                    // Nothing at a place that is not there is not asked by anybody.
                    if len > 0 {
                        assert_eq!(read.map(<[u8]>::to_vec), naive(addr, len), "{addr:#x} {len}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_length_out_of_this_world_allocates_nothing() {
        let (contents, _) = sample();
        for (addr, len) in
            [(0x1000, usize::MAX), (u64::MAX, 1), (u64::MAX - 7, 64), (0x6000, 1 << 46)]
        {
            let mut scratch = Vec::new();
            assert_eq!(contents.bytes(Addr(addr), len, &mut scratch), None);
            assert_eq!(scratch.capacity(), 0);
        }
    }

    #[test]
    fn an_empty_address_space_has_no_bytes() {
        let contents = Contents::new(Buffer::new(0).unwrap(), Vec::new(), Vec::new());
        assert_eq!(contents.bytes(Addr(0), 1, &mut Vec::new()), None);
    }
}
