//! The type table: one row a Python type, plus rows for what is not an object (threads, frames…).

use crate::units::{Addr, Bytes, NameId, TypeId};

/// One type of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRow {
    /// `module.qualname`; builtins bare.
    pub name: NameId,
    /// The module part, empty for builtins and pseudo types.
    pub module: NameId,
    /// Where the type object lives.
    pub address: Addr,
    /// `tp_basicsize`.
    pub basic_size: u32,
    /// `tp_itemsize`.
    pub item_size: u32,
    /// What kind of row this is.
    pub kind: TypeKind,
    /// Sum over all instances of what `sys.getsizeof` would have said.
    pub getsizeof: Bytes,
}

/// What a row of the type table stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A class made by a `class` statement (or `type(...)`).
    Python,
    /// A type made in C.
    Native,
    /// Not a type at all: the label of a pseudo node such as a thread. Never counted as objects.
    Pseudo,
}

/// All types of a heap.
#[derive(Clone, Debug, Default)]
pub struct Types {
    pub(crate) rows: Vec<TypeRow>,
}

impl Types {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// One row.
    #[must_use]
    pub fn get(&self, id: TypeId) -> &TypeRow {
        &self.rows[id.index()]
    }

    /// Every row with its id.
    pub fn iter(&self) -> impl Iterator<Item = (TypeId, &TypeRow)> {
        self.rows.iter().enumerate().map(|(index, row)| (TypeId::from(index), row))
    }
}
