//! `code` objects (Objects/codeobject.c): constants, names, tables, and what running them adds.

use deadweight_heap::{Addr, EdgeKind};

use super::{Context, Grounds, Sizes, Visitor, count_at, pointers, size_at, strong};
use crate::layout::{Layout, OB_SIZE};
use crate::memory::{Memory, addr_at, u8_at};
use crate::text;

/// A code unit: opcode and argument.
const UNIT: u64 = 2;
/// `_PyOpcache` of 3.10.
const OPCACHE_ENTRY: u64 = 32;
/// `_PyCoCached` (`pycore_code.h)`: four pointers.
const CACHED_SIZE: u64 = 32;
/// No function has more locals, cells and free variables.
const MOST_LOCALS: u64 = 1 << 20;

pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let l = &cx.layout.code;
    let w = cx.words;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(addr, fixed_size(cx.layout) as usize, &mut scratch)?;
    // Before 3.11: the plain locals alone.
    let local_names = if cx.layout.minor >= 11 { w.local_names } else { w.varnames };
    let fields = [
        (Some(l.consts), w.consts),
        (Some(l.names), w.names),
        (Some(l.filename), w.filename),
        (Some(l.name), w.code_name),
        (Some(l.line_table), w.line_table),
        (Some(l.local_names), local_names),
        (l.local_kinds, w.local_kinds),
        (l.exception_table, w.exception_table),
        (l.qualname, w.code_qualname),
        (l.cell_names, w.cell_names),
        (l.free_names, w.free_names),
        (l.cached_bytecode, w.bytecode),
    ];
    for (offset, name) in fields {
        if let Some(offset) = offset {
            strong(visitor, body, offset, EdgeKind::Attribute, name, Grounds::Hidden);
        }
    }
    let mut sizes = if cx.layout.minor >= 11 {
        let units = size_at(body, OB_SIZE).checked_mul(UNIT)?;
        Sizes::same(l.bytecode.checked_add(units)?.checked_next_multiple_of(8)?)
    } else {
        strong(visitor, body, l.bytecode, EdgeKind::Attribute, w.bytecode, Grounds::Hidden);
        Sizes::same(fixed_size(cx.layout))
    };
    if let Some(at) = l.cached {
        cached(cx, addr_at(body, at), visitor);
    }
    if let Some(at) = l.executors {
        executors(cx, addr_at(body, at), visitor);
    }
    let extra = addr_at(body, l.extra);
    if !extra.is_null() {
        // `_PyCodeObjectExtra`: a count, then as many words.
        let count = cx.memory.word(extra).unwrap_or(0).min(1 << 10);
        let size = 16 + count.saturating_sub(1) * 8;
        visitor.buffer(extra, size);
        sizes.sizeof = sizes.sizeof.checked_add(size)?;
    }
    old_tables(cx, body, &mut sizes, visitor);
    Some(sizes)
}

fn fixed_size(layout: &Layout) -> u64 {
    // Before 3.11 the bytecode is a `bytes` object and the struct ends after the opcache fields.
    if layout.minor >= 11 { layout.code.bytecode } else { 176 }
}

/// Objects made when Python code asks for `co_code`, `co_varnames` and so on (3.12+).
fn cached<M: Memory, V: Visitor>(cx: &Context<'_, M>, block: Addr, visitor: &mut V) {
    let l = &cx.layout.code;
    if block.is_null() || !visitor.buffer(block, CACHED_SIZE) {
        return;
    }
    let mut scratch = Vec::new();
    let Some(bytes) = cx.memory.bytes(block, CACHED_SIZE as usize, &mut scratch) else {
        visitor.unreadable();
        return;
    };
    let w = cx.words;
    let fields = [
        (l.cached_code, w.bytecode),
        (l.cached_varnames, w.varnames),
        (l.cached_cellvars, w.cell_names),
        (l.cached_freevars, w.free_names),
    ];
    for (offset, name) in fields {
        if let Some(offset) = offset {
            strong(visitor, bytes, offset, EdgeKind::Attribute, name, Grounds::Hidden);
        }
    }
}

/// The optimizer's traces (3.13+): `_PyExecutorArray`, a size and a capacity, then the objects.
fn executors<M: Memory, V: Visitor>(cx: &Context<'_, M>, block: Addr, visitor: &mut V) {
    if block.is_null() {
        return;
    }
    let mut scratch = Vec::new();
    let Some(head) = cx.memory.bytes(block, 8, &mut scratch) else { return };
    let (size, capacity) = (count_at(head, 0), count_at(head, 4));
    if capacity < 1 << 16 && visitor.buffer(block, 8 + capacity * 8) {
        let size = size.min(capacity);
        pointers(cx, block + 8, size, EdgeKind::Item, Grounds::Hidden, visitor);
    }
}

