//! Objects weighed one by one, for a program that looks at itself: no heap is built.
//!
//! The same decoders as the walk's, asked about given objects instead of all there are. A question
//! keeps nothing: between two questions types come and go, and their addresses are used again.

mod anatomy;
mod bounded;
mod chain;
mod deep;
mod drawn;
mod left_out;
mod seen;
mod survey;

use std::cell::Cell;

use deadweight_heap::{Addr, Bytes};
use rustc_hash::FxHashSet;

pub use anatomy::{Block, Part, PartKind};
pub use bounded::Bounded;
pub use deep::{Bounds, Deep, Native, Told, TypeWeight};
pub use survey::{Holding, Survey};

use crate::arenas::{Arenas, Hints};
use crate::blocks::{Allocators, FittedBlock, Held, HeldBlock, Requested};
use crate::header::{Header, is_plausible};
use crate::layout::{GC_HEAD, Layout};
use crate::memory::{Memory, Region, RegionKind};
use crate::object::{self, Context, Grounds, Link, Visitor};
use crate::runtime::Runtime;
use crate::types::{TypeInfo, TypeTable, flag};
use crate::walk::{cached_ints_of, context_of, interned};
use crate::words::Vocabulary;

/// What one object weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Bytes really held: every block as its allocator rounds it.
    pub held: Bytes,
    /// Bytes asked of the allocators.
    pub requested: Bytes,
    /// Whether a size follows a rule instead of an allocator's own header.
    pub modelled: bool,
}

/// The small-block allocator's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmallBlocks {
    /// How many interpreters there are in the program.
    pub interpreters: usize,
    /// First byte and length of every arena.
    pub arenas: Vec<(Addr, u64)>,
    /// Bytes in front of what was asked for, in every block of every allocator: those of debug hooks.
    pub lead: u64,
}

/// A recognised interpreter and what is looked up once for all questions.
#[derive(Debug)]
pub struct Scale {
    runtime: Runtime,
    /// Where the small-block allocator's records are kept, if that is a static variable.
    records: Option<Addr>,
    /// Data of program files: objects there have no block. Sorted, not overlapping.
    statics: Vec<(Addr, Addr)>,
    /// The dict of interned strings.
    interned: Addr,
    vocabulary: Vocabulary,
    hints: Hints,
}

impl Scale {
    /// A scale for the objects of an interpreter. `memory` knows the regions of the process; the
    /// questions need not.
    #[must_use]
    pub fn new<M: Memory>(memory: &M, runtime: Runtime) -> Scale {
        let is_image = |region: &&Region| matches!(region.kind, RegionKind::Image(_));
        let statics = memory.regions().iter().filter(is_image);
        Scale {
            records: Arenas::find_variable(memory, &runtime.layout),
            interned: interned::table(memory, &runtime).unwrap_or(Addr::NULL),
            statics: statics.map(|region| (region.start, region.end)).collect(),
            vocabulary: Vocabulary::default(),
            hints: Hints::default(),
            runtime,
        }
    }

    /// The interpreter.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// What an object weighs by itself: its block, and the buffers that are its own. `None` if there
    /// is no object.
    #[must_use]
    pub fn weigh<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Weight> {
        self.ask(memory, |mut at| {
            let info = at.type_of(addr)?;
            at.weigh(&info, addr, &mut NoReferences)
        })
    }

