//! Fills a heap, once, in order; then it is frozen.

use thiserror::Error;

use crate::edges::{Edge, Edges, Label};
use crate::heap::Heap;
use crate::names::Interner;
use crate::nodes::{Node, NodeFlags, Nodes};
use crate::roots::Root;
use crate::size_model::SizeModel;
use crate::types::{TypeKind, TypeRow, Types};
use crate::units::{Addr, Bytes, NodeId, TypeId};

/// Why a heap could not be built.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum BuildError {
    /// More rows than 32-bit ids can name: 2³² − 2 objects or 2³¹ references.
    #[error("too many {0}: a heap of this size is not supported")]
    TooMany(&'static str),
    /// A reference to a row that was never pushed.
    #[error("reference {edge} leads to node {target}, but there are only {nodes}")]
    DanglingEdge {
        /// Row of the reference.
        edge: usize,
        /// Where it leads.
        target: u32,
        /// How many nodes there are.
        nodes: usize,
    },
    /// Objects must come by rising address, after all pseudo nodes.
    #[error("object at {0} came out of order")]
    OutOfOrder(Addr),
    /// Node 0 must be a pseudo node: the root.
    #[error("a heap begins with its root, which is no object")]
    NoRoot,
}

/// Fills a [`Heap`]: node 0 (the root) first, then the other pseudo nodes, then objects by rising
/// address; the references of a node directly after it.
///
/// ```
/// use deadweight_heap::*;
/// let mut b = HeapBuilder::new(SizeModel::cpython_x86_64());
/// let root_type = b.add_pseudo_type("root");
/// let module = b.add_type("module", "", TypeKind::Native, Addr(0x100));
/// let list = b.add_type("list", "", TypeKind::Native, Addr(0x200));
/// b.push_pseudo(root_type, Addr::NULL)?;
/// let name = b.names.intern("app");
/// b.add_root(RootKind::Module, name, NodeId(1));
/// b.push_edge(NodeId(1), Label::at(EdgeKind::Root, 0));
/// b.push_object(Addr(0x1000), module, Bytes(64), Bytes(56), NodeFlags::default())?;
/// let cache = b.names.intern("cache");
/// b.push_edge(NodeId(2), Label::named(EdgeKind::Attribute, cache));
/// b.push_object(Addr(0x2000), list, Bytes(64), Bytes(56), NodeFlags::default())?;
/// let heap = b.finish()?;
/// assert_eq!(heap.objects(), 2);
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Debug)]
pub struct HeapBuilder {
    /// The names used in labels, types and roots.
    pub names: Interner,
    types: Types,
    nodes: Nodes,
    edges: Edges,
    roots: Vec<Root>,
    model: SizeModel,
    last: Addr,
}

impl HeapBuilder {
    /// An empty heap of an interpreter with these prices.
    #[must_use]
    pub fn new(model: SizeModel) -> HeapBuilder {
        HeapBuilder::with_capacity(model, 0, 0)
    }

    /// The same, with room for known numbers of nodes and references.
    #[must_use]
    pub fn with_capacity(model: SizeModel, nodes: usize, edges: usize) -> HeapBuilder {
        HeapBuilder {
            names: Interner::default(),
            types: Types::default(),
            nodes: Nodes::with_capacity(nodes),
            edges: Edges {
                starts: Vec::with_capacity(nodes + 1),
                targets: Vec::with_capacity(edges),
                labels: Vec::with_capacity(edges),
            },
            roots: Vec::new(),
            model,
            last: Addr::NULL,
        }
    }

    /// A new row of the type table.
    pub fn add_type_row(&mut self, row: TypeRow) -> TypeId {
        let id = TypeId::from(self.types.len());
        self.types.rows.push(row);
        id
    }

    /// A new type by its full name and module.
    pub fn add_type(&mut self, name: &str, module: &str, kind: TypeKind, address: Addr) -> TypeId {
        let row = TypeRow {
            name: self.names.intern(name),
            module: self.names.intern(module),
            address,
            basic_size: 0,
            item_size: 0,
            kind,
            getsizeof: Bytes(0),
        };
        self.add_type_row(row)
    }

