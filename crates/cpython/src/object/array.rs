//! Objects over a raw buffer: `bytearray` (Objects/bytearrayobject.c), `array.array`
//! (Modules/arraymodule.c), `memoryview` (Objects/memoryobject.c).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, size_at};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at, u32_at};
use crate::types::TypeInfo;

pub(super) fn bytearray<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.bytearray;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let allocated = size_at(body, l.allocated);
    let sizeof = info.basic_size.saturating_add(allocated);
    // From 3.15 on the bytes are those of a `bytes` object, which owns them.
    if let Some(at) = l.bytes_object {
        let target = addr_at(body, at);
        if !target.is_null() {
            let link = Link::Named(EdgeKind::Internal, cx.words.buffer);
            visitor.reference(target, link, Grounds::Hidden);
        }
        let header = if allocated > 0 { cx.layout.bytes.data + 1 } else { 0 };
        return Some(Sizes { body: info.basic_size, sizeof: sizeof.saturating_add(header) });
    }
    let buffer = addr_at(body, l.buffer);
    if !buffer.is_null() {
        visitor.buffer(buffer, allocated);
    }
    Some(Sizes { body: info.basic_size, sizeof })
}

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const ITEMS: u64 = 24;
    const ALLOCATED: u64 = 32;
    const DESCRIPTOR: u64 = 40;
    /// `arraydescr`: type code, then item size as an int.
    const ITEM_SIZE: u64 = 4;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (DESCRIPTOR + 8) as usize, &mut scratch)?;
    let items = addr_at(body, ITEMS);
    let allocated = size_at(body, ALLOCATED);
    let mut scratch = Vec::new();
    let descriptor = cx.memory.bytes(addr_at(body, DESCRIPTOR), 8, &mut scratch);
    let Some(descriptor) = descriptor else {
        visitor.unreadable();
        return Some(Sizes::same(info.basic_size));
    };
    let size = allocated.saturating_mul(u64::from(u32_at(descriptor, ITEM_SIZE).min(16)));
    if !items.is_null() {
        visitor.buffer(items, size);
    }
    Some(Sizes { body: info.basic_size, sizeof: info.basic_size.saturating_add(size) })
}

/// A view owns nothing but its description; the managed buffer knows whose bytes they are.
pub(super) fn memoryview<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const MANAGED_BUFFER: u64 = 24;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (MANAGED_BUFFER + 8) as usize, &mut scratch)?;
    let target = addr_at(body, MANAGED_BUFFER);
    if !target.is_null() {
        let link = Link::Named(EdgeKind::Internal, cx.words.managed_buffer);
        visitor.reference(target, link, Grounds::Visible);
    }
    // Shape, strides and suboffsets follow: three words a dimension.
    let words = size_at(body, OB_SIZE).checked_mul(info.item_size)?;
    Some(Sizes::same(info.basic_size.checked_add(words)?))
}
