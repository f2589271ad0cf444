//! Who alone keeps what alive: the dominator tree from the named roots, and retained sizes.

mod counted;
mod layout;
mod lengauer_tarjan;
mod search;

use crate::heap::Heap;
use crate::units::{Bytes, NodeId};
use counted::Counted;
use layout::Solved;

/// The dominator tree of a heap. A node dominates what would be freed with it.
///
/// Which references count:
/// - strong ones, those found conservatively included;
/// - between objects, those within one [`Layer`](crate::Layer);
/// - from a root that is no object, those to its own layer
///   ([`RootKind::layer`](crate::RootKind::layer)) and higher ones, so that native holders adopt
///   only what no name reaches;
/// - from the super root, all.
///
/// What is the interpreter's own ([`NodeFlags::INTERPRETER`](crate::NodeFlags::INTERPRETER)) is also
/// held by the immortal root (or, without one, by the super root), so that nothing else retains it.
/// What is not reached at all is a child of the super root, and its references count for nothing.
///
/// Invariant: all columns but `positions` are by position, in preorder: the nodes that the one at
/// position `p` dominates are those at `p..p + sizes[p]`, itself first.
///
/// ```
/// use deadweight_heap::*;
/// let mut b = HeapBuilder::new(SizeModel::cpython_x86_64());
/// let root = b.add_pseudo_type("root");
/// let list = b.add_type("list", "", TypeKind::Native, Addr(0x100));
/// b.push_pseudo(root, Addr::NULL)?;
/// b.push_edge(NodeId(1), Label::at(EdgeKind::Root, 0));
/// b.push_object(Addr(0x1000), list, Bytes(64), Bytes(56), NodeFlags::default())?;
/// b.push_edge(NodeId(2), Label::at(EdgeKind::Item, 0));
/// b.push_object(Addr(0x2000), list, Bytes(32), Bytes(32), NodeFlags::default())?;
/// let name = b.names.intern("app");
/// b.add_root(RootKind::Module, name, NodeId(1));
/// let heap = b.finish()?;
///
/// let dominators = Dominators::of(&heap);
/// assert_eq!(dominators.idom(NodeId(2)), NodeId(1));
/// assert_eq!(dominators.retained(NodeId(1)), Bytes(96));
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Dominators {
    /// The position of each node.
    positions: Vec<u32>,
    order: Vec<NodeId>,
    sizes: Vec<u32>,
    /// The position of the immediate dominator.
    parents: Vec<u32>,
    retained: Vec<u64>,
    /// The positions of what has a modelled size, rising. There are few or none.
    modelled: Vec<u32>,
}

impl Dominators {
    /// The dominator tree of a heap, in nearly linear time whatever its shape.
    #[must_use]
    pub fn of(heap: &Heap) -> Dominators {
        let (found, referrers) = {
            let mut counted = Counted::of(heap);
            (search::search(heap, &mut counted), counted.referrers)
        };
        let dominators = lengauer_tarjan::solve(found.links, found.immortal, &referrers);
        drop(referrers);
        let (vertices, leaves, leaf_ends) = (found.vertices, found.leaves, found.leaf_ends);
        let solved = Solved { vertices, dominators, leaves, leaf_ends };
        layout::lay_out(heap, &solved)
    }

    /// The node that alone keeps this one alive, most directly. The super root's is itself.
    #[must_use]
    pub fn idom(&self, node: NodeId) -> NodeId {
        self.order[self.parents[self.position(node)] as usize]
    }

    /// What would be freed with this node: what it holds, and what it dominates holds.
    #[must_use]
    pub fn retained(&self, node: NodeId) -> Bytes {
        Bytes(self.retained[self.position(node)])
    }

    /// Whether any size in what this node retains is modelled rather than measured.
    #[must_use]
    pub fn retains_modelled(&self, node: NodeId) -> bool {
        let start = self.positions[node.index()];
        let end = start + self.sizes[start as usize];
        let next = self.modelled.partition_point(|&position| position < start);
        self.modelled.get(next).is_some_and(|&position| position < end)
    }

    /// The nodes this one dominates most directly.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let start = self.position(node);
        let end = start + self.sizes[start] as usize;
        let mut next = start + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then(|| self.order[next])?;
            next += self.sizes[next] as usize;
            Some(child)
        })
    }

    /// This node and all it dominates, each before what it dominates itself.
    #[must_use]
    pub fn subtree(&self, node: NodeId) -> &[NodeId] {
        let start = self.position(node);
        &self.order[start..start + self.sizes[start] as usize]
    }

    /// Whether the first node dominates the second. Every node dominates itself.
    #[must_use]
    pub fn dominates(&self, first: NodeId, second: NodeId) -> bool {
        let start = self.position(first);
        (start..start + self.sizes[start] as usize).contains(&self.position(second))
    }

    /// What would be freed with all of these nodes that no other of them dominates: each byte once.
    ///
    /// A lower bound of what would be freed if they all went at once: what only several of them
    /// together keep alive is none of theirs.
    #[must_use]
    pub fn retained_by_all(&self, nodes: &[NodeId]) -> Bytes {
        let mut positions: Vec<u32> = nodes.iter().map(|&id| self.positions[id.index()]).collect();
        positions.sort_unstable();
        let mut union = Union::default();
        positions.into_iter().map(|position| union.add(self, position as usize)).sum()
    }

    /// The place of a node in preorder.
    pub(crate) fn position(&self, node: NodeId) -> usize {
        self.positions[node.index()] as usize
    }

    /// The node at a place in preorder.
    pub(crate) fn at(&self, position: usize) -> NodeId {
        self.order[position]
    }
}

/// Adds up retained sizes of nodes that come in preorder, counting what is nested once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Union {
    covered: usize,
}

impl Union {
    /// What the node at this position adds.
    pub(crate) fn add(&mut self, dominators: &Dominators, position: usize) -> Bytes {
        if position < self.covered {
            return Bytes(0);
        }
        self.covered = position + dominators.sizes[position] as usize;
        Bytes(dominators.retained[position])
    }
}
