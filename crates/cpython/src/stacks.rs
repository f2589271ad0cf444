//! Stacks, of C and of frames: memory that holds no objects, but words of all sorts side by side. A
//! small number before the address of a class, left there by a call, looks like an object of that class.

use deadweight_heap::Addr;
use rustc_hash::FxHashSet;

use crate::holders::Thread;
use crate::memory::{Memory, Region, RegionKind};
use crate::runtime::Runtime;

/// `_PyStackChunk` (cpython/pystate.h): the chunk before it, its own size, and more.
const CHUNK_PREVIOUS: u64 = 0;
const CHUNK_SIZE: u64 = 8;

/// Where the stacks of a process lie.
///
/// Invariant: sorted by start, not overlapping.
#[derive(Debug)]
pub(crate) struct Stacks {
    ranges: Vec<(Addr, Addr)>,
}

impl Stacks {
    pub(crate) fn find<M: Memory>(memory: &M, runtime: &Runtime, threads: &[Thread]) -> Stacks {
        let regions = memory.regions();
        let mut ranges: Vec<_> =
            threads.iter().filter_map(|thread| c_stack(regions, thread)).collect();
        let mut met = FxHashSet::default();
        let follow = |at: Addr| memory.word(at).map_or(Addr::NULL, Addr);
        for &interpreter in &runtime.interpreters {
            let Some(chunk_at) = runtime.layout.thread.datastack_chunk else { break };
            let mut state = follow(interpreter + runtime.layout.interpreter.threads_head);
            while !state.is_null() && met.insert(state) {
                let mut chunk = follow(state + chunk_at);
                while !chunk.is_null() && met.insert(chunk) {
                    let size = memory.word(chunk + CHUNK_SIZE).unwrap_or(0);
                    ranges.push((chunk, Addr(chunk.0.saturating_add(size))));
                    chunk = follow(chunk + CHUNK_PREVIOUS);
                }
                state = follow(state + runtime.layout.thread.next);
            }
        }
        ranges.sort_unstable();
        ranges.dedup_by(|next, before| {
            let joined = next.0 <= before.1;
            before.1 = if joined { before.1.max(next.1) } else { before.1 };
            joined
        });
        Stacks { ranges }
    }

    pub(crate) fn contains(&self, addr: Addr) -> bool {
        let index = self.ranges.partition_point(|&(start, _)| start <= addr);
        index.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|&(_, end)| addr < end)
    }
}

/// The C stack of a thread, what earlier calls left below the stack pointer included. `None` if it is
/// not known where it ends: a stack that a program made for itself may lie among other data.
fn c_stack(regions: &[Region], thread: &Thread) -> Option<(Addr, Addr)> {
    let (pointer, own) = (Addr(thread.stack_pointer), Addr(thread.thread_pointer));
    let index = regions.partition_point(|region| region.start <= pointer).checked_sub(1)?;
    let region = regions.get(index).filter(|region| pointer < region.end)?;
    // The C library keeps what is a thread's own at the top of the stack that it made for it.
    if (pointer..region.end).contains(&own) {
        return Some((region.start, own));
    }
    // The kernel puts the stack of the first thread above all other memory.
    let mut above = regions.iter().skip(index + 1);
    let is_last = above.all(|region| region.kind != RegionKind::Anonymous);
    is_last.then_some((region.start, region.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(start: u64, end: u64) -> Region {
        Region { start: Addr(start), end: Addr(end), kind: RegionKind::Anonymous }
    }

    fn thread(stack_pointer: u64, thread_pointer: u64) -> Thread {
        Thread { thread_pointer, stack_pointer, ..Thread::default() }
    }

    #[test]
    fn a_stack_ends_where_its_thread_keeps_its_own() {
        let regions = [region(0x1000, 0x9000), region(0xf000, 0x1_0000)];
        let stack = |pointer, own| c_stack(&regions, &thread(pointer, own));
        assert_eq!(stack(0x3000, 0x8000), Some((Addr(0x1000), Addr(0x8000))));
        assert_eq!(stack(0xf800, 0x8000), Some((Addr(0xf000), Addr(0x1_0000))), "the first thread");
        assert_eq!(stack(0x3000, 0x2000), None, "a stack of the program's own");
        assert_eq!(stack(0xa000, 0xb000), None, "nowhere");
    }
}
