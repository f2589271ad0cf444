//! What the decoders ask of every source of bytes.

pub use deadweight_cpython::{Memory, Region, RegionKind};
