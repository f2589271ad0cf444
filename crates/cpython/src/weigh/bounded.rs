//! What given objects hold together, for who asks often and cannot wait: if they are not too many, all are weighed.

use deadweight_heap::{Addr, Bytes, EdgeKind, NameId};
use rustc_hash::FxHashSet;

use super::left_out::LeftOut;
use super::{Bench, Bounds, Followed, Native, Scale};
use crate::header::Header;
use crate::memory::Memory;
use crate::object::{Grounds, Link};

/// What some objects hold together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounded {
    /// Bytes really held.
    pub held: Bytes,
    /// How many objects were weighed.
    pub count: u64,
    /// Whether there were more. Then some that were drawn at random stand for all.
    pub is_estimated: bool,
}

impl Scale {
    /// What `roots` and everything they lead to weigh: each of them if they are at most `most`, else an estimate.
    /// Roots are left out too, if they are instances of `stop` or the interpreter's own.
    ///
    /// `memory` and `doubtful` are as in [`Scale::weigh_deep`].
    #[must_use]
    pub fn weigh_bounded<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        roots: &[Addr],
        bounds: Bounds<'_>,
        most: u64,
    ) -> Bounded {
        let mut trail = Trail { most, ..Trail::default() };
        for &root in roots.iter().rev() {
            trail.meet(root);
        }
        self.ask_briefly(memory, |bench| Walk::new(bench, bounds, &mut trail).drain());
        if !trail.doubtful.is_empty() {
            let bounds = Bounds { native: None, ..bounds };
            self.ask_briefly(doubtful, |bench| Walk::new(bench, bounds, &mut trail).run_doubtful());
        }
        let Trail { held, count, is_estimated, .. } = trail;
        if !is_estimated {
            return Bounded { held: Bytes(held), count, is_estimated };
        }
        let (estimate, drawn) = self.estimate(memory, doubtful, roots, bounds);
        // What was weighed is there, whatever the draw says.
        Bounded { held: Bytes(estimate.max(held)), count: count + drawn, is_estimated }
    }
}

/// Which references of an object are followed.
#[derive(Clone, Copy, Default)]
pub(super) struct Ways {
    /// Whether the object is a cache: what that keeps is its own to bound, and its attributes are like any other's.
    pub(super) is_cache: bool,
    /// The names of references that lead out of frames into modules.
    pub(super) namespaces: Option<[NameId; 2]>,
}

impl Ways {
    #[inline]
    pub(super) fn has(self, link: Link) -> bool {
        match link {
            // Classes are left out in any case: the commonest reference of all need not be looked at.
            Link::Named(EdgeKind::Weak, _) | Link::At(EdgeKind::Class, _) => false,
            Link::At(EdgeKind::Key, _)
            | Link::Entry { .. }
            | Link::Static(EdgeKind::Internal, _) => !self.is_cache,
            Link::Named(_, name) => !self.namespaces.is_some_and(|names| names.contains(&name)),
            _ => true,
        }
    }
}

/// What was met so far, whichever memory it was read from.
#[derive(Default)]
struct Trail {
    most: u64,
    seen: FxHashSet<Addr>,
    pending: Vec<Addr>,
    doubtful: Vec<Addr>,
    is_estimated: bool,
    ways: Ways,
    held: u64,
    count: u64,
}

impl Trail {
    #[inline]
    fn meet(&mut self, target: Addr) {
        if self.pending.len() as u64 >= self.most {
            self.is_estimated = true;
        } else if self.seen.insert(target) {
            self.pending.push(target);
        }
    }

    fn is_full(&self) -> bool {
        self.count >= self.most
    }

    fn next(&mut self) -> Option<Addr> {
        let next = self.pending.last().copied()?;
        if self.is_full() {
            self.is_estimated = true;
            return None;
        }
        self.pending.pop();
        Some(next)
    }
}

impl Followed for Trail {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        if !self.ways.has(link) {
            return;
        }
        match grounds {
            Grounds::OnlyVisited => {}
            Grounds::Conservative => self.doubtful.push(target),
            Grounds::Visible | Grounds::Hidden => self.meet(target),
        }
    }

    fn block(&mut self, start: Addr) -> bool {
        self.seen.insert(start)
    }
}

struct Walk<'a, 'b, M> {
    bench: Bench<'a, M>,
    left_out: LeftOut,
    native: Option<Native<'a>>,
    trail: &'b mut Trail,
}

impl<'a, 'b, M: Memory> Walk<'a, 'b, M> {
    fn new(bench: Bench<'a, M>, bounds: Bounds<'a>, trail: &'b mut Trail) -> Self {
        let words = bench.cx.words;
        trail.ways.namespaces = (!bounds.namespaces).then_some([words.globals, words.builtins]);
        Walk { left_out: LeftOut::new(bounds.stop), bench, native: bounds.native, trail }
    }

    fn drain(&mut self) {
        while let Some(addr) = self.trail.next() {
            self.visit(addr);
        }
    }

    fn run_doubtful(&mut self) {
        while let Some(addr) = self.trail.doubtful.pop() {
            if !self.trail.is_full() && self.bench.is_object(addr) {
                self.trail.meet(addr);
                self.drain();
            }
        }
    }

    fn visit(&mut self, addr: Addr) {
        let (memory, layout) = (self.bench.cx.memory, self.bench.cx.layout);
        let Some(header) = Header::read(memory, addr) else { return };
        let Some(info) = self.bench.types.get(memory, layout, header.type_addr).cloned() else {
            return;
        };
        if self.left_out.has(&self.bench, &info, addr, header) {
            return;
        }
        let doubtful = self.trail.doubtful.len();
        self.trail.ways.is_cache = info.entries.is_some();
        let Some(weight) = self.bench.weigh(&info, addr, self.trail) else { return };
        self.trail.held = self.trail.held.saturating_add(weight.held.0);
        if let Some(told) = self.native.and_then(|native| native.told(&self.bench, &info, addr)) {
            let blocks = told.blocks.iter().filter(|(start, _)| self.trail.block(*start));
            let blocks: Bytes = blocks.map(|(_, bytes)| *bytes).sum();
            self.trail.held = self.trail.held.saturating_add((told.held + blocks).0);
            // What only looks like a reference is none of those it tells of.
            self.trail.doubtful.truncate(doubtful);
            for target in told.references {
                self.trail.meet(target);
            }
        }
        self.trail.count += 1;
    }
}
