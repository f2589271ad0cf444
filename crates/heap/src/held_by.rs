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
    let nodes = groups.iter().flatten().copied();
    counted(heap, patterns, groups, &referrers(heap, dominators, nodes))
}

/// The same, given the references to them, but for those from what nodes of the group themselves
/// keep alive: the nodes of a linked list hold each other, and whoever holds one of them holds all.
/// None of a group may keep another of it alive. Of each group, a sample is looked at.
pub(crate) fn outer_holders(
    heap: &Heap,
    dominators: &Dominators,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
    samples: &[Vec<NodeId>],
    referrers: &[(NodeId, usize)],
) -> Vec<Vec<Unwritten>> {
    let group_of = group_of(samples);
    let sorted = |nodes: &Vec<NodeId>| {
        let mut nodes = nodes.clone();
        nodes.sort_unstable_by_key(|&node| dominators.position(node));
        nodes
    };
    let sorted: Vec<Vec<NodeId>> = groups.iter().map(sorted).collect();
    let is_within = |source: NodeId, group: usize| {
        let at = dominators.position(source);
        let nodes = &sorted[group];
        let end = nodes.partition_point(|&node| dominators.position(node) <= at);
        end > 0 && dominators.dominates(nodes[end - 1], source)
    };
    // References come by source: a list holds its items one after the other.
    let mut last = (Heap::ROOT, usize::MAX, false);
    let outer = |&&(source, row): &&(NodeId, usize)| {
        let Some(&group) = group_of.get(&heap.edges.targets[row]) else { return false };
        if (last.0, last.1) != (source, group) {
            last = (source, group, is_within(source, group));
        }
        !last.2
    };
    let outer: Vec<(NodeId, usize)> = referrers.iter().filter(outer).copied().collect();
    counted(heap, patterns, samples, &outer)
}

fn group_of(groups: &[Vec<NodeId>]) -> FxHashMap<NodeId, usize> {
    let of_group = |(group, nodes): (usize, &Vec<NodeId>)| {
        nodes.iter().map(|&node| (node, group)).collect::<Vec<_>>()
    };
    groups.iter().enumerate().flat_map(of_group).collect()
}

/// References to nodes of groups by their pattern, those that lead to most nodes first.
fn counted(
    heap: &Heap,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
    referrers: &[(NodeId, usize)],
) -> Vec<Vec<Unwritten>> {
    let group_of = group_of(groups);
    let mut found = Vec::new();
    for &(source, row) in referrers {
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

/// The references that count towards keeping some nodes alive, by their sources: strong, not from
/// something the node itself keeps alive, and not from a lower layer than the node's.
pub(crate) fn referrers(
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
