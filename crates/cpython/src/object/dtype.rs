//! `numpy.dtype` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): what an item of an array is,
//! and where in it objects are. The unit of dates, and base and shape of a subarray, are in blocks of their own.

use deadweight_heap::{Addr, EdgeKind, NameId};

use super::{Context, Grounds, Sizes, Visitor, dict, int, strong};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at, u8_at, u32_at, u64_at};
use crate::types::TypeInfo;

const SCALAR_TYPE: u64 = 16;
const KIND: u64 = 24;
const FLAGS_1: u64 = 27;
const TYPE_NUMBER: u64 = 28;
const FLAGS_2: u64 = 32;
/// NumPy 1: the item size as an `int`.
const SIZE_1: u64 = 32;
/// NumPy 1 has the alignment here, which is never 0; NumPy 2 the upper half of its flags, none of which
/// is in use.
const ALIGNMENT_1: u64 = 36;
const SIZE_2: u64 = 40;
/// Bytes that dtypes of both have.
const HEAD: u64 = 64;
/// More fields, and fields of fields, than this are damage.
const MOST_PARTS: u64 = 1 << 16;
/// `NPY_VSTRING`: the first dtype without the fields of old.
const FIRST_NEW: u32 = 2056;
/// `PyArray_DatetimeDTypeMetaData`: four words and two ints.
const DATE_METADATA: u64 = 40;

/// Where a release keeps what it refers to.
struct Places {
    subarray: u64,
    fields: u64,
    names: u64,
    metadata: u64,
    c_metadata: u64,
}

const NUMPY_1: Places =
    Places { subarray: 40, fields: 48, names: 56, metadata: 72, c_metadata: 80 };
const NUMPY_2: Places =
    Places { subarray: 88, fields: 96, names: 104, metadata: 56, c_metadata: 112 };

/// A dtype.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descriptor {
    /// Bytes of an item.
    pub(super) item_size: u64,
    kind: u8,
    /// `NPY_ITEM_REFCOUNT`: there are objects in an item.
    pub(super) holds_objects: bool,
    /// Where `subarray` and after it `fields` stand, if it has them.
    parts: Option<u64>,
}

impl Descriptor {
    pub(super) fn read<M: Memory>(memory: &M, addr: Addr) -> Option<Descriptor> {
        let mut scratch = Vec::new();
        let head = memory.bytes(addr, HEAD as usize, &mut scratch)?;
        let (item_size, flags, places) = if u32_at(head, ALIGNMENT_1) == 0 {
            (u64_at(head, SIZE_2), u8_at(head, FLAGS_2), NUMPY_2)
        } else {
            (u64::from(u32_at(head, SIZE_1)), u8_at(head, FLAGS_1), NUMPY_1)
        };
        Some(Descriptor {
            item_size,
            kind: u8_at(head, KIND),
            holds_objects: flags & 1 != 0,
            parts: (u32_at(head, TYPE_NUMBER) < FIRST_NEW).then_some(places.subarray),
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
    let sizes = Sizes::same(info.basic_size);
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let w = cx.words;
    let is_numpy_2 = body.len() as u64 > ALIGNMENT_1 + 4 && u32_at(body, ALIGNMENT_1) == 0;
    let places = if is_numpy_2 { NUMPY_2 } else { NUMPY_1 };
    if info.basic_size < places.metadata + 8 {
        return Some(sizes);
    }
    refer(visitor, body, SCALAR_TYPE, w.scalar_type);
    refer(visitor, body, places.metadata, w.metadata);
    if info.basic_size < places.c_metadata + 8 || u32_at(body, TYPE_NUMBER) >= FIRST_NEW {
        return Some(sizes);
    }
    refer(visitor, body, places.fields, w.fields);
    refer(visitor, body, places.names, w.field_names);
    let subarray = addr_at(body, places.subarray);
    if !subarray.is_null() {
        let mut scratch = Vec::new();
        match cx.memory.bytes(subarray, 16, &mut scratch) {
            Some(pair) => {
                refer(visitor, pair, 0, w.array_base);
                refer(visitor, pair, 8, w.shape);
                visitor.buffer(subarray, 16);
            }
            None => visitor.unreadable(),
        }
    }
    let c_metadata = addr_at(body, places.c_metadata);
    if !c_metadata.is_null() && matches!(u8_at(body, KIND), b'M' | b'm') {
        visitor.buffer(c_metadata, DATE_METADATA);
    }
    Some(sizes)
}

fn refer<V: Visitor>(visitor: &mut V, body: &[u8], offset: u64, name: NameId) {
    strong(visitor, body, offset, EdgeKind::Attribute, name, Grounds::Hidden);
}
