//! What dominates what, as rows to print: heaviest first, alike children merged.

use std::cmp::Reverse;

use crate::alike::{Alike, Group, Key};
use crate::dominators::Dominators;
use crate::edges::{Edge, LabelPattern};
use crate::heap::Heap;
use crate::held_by::{Holding, outer_holders, referrers};
use crate::path::ShownPath;
use crate::patterns::{LONGEST, MergedStep, Patterns};
use crate::shortest::ShortestPaths;
use crate::units::{Bytes, NodeId, TypeId};

/// How much of the dominator tree to lay out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeOptions {
    /// How many levels below the start.
    pub depth: usize,
    /// How many rows below one; the others become a [`TreeWhat::Rest`].
    pub width: usize,
    /// Rows that retain less are left out too.
    pub least: Bytes,
}

/// One row of a tree: nodes that are alike. Rows come in the order they are printed, each before
/// those below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeRow {
    /// Levels below the start.
    pub depth: usize,
    /// Which nodes.
    pub what: TreeWhat,
    /// How many.
    pub count: u64,
    /// What they themselves hold.
    pub held: Bytes,
    /// What they retain. No two rows of one level share a byte.
    pub retained: Bytes,
    /// Whether any size in it is modelled rather than measured.
    pub modelled: bool,
    /// Who refers to them, if none of those alone keeps them alive: the path of the row first, then
    /// those who refer to most; no more than [`Holding::MOST`] are named.
    pub held_by: Vec<ShownPath>,
}

/// What the nodes of a row have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TreeWhat {
    /// How they are held by what dominates them, and their type.
    Alike {
        /// How they are held.
        how: How,
        /// Their type.
        type_id: TypeId,
        /// The one of them that retains most.
        example: NodeId,
    },
    /// What is left out: so many rows.
    Rest(u64),
}

/// How a node is held by what dominates it most directly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum How {
    /// By one reference; written as a step, or as the root it leads to. A step that repeats leads to
    /// the nodes of a linked list.
    Directly(ShownPath),
    /// By several others that it dominates; written as the shortest path from a root.
    ThroughOthers(ShownPath),
}

/// The tree below a node, the node itself first.
#[must_use]
pub fn tree(
    heap: &Heap,
    dominators: &Dominators,
    paths: &ShortestPaths,
    start: NodeId,
    options: TreeOptions,
) -> Vec<TreeRow> {
    let alike = Alike::new(heap, dominators, Patterns::new(heap, paths));
    let mut view = View { heap, dominators, paths, alike };
    let mut rows = Vec::new();
    let key = Key::ThroughOthers(view.alike.patterns.of(start));
    let (type_id, retained) = (heap.nodes.type_of(start), dominators.retained(start));
    let first = Group { key, type_id, retained, nodes: vec![start] };
    let mut pending = vec![(0, Pending::Group(first))];
    let mut shared = Vec::new();
    while let Some((depth, next)) = pending.pop() {
        let (group, repeats) = match next {
            Pending::Rest(row) => {
                rows.push(row);
                shared.push(Shared::default());
                continue;
            }
            Pending::Group(group) => view.run_on(group),
        };
        rows.push(view.row(depth, &group, repeats));
        shared.push(Shared::of(&group, depth));
        if depth == options.depth {
            continue;
        }
        let mut below = view.children(&group.nodes);
        let enough = |group: &&Group| group.retained >= options.least;
        let shown = below.iter().take(options.width).take_while(enough).count();
        let rest = below.split_off(shown);
        if !rest.is_empty() {
            let what = TreeWhat::Rest(rest.len() as u64);
            pending.push((depth + 1, Pending::Rest(view.sum(depth + 1, what, &rest))));
        }
        pending.extend(below.into_iter().rev().map(|group| (depth + 1, Pending::Group(group))));
    }
    view.name_holders(&mut rows, shared);
    rows
}

enum Pending {
    Group(Group),
    Rest(TreeRow),
}

/// The nodes of a row that several things hold, and the pattern of their path; none in other rows.
#[derive(Default)]
struct Shared {
    pattern: u32,
    nodes: Vec<NodeId>,
}

impl Shared {
    fn of(group: &Group, depth: usize) -> Shared {
        match group.key {
            Key::ThroughOthers(pattern) if depth > 0 => {
                Shared { pattern, nodes: group.nodes.clone() }
            }
            _ => Shared::default(),
        }
    }
}

