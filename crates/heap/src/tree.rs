//! What dominates what, as rows to print: heaviest first, alike children merged.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::bits::Bits;
use crate::dominators::Dominators;
use crate::edges::{Edge, LabelPattern};
use crate::heap::Heap;
use crate::held_by::{Holding, direct_holders};
use crate::path::ShownPath;
use crate::patterns::{LONGEST, MergedStep, Patterns, generalised};
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
    /// Who refers to the example, if none of those alone keeps it alive; no more than
    /// [`Holding::MOST`] are named.
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
    let labelled = Bits::new(heap.nodes.len());
    let patterns = Patterns::new(heap, paths);
    let mut view = View { heap, dominators, paths, patterns, labelled };
    let mut rows = Vec::new();
    let key = Key::ThroughOthers(view.patterns.of(start));
    let (type_id, retained) = (heap.nodes.type_of(start), dominators.retained(start));
    let first = Group { key, type_id, retained, nodes: vec![start], repeats: false };
    let mut pending = vec![(0, Pending::Group(first))];
    while let Some((depth, next)) = pending.pop() {
        let group = match next {
            Pending::Rest(row) => {
                rows.push(row);
                continue;
            }
            Pending::Group(group) => view.run_on(group),
        };
        rows.push(view.row(depth, &group));
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
    view.name_holders(&mut rows);
    rows
}

enum Pending {
    Group(Group),
    Rest(TreeRow),
}

/// What tells the children of a node apart, besides their type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Directly(LabelPattern),
    /// By the pattern of the shortest path.
    ThroughOthers(u32),
}

struct Group {
    key: Key,
    type_id: TypeId,
    /// Each byte once.
    retained: Bytes,
    nodes: Vec<NodeId>,
    /// Whether there are nodes among them that others of them hold.
    repeats: bool,
}

struct View<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    paths: &'a ShortestPaths,
    patterns: Patterns<'a>,
    /// The nodes that are in a group already. A node has one dominator, so this is never reset.
    labelled: Bits,
}

impl View<'_> {
    fn row(&self, depth: usize, group: &Group) -> TreeRow {
        let retained = |node: &&NodeId| self.dominators.retained(**node);
        let example = group.nodes.iter().max_by_key(retained).copied().unwrap_or(Heap::ROOT);
        let how = match group.key {
            Key::Directly(label) => {
                let (type_id, repeats) = (group.type_id, group.repeats);
                let step = MergedStep { label, type_id, repeats };
                How::Directly(ShownPath::of_step(self.heap, step))
            }
            Key::ThroughOthers(pattern) => {
                // One node has one path: nothing is to be merged.
                let one = Some(example).filter(|_| group.nodes.len() == 1);
                let path = match one.and_then(|n| self.paths.path_within(self.heap, n, LONGEST)) {
                    Some(steps) => ShownPath::of(self.heap, &steps),
                    None => self.patterns.shown(pattern),
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
    /// same name and are of the same type again and again. Otherwise a list would have a level a node.
    fn run_on(&mut self, mut group: Group) -> Group {
        let Key::Directly(LabelPattern { label, any: false }) = group.key else { return group };
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
        group.repeats = is_list;
        while !more.is_empty() {
            for &node in &more {
                self.labelled.set(node.index());
                group.nodes.push(node);
            }
            more = after(self, &more);
        }
        group
    }

    /// Names who holds what several things hold.
    fn name_holders(&mut self, rows: &mut [TreeRow]) {
        let shared = |row: &TreeRow| match &row.what {
            TreeWhat::Alike { how: How::ThroughOthers(_), example, .. } if row.depth > 0 => {
                vec![*example]
            }
            _ => Vec::new(),
        };
        let examples: Vec<Vec<NodeId>> = rows.iter().map(shared).collect();
        let View { heap, dominators, paths, patterns, .. } = self;
        let found = direct_holders(heap, dominators, patterns, &examples);
        for (row, found) in rows.iter_mut().zip(found) {
            let named = found.iter().take(Holding::MOST);
            row.held_by = named.map(|holder| holder.written(heap, paths, patterns).path).collect();
        }
    }

    /// What some nodes dominate most directly, alike ones together, heaviest first.
    fn children(&mut self, nodes: &[NodeId]) -> Vec<Group> {
        let (heap, dominators) = (self.heap, self.dominators);
        let mut groups: FxHashMap<(Key, TypeId), Vec<NodeId>> = FxHashMap::default();
        let mut add = |key: Key, child: NodeId| {
            groups.entry((key, heap.nodes.type_of(child))).or_default().push(child);
        };
        for &node in nodes {
            for edge in heap.edges.of(node).filter(|edge| edge.label.is_strong()) {
                let is_child = dominators.idom(edge.target) == node && edge.target != node;
                if is_child && !self.labelled.get(edge.target.index()) {
                    self.labelled.set(edge.target.index());
                    let siblings = heap.edges.range(node).len();
                    let label = match nodes {
                        [_] => generalised(edge.label, siblings),
                        _ => edge.label.generalised(),
                    };
                    add(Key::Directly(label), edge.target);
                }
            }
            for child in dominators.children(node) {
                if !self.labelled.get(child.index()) {
                    add(Key::ThroughOthers(self.patterns.of(child)), child);
                }
            }
        }
        let group = |((key, type_id), nodes): ((Key, TypeId), Vec<NodeId>)| {
            let retained = nodes.iter().map(|&node| dominators.retained(node)).sum();
            Group { key, type_id, retained, nodes, repeats: false }
        };
        let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
        let first = |group: &Group| group.nodes.first().copied();
        groups.sort_by_cached_key(|group| (Reverse(group.retained), first(group)));
        groups
    }
}
