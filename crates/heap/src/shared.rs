//! What several things keep alive together: alike things below a scope, none of whose names alone
//! frees them.

use std::cmp::Reverse;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::alike::{Alike, Group, Key};
use crate::dominators::Dominators;
use crate::edges::LabelPattern;
use crate::heap::Heap;
use crate::nodes::NodeFlags;
use crate::units::{Bytes, NodeId, TypeId};

/// What is scattered is worth a row if it is so many times the least that others have one for.
const MUCH: u64 = 50;

/// Alike things that what most directly keeps them alive does not refer to itself.
#[derive(Debug)]
pub(crate) struct Shared {
    /// One whose path most of them have, or that the scope has a name for.
    pub(crate) first: NodeId,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) weight: Bytes,
    /// Whether all are reached and held alike, so that some of them say what holds all.
    pub(crate) is_even: bool,
}

/// The alike things below one scope that together keep enough alive to be looked at.
#[derive(Debug)]
pub(crate) struct Below {
    pub(crate) scope: NodeId,
    groups: Vec<Group>,
}

impl Below {
    /// Those below a scope, of types that are heavy enough.
    pub(crate) fn of(
        heap: &Heap,
        dominators: &Dominators,
        alike: &mut Alike<'_>,
        scope: NodeId,
        least: Bytes,
    ) -> Below {
        let mut by_type: FxHashMap<TypeId, Bytes> = FxHashMap::default();
        for child in dominators.children(scope).filter(|&child| may_be_shared(heap, child)) {
            *by_type.entry(heap.nodes.type_of(child)).or_default() += dominators.retained(child);
        }
        // Modules and classes are scopes themselves.
        by_type.retain(|&type_id, weight| {
            let name = heap.names.get(heap.types.get(type_id).name);
            *weight >= least && !matches!(name, "module" | "type")
        });
        let wanted =
            |node| may_be_shared(heap, node) && by_type.contains_key(&heap.nodes.type_of(node));
        let mut groups =
            if by_type.is_empty() { Vec::new() } else { alike.children(&[scope], wanted) };
        // What is not shared counts only beside what is.
        let shared: FxHashSet<TypeId> =
            groups.iter().filter(|g| is_shared(heap, scope, g)).map(|g| g.type_id).collect();
        groups.retain(|group| shared.contains(&group.type_id));
        Below { scope, groups }
    }

    /// All of them.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.groups.iter().flat_map(|group| group.nodes.iter().copied())
    }

    /// What is shared, and enough to be looked at. Groups that hold each other are one.
    pub(crate) fn shared(
        self,
        heap: &Heap,
        dominators: &Dominators,
        together: &mut Together,
        least: Bytes,
    ) -> Vec<Shared> {
        let mut by_first: FxHashMap<usize, Vec<Group>> = FxHashMap::default();
        for group in self.groups {
            by_first.entry(together.first(group.nodes[0])).or_default().push(group);
        }
        let mut rest: FxHashMap<TypeId, Vec<NodeId>> = FxHashMap::default();
        let mut shared = Vec::new();
        for (_, mut groups) in by_first {
            let order = |group: &Group| {
                let through_others = matches!(group.key, Key::ThroughOthers(_));
                (through_others, Reverse(group.nodes.len()), group.nodes[0])
            };
            groups.sort_unstable_by_key(order);
            if !groups.iter().any(|group| is_shared(heap, self.scope, group)) {
                continue;
            }
            let weight = groups.iter().map(|group| group.retained).sum();
            let (type_id, is_even) = (groups[0].type_id, groups.len() == 1);
            let nodes: Vec<NodeId> = groups.into_iter().flat_map(|group| group.nodes).collect();
            if weight < least {
                rest.entry(type_id).or_default().extend(nodes);
            } else if nodes.len() > 1 {
                shared.push(Shared { first: nodes[0], nodes, weight, is_even });
            }
        }
        // What many things hold in many ways, each a little of it, has no row but this: the root has
        // none. A part of every program is such.
        if self.scope == Heap::ROOT {
            for nodes in rest.into_values() {
                let weight = nodes.iter().map(|&node| dominators.retained(node)).sum();
                if weight >= Bytes(least.0 * MUCH) && nodes.len() > 1 {
                    shared.push(Shared { first: nodes[0], nodes, weight, is_even: false });
                }
            }
        }
        shared
    }
}

