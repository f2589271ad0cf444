//! `collections.OrderedDict` (Objects/odictobject.c): a dict, a list of its keys in order, and an
//! index into that list.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, dict, size_at, strong};
use crate::chain::Chain;
use crate::memory::{Memory, addr_at};
use crate::types::{DictPlace, TypeInfo};

/// After the dict: first and last node, the index and its size, two words, the instance's dict.
const FIRST: u64 = 48;
const FAST_NODES: u64 = 64;
const FAST_NODES_SIZE: u64 = 72;
const INSTANCE_DICT: u64 = 96;
/// A node: key, hash, next, previous.
const NODE: u64 = 32;
const NEXT: u64 = 16;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut sizes = dict::decode(cx, info, addr, visitor)?;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, (INSTANCE_DICT + 8) as usize, &mut scratch)?;
    let table = addr_at(body, FAST_NODES);
    let table_size = size_at(body, FAST_NODES_SIZE).saturating_mul(8);
    if !table.is_null() {
        visitor.buffer(table, table_size);
        sizes.sizeof = sizes.sizeof.saturating_add(table_size);
    }
    // The keys in the nodes are the dict's own.
    let mut chain = Chain::new();
    let mut node = addr_at(body, FIRST);
    while chain.goes_on(node) && visitor.buffer(node, NODE) {
        sizes.sizeof = sizes.sizeof.saturating_add(NODE);
        let Some(words) = cx.memory.array::<{ NEXT as usize + 8 }>(node) else {
            visitor.unreadable();
            break;
        };
        visitor.repeated(addr_at(&words, 0));
        node = addr_at(&words, NEXT);
    }
    let dict = addr_at(body, INSTANCE_DICT);
    if !dict.is_null() && info.dict == DictPlace::None {
        visitor.namespace(dict);
        strong(visitor, body, INSTANCE_DICT, EdgeKind::Attribute, cx.words.dict, Grounds::Visible);
    }
    Some(sizes)
}
