//! `Pickler` and `Unpickler` (Modules/_pickle.c): memo tables and buffers of their own.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, pointers, records, size_at};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at, c_string};
use crate::types::TypeInfo;

/// `PyMemoTable`: mask, used, allocated, entries; an entry is a key and a number.
const MEMO: u64 = 32;
const MEMO_ALLOCATED: u64 = 16;
const MEMO_TABLE: u64 = 24;
const MEMO_ENTRY: u64 = 16;

/// The memo is visited in 3.11.7 and 3.12.1, but not yet in 3.11.2.
fn memo_grounds<M>(cx: &Context<'_, M>) -> Grounds {
    if cx.layout.minor >= 12 || cx.layout.minor == 11 && cx.micro >= 7 {
        Grounds::Visible
    } else {
        Grounds::Hidden
    }
}

pub(super) fn pickler<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const MEMO_AT: u64 = 16;
    /// Patch releases of 3.13 differ: the first have no word for the `self` of a persistent-id method.
    const SHORT: u64 = 144;
    let output = if info.basic_size == SHORT { 56 } else { 64 };
    let borrowed = if info.basic_size == SHORT { 0 } else { 32 };
    // A type that says it is smaller than this struct is damaged.
    let last = info.basic_size.checked_sub(8)?;
    let before_last = last.checked_sub(8)?;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    // Everything from the memo to the output buffer, and the last two words, are references.
    let fields = (MEMO_AT + 8..=output).step_by(8).chain([before_last, last]);
    for offset in fields {
        let target = addr_at(body, offset);
        if !target.is_null() && offset != borrowed {
            // No `tp_traverse` visits the output buffer.
            let grounds = if offset == output { Grounds::Hidden } else { Grounds::Visible };
            visitor.reference(target, Link::At(EdgeKind::Field, offset), grounds);
        }
    }
    let mut sizeof = info.basic_size;
    let memo = addr_at(body, MEMO_AT);
    if !memo.is_null() && visitor.buffer(memo, MEMO) {
        let mut scratch = Vec::new();
        let table = cx.memory.bytes(memo, MEMO as usize, &mut scratch)?;
        let (entries, allocated) = (addr_at(table, MEMO_TABLE), size_at(table, MEMO_ALLOCATED));
        let size = allocated.saturating_mul(MEMO_ENTRY);
        sizeof = sizeof.saturating_add(MEMO).saturating_add(size);
        if visitor.buffer(entries, size) {
            let grounds = memo_grounds(cx);
            records(cx, entries, allocated, MEMO_ENTRY, visitor, |visitor, index, entry| {
                let key = addr_at(entry, 0);
                if !key.is_null() {
                    visitor.reference(key, Link::At(EdgeKind::Key, index), grounds);
                }
            });
        }
    }
    let output = addr_at(body, output);
    if !output.is_null() {
        // A `bytes` object: its header, its bytes and a terminator.
        let length = cx.memory.word(output + OB_SIZE).unwrap_or(0);
        sizeof = sizeof.saturating_add(cx.layout.bytes.data + 1).saturating_add(length);
    }
    Some(Sizes { body: info.basic_size, sizeof })
}

pub(super) fn unpickler<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const STACK: u64 = 16;
    const MEMO_AT: u64 = 24;
    const MEMO_SIZE: u64 = 32;
    // The first of five references in a row (read, readinto, readline, peek, buffers), and what
    // lies before them, by the size of the struct: patch releases of 3.13 differ.
    let (persistent, input_line, read) = match info.basic_size {
        264 => (48, 144, 176),
        272 => (48, 152, 184),
        296 => (48, 152, 200),
        304 => (56, 160, 208),
        _ => return Some(Sizes::same(info.basic_size)),
    };
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let visited = [STACK, persistent].into_iter().chain((read..read + 40).step_by(8));
    for offset in visited {
        let target = addr_at(body, offset);
        if !target.is_null() {
            visitor.reference(target, Link::At(EdgeKind::Field, offset), Grounds::Visible);
        }
    }
    if persistent == 56 {
        let target = addr_at(body, 48);
        if !target.is_null() {
            visitor.reference(target, Link::At(EdgeKind::Field, 48), Grounds::Visible);
        }
    }
    let mut sizeof = info.basic_size;
    let (memo, count) = (addr_at(body, MEMO_AT), size_at(body, MEMO_SIZE));
    let size = count.saturating_mul(8);
    if !memo.is_null() {
        sizeof = sizeof.saturating_add(size);
        if visitor.buffer(memo, size) {
            pointers(cx, memo, count, EdgeKind::Item, memo_grounds(cx), visitor);
        }
    }
    let (encoding, errors, marks) = (read + 40, read + 48, read + 56);
    let marks_size = size_at(body, marks + 16).saturating_mul(8);
    if !addr_at(body, marks).is_null() {
        visitor.buffer(addr_at(body, marks), marks_size);
        sizeof = sizeof.saturating_add(marks_size);
    }
    for offset in [input_line, encoding, errors] {
        let text = addr_at(body, offset);
        if !text.is_null()
            && let Some(string) = c_string(cx.memory, text, 1 << 16)
        {
            let size = string.len() as u64 + 1;
            visitor.buffer(text, size);
            sizeof = sizeof.saturating_add(size);
        }
    }
    Some(Sizes { body: info.basic_size, sizeof })
}
