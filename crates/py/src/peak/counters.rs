//! What the hooks count.
//!
//! The bytes of a block are found from its address alone when it is freed, and mostly from what was asked
//! for when it is made.

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use super::pools::small_block;

type Pointer = *mut c_void;

/// Counters apart from each other: other threads write to those of `raw`.
#[repr(align(64))]
struct Apart(AtomicI64);

/// Bytes in small blocks, since somebody began to count. Changed with the lock held only.
static SMALL: Apart = Apart(AtomicI64::new(0));
/// The most that both came to, as seen with the lock held.
static SMALL_PEAK: Apart = Apart(AtomicI64::new(0));
/// Bytes in blocks of the C library.
static LARGE: Apart = Apart(AtomicI64::new(0));
/// The most that both came to, as seen when a block of the C library was made.
static LARGE_PEAK: Apart = Apart(AtomicI64::new(0));

/// Bytes of debug hooks in front of a block.
static LEAD: AtomicU64 = AtomicU64::new(0);
/// Whether the C library is glibc, whose blocks have their size before them.
static HAS_CHUNKS: AtomicBool = AtomicBool::new(false);
/// Whether a small block holds what was asked for, rounded: nobody below asks for more (debug hooks do),
/// and no allocator below has failed meanwhile (what should be small is then asked of `raw`). That is
/// quicker than to look at the pool.
static BY_SIZE: AtomicBool = AtomicBool::new(false);

/// `SMALL_REQUEST_THRESHOLD` of obmalloc: the most that is asked of the small-block allocator.
pub(super) const LARGEST: usize = 512;

/// What a small block holds that was asked for so many bytes.
pub(super) fn rounded(size: usize) -> i64 {
    size.next_multiple_of(16) as i64
}

#[inline]
pub(super) fn grew(bytes: i64) {
    let now = SMALL.0.load(Relaxed) + bytes;
    SMALL.0.store(now, Relaxed);
    let total = now + LARGE.0.load(Relaxed);
    if total > SMALL_PEAK.0.load(Relaxed) {
        SMALL_PEAK.0.store(total, Relaxed);
    }
}

#[inline]
pub(super) fn shrank(bytes: i64) {
    SMALL.0.store(SMALL.0.load(Relaxed) - bytes, Relaxed);
}

/// From now on what is asked for tells what a small block holds.
pub(super) fn ask_sizes() {
    BY_SIZE.store(true, Relaxed);
}

/// From now on it does not.
#[cold]
pub(super) fn ask_addresses() {
    BY_SIZE.store(false, Relaxed);
}

/// The bytes of the small block that was just made for so many; 0 if it is none.
///
/// # Safety
/// The address is what the allocator below gave for this size: null or a block.
#[inline]
pub(super) unsafe fn made(at: Pointer, size: usize) -> i64 {
    if size <= LARGEST && !at.is_null() && BY_SIZE.load(Relaxed) {
        return rounded(size);
    }
    // SAFETY: the caller says so.
    unsafe { small_block(at as usize) }
}

#[inline]
pub(super) fn large_changed(bytes: i64) {
    let now = LARGE.0.fetch_add(bytes, Relaxed) + bytes;
    let total = now + SMALL.0.load(Relaxed);
    if bytes > 0 && total > LARGE_PEAK.0.load(Relaxed) {
        LARGE_PEAK.0.fetch_max(total, Relaxed);
    }
}

/// Counts a block that `raw` made, or was to make.
///
/// # Safety
/// As for `large_block`, or the address is null.
#[inline]
pub(super) unsafe fn large_made(at: Pointer) {
    if at.is_null() {
        ask_addresses();
    } else {
        // SAFETY: the caller says so.
        large_changed(unsafe { large_block(at) });
    }
}

/// What a block of the C library holds.
///
/// # Safety
/// The address is what `PyMem_RawMalloc` gave and nobody has freed.
pub(super) unsafe fn large_block(at: Pointer) -> i64 {
    // SAFETY: the block of the C library begins `LEAD` bytes earlier, and glibc keeps its size, with
    // three flags, in the word before it.
    unsafe {
        let block = at.byte_sub(LEAD.load(Relaxed) as usize);
        if HAS_CHUNKS.load(Relaxed) {
            (block.cast::<i64>().sub(1).read()) & !7
        } else {
            libc::malloc_usable_size(block) as i64
        }
    }
}

/// How blocks of the C library are measured.
pub(super) fn set_blocks(lead: u64, has_chunks: bool) {
    LEAD.store(lead, Relaxed);
    HAS_CHUNKS.store(has_chunks, Relaxed);
}

/// Bytes in small blocks now, since somebody began to count.
pub(super) fn small() -> i64 {
    SMALL.0.load(Relaxed)
}

/// Bytes in blocks of the C library now, since somebody began to count.
pub(super) fn large() -> i64 {
    LARGE.0.load(Relaxed)
}

/// What all blocks come to now, since somebody began to count.
pub(super) fn total() -> i64 {
    small() + large()
}

/// The most they came to since this was asked last; from now on it is what they are now.
pub(super) fn take_peak() -> i64 {
    let now = total();
    let small = SMALL_PEAK.0.swap(now, Relaxed);
    small.max(LARGE_PEAK.0.swap(now, Relaxed))
}

/// Has the most begin at so many bytes less than there are now.
pub(super) fn begin_lower(bytes: i64) {
    SMALL_PEAK.0.fetch_sub(bytes, Relaxed);
    LARGE_PEAK.0.fetch_sub(bytes, Relaxed);
}
