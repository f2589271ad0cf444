//! Lays the dominator tree out in preorder: what a node keeps alive follows it without a gap.

use super::Dominators;
use crate::heap::Heap;
use crate::nodes::NodeFlags;
use crate::units::NodeId;

const UNPLACED: u32 = u32::MAX;

/// The numbered nodes of a search with their dominators, and the leaves beside them.
pub(super) struct Solved {
    pub(super) vertices: Vec<NodeId>,
    pub(super) dominators: Vec<u32>,
    pub(super) leaves: Vec<NodeId>,
    pub(super) leaf_ends: Vec<u32>,
}

impl Solved {
    fn leaves(&self, number: usize) -> &[NodeId] {
        let start = number.checked_sub(1).map_or(0, |before| self.leaf_ends[before]);
        &self.leaves[start as usize..self.leaf_ends[number] as usize]
    }

    /// How many nodes each numbered one dominates, itself included.
    fn sizes(&self) -> Vec<u32> {
        let own = |number| 1 + self.leaves(number).len() as u32;
        let mut sizes: Vec<u32> = (0..self.vertices.len()).map(own).collect();
        // A dominator has a smaller number than what it dominates.
        for number in (1..sizes.len()).rev() {
            sizes[self.dominators[number] as usize] += sizes[number];
        }
        sizes
    }
}

/// The dominator tree of all nodes; those that no root reaches are children of the super root.
pub(super) fn lay_out(heap: &Heap, solved: &Solved) -> Dominators {
    let nodes = heap.nodes.len();
    let mut tree = Dominators {
        positions: vec![UNPLACED; nodes],
        order: vec![Heap::ROOT; nodes],
        sizes: vec![1; nodes],
        parents: vec![0; nodes],
        retained: vec![0; nodes],
        modelled: Vec::new(),
    };
    // Where the next child of each numbered node goes.
    let mut next = vec![0; solved.vertices.len()];
    let sizes = solved.sizes();
    for (number, &node) in solved.vertices.iter().enumerate() {
        let dominator = solved.dominators[number] as usize;
        let position = next[dominator];
        next[dominator] += sizes[number];
        tree.positions[node.index()] = position;
        let parent = tree.positions[solved.vertices[dominator].index()];
        tree.place(node, position, parent);
        tree.sizes[position as usize] = sizes[number];
        let leaves = solved.leaves(number);
        for (&leaf, at) in leaves.iter().zip(position + 1..) {
            tree.place(leaf, at, position);
        }
        next[number] = position + 1 + leaves.len() as u32;
    }
    let mut end = sizes[0];
    for node in heap.nodes.ids() {
        if tree.positions[node.index()] == UNPLACED {
            tree.place(node, end, 0);
            end += 1;
        }
    }
    tree.sizes[0] = end;
    tree.weigh(heap);
    tree
}

impl Dominators {
    fn place(&mut self, node: NodeId, position: u32, parent: u32) {
        self.positions[node.index()] = position;
        self.order[position as usize] = node;
        self.parents[position as usize] = parent;
    }

    /// Adds up what each node holds and dominates. In preorder, children come after their parent.
    fn weigh(&mut self, heap: &Heap) {
        let mut modelled = Vec::new();
        for position in (0..self.order.len()).rev() {
            if heap.nodes.flags(self.order[position]).has(NodeFlags::MODELLED) {
                modelled.push(position as u32);
            }
            let held = heap.nodes.held(self.order[position]).0;
            let retained = self.retained[position].saturating_add(held);
            self.retained[position] = retained;
            if position > 0 {
                let parent = &mut self.retained[self.parents[position] as usize];
                *parent = parent.saturating_add(retained);
            }
        }
        modelled.reverse();
        self.modelled = modelled;
    }
}