struct View<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    paths: &'a ShortestPaths,
    alike: Alike<'a>,
}

impl View<'_> {
    /// The row of a group, in which nodes may hold others by the same step again.
    fn row(&self, depth: usize, group: &Group, repeats: bool) -> TreeRow {
        let retained = |node: &&NodeId| self.dominators.retained(**node);
        let example = group.nodes.iter().max_by_key(retained).copied().unwrap_or(Heap::ROOT);
        let how = match group.key {
            Key::Directly(label) => {
                let type_id = group.type_id;
                let step = MergedStep { label, type_id, repeats };
                How::Directly(ShownPath::of_step(self.heap, step))
            }
            Key::ThroughOthers(pattern) => {
                // One node has one path: nothing is to be merged.
                let one = Some(example).filter(|_| group.nodes.len() == 1);
                let path = match one.and_then(|n| self.paths.path_within(self.heap, n, LONGEST)) {
                    Some(steps) => ShownPath::of(self.heap, &steps),
                    None => self.alike.patterns.shown(pattern),
                };
                How::ThroughOthers(path)
            }
        };
        let what = TreeWhat::Alike { how, type_id: group.type_id, example };
        self.sum(depth, what, std::slice::from_ref(group))
    }

    fn sum(&self, depth: usize, what: TreeWhat, groups: &[Group]) -> TreeRow {
        let nodes = || groups.iter().flat_map(|group| &group.nodes).copied();
        TreeRow {
            depth,
            what,
            count: nodes().count() as u64,
            held: nodes().map(|node| self.heap.nodes.held(node)).sum(),
            retained: groups.iter().map(|group| group.retained).sum(),
            modelled: nodes().any(|node| self.dominators.retains_modelled(node)),
            held_by: Vec::new(),
        }
    }

    /// A group with all nodes of the linked lists that it is the heads of: those that are held by the
    /// same name and are of the same type again and again, and whether there are any. Otherwise a list would have a level a node.
    fn run_on(&mut self, mut group: Group) -> (Group, bool) {
        let Key::Directly(LabelPattern { label, any: false }) = group.key else {
            return (group, false);
        };
        let type_id = group.type_id;
        let next = |view: &Self, node: NodeId| {
            let is_next = |edge: &Edge| {
                edge.label == label
                    && edge.target != node
                    && view.heap.nodes.type_of(edge.target) == type_id
                    && view.dominators.idom(edge.target) == node
            };
            view.heap.edges.of(node).find(is_next).map(|edge| edge.target)
        };
        let after = |view: &Self, nodes: &[NodeId]| -> Vec<NodeId> {
            nodes.iter().filter_map(|&node| next(view, node)).collect()
        };
        let second = after(self, &group.nodes);
        let kept: Bytes = second.iter().map(|&node| self.dominators.retained(node)).sum();
        // A tree goes on to the left and to the right; of a list, most comes after the first node.
        let is_list = kept.0 / 3 >= group.retained.0 / 4 && !after(self, &second).is_empty();
        let mut more = if is_list { second } else { Vec::new() };
        while !more.is_empty() {
            for &node in &more {
                self.alike.take(node);
                group.nodes.push(node);
            }
            more = after(self, &more);
        }
        (group, is_list)
    }

    /// Names who holds what several things hold.
    fn name_holders(&mut self, rows: &mut [TreeRow], shared: Vec<Shared>) {
        let View { heap, dominators, paths, alike } = self;
        let patterns = &mut alike.patterns;
        let (own, groups): (Vec<u32>, Vec<Vec<NodeId>>) =
            shared.into_iter().map(|shared| (shared.pattern, shared.nodes)).unzip();
        let referrers = referrers(heap, dominators, groups.iter().flatten().copied());
        let found = outer_holders(heap, dominators, patterns, &groups, &groups, &referrers);
        for ((row, own), mut found) in rows.iter_mut().zip(own).zip(found) {
            found.sort_by_key(|holder| holder.pattern != own);
            let named = found.iter().take(Holding::MOST);
            row.held_by = named.map(|holder| holder.written(heap, paths, patterns).path).collect();
        }
    }

    /// What some nodes dominate most directly, alike ones together, heaviest first.
    fn children(&mut self, nodes: &[NodeId]) -> Vec<Group> {
        let mut groups = self.alike.children(nodes, |_| true);
        let first = |group: &Group| group.nodes.first().copied();
        groups.sort_by_cached_key(|group| (Reverse(group.retained), first(group)));
        groups
    }
}
