//! Paths of many nodes at once: those that differ in nothing but an index are one.

use std::cmp::Reverse;

use crate::dominators::{Dominators, Union};
use crate::heap::Heap;
use crate::held_by::{Holding, Unwritten, direct_holders};
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
    /// Who else refers to the nodes, by other paths than this; those who refer to most come first, and
    /// no more than [`Holding::MOST`] are named.
    pub also_held_by: Vec<Holding>,
    /// In how many other ways the nodes are held.
    pub other_ways: u64,
    /// What the one object that the path takes its last step from alone keeps alive, if that is not
    /// all of the nodes.
    pub holder_retained: Option<Bytes>,
}

impl MergedPath {
    /// Paths are compared in full up to this many steps; longer ones are the same if they begin and
    /// end with the same steps.
    pub const LONGEST: usize = LONGEST;
}

/// The paths of `nodes`, merged, those that retain most first, at most `top` of them.
///
/// Items, entries, keys and stack slots of one object are the same step, and so are the nodes of a
/// linked list from the second on. Nodes that nothing reaches have the empty path.
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
    let others = direct_holders(heap, dominators, &mut patterns, &shown);
    let path = |((group, nodes), mut others): ((Group, Vec<NodeId>), Vec<Unwritten>)| {
        let Group { pattern, count, retained, modelled, example } = group;
        others.retain(|other| other.pattern != pattern);
        let named = others.iter().take(Holding::MOST);
        let also_held_by = named.map(|other| other.written(heap, paths, &patterns)).collect();
        let (mut steps, shortened) = patterns.steps(pattern);
        // One node has one path: nothing is to be merged.
        if count == 1 && !shortened && !steps.iter().any(|step| step.repeats) {
            for (step, exact) in steps.iter_mut().zip(paths.path_to(heap, example)) {
                step.label = exact.label.into();
            }
        }
        let holder_retained = unfreed(heap, paths, dominators, &nodes);
        MergedPath {
            count,
            retained,
            modelled,
            steps,
            shortened,
            example,
            also_held_by,
            other_ways: others.len() as u64,
            holder_retained,
        }
    };
    groups.into_iter().zip(shown).zip(others).map(path).collect()
}

/// What the node before the last step alone keeps alive: if that is the same node for all, and it
/// does not keep all of them alive.
fn unfreed(
    heap: &Heap,
    paths: &ShortestPaths,
    dominators: &Dominators,
    nodes: &[NodeId],
) -> Option<Bytes> {
    let holder = paths.before(heap, *nodes.first()?)?.0;
    let is_holders = |node: &NodeId| {
        paths.row_to(*node).is_some_and(|row| heap.edges.range(holder).contains(&row))
    };
    let is_kept = |node: &NodeId| dominators.dominates(holder, *node);
    let differs =
        holder != Heap::ROOT && nodes.iter().all(is_holders) && !nodes.iter().all(is_kept);
    differs.then(|| dominators.retained(holder))
}

struct Group {
    pattern: u32,
    count: u64,
    retained: Bytes,
    modelled: bool,
    example: NodeId,
}

impl Group {
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
