//! `threading.Lock` and `RLock` (Modules/_threadmodule.c): a semaphore in a block of its own
//! (`PyThread_allocate_lock`, `Python/thread_pthread.h`), or a word of the object.

use deadweight_heap::Addr;

use super::{Context, Sizes, Visitor, plain};
use crate::memory::Memory;
use crate::types::TypeInfo;

const LOCK: u64 = 16;
/// `sizeof(sem_t)` of glibc.
const SEMAPHORE: u64 = 32;

/// `last`: the last minor version of which it is a semaphore.
pub(super) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    last: u32,
    visitor: &mut V,
) -> Option<Sizes> {
    let semaphore = Addr(cx.memory.word(addr + LOCK)?);
    if cx.layout.minor <= last && !semaphore.is_null() {
        visitor.buffer(semaphore, SEMAPHORE);
    }
    plain(cx, info, addr)
}
