//! The reference table: who refers to whom, and by what name. Eight bytes a reference.

use crate::units::{NameId, NodeId};

/// What a reference is called, in 32 bits: five of kind, one that says "found conservatively",
/// twenty-six of payload (a name, an index or an offset).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Label(pub u32);

const KIND_SHIFT: u32 = 27;
const CONSERVATIVE: u32 = 1 << 26;
const PAYLOAD: u32 = CONSERVATIVE - 1;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $value:literal),+ $(,)?) => {
        /// What sort of reference it is; says how the payload reads.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum EdgeKind { $($(#[$doc])* $name = $value),+ }

        impl EdgeKind {
            pub(crate) fn from_bits(bits: u32) -> Option<EdgeKind> {
                match bits { $($value => Some(EdgeKind::$name),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// From the root to a named root; the payload is a row of the root table.
    Root = 0,
    /// An attribute, a slot, or a value of a namespace dict; payload: its name.
    Attribute = 1,
    /// The i-th item of a sequence; payload: i.
    Item = 2,
    /// The value of the i-th entry of a dict; payload: i.
    Entry = 3,
    /// The value of a dict entry whose key was kept (`--values`); payload: the key as a name.
    NamedEntry = 4,
    /// The key of the i-th entry of a dict, or an element of a set; payload: i.
    Key = 5,
    /// A cell of a closure; payload: the variable's name.
    Closure = 6,
    /// A local variable of a frame, generator or coroutine; payload: its name.
    Local = 7,
    /// The i-th temporary on a frame's value stack; payload: i.
    Stack = 8,
    /// From an instance to its class.
    Class = 9,
    /// A field of a C struct that no attribute shows; payload: its name.
    Internal = 10,
    /// A word of a C struct we have no layout for; payload: its offset in bytes.
    Field = 11,
    /// A word of a module's C state; payload: its offset in bytes.
    State = 12,
    /// From a thread to a frame of its stack; payload: `file:line function`.
    Frame = 13,
    /// A word of a native block; payload: its offset in bytes.
    Native = 14,
    /// A weak reference: keeps nothing alive; payload: its name.
    Weak = 15,
}

impl EdgeKind {
    /// Whether the payload is a row of the name table.
    #[must_use]
    pub fn is_named(self) -> bool {
        use EdgeKind::{Attribute, Closure, Frame, Internal, Local, NamedEntry, Weak};
        matches!(self, Attribute | NamedEntry | Closure | Local | Internal | Frame | Weak)
    }
}

impl Label {
    /// A label with a name.
    #[must_use]
    pub fn named(kind: EdgeKind, name: NameId) -> Label {
        Label((kind as u32) << KIND_SHIFT | name.0.min(PAYLOAD))
    }

    /// A label with an index or offset. One past what fits means "further than that".
    #[must_use]
    pub fn at(kind: EdgeKind, index: u64) -> Label {
        Label((kind as u32) << KIND_SHIFT | index.min(u64::from(PAYLOAD)) as u32)
    }

    /// The same label, marked as found by scanning words that look like references.
    #[must_use]
    pub fn conservative(self) -> Label {
        Label(self.0 | CONSERVATIVE)
    }

    /// What sort of reference.
    ///
    /// # Panics
    /// On bits that no kind has; the builder and the snapshot reader let none in.
    #[must_use]
    pub fn kind(self) -> EdgeKind {
        EdgeKind::from_bits(self.0 >> KIND_SHIFT).expect("labels are checked when a heap is made")
    }

    /// The label as a number that is small for small payloads: payload, then whether conservative,
    /// then kind.
    pub(crate) fn code(self) -> u64 {
        let kind = u64::from(self.0 >> KIND_SHIFT);
        u64::from(self.payload()) << 6 | u64::from(self.is_conservative()) << 5 | kind
    }

    /// The label of a [`Label::code`].
    pub(crate) fn from_code(code: u64) -> Option<Label> {
        let kind = EdgeKind::from_bits(code as u32 & 31)?;
        let payload = u32::try_from(code >> 6).ok().filter(|&payload| payload <= PAYLOAD)?;
        let label = Label((kind as u32) << KIND_SHIFT | payload);
        Some(if code >> 5 & 1 != 0 { label.conservative() } else { label })
    }

    pub(crate) fn is_valid(self) -> bool {
        EdgeKind::from_bits(self.0 >> KIND_SHIFT).is_some()
    }

    /// Whether it was found by scanning, not by a known layout.
    #[must_use]
    pub fn is_conservative(self) -> bool {
        self.0 & CONSERVATIVE != 0
    }

    /// Whether it is of a known layout and meant to last: no temporary of a frame, such as an argument
    /// of the call that is under way.
    pub(crate) fn is_firm(self) -> bool {
        !self.is_conservative() && self.kind() != EdgeKind::Stack
    }

    /// Whether it keeps its target alive.
    #[must_use]
    pub fn is_strong(self) -> bool {
        self.0 >> KIND_SHIFT != EdgeKind::Weak as u32
    }

    /// Index, offset or row, as the kind says.
    #[must_use]
    pub fn payload(self) -> u32 {
        self.0 & PAYLOAD
    }

    /// The payload as a row of the name table.
    #[must_use]
    pub fn name(self) -> NameId {
        NameId(self.payload())
    }
}

/// A label, or all labels that differ from it in an index alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LabelPattern {
    /// The label; with index 0, if any will do.
    pub label: Label,
    /// Whether the index does not matter.
    pub any: bool,
}

impl From<Label> for LabelPattern {
    fn from(label: Label) -> LabelPattern {
        LabelPattern { label, any: false }
    }
}

impl Label {
    /// The label without its place among others of its sort: all items of a list, all entries of a
    /// dict (their keys too, if they were kept), all keys, all stack slots are called the same.
    #[must_use]
    pub fn generalised(self) -> LabelPattern {
        let kind = match self.kind() {
            EdgeKind::NamedEntry => EdgeKind::Entry,
            EdgeKind::Item | EdgeKind::Entry | EdgeKind::Key | EdgeKind::Stack => self.kind(),
            _ => return self.into(),
        };
        let label = Label((kind as u32) << KIND_SHIFT | self.0 & CONSERVATIVE);
        LabelPattern { label, any: true }
    }
}

/// One reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// What is referred to.
    pub target: NodeId,
    /// By which name.
    pub label: Label,
}

/// All references, by source (compressed sparse rows).
///
/// Invariant: `starts` has one row more than there are nodes, never falls, and ends with the number
/// of references; every target is a row of the node table.
#[derive(Clone, Debug, Default)]
pub struct Edges {
    pub(crate) starts: Vec<u32>,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) labels: Vec<Label>,
}

impl Edges {
    /// The most references a heap may have. The bit to spare lets algorithms number references and
    /// nodes together.
    pub(crate) const MOST: usize = 1 << 31;

    /// How many references.
    #[must_use]
    pub fn len(&self) -> usize {
        self.targets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Rows of the references of one node.
    #[must_use]
    pub fn range(&self, source: NodeId) -> std::ops::Range<usize> {
        self.starts[source.index()] as usize..self.starts[source.index() + 1] as usize
    }

    /// What one node refers to, in the order of its fields.
    pub fn of(&self, source: NodeId) -> impl Iterator<Item = Edge> + '_ {
        self.range(source).map(|row| self.row(row))
    }

    /// One reference by its row.
    #[must_use]
    pub fn row(&self, row: usize) -> Edge {
        Edge { target: self.targets[row], label: self.labels[row] }
    }

    /// The node whose reference a row is.
    #[must_use]
    pub fn source_of(&self, row: usize) -> NodeId {
        NodeId::from(self.starts.partition_point(|&start| start as usize <= row) - 1)
    }

    /// The targets alone, for algorithms that need no names.
    #[must_use]
    pub fn targets(&self, source: NodeId) -> &[NodeId] {
        &self.targets[self.range(source)]
    }

    /// Whether the table keeps its invariant and every label can be read.
    pub(crate) fn is_consistent(&self, nodes: usize, names: usize) -> bool {
        let is_valid = |label: &Label| {
            label.is_valid() && (!label.kind().is_named() || label.name().index() < names)
        };
        self.len() <= Edges::MOST
            && self.starts.len() == nodes + 1
            && self.starts.first() == Some(&0)
            && self.starts.is_sorted()
            && self.starts.last().is_some_and(|&end| end as usize == self.len())
            && self.labels.len() == self.len()
            && self.targets.iter().all(|target| target.index() < nodes)
            && self.labels.iter().all(is_valid)
    }
}
