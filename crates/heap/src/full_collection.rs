//! What a full collection has to do, and about how long that takes.
//!
//! A collection that finds nothing goes through all tracked objects three times: it notes their reference
//! counts, takes off the references among them, and sorts out who is left (`gc_collect_main` in Python/gc.c,
//! before 3.13 Modules/gcmodule.c). The time goes into memory that is not in a cache.

use crate::edges::{Edge, EdgeKind};
use crate::heap::Heap;
use crate::nodes::NodeFlags;
use crate::units::{Addr, Bytes, NodeId};

/// The work of a collection of all generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FullCollection {
    /// Objects that it looks at.
    pub objects: u64,
    /// What these hold themselves.
    pub held: Bytes,
    /// References that it follows.
    pub references: u64,
    /// Accesses to memory that is not in a cache, but follows on what was read just before.
    pub near: u64,
    /// Accesses to memory that is neither.
    pub far: u64,
}

/// Bytes of a line of a cache.
const LINE: u64 = 64;

/// Lines that are near.
const STEP: u64 = 4;

/// Nanoseconds a unit of work, fitted by `benches/collector_outside.py --calibrate` to programs that its table
/// does not have.
const OBJECT: f64 = 15.0;
const REFERENCE: f64 = 2.8;
const NEAR: f64 = 23.0;
const FAR: f64 = 60.0;

impl FullCollection {
    /// The work in a heap of which so many tracked objects are not looked at, because they are frozen.
    #[must_use]
    pub fn of(heap: &Heap, frozen: u64) -> FullCollection {
        let (mut heads, mut rests) = (Cache::new(), Cache::new());
        // What the caches hold when a pass begins is what the pass before left there.
        let first = pass(heap, &mut heads, &mut rests);
        for cache in [&mut heads, &mut rests] {
            (cache.near, cache.far) = (0, 0);
        }
        pass(heap, &mut heads, &mut rests);
        let (near, far) = (heads.near.saturating_add(rests.near), heads.far + rests.far);
        FullCollection { near, far, ..first }.without(frozen)
    }

    /// Processor time, modelled.
    #[must_use]
    pub fn micros(&self) -> u64 {
        let nanos = self.objects as f64 * OBJECT
            + self.references as f64 * REFERENCE
            + self.near as f64 * NEAR
            + self.far as f64 * FAR;
        (nanos / 1000.0) as u64
    }

    /// Which objects are frozen is not known, only how many: the work shrinks in proportion.
    fn without(self, frozen: u64) -> FullCollection {
        let left = self.objects.saturating_sub(frozen);
        let share = |whole: u64| {
            let part = u128::from(whole) * u128::from(left) / u128::from(self.objects.max(1));
            u64::try_from(part).unwrap_or(whole)
        };
        FullCollection {
            objects: left,
            held: Bytes(share(self.held.0)),
            references: share(self.references),
            near: share(self.near),
            far: share(self.far),
        }
    }
}

/// Goes once through all tracked objects. They are taken by address, which is about the order of the
/// collector's lists: both are that of their making.
fn pass(heap: &Heap, heads: &mut Cache, rests: &mut Cache) -> FullCollection {
    let mut work = FullCollection::default();
    let tracked = |node: &NodeId| heap.nodes.flags(*node).has(NodeFlags::TRACKED);
    for node in heap.object_ids().filter(tracked) {
        work.objects += 1;
        let (at, held) = (heap.nodes.address(node), heap.nodes.held(node));
        heads.touch(at);
        work.held += held;
        rests.touch_all(at + LINE, held.0.div_ceil(LINE).saturating_sub(1));
        for edge in heap.edges.of(node).filter(|&edge| is_followed(heap, edge)) {
            work.references += 1;
            heads.touch(heap.nodes.address(edge.target));
        }
    }
    work
}

/// Whether a traverse function visits a reference. That of a dict leaves out keys that are `str`.
fn is_followed(heap: &Heap, edge: Edge) -> bool {
    edge.label.is_strong()
        && !edge.label.is_conservative()
        && heap.nodes.is_object(edge.target)
        && !(edge.label.kind() == EdgeKind::Key && heap.type_name(edge.target) == "str")
}

/// A cache of eight megabytes, in which each line has one place. There is one for what is at the address of an
/// object, and one for what it holds beyond that, such as the items of a list: where that lies is not known, but in
/// about the same order. Together they are what a program has of a last cache that it shares with others.
struct Cache {
    lines: Vec<u64>,
    near: u64,
    far: u64,
}

impl Cache {
    const LINES: usize = 1 << 17;

    fn new() -> Cache {
        Cache { lines: vec![u64::MAX; Cache::LINES], near: 0, far: 0 }
    }

    fn has(&self, line: u64) -> bool {
        self.lines[line as usize % Cache::LINES] == line
    }

    /// Some lines in a row. Of a large object the cache keeps nothing, and its size may be anything.
    fn touch_all(&mut self, from: Addr, lines: u64) {
        const KEPT: u64 = 1024;
        for line in 0..lines.min(KEPT) {
            self.touch(from + line * LINE);
        }
        self.near = self.near.saturating_add(lines.saturating_sub(KEPT));
    }

    fn touch(&mut self, at: Addr) {
        let line = at.0 / LINE;
        if self.has(line) {
            return;
        }
        // What is read at steps as long as an object is fetched ahead, too.
        let is_near = |step| self.has(line.wrapping_sub(step)) || self.has(line.wrapping_add(step));
        if (1..=STEP).any(is_near) {
            self.near += 1;
        } else {
            self.far += 1;
        }
        self.lines[line as usize % Cache::LINES] = line;
    }
}
