//! Counts and sizes by type, without the graph: what can be had in one pass over a target.

use crate::names::Names;
use crate::units::{Bytes, NameId};

/// One type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TallyRow {
    /// `module.qualname`; builtins bare.
    pub name: NameId,
    /// The module part, empty for builtins.
    pub module: NameId,
    /// How many objects.
    pub count: u64,
    /// How many of them the collector tracks.
    pub tracked: u64,
    /// What they themselves hold.
    pub held: Bytes,
    /// What `sys.getsizeof` would have said of them all.
    pub getsizeof: Bytes,
    /// Whether the size of any of them follows a rule instead of an allocator's header.
    pub modelled: bool,
}

/// All types of a target.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The names of the rows.
    pub names: Names,
    /// One row a type object; two of them can have one name.
    pub rows: Vec<TallyRow>,
}

impl Tally {
    /// How many objects the collector tracks.
    #[must_use]
    pub fn tracked(&self) -> u64 {
        self.rows.iter().map(|row| row.tracked).sum()
    }
}
