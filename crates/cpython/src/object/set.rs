//! `set` and `frozenset` (Objects/setobject.c): a table of keys and hashes, the first eight in place.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, records, size_at};
use crate::memory::{Memory, addr_at, u64_at};
use crate::types::TypeInfo;

const ENTRY: u64 = 16;
/// The hash of the entry that stands for a removed key; no real hash is −1.
const REMOVED: u64 = u64::MAX;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.set;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let table = addr_at(body, l.table);
    let entries = size_at(body, l.mask).saturating_add(1);
    let in_place = table == addr + l.small_table;
    let buffer = if in_place { 0 } else { entries.saturating_mul(ENTRY) };
    if in_place || visitor.buffer(table, buffer) {
        records(cx, table, entries, ENTRY, visitor, |visitor, index, entry| {
            let key = addr_at(entry, 0);
            if !key.is_null() && u64_at(entry, 8) != REMOVED {
                visitor.reference(key, Link::At(EdgeKind::Key, index), Grounds::Visible);
            }
        });
    }
    Some(Sizes { body: info.basic_size, sizeof: info.basic_size.saturating_add(buffer) })
}
