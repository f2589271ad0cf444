//! Frames: what a running or suspended function holds (Python/frame.c, Objects/frameobject.c,
//! Objects/genobject.c).
//!
//! 3.10 has frame objects only. From 3.11 on a function lives in a `_PyInterpreterFrame`: on the
//! thread's own stack, inside a generator, or inside a frame object that outlived its call.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Link, Sizes, Visitor, code, count_at, strong};
use crate::family::Family;
use crate::layout::StackEnd;
use crate::memory::{Memory, addr_at, u8_at, u32_at, u64_at};
use crate::types::TypeInfo;

/// Tags of 3.14's stack references (`pycore_stackref.h)`: the low two bits.
const TAG: u64 = 3;
/// An owned reference.
const OWNED: u64 = 0;
/// A borrowed one, as all to immortal objects are; alone, it is no reference.
const BORROWED: u64 = 1;

/// 3.10: an async generator ends with its finalizer, a coroutine with its origin.
const OLD_FINALIZER: u64 = 88;

/// A reference on a frame, and on what grounds if owned ones are on these. What is borrowed keeps
/// nothing alive, but the collector visits it.
fn stack_reference<M: Memory>(
    cx: &Context<'_, M>,
    word: u64,
    owned: Grounds,
) -> Option<(Addr, Grounds)> {
    let target = (word != 0).then_some((Addr(word), owned));
    if !cx.layout.object.stack_refs_tagged {
        return target;
    }
    match word & TAG {
        OWNED => target,
        BORROWED if word != BORROWED && owned == Grounds::Visible => {
            Some((Addr(word - BORROWED), Grounds::OnlyVisited))
        }
        _ => None,
    }
}

/// A pointer of a frame whatever its tag, for fields that always lead to an object.
pub(crate) fn untagged<M: Memory>(cx: &Context<'_, M>, word: u64) -> Addr {
    if cx.layout.object.stack_refs_tagged { Addr(word & !TAG) } else { Addr(word) }
}

/// Bytes of an interpreter frame before its local values.
fn fixed_size<M: Memory>(cx: &Context<'_, M>) -> u64 {
    cx.layout.frame.local_values
}

/// Visits what an interpreter frame owns (3.11+).
pub(crate) fn interpreter_frame<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    frame: Addr,
    grounds: Grounds,
    visitor: &mut V,
) -> Option<()> {
    let l = &cx.layout.frame;
    let w = cx.words;
    let mut scratch = Vec::new();
    let head = cx.memory.bytes(frame, fixed_size(cx) as usize, &mut scratch)?;
    // Globals and builtins are borrowed from the function.
    strong(visitor, head, l.locals, EdgeKind::Internal, w.locals, grounds);
    strong(visitor, head, l.object, EdgeKind::Internal, w.frame_object, grounds);
    let code_word = u64_at(head, l.code);
    for (word, name) in [(u64_at(head, l.function), w.function), (code_word, w.code)] {
        if let Some((target, grounds)) = stack_reference(cx, word, grounds) {
            visitor.reference(target, Link::Named(EdgeKind::Internal, name), grounds);
        }
    }
    let locals = code::locals(cx, untagged(cx, code_word))?;
    let first = frame + l.local_values;
    let most = locals.count.checked_add(locals.stack_size)?;
    let filled = match l.stack_end {
        StackEnd::Index(at) => count_at(head, at),
        StackEnd::Pointer(at) => addr_at(head, at).since(first) / 8,
        StackEnd::Depth { .. } => 0,
    };
    // While a frame runs, its stack end is not written: the locals are there all the same.
    let filled = if filled <= most { filled.max(locals.count) } else { locals.count };
    values(cx, first, filled, &locals, grounds, visitor);
    Some(())
}

/// What lies on the value stack of a function that runs, while nobody has written how high that is: words
/// that may be references, or left from before.
pub(crate) fn unwritten_stack<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    frame: Addr,
    head: &[u8],
    visitor: &mut V,
) {
    let l = &cx.layout.frame;
    let unwritten = match l.stack_end {
        StackEnd::Depth { depth: at, .. } | StackEnd::Index(at) => {
            u32_at(head, at).cast_signed() < 0
        }
        StackEnd::Pointer(at) => addr_at(head, at).is_null(),
    };
    let code = untagged(cx, u64_at(head, l.code));
    let Some(locals) = code::locals(cx, code).filter(|_| unwritten) else { return };
    let first = frame + l.local_values + locals.count * 8;
    super::records(cx, first, locals.stack_size, 8, visitor, |visitor, index, bytes| {
        let word = u64_at(bytes, 0);
        if let Some((target, grounds)) = stack_reference(cx, word, Grounds::Conservative) {
            visitor.reference(target, Link::At(EdgeKind::Stack, index), grounds);
        }
    });
}

