//! What a report shows: each number once, for whichever format.

mod collector;
pub mod files;

pub use collector::{Advice, CollectorView, TrackedRow};

use deadweight_heap::path::ShownPath;
use deadweight_heap::{
    AccountKind, AccountRow, Bytes, Capture, Census, CensusRow, Dominators, Gap, Grouping, Heap,
    HeavyRow, Layer, MergedPath, Names, NodeFlags, NodeId, Provenance, ShortestPaths, Step,
    TreeOptions, TreeRow, TreeWhat, Trust, heaviest, merged_paths, tree,
};

/// How a number is known that may contain modelled sizes.
#[must_use]
pub fn trust(modelled: bool) -> Trust {
    if modelled { Trust::Modelled } else { Trust::Measured }
}

/// What reading and analysing cost ourselves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// From start to report.
    pub elapsed_micros: u64,
    /// Processor time, user and system; `None` where we are a part of another program.
    pub cpu_micros: Option<u64>,
    /// The most memory we had resident; `None` likewise.
    pub peak: Option<Bytes>,
}

/// What a program that runs out of memory says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey<'a> {
    /// Whether everything was met.
    pub complete: bool,
    /// How long it has taken.
    pub seconds: f64,
    /// Objects that were met, and what they hold.
    pub objects: u64,
    /// What they hold.
    pub held: Bytes,
    /// Whether any size in that follows a rule.
    pub modelled: bool,
    /// References that there was no room to follow.
    pub left_out: u64,
    /// By type, heaviest first.
    pub types: Vec<SurveyRow<'a>>,
    /// Paths, heaviest first, each with the heaviest types below it.
    pub holders: Vec<(SurveyRow<'a>, Vec<SurveyRow<'a>>)>,
}

/// A type or a path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SurveyRow<'a> {
    /// Its name, or the path.
    pub name: &'a str,
    /// Objects.
    pub count: u64,
    /// What they hold.
    pub held: Bytes,
}

/// Objects and what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub objects: u64,
    /// What they hold.
    pub held: Bytes,
}

impl Sum {
    fn add(&mut self, held: Bytes) {
        self.objects += 1;
        self.held += held;
    }
}

/// `weigh`: a capture at a glance.
#[derive(Debug)]
pub struct Weigh<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// All objects.
    pub all: Sum,
    /// References between objects.
    pub references: u64,
    /// Objects in the collector's lists.
    pub tracked: u64,
    /// The interpreter's own: immortal, cached, static.
    pub interpreter: Sum,
    /// Alive, but held by native code only.
    pub native: Sum,
    /// Unreachable, not yet collected.
    pub garbage: Sum,
    /// Whose size follows a rule instead of an allocator's header.
    pub modelled: Sum,
    /// Where the weight gathers.
    pub heaviest: Vec<HeavyRow>,
    /// How many rows of that were asked for.
    pub top: usize,
    /// What it cost us.
    pub cost: Cost,
}

impl<'a> Weigh<'a> {
    /// Looks a capture over.
    #[must_use]
    pub fn of(
        capture: &'a Capture,
        dominators: &Dominators,
        paths: &ShortestPaths,
        top: usize,
        cost: Cost,
    ) -> Weigh<'a> {
        let heap = &capture.heap;
        let mut view = Weigh {
            capture,
            all: Sum::default(),
            references: heap.references(),
            tracked: heap.tracked(),
            interpreter: Sum::default(),
            native: Sum::default(),
            garbage: Sum::default(),
            modelled: Sum::default(),
            heaviest: heaviest(heap, dominators, paths, top),
            top,
            cost,
        };
        for node in heap.object_ids() {
            let held = heap.nodes.held(node);
            let flags = heap.nodes.flags(node);
            view.all.add(held);
            if flags.has(NodeFlags::MODELLED) {
                view.modelled.add(held);
            }
            if flags.has(NodeFlags::INTERPRETER) {
                view.interpreter.add(held);
            } else {
                match flags.layer() {
                    Layer::Named => {}
                    Layer::Native => view.native.add(held),
                    Layer::Garbage => view.garbage.add(held),
                }
            }
        }
        view
    }

    /// How a row of the account is known: what objects take follows a rule as soon as one size does,
    /// and so does what is left when they are taken off.
    #[must_use]
    pub fn trust(&self, row: &AccountRow) -> Trust {
        let rests_on_objects =
            matches!(row.kind, AccountKind::PythonObjects | AccountKind::OtherAnonymous);
        trust(rests_on_objects && self.modelled.objects > 0)
    }
}

