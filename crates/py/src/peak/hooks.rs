//! Hooks on the interpreter's allocators that count bytes, and nothing more.
//!
//! What the domains `mem` and `obj` do not find room for among small blocks they ask of `raw`, whose
//! hook counts it: so `mem` and `obj` count small blocks only, and nothing is counted twice. `mem` and
//! `obj` are called with the interpreter's lock held; `raw` by any thread.
//!
//! A hook is given the context of the allocator below it as its own: a thread that calls `raw` just
//! while the hooks are put in, and sees the old function with the new context or the other way round,
//! calls what it would have called anyway.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicPtr, AtomicU64, Ordering::Relaxed};

use super::pools::{mark, small_block};

type Pointer = *mut c_void;
type Malloc = unsafe extern "C" fn(Pointer, usize) -> Pointer;
type Calloc = unsafe extern "C" fn(Pointer, usize, usize) -> Pointer;
type Realloc = unsafe extern "C" fn(Pointer, Pointer, usize) -> Pointer;
type Free = unsafe extern "C" fn(Pointer, Pointer);
type ArenaFree = unsafe extern "C" fn(Pointer, Pointer, usize);

/// `PyMemAllocatorEx`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Allocator {
    ctx: Pointer,
    malloc: Malloc,
    calloc: Calloc,
    realloc: Realloc,
    free: Free,
}

/// `PyObjectArenaAllocator`.
#[repr(C)]
#[derive(Clone, Copy)]
struct ArenaAllocator {
    ctx: Pointer,
    alloc: Malloc,
    free: ArenaFree,
}

// Exported by every CPython, though not a part of the stable ABI.
unsafe extern "C" {
    fn PyMem_GetAllocator(domain: c_int, allocator: *mut Allocator);
    fn PyMem_SetAllocator(domain: c_int, allocator: *mut Allocator);
    fn PyObject_GetArenaAllocator(allocator: *mut ArenaAllocator);
    fn PyObject_SetArenaAllocator(allocator: *mut ArenaAllocator);
    fn PyMem_RawMalloc(size: usize) -> Pointer;
    fn PyMem_RawFree(at: Pointer);
    fn PyMem_Malloc(size: usize) -> Pointer;
    fn PyMem_Free(at: Pointer);
    fn PyObject_Malloc(size: usize) -> Pointer;
    fn PyObject_Free(at: Pointer);
}

/// The allocator below a hook.
struct Below {
    ctx: AtomicPtr<c_void>,
    malloc: AtomicPtr<c_void>,
    calloc: AtomicPtr<c_void>,
    realloc: AtomicPtr<c_void>,
    free: AtomicPtr<c_void>,
}

impl Below {
    const fn none() -> Below {
        Below {
            ctx: AtomicPtr::new(ptr::null_mut()),
            malloc: AtomicPtr::new(ptr::null_mut()),
            calloc: AtomicPtr::new(ptr::null_mut()),
            realloc: AtomicPtr::new(ptr::null_mut()),
            free: AtomicPtr::new(ptr::null_mut()),
        }
    }

    fn set(&self, allocator: &Allocator) {
        self.ctx.store(allocator.ctx, Relaxed);
        self.malloc.store(allocator.malloc as Pointer, Relaxed);
        self.calloc.store(allocator.calloc as Pointer, Relaxed);
        self.realloc.store(allocator.realloc as Pointer, Relaxed);
        self.free.store(allocator.free as Pointer, Relaxed);
    }

    /// # Safety
    /// `set` was called.
    #[inline]
    unsafe fn get(&self) -> Allocator {
        // SAFETY: `set` stored functions of just these types.
        unsafe {
            Allocator {
                ctx: self.ctx.load(Relaxed),
                malloc: std::mem::transmute::<Pointer, Malloc>(self.malloc.load(Relaxed)),
                calloc: std::mem::transmute::<Pointer, Calloc>(self.calloc.load(Relaxed)),
                realloc: std::mem::transmute::<Pointer, Realloc>(self.realloc.load(Relaxed)),
                free: std::mem::transmute::<Pointer, Free>(self.free.load(Relaxed)),
            }
        }
    }
}

static RAW: Below = Below::none();
static MEM: Below = Below::none();
static OBJ: Below = Below::none();
static ARENAS: Below = Below::none();

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

#[inline]
fn grew(bytes: i64) {
    let now = SMALL.0.load(Relaxed) + bytes;
    SMALL.0.store(now, Relaxed);
    let total = now + LARGE.0.load(Relaxed);
    if total > SMALL_PEAK.0.load(Relaxed) {
        SMALL_PEAK.0.store(total, Relaxed);
    }
}

#[inline]
fn shrank(bytes: i64) {
    SMALL.0.store(SMALL.0.load(Relaxed) - bytes, Relaxed);
}

