//! `tuple` (Objects/tupleobject.c), struct sequences (structseq.c), and other objects whose
//! references follow a fixed part.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, code, grounds_of, plain, pointers, records};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let length = u64::try_from(cx.memory.word(addr + OB_SIZE)?.cast_signed()).ok()?;
    // A struct sequence has hidden fields after those its length counts.
    let items = info.sequence_fields.map_or(length, |fields| fields.max(length));
    let start = addr + cx.layout.tuple.items;
    match visitor.closure_code(addr).and_then(|code| code::locals(cx, code)) {
        Some(locals) => cells(cx, start, items, &locals, visitor),
        None => pointers(cx, start, items, EdgeKind::Item, Grounds::Visible, visitor),
    }
    let mut sizes = plain(cx, info, addr)?;
    sizes.body = sizes.body.checked_add((items - length).checked_mul(8)?)?;
    Some(sizes)
}

/// The cells of a closure, by the names of the variables they hold.
fn cells<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    start: Addr,
    count: u64,
    locals: &code::Locals,
    visitor: &mut V,
) {
    records(cx, start, count, 8, visitor, |visitor, index, bytes| {
        let cell = addr_at(bytes, 0);
        let link = match locals.free_name(cx, index) {
            Some(name) => Link::Text(EdgeKind::Closure, name),
            None => Link::At(EdgeKind::Item, index),
        };
        if !cell.is_null() {
            visitor.reference(cell, link, Grounds::Visible);
        }
    });
}

/// References from a fixed offset on, as many as `ob_size` says.
pub(super) fn items_at<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    at: u64,
    visitor: &mut V,
) -> Option<Sizes> {
    let length = u64::try_from(cx.memory.word(addr + OB_SIZE)?.cast_signed()).ok()?;
    pointers(cx, addr + at, length, EdgeKind::Item, grounds_of(info), visitor);
    plain(cx, info, addr)
}
