//! Which addresses are small blocks of the interpreter's allocator, and how large each is.
//!
//! A bit for every pool (16 KiB, aligned), kept up to date by a hook on the arena allocator. Small
//! blocks are those in pools; what a pool's blocks are sized, its header says. So no account of single
//! blocks is kept, and blocks made before anybody counted have a size too.

use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicPtr, AtomicU64};

const POOL_SHIFT: u32 = 14;
const POOL: usize = 1 << POOL_SHIFT;
/// A leaf is a gigabyte of addresses: 8 KiB of bits.
const LEAF_SHIFT: u32 = 30;
const LEAF_WORDS: usize = 1 << (LEAF_SHIFT - POOL_SHIFT - 6);
/// User addresses are 47 bits wide.
const LEAVES: usize = 1 << (47 - LEAF_SHIFT);
/// `struct pool_header`: where its size class is.
const SIZE_CLASS: usize = 36;

type Leaf = [AtomicU64; LEAF_WORDS];

/// Leaves are made when first needed and stay: a thread may look at one at any time.
static LEAVES_BY_ADDRESS: [AtomicPtr<Leaf>; LEAVES] =
    [const { AtomicPtr::new(ptr::null_mut()) }; LEAVES];

/// The size of the small block at an address; 0 if there is none.
///
/// # Safety
/// The address is null, or what an allocator gave and nobody has freed.
#[inline]
pub(super) unsafe fn small_block(at: usize) -> i64 {
    let Some(leaf) = LEAVES_BY_ADDRESS.get(at >> LEAF_SHIFT) else { return 0 };
    let leaf = leaf.load(Acquire);
    if leaf.is_null() {
        return 0;
    }
    let pool = at >> POOL_SHIFT & (LEAF_WORDS * 64 - 1);
    // SAFETY: a leaf that was made is never freed, and `pool` is the number of a bit in it.
    let bits = unsafe { (&(*leaf))[pool / 64].load(Relaxed) };
    if bits >> (pool % 64) & 1 == 0 {
        return 0;
    }
    // SAFETY: the bit says that the pool lies in an arena of the small-block allocator; as long as
    // one of its blocks is in use, its header is there and does not change its size class.
    let class = unsafe { (((at & !(POOL - 1)) + SIZE_CLASS) as *const u32).read() };
    i64::from(class + 1) << 4
}

/// Marks the pools of an arena, or takes the marks off. A part of a pool at either end is none.
///
/// Interpreters with locks of their own (3.12+) may get and give back arenas at once.
pub(super) fn mark(arena: usize, size: usize, is_arena: bool) {
    let first = arena.next_multiple_of(POOL);
    for pool in (first..(arena + size) & !(POOL - 1)).step_by(POOL) {
        let Some(slot) = LEAVES_BY_ADDRESS.get(pool >> LEAF_SHIFT) else { return };
        let leaf = match slot.load(Acquire) {
            leaf if !leaf.is_null() => leaf,
            _ if !is_arena => continue,
            _ => make_leaf(slot),
        };
        let number = pool >> POOL_SHIFT & (LEAF_WORDS * 64 - 1);
        let bit = 1 << (number % 64);
        // SAFETY: as above.
        let word = unsafe { &(&(*leaf))[number / 64] };
        if is_arena {
            word.fetch_or(bit, Relaxed);
        } else {
            word.fetch_and(!bit, Relaxed);
        }
    }
}

/// A leaf without marks, or the one that another thread just made.
fn make_leaf(slot: &AtomicPtr<Leaf>) -> *mut Leaf {
    let made = Box::into_raw(Box::new([const { AtomicU64::new(0) }; LEAF_WORDS]));
    match slot.compare_exchange(ptr::null_mut(), made, AcqRel, Acquire) {
        Ok(_) => made,
        Err(theirs) => {
            // SAFETY: nobody else has seen it.
            drop(unsafe { Box::from_raw(made) });
            theirs
        }
    }
}

/// Takes all marks off.
pub(super) fn clear() {
    for slot in &LEAVES_BY_ADDRESS {
        let leaf = slot.load(Acquire);
        if !leaf.is_null() {
            // SAFETY: as above.
            unsafe { (*leaf).iter().for_each(|word| word.store(0, Relaxed)) };
        }
    }
}
