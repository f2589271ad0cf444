//! `dict` (Objects/dictobject.c): a keys table, shared or its own, and sometimes values apart.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, records, size_at};
use crate::blocks::Requested;
use crate::layout::{KeysSize, Layout, OB_TYPE};
use crate::memory::{Memory, addr_at, u8_at, u64_at};
use crate::text;
use crate::types::{TypeInfo, flag};

/// `sizeof(PyDictObject)`, in every version.
const SIZE: usize = 48;
/// Where the indices of a keys table begin in 3.10; in later versions the first of them end there.
const KEYS_HEAD: usize = 40;
/// Bytes of an entry with its hash, and of one in a table whose keys are all `str`.
const GENERAL_ENTRY: u64 = 24;
const TEXT_ENTRY: u64 = 16;
/// `dk_kind` of tables with any keys; the other kinds have `str` keys only.
const KIND_GENERAL: u8 = 0;
/// 2⁴⁸ slots would not fit any memory; larger logarithms are damage.
const LARGEST_LOG2: u8 = 48;

/// A keys table, measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys {
    pub(crate) start: Addr,
    /// The first entry.
    pub(crate) entries: Addr,
    pub(crate) entry_size: u64,
    /// How many entries are filled (some may be deleted again).
    pub(crate) filled: u64,
    /// How many entries there is room for.
    pub(crate) room: u64,
    /// Bytes of the whole table.
    pub(crate) size: u64,
    pub(crate) refcount: u64,
    /// Only `str` keys: the collector then skips them.
    pub(crate) text_only: bool,
}

impl Keys {
    /// Where the key of an entry stands in it.
    fn key_offset(&self) -> u64 {
        self.entry_size - TEXT_ENTRY
    }
}

/// Reads the header of a keys table.
pub(crate) fn keys<M: Memory>(memory: &M, layout: &Layout, start: Addr) -> Option<Keys> {
    let l = &layout.keys;
    let head = &memory.array::<KEYS_HEAD>(start)?;
    let filled = size_at(head, l.entries);
    let (slots, index_bytes, entry_size, text_only) = match l.size {
        KeysSize::Slots { size, .. } => {
            let slots = size_at(head, size);
            // DK_IXSIZE of 3.10: the narrowest index type that fits.
            let width = match slots {
                0..=0xff => 1,
                0x100..=0xffff => 2,
                0x1_0000..=0xffff_ffff => 4,
                _ => 8,
            };
            (slots, slots.checked_mul(width)?, GENERAL_ENTRY, false)
        }
        KeysSize::Log2 { log2_size, log2_index_bytes, kind } => {
            let log2_size = u8_at(head, log2_size);
            let log2_index_bytes = u8_at(head, log2_index_bytes);
            if log2_size > LARGEST_LOG2 || log2_index_bytes > LARGEST_LOG2 {
                return None;
            }
            let kind = u8_at(head, kind);
            let entry_size = if kind == KIND_GENERAL { GENERAL_ENTRY } else { TEXT_ENTRY };
            (1 << log2_size, 1 << log2_index_bytes, entry_size, kind != KIND_GENERAL)
        }
    };
    // USABLE_FRACTION: two thirds of the slots.
    let room = slots.checked_mul(2)? / 3;
    let entries = start + l.indices.checked_add(index_bytes)?;
    let size = room.checked_mul(entry_size)?.checked_add(l.indices)?.checked_add(index_bytes)?;
    Some(Keys {
        start,
        entries,
        entry_size,
        filled: filled.min(room),
        room,
        size,
        refcount: u64_at(head, l.refcount),
        text_only,
    })
}

/// Values kept apart from the keys table that names them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Values {
    /// The first value.
    pub(crate) items: Addr,
    pub(crate) count: u64,
    /// Their block, unless they sit inside an instance, and what was asked for it.
    pub(crate) block: Option<(Addr, Requested)>,
}

/// `SHARED_KEYS_MAX_SIZE` (3.11+): attributes that a table of shared keys has room for.
const MOST_SHARED: u64 = 30;

