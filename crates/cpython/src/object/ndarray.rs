//! `numpy.ndarray` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): a buffer that belongs to
//! one array once, and views that weigh nothing of it. `numpy.void` (arrayscalars.h) is either as well.

use deadweight_heap::{Addr, EdgeKind};

use super::buffer_info;
use super::dtype::{self, Descriptor};
use super::{Context, Grounds, Link, Sizes, Visitor, count_at, records, strong};
use crate::memory::{Memory, addr_at, u32_at, u64_at};
use crate::types::TypeInfo;

const DATA: u64 = 16;
const DIMENSIONS_COUNT: u64 = 24;
const DIMENSIONS: u64 = 32;
const BASE: u64 = 48;
const DESCRIPTOR: u64 = 56;
const FLAGS: u64 = 64;
/// Not there before NumPy 1.20.
const BUFFER_INFO: u64 = 80;
const BODY: u64 = 88;
/// `NPY_ARRAY_OWNDATA`.
const OWNS_DATA: u32 = 4;
/// `NPY_MAXDIMS` of NumPy 2.
const MOST_DIMENSIONS: u64 = 64;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size.min(BODY) as usize, &mut scratch)?;
    let w = cx.words;
    strong(visitor, body, BASE, EdgeKind::Attribute, w.array_base, Grounds::Hidden);
    strong(visitor, body, DESCRIPTOR, EdgeKind::Attribute, w.descriptor, Grounds::Hidden);
    let mut sizes = Sizes::same(info.basic_size);
    let dimensions = count_at(body, DIMENSIONS_COUNT).min(MOST_DIMENSIONS);
    let shape_at = addr_at(body, DIMENSIONS);
    let mut items = 1_u64;
    if dimensions > 0 {
        let mut scratch = Vec::new();
        let shape = cx.memory.bytes(shape_at, (dimensions * 8) as usize, &mut scratch)?;
        for axis in 0..dimensions {
            items = items.saturating_mul(u64_at(shape, axis * 8));
        }
        // Shape and strides share a block of two words a dimension.
        visitor.buffer(shape_at, dimensions * 16);
    }
    buffer_info::kept(cx, addr_at(body, BUFFER_INFO), MOST_DIMENSIONS, visitor);
    let dtype = addr_at(body, DESCRIPTOR);
    let Some(descriptor) = Descriptor::read(cx.memory, dtype) else {
        visitor.unreadable();
        return Some(sizes);
    };
    // Where there is nothing to keep, NumPy asks for a byte all the same.
    let size = items.saturating_mul(descriptor.item_size);
    // `ndarray.__sizeof__` counts the data if it owns it, and the shape.
    sizes.sizeof = sizes.sizeof.saturating_add(dimensions * 16);
    if u32_at(body, FLAGS) & OWNS_DATA == 0 {
        return Some(sizes);
    }
    sizes.sizeof = sizes.sizeof.saturating_add(size);
    let data = addr_at(body, DATA);
    if visitor.buffer(data, size.max(1)) {
        objects(cx, dtype, data, items, visitor);
    }
    Some(sizes)
}

/// The objects in `items` items from `data` on.
fn objects<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    dtype: Addr,
    data: Addr,
    items: u64,
    visitor: &mut V,
) {
    let Some(descriptor) = Descriptor::read(cx.memory, dtype) else { return };
    if !descriptor.holds_objects || descriptor.item_size == 0 {
        return;
    }
    let Some(places) = dtype::objects(cx, dtype) else {
        visitor.unreadable();
        return;
    };
    records(cx, data, items, descriptor.item_size, visitor, |visitor, index, item| {
        for &at in &places {
            // An object stands anywhere in a packed structure.
            let target = item.get(at as usize..).and_then(|rest| rest.first_chunk());
            let target = target.map_or(Addr::NULL, |word| Addr(u64::from_le_bytes(*word)));
            if !target.is_null() {
                visitor.reference(target, Link::At(EdgeKind::Item, index), Grounds::Hidden);
            }
        }
    });
}

/// An item of a structured array looks into that array; bytes of its own belong to it.
pub(super) fn void<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const DATA: u64 = 24;
    const DESCRIPTOR: u64 = 32;
    const FLAGS: u64 = 40;
    const BASE: u64 = 48;
    /// Not there before NumPy 1.20.
    const BUFFER_INFO: u64 = 56;
    const BODY: u64 = 64;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size.min(BODY) as usize, &mut scratch)?;
    let w = cx.words;
    strong(visitor, body, BASE, EdgeKind::Attribute, w.array_base, Grounds::Hidden);
    strong(visitor, body, DESCRIPTOR, EdgeKind::Attribute, w.descriptor, Grounds::Hidden);
    buffer_info::kept(cx, addr_at(body, BUFFER_INFO), 0, visitor);
    let mut sizes = Sizes::same(info.basic_size);
    let dtype = addr_at(body, DESCRIPTOR);
    let Some(descriptor) = Descriptor::read(cx.memory, dtype) else {
        visitor.unreadable();
        return Some(sizes);
    };
    // `generic.__sizeof__` counts the data, whose ever it is.
    sizes.sizeof = sizes.sizeof.saturating_add(descriptor.item_size);
    let data = addr_at(body, DATA);
    let owns = u32_at(body, FLAGS) & OWNS_DATA != 0 && !data.is_null();
    if owns && visitor.buffer(data, descriptor.item_size) {
        objects(cx, dtype, data, 1, visitor);
    }
    Some(sizes)
}
