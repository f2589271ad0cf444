//! `queue.SimpleQueue` (Modules/_queuemodule.c): a list (3.10–3.12), a ring of its own (3.13+).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, records, size_at, strong};
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

const LIST: u64 = 32;
/// The ring: where to put and where to get, the items, how many there is room for, how many there are.
const GET: u64 = 32;
const ITEMS: u64 = 40;
const ROOM: u64 = 48;
const COUNT: u64 = 56;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let mut sizes = Sizes::same(info.basic_size);
    if cx.layout.minor <= 12 {
        strong(visitor, body, LIST, EdgeKind::Internal, cx.words.items, Grounds::Visible);
        return Some(sizes);
    }
    let (items, room) = (addr_at(body, ITEMS), size_at(body, ROOM));
    let (get, count) = (size_at(body, GET), size_at(body, COUNT));
    let size = room.saturating_mul(8);
    if cx.layout.minor >= 15 {
        sizes.sizeof = sizes.sizeof.saturating_add(size);
    }
    if room > 0 && visitor.buffer(items, size) {
        // Slots are cleared when their item is taken: only those from `get` on, around, are live.
        records(cx, items, room, 8, visitor, |visitor, slot, bytes| {
            let index = (slot + room - get % room) % room;
            let target = addr_at(bytes, 0);
            if index < count && !target.is_null() {
                visitor.reference(target, Link::At(EdgeKind::Item, index), Grounds::Visible);
            }
        });
    }
    Some(sizes)
}