/// Values that `pointer` (of a dict or an instance) leads to.
pub(crate) fn values<M: Memory>(
    memory: &M,
    layout: &Layout,
    pointer: Addr,
    keys: &Keys,
) -> Option<Values> {
    let l = &layout.values;
    let usable = keys.filled.checked_add(usable(memory, layout, keys)?)?;
    match layout.minor {
        ..=10 => {
            let size = usable.checked_mul(8)?;
            let block = Some((pointer, Requested::exactly(size)));
            Some(Values { items: pointer, count: keys.filled, block })
        }
        11 | 12 => {
            // The byte before the values says how many bytes of insertion order precede them: one
            // for each value and two more, to whole words (`new_values`, Objects/dictobject.c). That
            // is how many there were to be when the block was made; every instance that is made
            // leaves room for one less in the keys (`init_inline_values`).
            let [prefix] = memory.array(pointer - 1)?.map(u64::from);
            let most = prefix.saturating_sub(2).min(MOST_SHARED).max(usable);
            let least = prefix.saturating_sub(9).max(usable);
            let size = |room: u64| room.checked_mul(8)?.checked_add(prefix);
            let requested = Requested { least: size(least)?, most: size(most)? };
            let block = Some((pointer - prefix, requested));
            Some(Values { items: pointer, count: keys.filled, block })
        }
        _ => {
            let mut scratch = Vec::new();
            let head = memory.bytes(pointer, l.items as usize, &mut scratch)?;
            let capacity = u64::from(u8_at(head, l.capacity?));
            let embedded = u8_at(head, l.embedded?) != 0;
            let size = values_size(layout, capacity);
            Some(Values {
                items: pointer + l.items,
                count: keys.filled.min(capacity),
                block: (!embedded).then_some((pointer, Requested::exactly(size))),
            })
        }
    }
}

/// Bytes of values with their header and the insertion order after them (3.13+).
pub(crate) fn values_size(layout: &Layout, capacity: u64) -> u64 {
    layout.values.items + capacity * 8 + capacity.next_multiple_of(8)
}

/// `dk_usable`: entries that can still be added.
fn usable<M: Memory>(memory: &M, layout: &Layout, keys: &Keys) -> Option<u64> {
    let word = memory.word(keys.start + layout.keys.usable)?.cast_signed();
    let left = u64::try_from(word).unwrap_or(0);
    (left <= keys.room).then_some(left)
}

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.dict;
    let body = &cx.memory.array::<SIZE>(addr)?;
    let mut sizes = Sizes::same(info.basic_size);
    let Some(keys) = keys(cx.memory, cx.layout, addr_at(body, l.keys)) else {
        visitor.unreadable();
        return Some(sizes);
    };
    let values_at = addr_at(body, l.values);
    if values_at.is_null() {
        let mine = visitor.buffer(keys.start, keys.size);
        if keys.refcount == 1 {
            sizes.sizeof = sizes.sizeof.saturating_add(keys.size);
        }
        if mine && addr == cx.interned {
            interned(cx, &keys, visitor);
        } else if mine {
            let namespace = visitor.is_namespace(addr);
            combined(cx, &keys, namespace, visitor);
        }
        return Some(sizes);
    }
    let Some(values) = values(cx.memory, cx.layout, values_at, &keys) else {
        visitor.unreadable();
        return Some(sizes);
    };
    visitor.shared_buffer(keys.start, keys.size);
    let usable = usable(cx.memory, cx.layout, &keys).unwrap_or(0);
    let counted = match cx.layout.minor {
        ..=10 => keys.room,
        _ => keys.filled + usable,
    };
    sizes.sizeof = sizes.sizeof.saturating_add(counted.saturating_mul(8));
    if keys.refcount == 1 {
        sizes.sizeof = sizes.sizeof.saturating_add(keys.size);
    }
    match values.block {
        Some((block, size)) if visitor.values(block, size) => {
            named_values(cx, &keys, values, Grounds::Visible, visitor);
        }
        Some(_) => {}
        // Values inside an instance are this dict's from when it was made: if the instance dies
        // first, the dict takes them along.
        None => {
            let grounds =
                if instance_visits_values(cx) { Grounds::Hidden } else { Grounds::Visible };
            named_values(cx, &keys, values, grounds, visitor);
        }
    }
    // Which keys a shared table has is known from its type; the table itself holds their names.
    if keys.refcount == 1 {
        names_of(cx, &keys, visitor);
    }
    Some(sizes)
}

