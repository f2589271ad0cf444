//! The part of the dominator tree that is heavy enough to be looked at, and which of it may have rows.

use rustc_hash::FxHashMap;

use crate::dominators::Dominators;
use crate::edges::{EdgeKind, Label};
use crate::heap::Heap;
use crate::holder::is_dict;
use crate::nodes::NodeFlags;
use crate::shared::Shared;
use crate::shortest::ShortestPaths;
use crate::types::TypeKind;
use crate::units::{Bytes, NodeId};

/// What is less than this part of the heap is worth no row.
const LEAST_PART: u64 = 1000;

/// The part of the dominator tree that is heavy enough to be looked at, and where names lead on to.
/// Whatever dominates one of its nodes belongs to it too.
pub(crate) struct Summit<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    pub(crate) least: Bytes,
    /// What may have a row of its own, or one below it, in preorder.
    peaks: Vec<Peak>,
}

struct Peak {
    node: NodeId,
    /// The immediate dominator, as a row of `peaks`.
    parent: usize,
    /// The parent's reference to it, if there is one.
    label: Option<Label>,
    /// Whether it holds what the program calls by name: a root, a module, a class, the attributes
    /// of something. These are often shared, so that others than their owner dominate them.
    is_scope: bool,
    /// Whether it may still have a row, or one below it.
    is_open: bool,
    /// Steps from the root.
    depth: usize,
}

