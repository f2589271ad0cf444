//! Paths told apart by their pattern: labels and types, but no indices.

use rustc_hash::FxHashMap;

use crate::edges::{EdgeKind, Label, LabelPattern};
use crate::heap::Heap;
use crate::path::ShownPath;
use crate::shortest::{ShortestPaths, Step};
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

impl MergedStep {
    /// A step of a single path.
    pub(crate) fn of(heap: &Heap, step: Step) -> MergedStep {
        let type_id = heap.nodes.type_of(step.node);
        MergedStep { label: step.label.into(), type_id, repeats: false }
    }
}

/// Patterns are told apart up to this many steps; what is longer by its last step alone.
pub(crate) const LONGEST: usize = 64;
/// Steps that come three times in a row may as well come a thousand times: they are written twice.
/// So many steps may make one round, as `.__dict__` and `.next` do.
const LONGEST_ROUND: usize = 4;

/// A dict with so few references keeps its keys in patterns: merging is for what is many.
const FEW: usize = 32;

const UNKNOWN: u32 = u32::MAX;
/// The pattern of what nothing reaches, before all others.
pub(crate) const EMPTY: u32 = 0;

/// All patterns met so far, as a tree: a pattern is the one before it and a step more. Those of the
/// nodes on the way are remembered, so that a million items of one list cost a step each.
pub(crate) struct Patterns<'a> {
    heap: &'a Heap,
    paths: &'a ShortestPaths,
    /// The pattern of each node's path, as far as known; no room is taken before one is asked for.
    known: Vec<u32>,
    table: Vec<Pattern>,
    /// What a pattern and a step make, by whether steps are left out between them.
    rows: FxHashMap<(u32, MergedStep, bool), u32>,
    /// The source found last and its rows: neighbours often share their referrer.
    last: (NodeId, std::ops::Range<usize>),
    /// Whether the keys of small dicts are told apart.
    by_key: bool,
}

#[derive(Clone, Copy)]
struct Pattern {
    before: u32,
    step: MergedStep,
    depth: usize,
    /// Whether steps may be left out before the last.
    shortened: bool,
    /// Whether one of its steps stands for any of its sort.
    is_many: bool,
    /// The reference that the last step is, as long as all that were met agree on it.
    met: Option<Label>,
}

