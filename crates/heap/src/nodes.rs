//! The node table: what there is, where, of which type and how heavy. Fifteen bytes a row.

use rustc_hash::FxHashMap;

use crate::units::{Addr, Bytes, NodeId, TypeId};

/// Facts about one node that fit in a byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(pub u8);

impl NodeFlags {
    /// In a list of the garbage collector.
    pub const TRACKED: u8 = 1;
    /// The interpreter's own: immortal, cached or static. It weighs on nobody.
    pub const INTERPRETER: u8 = 2;
    /// Not a Python object: a root, thread, frame or holder outside Python.
    pub const PSEUDO: u8 = 4;
    /// Its size follows a rule instead of an allocator's own header.
    pub const MODELLED: u8 = 8;
    const LAYER: u8 = 0b0011_0000;

    /// These flags, in this layer.
    #[must_use]
    pub fn in_layer(self, layer: Layer) -> NodeFlags {
        NodeFlags(self.0 & !Self::LAYER | (layer as u8) << 4)
    }

    /// Whether all the given bits are set.
    #[must_use]
    pub fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }

    /// How the node was found.
    #[must_use]
    pub fn layer(self) -> Layer {
        match (self.0 & Self::LAYER) >> 4 {
            0 => Layer::Named,
            1 => Layer::Native,
            _ => Layer::Garbage,
        }
    }
}

/// How far from a name a node is. A layer adopts only what no lower layer reaches, so a reference
/// from a higher layer into a lower one never changes who retains what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Reached from a module, a thread or a named field of the interpreter.
    #[default]
    Named = 0,
    /// Alive, but held only by memory that has no name: C code, static data, a C stack.
    Native = 1,
    /// Held by nothing but itself: a cycle that waits for the collector.
    Garbage = 2,
}

/// One row, as it is given to the builder and read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// Where the object starts (its `ob_refcnt`); for pseudo nodes any address or null.
    pub address: Addr,
    /// Its type.
    pub type_id: TypeId,
    /// What it really holds: every block of its own, rounded as the allocator rounds.
    pub held: Bytes,
    /// The same before rounding: what was asked of the allocator.
    pub requested: Bytes,
    /// Facts in a byte.
    pub flags: NodeFlags,
}

const OVERFLOW: u32 = u32::MAX;
const SLACK_OVERFLOW: u16 = u16::MAX;

/// The node table. Pseudo nodes come first, then objects by rising address.
///
/// Invariant: all columns have one length; `blocks` is sorted by its first member, starts at row 0
/// and gives the base that the 32-bit `offsets` of the rows from there on count from; a size that
/// does not fit its column is in `large`.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    pub(crate) blocks: Vec<(u32, Addr)>,
    pub(crate) offsets: Vec<u32>,
    pub(crate) types: Vec<TypeId>,
    pub(crate) held: Vec<u32>,
    pub(crate) slack: Vec<u16>,
    pub(crate) flags: Vec<NodeFlags>,
    pub(crate) large: FxHashMap<NodeId, (Bytes, Bytes)>,
}

