//! Named roots: where every path begins.

use crate::nodes::Layer;
use crate::units::{NameId, NodeId};

/// What sort of holder a root is. The order is the order of preference when two paths tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RootKind {
    /// A module in `sys.modules`.
    Module,
    /// A field of the interpreter that has a name, such as the codec registry.
    Interpreter,
    /// A thread, with its frames.
    Thread,
    /// What is immortal, cached or static; the interpreter's own.
    Immortal,
    /// Other memory of the interpreter's own structures.
    InterpreterState,
    /// Static data of a program file or shared library.
    StaticData,
    /// A thread's C stack or registers.
    CStack,
    /// Memory of native code that has no name we know.
    NativeCode,
    /// Unreachable: waits for the collector.
    Garbage,
}

impl RootKind {
    pub(crate) const ALL: [RootKind; 9] = [
        RootKind::Module,
        RootKind::Interpreter,
        RootKind::Thread,
        RootKind::Immortal,
        RootKind::InterpreterState,
        RootKind::StaticData,
        RootKind::CStack,
        RootKind::NativeCode,
        RootKind::Garbage,
    ];

    /// The word before the name in a path.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            RootKind::Module => "module",
            RootKind::Interpreter => "interpreter",
            RootKind::Thread => "thread",
            RootKind::Immortal => "immortal objects",
            RootKind::InterpreterState => "interpreter state",
            RootKind::StaticData => "static data of",
            RootKind::CStack => "C stack of thread",
            RootKind::NativeCode => "native code",
            RootKind::Garbage => "garbage not yet collected",
        }
    }

    /// Whether a person can find the holder by this name in the program.
    #[must_use]
    pub fn is_named(self) -> bool {
        matches!(self, RootKind::Module | RootKind::Interpreter | RootKind::Thread)
    }

    /// The lowest layer that a root of this kind may hold: what a name reaches, or is the
    /// interpreter's own, is never native code's.
    #[must_use]
    pub fn layer(self) -> Layer {
        match self {
            RootKind::Module | RootKind::Interpreter | RootKind::Thread | RootKind::Immortal => {
                Layer::Named
            }
            RootKind::InterpreterState
            | RootKind::StaticData
            | RootKind::CStack
            | RootKind::NativeCode => Layer::Native,
            RootKind::Garbage => Layer::Garbage,
        }
    }
}

/// One named root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// What sort of holder.
    pub kind: RootKind,
    /// Its name: the module's, the thread's number, the library's file name.
    pub name: NameId,
    /// The node: an object, or a pseudo node.
    pub node: NodeId,
}