impl<'a> Patterns<'a> {
    pub(crate) fn new(heap: &'a Heap, paths: &'a ShortestPaths) -> Patterns<'a> {
        let (label, type_id) = (Label(0).into(), TypeId(0));
        let step = MergedStep { label, type_id, repeats: false };
        Patterns {
            heap,
            paths,
            known: Vec::new(),
            table: vec![Pattern {
                before: EMPTY,
                step,
                depth: 0,
                shortened: false,
                is_many: false,
                met: None,
            }],
            rows: FxHashMap::default(),
            last: (Heap::ROOT, 0..0),
            by_key: true,
        }
    }

    /// Patterns that are the same whether a heap has the keys of dicts or not.
    pub(crate) fn whatever_the_keys(heap: &'a Heap, paths: &'a ShortestPaths) -> Patterns<'a> {
        Patterns { by_key: false, ..Patterns::new(heap, paths) }
    }

    /// The pattern of a node's path, as a number.
    pub(crate) fn of(&mut self, node: NodeId) -> u32 {
        self.known.resize(self.heap.nodes.len(), UNKNOWN);
        let mut unknown = Vec::new();
        let mut next = node;
        let mut pattern = loop {
            let known = self.known[next.index()];
            if known != UNKNOWN {
                break known;
            }
            let Some(row) = self.paths.row_to(next) else { break EMPTY };
            next = self.source_of(row);
            unknown.push((row, self.last.1.len()));
        };
        while let Some((row, siblings)) = unknown.pop() {
            pattern = self.follow(pattern, row, siblings);
            self.known[self.heap.edges.targets[row].index()] = pattern;
        }
        pattern
    }

    /// The pattern of a node's path and one of its references, by row.
    pub(crate) fn through(&mut self, source: NodeId, row: usize) -> u32 {
        let before = self.of(source);
        self.follow(before, row, self.heap.edges.range(source).len())
    }

    /// The pattern and a reference more, which is one of so many of its source.
    fn follow(&mut self, before: u32, row: usize, siblings: usize) -> u32 {
        let label = self.heap.edges.labels[row];
        let type_id = self.heap.nodes.type_of(self.heap.edges.targets[row]);
        let by_key = self.by_key && !self.table[before as usize].is_many;
        let merged = if by_key { generalised(label, siblings) } else { label.generalised() };
        let row = self.extend(before, MergedStep { label: merged, type_id, repeats: false }, label);
        let met = &mut self.table[row as usize].met;
        *met = met.filter(|&met| met == label);
        row
    }

    /// Whether a node's path takes a reference, by row.
    pub(crate) fn is_taken(&self, row: usize) -> bool {
        self.paths.row_to(self.heap.edges.targets[row]) == Some(row)
    }

    /// A pattern as a path.
    pub(crate) fn shown(&self, pattern: u32) -> ShownPath {
        let (steps, shortened) = self.steps(pattern);
        ShownPath::of_pattern(self.heap, &steps, shortened)
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

    /// The same, with the indices and keys that all paths met so far have in common.
    pub(crate) fn steps_met(&self, pattern: u32) -> (Vec<MergedStep>, bool) {
        self.steps_where(pattern, |_| true)
    }

    /// A pattern as a path, with the keys of dicts that all paths met so far have in common.
    pub(crate) fn shown_by_key(&self, pattern: u32) -> ShownPath {
        let is_key = |label: &Label| label.kind() == EdgeKind::NamedEntry;
        let (steps, shortened) = self.steps_where(pattern, is_key);
        ShownPath::of_pattern(self.heap, &steps, shortened)
    }

    /// Of two patterns that are one to the caller: what both were met as, if that is the same.
    pub(crate) fn unite(&mut self, one: u32, other: u32) {
        let [one, other] = [one as usize, other as usize];
        let same = self.table[one].met.filter(|&met| self.table[other].met == Some(met));
        (self.table[one].met, self.table[other].met) = (same, same);
    }

    fn steps_where(
        &self,
        pattern: u32,
        admits: impl Fn(&Label) -> bool,
    ) -> (Vec<MergedStep>, bool) {
        let (mut steps, shortened) = self.steps(pattern);
        for (step, row) in steps.iter_mut().rev().zip(self.back_from(pattern)) {
            let met = self.table[row as usize].met.filter(&admits);
            step.label = met.map_or(step.label, LabelPattern::from);
        }
        (steps, shortened)
    }

    /// A pattern as a path, with the indices that all paths met so far have in common.
    pub(crate) fn shown_met(&self, pattern: u32) -> ShownPath {
        let (steps, shortened) = self.steps_met(pattern);
        ShownPath::of_pattern(self.heap, &steps, shortened)
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

    fn extend(&mut self, before: u32, step: MergedStep, label: Label) -> u32 {
        // What is longer than the longest hangs from the pattern of exactly that length.
        let (before, shortened) = match self.table[before as usize] {
            Pattern { depth, before: longest, .. } if depth > LONGEST => (longest, true),
            _ => (before, false),
        };
        if let Some(&row) = self.rows.get(&(before, step, shortened)) {
            return row;
        }
        let Pattern { depth, is_many, .. } = self.table[before as usize];
        let (depth, is_many) = (depth + 1, is_many || step.label.any);
        let mut row = self.table.len() as u32;
        self.table.push(Pattern { before, step, depth, shortened, is_many, met: Some(label) });
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

/// The label of one of so many references of a single node: the key of a small dict is kept.
pub(crate) fn generalised(label: Label, siblings: usize) -> LabelPattern {
    match label.kind() {
        EdgeKind::NamedEntry if siblings <= FEW => label.into(),
        _ => label.generalised(),
    }
}
