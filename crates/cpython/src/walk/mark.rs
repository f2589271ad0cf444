//! The first pass: which objects there are. Follows references from whatever it is given, setting one
//! bit an object.

use deadweight_heap::{Addr, EdgeKind};
use rustc_hash::FxHashMap;

use super::Subject;
use crate::bitmap::Bitmap;
use crate::header::{Header, is_plausible_count};
use crate::memory::Memory;
use crate::object::{self, Context, Grounds, Link, Visitor};
use crate::space::{Granule, Space};
use crate::types::TypeTable;

/// What marking found and noted.
pub(super) struct Marks {
    /// Granules where an object starts.
    pub(super) seen: Bitmap,
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
    /// Objects marked but not yet visited, with their types' rows.
    pending: Vec<(Addr, u32)>,
    only_visible: bool,
    current: Addr,
}

const MOST_SAMPLES: usize = 8;

impl<'a, M: Memory> Marker<'a, M> {
    pub(super) fn new(
        subject: &'a Subject<'a, M>,
        space: &'a Space,
        types: TypeTable,
        only_visible: bool,
    ) -> Self {
        let marks = Marks::new(space);
        Marker {
            subject,
            space,
            types,
            marks,
            pending: Vec::new(),
            only_visible,
            current: Addr::NULL,
        }
    }

    /// Marks an object and leaves it to be visited. `false` if there is no live object there.
    pub(super) fn seed(&mut self, addr: Addr, grounds: Grounds) -> bool {
        let Some(granule) = self.space.granule(addr) else { return false };
        self.marks.seen.has(granule) || self.mark(addr, granule, grounds)
    }

    /// Visits everything that is left to be visited, and what that leads to.
    pub(super) fn drain(&mut self, cx: &Context<'_, M>) {
        while let Some((addr, row)) = self.pending.pop() {
            let info = self.types.rows[row as usize].clone();
            self.current = addr;
            if object::decode(cx, &info, addr, self).is_none() {
                self.marks.unreadable += 1;
            }
        }
    }

    fn mark(&mut self, addr: Addr, granule: Granule, grounds: Grounds) -> bool {
        let memory = self.subject.memory;
        let layout = &self.subject.runtime.layout;
        let Some(header) = Header::read(memory, addr) else { return false };
        let alive = if grounds.is_conservative() {
            is_plausible_count(layout, self.space, header.refcount)
        } else {
            layout.object.refcount.is_alive(header.refcount)
        };
        if !alive {
            return false;
        }
        let Some(info) = self.types.get(memory, layout, header.type_addr) else { return false };
        let (row, before, leaf) = (info.row, info.before, info.leaf);
        self.marks.seen.insert(granule);
        if let Some(block) = self.space.granule(addr - before) {
            self.marks.claimed.insert(block);
        }
        if !leaf {
            self.pending.push((addr, row));
        }
        true
    }

    fn note_invalid(&mut self, target: Addr) {
        self.marks.invalid += 1;
        if self.marks.invalid_samples.len() < MOST_SAMPLES {
            self.marks.invalid_samples.push((self.current, target));
        }
    }
}

impl<M: Memory> Visitor for Marker<'_, M> {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        if !grounds.is_followed(self.only_visible) || matches!(link, Link::Named(EdgeKind::Weak, _))
        {
            return;
        }
        let strict = !grounds.is_conservative();
        let Some(granule) = self.space.granule(target) else {
            if strict {
                self.note_invalid(target);
            }
            return;
        };
        if self.marks.seen.has(granule) || self.mark(target, granule, grounds) {
            self.marks.references += 1;
        } else if strict {
            self.note_invalid(target);
        }
    }

    fn buffer(&mut self, start: Addr, _: u64) -> bool {
        match self.space.granule(start) {
            Some(granule) => self.marks.claimed.insert(granule),
            // Static tables lie in memory that holds no objects; nobody shares them wrongly.
            None => true,
        }
    }

    fn shared_buffer(&mut self, start: Addr, _: u64) {
        if let Some(granule) = self.space.granule(start) {
            self.marks.claimed.insert(granule);
        }
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
