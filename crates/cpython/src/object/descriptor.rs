//! `numpy.dtype` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): how wide an item of an array is,
//! and where in it objects are.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, dict, int};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, u8_at, u32_at, u64_at};
use crate::types::TypeInfo;

const TYPE: u64 = 16;
const KIND: u64 = 24;
const FLAGS_1: u64 = 27;
const TYPE_NUMBER: u64 = 28;
const FLAGS_2: u64 = 32;
/// The bytes that dtypes of both versions have.
const HEAD: u64 = 64;
/// NumPy 1: the item size as an `int`, and after it the alignment, where NumPy 2 has the upper half of its
/// flags, none of which is in use.
const SIZE_1: u64 = 32;
const ALIGNMENT_1: u64 = 36;
const SIZE_2: u64 = 40;
/// `NPY_VSTRING`: from it on, and below 0, dtypes are of the new style, which have neither fields nor names.
const FIRST_NEW_STYLE: u32 = 2056;
/// `PyArray_ArrayDescr`: the dtype of a subarray's items, and its shape.
const SUBARRAY: u64 = 16;
/// More fields, and fields of fields, than this are damage.
const MOST_PARTS: u64 = 1 << 16;

/// A dtype.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descriptor {
    /// Bytes of an item.
    pub(super) item_size: u64,
    kind: u8,
    /// `NPY_ITEM_REFCOUNT`: there are objects in an item.
    pub(super) holds_objects: bool,
    /// Where the dict of metadata stands.
    metadata: u64,
    /// Where `subarray`, `fields` and `names` stand, if it has them.
    parts: Option<u64>,
}

impl Descriptor {
    pub(super) fn read<M: Memory>(memory: &M, addr: Addr) -> Option<Descriptor> {
        let mut scratch = Vec::new();
        let head = memory.bytes(addr, HEAD as usize, &mut scratch)?;
        let (item_size, flags, metadata, parts) = if u32_at(head, ALIGNMENT_1) == 0 {
            (u64_at(head, SIZE_2), u8_at(head, FLAGS_2), 56, 88)
        } else {
            (u64::from(u32_at(head, SIZE_1)), u8_at(head, FLAGS_1), 72, 40)
        };
        Some(Descriptor {
            item_size,
            kind: u8_at(head, KIND),
            holds_objects: flags & 1 != 0,
            metadata,
            parts: (u32_at(head, TYPE_NUMBER) < FIRST_NEW_STYLE).then_some(parts),
        })
    }
}

/// Where in an item of a dtype objects are, in bytes from its start: ascending, each once.
pub(super) fn objects<M: Memory>(cx: &Context<'_, M>, addr: Addr) -> Option<Vec<u64>> {
    let mut offsets = Vec::new();
    // What is in an item: dtypes and their places.
    let mut open = vec![(addr, 0_u64)];
    let mut seen = 0;
    while let Some((addr, start)) = open.pop() {
        let descriptor = Descriptor::read(cx.memory, addr)?;
        seen += 1;
        if seen > MOST_PARTS || open.len() as u64 > MOST_PARTS {
            return None;
        }
        match descriptor.kind {
            b'O' => offsets.push(start),
            b'V' if descriptor.holds_objects => {
                let parts = addr + descriptor.parts?;
                let subarray = Addr(cx.memory.word(parts)?);
                if subarray.is_null() {
                    for field in dict::values_of(cx, Addr(cx.memory.word(parts + 8)?), MOST_PARTS)?
                    {
                        let (addr, offset) = read_field(cx, field)?;
                        open.push((addr, start.checked_add(offset)?));
                    }
                } else {
                    let base = Addr(cx.memory.word(subarray)?);
                    let size = Descriptor::read(cx.memory, base)?.item_size;
                    let count = descriptor.item_size.checked_div(size)?.min(MOST_PARTS);
                    open.extend((0..count).map(|item| (base, start.wrapping_add(item * size))));
                }
            }
            _ => {}
        }
    }
    offsets.sort_unstable();
    // A field with a title is listed under both its names.
    offsets.dedup();
    Some(offsets)
}

/// A field is a tuple of its dtype, its offset, and perhaps a title.
fn read_field<M: Memory>(cx: &Context<'_, M>, tuple: Addr) -> Option<(Addr, u64)> {
    if cx.memory.word(tuple + OB_SIZE)? < 2 {
        return None;
    }
    let items = tuple + cx.layout.tuple.items;
    let offset = int::small(cx.memory, cx.layout, Addr(cx.memory.word(items + 8)?))?;
    Some((Addr(cx.memory.word(items)?), u64::try_from(offset).ok()?))
}

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let descriptor = Descriptor::read(cx.memory, addr)?;
    let mut refer = |at: Addr, name: &'static str| {
        let target = cx.memory.word(at).map_or(Addr(0), Addr);
        if !target.is_null() {
            visitor.reference(target, Link::Static(EdgeKind::Attribute, name), Grounds::Hidden);
        }
    };
    refer(addr + TYPE, "type");
    refer(addr + descriptor.metadata, "metadata");
    if let Some(parts) = descriptor.parts {
        let parts = addr + parts;
        refer(parts + 8, "fields");
        refer(parts + 16, "names");
        let subarray = cx.memory.word(parts).map_or(Addr(0), Addr);
        if !subarray.is_null() {
            refer(subarray, "base");
            refer(subarray + 8, "shape");
            visitor.buffer(subarray, SUBARRAY);
        }
    }
    Some(Sizes::same(info.basic_size))
}
