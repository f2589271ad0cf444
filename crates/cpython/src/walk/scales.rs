//! Weighing one object, for the pass that counts and the pass that records.

use deadweight_heap::{Addr, Bytes, Interner, Tally, TallyRow};

use super::Subject;
use crate::blocks::{Allocators, Held, Requested};
use crate::gc_list;
use crate::memory::Memory;
use crate::object::Sizes;
use crate::types::{TypeInfo, TypeTable, flag};

/// Whether an object is a type that has no GC head, whatever its own type says.
fn is_static_type<M: Memory>(subject: &Subject<'_, M>, info: &TypeInfo, addr: Addr) -> bool {
    let flags = addr + subject.runtime.layout.type_.flags;
    info.family.is_type()
        && subject.memory.word(flags).is_some_and(|flags| flags & flag::HEAP_TYPE == 0)
}

/// Whether an object is in a list of the collector.
pub(super) fn is_tracked<M: Memory>(subject: &Subject<'_, M>, info: &TypeInfo, addr: Addr) -> bool {
    info.has_gc()
        && !is_static_type(subject, info, addr)
        && gc_list::is_tracked(subject.memory, addr)
}

/// What `sys.getsizeof` says of an object: its `__sizeof__`, and the heads in front of it if this very
/// object has them. Static types have none, but 3.11 and 3.12 look at the type's type only.
pub(super) fn getsizeof(minor: u32, info: &TypeInfo, sizes: Sizes, is_static: bool) -> u64 {
    let headless = info.family.is_type() && is_static && !matches!(minor, 11 | 12);
    let heads = if headless { 0 } else { info.before };
    sizes.sizeof.saturating_add(heads)
}

/// Counts and sizes by type.
pub(super) struct Counts<'a, M> {
    allocators: Allocators<'a, M>,
    minor: u32,
    /// By the type's row.
    rows: Vec<TallyRow>,
    /// Blocks of the object being visited.
    held: Held,
}

impl<'a, M: Memory> Counts<'a, M> {
    pub(super) fn new(allocators: Allocators<'a, M>, minor: u32) -> Self {
        Counts { allocators, minor, rows: Vec::new(), held: Held::default() }
    }

    /// Whether an address lies in memory of the small-block allocator.
    pub(super) fn is_small(&self, addr: Addr) -> bool {
        self.allocators.is_small(addr)
    }

    /// A block of the object being visited.
    pub(super) fn block(&mut self, start: Addr, requested: Requested) {
        let block = self.allocators.fitted(start, requested);
        self.held.add(block.held, block.requested);
    }

    /// The object whose blocks were just told. `owned` if no other object has its block.
    pub(super) fn object(
        &mut self,
        info: &TypeInfo,
        addr: Addr,
        sizes: Sizes,
        owned: bool,
        is_static: bool,
        is_tracked: bool,
    ) {
        if is_static {
            self.held.in_image(sizes.body);
        } else if owned {
            let whole = info.before.saturating_add(sizes.body);
            self.block(addr - info.before, Requested::exactly(whole));
        }
        let row = info.row as usize;
        if self.rows.len() <= row {
            self.rows.resize(row + 1, TallyRow::default());
        }
        let row = &mut self.rows[row];
        row.count += 1;
        row.tracked += u64::from(is_tracked);
        row.held += Bytes(self.held.bytes);
        row.getsizeof += Bytes(getsizeof(self.minor, info, sizes, is_static));
        row.modelled |= self.held.modelled;
        self.held = Held::default();
    }

    /// The finished table.
    pub(super) fn finish(mut self, types: TypeTable) -> Tally {
        self.rows.resize(types.rows.len(), TallyRow::default());
        for (row, info) in self.rows.iter_mut().zip(&types.rows) {
            row.name = info.name;
            row.module = info.module;
        }
        Tally { names: Interner::finish(types.names), rows: self.rows }
    }
}
