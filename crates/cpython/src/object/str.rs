//! `str` (Objects/unicodeobject.c): characters in place or apart, and cached encodings.

use deadweight_heap::Addr;

use super::{Context, Sizes, Visitor, size_at};
use crate::memory::{Memory, addr_at};
use crate::text::StrShape;
use crate::types::TypeInfo;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.str;
    let mut scratch = Vec::new();
    let head = cx.memory.bytes(addr, l.ascii_size as usize, &mut scratch)?;
    let shape = StrShape::of(cx.layout, head);
    let mut sizes = Sizes::same(shape.body_size(cx.layout));
    let own_wide = l.wstr.map_or(Addr::NULL, |at| addr_at(head, at));
    let in_place = shape.compact && shape.ascii;
    if in_place && own_wide.is_null() {
        return Some(with_subclass(info, sizes));
    }
    let size = if in_place { l.ascii_size } else { sizes.body.min(l.legacy_size) };
    let mut scratch = Vec::new();
    let head = cx.memory.bytes(addr, size as usize, &mut scratch)?;

    // Characters apart: subclasses of str, and 3.10's strings made piece by piece.
    let mut data = Addr::NULL;
    if !shape.compact {
        data = addr_at(head, l.data);
        if !data.is_null() && shape.kind != 0 {
            visitor.buffer(data, shape.data_size());
            sizes.sizeof = sizes.sizeof.saturating_add(shape.data_size());
        }
    }
    let characters = if shape.compact { addr + (sizes.body - shape.data_size()) } else { data };
    // A cached UTF-8 form, unless it is the characters themselves.
    if !in_place {
        let utf8 = addr_at(head, l.utf8);
        if !utf8.is_null() && utf8 != characters {
            let bytes = size_at(head, l.utf8_length).saturating_add(1);
            visitor.buffer(utf8, bytes);
            sizes.sizeof = sizes.sizeof.saturating_add(bytes);
        }
    }
    // A cached wchar_t form (3.10, 3.11), unless it is the characters themselves.
    if !own_wide.is_null() && own_wide != characters {
        let length = match l.wstr_length {
            Some(at) if !in_place => size_at(head, at),
            _ => shape.length,
        };
        let bytes = length.saturating_add(1).saturating_mul(4);
        visitor.buffer(own_wide, bytes);
        sizes.sizeof = sizes.sizeof.saturating_add(bytes);
    }
    Some(with_subclass(info, sizes))
}

/// A subclass may add slots behind the C struct; `str.__sizeof__` does not count them.
fn with_subclass(info: &TypeInfo, mut sizes: Sizes) -> Sizes {
    if info.python {
        sizes.body = sizes.body.max(info.basic_size);
    }
    sizes
}
