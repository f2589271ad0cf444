//! Which references decide who keeps whom alive, and how much work each node will be.

use crate::bits::Bits;
use crate::heap::Heap;
use crate::nodes::{Layer, NodeFlags};
use crate::units::NodeId;

/// What the search has to do when it meets a node; any smaller value is the next free place in the
/// node's run of [`Counted::referrers`].
pub(super) mod task {
    /// Held by the super root or, if it is the interpreter's own, by the immortal root: the
    /// dominator is known, so references to it change nothing.
    pub(in crate::dominators) const KNOWN: u32 = u32::MAX;
    /// The interpreter's own, not met yet. Becomes `KNOWN` when it is.
    pub(in crate::dominators) const INTERPRETER: u32 = u32::MAX - 1;
    /// Refers to nothing and is referred to once: a child of its only referrer, and no more.
    pub(in crate::dominators) const LEAF: u32 = u32::MAX - 2;
    /// Referred to once: a child of its only referrer, which may itself hold others.
    pub(in crate::dominators) const SINGLE: u32 = u32::MAX - 3;
}

/// The references that count, and what they make of each node.
pub(super) struct Counted {
    /// The references that count, by row.
    pub(super) rows: Bits,
    /// A [`task`] or a place in `referrers`, by node.
    pub(super) tasks: Vec<u32>,
    /// A run for each node with several referrers: [`Counted::START`], then the numbers of those
    /// that the search has met, then room for the others.
    pub(super) referrers: Vec<u32>,
    /// The root that owns what is the interpreter's, if the heap has one.
    pub(super) immortal: Option<NodeId>,
}

impl Counted {
    /// What stands before the first referrer of a run.
    pub(super) const START: u32 = u32::MAX;

    pub(super) fn of(heap: &Heap) -> Counted {
        let immortal = heap.immortal_root().filter(|&node| node != Heap::ROOT);
        let mut tasks = initial_tasks(heap, immortal);
        let (rows, holders) = count(heap, &mut tasks);
        let referrers = allot(&mut tasks, &holders);
        Counted { rows, tasks, referrers, immortal }
    }
}

/// The nodes whose dominator is known before anything is counted.
fn initial_tasks(heap: &Heap, immortal: Option<NodeId>) -> Vec<u32> {
    let own = if immortal.is_some() { task::INTERPRETER } else { task::KNOWN };
    let of = |flags: &NodeFlags| if flags.has(NodeFlags::INTERPRETER) { own } else { 0 };
    let mut tasks: Vec<u32> = heap.nodes.flags.iter().map(of).collect();
    tasks[Heap::ROOT.index()] = task::KNOWN;
    if let Some(node) = immortal {
        tasks[node.index()] = task::KNOWN;
    }
    for target in heap.edges.targets(Heap::ROOT) {
        tasks[target.index()] = task::KNOWN;
    }
    tasks
}

/// Marks the references that count, and counts them by target. Also says which nodes have any.
fn count(heap: &Heap, tasks: &mut [u32]) -> (Bits, Bits) {
    let mut rows = Bits::new(heap.edges.len());
    let mut holders = Bits::new(heap.nodes.len());
    let flags = &heap.nodes.flags;
    let reach = reaches(heap);
    for source in heap.nodes.ids().skip(1) {
        let range = heap.edges.range(source);
        if range.is_empty() {
            continue;
        }
        let (least, most) = match reach.binary_search_by_key(&source, |&(node, _)| node) {
            Ok(found) => (reach[found].1, Layer::Garbage),
            Err(_) => (flags[source.index()].layer(), flags[source.index()].layer()),
        };
        let start = range.start;
        let labels = &heap.edges.labels[range.clone()];
        for (offset, (&target, label)) in heap.edges.targets[range].iter().zip(labels).enumerate() {
            let layer = flags[target.index()].layer();
            let task = &mut tasks[target.index()];
            let counts = label.is_strong() && least <= layer && layer <= most && target != source;
            if !counts || *task == task::KNOWN {
                continue;
            }
            rows.set(start + offset);
            holders.set(source.index());
            if *task < task::SINGLE {
                *task += 1;
            }
        }
    }
    (rows, holders)
}

/// The holders that are no objects, and the lowest layer each may hold: a holder without a name
/// adopts nothing that a name reaches.
fn reaches(heap: &Heap) -> Vec<(NodeId, Layer)> {
    let holders = heap.roots.iter().filter(|root| !heap.nodes.is_object(root.node));
    let mut reach: Vec<_> = holders.map(|root| (root.node, root.kind.layer())).collect();
    reach.sort_unstable();
    reach.dedup_by_key(|&mut (node, _)| node);
    reach
}

/// Turns counts into tasks: a run for each node with several referrers.
fn allot(tasks: &mut [u32], holders: &Bits) -> Vec<u32> {
    let mut length = 0;
    for (node, task) in tasks.iter_mut().enumerate() {
        match *task {
            0 | task::SINGLE.. => {}
            1 if holders.get(node) => *task = task::SINGLE,
            1 => *task = task::LEAF,
            referrers => {
                *task = length + 1;
                length += referrers + 1;
            }
        }
    }
    vec![Counted::START; length as usize]
}