/// Local variables, then what lies on the value stack.
fn values<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    first: Addr,
    filled: u64,
    locals: &code::Locals,
    grounds: Grounds,
    visitor: &mut V,
) {
    super::records(cx, first, filled, 8, visitor, |visitor, index, bytes| {
        let Some((target, grounds)) = stack_reference(cx, u64_at(bytes, 0), grounds) else {
            return;
        };
        let name = if index < locals.count { locals.name(cx, index) } else { None };
        let link = match name {
            Some(name) => Link::Text(EdgeKind::Local, name),
            None => Link::At(EdgeKind::Stack, index.saturating_sub(locals.count)),
        };
        visitor.reference(target, link, grounds);
    });
}

/// A frame object.
pub(super) fn object<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let o = &cx.layout.frame_object;
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, o.back, EdgeKind::Attribute, w.back, Grounds::Visible);
    strong(visitor, body, o.trace, EdgeKind::Attribute, w.trace, Grounds::Visible);
    let later = [
        (o.extra_locals, w.extra_locals),
        (o.locals_cache, w.locals),
        (o.overwritten_locals, w.overwritten_locals),
    ];
    for (offset, name) in later {
        if let Some(offset) = offset {
            strong(visitor, body, offset, EdgeKind::Internal, name, Grounds::Visible);
        }
    }
    let (Some(frame_at), Some(embedded)) = (o.frame, o.embedded) else {
        return old_frame(cx, info, addr, body, visitor);
    };
    let frame = addr_at(body, frame_at);
    if frame == addr + embedded {
        interpreter_frame(cx, frame, Grounds::Visible, visitor)?;
    }
    let code = untagged(cx, cx.memory.word(frame + cx.layout.frame.code)?);
    let size = code::locals(cx, code)
        .map_or(info.basic_size, |locals| info.basic_size + (locals.count + locals.stack_size) * 8);
    Some(Sizes::same(size))
}

/// 3.10: the frame object is the frame.
fn old_frame<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    body: &[u8],
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.frame;
    let w = cx.words;
    let fields =
        [(l.code, w.code), (l.globals, w.globals), (l.builtins, w.builtins), (l.locals, w.locals)];
    for (offset, name) in fields {
        strong(visitor, body, offset, EdgeKind::Internal, name, Grounds::Visible);
    }
    visitor.namespace(addr_at(body, l.globals));
    let locals = code::locals(cx, addr_at(body, l.code))?;
    let first = addr + l.local_values;
    let stack = match l.stack_end {
        StackEnd::Depth { stack, depth } => {
            let start = addr_at(body, stack);
            // The value stack follows the local values; f_stackdepth is negative in a running frame.
            if start == first + locals.count * 8 { count_at(body, depth) } else { 0 }
        }
        _ => 0,
    };
    let filled = locals.count + stack.min(locals.stack_size);
    values(cx, first, filled, &locals, Grounds::Visible, visitor);
    let body = info.basic_size + (locals.count + locals.stack_size) * 8;
    // `frame.__sizeof__` counts the first local value as part of the struct.
    Some(Sizes { body, sizeof: body.saturating_sub(8) })
}

/// Generators, coroutines and async generators.
pub(super) fn generator<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.generator;
    let w = cx.words;
    let coroutine = info.family == Family::Coroutine;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, info.basic_size as usize, &mut scratch)?;
    strong(visitor, body, l.name, EdgeKind::Attribute, w.name, Grounds::Visible);
    strong(visitor, body, l.qualname, EdgeKind::Attribute, w.qualname, Grounds::Visible);
    strong(visitor, body, l.exception, EdgeKind::Internal, w.exception, Grounds::Visible);
    if let Some(at) = l.code {
        strong(visitor, body, at, EdgeKind::Attribute, w.gi_code, Grounds::Visible);
    }
    let Some(state_at) = l.frame_state else {
        strong(visitor, body, l.frame, EdgeKind::Attribute, w.frame, Grounds::Visible);
        if coroutine {
            strong(visitor, body, OLD_FINALIZER, EdgeKind::Internal, w.finalizer, Grounds::Visible);
        }
        return Some(Sizes::same(info.basic_size));
    };
    // Generators have the field too, but nobody ever fills it.
    if let Some(at) = l.origin_or_finalizer
        && coroutine
    {
        strong(visitor, body, at, EdgeKind::Internal, w.finalizer, Grounds::Visible);
    }
    let state = u8_at(body, state_at).cast_signed();
    let frame = addr + l.frame;
    let alive = i64::from(state) < l.cleared.cast_signed();
    let code_word = cx.memory.word(frame + cx.layout.frame.code)?;
    if alive {
        interpreter_frame(cx, frame, Grounds::Visible, visitor)?;
    } else if l.code.is_none() {
        // The code outlives the frame, and says how large the block is.
        let seen = if cx.layout.minor >= 14 { Grounds::Visible } else { Grounds::Hidden };
        let code = untagged(cx, code_word);
        if !code.is_null() {
            visitor.reference(code, Link::Named(EdgeKind::Attribute, w.gi_code), seen);
        }
    }
    let code = untagged(cx, code_word);
    let slots = code::locals(cx, code).map_or(0, |locals| locals.count + locals.stack_size);
    let size = l.frame + fixed_size(cx) + slots * 8;
    Some(Sizes::same(size.max(info.basic_size)))
}
