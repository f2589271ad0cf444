//! Heaps made up for tests: described as plain rows, then built.

#![allow(dead_code, reason = "each test crate uses its own part of this module")]

use deadweight_heap::{
    Addr, Bytes, EdgeKind, Heap, HeapBuilder, Label, Layer, NodeFlags, NodeId, RootKind, SizeModel,
    TypeId, TypeKind,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// One node of a plan; its number is its place in the plan.
#[derive(Clone, Debug)]
pub(crate) struct PlanNode {
    pub(crate) type_name: &'static str,
    pub(crate) is_object: bool,
    pub(crate) held: u64,
    pub(crate) layer: Layer,
    pub(crate) interpreter: bool,
    pub(crate) is_tracked: bool,
}

/// How a reference of a plan is called.
#[derive(Clone, Debug)]
pub(crate) enum PlanLabel {
    Named(EdgeKind, String),
    At(EdgeKind, u64),
}

/// A heap as rows. Node 0 is the super root; pseudo nodes come before objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) nodes: Vec<PlanNode>,
    /// Source, target, label, whether found conservatively.
    pub(crate) edges: Vec<(usize, usize, PlanLabel, bool)>,
    /// Kind, name, node. Each gets its reference from the super root.
    pub(crate) roots: Vec<(RootKind, String, usize)>,
}

pub(crate) fn pseudo() -> PlanNode {
    pseudo_of("pseudo")
}

pub(crate) fn pseudo_of(type_name: &'static str) -> PlanNode {
    PlanNode { is_object: false, ..object(type_name, 0) }
}

pub(crate) fn object(type_name: &'static str, held: u64) -> PlanNode {
    PlanNode {
        type_name,
        is_object: true,
        held,
        layer: Layer::Named,
        interpreter: false,
        is_tracked: true,
    }
}

pub(crate) fn attribute(name: &str) -> PlanLabel {
    PlanLabel::Named(EdgeKind::Attribute, name.to_owned())
}

pub(crate) fn item(index: u64) -> PlanLabel {
    PlanLabel::At(EdgeKind::Item, index)
}

impl Plan {
    /// A plan that holds nothing but the super root.
    pub(crate) fn new() -> Plan {
        Plan { nodes: vec![pseudo()], ..Plan::default() }
    }

    pub(crate) fn add(&mut self, node: PlanNode) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    pub(crate) fn link(&mut self, source: usize, target: usize, label: PlanLabel) {
        self.edges.push((source, target, label, false));
    }

    pub(crate) fn root(&mut self, kind: RootKind, name: &str, node: usize) {
        self.roots.push((kind, name.to_owned(), node));
    }

    pub(crate) fn build(&self) -> Heap {
        let mut b = HeapBuilder::new(SizeModel::cpython_x86_64());
        let mut types: Vec<((&str, bool), TypeId)> = Vec::new();
        let mut edges = self.edges.clone();
        edges.sort_by_key(|edge| edge.0);
        let mut edges = edges.into_iter().peekable();
        let rows: Vec<u32> = self
            .roots
            .iter()
            .map(|(kind, name, node)| {
                let name = b.names.intern(name);
                b.add_root(*kind, name, NodeId::from(*node))
            })
            .collect();
        for (number, node) in self.nodes.iter().enumerate() {
            let of_type = (node.type_name, node.is_object);
            let known = types.iter().find(|row| row.0 == of_type).map(|row| row.1);
            let type_id =
                known.unwrap_or_else(|| add_type(&mut b, node, Addr(16 * types.len() as u64 + 16)));
            if known.is_none() {
                types.push((of_type, type_id));
            }
            if node.is_object {
                b.add_getsizeof(type_id, Bytes(node.held));
                let own = if node.interpreter { NodeFlags::INTERPRETER } else { 0 };
                // Cells stand for whatever has a modelled size.
                let modelled = node.type_name == "cell";
                let own = own | if modelled { NodeFlags::MODELLED } else { 0 };
                let own = own | if node.is_tracked { NodeFlags::TRACKED } else { 0 };
                let flags = NodeFlags(own).in_layer(node.layer);
                let (address, held) = (Addr(0x1000 + 64 * number as u64), Bytes(node.held));
                b.push_object(address, type_id, held, held, flags).expect("rising addresses");
            } else {
                b.push_pseudo(type_id, Addr::NULL).expect("few nodes");
            }
            if number == 0 {
                // Against the order of the root table, which must not depend on this one.
                for (&row, (_, _, node)) in rows.iter().zip(&self.roots).rev() {
                    b.push_edge(NodeId::from(*node), Label::at(EdgeKind::Root, u64::from(row)));
                }
            }
            while let Some((_, target, label, conservative)) =
                edges.next_if(|edge| edge.0 == number)
            {
                let label = match label {
                    PlanLabel::Named(kind, name) => Label::named(kind, b.names.intern(&name)),
                    PlanLabel::At(kind, index) => Label::at(kind, index),
                };
                let label = if conservative { label.conservative() } else { label };
                b.push_edge(NodeId::from(target), label);
            }
        }
        b.finish().expect("a plan is complete")
    }
}

/// Dotted names are classes made in Python.
fn add_type(b: &mut HeapBuilder, node: &PlanNode, address: Addr) -> TypeId {
    match node.type_name.rsplit_once('.') {
        _ if !node.is_object => b.add_pseudo_type(node.type_name),
        Some((module, _)) => b.add_type(node.type_name, module, TypeKind::Python, address),
        None => b.add_type(node.type_name, "", TypeKind::Native, address),
    }
}

