//! `module` (Objects/moduleobject.c): a dict, a name, and a C struct of the module's own.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, records, size_at, strong};
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

/// A module's C state is a struct of pointers; none is anywhere near this large.
const LARGEST_STATE: u64 = 1 << 20;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.module;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, l.name, EdgeKind::Attribute, cx.words.name, Grounds::Hidden);
    let state = addr_at(body, l.state);
    let size = match (l.state_size, l.def) {
        (Some(at), _) => size_at(body, at),
        (None, Some(at)) => {
            let definition = addr_at(body, at);
            cx.memory.word(definition + l.def_size).unwrap_or(0)
        }
        (None, None) => 0,
    };
    if !state.is_null() && size != 0 && size <= LARGEST_STATE && visitor.buffer(state, size) {
        records(cx, state, size / 8, 8, visitor, |visitor, index, word| {
            let target = addr_at(word, 0);
            if !target.is_null() {
                let link = Link::At(EdgeKind::State, index * 8);
                visitor.reference(target, link, Grounds::Conservative);
            }
        });
    }
    Some(Sizes::same(info.basic_size))
}
