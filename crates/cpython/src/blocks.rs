//! What a block really holds: the size its allocator gave it, read from the allocator itself.

use deadweight_heap::{Addr, Bytes, SizeModel};

use crate::arenas::{Arenas, DEBUG_EXTRA};
use crate::memory::Memory;

/// What is known of the allocators behind a heap.
pub(crate) struct Allocators<'a, M> {
    memory: &'a M,
    arenas: Option<&'a Arenas>,
    model: SizeModel,
}

/// One block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeldBlock {
    pub(crate) bytes: u64,
    /// By a rule instead of the allocator's own header.
    pub(crate) modelled: bool,
    /// In an arena of the small-block allocator.
    pub(crate) small: bool,
}

/// What was asked of an allocator, as far as the block's contents tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requested {
    pub(crate) least: u64,
    pub(crate) most: u64,
}

impl Requested {
    pub(crate) fn exactly(size: u64) -> Requested {
        Requested { least: size, most: size }
    }

    /// Whether a program can have a block of that size there. An object that a thread is just making
    /// still has words of what was in its place before, and any of them may stand where its size will.
    pub(crate) fn is_possible<M: Memory>(self, memory: &M, start: Addr) -> bool {
        self.least <= LARGEST_SMALL || memory.is_mapped(start, self.least)
    }
}

/// What the small-block allocator gives at most (`SMALL_REQUEST_THRESHOLD`, `pycore_obmalloc.h`).
const LARGEST_SMALL: u64 = 512;

/// A block with the one size that fits both its contents and its allocator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FittedBlock {
    pub(crate) held: HeldBlock,
    pub(crate) requested: u64,
    /// Whether no other size fits.
    pub(crate) sure: bool,
}

/// The blocks of one object, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) bytes: u64,
    pub(crate) requested: u64,
    pub(crate) modelled: bool,
}

impl Held {
    pub(crate) fn add(&mut self, block: HeldBlock, requested: u64) {
        self.bytes = self.bytes.saturating_add(block.bytes);
        self.requested = self.requested.saturating_add(requested);
        self.modelled |= block.modelled;
    }

    /// Static data: no allocator rounded it.
    pub(crate) fn in_image(&mut self, size: u64) {
        self.bytes = self.bytes.saturating_add(size);
        self.requested = self.requested.saturating_add(size);
    }
}

/// glibc's chunk header (malloc/malloc.c): the size, a multiple of 16, with three flags in its low bits.
/// Where another allocator is in use, the word may be anything: what it says must be likely.
const CHUNK_FLAGS: u64 = 7;
const CHUNK_MAPPED: u64 = 2;
const CHUNK_STEP: u64 = 16;
const WORD: u64 = 8;
/// A mapped chunk begins with a page, the block after two words.
const PAGE: u64 = 4096;
const MAPPED_HEAD: u64 = 16;
/// What is left of a free chunk is given along if it is too small to be one itself (16 bytes); a mapped
/// chunk is rounded up to pages.
const CHUNK_SPARE: u64 = 16;
const MAPPED_SPARE: u64 = 4096 + 16;

impl<'a, M: Memory> Allocators<'a, M> {
    pub(crate) fn new(memory: &'a M, arenas: Option<&'a Arenas>) -> Self {
        Allocators { memory, arenas, model: SizeModel::cpython_x86_64() }
    }

    /// Whether an address lies in memory of the small-block allocator.
    pub(crate) fn is_small(&self, addr: Addr) -> bool {
        self.arenas.is_some_and(|arenas| arenas.contains(self.memory, addr))
    }

    /// What a block that starts here and was asked for with this size really holds.
    pub(crate) fn held(&self, start: Addr, requested: u64) -> HeldBlock {
        let lead = self.arenas.map_or(0, Arenas::lead);
        let requested = if lead > 0 { requested.saturating_add(DEBUG_EXTRA) } else { requested };
        let start = start - lead;
        if let Some(arenas) = self.arenas
            && arenas.may_have(requested)
            && let Some(block) = arenas.block_of(self.memory, start)
        {
            // An object inside somebody else's block has no block of its own.
            let own = block.start == start;
            let bytes = if own { block.size } else { requested };
            return HeldBlock { bytes, modelled: !own, small: true };
        }
        let word = self.memory.doubtful_word(start - 8).unwrap_or(0);
        let size = word & !CHUNK_FLAGS;
        let is_mapped = word & CHUNK_MAPPED != 0;
        let spare = if is_mapped { MAPPED_SPARE } else { CHUNK_SPARE };
        let is_there = !is_mapped || start.0 % PAGE == MAPPED_HEAD;
        let least = self.model.chunk(Bytes(requested)).0;
        if is_there && size.is_multiple_of(CHUNK_STEP) && size >= least && size - least <= spare {
            return HeldBlock { bytes: size, modelled: false, small: false };
        }
        HeldBlock { bytes: least, modelled: true, small: false }
    }

    /// Whether there can be such a block: how large it is was told by an object that may be dead, or lie.
    pub(crate) fn is_likely(&self, start: Addr, block: &FittedBlock) -> bool {
        let size = block.requested;
        !block.held.modelled || size <= PAGE || self.memory.is_mapped(start, size)
    }

    /// What a block that starts here holds, and which of these sizes, all of whole words, was asked for:
    /// one that the allocator rounds to that. Words that were asked for and are not used are zero.
    pub(crate) fn fitted(&self, start: Addr, requested: Requested) -> FittedBlock {
        let Requested { least, most } = requested;
        let held = self.held(start, least);
        if least == most {
            let sure = held.modelled || least <= held.bytes;
            let requested = if sure { least } else { held.bytes };
            return FittedBlock { held, requested, sure };
        }
        let (held, header) = if held.small {
            (held, 0)
        } else {
            let larger = (least..=most).rev().step_by(WORD as usize);
            let read = larger.map(|size| self.held(start, size)).find(|held| !held.modelled);
            (read.unwrap_or(held), WORD)
        };
        let extra = self.arenas.filter(|arenas| arenas.lead() > 0).map_or(0, |_| DEBUG_EXTRA);
        let room = held.bytes.saturating_sub(header + extra);
        let larger = most.min(room / WORD * WORD);
        if larger < least || held.modelled {
            return FittedBlock { held, requested: least, sure: false };
        }
        let smaller = larger - WORD;
        if smaller < least || room - smaller >= CHUNK_STEP {
            return FittedBlock { held, requested: larger, sure: true };
        }
        if self.memory.word(start + smaller).is_none_or(|word| word != 0) {
            return FittedBlock { held, requested: smaller, sure: true };
        }
        // Most blocks were made when there was as much room as now: the least.
        let requested = if smaller == least { smaller } else { larger };
        FittedBlock { held, requested, sure: false }
    }
}
