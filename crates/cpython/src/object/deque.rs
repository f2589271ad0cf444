//! `collections.deque` (Modules/_collectionsmodule.c): a chain of blocks of 64 items.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, pointers, size_at};
use crate::chain::Chain;
use crate::layout::OB_SIZE;
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

const LEFT_BLOCK: u64 = 24;
const RIGHT_BLOCK: u64 = 32;
const LEFT_INDEX: u64 = 40;
/// Blocks kept for reuse (3.11+): how many, and the array of them.
const FREE_COUNT: u64 = 72;
const FREE_BLOCKS: u64 = 80;
const MOST_FREE: u64 = 16;
/// A block: link to the left, 64 items, link to the right.
const BLOCK: u64 = 528;
const ITEMS: u64 = 8;
const ITEMS_PER_BLOCK: u64 = 64;
const RIGHT_LINK: u64 = 520;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let last = addr_at(body, RIGHT_BLOCK);
    let mut block = addr_at(body, LEFT_BLOCK);
    let mut first = size_at(body, LEFT_INDEX).min(ITEMS_PER_BLOCK);
    let mut left = size_at(body, OB_SIZE);
    let mut index = 0;
    let mut blocks = 0_u64;
    let mut chain = Chain::new();
    // The right link of the last block is stale: stop there, never follow it.
    while chain.goes_on(block) && visitor.buffer(block, BLOCK) {
        blocks += 1;
        let here = (ITEMS_PER_BLOCK - first).min(left);
        let start = block + ITEMS + first * 8;
        numbered(cx, start, here, index, visitor);
        index += here;
        left -= here;
        first = 0;
        if block == last {
            break;
        }
        block = Addr(cx.memory.word(block + RIGHT_LINK).unwrap_or(0));
    }
    if cx.layout.minor >= 11 {
        for slot in 0..size_at(body, FREE_COUNT).min(MOST_FREE) {
            let free = addr_at(body, FREE_BLOCKS + slot * 8);
            visitor.buffer(free, BLOCK);
        }
    }
    let sizeof = info.basic_size.saturating_add(blocks.saturating_mul(BLOCK));
    Some(Sizes { body: info.basic_size, sizeof })
}

/// Items of one block, numbered through the whole deque.
fn numbered<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    start: Addr,
    count: u64,
    first: u64,
    visitor: &mut V,
) {
    if first == 0 {
        pointers(cx, start, count, EdgeKind::Item, Grounds::Visible, visitor);
        return;
    }
    super::records(cx, start, count, 8, visitor, |visitor, index, bytes| {
        let link = Link::At(EdgeKind::Item, first + index);
        visitor.reference(addr_at(bytes, 0), link, Grounds::Visible);
    });
}
