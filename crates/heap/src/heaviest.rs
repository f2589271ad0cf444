//! The heaviest by what they alone keep alive: where in the dominator tree weight gathers.
//!
//! From the roots, names are followed for as long as they lead to much, and elements only if one of
//! them holds a good part: a name is worth a row, one of a million items is not. What is left with
//! a node when all rows below it are taken off is its own row, if it is enough.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::dominators::{Dominators, Union};
use crate::edges::{EdgeKind, Label};
use crate::heap::Heap;
use crate::held_by::{Unwritten, direct_holders};
use crate::nodes::NodeFlags;
use crate::path::{DICT, ShownPath};
use crate::patterns::Patterns;
use crate::shortest::{ShortestPaths, Step};
use crate::types::TypeKind;
use crate::units::{Bytes, NodeId, TypeId};

/// One holder that alone keeps much alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeavyRow {
    /// The holder.
    pub holder: NodeId,
    /// How it is reached, root first.
    pub path: Vec<Step>,
    /// What would be freed with it.
    pub retained: Bytes,
    /// The same without what other rows below it account for. No two rows share a byte of this, and
    /// rows are sorted by it.
    pub bytes: Bytes,
    /// Whether any size in what it retains is modelled rather than measured.
    pub modelled: bool,
    /// What most of it is; nothing if that is the holder itself.
    pub group: Option<HeavyGroup>,
    /// Where the holder does not refer to that group itself, because several things share it: the
    /// few that refer to most of a sample of the group.
    pub held_by: Vec<ShownPath>,
}

/// Objects of one type that a holder keeps alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeavyGroup {
    /// Their type.
    pub type_id: TypeId,
    /// How many, the holder included if it is one.
    pub count: u64,
    /// What they retain: each byte once, and none that another row accounts for.
    pub retained: Bytes,
}

/// So many holders are named beside the one that keeps all alive.
const HOLDERS: usize = 3;

/// What is less than this part of the heap is worth no row.
const LEAST_PART: u64 = 1000;

/// The holders that alone keep most alive, heaviest first, at most `top` of them. What belongs to
/// the interpreter itself is left out.
#[must_use]
pub fn heaviest(
    heap: &Heap,
    dominators: &Dominators,
    paths: &ShortestPaths,
    top: usize,
) -> Vec<HeavyRow> {
    let summit = Summit::of(heap, dominators, paths);
    let mut holders = summit.holders();
    let others = Others::of(dominators, &holders);
    holders.sort_by_key(|&(node, bytes)| (std::cmp::Reverse(bytes), node));
    holders.truncate(top);
    let row = |(holder, bytes)| HeavyRow {
        holder,
        path: paths.path_to(heap, holder),
        retained: dominators.retained(holder),
        bytes,
        modelled: dominators.retains_modelled(holder),
        group: largest_group(heap, dominators, holder, bytes, &others),
        held_by: Vec::new(),
    };
    let mut rows: Vec<HeavyRow> = holders.into_iter().map(row).collect();
    let samples: Vec<Vec<NodeId>> =
        rows.iter().map(|row| shared_sample(heap, dominators, row)).collect();
    if samples.iter().any(|sample| !sample.is_empty()) {
        let mut patterns = Patterns::new(heap, paths);
        let found = direct_holders(heap, dominators, &mut patterns, &samples);
        for (row, found) in rows.iter_mut().zip(found) {
            let least = found.first().map_or(0, |most| most.count / 10);
            let found = found.iter().filter(|holding| holding.count > least).take(HOLDERS);
            let path = |holding: &Unwritten| holding.written(heap, paths, &patterns).path;
            let held_by: Vec<ShownPath> = found.map(path).collect();
            // What items of the holder share among themselves goes with it: that is no news.
            let items = format!("{}[", ShownPath::of(heap, &row.path));
            if !held_by.iter().all(|path| path.to_string().starts_with(&items)) {
                row.held_by = held_by;
            }
        }
    }
    rows
}

/// Some objects of a row's group that several things share, so that what alone keeps them alive
/// does not refer to them. Evenly spread; none if the holder refers to the group itself.
fn shared_sample(heap: &Heap, dominators: &Dominators, row: &HeavyRow) -> Vec<NodeId> {
    const MOST: usize = 100;
    let Some(group) = row.group else { return Vec::new() };
    let mut scopes = vec![row.holder];
    let attributes = heap.edges.of(row.holder).find(|edge| is_dict(heap, edge.label));
    scopes.extend(attributes.map(|edge| edge.target).filter(|&d| dominators.idom(d) == row.holder));
    let mut children: Vec<NodeId> = scopes
        .iter()
        .flat_map(|&scope| dominators.children(scope))
        .filter(|&node| heap.nodes.is_object(node) && heap.nodes.type_of(node) == group.type_id)
        .collect();
    let own: FxHashSet<NodeId> =
        scopes.iter().flat_map(|&scope| heap.edges.targets(scope)).copied().collect();
    let all = children.len();
    children.retain(|node| !own.contains(node));
    if children.len() < all.div_ceil(2) {
        return Vec::new();
    }
    let step = children.len().div_ceil(MOST).max(1);
    children.into_iter().step_by(step).collect()
}

