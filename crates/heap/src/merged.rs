//! Paths of many nodes at once: those that differ in nothing but an index are one.

use std::cmp::Reverse;

use crate::dominators::{Dominators, Union};
use crate::heap::Heap;
use crate::held_by::{Holding, Others, other_holders};
use crate::holder::Holder;
use crate::path::ShownPath;
use crate::patterns::{LONGEST, MergedStep, Patterns};
use crate::shortest::ShortestPaths;
use crate::units::{Bytes, NodeId};

/// All nodes whose paths are the same but for indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedPath {
    /// How many nodes.
    pub count: u64,
    /// What they retain: each byte once.
    pub retained: Bytes,
    /// Whether any size in that is modelled rather than measured.
    pub modelled: bool,
    /// The path, root first. Steps that come three times in a row or more are there twice. Of a path
    /// longer than [`MergedPath::LONGEST`] steps, there are the first so many and the last.
    pub steps: Vec<MergedStep>,
    /// Whether there may be more steps between the last two.
    pub shortened: bool,
    /// One of the nodes: the one that retains most.
    pub example: NodeId,
    /// Who else refers to the nodes, beside the one reference to each that its path takes; those who
    /// refer to most come first, and no more than [`Holding::MOST`] are named. If nothing else does:
    /// who else refers to what is [`shared`](MergedPath::shared).
    pub also_held_by: Vec<Holding>,
    /// In how many other ways they are held.
    pub other_ways: u64,
    /// What comes before the nodes on the path, if that is what others refer to, and how many it is.
    pub shared: Option<(ShownPath, u64)>,
    /// What holds all of the nodes by this path, if not all of them would go with it.
    pub holder: Option<Holder>,
}

impl MergedPath {
    /// Paths are compared in full up to this many steps; longer ones are the same if they begin and
    /// end with the same steps.
    pub const LONGEST: usize = LONGEST;
}

/// The paths of `nodes`, merged, those that retain most first, at most `top` of them.
///
/// Items, entries, keys and stack slots of one object are the same step, and so are the nodes of a
/// linked list from the second on. An index that all have in common is kept. Nodes that nothing
/// reaches have the empty path.
#[must_use]
pub fn merged_paths(
    heap: &Heap,
    paths: &ShortestPaths,
    dominators: &Dominators,
    nodes: &[NodeId],
    top: usize,
) -> Vec<MergedPath> {
    let mut patterns = Patterns::new(heap, paths);
    let place = |node: &NodeId| (patterns.of(*node), dominators.position(*node) as u32);
    let mut members: Vec<(u32, u32)> = nodes.iter().map(place).collect();
    members.sort_unstable();
    members.dedup();
    let chunks = members.chunk_by(|a, b| a.0 == b.0);
    let mut groups: Vec<Group> = chunks.map(|chunk| Group::of(chunk, dominators)).collect();
    groups.sort_unstable_by_key(|group| (Reverse((group.retained, group.count)), group.pattern));
    groups.truncate(top);
    let shown: Vec<Vec<NodeId>> = groups
        .iter()
        .map(|group| {
            let start = members.partition_point(|member| member.0 < group.pattern);
            let end = members.partition_point(|member| member.0 <= group.pattern);
            let node = |&(_, position): &(u32, u32)| dominators.at(position as usize);
            members[start..end].iter().map(node).collect()
        })
        .collect();
    let others = other_holders(heap, paths, dominators, &mut patterns, &shown);
    groups
        .into_iter()
        .zip(&shown)
        .zip(others)
        .map(|((group, nodes), others)| {
            group.written(heap, paths, dominators, &patterns, nodes, &others)
        })
        .collect()
}

struct Group {
    pattern: u32,
    count: u64,
    retained: Bytes,
    modelled: bool,
    example: NodeId,
}

impl Group {
    fn written(
        &self,
        heap: &Heap,
        paths: &ShortestPaths,
        dominators: &Dominators,
        patterns: &Patterns<'_>,
        nodes: &[NodeId],
        others: &Others,
    ) -> MergedPath {
        // One node has one path: nothing is to be merged.
        let exact = |node: NodeId, count: u64| {
            Some(node).filter(|_| count == 1).and_then(|one| paths.path_within(heap, one, LONGEST))
        };
        let (steps, shortened) = match exact(self.example, self.count) {
            Some(steps) => (steps.iter().map(|&step| MergedStep::of(heap, step)).collect(), false),
            None => patterns.steps_met(self.pattern),
        };
        let shared = others.shared.map(|(pattern, example, count)| {
            let exact = exact(example, count).map(|steps| ShownPath::of(heap, &steps));
            (exact.unwrap_or_else(|| patterns.shown_met(pattern)), count)
        });
        let named = others.holdings.iter().take(Holding::MOST);
        MergedPath {
            count: self.count,
            retained: self.retained,
            modelled: self.modelled,
            holder: Holder::of(heap, paths, dominators, nodes, &steps),
            steps,
            shortened,
            example: self.example,
            also_held_by: named.map(|other| other.written_met(heap, paths, patterns)).collect(),
            other_ways: others.holdings.len() as u64,
            shared,
        }
    }

    /// From members of one pattern, in preorder.
    fn of(members: &[(u32, u32)], dominators: &Dominators) -> Group {
        let mut union = Union::default();
        let (count, retained, example) = (0, Bytes(0), Heap::ROOT);
        let mut group = Group { pattern: 0, count, retained, modelled: false, example };
        let mut most = None;
        for &(pattern, position) in members {
            let node = dominators.at(position as usize);
            group.pattern = pattern;
            group.count += 1;
            group.retained += union.add(dominators, position as usize);
            group.modelled |= dominators.retains_modelled(node);
            if most < Some(dominators.retained(node)) {
                most = Some(dominators.retained(node));
                group.example = node;
            }
        }
        group
    }
}
