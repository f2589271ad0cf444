//! `numpy.dtype` (numpy/core/include/numpy/ndarraytypes.h, 1.x and 2.x): what an item of an array is. The
//! unit of dates, and base and shape of a subarray, are in blocks of their own.

use deadweight_heap::{Addr, EdgeKind, NameId};

use super::{Context, Grounds, Sizes, Visitor, strong};
use crate::memory::{Memory, addr_at, u8_at, u32_at};
use crate::types::TypeInfo;

const SCALAR_TYPE: u64 = 16;
const KIND: u64 = 24;
const TYPE_NUMBER: u64 = 28;
/// NumPy 1 has the alignment here, which is never 0; NumPy 2 the upper half of its flags, none of which
/// is in use.
const ALIGNMENT_1: u64 = 36;
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