/// Whether a scope has no name for what is in a group.
fn is_shared(heap: &Heap, scope: NodeId, group: &Group) -> bool {
    match group.key {
        Key::Directly(LabelPattern { any, .. }) => any && !heap.nodes.is_object(scope),
        Key::ThroughOthers(_) => true,
    }
}

fn may_be_shared(heap: &Heap, node: NodeId) -> bool {
    heap.nodes.is_object(node) && !heap.nodes.flags(node).has(NodeFlags::INTERPRETER)
}

/// Which groups hold each other, as the two ends of a linked list and all between them do.
pub(crate) struct Together {
    group_of: Vec<u32>,
    /// Of each group, one that stands for all that hold each other.
    firsts: Vec<usize>,
}

const NONE: u32 = u32::MAX;

impl Together {
    /// From all groups, and the references to what is in them.
    pub(crate) fn of(
        heap: &Heap,
        dominators: &Dominators,
        below: &[Below],
        referrers: &[(NodeId, usize)],
    ) -> Together {
        let is_empty = below.iter().all(|below| below.groups.is_empty());
        let mut group_of = vec![NONE; if is_empty { 0 } else { heap.nodes.len() }];
        let mut kinds = Vec::new();
        for (scope, below) in below.iter().enumerate() {
            for group in &below.groups {
                for &node in &group.nodes {
                    group_of[node.index()] = kinds.len() as u32;
                }
                kinds.push((scope, group.type_id, matches!(group.key, Key::ThroughOthers(_))));
            }
        }
        let firsts = (0..kinds.len()).collect();
        let mut together = Together { group_of, firsts };
        let mut last = (Heap::ROOT, None);
        let mut holds: FxHashSet<(usize, usize)> = FxHashSet::default();
        for &(source, row) in referrers {
            if last.0 != source {
                last = (source, together.keeper(dominators, source));
            }
            let target = together.known(heap.edges.targets[row]);
            if let (Some(from), Some(to)) = (last.1, target)
                && from != to
                && (kinds[from].0, kinds[from].1) == (kinds[to].0, kinds[to].1)
                && (kinds[from].2 || kinds[to].2)
            {
                holds.insert((from, to));
            }
        }
        let mut mutual: Vec<(usize, usize)> =
            holds.iter().copied().filter(|&(a, b)| a < b && holds.contains(&(b, a))).collect();
        mutual.sort_unstable();
        for (a, b) in mutual {
            let (a, b) = (together.root_of(a), together.root_of(b));
            together.firsts[a.max(b)] = a.min(b);
        }
        together
    }

    fn known(&self, node: NodeId) -> Option<usize> {
        let group = self.group_of.get(node.index()).copied().unwrap_or(NONE);
        (group != NONE).then_some(group as usize)
    }

    /// The group of what keeps a node alive, if that is the node, its owner, or the owner's owner.
    fn keeper(&self, dominators: &Dominators, node: NodeId) -> Option<usize> {
        const NEAR: usize = 3;
        let above = std::iter::successors(Some(node), |&node| Some(dominators.idom(node)));
        above.take(NEAR).find_map(|node| self.known(node))
    }

    fn root_of(&mut self, mut group: usize) -> usize {
        while self.firsts[group] != group {
            self.firsts[group] = self.firsts[self.firsts[group]];
            group = self.firsts[group];
        }
        group
    }

    /// The group that stands for a node's.
    fn first(&mut self, node: NodeId) -> usize {
        let group = self.group_of[node.index()] as usize;
        self.root_of(group)
    }
}
