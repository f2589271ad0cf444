//! What `ctypes` keeps of a C type: in the class's dict before 3.13 (`StgDict`), behind the type object
//! since (`StgInfo`, Modules/_ctypes/ctypes.h). And of data of such a type: `CDataObject`.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, dict as plain_dict, size_at, strong};
use crate::layout::OB_TYPE;
use crate::memory::{Memory, addr_at, c_string, u8_at, u32_at};
use crate::types::TypeInfo;

/// Offsets within the struct, which starts behind a dict or behind a heap type.
struct Shape {
    /// libffi's description of a struct: an array that ends with null.
    elements: u64,
    length: u64,
    references: &'static [u64],
    format: u64,
    dimensions: u64,
    extents: u64,
}

const DICT_SIZE: u64 = 48;
/// `StgDictObject.proto`: what a pointer points to, what an array has as items.
const PROTO: u64 = 96;

/// `StgDictObject`: everything counts from the object's start.
const DICT: Shape = Shape {
    elements: 72 + 16,
    length: 64,
    references: &[PROTO, 128, 136, 144, 152],
    format: 168,
    dimensions: 176,
    extents: 184,
};

fn info_shape(minor: u32) -> Shape {
    let later = if minor >= 14 { 8 } else { 0 };
    Shape {
        elements: 32 + 16,
        length: 24,
        references: if minor >= 14 {
            &[56, 88, 96, 104, 112, 120, 128]
        } else {
            &[56, 88, 96, 104, 112, 120]
        },
        format: 136 + later,
        dimensions: 144 + later,
        extents: 152 + later,
    }
}

/// `StgDict`.
pub(super) fn dict<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut sizes = plain_dict::decode(cx, info, addr, visitor)?;
    // `StgDict.__sizeof__` adds what it has more than a dict, which `dict.__sizeof__` counted already.
    sizes.sizeof = sizes.sizeof.checked_add(info.basic_size.checked_sub(DICT_SIZE)?)?;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    sizes.sizeof =
        sizes.sizeof.checked_add(described(cx, body, &DICT, Grounds::Hidden, visitor))?;
    Some(sizes)
}

/// `CDataObject`: data in the object itself if there is room for it, else in a block of its own, in that of
/// `_b_base_`, or anywhere in memory. `__sizeof__` never counts it.
pub(super) fn data<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const POINTER: u64 = 16;
    const NEEDS_FREE: u64 = 24;
    const BASE: u64 = 32;
    const SIZE: u64 = 40;
    const OBJECTS: u64 = 64;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, OBJECTS as usize + 8, &mut scratch)?;
    let w = cx.words;
    strong(visitor, body, BASE, EdgeKind::Attribute, w.c_base, Grounds::Visible);
    strong(visitor, body, OBJECTS, EdgeKind::Attribute, w.c_objects, Grounds::Visible);
    let data = addr_at(body, POINTER);
    let inside = (addr.0..addr.0.saturating_add(info.basic_size)).contains(&data.0);
    if u8_at(body, NEEDS_FREE) != 0 && !data.is_null() && !inside {
        visitor.buffer(data, size_at(body, SIZE));
    }
    Some(Sizes::same(info.basic_size))
}

/// `StgInfo`, which follows the heap type: the bytes that `CType_Type.__sizeof__` counts besides the
/// metatype's struct.
pub(super) fn info<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    type_object: Addr,
    visitor: &mut V,
) -> Option<u64> {
    const SIZE: u64 = 160;
    /// `PyObject_GetTypeData` aligns like `max_align_t`.
    const ALIGNMENT: u64 = 16;
    let start = type_object + cx.layout.heap_type.size.next_multiple_of(ALIGNMENT);
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(start, SIZE as usize + 8, &mut scratch)?;
    let initialized = u32_at(body, 0) != 0;
    Some(if initialized {
        described(cx, body, &info_shape(cx.layout.minor), Grounds::Visible, visitor)
    } else {
        0
    })
}

/// Before 3.13 it is the metatype that visits one of the references in the class's dict
/// (`CDataType_traverse`): for comparisons only.
pub(super) fn visit_proto<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    class_dict: Addr,
    visitor: &mut V,
) {
    let t = &cx.layout.type_;
    // A class of ctypes that describes no data has a plain dict.
    let size =
        cx.memory.word(class_dict + OB_TYPE).and_then(|at| cx.memory.word(Addr(at) + t.basic_size));
    let proto = cx.memory.word(class_dict + PROTO).map_or(Addr::NULL, Addr);
    if size.is_some_and(|size| size > DICT.extents) && !proto.is_null() {
        visitor.reference(
            proto,
            Link::Named(EdgeKind::Internal, cx.words.c_type),
            Grounds::OnlyVisited,
        );
    }
}

/// References and blocks of the struct; returns the bytes of the blocks that `__sizeof__` counts.
fn described<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    body: &[u8],
    shape: &Shape,
    grounds: Grounds,
    visitor: &mut V,
) -> u64 {
    for &offset in shape.references {
        strong(visitor, body, offset, EdgeKind::Internal, cx.words.c_type, grounds);
    }
    let mut counted = 0;
    let format = addr_at(body, shape.format);
    if !format.is_null()
        && let Some(text) = c_string(cx.memory, format, 1 << 16)
    {
        let size = text.len() as u64 + 1;
        visitor.buffer(format, size);
        counted += size;
    }
    let extents = u64::from(u32_at(body, shape.dimensions).min(1 << 16)) * 8;
    if extents > 0 {
        visitor.buffer(addr_at(body, shape.extents), extents);
        counted += extents;
    }
    let elements = addr_at(body, shape.elements);
    if !elements.is_null() {
        let size = (size_at(body, shape.length) + 1).saturating_mul(8);
        visitor.buffer(elements, size);
        counted = counted.saturating_add(size);
    }
    counted
}