/// `census`: all objects by type or module.
#[derive(Debug)]
pub struct CensusView<'a> {
    /// The names of the rows.
    pub names: &'a Names,
    /// What could not be read.
    pub gaps: &'a [Gap],
    /// Where it came from.
    pub provenance: &'a Provenance,
    /// What the rows are.
    pub grouping: Grouping,
    /// The rows, sorted.
    pub census: Census,
    /// References between objects; `None` if they were not looked at.
    pub references: Option<u64>,
    /// Objects in the collector's lists.
    pub tracked: u64,
    /// How many rows to show.
    pub top: usize,
}

impl CensusView<'_> {
    /// The name of a row; the module of builtins has one too.
    #[must_use]
    pub fn name(&self, row: &CensusRow) -> &str {
        match self.names.get(row.name) {
            "" => "builtins",
            name => name,
        }
    }
}

/// `why`: what holds some nodes.
#[derive(Debug)]
pub struct Why<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// What was asked for.
    pub query: &'a str,
    /// How many nodes it is.
    pub count: u64,
    /// What they retain together.
    pub retained: Bytes,
    /// How that is known.
    pub trust: Trust,
    /// What they themselves hold.
    pub held: Bytes,
    /// If it is a module: the path to the dict of its names, and what that retains.
    pub names: Option<(ShownPath, Trust, Bytes)>,
    /// The paths to them, heaviest first, as many as were asked for.
    pub paths: Vec<MergedPath>,
    /// The path to the heaviest node of each.
    pub examples: Vec<Vec<Step>>,
}

impl<'a> Why<'a> {
    /// Finds the paths to some nodes.
    #[must_use]
    pub fn of(
        capture: &'a Capture,
        query: &'a str,
        nodes: &[NodeId],
        dominators: &Dominators,
        paths: &ShortestPaths,
        top: usize,
    ) -> Why<'a> {
        let heap = &capture.heap;
        let merged = merged_paths(heap, paths, dominators, nodes, top);
        let names = match nodes {
            [one] => heap.names_of_module(*one),
            _ => None,
        };
        let names = names.map(|dict| {
            let trust = trust(dominators.retains_modelled(dict));
            (ShownPath::of(heap, &paths.path_to(heap, dict)), trust, dominators.retained(dict))
        });
        Why {
            capture,
            query,
            count: nodes.len() as u64,
            retained: dominators.retained_by_all(nodes),
            trust: trust(nodes.iter().any(|&node| dominators.retains_modelled(node))),
            held: nodes.iter().map(|&node| heap.nodes.held(node)).sum(),
            names,
            examples: merged.iter().map(|path| paths.path_to(heap, path.example)).collect(),
            paths: merged,
        }
    }
}

/// `tree`: what dominates what.
#[derive(Debug)]
pub struct Tree<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// What the whole heap retains.
    pub whole: Bytes,
    /// The rows, each before those below it.
    pub rows: Vec<TreeRow>,
    /// What was left out.
    pub options: TreeOptions,
}

impl<'a> Tree<'a> {
    /// Lays out the tree below a node.
    #[must_use]
    pub fn of(
        capture: &'a Capture,
        dominators: &Dominators,
        paths: &ShortestPaths,
        start: NodeId,
        options: TreeOptions,
    ) -> Tree<'a> {
        let heap = &capture.heap;
        let whole = dominators.retained(Heap::ROOT);
        let rows = tree(heap, dominators, paths, start, options);
        Tree { capture, whole, rows, options }
    }

    /// Whether a row is the last of its branch though much of what it retains is below it.
    #[must_use]
    pub fn is_cut(&self, row: &TreeRow) -> bool {
        let below = row.retained - row.held;
        row.depth == self.options.depth
            && matches!(row.what, TreeWhat::Alike { .. })
            && below.0 > 0
            && below >= self.options.least
    }
}

/// `snapshot`: what was saved.
#[derive(Debug)]
pub struct Saved<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// The file, as it was named.
    pub file: &'a std::path::Path,
    /// Its size.
    pub size: Bytes,
}

/// `sizes`: what objects of one interpreter really cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizesView {
    /// The interpreter's version.
    pub python: String,
    /// Its program file.
    pub executable: String,
    /// Facts of its object model, by name.
    pub model: Vec<(String, u64)>,
    /// The smallest and largest int that the interpreter keeps ready.
    pub cached_ints: (i64, i64),
    /// The specimens.
    pub rows: Vec<SizeRow>,
}

/// One specimen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SizeRow {
    /// The type.
    pub type_name: String,
    /// What it holds: `empty`, `1 item`, `100 items`…
    pub specimen: String,
    /// What it really holds by itself.
    pub held: Bytes,
    /// The same before rounding.
    pub requested: Bytes,
    /// What it keeps alive, its items included.
    pub retained: Bytes,
    /// What `sys.getsizeof` says.
    pub getsizeof: Bytes,
}