/// All rows in preorder, and what those before each account for.
struct Others {
    positions: Vec<usize>,
    before: Vec<Bytes>,
}

impl Others {
    fn of(dominators: &Dominators, holders: &[(NodeId, Bytes)]) -> Others {
        let place = |&(node, bytes): &(NodeId, Bytes)| (dominators.position(node), bytes);
        let mut places: Vec<(usize, Bytes)> = holders.iter().map(place).collect();
        places.sort_unstable();
        let mut before = vec![Bytes(0)];
        for (row, &(_, bytes)) in places.iter().enumerate() {
            before.push(before[row] + bytes);
        }
        Others { positions: places.into_iter().map(|(position, _)| position).collect(), before }
    }

    /// What rows at these positions account for.
    fn within(&self, positions: std::ops::Range<usize>) -> Bytes {
        let row = |position| self.positions.partition_point(|&other| other < position);
        self.before[row(positions.end)] - self.before[row(positions.start)]
    }
}

/// The part of the dominator tree that is heavy enough to be looked at, and where names lead on to.
/// Whatever dominates one of its nodes belongs to it too.
struct Summit<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    least: Bytes,
    /// What may have a row of its own, or one below it, in preorder.
    peaks: Vec<Peak>,
}

struct Peak {
    node: NodeId,
    /// The immediate dominator, as a row of `peaks`.
    parent: usize,
    /// The parent's reference to it, if there is one.
    label: Option<Label>,
    /// Whether it holds what the program calls by name: a root, a module, a class, the attributes
    /// of something. These are often shared, so that others than their owner dominate them.
    is_scope: bool,
    /// Steps from the root.
    depth: usize,
}

impl<'a> Summit<'a> {
    fn of(heap: &'a Heap, dominators: &'a Dominators, paths: &ShortestPaths) -> Summit<'a> {
        let least = Bytes((dominators.retained(Heap::ROOT).0 / LEAST_PART).max(1));
        let top = Peak { node: Heap::ROOT, parent: 0, label: None, is_scope: true, depth: 0 };
        let mut summit = Summit { heap, dominators, least, peaks: vec![top] };
        let mut labels = summit.labels_below(Heap::ROOT);
        let mut position = 1;
        while position < heap.nodes.len() {
            let node = dominators.at(position);
            let is_heavy = dominators.retained(node) >= least;
            let peak = is_heavy.then(|| summit.peak(node, labels.remove(&node), paths));
            if let Some(peak) = peak.filter(|peak| summit.leads_on(peak) && !summit.recurs(peak)) {
                labels.extend(summit.labels_below(node));
                summit.peaks.push(peak);
                position += 1;
            } else {
                position += dominators.subtree(node).len();
            }
        }
        summit
    }

    /// A node whose immediate dominator is a peak already.
    fn peak(&self, node: NodeId, label: Option<Label>, paths: &ShortestPaths) -> Peak {
        let above = self.dominators.position(self.dominators.idom(node));
        let place = |peak: &Peak| self.dominators.position(peak.node);
        let parent = self.peaks.binary_search_by_key(&above, place).unwrap_or(0);
        let on_path = paths.before(self.heap, node).map(|(_, label)| label);
        let is_scope = on_path.is_some_and(|label| is_dict(self.heap, label))
            || !self.heap.nodes.is_object(node)
            || matches!(self.heap.type_name(node), "module" | "type");
        Peak { node, parent, label, is_scope, depth: self.peaks[parent].depth + 1 }
    }

    /// By what a node refers to the heavy ones below it.
    fn labels_below(&self, node: NodeId) -> FxHashMap<NodeId, Label> {
        let mut labels = FxHashMap::default();
        for edge in self.heap.edges.of(node).filter(|edge| edge.label.is_strong()) {
            if self.dominators.retained(edge.target) >= self.least
                && self.dominators.idom(edge.target) == node
            {
                labels.entry(edge.target).or_insert(edge.label);
            }
        }
        labels
    }

    /// Whether a peak is more than one element among many.
    fn leads_on(&self, peak: &Peak) -> bool {
        let is_element = match peak.label.map(Label::kind) {
            None => !self.peaks[peak.parent].is_scope,
            Some(kind) => matches!(
                kind,
                EdgeKind::Item
                    | EdgeKind::Entry
                    | EdgeKind::NamedEntry
                    | EdgeKind::Key
                    | EdgeKind::Stack
            ),
        };
        let whole = self.dominators.retained(self.peaks[peak.parent].node).0;
        !is_element || self.dominators.retained(peak.node).0 >= whole / 10 * 3
    }

    /// Whether a peak is the attribute dict of its dominator.
    fn is_dict(&self, peak: &Peak) -> bool {
        peak.label.is_some_and(|label| is_dict(self.heap, label))
    }

    /// Whether the types above a peak say that it is part of a linked structure, whose head has the
    /// row: lists of lists are ordinary, a class within itself is a list or a tree.
    fn recurs(&self, peak: &Peak) -> bool {
        const DEEPEST: usize = 64;
        let type_id = self.heap.nodes.type_of(peak.node);
        let allowed = match self.heap.types.get(type_id).kind {
            TypeKind::Python => 0,
            TypeKind::Native => 2,
            TypeKind::Pseudo => DEEPEST,
        };
        let mut seen = 0;
        let mut row = peak.parent;
        while row != 0 {
            let above = &self.peaks[row];
            let same = self.heap.nodes.type_of(above.node) == type_id;
            seen += usize::from(same && !self.is_dict(above));
            row = above.parent;
        }
        !self.is_dict(peak) && seen > allowed || peak.depth > DEEPEST
    }

    /// From the leaves up: who keeps enough alive that no row below accounts for.
    fn holders(&self) -> Vec<(NodeId, Bytes)> {
        let mut holders = Vec::new();
        let mut explained = vec![Bytes(0); self.peaks.len()];
        for (row, peak) in self.peaks.iter().enumerate().skip(1).rev() {
            let retained = self.dominators.retained(peak.node);
            let rest = retained - explained[row];
            let enough = rest >= self.least && (rest.0 >= retained.0 / 4 || peak.is_scope);
            if enough && !self.is_dict(peak) && !self.is_interpreters(peak.node) {
                holders.push((peak.node, rest));
                explained[row] = retained;
            }
            let here = explained[row];
            explained[peak.parent] += here;
        }
        holders
    }

    fn is_interpreters(&self, node: NodeId) -> bool {
        self.heap.nodes.flags(node).has(NodeFlags::INTERPRETER)
            || self.heap.immortal_root() == Some(node)
    }
}

