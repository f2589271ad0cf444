//! `threading.local` (Modules/_threadmodule.c): one attribute dict a thread.
//!
//! Before 3.13 each thread's state keeps a dummy that keeps that thread's dict; from 3.13 on the local
//! object keeps a dict of them itself.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, dict, strong};
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

pub(super) fn local<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    /// By the dummy that stands for a thread (3.13+).
    const DICTS: u64 = 40;
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let fields: &[(u64, _)] = if cx.layout.minor >= 13 {
        &[(16, w.args), (24, w.keywords), (DICTS, w.dicts), (48, w.watchdogs)]
    } else {
        &[(16, w.key), (24, w.args), (32, w.keywords), (48, w.dummies), (56, w.callback)]
    };
    for &(offset, name) in fields {
        // The name of the dummies and what is called when one dies is not visited.
        let own = cx.layout.minor < 13 && [16, 56].contains(&offset);
        let grounds = if own { Grounds::Hidden } else { Grounds::Visible };
        strong(visitor, body, offset, EdgeKind::Internal, name, grounds);
    }
    if cx.layout.minor >= 13 {
        for (_, own) in dict::entries(cx.memory, cx.layout, addr_at(body, DICTS)) {
            visitor.namespace(own);
        }
    }
    Some(Sizes::same(info.basic_size))
}

pub(super) fn dummy<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    const DICT: u64 = 16;
    if cx.layout.minor < 13 {
        let mut scratch = Vec::new();
        let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
        visitor.namespace(addr_at(body, DICT));
        strong(visitor, body, DICT, EdgeKind::Attribute, cx.words.dict, Grounds::Hidden);
    }
    Some(Sizes::same(info.basic_size))
}
