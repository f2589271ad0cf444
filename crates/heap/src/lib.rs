//! The graph of a Python heap and what can be asked of it.
//!
//! Pure: no files, no clocks, no threads, no knowledge of CPython's layouts. Whoever reads a target
//! fills a [`HeapBuilder`]; from then on nobody knows where the bytes came from, except through
//! [`Provenance`] and [`Gap`]s.
#![forbid(unsafe_code)]

mod alike;
mod bits;
mod builder;
mod capture;
mod census;
mod collector;
mod cycles;
mod dominators;
mod edges;
mod full_collection;
mod growth;
mod heap;
mod heaviest;
mod held_by;
mod holder;
mod merged;
mod mostly;
mod names;
mod nodes;
pub mod path;
mod patterns;
mod query;
mod roots;
mod shortest;
mod size_model;
pub mod snapshot;
mod summit;
mod tally;
mod together;
mod tree;
mod types;
mod units;

pub use builder::{BuildError, HeapBuilder};
pub use capture::{Account, AccountKind, AccountRow, Capture, Gap, GapKind, Provenance, Pymalloc};
pub use census::{Census, CensusRow, Grouping, SortKey};
pub use collector::{Collector, Generation};
pub use cycles::{CycleRow, Gone, cycles};
pub use dominators::Dominators;
pub use edges::{Edge, EdgeKind, Edges, Label, LabelPattern};
pub use full_collection::{FullCollection, Misses};
pub use growth::{Growth, Leak};
pub use heap::Heap;
pub use heaviest::{HeavyRow, heaviest};
pub use held_by::Holding;
pub use holder::Holder;
pub use merged::{MergedPath, merged_paths};
pub use mostly::HeavyGroup;
pub use names::{Interner, Names};
pub use nodes::{Layer, Node, NodeFlags, Nodes};
pub use patterns::MergedStep;
pub use query::{QueryError, Subject, query};
pub use roots::{Root, RootKind};
pub use shortest::{ShortestPaths, Step};
pub use size_model::SizeModel;
pub use tally::{Tally, TallyRow};
pub use tree::{How, TreeOptions, TreeRow, TreeWhat, tree};
pub use types::{TypeKind, TypeRow, Types};
pub use units::{Addr, Bytes, NameId, NodeId, Trust, TypeId, grouped};
