//! Paths told apart by their pattern: labels and types, but no indices.

use rustc_hash::FxHashMap;

use crate::edges::{Label, LabelPattern};
use crate::heap::Heap;
use crate::shortest::ShortestPaths;
use crate::units::{NodeId, TypeId};

/// One step of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MergedStep {
    /// The reference.
    pub label: LabelPattern,
    /// The type it leads to.
    pub type_id: TypeId,
    /// Whether it, or it and a few steps before it, may come more often in a row.
    pub repeats: bool,
}

/// Patterns are told apart up to this many steps; what is longer by its last step alone.
pub(crate) const LONGEST: usize = 64;
/// Steps that come three times in a row may as well come a thousand times: they are written twice.
/// So many steps may make one round, as `.__dict__` and `.next` do.
const LONGEST_ROUND: usize = 4;

const UNKNOWN: u32 = u32::MAX;
/// The pattern of what nothing reaches, before all others.
pub(crate) const EMPTY: u32 = 0;

/// All patterns met so far, as a tree: a pattern is the one before it and a step more. Those of the
/// nodes on the way are remembered, so that a million items of one list cost a step each.
pub(crate) struct Patterns<'a> {
    heap: &'a Heap,
    paths: &'a ShortestPaths,
    /// The pattern of each node's path, as far as known.
    known: Vec<u32>,
    table: Vec<Pattern>,
    /// What a pattern and a step make, by whether steps are left out between them.
    rows: FxHashMap<(u32, MergedStep, bool), u32>,
    /// The source found last and its rows: neighbours often share their referrer.
    last: (NodeId, std::ops::Range<usize>),
}

#[derive(Clone, Copy)]
struct Pattern {
    before: u32,
    step: MergedStep,
    depth: usize,
    /// Whether steps may be left out before the last.
    shortened: bool,
}

impl<'a> Patterns<'a> {
    pub(crate) fn new(heap: &'a Heap, paths: &'a ShortestPaths) -> Patterns<'a> {
        let (label, type_id) = (Label(0).into(), TypeId(0));
        let step = MergedStep { label, type_id, repeats: false };
        Patterns {
            heap,
            paths,
            known: vec![UNKNOWN; heap.nodes.len()],
            table: vec![Pattern { before: EMPTY, step, depth: 0, shortened: false }],
            rows: FxHashMap::default(),
            last: (Heap::ROOT, 0..0),
        }
    }

    /// The pattern of a node's path, as a number.
    pub(crate) fn of(&mut self, node: NodeId) -> u32 {
        let mut unknown = Vec::new();
        let mut next = node;
        let mut pattern = loop {
            let known = self.known[next.index()];
            if known != UNKNOWN {
                break known;
            }
            let Some(row) = self.paths.row_to(next) else { break EMPTY };
            unknown.push((next, self.heap.edges.labels[row]));
            next = self.source_of(row);
        };
        while let Some((node, label)) = unknown.pop() {
            let (label, type_id) = (label.generalised(), self.heap.nodes.type_of(node));
            pattern = self.extend(pattern, MergedStep { label, type_id, repeats: false });
            self.known[node.index()] = pattern;
        }
        pattern
    }

    /// The steps of a pattern, root first, and whether there may be more before the last.
    pub(crate) fn steps(&self, pattern: u32) -> (Vec<MergedStep>, bool) {
        let mut steps: Vec<MergedStep> =
            self.back_from(pattern).map(|row| self.table[row as usize].step).collect();
        steps.reverse();
        (steps, self.table[pattern as usize].shortened)
    }

    /// How many patterns there are. Each comes after the one before its last step.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// The pattern without its last step.
    pub(crate) fn before(&self, pattern: u32) -> u32 {
        self.table[pattern as usize].before
    }

    /// The last step of a pattern.
    pub(crate) fn step(&self, pattern: u32) -> MergedStep {
        self.table[pattern as usize].step
    }

    /// Whether there may be more steps before the last.
    pub(crate) fn is_shortened(&self, pattern: u32) -> bool {
        self.table[pattern as usize].shortened
    }

    fn source_of(&mut self, row: usize) -> NodeId {
        if !self.last.1.contains(&row) {
            let source = self.heap.edges.source_of(row);
            self.last = (source, self.heap.edges.range(source));
        }
        self.last.0
    }

    /// A pattern and those it extends, down to the first step.
    fn back_from(&self, pattern: u32) -> impl Iterator<Item = u32> + '_ {
        let before = |&row: &u32| Some(self.table[row as usize].before);
        std::iter::successors(Some(pattern), before).take_while(|&row| row != EMPTY)
    }

    fn extend(&mut self, before: u32, step: MergedStep) -> u32 {
        // What is longer than the longest hangs from the pattern of exactly that length.
        let (before, shortened) = match self.table[before as usize] {
            Pattern { depth, before: longest, .. } if depth > LONGEST => (longest, true),
            _ => (before, false),
        };
        if let Some(&row) = self.rows.get(&(before, step, shortened)) {
            return row;
        }
        let depth = self.table[before as usize].depth + 1;
        let mut row = self.table.len() as u32;
        self.table.push(Pattern { before, step, depth, shortened });
        if let Some(twice) = self.without_third_round(row).filter(|_| !shortened) {
            self.table.pop();
            self.table[twice as usize].step.repeats = true;
            row = twice;
        }
        self.rows.insert((before, step, shortened), row);
        row
    }

    /// If a pattern ends with the same steps three times in a row: the one with two of them.
    fn without_third_round(&self, pattern: u32) -> Option<u32> {
        let step = |row: u32| {
            let MergedStep { label, type_id, .. } = self.table[row as usize].step;
            (label, type_id)
        };
        let last: Vec<u32> = self.back_from(pattern).take(3 * LONGEST_ROUND).collect();
        let is_round = |len: &usize| {
            let steps = last.get(..3 * len).unwrap_or(&[]);
            !steps.is_empty() && (*len..3 * len).all(|at| step(steps[at]) == step(steps[at - len]))
        };
        (1..=LONGEST_ROUND).find(is_round).map(|len| last[len])
    }
}
