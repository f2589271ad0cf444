//! Path to nodes.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{PathError, PathExpr, RootExpr, StepExpr, nearest, shown};
use crate::edges::{EdgeKind, Label};
use crate::heap::Heap;
use crate::names::Names;
use crate::roots::{Root, RootKind};
use crate::units::{NameId, NodeId, grouped};

/// The nodes a path leads to, in the order they are met.
///
/// A module's name is the longest that fits: if there are modules `a` and `a.b`, then `a.b.c` is
/// `.c` of `a.b`. `.name` follows an attribute or a C field of that name, directly or through
/// `__dict__`.
///
/// # Errors
/// When nothing begins like the path, or when no node found so far has the next step: says which
/// step, what was there, and what is called alike.
pub fn resolve(heap: &Heap, path: &PathExpr) -> Result<Vec<NodeId>, PathError> {
    let mut view = View { heap, ids: FxHashMap::default() };
    view.walk(path).map_err(|end| match path.steps.get(end.taken) {
        Some(step) if !end.nodes.is_empty() => {
            let steps = path.steps[..end.taken].to_vec();
            let so_far = PathExpr { root: path.root.clone(), steps }.to_string();
            view.no_step(&end.nodes, so_far, step)
        }
        _ => no_root(heap, path),
    })
}

/// The first few of these texts that are paths and lead somewhere.
pub(crate) fn leading(
    heap: &Heap,
    texts: impl IntoIterator<Item = String>,
    most: usize,
) -> Vec<String> {
    let mut view = View { heap, ids: FxHashMap::default() };
    let leads = |text: &String| text.parse().is_ok_and(|path| view.walk(&path).is_ok());
    texts.into_iter().filter(leads).take(most).collect()
}

/// Where a path ends too early.
struct DeadEnd {
    /// What the steps so far lead to; nothing if the path begins nowhere.
    nodes: Vec<NodeId>,
    /// How many steps.
    taken: usize,
}

/// The roots a path may begin with, and how many of its steps belong to their name.
fn roots_of<'a>(heap: &'a Heap, path: &PathExpr) -> (Vec<&'a Root>, usize) {
    let find = |kind: RootKind, name: &str| -> Vec<&Root> {
        let is = |root: &&Root| root.kind == kind && heap.names.get(root.name) == name;
        heap.roots.iter().filter(is).collect()
    };
    let first = match &path.root {
        RootExpr::Module(name) => name,
        RootExpr::QuotedModule(name) => return (find(RootKind::Module, name), 0),
        RootExpr::Interpreter(name) => return (find(RootKind::Interpreter, name), 0),
        RootExpr::Thread(name) => return (find(RootKind::Thread, name), 0),
        RootExpr::Holder(kind, name) => return (find(*kind, name), 0),
    };
    let names = path.steps.iter().map_while(|step| match step {
        StepExpr::Name(name) => Some(name.as_str()),
        _ => None,
    });
    let longest = shown::longer_modules(heap, first, names).last();
    let (full, taken) = longest.unwrap_or((first.clone(), 0));
    (find(RootKind::Module, &full), taken)
}

fn no_root(heap: &Heap, path: &PathExpr) -> PathError {
    let name = path.root.to_string();
    if let RootExpr::Holder(kind, _) = &path.root {
        let alike = heap.roots.iter().filter(|root| root.kind == *kind);
        let alike: Vec<String> = alike.map(|root| RootExpr::of(heap, root).to_string()).collect();
        let near = nearest(&name, alike.iter().map(String::as_str));
        return PathError::NoHolder { holder: name, near };
    }
    let roots: Vec<String> =
        heap.roots.iter().map(|root| RootExpr::of(heap, root).to_string()).collect();
    let near = nearest(&name, roots.iter().map(String::as_str));
    PathError::NoRoot { name, near }
}

/// Each node once, in the order they come.
fn distinct(nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
    let mut seen = FxHashSet::default();
    nodes.filter(|&node| seen.insert(node)).collect()
}

const ELEMENTS: [EdgeKind; 4] =
    [EdgeKind::Item, EdgeKind::Entry, EdgeKind::NamedEntry, EdgeKind::Key];
const FIELDS: [EdgeKind; 2] = [EdgeKind::Attribute, EdgeKind::Internal];

/// A heap and the names looked up in it so far: a path may have a million steps of the same name.
struct View<'a> {
    heap: &'a Heap,
    ids: FxHashMap<String, Option<NameId>>,
}

