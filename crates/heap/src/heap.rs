//! The frozen heap: five tables and nothing else.

use crate::edges::{Edge, EdgeKind, Edges, Label};
use crate::names::Names;
use crate::nodes::{NodeFlags, Nodes};
use crate::path::DICT;
use crate::roots::{Root, RootKind};
use crate::size_model::SizeModel;
use crate::types::{TypeKind, TypeRow, Types};
use crate::units::{NodeId, TypeId};

/// A Python heap as it was at one moment. Columnar, 32-bit ids, never changed once built.
///
/// Node 0 is the root; its references lead to the rows of `roots`.
#[derive(Clone, Debug)]
pub struct Heap {
    /// The types.
    pub types: Types,
    /// The names that labels, types and roots use.
    pub names: Names,
    /// The nodes: pseudo nodes, then objects by rising address.
    pub nodes: Nodes,
    /// The references.
    pub edges: Edges,
    /// Where paths begin.
    pub roots: Vec<Root>,
    /// What objects of this interpreter cost.
    pub model: SizeModel,
}

impl Heap {
    /// The node every path starts from.
    pub const ROOT: NodeId = NodeId(0);

    /// The first node that is an object.
    #[must_use]
    pub fn first_object(&self) -> NodeId {
        let first = self.nodes.flags.partition_point(|flags| flags.has(NodeFlags::PSEUDO));
        NodeId::from(first)
    }

    /// Ids of all objects, by rising address.
    pub fn object_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (self.first_object().0..self.nodes.len() as u32).map(NodeId)
    }

    /// How many Python objects.
    #[must_use]
    pub fn objects(&self) -> u64 {
        (self.nodes.len() - self.first_object().index()) as u64
    }

    /// How many of them the collector tracks.
    #[must_use]
    pub fn tracked(&self) -> u64 {
        self.nodes.flags.iter().filter(|flags| flags.has(NodeFlags::TRACKED)).count() as u64
    }

    /// How many references between objects, weak ones included.
    #[must_use]
    pub fn references(&self) -> u64 {
        let first = self.edges.starts[self.first_object().index()];
        self.edges.len() as u64 - u64::from(first)
    }

    /// The full name of a node's type.
    #[must_use]
    pub fn type_name(&self, node: NodeId) -> &str {
        self.names.get(self.types.get(self.nodes.type_of(node)).name)
    }

    /// The root a row of the root's references stands for.
    #[must_use]
    pub fn root(&self, row: u32) -> Option<&Root> {
        self.roots.get(row as usize)
    }

    /// The dict that holds what a module calls by name, if the node is a module. Its functions
    /// refer to that dict too, so that the module does not retain it.
    #[must_use]
    pub fn names_of_module(&self, node: NodeId) -> Option<NodeId> {
        if self.type_name(node) != "module" {
            return None;
        }
        let is_names = |edge: &Edge| {
            matches!(edge.label.kind(), EdgeKind::Attribute | EdgeKind::Internal)
                && self.names.get(edge.label.name()) == DICT
        };
        self.edges.of(node).find(is_names).map(|edge| edge.target)
    }

    /// The pseudo node that owns what is immortal, cached or static, if the heap has one.
    #[must_use]
    pub fn immortal_root(&self) -> Option<NodeId> {
        self.roots.iter().find(|root| root.kind == RootKind::Immortal).map(|root| root.node)
    }

    /// The types that a text names: in full, or else by the last part of their name.
    pub(crate) fn types_called(&self, text: &str) -> Vec<TypeId> {
        let select = |fits: &dyn Fn(&str) -> bool| -> Vec<TypeId> {
            let is = |(_, row): &(TypeId, &TypeRow)| {
                row.kind != TypeKind::Pseudo && fits(self.names.get(row.name))
            };
            self.types.iter().filter(is).map(|(id, _)| id).collect()
        };
        let exact = select(&|name| name == text);
        if !exact.is_empty() || text.contains('.') {
            return exact;
        }
        select(&|name| name.strip_suffix(text).is_some_and(|module| module.ends_with('.')))
    }

    /// Whether every id in every table leads to a row that exists and every table keeps its
    /// invariant, so that all other code may index. Builders see to it; what is read is checked.
    pub(crate) fn is_consistent(&self) -> bool {
        let (nodes, names) = (self.nodes.len(), self.names.len());
        let of_type = |row: &TypeRow| row.name.index() < names && row.module.index() < names;
        let of_root = |root: &Root| root.node.index() < nodes && root.name.index() < names;
        nodes < u32::MAX as usize
            && self.names.is_consistent()
            && self.types.rows.iter().all(of_type)
            && self.roots.iter().all(of_root)
            && self.nodes.is_consistent(self.types.len())
            && self.edges.is_consistent(nodes, names)
            && self.has_sound_roots()
    }

    /// Whether the super root's references, and no others, lead to the rows of the root table.
    fn has_sound_roots(&self) -> bool {
        let own = self.edges.range(Heap::ROOT).end;
        let is_root = |label: &Label| label.kind() == EdgeKind::Root;
        let leads_to_row = |edge: Edge| {
            is_root(&edge.label)
                && self.root(edge.label.payload()).is_some_and(|root| root.node == edge.target)
        };
        self.edges.of(Heap::ROOT).all(leads_to_row) && !self.edges.labels[own..].iter().any(is_root)
    }
}
