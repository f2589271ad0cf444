//! C structs with buffers that only their own fields tell: `_io` buffers, `StringIO`, `Struct`.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, grounds_of, size_at, strong};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at, u32_at};
use crate::types::TypeInfo;

/// `BufferedReader` and its like (Modules/_io/bufferedio.c).
pub(super) fn buffered<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const RAW: u64 = 16;
    const BUFFER: u64 = 56;
    const BUFFER_SIZE: u64 = 120;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (BUFFER_SIZE + 8) as usize, &mut scratch)?;
    strong(visitor, body, RAW, EdgeKind::Attribute, cx.words.raw, grounds_of(info));
    let buffer = addr_at(body, BUFFER);
    let size = size_at(body, BUFFER_SIZE);
    let mut sizeof = info.basic_size;
    if !buffer.is_null() {
        visitor.buffer(buffer, size);
        sizeof = sizeof.saturating_add(size);
    }
    Some(Sizes { body: info.basic_size, sizeof })
}

/// `StringIO` (Modules/_io/stringio.c): characters of four bytes, or pieces not yet joined.
pub(super) fn string_io<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const BUFFER: u64 = 16;
    const BUFFER_SIZE: u64 = 40;
    const STATE: u64 = 48;
    /// While only appended to, the text lies in an accumulator (3.10, 3.11: two lists; later: a writer
    /// whose first field is the string it fills).
    const ACCUMULATOR: u64 = 56;
    const ACCUMULATING: u32 = 2;
    let (decoder, newlines) = match cx.layout.minor {
        ..=11 => (80, 88),
        12 | 13 => (120, 128),
        _ => (72, 80),
    };
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let w = cx.words;
    // The `tp_traverse` of 3.10 and 3.11 visits the attribute dict only.
    let seen = if cx.layout.minor >= 12 { grounds_of(info) } else { Grounds::Hidden };
    strong(visitor, body, decoder, EdgeKind::Internal, w.decoder, seen);
    strong(visitor, body, newlines, EdgeKind::Internal, w.newline, seen);
    strong(visitor, body, newlines + 8, EdgeKind::Internal, w.newline, seen);
    if u32_at(body, STATE) == ACCUMULATING {
        let pieces = if cx.layout.minor >= 14 {
            Addr(cx.memory.word(addr_at(body, ACCUMULATOR)).unwrap_or(0))
        } else {
            addr_at(body, ACCUMULATOR)
        };
        if !pieces.is_null() {
            let link = super::Link::Named(EdgeKind::Internal, w.pieces);
            visitor.reference(pieces, link, Grounds::Hidden);
        }
        if cx.layout.minor <= 11 {
            strong(visitor, body, ACCUMULATOR + 8, EdgeKind::Internal, w.pieces, Grounds::Hidden);
        }
    }
    let buffer = addr_at(body, BUFFER);
    if !buffer.is_null() {
        visitor.buffer(buffer, size_at(body, BUFFER_SIZE).saturating_mul(4));
    }
    Some(Sizes::same(info.basic_size))
}

/// `BytesIO` (Modules/_io/bytesio.c): a `bytes` object, which it fills in place while nobody shares it.
pub(super) fn bytes_io<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const BUFFER: u64 = 16;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let buffer = addr_at(body, BUFFER);
    let mut sizes = Sizes::same(info.basic_size);
    if buffer.is_null() {
        return Some(sizes);
    }
    let visited = cx.layout.minor >= 12;
    let grounds = if visited { Grounds::Visible } else { Grounds::Hidden };
    strong(visitor, body, BUFFER, EdgeKind::Internal, cx.words.buffer, grounds);
    // `__sizeof__` counts the bytes if they are nobody else's.
    let refcount = cx.layout.object.refcount.count(cx.memory.word(buffer)?);
    if refcount == Some(1) {
        let length = cx.memory.word(buffer + OB_SIZE)?;
        sizes.sizeof = sizes.sizeof.checked_add(cx.layout.bytes.data + 1)?.checked_add(length)?;
    }
    Some(sizes)
}

/// `struct.Struct` (Modules/_struct.c): an array of format codes that ends with an empty one.
pub(super) fn struct_<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const CODES: u64 = 32;
    const FORMAT: u64 = 40;
    const CODE: u64 = 32;
    const MOST: u64 = 1 << 16;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (FORMAT + 8) as usize, &mut scratch)?;
    strong(visitor, body, FORMAT, EdgeKind::Attribute, cx.words.format, Grounds::Visible);
    let codes = addr_at(body, CODES);
    if codes.is_null() {
        return Some(Sizes::same(info.basic_size));
    }
    let mut count = 1;
    while count < MOST && cx.memory.word(codes + (count - 1) * CODE).is_some_and(|code| code != 0) {
        count += 1;
    }
    visitor.buffer(codes, count * CODE);
    Some(Sizes { body: info.basic_size, sizeof: info.basic_size + count * CODE })
}
