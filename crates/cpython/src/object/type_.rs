//! Type objects (Objects/typeobject.c).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, ctypes, dict, strong};
use crate::family::Family;
use crate::layout::OB_TYPE;
use crate::memory::{Memory, addr_at, c_string, u64_at};
use crate::types::{TypeInfo, flag};

/// Longer than the text that describes any class.
const LONGEST_DOC: usize = 1 << 16;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let t = &cx.layout.type_;
    let h = &cx.layout.heap_type;
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, t.size as usize, &mut scratch)?;
    let heap_type = u64_at(body, t.flags) & flag::HEAP_TYPE != 0;
    let grounds = if heap_type { Grounds::Visible } else { Grounds::Hidden };
    let namespace = addr_at(body, t.dict);
    if namespace.is_null() {
        static_type(cx, addr, u64_at(body, t.subclasses), visitor);
    } else {
        visitor.namespace(namespace);
    }
    let fields = [
        (t.dict, w.dict),
        (t.mro, w.mro),
        (t.bases, w.bases),
        (t.base, w.base),
        (t.cache, w.cache),
    ];
    for (offset, name) in fields {
        strong(visitor, body, offset, EdgeKind::Attribute, name, grounds);
    }
    // From 3.12 on static types keep a number there.
    if heap_type || cx.layout.minor <= 11 {
        strong(visitor, body, t.subclasses, EdgeKind::Internal, w.subclasses, Grounds::Hidden);
    }
    if !heap_type {
        return Some(Sizes::same(t.size));
    }
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, h.size as usize, &mut scratch)?;
    let hidden = [(h.name, w.name), (h.qualname, w.qualname), (h.slots, w.slots)];
    for (offset, name) in hidden {
        strong(visitor, body, offset, EdgeKind::Attribute, name, Grounds::Hidden);
    }
    strong(visitor, body, h.module, EdgeKind::Internal, w.module, Grounds::Visible);
    // A copy of its `__doc__`, for C.
    let doc = addr_at(body, t.doc);
    if let Some(text) = c_string(cx.memory, doc, LONGEST_DOC) {
        visitor.buffer(doc, text.len() as u64 + 1);
    }
    let mut sizes = heap_type_size(cx, addr, body)?;
    let c_type = info.family == Family::CType && cx.layout.minor >= 13;
    if info.family == Family::CType && !c_type {
        ctypes::visit_proto(cx, namespace, visitor);
    }
    if c_type && let Some(counted) = ctypes::info(cx, addr, visitor) {
        // Its `__sizeof__` starts from the metatype's struct, and forgets the keys.
        sizes.sizeof = info.basic_size.checked_add(counted)?;
    }
    let cached = addr_at(body, h.cached_keys);
    if !cached.is_null()
        && let Some(keys) = dict::keys(cx.memory, cx.layout, cached)
    {
        if !c_type {
            sizes.sizeof = sizes.sizeof.saturating_add(keys.size);
        }
        visitor.buffer(cached, keys.size);
        dict::names_of(cx, &keys, visitor);
    }
    Some(sizes)
}

/// A heap type's block: the metatype's struct and a member record for each slot, and one more.
fn heap_type_size<M: Memory>(cx: &Context<'_, M>, addr: Addr, body: &[u8]) -> Option<Sizes> {
    let t = &cx.layout.type_;
    let metatype = addr_at(body, OB_TYPE);
    let basic = cx.memory.word(metatype + t.basic_size)?;
    let item = cx.memory.word(metatype + t.item_size)?;
    let slots = cx.memory.word(addr + crate::layout::OB_SIZE)?;
    let members = slots.checked_add(1)?.checked_mul(item)?;
    Some(Sizes { body: basic.checked_add(members)?, sizeof: cx.layout.heap_type.size })
}

/// What the interpreter keeps for a static type (3.12+): `tp_subclasses` holds the number of its row, plus
/// one. Types of extension modules have rows of their own (3.13+), with numbers that builtin types
/// have too: the row says whose it is.
fn static_type<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    addr: Addr,
    number: u64,
    visitor: &mut V,
) {
    let s = &cx.layout.static_types;
    let (Some(stride), Some(type_), Some(dict), Some(subclasses), Some(count)) =
        (s.stride, s.type_, s.dict, s.subclasses, s.count)
    else {
        return;
    };
    if number == 0 || number > count {
        return;
    }
    let mut scratch = Vec::new();
    for rows in [s.rows, s.extension_rows].into_iter().flatten() {
        let row = cx.interpreter + rows + (number - 1) * stride;
        let Some(bytes) = cx.memory.bytes(row, stride as usize, &mut scratch) else {
            visitor.unreadable();
            return;
        };
        if addr_at(bytes, type_) == addr {
            let w = cx.words;
            visitor.namespace(addr_at(bytes, dict));
            strong(visitor, bytes, dict, EdgeKind::Attribute, w.dict, Grounds::Hidden);
            strong(visitor, bytes, subclasses, EdgeKind::Internal, w.subclasses, Grounds::Hidden);
            return;
        }
    }
}
