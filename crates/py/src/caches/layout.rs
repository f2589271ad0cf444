//! Where the entries of a cache lie, as its class says it to who reads our memory from outside
//! (crates/cpython/src/object/entries.rs).

use super::slab::Slab;

const VERSION: u32 = 1;
const NONE: u32 = u32::MAX;

/// Offsets of the words in a cache's block that lead to objects.
pub(super) struct Places {
    /// Bytes of the block.
    pub(super) inside: usize,
    /// Where the slab is in it.
    pub(super) slab: usize,
    /// In what an entry keeps: a reference that is always there.
    pub(super) value: usize,
    /// A strong reference beside it, if that is weak.
    pub(super) held: Option<usize>,
    pub(super) weigher: Option<usize>,
    pub(super) on_evict: Option<usize>,
    pub(super) on_refused: Option<usize>,
}

pub(super) fn bytes<T>(places: &Places) -> Vec<u8> {
    let maybe = |offset: Option<usize>| offset.map_or(NONE, |offset| offset as u32);
    let [address, count, room] = Slab::<T>::SHOWN.map(|offset| (places.slab + offset) as u32);
    let words = [
        VERSION,
        places.inside as u32,
        address,
        count,
        room,
        Slab::<T>::STRIDE as u32,
        Slab::<T>::KEY as u32,
        (Slab::<T>::ITEM + places.value) as u32,
        maybe(places.held.map(|held| Slab::<T>::ITEM + held)),
        maybe(places.weigher),
        maybe(places.on_evict),
        maybe(places.on_refused),
    ];
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
