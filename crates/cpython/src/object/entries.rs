//! Containers of the package's own, compiled from Rust, which promises no layout: their class says where their
//! entries lie (`_layout`; crates/py/src/caches/layout.rs writes it).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Visitor, dict, records, size_at};
use crate::layout::{Layout, OB_SIZE, OBJECT_SIZE};
use crate::memory::{Memory, addr_at, u32_at};

/// What the full names of such classes begin with.
pub(crate) const MODULE: &str = "deadweight._core.";
/// The one way of saying it so far.
const VERSION: u32 = 1;
const WORDS: usize = 12;
/// In place of an offset: there is none.
const NONE: u32 = u32::MAX;
/// No block has fields further from its beginning.
const FURTHEST: u32 = 1 << 16;

/// Offsets, in a block that the object's first word leads to, and in each of its entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries {
    inside: u64,
    address: u64,
    count: u64,
    room: u64,
    stride: u64,
    key: u64,
    value: u64,
    /// A strong reference beside a weak one.
    held: Option<u64>,
    weigher: Option<u64>,
    on_evict: Option<u64>,
    on_refused: Option<u64>,
}

/// What a class says, by its attributes.
pub(crate) fn of_class<M: Memory>(memory: &M, layout: &Layout, dict: Addr) -> Option<Entries> {
    let attribute = dict::get(memory, layout, dict, "_layout")?;
    if memory.word(attribute + OB_SIZE)? != (WORDS * 4) as u64 {
        return None;
    }
    let mut scratch = Vec::new();
    let bytes = memory.bytes(attribute + layout.bytes.data, WORDS * 4, &mut scratch)?;
    told(bytes)
}

fn told(bytes: &[u8]) -> Option<Entries> {
    let word = |index: u64| u32_at(bytes, index * 4);
    if word(0) != VERSION || word(1) > FURTHEST || word(5) > FURTHEST {
        return None;
    }
    let (inside, stride) = (u64::from(word(1)), u64::from(word(5)));
    let within = |index: u64, size: u64| {
        Some(u64::from(word(index))).filter(|offset| offset.is_multiple_of(8) && offset + 8 <= size)
    };
    let maybe = |index: u64, size: u64| {
        if word(index) == NONE { Some(None) } else { within(index, size).map(Some) }
    };
    Some(Entries {
        inside,
        address: within(2, inside)?,
        count: within(3, inside)?,
        room: within(4, inside)?,
        stride,
        key: within(6, stride)?,
        value: within(7, stride)?,
        held: maybe(8, stride)?,
        weigher: maybe(9, inside)?,
        on_evict: maybe(10, inside)?,
        on_refused: maybe(11, inside)?,
    })
}

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    addr: Addr,
    entries: &Entries,
    visitor: &mut V,
) {
    let mut scratch = Vec::new();
    let inside = cx.memory.word(addr + OBJECT_SIZE).map(Addr).unwrap_or_default();
    let Some(body) = cx.memory.bytes(inside, entries.inside as usize, &mut scratch) else {
        visitor.unreadable();
        return;
    };
    if !visitor.buffer(inside, entries.inside) {
        return;
    }
    let hooks = [
        (entries.weigher, "weigher"),
        (entries.on_evict, "on_evict"),
        (entries.on_refused, "on_refused"),
    ];
    for (offset, name) in hooks {
        let target = offset.map_or(Addr::NULL, |offset| addr_at(body, offset));
        if !target.is_null() {
            visitor.reference(target, Link::Static(EdgeKind::Internal, name), Grounds::Visible);
        }
    }
    let (start, room) = (addr_at(body, entries.address), size_at(body, entries.room));
    let count = size_at(body, entries.count).min(room);
    if room == 0 || !visitor.buffer(start, room.saturating_mul(entries.stride)) {
        return;
    }
    records(cx, start, count, entries.stride, visitor, |visitor, index, entry| {
        let (key, value) = (addr_at(entry, entries.key), addr_at(entry, entries.value));
        // An empty place has no key, or no value; of the rest nothing is said.
        if key.is_null() || value.is_null() {
            return;
        }
        visitor.reference(key, Link::At(EdgeKind::Key, index), Grounds::Visible);
        let Some(held) = entries.held else {
            visitor.reference(value, Link::Entry { index, key }, Grounds::Visible);
            return;
        };
        visitor.reference(value, Link::Static(EdgeKind::Internal, "reference"), Grounds::Visible);
        let held = addr_at(entry, held);
        if !held.is_null() {
            visitor.reference(held, Link::Entry { index, key }, Grounds::Visible);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [u32; WORDS] = [VERSION, 64, 8, 16, 24, 48, 0, 40, NONE, NONE, 56, NONE];

    fn told_by(words: [u32; WORDS]) -> Option<Entries> {
        told(&words.map(u32::to_le_bytes).concat())
    }

    #[test]
    fn what_leads_out_of_a_block_is_not_believed() {
        let entries = told_by(GOOD).unwrap();
        assert_eq!((entries.stride, entries.value, entries.held), (48, 40, None));
        assert_eq!((entries.weigher, entries.on_evict), (None, Some(56)));
        // By number of the word: another way of saying it, blocks too large or too small, offsets outside or
        // between words, and none where there must be one.
        let bad = [
            (0, 2),
            (1, FURTHEST + 8),
            (1, 56),
            (2, 64),
            (3, 12),
            (4, NONE),
            (5, 0),
            (5, 40),
            (5, NONE),
            (6, NONE),
            (7, 44),
            (8, 48),
            (9, 60),
            (10, NONE - 7),
            (11, 64),
        ];
        for (word, value) in bad {
            let mut words = GOOD;
            words[word] = value;
            assert!(told_by(words).is_none(), "{value} as word {word}");
        }
    }
}
