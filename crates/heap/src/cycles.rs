//! Which objects hold themselves: the strongly connected components of the tracked objects.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::edges::Edge;
use crate::heap::Heap;
use crate::nodes::{Layer, NodeFlags};
use crate::units::{Bytes, NodeId, TypeId};

/// Cycles that are alike: of the same types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleRow {
    /// How many of them.
    pub cycles: u64,
    /// Objects in all of them.
    pub objects: u64,
    /// What these hold themselves.
    pub held: Bytes,
    /// Whether nothing else holds them: they wait for the collector.
    pub garbage: bool,
    /// Their types, the most frequent first, and how many objects of each.
    pub types: Vec<(TypeId, u64)>,
}

/// The cycles of a heap by the types in them: garbage first, then those of most objects.
///
/// A cycle here is all that holds each other, however many rings that is.
#[must_use]
pub fn cycles(heap: &Heap) -> Vec<CycleRow> {
    let mut kinds: BTreeMap<(bool, Vec<TypeId>), Alike> = BTreeMap::new();
    components(heap, |members| {
        let is_garbage =
            members.iter().all(|&node| heap.nodes.flags(node).layer() == Layer::Garbage);
        let mut types: Vec<TypeId> = members.iter().map(|&node| heap.nodes.type_of(node)).collect();
        types.sort_unstable();
        types.dedup();
        let alike = kinds.entry((is_garbage, types)).or_default();
        alike.cycles += 1;
        for &node in members {
            alike.held += heap.nodes.held(node);
            *alike.counts.entry(heap.nodes.type_of(node)).or_default() += 1;
        }
    });
    let row = |((garbage, _), alike): (_, Alike)| {
        let mut types: Vec<(TypeId, u64)> = alike.counts.into_iter().collect();
        types.sort_unstable_by_key(|&(id, count)| (Reverse(count), id));
        let objects = types.iter().map(|&(_, count)| count).sum();
        CycleRow { cycles: alike.cycles, objects, held: alike.held, garbage, types }
    };
    let mut rows: Vec<CycleRow> = kinds.into_iter().map(row).collect();
    rows.sort_by(|a, b| {
        let order = |row: &CycleRow| Reverse((row.garbage, row.objects));
        order(a).cmp(&order(b)).then_with(|| a.types.cmp(&b.types))
    });
    rows
}

/// Cycles of the same types, while they are counted.
#[derive(Default)]
struct Alike {
    cycles: u64,
    held: Bytes,
    counts: FxHashMap<TypeId, u64>,
}

const UNSEEN: u32 = 0;
const DONE: u32 = u32::MAX;

/// Calls `each` with the members of every component that is a cycle (Tarjan 1972, without recursion).
fn components(heap: &Heap, mut each: impl FnMut(&[NodeId])) {
    let tracked = |node: NodeId| heap.nodes.flags(node).has(NodeFlags::TRACKED);
    let is_firm = |edge: &Edge| {
        edge.label.is_strong() && !edge.label.is_conservative() && tracked(edge.target)
    };
    let rows = heap.nodes.len();
    // When a node was met, counted from 1; DONE once its component is known.
    let mut met = vec![UNSEEN; rows];
    let mut lowest = vec![0; rows];
    let mut clock = 0;
    let mut open: Vec<NodeId> = Vec::new();
    let mut path: Vec<(NodeId, usize)> = Vec::new();
    for start in heap.object_ids().filter(|&node| tracked(node)) {
        if met[start.index()] != UNSEEN {
            continue;
        }
        path.push((start, heap.edges.range(start).start));
        while let Some((node, next)) = path.last_mut() {
            let (node, row) = (*node, *next);
            if met[node.index()] == UNSEEN {
                clock += 1;
                (met[node.index()], lowest[node.index()]) = (clock, clock);
                open.push(node);
            }
            if row < heap.edges.range(node).end {
                *next += 1;
                let edge = heap.edges.row(row);
                if is_firm(&edge) {
                    match met[edge.target.index()] {
                        UNSEEN => path.push((edge.target, heap.edges.range(edge.target).start)),
                        DONE => {}
                        when => lowest[node.index()] = lowest[node.index()].min(when),
                    }
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                lowest[parent.index()] = lowest[parent.index()].min(lowest[node.index()]);
            }
            if lowest[node.index()] == met[node.index()] {
                let first = open.iter().rposition(|&member| member == node).unwrap_or_default();
                let members = &open[first..];
                for member in members {
                    met[member.index()] = DONE;
                }
                let holds_itself =
                    || heap.edges.of(node).any(|edge| edge.target == node && is_firm(&edge));
                if members.len() > 1 || holds_itself() {
                    each(members);
                }
                open.truncate(first);
            }
        }
    }
}
