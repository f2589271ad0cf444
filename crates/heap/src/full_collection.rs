//! What a full collection has to do, and about how long that takes.
//!
//! A collection that finds nothing walks the collector's lists several times: it notes the reference counts, takes
//! off the references among the objects, sorts out who is left, and walks on to tidy up and to count
//! (`gc_collect_main` in Python/gc.c, before 3.13 Modules/gcmodule.c). The time goes into memory that is not in a
//! cache. A list is the worst of it: where the next object is only the one before knows, and a list leads
//! through memory in the order in which the last collection met its objects, breadth first, not in that of addresses.

use std::borrow::Cow;

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
    /// Steps from one object of a list to the next that lead to memory in no cache.
    pub steps: Misses,
    /// The same of what objects hold and refer to.
    pub visits: Misses,
}

/// Accesses to memory that is in no cache, and does not follow on what was read just before: that is fetched ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Misses {
    /// A few lines from what was read just before.
    pub near: u64,
    /// Somewhere else.
    pub far: u64,
}

/// Nanoseconds a unit of work, fitted by `benches/collector_outside.py --calibrate` to programs that its table
/// does not have.
struct Prices {
    object: f64,
    reference: f64,
    near_step: f64,
    far_step: f64,
    visit: f64,
}

/// Up to 3.13 a full collection also walks its list to untrack dicts (`untrack_dicts`); its own prices have 3.13
/// nearer to those of the versions after it.
const UP_TO_3_12: Prices =
    Prices { object: 40.3, reference: 4.1, near_step: 19.7, far_step: 607.8, visit: 72.4 };
const FROM_3_13: Prices =
    Prices { object: 42.4, reference: 2.2, near_step: 17.6, far_step: 613.7, visit: 51.0 };

impl Prices {
    /// Those of an interpreter's version, such as `3.12.1`.
    fn of(python: &str) -> Prices {
        let minor = python.split('.').nth(1).and_then(|minor| minor.parse().ok());
        if minor.is_some_and(|minor: u32| minor < 13) { UP_TO_3_12 } else { FROM_3_13 }
    }
}

/// Bytes of a line of a cache.
const LINE: u64 = 64;

impl FullCollection {
    /// The work in a heap whose collector has these [`lists`](crate::Capture::lists). Where they are not known,
    /// objects are taken by address, and so many of them are left out, because they are frozen.
    #[must_use]
    pub fn of(heap: &Heap, lists: &[NodeId], frozen: u64) -> FullCollection {
        let is_tracked = |node: &NodeId| heap.nodes.flags(*node).has(NodeFlags::TRACKED);
        let lists = match lists {
            [] => Cow::Owned(heap.object_ids().filter(is_tracked).collect()),
            lists => Cow::Borrowed(lists),
        };
        let frozen = if matches!(lists, Cow::Owned(_)) { frozen } else { 0 };
        let buffers = Buffers::of(heap);
        let mut cache = Cache::new();
        // What the cache holds when a collection begins is what the one before left there.
        visit(heap, &lists, &buffers, &mut cache);
        cache.misses = Misses::default();
        for &node in &*lists {
            cache.touch(head(heap, node));
        }
        let steps = std::mem::take(&mut cache.misses);
        let work = visit(heap, &lists, &buffers, &mut cache);
        FullCollection { steps, visits: cache.misses, ..work }.without(frozen)
    }

    /// Processor time in an interpreter of this version, modelled.
    #[must_use]
    pub fn micros(&self, python: &str) -> u64 {
        let prices = Prices::of(python);
        let nanos = self.objects as f64 * prices.object
            + self.references as f64 * prices.reference
            + self.steps.near as f64 * prices.near_step
            + self.steps.far as f64 * prices.far_step
            + self.visits.near.saturating_add(self.visits.far) as f64 * prices.visit;
        (nanos / 1000.0) as u64
    }

    /// Which objects are frozen is not known, only how many: the work shrinks in proportion.
    fn without(self, frozen: u64) -> FullCollection {
        let left = self.objects.saturating_sub(frozen);
        let share = |whole: u64| {
            let part = u128::from(whole) * u128::from(left) / u128::from(self.objects.max(1));
            u64::try_from(part).unwrap_or(whole)
        };
        let misses = |whole: Misses| Misses { near: share(whole.near), far: share(whole.far) };
        FullCollection {
            objects: left,
            held: Bytes(share(self.held.0)),
            references: share(self.references),
            steps: misses(self.steps),
            visits: misses(self.visits),
        }
    }
}

