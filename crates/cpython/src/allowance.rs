//! A bound on the work of a walk, whatever the memory says.
//!
//! Every decoder bounds what it reads by itself, but memory made up for the purpose can have each of a
//! million objects claim the same million items. So what a pass may ask of memory altogether is bounded
//! too, by the amount of memory there is; when it is used up, memory is simply not there any more.

use std::cell::Cell;

use deadweight_heap::Addr;

use crate::memory::{Memory, Region};

/// Requests that a pass may make for each word in which objects can be. Images made up for the
/// tests, whole or slightly damaged, need less than 20 in both passes (tests/synthetic/survival.rs holds that).
const PER_WORD: u64 = 16;
/// The same for a target that has next to nothing.
const LEAST: u64 = 1 << 16;
/// Bytes that cost as much as a request.
const PIECE: usize = 64;

/// Memory that can be asked for only so much.
#[derive(Debug)]
pub(crate) struct Allowance<'a, M> {
    memory: &'a M,
    words: u64,
    left: Cell<u64>,
    refused: Cell<u64>,
}

impl<'a, M: Memory> Allowance<'a, M> {
    pub(crate) fn new(memory: &'a M) -> Self {
        let lengths = memory.regions().iter().map(|region| region.end.since(region.start) / 8);
        let words = lengths.fold(0_u64, u64::saturating_add);
        let allowance = Allowance { memory, words, left: Cell::new(0), refused: Cell::new(0) };
        allowance.renew();
        allowance
    }

    /// Begins the next pass.
    pub(crate) fn renew(&self) {
        self.left.set(self.words.saturating_mul(PER_WORD).saturating_add(LEAST));
    }

    /// The memory itself, for what is bounded already.
    pub(crate) fn unbounded(&self) -> &'a M {
        self.memory
    }

    /// How many words there are in which a reference can be.
    pub(crate) fn words(&self) -> u64 {
        self.words
    }

    /// How often nothing was left.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.get()
    }

    #[inline]
    fn spend(&self, len: usize) -> Option<()> {
        match self.left.get().checked_sub(1 + (len / PIECE) as u64) {
            Some(left) => {
                self.left.set(left);
                Some(())
            }
            None => self.refuse(),
        }
    }

    #[cold]
    fn refuse(&self) -> Option<()> {
        self.refused.set(self.refused.get() + 1);
        None
    }
}

impl<M: Memory> Memory for Allowance<'_, M> {
    #[inline]
    fn bytes<'a>(&'a self, addr: Addr, len: usize, scratch: &'a mut Vec<u8>) -> Option<&'a [u8]> {
        self.spend(len)?;
        self.memory.bytes(addr, len, scratch)
    }

    #[inline]
    fn array<const N: usize>(&self, addr: Addr) -> Option<[u8; N]> {
        self.spend(N)?;
        self.memory.array(addr)
    }

    #[inline]
    fn prefetch(&self, addr: Addr) {
        self.memory.prefetch(addr);
    }

    fn regions(&self) -> &[Region] {
        self.memory.regions()
    }

    fn is_mapped(&self, start: Addr, len: u64) -> bool {
        self.memory.is_mapped(start, len)
    }
}
