//! What every object can have whatever its family: fields at fixed places, an attribute dict,
//! inline values, a class, and words we have no layout for.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, dict, grounds_of};
use crate::family::Family;
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at, u8_at};
use crate::types::{DictPlace, TypeInfo, flag};

/// Where 3.11 keeps the values of an instance, in front of it; where every version from 3.11 on keeps
/// the pointer to its dict (3.12: or a tagged pointer to its values).
const VALUES_BEFORE: u64 = 32;
const DICT_BEFORE: u64 = 24;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    sizes: &mut Sizes,
    visitor: &mut V,
) -> Option<()> {
    if !info.fields.is_empty() || !info.unknown.is_empty() {
        let mut scratch = Vec::new();
        let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
        let seen = grounds_of(info);
        for field in &info.fields {
            let target = addr_at(body, field.offset);
            if !target.is_null() {
                let grounds = if field.visible { seen } else { Grounds::Hidden };
                visitor.reference(target, Link::Named(field.kind, field.name), grounds);
            }
        }
        scan(info, body, visitor);
    }
    match info.dict {
        DictPlace::None => {}
        DictPlace::Managed => managed(cx, info, addr, sizes, visitor),
        DictPlace::Offset(offset) => at_offset(cx, info, addr, offset, visitor)?,
    }
    if info.has(flag::HEAP_TYPE) {
        visitor.reference(info.addr, Link::At(EdgeKind::Class, 0), grounds_of(info));
    }
    Some(())
}

/// Words of C structs we have no layout for: anything that looks like a reference may be one.
fn scan<V: Visitor>(info: &TypeInfo, body: &[u8], visitor: &mut V) {
    for &(from, to) in &info.unknown {
        for offset in (from..to).step_by(8) {
            let known = info.fields.binary_search_by_key(&offset, |field| field.offset).is_ok();
            let dict = info.dict == DictPlace::Offset(offset.cast_signed());
            if known || dict || offset == info.weaklist_offset {
                continue;
            }
            let word = addr_at(body, offset);
            if !word.is_null() {
                visitor.reference(word, Link::At(EdgeKind::Field, offset), Grounds::Conservative);
            }
        }
    }
}

/// A dict pointer in the object itself (dictobject.c, `_PyObject_ComputedDictPointer`).
fn at_offset<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    offset: i64,
    visitor: &mut V,
) -> Option<()> {
    let from_start = if offset > 0 {
        offset.cast_unsigned()
    } else {
        // From the end of the object with its items, rounded up to a word.
        let items = cx.memory.word(addr + OB_SIZE)?.cast_signed().unsigned_abs();
        let size = info.basic_size.checked_add(items.checked_mul(info.item_size)?)?;
        size.checked_next_multiple_of(8)?.checked_add_signed(offset)?
    };
    let dict = Addr(cx.memory.word(addr + from_start)?);
    attribute_dict(cx, info, dict, visitor);
    Some(())
}

fn attribute_dict<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    dict: Addr,
    visitor: &mut V,
) {
    let grounds = if info.family == Family::Module { Grounds::Visible } else { grounds_of(info) };
    attribute_dict_on(cx, dict, grounds, visitor);
}

fn attribute_dict_on<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    dict: Addr,
    grounds: Grounds,
    visitor: &mut V,
) {
    if !dict.is_null() {
        visitor.namespace(dict);
        visitor.reference(dict, Link::Named(EdgeKind::Attribute, cx.words.dict), grounds);
    }
}

/// A dict and values that the interpreter places itself (3.11+).
fn managed<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    sizes: &mut Sizes,
    visitor: &mut V,
) {
    let Some(word) = cx.memory.word(addr - DICT_BEFORE) else {
        visitor.unreadable();
        return;
    };
    let keys = |cx: &Context<'_, M>| dict::keys(cx.memory, cx.layout, info.cached_keys);
    match cx.layout.minor {
        11 => {
            let values = Addr(cx.memory.word(addr - VALUES_BEFORE).unwrap_or(0));
            if !values.is_null() {
                apart(cx, values, keys(cx), visitor);
            }
            attribute_dict(cx, info, Addr(word), visitor);
        }
        // 3.12: one word, tagged when it leads to values.
        12 if word & 1 != 0 => apart(cx, Addr(word) + 1, keys(cx), visitor),
        12 => attribute_dict(cx, info, Addr(word), visitor),
        _ => {
            let dict = Addr(word);
            let valid = info.has(flag::INLINE_VALUES)
                && keys(cx).is_some_and(|keys| {
                    let grounds = dict::inline_grounds(cx, !dict.is_null());
                    inline(cx, info, addr, &keys, grounds, sizes, visitor)
                });
            let skipped = valid && dict::instance_visits_values(cx);
            attribute_dict_on(
                cx,
                dict,
                if skipped { Grounds::Hidden } else { grounds_of(info) },
                visitor,
            );
        }
    }
}

/// Values in a block of their own (3.11, 3.12).
fn apart<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    pointer: Addr,
    keys: Option<dict::Keys>,
    visitor: &mut V,
) {
    let values =
        keys.and_then(|keys| Some((keys, dict::values(cx.memory, cx.layout, pointer, &keys)?)));
    let Some((keys, values)) = values else {
        visitor.unreadable();
        return;
    };
    if let Some((block, size)) = values.block
        && visitor.values(block, size)
    {
        dict::named_values(cx, &keys, values, Grounds::Visible, visitor);
    }
}

/// Values that follow the object in its own block (3.13+), alive while a byte says so: a dict that
/// outgrew them takes the values along. Returns whether they are alive.
fn inline<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    keys: &dict::Keys,
    grounds: Option<Grounds>,
    sizes: &mut Sizes,
    visitor: &mut V,
) -> bool {
    let l = &cx.layout.values;
    let start = addr + info.basic_size;
    let mut scratch = Vec::new();
    let Some(head) = cx.memory.bytes(start, l.items as usize, &mut scratch) else {
        visitor.unreadable();
        return false;
    };
    let capacity = u64::from(l.capacity.map_or(0, |at| u8_at(head, at)));
    let valid = l.valid.is_some_and(|at| u8_at(head, at) != 0);
    sizes.body = sizes.body.saturating_add(dict::values_size(cx.layout, capacity));
    if valid && let Some(grounds) = grounds {
        let count = keys.filled.min(capacity);
        let values = dict::Values { items: start + l.items, count, block: None };
        dict::named_values(cx, keys, values, grounds, visitor);
    }
    valid
}
