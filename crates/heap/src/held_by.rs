//! Who refers to something, beside the one reference that its path takes.
//!
//! A path names one holder of several. What the others are decides whether anything is freed when
//! the one goes.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::bits::Bits;
use crate::dominators::Dominators;
use crate::heap::Heap;
use crate::nodes::Layer;
use crate::path::ShownPath;
use crate::patterns::{LONGEST, Patterns};
use crate::shortest::{ShortestPaths, Step};
use crate::units::NodeId;

/// References that differ in an index alone, and how many of some nodes they lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The path that ends with the reference.
    pub path: ShownPath,
    /// How many of the nodes.
    pub count: u64,
}

impl Holding {
    /// What is held by more than this many is held by everybody: there is no use in naming them all.
    pub const MOST: usize = 100;
}

/// The same before it is written: of what is held in a million ways, few are.
pub(crate) struct Unwritten {
    /// The pattern of the path.
    pub(crate) pattern: u32,
    /// How many of the nodes.
    pub(crate) count: u64,
    /// One of the references, by row.
    row: usize,
}

impl Unwritten {
    /// The path as a person reads it: exactly, if it is a single one.
    pub(crate) fn written(
        &self,
        heap: &Heap,
        paths: &ShortestPaths,
        patterns: &Patterns<'_>,
    ) -> Holding {
        let exact = if self.count == 1 { exact(heap, paths, self.row) } else { None };
        let path = exact.unwrap_or_else(|| patterns.shown(self.pattern));
        Holding { path, count: self.count }
    }
}

/// Who refers to each group of nodes directly; those who refer to most come first. References that
/// a node's own path takes are among them.
pub(crate) fn direct_holders(
    heap: &Heap,
    dominators: &Dominators,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
) -> Vec<Vec<Unwritten>> {
    let mut group_of: FxHashMap<NodeId, usize> = FxHashMap::default();
    for (group, nodes) in groups.iter().enumerate() {
        group_of.extend(nodes.iter().map(|&node| (node, group)));
    }
    let mut found = Vec::new();
    for (source, row) in referrers(heap, dominators, group_of.keys().copied()) {
        let target = heap.edges.targets[row];
        found.push((group_of[&target], patterns.through(source, row), target, row));
    }
    found.sort_unstable();
    // Two references of one pattern to one node hold it once.
    found.dedup_by_key(|&mut (group, pattern, target, _)| (group, pattern, target));
    let mut holders: Vec<Vec<Unwritten>> = groups.iter().map(|_| Vec::new()).collect();
    for same in found.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (group, pattern, _, row) = same[0];
        holders[group].push(Unwritten { pattern, count: same.len() as u64, row });
    }
    for holders in &mut holders {
        holders.sort_by_key(|holding| Reverse(holding.count));
    }
    holders
}

/// The path that ends with one reference, if it is short enough to be read.
fn exact(heap: &Heap, paths: &ShortestPaths, row: usize) -> Option<ShownPath> {
    let mut steps = paths.path_within(heap, heap.edges.source_of(row), LONGEST - 1)?;
    steps.push(Step { label: heap.edges.labels[row], node: heap.edges.targets[row] });
    Some(ShownPath::of(heap, &steps))
}

/// The references that count towards keeping some nodes alive, with their sources: strong, not from
/// something the node itself keeps alive, and not from a lower layer than the node's.
fn referrers(
    heap: &Heap,
    dominators: &Dominators,
    nodes: impl Iterator<Item = NodeId>,
) -> Vec<(NodeId, usize)> {
    let mut wanted = Bits::new(heap.nodes.len());
    nodes.for_each(|node| wanted.set(node.index()));
    let roots: FxHashMap<NodeId, Layer> =
        heap.roots.iter().rev().map(|root| (root.node, root.kind.layer())).collect();
    let layer_of = |node: NodeId| {
        let root = roots.get(&node).filter(|_| !heap.nodes.is_object(node));
        root.copied().unwrap_or_else(|| heap.nodes.flags(node).layer())
    };
    let mut found = Vec::new();
    for source in heap.nodes.ids().skip(1) {
        for row in heap.edges.range(source) {
            let target = heap.edges.targets[row];
            if wanted.get(target.index())
                && heap.edges.labels[row].is_strong()
                && layer_of(source) <= heap.nodes.flags(target).layer()
                && !dominators.dominates(target, source)
            {
                found.push((source, row));
            }
        }
    }
    found
}