const TYPES: [&str; 6] = ["dict", "list", "app.Node", "app.User", "str", "cell"];
const NAMES: [&str; 16] = [
    "a",
    "models",
    "next",
    "__dict__",
    "__closure__",
    "cell_contents",
    "__class__",
    "weird name",
    "it's > a \\ \u{202e}\n",
    "app.py:42 <module>",
    "app.py",
    "closure",
    "field 8",
    "größe",
    "<iterator>",
    "",
];
const PSEUDO_ROOTS: [RootKind; 7] = [
    RootKind::Interpreter,
    RootKind::Thread,
    RootKind::Immortal,
    RootKind::InterpreterState,
    RootKind::StaticData,
    RootKind::CStack,
    RootKind::Garbage,
];

fn any_label() -> impl Strategy<Value = PlanLabel> {
    use EdgeKind::{
        Attribute, Class, Closure, Entry, Field, Frame, Internal, Item, Key, Local, NamedEntry,
        Native, Stack, State, Weak,
    };
    let named = vec![Attribute, Attribute, Internal, NamedEntry, Closure, Local, Frame, Weak];
    let at = vec![Item, Entry, Key, Stack, Field, State, Native, Class];
    prop_oneof![
        (prop::sample::select(named), prop::sample::select(&NAMES))
            .prop_map(|(kind, name)| PlanLabel::Named(kind, name.to_owned())),
        (prop::sample::select(at), 0_u64..4).prop_map(|(kind, index)| {
            PlanLabel::At(kind, if kind == Class { 0 } else { index })
        }),
    ]
}

fn any_object() -> impl Strategy<Value = PlanNode> {
    let layer =
        prop_oneof![8 => Just(Layer::Named), 1 => Just(Layer::Native), 1 => Just(Layer::Garbage)];
    (prop::sample::select(&TYPES), 1_u64..100, layer, prop::bool::weighted(0.1)).prop_map(
        |(type_name, held, layer, interpreter)| PlanNode {
            type_name,
            is_object: true,
            held,
            layer,
            interpreter,
            is_tracked: true,
        },
    )
}

/// Small heaps of any shape: every kind of root and reference, all layers, unreached nodes, cycles,
/// references into roots, doubled references.
pub(crate) fn any_plan() -> impl Strategy<Value = Plan> {
    let parts = (
        prop::sample::subsequence(&PSEUDO_ROOTS, 0..=PSEUDO_ROOTS.len()),
        0_usize..3,
        vec(any_object(), 1..24),
        0_usize..4,
    );
    parts.prop_flat_map(|(kinds, frames, objects, modules)| {
        let first = 1 + kinds.len() + frames;
        let count = first + objects.len();
        let edge = (1..count, 1..count, any_label(), prop::bool::weighted(0.15));
        let module = first..count;
        (vec(edge, 0..3 * count), vec(module, modules)).prop_map(move |(edges, modules)| {
            let mut plan = Plan::new();
            for (index, &module) in modules.iter().enumerate() {
                plan.root(RootKind::Module, ["app", "app.models", "json"][index], module);
            }
            for &kind in &kinds {
                let node = plan.add(pseudo());
                let name = match kind {
                    RootKind::Thread => "7",
                    RootKind::Interpreter => "",
                    _ => "held",
                };
                plan.root(kind, name, node);
            }
            (0..frames).for_each(|_| {
                plan.add(pseudo());
            });
            plan.nodes.extend(objects.iter().cloned());
            plan.edges = edges;
            plan
        })
    })
}

/// Who refers to whom, for the purpose of retained sizes, straight from the definition.
pub(crate) fn counted_references(heap: &Heap) -> Vec<Vec<NodeId>> {
    let layer_of_root = |node: NodeId| {
        let kinds = heap.roots.iter().filter(|root| root.node == node).map(|root| root.kind);
        kinds
            .map(|kind| match kind {
                RootKind::Garbage => Layer::Garbage,
                kind if kind.is_named() || kind == RootKind::Immortal => Layer::Named,
                _ => Layer::Native,
            })
            .min()
    };
    let mut out: Vec<Vec<NodeId>> = heap
        .nodes
        .ids()
        .map(|source| {
            let own = heap.nodes.flags(source).layer();
            let counts = |target: NodeId| {
                let layer = heap.nodes.flags(target).layer();
                match layer_of_root(source) {
                    _ if source == Heap::ROOT => true,
                    Some(least) if !heap.nodes.is_object(source) => layer >= least,
                    _ => layer == own,
                }
            };
            let strong = heap.edges.of(source).filter(|edge| edge.label.is_strong());
            strong.map(|edge| edge.target).filter(|&target| counts(target)).collect()
        })
        .collect();
    let holder = heap.immortal_root().unwrap_or(Heap::ROOT);
    out[0].push(holder);
    for node in heap.nodes.ids().filter(|&id| heap.nodes.flags(id).has(NodeFlags::INTERPRETER)) {
        out[holder.index()].push(node);
    }
    out
}

/// What the super root reaches when one node is taken away.
pub(crate) fn reached(references: &[Vec<NodeId>], without: Option<NodeId>) -> Vec<bool> {
    let mut seen = vec![false; references.len()];
    let mut stack = vec![Heap::ROOT];
    while let Some(node) = stack.pop() {
        if Some(node) == without || std::mem::replace(&mut seen[node.index()], true) {
            continue;
        }
        stack.extend(&references[node.index()]);
    }
    seen
}
