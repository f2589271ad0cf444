//! The first pass: which objects there are. Follows references from whatever it is given, setting one
//! bit an object; counts and weighs them by the way, if asked.

use std::rc::Rc;

use deadweight_heap::{Addr, EdgeKind};
use rustc_hash::FxHashMap;

use super::Subject;
use super::scales::{Counts, is_tracked};
use crate::arenas::Arenas;
use crate::bitmap::Bitmap;
use crate::blocks::Requested;
use crate::header::{Header, is_plausible_count};
use crate::memory::Memory;
use crate::object::{self, Context, Grounds, Link, Visitor};
use crate::space::Space;
use crate::stacks::Stacks;
use crate::types::{TypeInfo, TypeTable, flag};

/// What marking found and noted.
pub(super) struct Marks {
    /// Granules where an object starts.
    pub(super) seen: Bitmap,
    /// The objects among these that were found by names and the collector's lists, once words that only
    /// look like references are followed.
    pub(super) certain: Option<Bitmap>,
    /// Granules where a block starts that belongs to an object: its own, or a buffer.
    pub(super) claimed: Bitmap,
    /// Dicts whose keys are names.
    pub(super) namespaces: Bitmap,
    /// Tuples of cells, and the code that knows their names.
    pub(super) closures: FxHashMap<Addr, Addr>,
    /// References met, for the size of the table to come.
    pub(super) references: u64,
    /// References of a known layout that led to no object.
    pub(super) invalid: u64,
    /// The first few of those: what referred, and where it led.
    pub(super) invalid_samples: Vec<(Addr, Addr)>,
    /// Objects or buffers that could not be read.
    pub(super) unreadable: u64,
}

impl Marks {
    fn new(space: &Space) -> Marks {
        let bits = || Bitmap::new(space.granules());
        Marks {
            seen: bits(),
            certain: None,
            claimed: bits(),
            namespaces: bits(),
            closures: FxHashMap::default(),
            references: 0,
            invalid: 0,
            invalid_samples: Vec::new(),
            unreadable: 0,
        }
    }
}

/// Marks objects.
pub(super) struct Marker<'a, M> {
    subject: &'a Subject<'a, M>,
    space: &'a Space,
    pub(super) types: TypeTable,
    pub(super) marks: Marks,
    /// Counts and sizes, if asked for.
    pub(super) counts: Option<Counts<'a, M>>,
    /// Objects marked but not yet looked at, each with what refers to it.
    pending: Vec<(Addr, Addr)>,
    arenas: Option<&'a Arenas>,
    stacks: Stacks,
    /// Bytes of a block in front of what was asked for.
    pub(super) lead: u64,
    only_visible: bool,
    current: Addr,
}

const MOST_SAMPLES: usize = 8;
/// How many objects are asked for before the first of them is looked at. A heap is larger than any
/// cache: without this, every object would be waited for.
const LOOKAHEAD: usize = 16;

impl<'a, M: Memory> Marker<'a, M> {
    pub(super) fn new(
        subject: &'a Subject<'a, M>,
        space: &'a Space,
        types: TypeTable,
        counts: Option<Counts<'a, M>>,
        arenas: Option<&'a Arenas>,
        only_visible: bool,
    ) -> Self {
        let stacks = Stacks::find(subject.memory, subject.runtime, subject.threads);
        Marker {
            subject,
            space,
            types,
            marks: Marks::new(space),
            counts,
            pending: Vec::new(),
            arenas,
            stacks,
            lead: arenas.map_or(0, Arenas::lead),
            only_visible,
            current: Addr::NULL,
        }
    }

    /// Marks an object and leaves it to be visited. `false` if there is no live object there.
    pub(super) fn seed(&mut self, addr: Addr, grounds: Grounds) -> bool {
        let Some(granule) = self.space.granule(addr) else { return false };
        if self.marks.seen.has(granule) {
            return true;
        }
        if self.type_at(addr, grounds).is_none() {
            return false;
        }
        self.marks.seen.insert(granule);
        self.pending.push((addr, Addr::NULL));
        true
    }

    /// Visits everything that is left to be visited, and what that leads to.
    pub(super) fn drain(&mut self, cx: &Context<'_, M>) {
        // A ring of objects asked for; a null address is an empty place.
        let mut window = [(Addr::NULL, Addr::NULL); LOOKAHEAD];
        let mut waiting = 0;
        for place in (0..LOOKAHEAD).cycle() {
            let (addr, from) = window[place];
            if !addr.is_null() {
                waiting -= 1;
                window[place].0 = Addr::NULL;
                self.visit(cx, addr, from);
            }
            if let Some(next) = self.pending.pop() {
                self.subject.memory.prefetch(next.0);
                window[place] = next;
                waiting += 1;
            } else if waiting == 0 {
                return;
            }
        }
    }

    fn visit(&mut self, cx: &Context<'_, M>, addr: Addr, from: Addr) {
        let Some(info) = self.type_at(addr, Grounds::Visible).cloned() else {
            if let Some(granule) = self.space.granule(addr) {
                self.marks.seen.remove(granule);
            }
            self.note_invalid(from, addr);
            return;
        };
        let owned = match self.space.granule(addr - info.before - self.lead) {
            Some(block) => self.marks.claimed.insert(block),
            None => false,
        };
        if info.leaf && self.counts.is_none() {
            return;
        }
        if info.has(flag::TYPE_SUBCLASS) {
            // A type without instances has its row too: it can be asked about.
            let _row = self.types.get(self.subject.memory, &self.subject.runtime.layout, addr);
        }
        self.current = addr;
        let sizes = object::decode(cx, &info, addr, self);
        self.marks.unreadable += u64::from(sizes.is_none());
        if let Some(counts) = &mut self.counts {
            let is_static = !counts.is_small(addr) && self.space.is_static(addr);
            let is_tracked = is_tracked(self.subject, &info, addr);
            counts.object(&info, addr, sizes.unwrap_or_default(), owned, is_static, is_tracked);
        }
    }