/// The values of a dict that no instance shares its keys with, if there are not more than `most`.
pub(super) fn values_of<M: Memory>(
    cx: &Context<'_, M>,
    addr: Addr,
    most: u64,
) -> Option<Vec<Addr>> {
    let l = &cx.layout.dict;
    let keys = keys(cx.memory, cx.layout, Addr(cx.memory.word(addr + l.keys)?))?;
    if cx.memory.word(addr + l.values)? != 0 || keys.filled > most {
        return None;
    }
    let at = keys.key_offset() + 8;
    (0..keys.filled)
        .map(|index| cx.memory.word(keys.entries + (index * keys.entry_size + at)).map(Addr))
        .filter(|value| value.is_none_or(|value| !value.is_null()))
        .collect()
}

/// Entries that hold key and value together.
fn combined<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    keys: &Keys,
    namespace: bool,
    visitor: &mut V,
) {
    let key_grounds =
        if keys_are_visited(cx, keys, visitor) { Grounds::Visible } else { Grounds::Hidden };
    let at = keys.key_offset();
    records(cx, keys.entries, keys.filled, keys.entry_size, visitor, |visitor, index, entry| {
        let key = addr_at(entry, at);
        let value = addr_at(entry, at + 8);
        if value.is_null() || key.is_null() {
            return;
        }
        visitor.reference(key, Link::At(EdgeKind::Key, index), key_grounds);
        let link = if namespace {
            Link::Text(EdgeKind::Attribute, key)
        } else {
            Link::Entry { index, key }
        };
        visitor.reference(value, link, Grounds::Visible);
    });
}

/// The table of interned strings: its references are not counted, and a string that dies is taken out.
/// (The collector visits it all the same where it tracks it, from 3.14 on.)
fn interned<M: Memory, V: Visitor>(cx: &Context<'_, M>, keys: &Keys, visitor: &mut V) {
    let at = keys.key_offset();
    records(cx, keys.entries, keys.filled, keys.entry_size, visitor, |visitor, index, entry| {
        let key = addr_at(entry, at);
        if !key.is_null() {
            let link = Link::Named(EdgeKind::Weak, cx.words.interned);
            visitor.reference(key, link, Grounds::Hidden);
            visitor.reference(key, Link::At(EdgeKind::Entry, index), Grounds::OnlyVisited);
        }
    });
}

/// Whether `dict_traverse` visits the keys. From 3.11 on the table says so; 3.10 has it in a function
/// pointer, so for comparisons with the collector the keys themselves are looked at.
fn keys_are_visited<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    keys: &Keys,
    visitor: &mut V,
) -> bool {
    if cx.layout.minor > 10 || !visitor.compares() {
        return !keys.text_only;
    }
    let mut visited = false;
    records(cx, keys.entries, keys.filled, keys.entry_size, visitor, |_, _, entry| {
        let key = addr_at(entry, keys.key_offset());
        visited |= !key.is_null() && !is_exact_str(cx, key);
    });
    visited
}

fn is_exact_str<M: Memory>(cx: &Context<'_, M>, addr: Addr) -> bool {
    let type_addr = cx.memory.word(addr + OB_TYPE).map(Addr);
    let flags = type_addr.and_then(|at| cx.memory.word(at + cx.layout.type_.flags));
    flags.is_some_and(|flags| {
        flags & (flag::UNICODE_SUBCLASS | flag::HEAP_TYPE) == flag::UNICODE_SUBCLASS
    })
}

/// Values apart from their keys: the attributes of instances.
pub(super) fn named_values<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    keys: &Keys,
    values: Values,
    grounds: Grounds,
    visitor: &mut V,
) {
    let count = values.count;
    let mut scratch = Vec::new();
    let mut names = Vec::new();
    let size = (count * keys.entry_size) as usize;
    let (Some(bytes), Some(entries)) = (
        cx.memory.bytes(values.items, (count * 8) as usize, &mut scratch),
        cx.memory.bytes(keys.entries, size, &mut names),
    ) else {
        visitor.unreadable();
        return;
    };
    for index in 0..count {
        let value = addr_at(bytes, index * 8);
        if !value.is_null() {
            let key = addr_at(entries, index * keys.entry_size + keys.key_offset());
            visitor.reference(value, Link::Text(EdgeKind::Attribute, key), grounds);
        }
    }
}