/// Whether a reference leads to the dict where attributes live.
fn is_dict(heap: &Heap, label: Label) -> bool {
    matches!(label.kind(), EdgeKind::Attribute | EdgeKind::Internal)
        && heap.names.get(label.name()) == DICT
}

/// The type whose objects are most of what a holder keeps alive; what other rows account for is left
/// out. A type with many objects says more than one with a single object
/// that holds them all.
fn largest_group(
    heap: &Heap,
    dominators: &Dominators,
    holder: NodeId,
    bytes: Bytes,
    others: &Others,
) -> Option<HeavyGroup> {
    let mut groups = vec![(0_u64, Bytes(0), Union::default()); heap.types.len()];
    let start = dominators.position(holder);
    let end = start + dominators.subtree(holder).len();
    let mut position = start + 1;
    let first = others.positions.partition_point(|&other| other <= start);
    let inner = &others.positions[first..];
    for stop in inner.iter().copied().filter(|&other| other < end).chain([end]) {
        for position in position..stop {
            let node = dominators.at(position);
            if heap.nodes.is_object(node) {
                let group = &mut groups[heap.nodes.type_of(node).index()];
                group.0 += 1;
                let added = group.2.add(dominators, position);
                // Only what begins before the next inner row can hold it.
                let below = position + 1..position + dominators.subtree(node).len();
                group.1 += added;
                if added.0 > 0 && below.end > stop {
                    group.1 -= others.within(below);
                }
            }
        }
        // What is nested in an inner row is passed over with it.
        let skipped = if stop < end { dominators.subtree(dominators.at(stop)).len() } else { 0 };
        position = position.max(stop + skipped);
    }
    let own = heap.nodes.type_of(holder).index();
    if groups[own].0 > 0 {
        groups[own].0 += 1;
    }
    let most = |least: u64| {
        let groups = groups.iter().enumerate().filter(|(_, group)| group.0 >= least);
        groups.max_by_key(|(row, group)| (group.1, std::cmp::Reverse(*row)))
    };
    let many = most(2).filter(|(_, group)| group.1.0 >= bytes.0 / 2);
    let (row, &(count, retained, _)) = many.or_else(|| most(1))?;
    let group = HeavyGroup { type_id: TypeId::from(row), count, retained };
    (retained.0 >= bytes.0 / 4).then_some(group)
}