impl View<'_> {
    fn walk(&mut self, path: &PathExpr) -> Result<Vec<NodeId>, DeadEnd> {
        let (roots, mut taken) = roots_of(self.heap, path);
        let mut nodes = distinct(roots.iter().map(|root| root.node));
        while let Some(step) = path.steps.get(taken).filter(|_| !nodes.is_empty()) {
            let next = self.follow(&nodes, step);
            if next.is_empty() {
                return Err(DeadEnd { nodes, taken });
            }
            nodes = next;
            taken += 1;
        }
        if nodes.is_empty() { Err(DeadEnd { nodes, taken }) } else { Ok(nodes) }
    }

    fn id(&mut self, name: &str) -> Option<NameId> {
        if let Some(&known) = self.ids.get(name) {
            return known;
        }
        let id = self.heap.names.find(name);
        self.ids.insert(name.to_owned(), id);
        id
    }

    /// All nodes one step leads to.
    fn follow(&mut self, nodes: &[NodeId], step: &StepExpr) -> Vec<NodeId> {
        match step {
            StepExpr::Name(name) | StepExpr::QuotedName(name) => self.attribute(nodes, name),
            StepExpr::Internal(name) => self.named(nodes, &[EdgeKind::Internal], name),
            StepExpr::Segment(name) => self.named(nodes, &[EdgeKind::Frame, EdgeKind::Local], name),
            StepExpr::Local(name) => self.named(nodes, &[EdgeKind::Local], name),
            StepExpr::Closure(name) => self.variable(nodes, name),
            StepExpr::Cell(name) => self.cells(nodes, name),
            StepExpr::Weak(name) => self.named(nodes, &[EdgeKind::Weak], name),
            StepExpr::NamedEntry(name) => self.named(nodes, &[EdgeKind::NamedEntry], name),
            StepExpr::Item(index) => self.at(nodes, EdgeKind::Item, *index),
            StepExpr::Entry(index) => self.at(nodes, EdgeKind::Entry, *index),
            StepExpr::Key(index) => self.at(nodes, EdgeKind::Key, *index),
            StepExpr::Stack(index) => self.at(nodes, EdgeKind::Stack, *index),
            StepExpr::Field(offset) => self.at(nodes, EdgeKind::Field, *offset),
            StepExpr::State(offset) => self.at(nodes, EdgeKind::State, *offset),
            StepExpr::Native(offset) => self.at(nodes, EdgeKind::Native, *offset),
            StepExpr::Elements => self.elements(nodes),
            StepExpr::Keys => self.directly(nodes, |label| label.kind() == EdgeKind::Key),
            StepExpr::Temporaries => self.directly(nodes, |label| label.kind() == EdgeKind::Stack),
        }
    }

    fn directly(&self, nodes: &[NodeId], admits: impl Fn(Label) -> bool) -> Vec<NodeId> {
        let edges = nodes.iter().flat_map(|&node| self.heap.edges.of(node));
        distinct(edges.filter(|edge| admits(edge.label)).map(|edge| edge.target))
    }

    /// Items, the values of dicts, the elements of sets.
    fn elements(&self, nodes: &[NodeId]) -> Vec<NodeId> {
        let of = |&node: &NodeId| {
            let is_value = |kind| matches!(kind, EdgeKind::Entry | EdgeKind::NamedEntry);
            let is_dict = self.heap.edges.of(node).any(|edge| is_value(edge.label.kind()));
            let edges = self.heap.edges.of(node).map(|edge| (edge.label.kind(), edge.target));
            edges.filter(move |&(kind, _)| {
                ELEMENTS.contains(&kind) && !(is_dict && kind == EdgeKind::Key)
            })
        };
        distinct(nodes.iter().flat_map(of).map(|(_, target)| target))
    }

    fn at(&self, nodes: &[NodeId], kind: EdgeKind, index: u32) -> Vec<NodeId> {
        self.directly(nodes, |label| label.kind() == kind && label.payload() == index)
    }

    fn named(&mut self, nodes: &[NodeId], kinds: &[EdgeKind], name: &str) -> Vec<NodeId> {
        let Some(id) = self.id(name) else { return Vec::new() };
        self.directly(nodes, |label| kinds.contains(&label.kind()) && label.name() == id)
    }

    /// An attribute or C field, of the nodes themselves or in their `__dict__`.
    fn attribute(&mut self, nodes: &[NodeId], name: &str) -> Vec<NodeId> {
        let mut found = self.named(nodes, &FIELDS, name);
        if name == shown::CLASS {
            found.extend(self.directly(nodes, |label| label.kind() == EdgeKind::Class));
        }
        if name != shown::DICT {
            let dicts = self.named(nodes, &FIELDS, shown::DICT);
            found.extend(self.named(&dicts, &[EdgeKind::Attribute], name));
        }
        distinct(found.into_iter())
    }

    /// The cells of a variable, of functions or of their tuples of cells.
    fn cells(&mut self, nodes: &[NodeId], name: &str) -> Vec<NodeId> {
        let tuples = self.named(nodes, &FIELDS, shown::CLOSURE);
        self.named(&[nodes, &tuples].concat(), &[EdgeKind::Closure], name)
    }

    /// What a variable refers to: the contents of its cells, or what stands in their place.
    fn variable(&mut self, nodes: &[NodeId], name: &str) -> Vec<NodeId> {
        let found = self.cells(nodes, name);
        let is_cell = |node: &NodeId| self.heap.type_name(*node) == shown::CELL;
        let (cells, others): (Vec<_>, Vec<_>) = found.into_iter().partition(is_cell);
        let contents = self.named(&cells, &FIELDS, shown::CONTENTS);
        distinct(others.into_iter().chain(contents))
    }

    fn no_step(&mut self, nodes: &[NodeId], so_far: String, step: &StepExpr) -> PathError {
        let mut types: Vec<&str> = nodes.iter().map(|&node| self.heap.type_name(node)).collect();
        types.sort_unstable();
        types.dedup();
        let mut found = types.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        if types.len() > 3 {
            found.push_str(", …");
        }
        let count = |kind: EdgeKind| {
            let edges = nodes.iter().flat_map(|&node| self.heap.edges.of(node));
            edges.filter(|edge| edge.label.kind() == kind).count() as u64
        };
        let (items, keys) = (count(EdgeKind::Item), count(EdgeKind::Key));
        let (kept, not_kept) = (count(EdgeKind::NamedEntry), count(EdgeKind::Entry));
        for (word, number) in
            [("items", items), ("entries", kept + not_kept), ("keys or elements", keys)]
        {
            if number > 0 {
                found = format!("{found}, {word}: {}", grouped(number));
            }
        }
        let is_number = matches!(step, StepExpr::Item(_));
        let by_key = (is_number || matches!(step, StepExpr::NamedEntry(_))) && items == 0;
        let (is_lost, some) = (by_key && not_kept > 0, kept > 0);
        // Keys that are texts are not like a number.
        let nothing_near = is_lost && (is_number || !some);
        let near = if nothing_near { Vec::new() } else { self.near_steps(nodes, step) };
        let step = step.to_string();
        if is_lost {
            return PathError::KeyNotKept { so_far, found, step, some, near };
        }
        PathError::NoStep { so_far, found, step, near }
    }

    /// Steps that could be taken instead.
    fn near_steps(&mut self, nodes: &[NodeId], step: &StepExpr) -> Vec<String> {
        let dicts = self.named(nodes, &FIELDS, shown::DICT);
        let tuples = self.named(nodes, &FIELDS, shown::CLOSURE);
        let holders = [nodes, &dicts, &tuples].concat();
        let edges = holders.iter().flat_map(|&node| self.heap.edges.of(node));
        let named = edges.map(|edge| edge.label).filter(|label| label.kind().is_named());
        let labels: FxHashSet<Label> = named.collect();
        let text = |label: &Label| name_step(&self.heap.names, *label).to_string();
        let texts: Vec<String> = labels.iter().map(text).collect();
        nearest(step.to_string().trim(), texts.iter().map(|text| text.trim()))
    }
}

/// A named label as a step.
fn name_step(names: &Names, label: Label) -> StepExpr {
    let name = names.get(label.name()).to_owned();
    match label.kind() {
        EdgeKind::Closure => StepExpr::Closure(name),
        EdgeKind::NamedEntry => StepExpr::NamedEntry(name),
        EdgeKind::Frame | EdgeKind::Local => StepExpr::Segment(name),
        EdgeKind::Weak => StepExpr::Weak(name),
        EdgeKind::Internal => StepExpr::Internal(name),
        _ => StepExpr::Name(name),
    }
}