    /// A row for pseudo nodes.
    pub fn add_pseudo_type(&mut self, name: &str) -> TypeId {
        self.add_type(name, "", TypeKind::Pseudo, Addr::NULL)
    }

    /// Adds to what `sys.getsizeof` would have said of a type's instances.
    pub fn add_getsizeof(&mut self, type_id: TypeId, bytes: Bytes) {
        self.types.rows[type_id.index()].getsizeof += bytes;
    }

    /// The next pseudo node. The first one is the root.
    ///
    /// # Errors
    /// After an object, and after 2³² − 2 nodes.
    pub fn push_pseudo(&mut self, type_id: TypeId, address: Addr) -> Result<NodeId, BuildError> {
        if !self.last.is_null() {
            return Err(BuildError::OutOfOrder(address));
        }
        let flags = NodeFlags(NodeFlags::PSEUDO);
        self.push(Node { address, type_id, held: Bytes(0), requested: Bytes(0), flags })
    }

    /// The next object.
    ///
    /// # Errors
    /// When its address does not rise, and after 2³² − 2 nodes.
    pub fn push_object(
        &mut self,
        address: Addr,
        type_id: TypeId,
        held: Bytes,
        requested: Bytes,
        flags: NodeFlags,
    ) -> Result<NodeId, BuildError> {
        if address <= self.last {
            return Err(BuildError::OutOfOrder(address));
        }
        self.last = address;
        self.push(Node { address, type_id, held, requested, flags })
    }

    /// Sizes of the node pushed last, where they are only known after its references.
    pub fn set_sizes(&mut self, held: Bytes, requested: Bytes, modelled: bool) {
        self.nodes.set_last(held, requested, modelled);
    }

    /// The row of a type by its name.
    #[must_use]
    pub fn find_type(&self, name: crate::NameId) -> Option<TypeId> {
        self.types.iter().find(|(_, row)| row.name == name).map(|(id, _)| id)
    }

    fn push(&mut self, node: Node) -> Result<NodeId, BuildError> {
        if self.nodes.len() >= (u32::MAX - 1) as usize {
            return Err(BuildError::TooMany("objects"));
        }
        if self.edges.len() > Edges::MOST {
            return Err(BuildError::TooMany("references"));
        }
        self.edges.starts.push(self.edges.len() as u32);
        Ok(self.nodes.push(node))
    }

    /// A reference of the node pushed last.
    pub fn push_edge(&mut self, target: NodeId, label: Label) {
        self.edges.targets.push(target);
        self.edges.labels.push(label);
    }

    /// A named root; the payload of the root's edge to it is the number returned.
    pub fn add_root(&mut self, kind: crate::RootKind, name: crate::NameId, node: NodeId) -> u32 {
        self.roots.push(Root { kind, name, node });
        (self.roots.len() - 1) as u32
    }

    /// How many references so far.
    #[must_use]
    pub fn references(&self) -> usize {
        self.edges.len()
    }

    /// The references pushed so far for the node pushed last.
    #[must_use]
    pub fn last_edges(&self) -> Vec<Edge> {
        let start = self.edges.starts.last().copied().unwrap_or(0) as usize;
        (start..self.edges.len()).map(|row| self.edges.row(row)).collect()
    }

    /// Freezes the heap.
    ///
    /// # Errors
    /// When there is no root, or a reference leads nowhere, or there are too many.
    pub fn finish(mut self) -> Result<Heap, BuildError> {
        if self.edges.len() > Edges::MOST {
            return Err(BuildError::TooMany("references"));
        }
        self.edges.starts.push(self.edges.len() as u32);
        let nodes = self.nodes.len();
        if !self.nodes.flags.first().is_some_and(|flags| flags.has(NodeFlags::PSEUDO)) {
            return Err(BuildError::NoRoot);
        }
        if let Some(edge) = self.edges.targets.iter().position(|target| target.index() >= nodes) {
            let target = self.edges.targets[edge].0;
            return Err(BuildError::DanglingEdge { edge, target, nodes });
        }
        let heap = Heap {
            types: self.types,
            names: self.names.finish(),
            nodes: self.nodes,
            edges: self.edges,
            roots: self.roots,
            model: self.model,
        };
        debug_assert!(heap.is_consistent(), "labels, types and roots lead to rows that exist");
        Ok(heap)
    }
}
