//! Iterators of `itertools` that keep indices in blocks of their own (Modules/itertoolsmodule.c).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, count_at, pointers, size_at, strong};
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

const POOL: u64 = 16;
const INDICES: u64 = 24;

/// Result, and how many items it has.
pub(super) fn combinations<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const RESULT: u64 = 32;
    const LENGTH: u64 = 40;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, POOL, EdgeKind::Internal, cx.words.pool, Grounds::Visible);
    strong(visitor, body, RESULT, EdgeKind::Internal, cx.words.result, Grounds::Visible);
    let indices = size_at(body, LENGTH).saturating_mul(8);
    with_blocks(info, &[(addr_at(body, INDICES), indices)], visitor)
}

pub(super) fn permutations<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const CYCLES: u64 = 32;
    const RESULT: u64 = 40;
    const LENGTH: u64 = 48;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, POOL, EdgeKind::Internal, cx.words.pool, Grounds::Visible);
    strong(visitor, body, RESULT, EdgeKind::Internal, cx.words.result, Grounds::Visible);
    let indices = tuple_length(cx, addr_at(body, POOL)).saturating_mul(8);
    let cycles = size_at(body, LENGTH).saturating_mul(8);
    let blocks = [(addr_at(body, INDICES), indices), (addr_at(body, CYCLES), cycles)];
    with_blocks(info, &blocks, visitor)
}

pub(super) fn product<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const RESULT: u64 = 32;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, POOL, EdgeKind::Internal, cx.words.pool, Grounds::Visible);
    strong(visitor, body, RESULT, EdgeKind::Internal, cx.words.result, Grounds::Visible);
    let indices = tuple_length(cx, addr_at(body, POOL)).saturating_mul(8);
    with_blocks(info, &[(addr_at(body, INDICES), indices)], visitor)
}

/// `__sizeof__` of all three counts the blocks.
fn with_blocks<V: Visitor>(
    info: &TypeInfo,
    blocks: &[(Addr, u64)],
    visitor: &mut V,
) -> Option<Sizes> {
    let mut sizeof = info.basic_size;
    for &(block, size) in blocks {
        sizeof = sizeof.checked_add(size)?;
        if !block.is_null() {
            visitor.buffer(block, size);
        }
    }
    Some(Sizes { body: info.basic_size, sizeof })
}

fn tuple_length<M: Memory>(cx: &Context<'_, M>, tuple: Addr) -> u64 {
    cx.memory.word(tuple + OB_SIZE).unwrap_or(0)
}

/// What `tee` has read ahead: up to 57 values.
pub(super) fn tee_data<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const ITERATOR: u64 = 16;
    const READ: u64 = 24;
    const NEXT: u64 = 32;
    const VALUES: u64 = 40;
    const MOST: u64 = 57;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, VALUES as usize, &mut scratch)?;
    for offset in [ITERATOR, NEXT] {
        let target = addr_at(body, offset);
        if !target.is_null() {
            visitor.reference(target, Link::At(EdgeKind::Field, offset), Grounds::Visible);
        }
    }
    let read = count_at(body, READ).min(MOST);
    pointers(cx, addr + VALUES, read, EdgeKind::Item, Grounds::Visible, visitor);
    Some(Sizes::same(info.basic_size))
}