fn large_changed(bytes: i64) {
    let now = LARGE.0.fetch_add(bytes, Relaxed) + bytes;
    let total = now + SMALL.0.load(Relaxed);
    if bytes > 0 && total > LARGE_PEAK.0.load(Relaxed) {
        LARGE_PEAK.0.fetch_max(total, Relaxed);
    }
}

/// What a block of the C library holds.
///
/// # Safety
/// The address is what `PyMem_RawMalloc` gave and nobody has freed.
unsafe fn large_block(at: Pointer) -> i64 {
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

macro_rules! small_hooks {
    ($below:ident, $malloc:ident, $calloc:ident, $realloc:ident, $free:ident) => {
        unsafe extern "C" fn $malloc(_: Pointer, size: usize) -> Pointer {
            // SAFETY: a hook that is called was put in, after `set`; what the allocator below gives is
            // null or a block.
            unsafe {
                let below = $below.get();
                let at = (below.malloc)(below.ctx, size);
                grew(small_block(at as usize));
                at
            }
        }

        unsafe extern "C" fn $calloc(_: Pointer, count: usize, size: usize) -> Pointer {
            // SAFETY: as above.
            unsafe {
                let below = $below.get();
                let at = (below.calloc)(below.ctx, count, size);
                grew(small_block(at as usize));
                at
            }
        }

        unsafe extern "C" fn $realloc(_: Pointer, at: Pointer, size: usize) -> Pointer {
            // SAFETY: as above; `at` is null or a block until it is given to the allocator below.
            unsafe {
                let below = $below.get();
                let before = small_block(at as usize);
                let now = (below.realloc)(below.ctx, at, size);
                // On failure the old block stays. One that moved was there twice for a moment.
                if now != at && !now.is_null() {
                    grew(small_block(now as usize));
                    shrank(before);
                }
                now
            }
        }

        unsafe extern "C" fn $free(_: Pointer, at: Pointer) {
            // SAFETY: as above.
            unsafe {
                let below = $below.get();
                shrank(small_block(at as usize));
                (below.free)(below.ctx, at);
            }
        }
    };
}

small_hooks!(MEM, mem_malloc, mem_calloc, mem_realloc, mem_free);
small_hooks!(OBJ, obj_malloc, obj_calloc, obj_realloc, obj_free);

unsafe extern "C" fn raw_malloc(_: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let below = RAW.get();
        let at = (below.malloc)(below.ctx, size);
        if !at.is_null() {
            large_changed(large_block(at));
        }
        at
    }
}

unsafe extern "C" fn raw_calloc(_: Pointer, count: usize, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let below = RAW.get();
        let at = (below.calloc)(below.ctx, count, size);
        if !at.is_null() {
            large_changed(large_block(at));
        }
        at
    }
}

unsafe extern "C" fn raw_realloc(_: Pointer, at: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let below = RAW.get();
        let before = if at.is_null() { 0 } else { large_block(at) };
        let now = (below.realloc)(below.ctx, at, size);
        if !now.is_null() {
            large_changed(large_block(now) - before);
        }
        now
    }
}

unsafe extern "C" fn raw_free(_: Pointer, at: Pointer) {
    // SAFETY: as for the small hooks.
    unsafe {
        let below = RAW.get();
        if !at.is_null() {
            large_changed(-large_block(at));
        }
        (below.free)(below.ctx, at);
    }
}

unsafe extern "C" fn arena_alloc(_: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks; `put_in` stored functions of these types.
    unsafe {
        let alloc = std::mem::transmute::<Pointer, Malloc>(ARENAS.malloc.load(Relaxed));
        let at = alloc(ARENAS.ctx.load(Relaxed), size);
        if !at.is_null() {
            mark(at as usize, size, true);
        }
        at
    }
}

unsafe extern "C" fn arena_free(_: Pointer, at: Pointer, size: usize) {
    // SAFETY: as above.
    unsafe {
        mark(at as usize, size, false);
        let free = std::mem::transmute::<Pointer, ArenaFree>(ARENAS.free.load(Relaxed));
        free(ARENAS.ctx.load(Relaxed), at, size);
    }
}

/// The domains, by their number in `PyMemAllocatorDomain`.
const DOMAINS: [(c_int, &Below, Malloc, Calloc, Realloc, Free); 3] = [
    (0, &RAW, raw_malloc, raw_calloc, raw_realloc, raw_free),
    (1, &MEM, mem_malloc, mem_calloc, mem_realloc, mem_free),
    (2, &OBJ, obj_malloc, obj_calloc, obj_realloc, obj_free),
];

/// How blocks of the C library are measured.
pub(super) fn set_blocks(lead: u64, has_chunks: bool) {
    LEAD.store(lead, Relaxed);
    HAS_CHUNKS.store(has_chunks, Relaxed);
}

