//! The census: how many objects of each type there are, and what they weigh.

use rustc_hash::FxHashMap;

use crate::dominators::{Dominators, Union};
use crate::heap::Heap;
use crate::names::Names;
use crate::nodes::NodeFlags;
use crate::tally::Tally;
use crate::types::TypeKind;
use crate::units::{Bytes, NameId, TypeId};

/// What the rows of a census are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// One row a full type name; classes of one name count as one.
    Type,
    /// One row a module that types come from; builtins have the empty name.
    Module,
}

/// What a census is sorted by, largest first; names rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// Retained bytes; without them, held bytes.
    Retained,
    /// Held bytes.
    Held,
    /// What `sys.getsizeof` would have said.
    Getsizeof,
    /// Number of objects.
    Count,
    /// The name.
    Name,
}

/// One row of a census.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CensusRow {
    /// The type's full name, or the module's.
    pub name: NameId,
    /// How many types have this name, or come from this module.
    pub types: u64,
    /// How many objects.
    pub count: u64,
    /// What they themselves hold.
    pub held: Bytes,
    /// What they retain: each byte once, however they are nested.
    pub retained: Option<Bytes>,
    /// What `sys.getsizeof` would have said of them all.
    pub getsizeof: Bytes,
    /// Whether the size of any of them follows a rule instead of an allocator's header.
    pub modelled: bool,
    /// The same of what they retain.
    pub retained_modelled: bool,
}

/// All objects of a heap, by type or module. What is no object is not counted.
///
/// ```
/// use deadweight_heap::*;
/// let mut b = HeapBuilder::new(SizeModel::cpython_x86_64());
/// let root = b.add_pseudo_type("root");
/// let list = b.add_type("list", "", TypeKind::Native, Addr(0x100));
/// b.push_pseudo(root, Addr::NULL)?;
/// b.push_object(Addr(0x1000), list, Bytes(64), Bytes(56), NodeFlags::default())?;
/// b.push_object(Addr(0x2000), list, Bytes(64), Bytes(56), NodeFlags::default())?;
/// let heap = b.finish()?;
/// let census = Census::of(&heap, None, Grouping::Type);
/// assert_eq!((census.rows[0].count, census.rows[0].held), (2, Bytes(128)));
/// # Ok::<(), BuildError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// The rows that count anything, heaviest first.
    pub rows: Vec<CensusRow>,
    /// All rows together.
    pub total: CensusRow,
}

impl Census {
    /// Counts a heap. Without dominators, retained sizes stay unknown.
    #[must_use]
    pub fn of(heap: &Heap, dominators: Option<&Dominators>, grouping: Grouping) -> Census {
        let (groups, mut rows) = group(heap, grouping);
        for node in heap.object_ids() {
            let row = &mut rows[groups[heap.nodes.type_of(node).index()] as usize];
            row.count += 1;
            row.held += heap.nodes.held(node);
            row.modelled |= heap.nodes.flags(node).has(NodeFlags::MODELLED);
        }
        if let Some(dominators) = dominators {
            retain(heap, dominators, &groups, &mut rows);
        }
        rows.retain(|row| row.count > 0);
        let held = rows.iter().map(|row| row.held).sum();
        Census::summed(rows, dominators.map(|_| held), &heap.names)
    }

    /// Counts a tally: retained sizes stay unknown.
    #[must_use]
    pub fn of_tally(tally: &Tally, grouping: Grouping) -> Census {
        let mut rows: FxHashMap<NameId, CensusRow> = FxHashMap::default();
        for counted in tally.rows.iter().filter(|row| row.count > 0) {
            let name = match grouping {
                Grouping::Type => counted.name,
                Grouping::Module => counted.module,
            };
            let row = rows.entry(name).or_insert(CensusRow { name, ..CensusRow::default() });
            row.types += 1;
            row.count += counted.count;
            row.held += counted.held;
            row.getsizeof += counted.getsizeof;
            row.modelled |= counted.modelled;
        }
        Census::summed(rows.into_values().collect(), None, &tally.names)
    }

    fn summed(rows: Vec<CensusRow>, retained: Option<Bytes>, names: &Names) -> Census {
        let total = CensusRow {
            name: NameId(0),
            types: rows.iter().map(|row| row.types).sum(),
            count: rows.iter().map(|row| row.count).sum(),
            held: rows.iter().map(|row| row.held).sum(),
            retained,
            getsizeof: rows.iter().map(|row| row.getsizeof).sum(),
            modelled: rows.iter().any(|row| row.modelled),
            retained_modelled: rows.iter().any(|row| row.retained_modelled),
        };
        let mut census = Census { rows, total };
        census.sort(names, SortKey::Retained);
        census
    }

    /// Sorts the rows; those that tie, by held bytes and then by name.
    pub fn sort(&mut self, names: &Names, key: SortKey) {
        let weight = |row: &CensusRow| match key {
            SortKey::Retained => row.retained.unwrap_or(row.held).0,
            SortKey::Held => row.held.0,
            SortKey::Getsizeof => row.getsizeof.0,
            SortKey::Count => row.count,
            SortKey::Name => 0,
        };
        self.rows.sort_by(|a, b| {
            let heavier = weight(b).cmp(&weight(a));
            let held = if key == SortKey::Name { heavier } else { b.held.cmp(&a.held) };
            let by_name = || names.get(a.name).cmp(names.get(b.name));
            heavier.then(held).then_with(by_name)
        });
    }
}

/// The group of each type, and an empty row for each group.
fn group(heap: &Heap, grouping: Grouping) -> (Vec<u32>, Vec<CensusRow>) {
    let mut rows: Vec<CensusRow> = Vec::new();
    let mut numbers: FxHashMap<NameId, u32> = FxHashMap::default();
    let number = |(_, row): (TypeId, &crate::types::TypeRow)| {
        let name = match grouping {
            Grouping::Type => row.name,
            Grouping::Module => row.module,
        };
        let number = *numbers.entry(name).or_insert(rows.len() as u32);
        if number as usize == rows.len() {
            rows.push(CensusRow { name, ..CensusRow::default() });
        }
        if row.kind != TypeKind::Pseudo {
            rows[number as usize].types += 1;
            rows[number as usize].getsizeof += row.getsizeof;
        }
        number
    };
    let groups = heap.types.iter().map(number).collect();
    (groups, rows)
}

/// Adds up what the objects of each group retain. In preorder, an object that another of its group
/// dominates comes before the end of that one's subtree.
fn retain(heap: &Heap, dominators: &Dominators, groups: &[u32], rows: &mut [CensusRow]) {
    let mut unions = vec![Union::default(); rows.len()];
    let mut retained = vec![Bytes(0); rows.len()];
    for position in 0..heap.nodes.len() {
        let node = dominators.at(position);
        if heap.nodes.is_object(node) {
            let group = groups[heap.nodes.type_of(node).index()] as usize;
            retained[group] += unions[group].add(dominators, position);
            rows[group].retained_modelled |= dominators.retains_modelled(node);
        }
    }
    for (row, retained) in rows.iter_mut().zip(retained) {
        row.retained = Some(retained);
    }
}
