//! Objects that no name leads to, and what holds them: static data, C stacks, the interpreter's own
//! structures, and blocks of memory that nobody is known to point to.

use deadweight_heap::{Addr, RootKind};

use super::Subject;
use super::mark::Marker;
use crate::arenas::{Arenas, Block, DEBUG_EXTRA};
use crate::bitmap::Bitmap;
use crate::family::Family;
use crate::header::Header;
use crate::holders::Stacked;
use crate::memory::{Memory, RegionKind, addr_at};
use crate::object::{Context, Grounds};
use crate::space::Space;
use crate::types::flag;

/// A word outside all objects that leads to an object no name leads to.
#[derive(Clone, Debug)]
pub(super) struct Unnamed {
    pub(super) kind: RootKind,
    /// Library or thread.
    pub(super) name: String,
    pub(super) target: Addr,
}

/// Marks what is alive without a name, and says which words hold it.
pub(super) fn mark_rest<M: Memory>(
    subject: &Subject<'_, M>,
    space: &Space,
    marker: &mut Marker<'_, M>,
    cx: &Context<'_, M>,
    named: &Bitmap,
    stacked: &[Stacked],
    arenas: Option<&Arenas>,
) -> Vec<Unnamed> {
    marker.doubt();
    for word in stacked {
        marker.seed(word.target, Grounds::Conservative);
    }
    let mut found = Vec::new();
    let mut try_word = |kind, name: &str, target: Addr| {
        let Some(granule) = space.granule(target) else { return };
        if !named.has(granule) && marker.seed(target, Grounds::Conservative) {
            found.push(Unnamed { kind, name: name.to_string(), target });
        }
    };
    for &at in &subject.runtime.interpreters {
        let end = at + subject.runtime.layout.interpreter.size;
        scan(subject.memory, at, end, |word| try_word(RootKind::InterpreterState, "", word));
    }
    for region in subject.memory.regions() {
        if let RegionKind::Image(number) = region.kind {
            let name = subject.images.get(number as usize).map_or("?", String::as_str);
            scan(subject.memory, region.start, region.end, |word| {
                try_word(RootKind::StaticData, name, word);
            });
        }
    }
    for thread in subject.threads {
        let name = thread.tid.to_string();
        let stack = Addr(thread.stack_pointer);
        let end = stack_end(subject.memory, stack);
        scan(subject.memory, stack, end, |word| try_word(RootKind::CStack, &name, word));
        for &register in &thread.registers {
            try_word(RootKind::CStack, &name, Addr(register));
        }
    }
    marker.drain(cx);
    if let Some(arenas) = arenas {
        sweep(subject, space, marker, arenas);
        marker.drain(cx);
    }
    found
}

/// The end of the mapping a stack pointer lies in: stacks grow down.
fn stack_end<M: Memory>(memory: &M, stack: Addr) -> Addr {
    let regions = memory.regions();
    let index = regions.partition_point(|region| region.start <= stack);
    index
        .checked_sub(1)
        .and_then(|index| regions.get(index))
        .filter(|region| stack < region.end)
        .map_or(stack, |region| region.end)
}

/// Calls `each` with every word of a range that could be a pointer.
pub(super) fn scan<M: Memory>(memory: &M, start: Addr, end: Addr, mut each: impl FnMut(Addr)) {
    const PIECE: u64 = 4096;
    let mut scratch = Vec::new();
    let Some(aligned) = start.0.checked_next_multiple_of(8) else { return };
    let mut at = Addr(aligned);
    while at < end {
        // To the end of the page: the next one may not be there.
        let length = (PIECE - at.0 % PIECE).min(end.since(at));
        if let Some(bytes) = memory.bytes(at, length as usize, &mut scratch) {
            for word in bytes.chunks_exact(8) {
                let target = addr_at(word, 0);
                if target.0 > 4096 && target.0.is_multiple_of(8) {
                    each(target);
                }
            }
        }
        at = at + length;
    }
}

/// Marks live objects in small blocks that nothing reached. A block counts as an object only if
/// everything about it fits: the type, where the object starts in the block, the block's size, and
/// the links of its GC head.
fn sweep<M: Memory>(
    subject: &Subject<'_, M>,
    space: &Space,
    marker: &mut Marker<'_, M>,
    arenas: &Arenas,
) {
    let mut candidates = Vec::new();
    let mut granule = space.neighbours();
    arenas.each_live(subject.memory, |block| {
        let owned = granule(block.start).is_some_and(|at| marker.marks.claimed.has(at));
        if !owned {
            candidates.push(block);
        }
    });
    for block in candidates {
        for before in [0, 16, 32] {
            if is_object(subject, marker, block, before) {
                marker.seed(block.start + marker.lead + before, Grounds::Conservative);
                break;
            }
        }
    }
}

fn is_object<M: Memory>(
    subject: &Subject<'_, M>,
    marker: &mut Marker<'_, M>,
    block: Block,
    before: u64,
) -> bool {
    // What the debug hooks add is no part of an object.
    let extra = if marker.lead > 0 { DEBUG_EXTRA } else { 0 };
    if block.size < before + extra + 16 {
        return false;
    }
    let memory = subject.memory;
    let layout = &subject.runtime.layout;
    let addr = block.start + marker.lead + before;
    let Some(header) = Header::read(memory, addr) else { return false };
    if !layout.object.refcount.is_alive(header.refcount) {
        return false;
    }
    let Some(info) = marker.types.get(memory, layout, header.type_addr) else { return false };
    let least = match info.family {
        Family::Str => layout.str.ascii_size,
        _ => info.basic_size,
    };
    // What has one size only sits in blocks of just that size.
    let one_size =
        info.family == Family::Plain && info.item_size == 0 && !info.has(flag::INLINE_VALUES);
    let whole = before + least + extra;
    let fits = block.size >= whole && (!one_size || block.size == whole.next_multiple_of(16));
    info.before == before && fits && (!info.has_gc() || has_sane_head(memory, addr))
}

/// A GC head is untracked, or its neighbour in the list links back to it.
fn has_sane_head<M: Memory>(memory: &M, object: Addr) -> bool {
    let head = object - 16;
    let Some(next) = memory.word(head) else { return false };
    let next = Addr(next & !3);
    next.is_null() || memory.word(next + 8).is_some_and(|back| back & !3 == head.0)
}