    /// The type of the live object at an address.
    #[inline]
    fn type_at(&mut self, addr: Addr, grounds: Grounds) -> Option<&Rc<TypeInfo>> {
        let memory = self.subject.memory;
        let layout = &self.subject.runtime.layout;
        let header = Header::read(memory, addr)?;
        let alive = if grounds.is_conservative() {
            is_plausible_count(layout, self.space, header.refcount)
        } else {
            layout.object.refcount.is_alive(header.refcount)
        };
        if !alive {
            return None;
        }
        let (arenas, stacks, lead) = (self.arenas, &self.stacks, self.lead);
        let info = self.types.get(memory, layout, header.type_addr)?;
        if grounds.is_conservative()
            && !is_a_place(memory, arenas, stacks, addr, lead + info.before)
        {
            return None;
        }
        Some(info)
    }

    /// Whether there is an object in read-only data, which has no row: the interpreter's own constant,
    /// as the code that calls `__init__` is (`_Py_InitCleanup`, Python/ceval.c of 3.12 and 3.13).
    #[cold]
    fn is_constant(&mut self, addr: Addr) -> bool {
        let refcount = self.subject.runtime.layout.object.refcount;
        Header::read(self.subject.memory, addr)
            .is_some_and(|header| refcount.is_immortal(header.refcount))
            && self.type_at(addr, Grounds::Visible).is_some()
    }

    /// From here on objects are found by words that look like references, on stacks and in free lists
    /// too: a thread may be about to fill them, or have freed them. What they hold is looked at like
    /// any word.
    pub(super) fn doubt(&mut self) {
        self.marks.certain = Some(self.marks.seen.clone());
    }

    #[cold]
    fn note_invalid(&mut self, from: Addr, target: Addr) {
        self.marks.invalid += 1;
        if self.marks.invalid_samples.len() < MOST_SAMPLES {
            self.marks.invalid_samples.push((from, target));
        }
    }

    /// A reference of a known layout: what it leads to is looked at when its turn comes.
    fn strict(&mut self, target: Addr) {
        if self.marks.certain.is_some() {
            return self.conservative(target);
        }
        let Some(granule) = self.space.granule(target) else {
            if !self.is_constant(target) {
                self.note_invalid(self.current, target);
            }
            return;
        };
        self.marks.references += 1;
        if self.marks.seen.insert(granule) {
            self.pending.push((target, self.current));
        }
    }

    /// Words that may be no reference are looked at before they count as one.
    fn conservative(&mut self, target: Addr) {
        let Some(granule) = self.space.granule(target) else { return };
        if !self.marks.seen.has(granule) {
            if self.type_at(target, Grounds::Conservative).is_none() {
                return;
            }
            self.marks.seen.insert(granule);
            self.pending.push((target, self.current));
        }
        self.marks.references += 1;
    }
}

/// Whether an object found by a word can start at an address: at the start of its block (`before` are
/// the bytes in front of it there), and on no stack.
fn is_a_place<M: Memory>(
    memory: &M,
    arenas: Option<&Arenas>,
    stacks: &Stacks,
    addr: Addr,
    before: u64,
) -> bool {
    match arenas.filter(|arenas| arenas.contains(memory, addr)) {
        Some(arenas) => {
            arenas.block_of(memory, addr).is_some_and(|block| block.start + before == addr)
        }
        None => !stacks.contains(addr),
    }
}

impl<M: Memory> Visitor for Marker<'_, M> {
    #[expect(clippy::inline_always, reason = "grounds and link are constants in the decoders")]
    #[inline(always)]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        if !grounds.is_followed(self.only_visible) || matches!(link, Link::Named(EdgeKind::Weak, _))
        {
            return;
        }
        if grounds.is_conservative() { self.conservative(target) } else { self.strict(target) }
    }

    fn buffer(&mut self, start: Addr, requested: u64) -> bool {
        self.values(start, Requested::exactly(requested))
    }

    fn values(&mut self, start: Addr, requested: Requested) -> bool {
        // Static tables lie in memory that holds no objects; nobody shares them wrongly.
        let Some(granule) = self.space.granule(start - self.lead) else { return true };
        if !requested.is_possible(self.subject.memory, start) {
            self.marks.unreadable += 1;
            return true;
        }
        let new = self.marks.claimed.insert(granule);
        if new
            && let Some(counts) = &mut self.counts
            && !self.space.is_static(start)
        {
            counts.block(start, requested);
        }
        new
    }

    fn shared_buffer(&mut self, start: Addr, requested: u64) {
        self.buffer(start, requested);
    }

    fn compares(&self) -> bool {
        self.only_visible
    }

    fn unreadable(&mut self) {
        self.marks.unreadable += 1;
    }

    fn namespace(&mut self, dict: Addr) {
        if let Some(granule) = self.space.granule(dict) {
            self.marks.namespaces.insert(granule);
        }
    }

    fn is_namespace(&self, dict: Addr) -> bool {
        self.space.granule(dict).is_some_and(|granule| self.marks.namespaces.has(granule))
    }

    fn closure(&mut self, tuple: Addr, code: Addr) {
        self.marks.closures.insert(tuple, code);
    }

    fn closure_code(&self, tuple: Addr) -> Option<Addr> {
        self.marks.closures.get(&tuple).copied()
    }
}
