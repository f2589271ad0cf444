//! References to path.

use std::fmt;

use rustc_hash::FxHashSet;

use super::{RootExpr, StepExpr, parse, write_steps};
use crate::edges::{EdgeKind, LabelPattern};
use crate::heap::Heap;
use crate::merged::MergedPath;
use crate::patterns::MergedStep;
use crate::roots::{Root, RootKind};
use crate::shortest::Step;
use crate::units::TypeId;

pub(super) const CLASS: &str = "__class__";
/// Where attributes live; the step through it is not written.
pub(crate) const DICT: &str = "__dict__";
/// Where a function's cells live; the step through it is not written.
pub(super) const CLOSURE: &str = "__closure__";
/// What a cell refers to; `.<closure>.x` goes there at once.
pub(super) const CONTENTS: &str = "cell_contents";
/// The type of cells.
pub(super) const CELL: &str = "cell";

/// A chain of references as a person reads it. [`Display`](fmt::Display) writes it in the path
/// grammar, and [`resolve`](super::resolve) leads back to the same node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownPath {
    /// Where it begins; nothing for a piece of a path.
    pub root: Option<RootExpr>,
    /// The steps that are written.
    pub steps: Vec<ShownStep>,
    /// Whether steps before the last were left out.
    pub shortened: bool,
}

/// One step that is written; may stand for two references, as `.x` does for `.__dict__` and `.x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownStep {
    /// The step.
    pub expr: StepExpr,
    /// The last of its references, as a row of the chain.
    pub row: usize,
    /// Whether it, or it and a few steps before it, may come more often in a row.
    pub repeats: bool,
}

impl ShownPath {
    /// A path to one node.
    #[must_use]
    pub fn of(heap: &Heap, steps: &[Step]) -> ShownPath {
        show(heap, &steps.iter().map(|&step| MergedStep::of(heap, step)).collect::<Vec<_>>())
    }

    /// A path to many nodes.
    #[must_use]
    pub fn of_merged(heap: &Heap, path: &MergedPath) -> ShownPath {
        ShownPath::of_pattern(heap, &path.steps, path.shortened)
    }

    /// The steps of a pattern.
    pub(crate) fn of_pattern(heap: &Heap, steps: &[MergedStep], shortened: bool) -> ShownPath {
        ShownPath { shortened, ..show(heap, steps) }
    }

    /// A single reference, apart from any path: a step, or the root it leads to.
    #[must_use]
    pub fn of_step(heap: &Heap, step: MergedStep) -> ShownPath {
        show(heap, &[step])
    }
}

/// What is left out is written `…`.
impl fmt::Display for ShownPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(root) = &self.root {
            write!(f, "{root}")?;
        }
        let last = self.steps.len().saturating_sub(usize::from(self.shortened));
        let (most, rest) = self.steps.split_at(last);
        for round in most.split_inclusive(|step| step.repeats) {
            write_steps(f, round.iter().map(|step| &step.expr))?;
            if round.last().is_some_and(|step| step.repeats) {
                f.write_str("…")?;
            }
        }
        if self.shortened {
            f.write_str("…")?;
        }
        write_steps(f, rest.iter().map(|step| &step.expr))
    }
}

type Chain<'a> = &'a [MergedStep];

fn show(heap: &Heap, chain: Chain<'_>) -> ShownPath {
    let first = chain.first().map(|step| step.label.label);
    let named = first.filter(|label| label.kind() == EdgeKind::Root);
    match named.and_then(|label| heap.root(label.payload())) {
        Some(row) => show_steps(heap, Some(row), chain, 1),
        None => show_steps(heap, None, chain, 0),
    }
}

fn show_steps(heap: &Heap, row: Option<&Root>, chain: Chain<'_>, start: usize) -> ShownPath {
    let mut steps = Vec::new();
    let mut on_stack = row.is_some_and(|row| row.kind == RootKind::Thread);
    let mut next = start;
    while next < chain.len() {
        let width = width(heap, &chain[next..]);
        let end = next + width - 1;
        let expr = step(heap, &chain[next..=end], on_stack);
        on_stack = matches!(expr, StepExpr::Segment(_))
            && chain[end].label.label.kind() == EdgeKind::Frame;
        let repeats = chain[next..=end].iter().any(|step| step.repeats);
        steps.push(ShownStep { expr, row: end, repeats });
        next = end + 1;
    }
    if let Some(row) = row {
        keep_apart(heap, row, &mut steps);
    }
    let mut path =
        ShownPath { root: row.map(|row| RootExpr::of(heap, row)), steps, shortened: false };
    name_class(heap, &mut path, chain);
    path
}

/// How many references the next step stands for.
fn width(heap: &Heap, chain: Chain<'_>) -> usize {
    let field = |row: usize| {
        let label = chain.get(row)?.label.label;
        let is_field = matches!(label.kind(), EdgeKind::Attribute | EdgeKind::Internal);
        is_field.then(|| heap.names.get(label.name()))
    };
    let kind = |row: usize| chain.get(row).map(|step| step.label.label.kind());
    let hop = match (field(0), kind(1)) {
        (Some(DICT), Some(EdgeKind::Attribute)) => usize::from(field(1) != Some(DICT)),
        (Some(CLOSURE), Some(EdgeKind::Closure)) => 1,
        _ => 0,
    };
    let is_cell =
        kind(hop) == Some(EdgeKind::Closure) && type_name(heap, chain[hop].type_id) == CELL;
    let contents = usize::from(is_cell && field(hop + 1) == Some(CONTENTS));
    hop + 1 + contents
}

