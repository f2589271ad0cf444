//! Nodes that are alike: of one type, and reached alike from what most directly keeps them alive.

use rustc_hash::FxHashMap;

use crate::bits::Bits;
use crate::dominators::Dominators;
use crate::edges::LabelPattern;
use crate::heap::Heap;
use crate::patterns::{Patterns, generalised};
use crate::units::{Bytes, NodeId, TypeId};

/// What tells the children of a node apart, besides their type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// By the reference that leads there.
    Directly(LabelPattern),
    /// By the pattern of the shortest path.
    ThroughOthers(u32),
}

/// Nodes that are alike.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) key: Key,
    pub(crate) type_id: TypeId,
    /// What they keep alive, each byte once.
    pub(crate) retained: Bytes,
    pub(crate) nodes: Vec<NodeId>,
}

/// Groups what nodes dominate most directly.
pub(crate) struct Alike<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    pub(crate) patterns: Patterns<'a>,
    /// The nodes that are in a group already. A node has one dominator, so this is never reset.
    grouped: Bits,
}

impl<'a> Alike<'a> {
    pub(crate) fn new(
        heap: &'a Heap,
        dominators: &'a Dominators,
        patterns: Patterns<'a>,
    ) -> Alike<'a> {
        Alike { heap, dominators, patterns, grouped: Bits::new(heap.nodes.len()) }
    }

    /// Takes a node as part of a group.
    pub(crate) fn take(&mut self, node: NodeId) {
        self.grouped.set(node.index());
    }

    /// What some nodes dominate most directly and is wanted, in no order.
    pub(crate) fn children(
        &mut self,
        nodes: &[NodeId],
        wanted: impl Fn(NodeId) -> bool,
    ) -> Vec<Group> {
        let (heap, dominators) = (self.heap, self.dominators);
        let mut groups: FxHashMap<(Key, TypeId), Vec<NodeId>> = FxHashMap::default();
        let mut add = |key: Key, child: NodeId| {
            groups.entry((key, heap.nodes.type_of(child))).or_default().push(child);
        };
        for &node in nodes {
            for edge in heap.edges.of(node).filter(|edge| edge.label.is_strong()) {
                let is_child = dominators.idom(edge.target) == node && edge.target != node;
                if is_child && !self.grouped.get(edge.target.index()) && wanted(edge.target) {
                    self.grouped.set(edge.target.index());
                    let siblings = heap.edges.range(node).len();
                    let label = match nodes {
                        [_] => generalised(edge.label, siblings),
                        _ => edge.label.generalised(),
                    };
                    add(Key::Directly(label), edge.target);
                }
            }
            for child in dominators.children(node) {
                if !self.grouped.get(child.index()) && wanted(child) {
                    self.grouped.set(child.index());
                    add(Key::ThroughOthers(self.patterns.of(child)), child);
                }
            }
        }
        let group = |((key, type_id), nodes): ((Key, TypeId), Vec<NodeId>)| {
            let retained = nodes.iter().map(|&node| dominators.retained(node)).sum();
            Group { key, type_id, retained, nodes }
        };
        groups.into_iter().map(group).collect()
    }
}
