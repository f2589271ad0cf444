//! Functions (Objects/funcobject.c), bound methods (classobject.c) and `lru_cache`
//! (Modules/_functoolsmodule.c).

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, strong};
use crate::chain::Chain;
use crate::memory::{Memory, addr_at};
use crate::types::TypeInfo;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.function;
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let closure = addr_at(body, l.closure);
    if !closure.is_null() {
        visitor.closure(closure, addr_at(body, l.code));
    }
    let globals = addr_at(body, l.globals);
    if !globals.is_null() {
        visitor.namespace(globals);
    }
    let fields = [
        (l.globals, w.globals),
        (l.builtins, w.builtins),
        (l.name, w.name),
        (l.qualname, w.qualname),
        (l.code, w.code),
        (l.defaults, w.defaults),
        (l.kwdefaults, w.kwdefaults),
        (l.closure, w.closure),
        (l.doc, w.doc),
        (l.module, w.module),
        (l.annotations, w.annotations),
    ];
    for (offset, name) in fields {
        strong(visitor, body, offset, EdgeKind::Attribute, name, Grounds::Visible);
    }
    if let Some(offset) = l.typeparams {
        strong(visitor, body, offset, EdgeKind::Attribute, w.type_params, Grounds::Visible);
    }
    if let Some(offset) = l.annotate {
        strong(visitor, body, offset, EdgeKind::Attribute, w.annotate, Grounds::Visible);
    }
    Some(Sizes::same(info.basic_size))
}

pub(super) fn method<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.method;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    let w = cx.words;
    strong(visitor, body, l.function, EdgeKind::Attribute, w.function, Grounds::Visible);
    strong(visitor, body, l.instance, EdgeKind::Attribute, w.instance, Grounds::Visible);
    Some(Sizes::same(info.basic_size))
}

/// A bounded cache keeps its entries in a ring of link objects, which the cache's dict owns; its
/// `tp_traverse` visits what the links hold all the same.
pub(super) fn lru_cache<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    /// The ring's root is the object itself, laid out like a link: previous, next, hash, key, result.
    const NEXT: u64 = 24;
    const KEY: u64 = 40;
    const RESULT: u64 = 48;
    let w = cx.words;
    let fields = [
        (72, w.cache_entries),
        (88, w.wrapped),
        (112, w.keyword_mark),
        (120, w.link_type),
        (128, w.info_type),
    ];
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    for (offset, name) in fields {
        strong(visitor, body, offset, EdgeKind::Internal, name, Grounds::Visible);
    }
    // The links are the entries of the dict. The ring holds each of them too.
    let mut link = addr_at(body, NEXT);
    let mut chain = Chain::new();
    while !link.is_null() && link != addr && chain.goes_on(link) {
        let Some(bytes) = cx.memory.array::<{ RESULT as usize + 8 }>(link) else { break };
        visitor.repeated(link);
        for offset in [KEY, RESULT] {
            let target = addr_at(&bytes, offset);
            if !target.is_null() && visitor.compares() {
                let at = Link::At(EdgeKind::Field, offset);
                visitor.reference(target, at, Grounds::OnlyVisited);
            }
        }
        link = addr_at(&bytes, NEXT);
    }
    Some(Sizes::same(info.basic_size))
}