fn type_name(heap: &Heap, type_id: TypeId) -> &str {
    heap.names.get(heap.types.get(type_id).name)
}

/// The step that one to three references are: what a closure's variable is called, or the last.
fn step(heap: &Heap, chain: Chain<'_>, on_stack: bool) -> StepExpr {
    let is_closure = |row: &usize| chain[*row].label.label.kind() == EdgeKind::Closure;
    let last = chain.len() - 1;
    let row = (0..last).find(is_closure).unwrap_or(last);
    let MergedStep { label: LabelPattern { label, any }, type_id, .. } = chain[row];
    let name = || heap.names.get(label.name()).to_owned();
    let index = label.payload();
    match label.kind() {
        EdgeKind::Attribute => StepExpr::Name(name()),
        EdgeKind::Class => StepExpr::Name(CLASS.to_owned()),
        EdgeKind::Internal => StepExpr::Internal(name()),
        EdgeKind::Frame => StepExpr::Segment(name()),
        EdgeKind::Local if on_stack => StepExpr::Segment(name()),
        EdgeKind::Local => StepExpr::Local(name()),
        EdgeKind::Closure if row == last && type_name(heap, type_id) == CELL => {
            StepExpr::Cell(name())
        }
        EdgeKind::Closure => StepExpr::Closure(name()),
        EdgeKind::Weak => StepExpr::Weak(name()),
        EdgeKind::NamedEntry => StepExpr::NamedEntry(name()),
        EdgeKind::Item | EdgeKind::Entry if any => StepExpr::Elements,
        EdgeKind::Item => StepExpr::Item(index),
        EdgeKind::Entry => StepExpr::Entry(index),
        EdgeKind::Key if any => StepExpr::Keys,
        EdgeKind::Key => StepExpr::Key(index),
        EdgeKind::Stack if any => StepExpr::Temporaries,
        EdgeKind::Stack => StepExpr::Stack(index),
        EdgeKind::Field => StepExpr::Field(index),
        EdgeKind::State => StepExpr::State(index),
        EdgeKind::Native | EdgeKind::Root => StepExpr::Native(index),
    }
}

impl RootExpr {
    /// Where a path from a root of a heap begins.
    pub(crate) fn of(heap: &Heap, root: &Root) -> RootExpr {
        let name = heap.names.get(root.name).to_owned();
        match root.kind {
            RootKind::Module if is_plain_module(&name) => RootExpr::Module(name),
            RootKind::Module => RootExpr::QuotedModule(name),
            RootKind::Interpreter => RootExpr::Interpreter(name),
            RootKind::Thread => RootExpr::Thread(name),
            kind => RootExpr::Holder(kind, name),
        }
    }
}

/// Whether a module's name can stand without quotes and is not one of the grammar's own words.
fn is_plain_module(name: &str) -> bool {
    let mut parts = name.split('.');
    parts.clone().all(parse::is_name) && parts.next() != Some("interpreter")
}

/// Quotes the first name if together with those after it, it would be taken for a longer module's.
fn keep_apart(heap: &Heap, root: &Root, steps: &mut [ShownStep]) {
    if root.kind != RootKind::Module || !is_plain_module(heap.names.get(root.name)) {
        return;
    }
    let names = steps.iter().map_while(|step| match &step.expr {
        StepExpr::Name(name) => Some(name.as_str()),
        _ => None,
    });
    let is_taken = longer_modules(heap, heap.names.get(root.name), names).next().is_some();
    if let Some(StepExpr::Name(first)) = steps.first().map(|step| &step.expr)
        && is_taken
    {
        steps[0].expr = StepExpr::QuotedName(first.clone());
    }
}

/// What is spelt like a type would be taken for its instances: a class is named by way of the dict it
/// stands in, a module in quotes.
fn name_class(heap: &Heap, path: &mut ShownPath, chain: Chain<'_>) {
    let Some(RootExpr::Module(module)) = &path.root else { return };
    let mut text = module.clone();
    for step in &path.steps {
        let StepExpr::Name(name) = &step.expr else { return };
        text.push('.');
        text.push_str(name);
    }
    if heap.types_called(&text).is_empty() {
        return;
    }
    let Some(row) = path.steps.last().map(|step| step.row) else {
        path.root = Some(RootExpr::QuotedModule(text));
        return;
    };
    let dict = row.checked_sub(1).filter(|&before| {
        let label = chain[before].label.label;
        matches!(label.kind(), EdgeKind::Attribute | EdgeKind::Internal)
            && heap.names.get(label.name()) == DICT
    });
    if let Some(row) = dict {
        let expr = StepExpr::Name(DICT.to_owned());
        path.steps.insert(path.steps.len() - 1, ShownStep { expr, row, repeats: false });
    }
}

/// The modules whose names are a module's and some of the names that come after it, by how many.
pub(super) fn longer_modules<'a>(
    heap: &'a Heap,
    module: &str,
    names: impl Iterator<Item = &'a str>,
) -> impl Iterator<Item = (String, usize)> {
    let modules = heap.roots.iter().filter(|root| root.kind == RootKind::Module);
    let is_below =
        |name: &&str| name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.'));
    let below: FxHashSet<&str> =
        modules.map(|root| heap.names.get(root.name)).filter(is_below).collect();
    let longest = below.iter().map(|name| name.len()).max().unwrap_or(0);
    let mut full = module.to_owned();
    let grown = names.map_while(move |name| {
        full.push('.');
        full.push_str(name);
        (full.len() <= longest).then(|| full.clone())
    });
    let count = grown.zip(1..);
    count.filter(move |(full, _)| below.contains(full.as_str()))
}
