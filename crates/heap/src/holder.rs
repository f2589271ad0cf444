//! What holds many nodes by one path, and what would go with it.

use crate::dominators::{Dominators, Union};
use crate::edges::{EdgeKind, Label};
use crate::heap::Heap;
use crate::path::{DICT, ShownPath};
use crate::patterns::MergedStep;
use crate::shortest::ShortestPaths;
use crate::units::{Bytes, NodeId};

/// The last single object of a path of some nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The node.
    pub node: NodeId,
    /// How it is reached.
    pub path: ShownPath,
    /// How much of what the nodes retain would go if it went, and nothing else did.
    pub frees: Bytes,
}

impl Holder {
    /// The holder of some nodes, in preorder, whose paths have these steps. Nothing if all of them
    /// would go with it, if one of them keeps it alive, or if it holds whatever a program has names
    /// for.
    pub(crate) fn of(
        heap: &Heap,
        paths: &ShortestPaths,
        dominators: &Dominators,
        nodes: &[NodeId],
        steps: &[MergedStep],
    ) -> Option<Holder> {
        let path = paths.path_to(heap, *nodes.first()?);
        let is_many = |step: &MergedStep| step.label.any || step.repeats;
        let many = steps.iter().position(is_many).unwrap_or(steps.len().checked_sub(1)?);
        let mut path = path.get(..many)?;
        // Attributes belong to an object: that is what a person lets go of.
        while path.last().is_some_and(|step| is_dict(heap, step.label)) {
            path = &path[..path.len() - 1];
        }
        let holder = path.last()?.node;
        let is_kept = |node: &NodeId| dominators.dominates(holder, *node);
        let keeps_it = |node: &NodeId| dominators.dominates(*node, holder);
        if is_namespace(heap, holder) || nodes.iter().all(is_kept) || nodes.iter().any(keeps_it) {
            return None;
        }
        let mut union = Union::default();
        let kept = nodes.iter().filter(|node| is_kept(node));
        let frees = kept.map(|&node| union.add(dominators, dominators.position(node))).sum();
        Some(Holder { node: holder, path: ShownPath::of(heap, path), frees })
    }
}

/// Whether a reference leads to the dict where attributes live.
pub(crate) fn is_dict(heap: &Heap, label: Label) -> bool {
    matches!(label.kind(), EdgeKind::Attribute | EdgeKind::Internal)
        && heap.names.get(label.name()) == DICT
}

/// Whether a node is what a program calls things by: it is never let go of for the sake of one.
pub(crate) fn is_namespace(heap: &Heap, node: NodeId) -> bool {
    !heap.nodes.is_object(node) || matches!(heap.type_name(node), "module" | "type")
}