    fn ask<M: Memory, T>(&self, memory: &M, answer: impl FnOnce(Bench<'_, M>) -> T) -> T {
        self.ask_with(memory, self.arenas(memory, Arenas::glance).as_ref(), answer)
    }

    /// For who asks about few objects, and often: nothing is done that takes longer the more memory there is.
    fn ask_briefly<M: Memory, T>(&self, memory: &M, answer: impl FnOnce(Bench<'_, M>) -> T) -> T {
        let arenas = self.arenas(memory, |memory, layout, interpreter, variable| {
            Arenas::unlisted(memory, layout, interpreter, variable, &self.hints)
        });
        self.ask_with(memory, arenas.as_ref(), answer)
    }

    fn ask_with<M: Memory, T>(
        &self,
        memory: &M,
        arenas: Option<&Arenas>,
        answer: impl FnOnce(Bench<'_, M>) -> T,
    ) -> T {
        context_of(memory, &self.runtime, self.interned, &self.vocabulary, |cx, types| {
            answer(Bench {
                scale: self,
                cx,
                types,
                lead: arenas.map_or(0, Arenas::lead),
                gap: Cell::new((Addr::NULL, Addr::NULL)),
                allocators: Allocators::new(memory, arenas),
            })
        })
    }

    fn arenas<M: Memory>(
        &self,
        memory: &M,
        find: impl FnOnce(&M, &Layout, Addr, Option<Addr>) -> Option<Arenas>,
    ) -> Option<Arenas> {
        let layout = &self.runtime.layout;
        // The main interpreter's. Before 3.12 there is one allocator for all; since, others have locks
        // of their own, and change and free what is theirs while we look.
        let main = *self.runtime.interpreters.first()?;
        let arenas = find(memory, layout, main, self.records)?;
        let modules = memory.word(main + layout.interpreter.modules).map(Addr)?;
        Some(arenas.with_lead_of(memory, modules - GC_HEAD))
    }

    /// Where the small-block allocator keeps its blocks now; `None` if there is none. `doubtful` must
    /// bear any address: interpreters come and go.
    #[must_use]
    pub fn small_blocks<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
    ) -> Option<SmallBlocks> {
        let arenas = self.arenas(memory, Arenas::glance)?;
        Some(SmallBlocks {
            interpreters: self.runtime.interpreters_now(doubtful).len(),
            arenas: arenas.ranges().collect(),
            lead: arenas.lead(),
        })
    }

    /// The addresses around this one where nothing is static; `None` if it is itself.
    fn gap_around(&self, addr: Addr) -> Option<(Addr, Addr)> {
        let index = self.statics.partition_point(|&(start, _)| start <= addr);
        let before = index.checked_sub(1).and_then(|index| self.statics.get(index));
        let start = before.map_or(Addr::NULL, |&(_, end)| end);
        let end = self.statics.get(index).map_or(Addr(u64::MAX), |&(start, _)| start);
        (start <= addr).then_some((start, end))
    }
}

/// What is at hand while one question is answered.
struct Bench<'a, M> {
    scale: &'a Scale,
    cx: &'a Context<'a, M>,
    types: TypeTable,
    /// Bytes of a block in front of what was asked for.
    lead: u64,
    /// Where the last address lay that is not static: the next one mostly lies there too, and there
    /// are hundreds of images to look through.
    gap: Cell<(Addr, Addr)>,
    allocators: Allocators<'a, M>,
}

/// Told the references while an object is weighed.
trait Followed {
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds);
    /// One more reference to what is told of in another way.
    fn repeated(&mut self, _: Addr) {}
    /// Whether a block is met for the first time.
    fn block(&mut self, start: Addr) -> bool;
    /// A block of the object: what was asked for, and what that holds. The object's own comes last.
    #[inline]
    fn weighed(&mut self, start: Addr, requested: u64, held: HeldBlock) {
        let _ = (start, requested, held);
    }
}

/// For who asks about one object only.
struct NoReferences;

impl Followed for NoReferences {
    fn reference(&mut self, _: Addr, _: Link, _: Grounds) {}
    fn block(&mut self, _: Addr) -> bool {
        true
    }
}