impl Nodes {
    /// An empty table with room for `rows` rows.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Nodes {
        Nodes {
            blocks: Vec::new(),
            offsets: Vec::with_capacity(rows),
            types: Vec::with_capacity(rows),
            held: Vec::with_capacity(rows),
            slack: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            large: FxHashMap::default(),
        }
    }

    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        let id = NodeId::from(self.len());
        self.push_address(node.address);
        self.types.push(node.type_id);
        self.flags.push(node.flags);
        self.push_sizes();
        self.set_sizes(id, node.held, node.requested);
        id
    }

    /// Sizes of the last row.
    pub(crate) fn set_last(&mut self, held: Bytes, requested: Bytes, modelled: bool) {
        let Some(row) = self.len().checked_sub(1) else { return };
        if modelled {
            self.flags[row].0 |= NodeFlags::MODELLED;
        }
        self.set_sizes(NodeId::from(row), held, requested);
    }

    /// The next row of the address columns.
    pub(crate) fn push_address(&mut self, address: Addr) {
        let fits = self.blocks.last().and_then(|&(_, base)| {
            let offset = address.0.checked_sub(base.0)?;
            u32::try_from(offset).ok()
        });
        let offset = fits.unwrap_or_else(|| {
            self.blocks.push((self.offsets.len() as u32, address));
            0
        });
        self.offsets.push(offset);
    }

    /// The next row of the size columns.
    pub(crate) fn push_sizes(&mut self) {
        self.held.push(0);
        self.slack.push(0);
    }

    /// Sizes of a row that is there.
    pub(crate) fn set_sizes(&mut self, id: NodeId, held: Bytes, requested: Bytes) {
        let row = id.index();
        let slack = requested.0.abs_diff(held.0);
        let fits =
            requested <= held && held.0 < u64::from(OVERFLOW) && slack < u64::from(SLACK_OVERFLOW);
        if fits {
            if self.held[row] == OVERFLOW {
                self.large.remove(&id);
            }
            self.held[row] = held.0 as u32;
            self.slack[row] = slack as u16;
        } else {
            self.held[row] = OVERFLOW;
            self.slack[row] = SLACK_OVERFLOW;
            self.large.insert(id, (held, requested));
        }
    }

    /// Whether the table keeps its invariant and its rows the order that [`Nodes::at`] relies on.
    pub(crate) fn is_consistent(&self, types: usize) -> bool {
        let rows = self.len();
        let columns = [self.offsets.len(), self.types.len(), self.slack.len(), self.flags.len()];
        let is_large = |id: &NodeId| {
            let columns = (self.held.get(id.index()), self.slack.get(id.index()));
            columns == (Some(&OVERFLOW), Some(&SLACK_OVERFLOW))
        };
        let overflows = self.held.iter().filter(|&&held| held == OVERFLOW).count();
        let slacks = self.slack.iter().filter(|&&slack| slack == SLACK_OVERFLOW).count();
        let tables = columns.iter().all(|&column| column == rows)
            && self.held.len() == rows
            && self.flags.first().is_some_and(|flags| flags.has(NodeFlags::PSEUDO))
            && self.flags.is_sorted_by_key(|flags| !flags.has(NodeFlags::PSEUDO))
            && self.types.iter().all(|id| id.index() < types)
            && self.blocks.first().is_some_and(|&(first, _)| first == 0)
            && self.blocks.is_sorted_by(|a, b| a.0 < b.0)
            && overflows == self.large.len()
            && slacks == self.large.len()
            && self.large.keys().all(is_large);
        tables && {
            let first = self.flags.partition_point(|flags| flags.has(NodeFlags::PSEUDO));
            self.addresses().skip(first).is_sorted_by(|a, b| a < b)
        }
    }

    /// How many rows, pseudo nodes included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// Where a node lives.
    #[must_use]
    pub fn address(&self, id: NodeId) -> Addr {
        let block = self.blocks.partition_point(|&(first, _)| first <= id.0) - 1;
        self.blocks[block].1 + u64::from(self.offsets[id.index()])
    }

    /// The type of a node.
    #[must_use]
    pub fn type_of(&self, id: NodeId) -> TypeId {
        self.types[id.index()]
    }

    /// What a node really holds.
    #[must_use]
    pub fn held(&self, id: NodeId) -> Bytes {
        match self.held[id.index()] {
            OVERFLOW => self.large.get(&id).map_or(Bytes(0), |sizes| sizes.0),
            small => Bytes(u64::from(small)),
        }
    }

    /// What was asked of the allocator for it.
    #[must_use]
    pub fn requested(&self, id: NodeId) -> Bytes {
        match self.slack[id.index()] {
            SLACK_OVERFLOW => self.large.get(&id).map_or(Bytes(0), |sizes| sizes.1),
            slack => self.held(id) - Bytes(u64::from(slack)),
        }
    }

    /// The flags of a node.
    #[must_use]
    pub fn flags(&self, id: NodeId) -> NodeFlags {
        self.flags[id.index()]
    }

    /// Whether a node is a Python object.
    #[must_use]
    pub fn is_object(&self, id: NodeId) -> bool {
        !self.flags(id).has(NodeFlags::PSEUDO)
    }

    /// The object at exactly this address.
    #[must_use]
    pub fn at(&self, address: Addr) -> Option<NodeId> {
        let first = self.flags.partition_point(|flags| flags.has(NodeFlags::PSEUDO));
        let (mut low, mut high) = (first as u32, self.len() as u32);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.address(NodeId(middle)) < address {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let id = NodeId(low);
        (id.index() < self.len() && self.address(id) == address).then_some(id)
    }

    /// Where all nodes live, in their order.
    pub fn addresses(&self) -> impl Iterator<Item = Addr> + '_ {
        let mut blocks = self.blocks.iter().peekable();
        let mut base = Addr::NULL;
        self.offsets.iter().enumerate().map(move |(row, &offset)| {
            if let Some(&(_, next)) = blocks.next_if(|&&(first, _)| first as usize <= row) {
                base = next;
            }
            base + u64::from(offset)
        })
    }

    /// All ids, pseudo nodes first.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.len() as u32).map(NodeId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(address: u64, held: u64, requested: u64) -> Node {
        Node {
            address: Addr(address),
            type_id: TypeId(0),
            held: Bytes(held),
            requested: Bytes(requested),
            flags: NodeFlags::default(),
        }
    }

    #[test]
    fn sizes_and_addresses_survive_their_narrow_columns() {
        let rows = [
            node(0x1000, 16, 16),
            node(0x5555_0000_1000, 48, 40),
            node(0x7fff_0000_0000, 6 << 30, 5 << 30),
            node(0x7fff_0000_0010, 200_000, 100_000),
            node(0x7fff_0000_0020, 10, 12),
        ];
        let mut nodes = Nodes::default();
        for row in rows {
            nodes.push(row);
        }
        for (index, row) in rows.iter().enumerate() {
            let id = NodeId::from(index);
            assert_eq!(nodes.address(id), row.address);
            assert_eq!(nodes.held(id), row.held);
            assert_eq!(nodes.requested(id), row.requested);
            assert_eq!(nodes.at(row.address), Some(id));
        }
        assert_eq!(nodes.at(Addr(0x1008)), None);
        assert_eq!(nodes.at(Addr(u64::MAX)), None);
    }
}