/// Goes once through all objects, what they hold and what they refer to.
fn visit(heap: &Heap, lists: &[NodeId], buffers: &Buffers, cache: &mut Cache) -> FullCollection {
    let mut work = FullCollection::default();
    for &node in lists {
        work.objects += 1;
        work.held += heap.nodes.held(node);
        cache.touch(head(heap, node));
        cache.touch_all(heap.nodes.address(node), inline(heap, node));
        cache.touch_all(buffers.start(node), buffers.size(node));
        for edge in heap.edges.of(node).filter(|&edge| is_followed(heap, edge)) {
            work.references += 1;
            cache.touch(head(heap, edge.target));
        }
    }
    work
}

/// What a collection reads of an object first: its links in a list, or where it has none its type.
fn head(heap: &Heap, node: NodeId) -> Addr {
    let is_tracked = heap.nodes.flags(node).has(NodeFlags::TRACKED);
    let links = if is_tracked { heap.model.gc_head.0 } else { 0 };
    heap.nodes.address(node) - links
}

/// How much of what an object holds is at its address: all, if its type has items there, as `tuple` does.
fn inline(heap: &Heap, node: NodeId) -> Bytes {
    let row = heap.types.get(heap.nodes.type_of(node));
    let held = heap.nodes.held(node) - heap.model.gc_head;
    if row.item_size > 0 { held } else { held.min(Bytes(u64::from(row.basic_size))) }
}

/// Whether a traverse function visits a reference. That of a dict leaves out keys that are `str`.
fn is_followed(heap: &Heap, edge: Edge) -> bool {
    edge.label.is_strong()
        && !edge.label.is_conservative()
        && heap.nodes.is_object(edge.target)
        && !(edge.label.kind() == EdgeKind::Key && heap.type_name(edge.target) == "str")
}

/// Where the rest of what objects hold would be, such as the items of a list, if it were laid out in the order of
/// the objects. Where it is the graph does not know; the order is about that one, as both are made together.
struct Buffers {
    /// By node, in steps of an allocator.
    starts: Vec<u32>,
}

impl Buffers {
    /// Far from all objects.
    const FIRST: Addr = Addr(1 << 62);
    const STEP: u64 = 16;

    fn of(heap: &Heap) -> Buffers {
        let mut end = 0_u32;
        let mut starts = vec![end];
        for node in heap.nodes.ids() {
            if heap.nodes.flags(node).has(NodeFlags::TRACKED) {
                let here = inline(heap, node) + heap.model.gc_head;
                let rest = heap.nodes.held(node) - here;
                end = end.saturating_add((rest.0 / Buffers::STEP).try_into().unwrap_or(u32::MAX));
            }
            starts.push(end);
        }
        Buffers { starts }
    }

    fn start(&self, node: NodeId) -> Addr {
        Buffers::FIRST + u64::from(self.starts[node.index()]) * Buffers::STEP
    }

    fn size(&self, node: NodeId) -> Bytes {
        let steps = self.starts[node.index() + 1] - self.starts[node.index()];
        Bytes(u64::from(steps) * Buffers::STEP)
    }
}

/// A cache of eight megabytes, in which each line has one place: what a program has of a last cache that it shares
/// with others.
struct Cache {
    lines: Vec<u64>,
    /// The same for what was read just before.
    recent: [u64; Cache::RECENT],
    misses: Misses,
}

impl Cache {
    const LINES: usize = 1 << 17;
    const RECENT: usize = 512;
    /// How many lines on is near.
    const REACH: u64 = 4;

    fn new() -> Cache {
        Cache {
            lines: vec![u64::MAX; Cache::LINES],
            recent: [u64::MAX; Cache::RECENT],
            misses: Misses::default(),
        }
    }

    /// Some bytes in a row. Of a large object the cache keeps nothing, and its size may be anything: the rest of
    /// it follows on.
    fn touch_all(&mut self, from: Addr, bytes: Bytes) {
        const KEPT: usize = 1024;
        if bytes.0 > 0 {
            let (first, last) = (from.0 / LINE, from.0.saturating_add(bytes.0 - 1) / LINE);
            (first..=last).take(KEPT).for_each(|line| self.touch(Addr(line * LINE)));
        }
    }

    fn touch(&mut self, at: Addr) {
        let line = at.0 / LINE;
        let here = &mut self.lines[line as usize % Cache::LINES];
        if *here != line {
            *here = line;
            let is_recent = |line: u64| self.recent[line as usize % Cache::RECENT] == line;
            let is_beside = |step: u64| {
                is_recent(line.wrapping_sub(step)) || is_recent(line.wrapping_add(step))
            };
            match (1..=Cache::REACH).find(|&step| is_beside(step)) {
                Some(1) => {}
                Some(_) => self.misses.near += 1,
                None => self.misses.far += 1,
            }
        }
        self.recent[line as usize % Cache::RECENT] = line;
    }
}