impl<M: Memory> Bench<'_, M> {
    fn layout(&self) -> &Layout {
        self.cx.layout
    }

    fn type_of(&mut self, addr: Addr) -> Option<std::rc::Rc<TypeInfo>> {
        let header = Header::read(self.cx.memory, addr)?;
        self.types.get(self.cx.memory, self.cx.layout, header.type_addr).cloned()
    }

    /// Whether an address lies in data of a program file.
    #[inline]
    fn is_static(&self, addr: Addr) -> bool {
        let (start, end) = self.gap.get();
        if start <= addr && addr < end {
            return false;
        }
        let gap = self.scale.gap_around(addr);
        if let Some(gap) = gap {
            self.gap.set(gap);
        }
        gap.is_none()
    }

    /// Bytes of an object's block in front of it. Static types have none, whatever their type says.
    fn before(&self, info: &TypeInfo, addr: Addr) -> u64 {
        let flags = || self.cx.memory.word(addr + self.layout().type_.flags).unwrap_or(0);
        let headless = info.family.is_type() && flags() & flag::HEAP_TYPE == 0;
        if headless { 0 } else { info.before }
    }

    fn weigh<F: Followed>(&self, info: &TypeInfo, addr: Addr, followed: &mut F) -> Option<Weight> {
        let mut pan = Pan { bench: self, held: Held::default(), followed };
        let sizes = object::decode(self.cx, info, addr, &mut pan)?;
        let mut held = pan.held;
        let is_static = self.is_static(addr);
        let before = if is_static { 0 } else { self.before(info, addr) };
        let requested = before.saturating_add(sizes.body);
        let block = if is_static {
            HeldBlock { bytes: requested, modelled: false, small: false }
        } else {
            self.allocators.held(addr - before, requested)
        };
        held.add(block, requested);
        followed.weighed(addr - before, requested, block);
        Some(Weight {
            held: Bytes(held.bytes),
            requested: Bytes(held.requested),
            modelled: held.modelled,
        })
    }

    /// Whether a word that looks like a reference leads to what is an object in every respect.
    fn is_object(&mut self, addr: Addr) -> bool {
        if !addr.0.is_multiple_of(8) || addr.0 < 4096 {
            return false;
        }
        let Some(header) = Header::read(self.cx.memory, addr) else { return false };
        let is_there = |low| self.cx.memory.word(low).is_some();
        is_plausible(self.layout(), header.refcount, is_there) && self.type_of(addr).is_some()
    }

    /// Whether a keys table is nobody's but the dict's that tells of it. Instances share theirs, and
    /// it is then their type's.
    fn is_own_keys(&self, keys: Addr) -> bool {
        self.cx.memory.word(keys + self.layout().keys.refcount) == Some(1)
    }

    fn cached_ints(&self) -> FxHashSet<Addr> {
        cached_ints_of(self.cx.memory, &self.scale.runtime)
    }
}

/// Where the blocks of one object are put together.
struct Pan<'a, 'b, M, F> {
    bench: &'a Bench<'b, M>,
    held: Held,
    followed: &'a mut F,
}

impl<M: Memory, F: Followed> Visitor for Pan<'_, '_, M, F> {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        self.followed.reference(target, link, grounds);
    }

    fn repeated(&mut self, target: Addr) {
        self.followed.repeated(target);
    }

    fn buffer(&mut self, start: Addr, requested: u64) -> bool {
        self.values(start, Requested::exactly(requested))
    }

    fn values(&mut self, start: Addr, requested: Requested) -> bool {
        // Tables that are compiled in (the empty keys table) are nobody's.
        if self.bench.is_static(start) {
            return true;
        }
        let new = self.followed.block(start - self.bench.lead);
        if new {
            let block = self.bench.allocators.fitted(start, requested);
            if !self.bench.allocators.is_likely(start, &block) {
                self.held.modelled = true;
                return new;
            }
            let FittedBlock { held, requested, sure } = block;
            self.held.add(held, requested);
            let modelled = held.modelled || !sure;
            self.followed.weighed(start, requested, HeldBlock { modelled, ..held });
        }
        new
    }

    fn shared_buffer(&mut self, start: Addr, requested: u64) {
        if self.bench.is_own_keys(start) {
            self.buffer(start, requested);
        }
    }
}
