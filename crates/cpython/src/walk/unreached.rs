//! What no name leads to is either held by native code or garbage that waits for the collector.
//!
//! They are told apart as the collector itself does it: an object whose reference count is higher
//! than the references we know of is held from outside, and so is all it leads to. The rest holds
//! only itself.
//!
//! Words outside all objects are told by the same count: one that leads to what is held from outside is taken
//! for a reference, one that leads elsewhere is borrowed, or a rest of earlier work.

use std::collections::BTreeMap;

use deadweight_heap::{Addr, EdgeKind, Layer, RootKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::mark::Marks;
use super::native::Unnamed;
use super::{Adopted, Subject};
use crate::bitmap::Bitmap;
use crate::header::Header;
use crate::holders::{Holder, Stacked};
use crate::memory::Memory;
use crate::object::{self, Context, Grounds, Link, Visitor};
use crate::space::Space;
use crate::types::TypeTable;

/// Words outside all objects that may hold what no name leads to.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub(super) unnamed: &'a [Unnamed],
    pub(super) stacked: &'a [Stacked],
}

/// Sorts the unreached into layers, and makes the holders that adopt them.
pub(super) fn classify<M: Memory>(
    subject: &Subject<'_, M>,
    cx: &Context<'_, M>,
    space: &Space,
    mut types: TypeTable,
    marks: &Marks,
    named: &Bitmap,
    words: Words<'_>,
) -> Adopted {
    let objects: Vec<Addr> =
        space.places(marks.seen.without(named)).map(|place| place.addr).collect();
    let mut graph = Graph::default();
    for &addr in &objects {
        graph.counts.insert(addr, 0);
    }
    for &addr in &objects {
        let Some(header) = Header::read(subject.memory, addr) else { continue };
        let layout = &subject.runtime.layout;
        let Some(info) = types.get(subject.memory, layout, header.type_addr).cloned() else {
            continue;
        };
        graph.starts.push(graph.targets.len());
        graph.sources.push(addr);
        let _ = object::decode(cx, &info, addr, &mut graph);
    }
    graph.starts.push(graph.targets.len());

    let refcount = subject.runtime.layout.object.refcount;
    let held_outside = |addr: &Addr| {
        let known = u64::from(graph.counts.get(addr).copied().unwrap_or(0));
        Header::read(subject.memory, *addr)
            .and_then(|header| refcount.count(header.refcount))
            .is_none_or(|count| count > known)
    };
    let outside: Vec<Addr> = objects.iter().copied().filter(|addr| held_outside(addr)).collect();
    let held: FxHashSet<Addr> = outside.iter().copied().collect();
    let mut on_stack = FxHashSet::default();
    let is_held = |word: &&Stacked| held.contains(&word.target) && on_stack.insert(word.target);
    let stacked: Vec<Stacked> = words.stacked.iter().filter(is_held).copied().collect();
    let on_stack: Vec<Addr> = stacked.iter().map(|word| word.target).collect();
    let rows = graph.rows();
    let (running, native) = (graph.reach(&rows, &on_stack), graph.reach(&rows, &outside));
    let layer = |addr: &Addr| match (running.contains(addr), native.contains(addr)) {
        (true, _) => Layer::Named,
        (false, true) => Layer::Native,
        (false, false) => Layer::Garbage,
    };
    let layers: FxHashMap<Addr, Layer> = objects.iter().map(|addr| (*addr, layer(addr))).collect();
    let entries = graph.entries(&rows, &objects, &layers);
    let holders = holders(&outside, &held, words.unnamed, &layers, entries);
    Adopted { types, layers, holders, stacked }
}

/// The references among the unreached.
#[derive(Default)]
struct Graph {
    counts: FxHashMap<Addr, u32>,
    sources: Vec<Addr>,
    starts: Vec<usize>,
    targets: Vec<Addr>,
}

impl Graph {
    /// The row of every object.
    fn rows(&self) -> FxHashMap<Addr, usize> {
        self.sources.iter().enumerate().map(|(row, &addr)| (addr, row)).collect()
    }

    fn targets_of(&self, row: usize) -> &[Addr] {
        &self.targets[self.starts[row]..self.starts[row + 1]]
    }

    /// Everything some objects lead to, themselves included.
    fn reach(&self, rows: &FxHashMap<Addr, usize>, from: &[Addr]) -> FxHashSet<Addr> {
        let mut seen: FxHashSet<Addr> = from.iter().copied().collect();
        let mut pending = from.to_vec();
        while let Some(addr) = pending.pop() {
            let Some(&row) = rows.get(&addr) else { continue };
            for &target in self.targets_of(row) {
                if seen.insert(target) {
                    pending.push(target);
                }
            }
        }
        seen
    }

