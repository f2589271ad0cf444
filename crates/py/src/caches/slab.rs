//! Entries in numbered places: found by hash, and linked from the one used last to the one used longest ago.

use std::mem::offset_of;

use hashbrown::HashTable;
use pyo3::prelude::*;

/// No place.
const NONE: u32 = u32::MAX;

/// A key and what is kept for it.
pub(super) struct Entry<T> {
    pub(super) hash: u64,
    pub(super) key: Py<PyAny>,
    pub(super) item: T,
}

struct Place<T> {
    entry: Option<Entry<T>>,
    newer: u32,
    /// In an empty place: the next empty one.
    older: u32,
}

/// Where the places are, in words of which it is known where they stand: for who reads our memory from outside.
#[derive(Default)]
struct Shown {
    places: usize,
    count: usize,
    room: usize,
}

/// There is no memory for another entry.
#[derive(Debug)]
pub(super) struct NoRoom;

/// Invariants: `table` has the number of each place with an entry once, by its hash. Linked places have
/// entries, and form one chain from `newest` to `oldest`. Empty places form one from `empty`.
pub(super) struct Slab<T> {
    table: HashTable<u32>,
    places: Vec<Place<T>>,
    shown: Shown,
    empty: u32,
    newest: u32,
    oldest: u32,
    /// How often an entry came or went.
    pub(super) changes: u64,
}

impl<T> Default for Slab<T> {
    fn default() -> Slab<T> {
        Slab {
            table: HashTable::new(),
            places: Vec::new(),
            shown: Shown::default(),
            empty: NONE,
            newest: NONE,
            oldest: NONE,
            changes: 0,
        }
    }
}

/// Hashes of ints are the ints, and the table looks at the highest bits.
#[inline]
fn mix(hash: u64) -> u64 {
    let product = u128::from(hash ^ 0x243F_6A88_85A3_08D3) * 0x9E37_79B9_7F4A_7C15;
    product as u64 ^ (product >> 64) as u64
}

/// Offsets of what is shown, in the slab, and of what is in a place.
impl<T> Slab<T> {
    pub(super) const SHOWN: [usize; 3] = [
        offset_of!(Slab<T>, shown.places),
        offset_of!(Slab<T>, shown.count),
        offset_of!(Slab<T>, shown.room),
    ];
    pub(super) const STRIDE: usize = size_of::<Place<T>>();
    pub(super) const KEY: usize = Self::ENTRY + offset_of!(Entry<T>, key);
    pub(super) const ITEM: usize = Self::ENTRY + offset_of!(Entry<T>, item);
    /// An entry lies where it may be. That there is none is said by a reference that is null, the key or one in the
    /// item: sizes show that some word of the entry says it, and of those only references have a value to spare. An
    /// item must have no `bool`, `char` or enum, which have such values too.
    const ENTRY: usize = {
        assert!(size_of::<Option<Entry<T>>>() == size_of::<Entry<T>>());
        offset_of!(Place<T>, entry)
    };
}

impl<T> Slab<T> {
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes of the table and the places.
    pub(super) fn size(&self) -> usize {
        self.table_size() + self.places.capacity() * size_of::<Place<T>>()
    }

    pub(super) fn table_size(&self) -> usize {
        self.table.allocation_size()
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Option<&Entry<T>> {
        self.places.get(place as usize)?.entry.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, place: u32) -> Option<&mut Entry<T>> {
        self.places.get_mut(place as usize)?.entry.as_mut()
    }

    /// The places of entries with a hash, which may have the same key.
    #[inline]
    pub(super) fn with_hash(&self, hash: u64) -> impl Iterator<Item = (u32, &Entry<T>)> {
        let places = self.table.iter_hash(mix(hash)).copied();
        let entries = places.filter_map(|place| Some((place, self.get(place)?)));
        entries.filter(move |(_, entry)| entry.hash == hash)
    }

    /// All entries, in no order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<T>> {
        self.places.iter().filter_map(|place| place.entry.as_ref())
    }

    /// How many places there are, with entries or without.
    pub(super) fn places(&self) -> usize {
        self.places.len()
    }

    /// Adds an entry, of a key that is not there, and does not link it.
    pub(super) fn insert(&mut self, hash: u64, key: Py<PyAny>, item: T) -> Result<u32, NoRoom> {
        let places = &self.places;
        let hash_of =
            |&place: &u32| places[place as usize].entry.as_ref().map_or(0, |entry| mix(entry.hash));
        self.table.try_reserve(1, hash_of).map_err(|_| NoRoom)?;
        let place = if self.empty == NONE {
            if self.places.len() >= NONE as usize {
                return Err(NoRoom);
            }
            self.places.try_reserve(1).map_err(|_| NoRoom)?;
            self.places.push(Place { entry: None, newer: NONE, older: NONE });
            self.shown = Shown {
                places: self.places.as_ptr().addr(),
                count: self.places.len(),
                room: self.places.capacity(),
            };
            (self.places.len() - 1) as u32
        } else {
            let place = self.empty;
            self.empty = std::mem::replace(&mut self.places[place as usize].older, NONE);
            place
        };
        self.places[place as usize].entry = Some(Entry { hash, key, item });
        let places = &self.places;
        self.table.insert_unique(mix(hash), place, |&place| {
            places[place as usize].entry.as_ref().map_or(0, |entry| mix(entry.hash))
        });
        self.changes += 1;
        Ok(place)
    }

    /// Takes out an entry, which is not linked any more.
    pub(super) fn take(&mut self, place: u32) -> Option<Entry<T>> {
        let entry = self.places.get_mut(place as usize)?.entry.take()?;
        if let Ok(found) = self.table.find_entry(mix(entry.hash), |&it| it == place) {
            found.remove();
        }
        self.places[place as usize].older = std::mem::replace(&mut self.empty, place);
        self.changes += 1;
        Some(entry)
    }

    /// Leaves nothing. Gives all there was: it is for who holds no lock to let it go.
    pub(super) fn clear(&mut self) -> Slab<T> {
        // Who goes through the places must see it.
        let none = Slab { changes: self.changes + 1, ..Slab::default() };
        std::mem::replace(self, none)
    }

    /// The place that is linked as the oldest.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// The linked places, oldest first.
    pub(super) fn by_age(&self) -> impl Iterator<Item = u32> {
        std::iter::successors(self.oldest(), |&place| {
            Some(self.places[place as usize].newer).filter(|&newer| newer != NONE)
        })
    }

    /// Links a place that is not linked as the newest.
    pub(super) fn link(&mut self, place: u32) {
        let before = std::mem::replace(&mut self.newest, place);
        self.places[place as usize].older = before;
        self.places[place as usize].newer = NONE;
        match self.places.get_mut(before as usize) {
            Some(before) => before.newer = place,
            None => self.oldest = place,
        }
    }

    /// Takes a linked place out of the chain.
    pub(super) fn unlink(&mut self, place: u32) {
        let here = &mut self.places[place as usize];
        let newer = std::mem::replace(&mut here.newer, NONE);
        let older = std::mem::replace(&mut here.older, NONE);
        match self.places.get_mut(newer as usize) {
            Some(newer) => newer.older = older,
            None => self.newest = older,
        }
        match self.places.get_mut(older as usize) {
            Some(older) => older.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Makes a linked place the newest.
    #[inline]
    pub(super) fn touch(&mut self, place: u32) {
        if self.newest != place {
            self.unlink(place);
            self.link(place);
        }
    }
}
