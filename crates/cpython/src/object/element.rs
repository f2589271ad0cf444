//! `xml.etree.ElementTree.Element` (Modules/_elementtree.c): attributes and children in a block apart.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, pointers, size_at, strong};
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

const TAG: u64 = 16;
const TEXT: u64 = 24;
const TAIL: u64 = 32;
const EXTRA: u64 = 40;
/// Text still in pieces is marked in the pointer's lowest bit.
const JOIN: u64 = 1;
/// `ElementObjectExtra`: attributes, length, allocated, children, and room for four of them.
const EXTRA_SIZE: u64 = 64;
const LENGTH: u64 = 8;
const ALLOCATED: u64 = 16;
const CHILDREN: u64 = 24;
const OWN_CHILDREN: u64 = 32;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, TAG, EdgeKind::Attribute, w.tag, Grounds::Visible);
    for (offset, name) in [(TEXT, w.text), (TAIL, w.tail)] {
        let target = Addr(addr_at(body, offset).0 & !JOIN);
        if !target.is_null() {
            visitor.reference(target, Link::Named(EdgeKind::Attribute, name), Grounds::Visible);
        }
    }
    let extra = addr_at(body, EXTRA);
    let mut sizes = Sizes::same(info.basic_size);
    if extra.is_null() || !visitor.buffer(extra, EXTRA_SIZE) {
        return Some(sizes);
    }
    sizes.sizeof += EXTRA_SIZE;
    let mut scratch = Vec::new();
    let block = cx.memory.bytes(extra, EXTRA_SIZE as usize, &mut scratch)?;
    strong(visitor, block, 0, EdgeKind::Attribute, w.attrib, Grounds::Visible);
    let children = addr_at(block, CHILDREN);
    let apart = children != extra + OWN_CHILDREN;
    let size = size_at(block, ALLOCATED).saturating_mul(8);
    if apart {
        sizes.sizeof = sizes.sizeof.saturating_add(size);
    }
    if !apart || visitor.buffer(children, size) {
        let length = size_at(block, LENGTH).min(size_at(block, ALLOCATED));
        pointers(cx, children, length, EdgeKind::Item, Grounds::Visible, visitor);
    }
    Some(sizes)
}
