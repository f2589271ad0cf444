//! Who refers to something, beside the one reference that its path takes.
//!
//! A path names one holder of several. What the others are decides whether anything is freed when
//! the one goes.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::bits::Bits;
use crate::dominators::Dominators;
use crate::edges::Edge;
use crate::heap::Heap;
use crate::holder::{is_dict, is_namespace};
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
    /// How many references.
    pub references: u64,
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
    /// How many references.
    pub(crate) references: u64,
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
        let path = self.exact(heap, paths).unwrap_or_else(|| patterns.shown(self.pattern));
        Holding { path, count: self.count, references: self.references }
    }

    /// The same, with the indices that all references have in common.
    pub(crate) fn written_met(
        &self,
        heap: &Heap,
        paths: &ShortestPaths,
        patterns: &Patterns<'_>,
    ) -> Holding {
        let path = self.exact(heap, paths).unwrap_or_else(|| patterns.shown_met(self.pattern));
        Holding { path, count: self.count, references: self.references }
    }

    /// The path that ends with the reference, if it is a single one and short enough to be read.
    fn exact(&self, heap: &Heap, paths: &ShortestPaths) -> Option<ShownPath> {
        if self.references > 1 {
            return None;
        }
        let source = heap.edges.source_of(self.row);
        let mut steps = paths.path_within(heap, source, LONGEST - 1)?;
        let Edge { label, target } = heap.edges.row(self.row);
        steps.push(Step { label, node: target });
        Some(ShownPath::of(heap, &steps))
    }
}

/// Who else holds the nodes of a group.
pub(crate) struct Others {
    /// Those who refer to most come first.
    pub(crate) holdings: Vec<Unwritten>,
    /// If they do not hold the nodes themselves but what comes before them on their paths: its
    /// pattern, one of it, and how many it is.
    pub(crate) shared: Option<(u32, NodeId, u64)>,
}

/// Who refers to each group of nodes beside the one reference that each node's path takes. Where
/// nobody does, what comes before the nodes on their paths may be held by others.
pub(crate) fn other_holders(
    heap: &Heap,
    paths: &ShortestPaths,
    dominators: &Dominators,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
) -> Vec<Others> {
    let direct = untaken(heap, dominators, patterns, groups);
    let above = |(nodes, holdings): (&Vec<NodeId>, &Vec<Unwritten>)| match holdings.as_slice() {
        [] => levels_above(heap, paths, nodes),
        _ => Vec::new(),
    };
    let levels: Vec<Vec<Vec<NodeId>>> = groups.iter().zip(&direct).map(above).collect();
    let all: Vec<Vec<NodeId>> = levels.iter().flatten().cloned().collect();
    let indirect =
        if all.is_empty() { Vec::new() } else { untaken(heap, dominators, patterns, &all) };
    let mut indirect = indirect.into_iter();
    let mut others = Vec::new();
    for (direct, levels) in direct.into_iter().zip(levels) {
        let found: Vec<Vec<Unwritten>> = indirect.by_ref().take(levels.len()).collect();
        let nearest = found.into_iter().zip(levels).find(|(found, _)| !found.is_empty());
        others.push(match nearest {
            None => Others { holdings: direct, shared: None },
            Some((holdings, nodes)) => {
                let shared = (patterns.of(nodes[0]), nodes[0], nodes.len() as u64);
                Others { holdings, shared: Some(shared) }
            }
        });
    }
    others
}

/// What comes before some nodes on their paths, nearest first: up to a module, a class or a frame, or
/// as far as is quickly found.
fn levels_above(heap: &Heap, paths: &ShortestPaths, nodes: &[NodeId]) -> Vec<Vec<NodeId>> {
    // Most nodes have few before them, but those of a linked list have each other.
    let mut left = 2 * nodes.len() + LONGEST;
    let mut levels: Vec<Vec<NodeId>> = Vec::new();
    loop {
        let level = levels.last().map_or(nodes, Vec::as_slice);
        let mut before = Vec::with_capacity(level.len());
        for &node in level {
            match paths.before(heap, node) {
                Some((holder, _)) if !is_namespace(heap, holder) => before.push(holder),
                _ => return levels,
            }
        }
        before.sort_unstable();
        before.dedup();
        let are_names = before.iter().any(|&holder| {
            let before = paths.before(heap, holder);
            before.is_some_and(|(above, label)| is_namespace(heap, above) && is_dict(heap, label))
        });
        if are_names || left < before.len() {
            return levels;
        }
        left -= before.len();
        levels.push(before);
    }
}

/// The references to nodes of groups, without those that the paths of these nodes take.
fn untaken(
    heap: &Heap,
    dominators: &Dominators,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
) -> Vec<Vec<Unwritten>> {
    let mut found = referrers(heap, dominators, groups.iter().flatten().copied());
    found.retain(|&(_, row)| !patterns.is_taken(row));
    counted(heap, patterns, groups, &found)
}

/// Who refers to each group of nodes, given the references to them, but for those from what nodes of
/// the group themselves keep alive: the nodes of a linked list hold each other, and whoever holds one of them holds all.
/// None of a group may keep another of it alive, and no node be in two groups. Of each group, a sample
/// is looked at.
pub(crate) fn outer_holders(
    heap: &Heap,
    dominators: &Dominators,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
    samples: &[Vec<NodeId>],
    referrers: &[(NodeId, usize)],
) -> Vec<Vec<Unwritten>> {
    let wanted = numbered(samples);
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
        let target = heap.edges.targets[row];
        let Ok(at) = wanted.binary_search_by_key(&target, |&(node, _)| node) else { return false };
        let group = wanted[at].1;
        if (last.0, last.1) != (source, group) {
            last = (source, group, is_within(source, group));
        }
        !last.2
    };
    let outer: Vec<(NodeId, usize)> = referrers.iter().filter(outer).copied().collect();
    counted(heap, patterns, samples, &outer)
}

/// Nodes with the number of their group, by node. One can be in several groups.
fn numbered(groups: &[Vec<NodeId>]) -> Vec<(NodeId, usize)> {
    let of_group = |(group, nodes): (usize, &Vec<NodeId>)| {
        nodes.iter().map(|&node| (node, group)).collect::<Vec<_>>()
    };
    let mut numbered: Vec<(NodeId, usize)> = groups.iter().enumerate().flat_map(of_group).collect();
    numbered.sort_unstable();
    numbered
}

/// References to nodes of groups by their pattern, those that lead to most nodes first.
fn counted(
    heap: &Heap,
    patterns: &mut Patterns<'_>,
    groups: &[Vec<NodeId>],
    referrers: &[(NodeId, usize)],
) -> Vec<Vec<Unwritten>> {
    let wanted = numbered(groups);
    let mut found = Vec::new();
    for &(source, row) in referrers {
        let target = heap.edges.targets[row];
        let pattern = patterns.through(source, row);
        let first = wanted.partition_point(|&(node, _)| node < target);
        let same = wanted[first..].iter().take_while(|&&(node, _)| node == target);
        found.extend(same.map(|&(_, group)| (group, pattern, target, row)));
    }
    found.sort_unstable();
    let mut holders: Vec<Vec<Unwritten>> = groups.iter().map(|_| Vec::new()).collect();
    for same in found.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (group, pattern, _, row) = same[0];
        let count = same.chunk_by(|a, b| a.2 == b.2).count() as u64;
        holders[group].push(Unwritten { pattern, count, references: same.len() as u64, row });
    }
    for holders in &mut holders {
        holders.sort_by_key(|holding| Reverse((holding.count, holding.references)));
    }
    holders
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
