//! Knows what the bytes of a CPython process mean, version by version (3.10–3.15, x86-64 Linux,
//! builds with the GIL).
//!
//! Pure: it reads through [`Memory`], which the caller owns, and does no I/O. Every length and
//! pointer that comes from the target is bounded before it is used; hostile bytes give a gap or a
//! [`Refusal`], never a panic.
#![forbid(unsafe_code)]

mod allowance;
mod arenas;
mod bitmap;
mod blocks;
mod chain;
mod collector;
mod family;
mod fields;
mod gc_list;
mod header;
mod holders;
mod layout;
mod line_table;
mod memory;
mod object;
mod runtime;
mod space;
mod stacks;
mod text;
mod types;
mod version;
mod walk;
mod weigh;
mod words;

pub use holders::Thread;
pub use memory::{Memory, Region, RegionKind};
pub use runtime::{Refusal, Runtime, Symbols};
pub use text::AsciiMark;
pub use version::Version;
pub use walk::{Counted, Ledger, Subject, WalkOptions, Walked, count, walk};
pub use weigh::{
    Block, Bounded, Bounds, Deep, Holding, Native, Part, PartKind, Scale, SmallBlocks, Survey,
    Told, TypeWeight, Weight,
};
