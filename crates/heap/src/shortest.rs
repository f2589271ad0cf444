//! Why something is alive: the shortest path to every node from the best ground there is for it.

use crate::edges::Label;
use crate::heap::Heap;
use crate::roots::RootKind;
use crate::units::NodeId;

const NONE: u32 = u32::MAX;

/// One step of a path: the reference taken, and the node it leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The reference; that of a path's first step names the root.
    pub label: Label,
    /// Where it leads.
    pub node: NodeId,
}

/// A shortest path to every node that any root reaches.
///
/// Better grounds win over shorter paths: known layouts from a named root, then temporaries of frames
/// and references found conservatively too, then roots without a name, then what waits for the
/// collector. Of equally short paths, that of the root earlier in the root table wins.
#[derive(Clone, Debug)]
pub struct ShortestPaths {
    /// The reference by which each node was reached, by row.
    rows: Vec<u32>,
}

impl ShortestPaths {
    /// The paths of a heap, by breadth-first search.
    #[must_use]
    pub fn of(heap: &Heap) -> ShortestPaths {
        let mut search = Search { heap, rows: vec![NONE; heap.nodes.len()] };
        let named = search.enter(RootKind::is_named);
        let strict = search.spread(named, Label::is_firm);
        search.widen(&strict);
        drop(strict);
        let unnamed = search.enter(|kind| kind != RootKind::Garbage);
        search.spread(unnamed, |_| true);
        let garbage = search.enter(|_| true);
        search.spread(garbage, |_| true);
        ShortestPaths { rows: search.rows }
    }

    /// The reference by which a node was reached, by row.
    #[must_use]
    pub fn row_to(&self, node: NodeId) -> Option<usize> {
        let row = self.rows[node.index()];
        (row != NONE).then_some(row as usize)
    }

    /// The node before this one on its path, and the reference between them. For a root, the super
    /// root; for what nothing reaches, nothing.
    #[must_use]
    pub fn before(&self, heap: &Heap, node: NodeId) -> Option<(NodeId, Label)> {
        let row = self.row_to(node)?;
        Some((heap.edges.source_of(row), heap.edges.labels[row]))
    }

    /// The path to a node, root first; empty if nothing reaches it.
    #[must_use]
    pub fn path_to(&self, heap: &Heap, node: NodeId) -> Vec<Step> {
        let mut steps: Vec<Step> = self.back_from(heap, node).collect();
        steps.reverse();
        steps
    }

    /// The same, if there are at most so many steps: of a long one, no more are taken.
    pub(crate) fn path_within(&self, heap: &Heap, node: NodeId, most: usize) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = self.back_from(heap, node).take(most + 1).collect();
        steps.reverse();
        (steps.len() <= most).then_some(steps)
    }

    /// The steps of the path to a node, last one first.
    fn back_from(&self, heap: &Heap, node: NodeId) -> impl Iterator<Item = Step> {
        let mut next = node;
        std::iter::from_fn(move || {
            let (before, label) = self.before(heap, next)?;
            Some(Step { label, node: std::mem::replace(&mut next, before) })
        })
    }
}

/// Nodes in the order they were reached, and where each distance from the roots begins.
#[derive(Default)]
struct Reached {
    nodes: Vec<NodeId>,
    levels: Vec<usize>,
}

struct Search<'a> {
    heap: &'a Heap,
    rows: Vec<u32>,
}

impl Search<'_> {
    /// The roots of these kinds that nothing better reached, in the order of the root table.
    fn enter(&mut self, admits: impl Fn(RootKind) -> bool) -> Vec<NodeId> {
        let heap = self.heap;
        let root_of = |row: &usize| heap.root(heap.edges.labels[*row].payload());
        let admitted = |row: &usize| root_of(row).is_some_and(|root| admits(root.kind));
        let mut entries: Vec<usize> = heap.edges.range(Heap::ROOT).filter(admitted).collect();
        entries.sort_by_key(|&row| heap.edges.labels[row].payload());
        let mut reached = Vec::new();
        for row in entries {
            self.take(row, &mut reached);
        }
        reached
    }

    /// Reaches the target of a reference, unless it is reached already.
    #[inline]
    fn take(&mut self, row: usize, reached: &mut Vec<NodeId>) {
        let target = self.heap.edges.targets[row];
        let known = &mut self.rows[target.index()];
        if *known == NONE && target != Heap::ROOT {
            *known = row as u32;
            reached.push(target);
        }
    }

    /// Follows the admitted references of one node.
    #[inline]
    fn follow(&mut self, node: NodeId, admits: impl Fn(Label) -> bool, reached: &mut Vec<NodeId>) {
        for row in self.heap.edges.range(node) {
            let label = self.heap.edges.labels[row];
            if label.is_strong() && admits(label) {
                self.take(row, reached);
            }
        }
    }

    /// Breadth first from nodes just entered.
    fn spread(&mut self, entered: Vec<NodeId>, admits: impl Fn(Label) -> bool + Copy) -> Reached {
        let mut reached = Reached { nodes: entered, levels: Vec::new() };
        let mut done = 0;
        while done < reached.nodes.len() {
            reached.levels.push(done);
            let end = reached.nodes.len();
            for at in done..end {
                self.follow(reached.nodes[at], admits, &mut reached.nodes);
            }
            done = end;
        }
        reached
    }

    /// Breadth first from all that is reached, by references that are not firm and whatever follows.
    fn widen(&mut self, strict: &Reached) {
        let mut frontier = Vec::new();
        let mut next = Vec::new();
        let mut level = 0;
        while level < strict.levels.len() || !frontier.is_empty() {
            let start = strict.levels.get(level).copied().unwrap_or(strict.nodes.len());
            let end = strict.levels.get(level + 1).copied().unwrap_or(strict.nodes.len());
            for &node in &strict.nodes[start..end] {
                self.follow(node, |label| !label.is_firm(), &mut next);
            }
            for &node in &frontier {
                self.follow(node, |_| true, &mut next);
            }
            frontier.clear();
            std::mem::swap(&mut frontier, &mut next);
            level += 1;
        }
    }
}
