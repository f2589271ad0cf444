//! What was written, as plain data: the truth that a walk is compared with.

use std::collections::HashMap;

use deadweight_heap::{EdgeKind, RootKind};

use super::blocks::{Block, Books};
use super::numbers::Python;

/// An object of the image, by its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Obj(pub(crate) usize);

/// What a reference is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Named(EdgeKind, String),
    At(EdgeKind, u64),
    /// The value of a dict entry: called by its key in a namespace, or if values are kept.
    Value {
        index: u64,
        key: Obj,
    },
}

impl Label {
    pub(crate) fn attribute(name: &str) -> Label {
        Label::Named(EdgeKind::Attribute, name.to_string())
    }

    pub(crate) fn internal(name: &str) -> Label {
        Label::Named(EdgeKind::Internal, name.to_string())
    }

    pub(crate) fn is_strong(&self) -> bool {
        !matches!(self, Label::Named(EdgeKind::Weak, _))
    }
}

/// Who can see a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// The collector, through `tp_traverse`.
    Visible,
    /// Only who knows the struct.
    Hidden,
    /// Only the collector: the reference is not counted.
    OnlyVisited,
    /// Nobody knows the struct: the word only looks like a reference.
    Guessed,
}

/// A word that can hold a reference.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) at: u64,
    pub(crate) label: Label,
    pub(crate) sight: Sight,
    pub(crate) target: Option<Obj>,
}

/// What the collector knows of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Gc {
    /// It has no GC head.
    #[default]
    None,
    Untracked,
    /// In the list of this generation.
    Tracked(usize),
    Permanent,
}

/// One object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object {
    pub(crate) type_of: Obj,
    pub(crate) address: u64,
    /// Its own block and its buffers.
    pub(crate) blocks: Vec<Block>,
    /// Set for static data, which has no block.
    pub(crate) static_size: Option<u64>,
    pub(crate) slots: Vec<Slot>,
    /// Which slots are free to be filled by whoever makes the image.
    pub(crate) places: Vec<usize>,
    pub(crate) gc: Gc,
    pub(crate) immortal: bool,
    /// Cached by the interpreter: its own, though it is an object like any other.
    pub(crate) cached: bool,
    /// References to it that no slot of the model holds.
    pub(crate) held_outside: u64,
    /// A dict whose keys are names.
    pub(crate) namespace: bool,
    /// The contents of a `str`.
    pub(crate) text: Option<String>,
    /// Whose collector looks after it.
    pub(crate) interpreter: usize,
}

impl Slot {
    /// Whether the reference counts: a weak one does not, nor one that only the collector sees.
    pub(crate) fn is_counted(&self) -> bool {
        self.label.is_strong() && self.sight != Sight::OnlyVisited
    }
}

impl Object {
    pub(crate) fn is_static(&self) -> bool {
        self.static_size.is_some()
    }
}

/// Something that keeps objects alive and is none.
#[derive(Clone, Debug)]
pub(crate) struct Holder {
    pub(crate) kind: &'static str,
    pub(crate) address: u64,
    pub(crate) root: Option<(RootKind, String)>,
    pub(crate) slots: Vec<Slot>,
    /// Frames of a thread, innermost first, with their titles.
    pub(crate) frames: Vec<(Frame, String)>,
}

/// Where a frame is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frame {
    /// On a thread's own stack: a holder, by its number.
    Holder(usize),
    /// In a generator, or a frame object (3.10).
    Object(Obj),
}

/// The whole image.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) python: Python,
    pub(crate) objects: Vec<Object>,
    /// The full names of types.
    pub(crate) types: HashMap<Obj, String>,
    pub(crate) holders: Vec<Holder>,
    /// Names of modules, as roots have them, and the modules.
    pub(crate) modules: Vec<(String, Obj)>,
    pub(crate) interpreters: Vec<u64>,
    pub(crate) interpreter_size: u64,
    pub(crate) books: Books,
    /// Where 3.10 and 3.11 keep which arena is to be filled next.
    pub(crate) usable_arenas: Option<u64>,
}

impl Model {
    pub(crate) fn object(&self, object: Obj) -> &Object {
        &self.objects[object.0]
    }

    pub(crate) fn type_name(&self, object: Obj) -> &str {
        &self.types[&self.object(object).type_of]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Obj> + use<> {
        (0..self.objects.len()).map(Obj)
    }
}