impl<'a> Summit<'a> {
    pub(crate) fn of(
        heap: &'a Heap,
        dominators: &'a Dominators,
        paths: &ShortestPaths,
    ) -> Summit<'a> {
        let least = Bytes((dominators.retained(Heap::ROOT).0 / LEAST_PART).max(1));
        let top = Peak {
            node: Heap::ROOT,
            parent: 0,
            label: None,
            is_scope: true,
            is_open: true,
            depth: 0,
        };
        let mut summit = Summit { heap, dominators, least, peaks: vec![top] };
        let mut labels = summit.labels_below(Heap::ROOT);
        let mut position = 1;
        while position < heap.nodes.len() {
            let node = dominators.at(position);
            let is_heavy = dominators.retained(node) >= least;
            let peak = is_heavy.then(|| summit.peak(node, labels.remove(&node), paths));
            if let Some(peak) =
                peak.filter(|peak| peak.is_open && summit.leads_on(peak) && !summit.recurs(peak))
            {
                labels.extend(summit.labels_below(node));
                summit.peaks.push(peak);
                position += 1;
            } else {
                position += dominators.subtree(node).len();
            }
        }
        summit.close_below();
        summit
    }

    fn row_of(&self, node: NodeId) -> Option<usize> {
        let position = self.dominators.position(node);
        self.peaks.binary_search_by_key(&position, |peak| self.dominators.position(peak.node)).ok()
    }

    /// A node whose immediate dominator is a peak already.
    fn peak(&self, node: NodeId, label: Option<Label>, paths: &ShortestPaths) -> Peak {
        let parent = self.row_of(self.dominators.idom(node)).unwrap_or(0);
        let on_path = paths.before(self.heap, node).map(|(_, label)| label);
        let is_scope = on_path.is_some_and(|label| is_dict(self.heap, label))
            || !self.heap.nodes.is_object(node)
            || matches!(self.heap.type_name(node), "module" | "type");
        let depth = self.peaks[parent].depth + 1;
        Peak { node, parent, label, is_scope, is_open: self.peaks[parent].is_open, depth }
    }

    /// By what a node refers to the heavy ones below it.
    fn labels_below(&self, node: NodeId) -> FxHashMap<NodeId, Label> {
        let mut labels = FxHashMap::default();
        for edge in self.heap.edges.of(node).filter(|edge| edge.label.is_strong()) {
            if self.dominators.retained(edge.target) >= self.least
                && self.dominators.idom(edge.target) == node
            {
                labels.entry(edge.target).or_insert(edge.label);
            }
        }
        labels
    }

    /// Whether a peak is more than one element among many.
    fn leads_on(&self, peak: &Peak) -> bool {
        let is_element = match peak.label.map(Label::kind) {
            None => !self.peaks[peak.parent].is_scope,
            Some(kind) => matches!(
                kind,
                EdgeKind::Item
                    | EdgeKind::Entry
                    | EdgeKind::NamedEntry
                    | EdgeKind::Key
                    | EdgeKind::Stack
            ),
        };
        let whole = self.dominators.retained(self.peaks[peak.parent].node).0;
        !is_element || self.dominators.retained(peak.node).0 >= whole / 10 * 3
    }

    /// Whether a peak is the attribute dict of its dominator.
    fn is_dict(&self, peak: &Peak) -> bool {
        peak.label.is_some_and(|label| is_dict(self.heap, label))
    }

    /// Whether the types above a peak say that it is part of a linked structure, whose head has the
    /// row: lists of lists are ordinary, a class within itself is a list or a tree. Closes what is
    /// between the two.
    fn recurs(&mut self, peak: &Peak) -> bool {
        const DEEPEST: usize = 64;
        const ORDINARY: usize = 8;
        let type_id = self.heap.nodes.type_of(peak.node);
        let allowed = match self.heap.types.get(type_id).kind {
            TypeKind::Python => 0,
            TypeKind::Native => ORDINARY,
            TypeKind::Pseudo => DEEPEST,
        };
        let mut same = Vec::new();
        let mut row = peak.parent;
        while row != 0 {
            let above = &self.peaks[row];
            if self.heap.nodes.type_of(above.node) == type_id && !above.is_scope {
                same.push(row);
            }
            row = above.parent;
        }
        let recurs = !peak.is_scope && same.len() > allowed;
        if recurs && let Some(&head) = same.last() {
            let mut between = peak.parent;
            while between != head {
                self.peaks[between].is_open = false;
                between = self.peaks[between].parent;
            }
        }
        recurs || peak.depth > DEEPEST
    }

    /// Closes what is alike and shared: it has one row together.
    pub(crate) fn close(&mut self, shared: &[Shared]) {
        for node in shared.iter().flat_map(|shared| &shared.nodes) {
            if let Some(row) = self.row_of(*node) {
                self.peaks[row].is_open = false;
            }
        }
        self.close_below();
    }

    fn close_below(&mut self) {
        for row in 1..self.peaks.len() {
            self.peaks[row].is_open &= self.peaks[self.peaks[row].parent].is_open;
        }
    }

    /// Whether things that several hold may gather below a peak: where the program's names are, or in
    /// an instance of a class made in Python. What items of one container share goes with it.
    fn gathers(&self, row: usize) -> bool {
        let peak = &self.peaks[row];
        let type_id = self.heap.nodes.type_of(peak.node);
        peak.is_scope || self.heap.types.get(type_id).kind == TypeKind::Python
    }

    /// The nodes where such things may gather, in preorder.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = NodeId> + '_ {
        let open = |&row: &usize| {
            let Peak { node, is_open, .. } = self.peaks[row];
            is_open && self.gathers(row) && !self.is_interpreters(node)
        };
        (0..self.peaks.len()).filter(open).map(|row| self.peaks[row].node)
    }

    /// Whether several may hold a node that may have a row, or be above one.
    fn may_be_shared(&self, row: usize) -> bool {
        let Peak { parent, is_scope, is_open, .. } = self.peaks[row];
        row > 0 && is_open && !is_scope && self.gathers(parent)
    }

    /// Such nodes.
    pub(crate) fn named(&self) -> impl Iterator<Item = NodeId> + '_ {
        let rows = (0..self.peaks.len()).filter(|&row| self.may_be_shared(row));
        rows.map(|row| self.peaks[row].node)
    }

    /// The same, from a node up to the root.
    pub(crate) fn named_above(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let above = |&row: &usize| Some(self.peaks[row].parent).filter(|_| row > 0);
        let above = std::iter::successors(self.row_of(node), above);
        above.filter(|&row| self.may_be_shared(row)).map(|row| self.peaks[row].node)
    }

    /// From the leaves up: who keeps enough alive that no row below accounts for, each with that much.
    /// What is shared below them has rows too.
    pub(crate) fn holders(&self, shared: &[Shared]) -> Vec<(NodeId, Bytes)> {
        let mut holders = Vec::new();
        let mut explained = vec![Bytes(0); self.peaks.len()];
        for shared in shared {
            let scope = self.dominators.idom(shared.nodes[0]);
            explained[self.row_of(scope).unwrap_or(0)] += shared.weight;
        }
        for (row, peak) in self.peaks.iter().enumerate().skip(1).rev() {
            let retained = self.dominators.retained(peak.node);
            let rest = retained - explained[row];
            let enough = rest >= self.least && (rest.0 >= retained.0 / 4 || peak.is_scope);
            if peak.is_open && enough && !self.is_dict(peak) && !self.is_interpreters(peak.node) {
                holders.push((peak.node, rest));
                explained[row] = retained;
            }
            let here = explained[row];
            explained[peak.parent] += here;
        }
        holders
    }

    /// Whether a node may have a row, or something below it.
    pub(crate) fn is_open(&self, node: NodeId) -> bool {
        self.row_of(node).is_some_and(|row| self.peaks[row].is_open)
    }

    fn is_interpreters(&self, node: NodeId) -> bool {
        self.heap.nodes.flags(node).has(NodeFlags::INTERPRETER)
            || self.heap.immortal_root() == Some(node)
    }
}
