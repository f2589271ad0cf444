//! What given objects hold together, for who asks often and cannot wait: so many objects are weighed, and the
//! rest is taken to be alike.

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
    /// Whether there were more. They count as if the rest of the widest object's references led to as much as
    /// those that were followed.
    pub is_estimated: bool,
}

impl Scale {
    /// What `roots` and everything they lead to weigh, of which at most `most` objects are looked at. Roots are
    /// left out too, if they are instances of `stop` or the interpreter's own.
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
        trail.sum()
    }
}

/// The references of the object that has most of them.
#[derive(Clone, Copy, Default)]
struct Widest {
    /// How many of them there are to follow, if those that were not looked at are like the others.
    expected: u64,
    /// How many were to be followed.
    kept: u64,
    /// How many others were to be followed already.
    below: u64,
    /// What was weighed until then, itself included.
    held: u64,
}

/// What was met so far, whichever memory it was read from.
#[derive(Default)]
struct Trail {
    most: u64,
    seen: FxHashSet<Addr>,
    pending: Vec<Addr>,
    doubtful: Vec<Addr>,
    /// References of one object.
    met: u64,
    /// Of those, how many were not looked at: so many others are followed.
    skipped: u64,
    is_estimated: bool,
    /// Whether the object is a cache: what that keeps is its own to bound, and its attributes are like any other's.
    is_cache: bool,
    /// The names of references that lead out of frames into modules.
    namespaces: Option<[NameId; 2]>,
    held: u64,
    count: u64,
    widest: Widest,
}

impl Trail {
    #[inline]
    fn meet(&mut self, target: Addr) {
        self.met += 1;
        if self.pending.len() as u64 >= self.most {
            self.skipped += 1;
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

    fn sum(&self) -> Bounded {
        let Trail { count, is_estimated, widest, .. } = *self;
        let mut sum = self.held;
        if is_estimated && widest.kept > 0 {
            let left = (self.pending.len() as u64).saturating_sub(widest.below).min(widest.kept);
            let done = (widest.kept - left).max(1);
            let behind = u128::from(self.held - widest.held) * u128::from(widest.expected);
            let behind = u64::try_from(behind / u128::from(done)).unwrap_or(u64::MAX);
            sum = widest.held.saturating_add(behind);
        }
        Bounded { held: Bytes(sum), count, is_estimated }
    }
}

impl Followed for Trail {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        // Classes are left out in any case: the commonest reference of all need not be looked at.
        if matches!(link, Link::Named(EdgeKind::Weak, _) | Link::At(EdgeKind::Class, _)) {
            return;
        }
        if self.is_cache
            && matches!(
                link,
                Link::At(EdgeKind::Key, _)
                    | Link::Entry { .. }
                    | Link::Static(EdgeKind::Internal, _)
            )
        {
            return;
        }
        if let (Link::Named(_, name), Some(names)) = (link, self.namespaces)
            && names.contains(&name)
        {
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
        trail.namespaces = (!bounds.namespaces).then_some([words.globals, words.builtins]);
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
        let below = self.trail.pending.len() as u64;
        (self.trail.met, self.trail.skipped) = (0, 0);
        let doubtful = self.trail.doubtful.len();
        self.trail.is_cache = info.entries.is_some();
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
        let kept = self.trail.pending.len() as u64 - below;
        let Trail { met, skipped, .. } = *self.trail;
        self.trail.is_estimated |= skipped > 0;
        let expected = met.saturating_mul(kept).checked_div(met - skipped).unwrap_or(0);
        if expected > self.trail.widest.expected {
            self.trail.widest = Widest { expected, kept, below, held: self.trail.held };
        }
    }
}