/// What only 3.10 keeps: which cells are arguments, and inline caches of functions that run often.
fn old_tables<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    body: &[u8],
    sizes: &mut Sizes,
    visitor: &mut V,
) {
    let l = &cx.layout.code;
    if let (Some(cells), Some(map)) = (l.cell_names, l.cell_to_argument)
        && !addr_at(body, map).is_null()
    {
        let count = cx.memory.word(addr_at(body, cells) + OB_SIZE).unwrap_or(0).min(MOST_LOCALS);
        visitor.buffer(addr_at(body, map), count * 8);
        sizes.sizeof += count * 8;
    }
    let (Some(map), Some(cache), Some(count)) = (l.opcache_map, l.opcache, l.opcache_size) else {
        return;
    };
    let cache = addr_at(body, cache);
    if !cache.is_null() {
        let bytecode = addr_at(body, l.bytecode);
        let units = cx.memory.word(bytecode + OB_SIZE).unwrap_or(0) / UNIT;
        visitor.buffer(addr_at(body, map), units);
        let size = u64::from(u8_at(body, count)) * OPCACHE_ENTRY;
        visitor.buffer(cache, size);
        sizes.sizeof = sizes.sizeof.saturating_add(units).saturating_add(size);
    }
}

/// What a frame needs to know of its code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Locals {
    /// Locals, cells and free variables together.
    pub(crate) count: u64,
    /// Their names: address of the first of the `str` pointers (3.11+).
    names: Option<Addr>,
    /// The same before 3.11: three tuples in turn.
    tuples: Vec<(u64, Addr)>,
    pub(crate) stack_size: u64,
    free_count: u64,
}

impl Locals {
    /// The `str` object that names a local.
    pub(crate) fn name<M: Memory>(&self, cx: &Context<'_, M>, index: u64) -> Option<Addr> {
        let items = cx.layout.tuple.items;
        if let Some(names) = self.names {
            return cx.memory.word(names + items + index * 8).map(Addr);
        }
        let mut rest = index;
        for &(count, tuple) in &self.tuples {
            if rest < count {
                return cx.memory.word(tuple + items + rest * 8).map(Addr);
            }
            rest -= count;
        }
        None
    }

    /// The `str` object that names a free variable: the cells of a closure, in order.
    pub(crate) fn free_name<M: Memory>(&self, cx: &Context<'_, M>, index: u64) -> Option<Addr> {
        if index >= self.free_count {
            return None;
        }
        self.name(cx, self.count - self.free_count + index)
    }
}

/// Reads what a frame of this code needs.
pub(crate) fn locals<M: Memory>(cx: &Context<'_, M>, code: Addr) -> Option<Locals> {
    let l = &cx.layout.code;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(code, fixed_size(cx.layout) as usize, &mut scratch)?;
    let stack_size = count_at(body, l.stack_size).min(MOST_LOCALS);
    if cx.layout.minor >= 11 {
        let count = count_at(body, l.locals_count).min(MOST_LOCALS);
        let free_count = count_at(body, l.free_count).min(count);
        let names = Some(addr_at(body, l.local_names));
        return Some(Locals { count, names, tuples: Vec::new(), stack_size, free_count });
    }
    let mut tuples = Vec::new();
    for at in [Some(l.local_names), l.cell_names, l.free_names].into_iter().flatten() {
        let tuple = addr_at(body, at);
        let count = cx.memory.word(tuple + OB_SIZE).unwrap_or(0).min(MOST_LOCALS);
        tuples.push((count, tuple));
    }
    // Objects/codeobject.c of 3.10: co_nlocals, then a slot for each cell, then the free ones.
    if let Some(first) = tuples.first_mut() {
        first.0 = count_at(body, l.locals_count).min(MOST_LOCALS);
    }
    let count = tuples.iter().map(|(count, _)| count).sum();
    let free_count = tuples.last().map_or(0, |&(count, _)| count);
    Some(Locals { count, names: None, tuples, stack_size, free_count })
}

/// Where code came from: file and qualified name.
pub(crate) fn describe<M: Memory>(cx: &Context<'_, M>, code: Addr) -> Option<(String, String)> {
    let l = &cx.layout.code;
    let mut scratch = Vec::new();
    let body = cx.memory.bytes(code, fixed_size(cx.layout) as usize, &mut scratch)?;
    let file = text::field(cx.memory, cx.layout, body, l.filename)?;
    let name = text::field(cx.memory, cx.layout, body, l.qualname.unwrap_or(l.name))?;
    Some((file, name))
}