/// Puts the hooks in where they are not in yet.
///
/// # Safety
/// The interpreter's lock is held.
pub(super) unsafe fn put_in() {
    // SAFETY: the calls fill and read structs of the interpreter's own layout. A hook that is put in has
    // its allocator below set before, and that leads to no hook of ours: `counts` has shown that.
    unsafe {
        let mut arenas = std::mem::MaybeUninit::<ArenaAllocator>::uninit();
        PyObject_GetArenaAllocator(arenas.as_mut_ptr());
        let mut arenas = arenas.assume_init();
        if arenas.alloc as usize != arena_alloc as *const () as usize {
            ARENAS.ctx.store(arenas.ctx, Relaxed);
            ARENAS.malloc.store(arenas.alloc as Pointer, Relaxed);
            ARENAS.free.store(arenas.free as Pointer, Relaxed);
            (arenas.alloc, arenas.free) = (arena_alloc, arena_free);
            PyObject_SetArenaAllocator(&raw mut arenas);
        }
        for (domain, below, malloc, calloc, realloc, free) in DOMAINS {
            let mut now = current(domain);
            if now.malloc as usize != malloc as usize && !counts(domain) {
                below.set(&now);
                (now.malloc, now.calloc, now.realloc, now.free) = (malloc, calloc, realloc, free);
                PyMem_SetAllocator(domain, &raw mut now);
            }
        }
    }
}

/// Takes the hooks out. One that somebody else has put a hook upon stays, and goes on handing calls
/// down. Gives whether all are out.
///
/// # Safety
/// The interpreter's lock is held.
pub(super) unsafe fn take_out() -> bool {
    let mut all = true;
    // SAFETY: what is put back is what was there before.
    unsafe {
        for (domain, below, malloc, ..) in DOMAINS {
            if current(domain).malloc as usize == malloc as usize {
                let mut before = below.get();
                PyMem_SetAllocator(domain, &raw mut before);
            } else {
                all &= !counts(domain);
            }
        }
        let mut arenas = std::mem::MaybeUninit::<ArenaAllocator>::uninit();
        PyObject_GetArenaAllocator(arenas.as_mut_ptr());
        let mut arenas = arenas.assume_init();
        if all && arenas.alloc as usize == arena_alloc as *const () as usize {
            arenas.ctx = ARENAS.ctx.load(Relaxed);
            arenas.alloc = std::mem::transmute::<Pointer, Malloc>(ARENAS.malloc.load(Relaxed));
            arenas.free = std::mem::transmute::<Pointer, ArenaFree>(ARENAS.free.load(Relaxed));
            PyObject_SetArenaAllocator(&raw mut arenas);
        }
    }
    all
}

unsafe fn current(domain: c_int) -> Allocator {
    let mut now = std::mem::MaybeUninit::<Allocator>::uninit();
    // SAFETY: the call fills the struct.
    unsafe {
        PyMem_GetAllocator(domain, now.as_mut_ptr());
        now.assume_init()
    }
}

/// Whether blocks of a domain are counted: one is made, and the counter looked at. Nobody changes a
/// counter that no hook leads to.
unsafe fn counts(domain: c_int) -> bool {
    type Pair = (unsafe extern "C" fn(usize) -> Pointer, unsafe extern "C" fn(Pointer));
    let ((make, free), bytes): (Pair, _) = match domain {
        0 => ((PyMem_RawMalloc, PyMem_RawFree), &LARGE.0),
        1 => ((PyMem_Malloc, PyMem_Free), &SMALL.0),
        _ => ((PyObject_Malloc, PyObject_Free), &SMALL.0),
    };
    let before = bytes.load(Relaxed);
    // SAFETY: the block is freed by the function that belongs to the one that made it.
    unsafe {
        // Small: the C library would learn from a large one how to serve the program's.
        let block = make(48);
        let counted = bytes.load(Relaxed) != before;
        free(block);
        block.is_null() || counted
    }
}

/// Whether all blocks are counted.
///
/// # Safety
/// The interpreter's lock is held.
pub(super) unsafe fn all_count() -> bool {
    // SAFETY: as above.
    DOMAINS.iter().all(|&(domain, ..)| unsafe { counts(domain) })
}

/// What all blocks come to now, since somebody began to count.
pub(super) fn total() -> i64 {
    SMALL.0.load(Relaxed) + LARGE.0.load(Relaxed)
}

/// The most they came to since this was asked last; from now on it is what they are now.
pub(super) fn take_peak() -> i64 {
    let now = total();
    let small = SMALL_PEAK.0.swap(now, Relaxed);
    small.max(LARGE_PEAK.0.swap(now, Relaxed))
}

/// A block of the C library, for finding out how its blocks are measured.
///
/// # Safety
/// The interpreter's lock is held. `look` is given what `PyMem_RawMalloc` gave.
pub(super) unsafe fn with_block<T>(size: usize, look: impl FnOnce(usize) -> T) -> Option<T> {
    // SAFETY: the block is freed once.
    unsafe {
        let block = PyMem_RawMalloc(size);
        if block.is_null() {
            return None;
        }
        let answer = look(block as usize);
        PyMem_RawFree(block);
        Some(answer)
    }
}