    /// Garbage has no natural beginning. One object of each group that holds itself is made its entry:
    /// first those that lead to most, which a depth-first order finds.
    fn entries(
        &self,
        rows: &FxHashMap<Addr, usize>,
        objects: &[Addr],
        layers: &FxHashMap<Addr, Layer>,
    ) -> Vec<Addr> {
        let garbage = |addr: &Addr| layers.get(addr) == Some(&Layer::Garbage);
        // Kosaraju's first pass: the object finished last leads to all objects finished before it
        // in its group, so going through them backwards makes few entries.
        let mut finished = Vec::new();
        let mut seen = FxHashSet::default();
        for &start in objects.iter().filter(|addr| garbage(addr)) {
            if !seen.insert(start) {
                continue;
            }
            let mut path = vec![(start, 0)];
            while let Some((addr, next)) = path.pop() {
                let targets = rows.get(&addr).map_or(&[][..], |&row| self.targets_of(row));
                match targets[next.min(targets.len())..]
                    .iter()
                    .position(|target| garbage(target) && !seen.contains(target))
                {
                    Some(offset) => {
                        let target = targets[next + offset];
                        path.push((addr, next + offset + 1));
                        seen.insert(target);
                        path.push((target, 0));
                    }
                    None => finished.push(addr),
                }
            }
        }
        let mut covered = FxHashSet::default();
        let mut entries = Vec::new();
        for &addr in finished.iter().rev() {
            if covered.insert(addr) {
                entries.push(addr);
                let mut pending = vec![addr];
                while let Some(addr) = pending.pop() {
                    let Some(&row) = rows.get(&addr) else { continue };
                    for &target in self.targets_of(row) {
                        if covered.insert(target) {
                            pending.push(target);
                        }
                    }
                }
            }
        }
        entries
    }
}

/// Groups what is held from outside by who holds it: the words found, or native code in general.
///
/// A word that leads to what is not held from outside is borrowed, or a rest of earlier work.
fn holders(
    outside: &[Addr],
    held: &FxHashSet<Addr>,
    unnamed: &[Unnamed],
    layers: &FxHashMap<Addr, Layer>,
    garbage: Vec<Addr>,
) -> Vec<Holder> {
    let mut by_holder: BTreeMap<(RootKind, &str), Vec<Addr>> = BTreeMap::new();
    let mut explained = FxHashSet::default();
    let native = |addr: &Addr| layers.get(addr) == Some(&Layer::Native);
    for word in unnamed {
        if native(&word.target) && held.contains(&word.target) {
            by_holder.entry((word.kind, &word.name)).or_default().push(word.target);
            explained.insert(word.target);
        }
    }
    let rest = outside.iter().copied().filter(|addr| native(addr) && !explained.contains(addr));
    by_holder.entry((RootKind::NativeCode, "")).or_default().extend(rest);
    by_holder.entry((RootKind::Garbage, "")).or_default().extend(garbage);
    by_holder
        .into_iter()
        .filter(|(_, targets)| !targets.is_empty())
        .map(|((kind, name), mut targets)| {
            targets.sort_unstable();
            targets.dedup();
            // What nothing but the holder as a whole is known to hold has no place in it that could
            // be told apart: items of a list. Garbage is not guessed at, it has no referrer at all.
            let is_list = matches!(kind, RootKind::NativeCode | RootKind::Garbage);
            let edge = if is_list { EdgeKind::Item } else { EdgeKind::Native };
            let link = |index| Link::At(edge, index);
            let grounds = match kind {
                RootKind::Garbage => Grounds::Hidden,
                _ => Grounds::Conservative,
            };
            Holder {
                type_name: "<unnamed holder>",
                root: Some((kind, name.to_string())),
                references: (0..)
                    .zip(targets)
                    .map(|(index, target)| (target, link(index), grounds))
                    .collect(),
                ..Holder::default()
            }
        })
        .collect()
}

impl Visitor for Graph {
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        let weak = matches!(link, Link::Named(EdgeKind::Weak, _));
        if weak || !grounds.is_followed(false) {
            return;
        }
        if let Some(count) = self.counts.get_mut(&target) {
            *count += 1;
            self.targets.push(target);
        }
    }
}
