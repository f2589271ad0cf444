//! `numpy.ndarray` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): a buffer that belongs to
//! one array once, and views that weigh nothing of it.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, count_at, pointers, strong};
use crate::memory::{Memory, addr_at, u8_at, u32_at, u64_at};
use crate::types::TypeInfo;

const DATA: u64 = 16;
const DIMENSIONS_COUNT: u64 = 24;
const DIMENSIONS: u64 = 32;
const BASE: u64 = 48;
const DESCRIPTOR: u64 = 56;
const FLAGS: u64 = 64;
const BODY: u64 = 80;
/// `NPY_ARRAY_OWNDATA`.
const OWNS_DATA: u32 = 4;
/// `NPY_MAXDIMS` of NumPy 2.
const MOST_DIMENSIONS: u64 = 64;

/// `PyArray_Descr`: kind at 24; NumPy 1 has the item size as an int at 32 and the alignment at 36,
/// NumPy 2 has 64-bit flags at 32 and the item size at 40.
const KIND: u64 = 24;
const SIZE_1: u64 = 32;
const ALIGNMENT_1: u64 = 36;
const SIZE_2: u64 = 40;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, BODY as usize, &mut scratch)?;
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
    let mut scratch = Vec::new();
    let Some(descriptor) = cx.memory.bytes(addr_at(body, DESCRIPTOR), 48, &mut scratch) else {
        visitor.unreadable();
        return Some(sizes);
    };
    let item_size = if u32_at(descriptor, ALIGNMENT_1) == 0 {
        u64_at(descriptor, SIZE_2)
    } else {
        u64::from(u32_at(descriptor, SIZE_1))
    };
    // Where there is nothing to keep, NumPy asks for a byte all the same.
    let size = items.saturating_mul(item_size);
    // `ndarray.__sizeof__` counts the data if it owns it, and the shape.
    sizes.sizeof = sizes.sizeof.saturating_add(dimensions * 16);
    if u32_at(body, FLAGS) & OWNS_DATA == 0 {
        return Some(sizes);
    }
    sizes.sizeof = sizes.sizeof.saturating_add(size);
    let data = addr_at(body, DATA);
    if visitor.buffer(data, size.max(1)) && u8_at(descriptor, KIND) == b'O' {
        pointers(cx, data, items, EdgeKind::Item, Grounds::Hidden, visitor);
    }
    Some(sizes)
}
