//! Which addresses were met: a bit for every few bytes of the megabytes that were.

use deadweight_heap::Addr;
use rustc_hash::FxHashMap;

const CHUNK_SHIFT: u32 = 20;

/// A set of aligned addresses, by default to 8 bytes. Objects that are made together lie together, so
/// that a set of a million of them is a few hundred chunks of 16 KiB, not a table as large as a cache.
///
/// Invariant: `last` is the number of a megabyte and its row in `chunks`.
#[derive(Debug, Default)]
pub(super) struct Seen<const STEP_SHIFT: u32 = 3> {
    rows: FxHashMap<u64, usize>,
    chunks: Vec<Box<[u64]>>,
    last: Option<(u64, usize)>,
}

impl<const STEP_SHIFT: u32> Seen<STEP_SHIFT> {
    const WORDS: usize = 1 << (CHUNK_SHIFT - STEP_SHIFT - 6);
    /// What one chunk takes, and its row.
    const CHUNK_BYTES: usize = Self::WORDS * 8 + 40;

    /// Adds an address; `false` if it is there already. Addresses between two words are always new:
    /// nothing that is met twice begins there.
    #[inline]
    pub(super) fn insert(&mut self, addr: Addr) -> bool {
        if !addr.0.is_multiple_of(1 << STEP_SHIFT) {
            return true;
        }
        let number = addr.0 >> CHUNK_SHIFT;
        let row = match self.last {
            Some((last, row)) if last == number => row,
            _ => self.row(number),
        };
        let bit = (addr.0 >> STEP_SHIFT) as usize % (Self::WORDS * 64);
        let word = &mut self.chunks[row][bit / 64];
        let new = *word & 1 << (bit % 64) == 0;
        *word |= 1 << (bit % 64);
        new
    }

    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.chunks.len() * Self::CHUNK_BYTES
    }

    fn row(&mut self, number: u64) -> usize {
        let next = self.chunks.len();
        let row = *self.rows.entry(number).or_insert(next);
        if row == next {
            self.chunks.push(vec![0; Self::WORDS].into_boxed_slice());
        }
        self.last = Some((number, row));
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_set_of_bits_is_a_set() {
        let mut seen: Seen = Seen::default();
        let mut naive = BTreeSet::new();
        let mut state = 7_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let addr = Addr(((state >> 30) % (3 << 20)) & !7 | (state & 3) << 44);
            assert_eq!(seen.insert(addr), naive.insert(addr), "{addr}");
        }
    }
}