/// Whether an instance with a dict visits its inline values itself, and not that dict, as in 3.13.0.
/// In 3.13.15 and from 3.14 on the instance visits the dict and that the values.
pub(super) fn instance_visits_values<M>(cx: &Context<'_, M>) -> bool {
    cx.layout.minor == 13 && cx.micro < 15
}

/// Grounds of an instance's references to its inline values, which with a dict are that dict's.
pub(super) fn inline_grounds<M>(cx: &Context<'_, M>, has_dict: bool) -> Option<Grounds> {
    match (has_dict, instance_visits_values(cx)) {
        (false, _) => Some(Grounds::Visible),
        (true, true) => Some(Grounds::OnlyVisited),
        (true, false) => None,
    }
}

/// The key objects of a table that instances share. The collector does not visit them.
pub(super) fn names_of<M: Memory, V: Visitor>(cx: &Context<'_, M>, keys: &Keys, visitor: &mut V) {
    let at = keys.key_offset();
    records(cx, keys.entries, keys.filled, keys.entry_size, visitor, |visitor, index, entry| {
        let key = addr_at(entry, at);
        if !key.is_null() {
            visitor.reference(key, Link::At(EdgeKind::Key, index), Grounds::Hidden);
        }
    });
}

/// Every key and value of a dict, for roots and look-ups. Stops at a million entries.
pub(crate) fn entries<M: Memory>(memory: &M, layout: &Layout, dict: Addr) -> Vec<(Addr, Addr)> {
    first_entries(memory, layout, dict, 1 << 20)
}

/// The keys and values in the first `most` places of a dict.
pub(crate) fn first_entries<M: Memory>(
    memory: &M,
    layout: &Layout,
    dict: Addr,
    most: u64,
) -> Vec<(Addr, Addr)> {
    let l = &layout.dict;
    let mut found = Vec::new();
    let (Some(keys_at), Some(values_at)) =
        (memory.word(dict + l.keys), memory.word(dict + l.values))
    else {
        return found;
    };
    let Some(keys) = keys(memory, layout, Addr(keys_at)) else { return found };
    let apart = if values_at == 0 {
        None
    } else {
        match values(memory, layout, Addr(values_at), &keys) {
            Some(values) => Some(values),
            None => return found,
        }
    };
    let mut scratch = Vec::new();
    for index in 0..keys.filled.min(most) {
        let at = keys.entries + index * keys.entry_size;
        let Some(entry) = memory.bytes(at, keys.entry_size as usize, &mut scratch) else { break };
        let key = addr_at(entry, keys.key_offset());
        let value = match apart {
            None => addr_at(entry, keys.key_offset() + 8),
            Some(values) if index < values.count => {
                Addr(memory.word(values.items + index * 8).unwrap_or(0))
            }
            Some(_) => Addr::NULL,
        };
        if !key.is_null() && !value.is_null() {
            found.push((key, value));
        }
    }
    found
}

/// The value of a `str` key.
pub(crate) fn get<M: Memory>(memory: &M, layout: &Layout, dict: Addr, key: &str) -> Option<Addr> {
    if dict.is_null() {
        return None;
    }
    entries(memory, layout, dict)
        .into_iter()
        .find(|&(name, _)| text::read_str(memory, layout, name).as_deref() == Some(key))
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::of_minor;

    #[test]
    fn heads_have_all_their_fields() {
        for layout in (10..=15).filter_map(of_minor) {
            assert_eq!(layout.dict.keys.max(layout.dict.values) + 8, SIZE as u64);
            let keys = layout.keys;
            let last = keys.refcount.max(keys.usable).max(keys.entries);
            assert!(last + 8 <= KEYS_HEAD as u64, "3.{}", layout.minor);
            // A keys table has eight bytes of indices at least (dictobject.c).
            assert!(keys.indices + 8 >= KEYS_HEAD as u64, "3.{}", layout.minor);
        }
    }
}
