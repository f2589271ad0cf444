//! Names: every distinct string that labels something, stored once.

use std::hash::Hasher;

use rustc_hash::{FxHashMap, FxHasher};

use crate::units::NameId;

/// The name table. Row `i` is `blob[ends[i-1]..ends[i]]`; row 0 is the empty name.
///
/// Invariant: `ends` never falls, its last value is `blob.len()`, and every row is valid UTF-8.
#[derive(Clone, Debug)]
pub struct Names {
    pub(crate) blob: String,
    pub(crate) ends: Vec<u32>,
}

impl Default for Names {
    fn default() -> Names {
        Names { blob: String::new(), ends: vec![0] }
    }
}

impl Names {
    /// The name, or the empty string for an id that is not in the table.
    #[must_use]
    pub fn get(&self, id: NameId) -> &str {
        let Some(&end) = self.ends.get(id.index()) else { return "" };
        let start = if id.0 == 0 { 0 } else { self.ends[id.index() - 1] };
        &self.blob[start as usize..end as usize]
    }

    /// How many names there are, the empty one included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: the empty name is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether the table keeps its invariant.
    pub(crate) fn is_consistent(&self) -> bool {
        self.ends.first() == Some(&0)
            && self.ends.is_sorted()
            && self.ends.last().is_some_and(|&end| end as usize == self.blob.len())
            && self.ends.iter().all(|&end| self.blob.is_char_boundary(end as usize))
    }

    /// The id of a name, by a scan of the table.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<NameId> {
        (0..self.len()).map(NameId::from).find(|&id| self.get(id) == name)
    }
}

/// Fills a [`Names`] table, giving equal names the same row.
///
/// Invariant: `rows` has each name under its hash, or, where that was taken, under the next number that was not.
#[derive(Clone, Debug, Default)]
pub struct Interner {
    names: Names,
    rows: FxHashMap<u64, NameId>,
}

impl Interner {
    /// The row of `name`, made if it is new. Past 4 GiB of names everything new is the empty name.
    pub fn intern(&mut self, name: &str) -> NameId {
        if name.is_empty() {
            return NameId(0);
        }
        let mut hasher = FxHasher::default();
        hasher.write(name.as_bytes());
        let mut hash = hasher.finish();
        while let Some(&id) = self.rows.get(&hash) {
            if self.names.get(id) == name {
                return id;
            }
            hash = hash.wrapping_add(1);
        }
        let Ok(end) = u32::try_from(self.names.blob.len() + name.len()) else { return NameId(0) };
        let id = NameId::from(self.names.len());
        self.names.blob.push_str(name);
        self.names.ends.push(end);
        self.rows.insert(hash, id);
        id
    }

    /// The name behind an id given out earlier.
    #[must_use]
    pub fn get(&self, id: NameId) -> &str {
        self.names.get(id)
    }

    /// The finished table.
    #[must_use]
    pub fn finish(self) -> Names {
        self.names
    }
}
