//! Depth-first search from the roots: numbers the nodes that need work and notes their referrers.

use super::counted::{Counted, task};
use crate::bits::Bits;
use crate::heap::Heap;
use crate::nodes::NodeFlags;
use crate::units::NodeId;

/// What is known of one numbered node. Sixteen bytes, so that one look is one cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    /// The parent in the search tree; later, an ancestor of it (compressed paths).
    pub(super) ancestor: u32,
    /// The node's task (for a run, where it ends); once the node is linked, the best node on the
    /// path up to `ancestor`.
    pub(super) label: u32,
    /// The semidominator of `label`.
    pub(super) best: u32,
    /// Next in its bucket; after that, the dominator, or a node that shares it.
    pub(super) next: u32,
}

/// The numbered nodes, in the order they were met, and the leaves beside them.
pub(super) struct Search {
    /// The node of each number; number 0 is the super root.
    pub(super) vertices: Vec<NodeId>,
    /// By number.
    pub(super) links: Vec<Link>,
    /// Leaves, by the number of their holder.
    pub(super) leaves: Vec<NodeId>,
    /// Where the leaves of each number end in `leaves`.
    pub(super) leaf_ends: Vec<u32>,
    /// The number of the immortal root. Everything numbered after it is reached through it alone.
    pub(super) immortal: Option<u32>,
}

/// A node whose successors wait in `pending` from `base` on.
struct Frame {
    number: u32,
    base: u32,
}

struct Walk<'a> {
    heap: &'a Heap,
    counted: &'a mut Counted,
    met: Bits,
    search: Search,
    /// Successors not visited yet. All references of a node are looked at in one go: their cache
    /// misses overlap, which makes this much faster than descending at each.
    pending: Vec<NodeId>,
    frames: Vec<Frame>,
}

/// Numbers everything that the roots reach, what is reached through the immortal root alone last:
/// so a node of the interpreter's is held by the immortal root exactly if it is numbered after it.
pub(super) fn search(heap: &Heap, counted: &mut Counted) -> Search {
    let immortal = counted.immortal;
    let mut walk = Walk {
        heap,
        counted,
        met: Bits::new(heap.nodes.len()),
        search: Search {
            vertices: Vec::new(),
            links: Vec::new(),
            leaves: Vec::new(),
            leaf_ends: Vec::new(),
            immortal: None,
        },
        pending: Vec::new(),
        frames: Vec::new(),
    };
    walk.number(Heap::ROOT, 0);
    for &target in heap.edges.targets(Heap::ROOT) {
        if Some(target) != immortal {
            walk.descend(target, 0);
        }
    }
    let holder = immortal.map_or(0, |node| {
        let number = walk.search.vertices.len() as u32;
        walk.descend(node, 0);
        walk.search.immortal = Some(number);
        number
    });
    let own = heap.nodes.ids().filter(|&id| heap.nodes.flags(id).has(NodeFlags::INTERPRETER));
    own.for_each(|node| walk.descend(node, holder));
    let Walk { mut search, counted, .. } = walk;
    for (link, node) in search.links.iter_mut().zip(&search.vertices) {
        link.label = counted.tasks[node.index()];
    }
    search
}

impl Walk<'_> {
    /// Visits a node, if it is new, and all it reaches.
    fn descend(&mut self, node: NodeId, parent: u32) {
        self.pending.push(node);
        self.drain(parent);
    }

    /// Visits what is pending, and all it reaches. What is left at the bottom is `parent`'s.
    fn drain(&mut self, parent: u32) {
        self.frames.push(Frame { number: parent, base: 0 });
        while let Some(&Frame { number, base }) = self.frames.last() {
            if self.pending.len() == base as usize {
                self.frames.pop();
                continue;
            }
            let Some(node) = self.pending.pop() else { continue };
            if !self.met.get(node.index()) {
                self.visit(node, number);
            }
        }
    }

    fn visit(&mut self, node: NodeId, parent: u32) {
        let base = self.pending.len();
        let number = self.number(node, parent);
        for row in self.heap.edges.range(node) {
            if self.counted.rows.get(row) {
                self.meet(self.heap.edges.targets[row], number);
            }
        }
        self.search.leaf_ends[number as usize] = self.search.leaves.len() as u32;
        if self.pending.len() > base {
            self.frames.push(Frame { number, base: base as u32 });
        }
    }

    /// Gives a node its number.
    fn number(&mut self, node: NodeId, parent: u32) -> u32 {
        let number = self.search.vertices.len() as u32;
        let task = &mut self.counted.tasks[node.index()];
        if *task == task::INTERPRETER {
            *task = task::KNOWN;
        }
        self.met.set(node.index());
        self.search.vertices.push(node);
        self.search.links.push(Link { ancestor: parent, label: 0, best: 0, next: 0 });
        self.search.leaf_ends.push(self.search.leaves.len() as u32);
        number
    }

    /// Notes one reference that counts.
    fn meet(&mut self, target: NodeId, source: u32) {
        match self.counted.tasks[target.index()] {
            task::KNOWN => {}
            task::LEAF => self.search.leaves.push(target),
            task::SINGLE | task::INTERPRETER => self.pending.push(target),
            free => {
                self.counted.referrers[free as usize] = source;
                self.counted.tasks[target.index()] = free + 1;
                if !self.met.get(target.index()) {
                    self.pending.push(target);
                }
            }
        }
    }
}
