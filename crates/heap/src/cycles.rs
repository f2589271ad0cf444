//! Which objects hold themselves: the strongly connected components of the tracked objects; and what goes with
//! those that nothing else holds.

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
    /// What would go with them, if they are garbage: they, and what nothing but these cycles and what they keep
    /// refers to. Of what cycles of several rows keep together, none has it.
    pub retained: Option<Gone>,
    /// Whether nothing else holds them: they wait for the collector.
    pub garbage: bool,
    /// Their types, the most frequent first, and how many objects of each.
    pub types: Vec<(TypeId, u64)>,
}

/// What a collection would free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// Objects of all kinds.
    pub objects: u64,
    /// Those of them that `gc.collect()` counts: the collector tracks them.
    pub tracked: u64,
    /// What they hold.
    pub held: Bytes,
}

impl Gone {
    /// All garbage of a heap: what is in cycles that nothing holds, and what goes with it.
    #[must_use]
    pub fn whole(heap: &Heap) -> Gone {
        let mut whole = Gone::default();
        for node in heap.object_ids().filter(|&node| is_garbage(heap, node)) {
            whole.add(heap, node);
        }
        whole
    }

    fn add(&mut self, heap: &Heap, node: NodeId) {
        self.objects += 1;
        self.tracked += u64::from(heap.nodes.flags(node).has(NodeFlags::TRACKED));
        self.held += heap.nodes.held(node);
    }
}

fn is_garbage(heap: &Heap, node: NodeId) -> bool {
    heap.nodes.flags(node).layer() == Layer::Garbage
}

/// The cycles of a heap by the types in them: garbage first, then those of most objects.
///
/// A cycle here is all that holds each other, however many rings that is.
#[must_use]
pub fn cycles(heap: &Heap) -> Vec<CycleRow> {
    let mut kinds: BTreeMap<(bool, Vec<TypeId>), Alike> = BTreeMap::new();
    let mut waiting: Vec<(NodeId, u32)> = Vec::new();
    components(heap, |members| {
        let is_garbage = members.iter().all(|&node| is_garbage(heap, node));
        let mut types: Vec<TypeId> = members.iter().map(|&node| heap.nodes.type_of(node)).collect();
        types.sort_unstable();
        types.dedup();
        let number = kinds.len() as u32;
        let alike = kinds.entry((is_garbage, types)).or_insert_with(|| Alike::new(number));
        if is_garbage {
            waiting.extend(members.iter().map(|&node| (node, alike.number)));
        }
        alike.cycles += 1;
        for &node in members {
            alike.held += heap.nodes.held(node);
            *alike.counts.entry(heap.nodes.type_of(node)).or_default() += 1;
        }
    });
    let retained = retained(heap, &waiting, kinds.len());
    let row = |((garbage, _), alike): ((bool, _), Alike)| {
        let mut types: Vec<(TypeId, u64)> = alike.counts.into_iter().collect();
        types.sort_unstable_by_key(|&(id, count)| (Reverse(count), id));
        let objects = types.iter().map(|&(_, count)| count).sum();
        let retained = garbage.then(|| retained[alike.number as usize]);
        CycleRow { cycles: alike.cycles, objects, held: alike.held, retained, garbage, types }
    };
    let mut rows: Vec<CycleRow> = kinds.into_iter().map(row).collect();
    rows.sort_by(|a, b| {
        let order = |row: &CycleRow| Reverse((row.garbage, row.objects));
        order(a).cmp(&order(b)).then_with(|| a.types.cmp(&b.types))
    });
    rows
}

/// Cycles of the same types, while they are counted.
struct Alike {
    /// Which one, in the order in which they were met.
    number: u32,
    cycles: u64,
    held: Bytes,
    counts: FxHashMap<TypeId, u64>,
}

impl Alike {
    fn new(number: u32) -> Alike {
        Alike { number, cycles: 0, held: Bytes(0), counts: FxHashMap::default() }
    }
}

/// Nothing of any kind of cycle leads there, as far as is known.
const NOBODY: u32 = u32::MAX;
/// Cycles of several kinds do.
const SEVERAL: u32 = u32::MAX - 1;

/// What goes with garbage cycles of each kind, of whose objects each is given with its kind.
fn retained(heap: &Heap, waiting: &[(NodeId, u32)], kinds: usize) -> Vec<Gone> {
    let mut retained = vec![Gone::default(); kinds];
    if waiting.is_empty() {
        return retained;
    }
    let mut kind_of = vec![NOBODY; heap.nodes.len()];
    let mut in_cycle = vec![false; heap.nodes.len()];
    for &(node, kind) in waiting {
        (kind_of[node.index()], in_cycle[node.index()]) = (kind, true);
    }
    let mut pending: Vec<NodeId> = waiting.iter().map(|&(node, _)| node).collect();
    // Every object changes twice at the most: to a kind, and from there to several.
    while let Some(node) = pending.pop() {
        let kind = kind_of[node.index()];
        for edge in heap.edges.of(node).filter(|&edge| is_firm(edge)) {
            let target = edge.target;
            if in_cycle[target.index()] || !is_garbage(heap, target) {
                continue;
            }
            let before = kind_of[target.index()];
            if before != kind && before != SEVERAL {
                kind_of[target.index()] = if before == NOBODY { kind } else { SEVERAL };
                pending.push(target);
            }
        }
    }
    for node in heap.object_ids() {
        if let Some(gone) = retained.get_mut(kind_of[node.index()] as usize) {
            gone.add(heap, node);
        }
    }
    retained
}

fn is_firm(edge: Edge) -> bool {
    edge.label.is_strong() && !edge.label.is_conservative()
}

const UNSEEN: u32 = 0;
const DONE: u32 = u32::MAX;

/// Calls `each` with the members of every component that is a cycle (Tarjan 1972, without recursion).
fn components(heap: &Heap, mut each: impl FnMut(&[NodeId])) {
    let tracked = |node: NodeId| heap.nodes.flags(node).has(NodeFlags::TRACKED);
    let is_firm = |edge: Edge| is_firm(edge) && tracked(edge.target);
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
                if is_firm(edge) {
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
                    || heap.edges.of(node).any(|edge| edge.target == node && is_firm(edge));
                if members.len() > 1 || holds_itself() {
                    each(members);
                }
                open.truncate(first);
            }
        }
    }
}
