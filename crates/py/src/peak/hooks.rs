//! Hooks on the interpreter's allocators that count bytes, and nothing more.
//!
//! What the domains `mem` and `obj` do not find room for among small blocks they ask of `raw`, whose
//! hook counts it: so `mem` and `obj` count small blocks only, and nothing is counted twice. `mem` and
//! `obj` are called with the interpreter's lock held; `raw` by any thread.
//!
//! A hook is given the context of the allocator below it as its own, and hands it down: a thread that
//! calls `raw` just while the hooks are put in, and sees the old function with the new context or the
//! other way round, calls what it would have called anyway.
//!
//! These are the busiest lines of a program that allocates: a hook loads the one function it calls.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

use super::counters::{
    LARGEST, ask_addresses, ask_sizes, grew, large, large_block, large_changed, large_made, made,
    rounded, shrank, small,
};
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
    /// `set` was called. So for the others.
    #[inline]
    unsafe fn malloc(&self) -> Malloc {
        // SAFETY: `set` stored a function of just this type.
        unsafe { std::mem::transmute::<Pointer, Malloc>(self.malloc.load(Relaxed)) }
    }

    #[inline]
    unsafe fn calloc(&self) -> Calloc {
        // SAFETY: as above.
        unsafe { std::mem::transmute::<Pointer, Calloc>(self.calloc.load(Relaxed)) }
    }

    #[inline]
    unsafe fn realloc(&self) -> Realloc {
        // SAFETY: as above.
        unsafe { std::mem::transmute::<Pointer, Realloc>(self.realloc.load(Relaxed)) }
    }

    #[inline]
    unsafe fn free(&self) -> Free {
        // SAFETY: as above.
        unsafe { std::mem::transmute::<Pointer, Free>(self.free.load(Relaxed)) }
    }
}

static RAW: Below = Below::none();
static MEM: Below = Below::none();
static OBJ: Below = Below::none();
static ARENAS: Below = Below::none();

macro_rules! small_hooks {
    ($below:ident, $malloc:ident, $calloc:ident, $realloc:ident, $free:ident) => {
        unsafe extern "C" fn $malloc(ctx: Pointer, size: usize) -> Pointer {
            // SAFETY: a hook that is called was put in, after `set`; what the allocator below gives is
            // null or a block.
            unsafe {
                let at = $below.malloc()(ctx, size);
                grew(made(at, size));
                at
            }
        }

        unsafe extern "C" fn $calloc(ctx: Pointer, count: usize, size: usize) -> Pointer {
            // SAFETY: as above.
            unsafe {
                let at = $below.calloc()(ctx, count, size);
                grew(small_block(at as usize));
                at
            }
        }

        unsafe extern "C" fn $realloc(ctx: Pointer, at: Pointer, size: usize) -> Pointer {
            // SAFETY: as above; `at` is null or a block until it is given to the allocator below.
            unsafe {
                let before = small_block(at as usize);
                let now = $below.realloc()(ctx, at, size);
                // On failure the old block stays. One that moved was there twice for a moment.
                if now != at && !now.is_null() {
                    grew(small_block(now as usize));
                    shrank(before);
                }
                now
            }
        }

        unsafe extern "C" fn $free(ctx: Pointer, at: Pointer) {
            // SAFETY: as above.
            unsafe {
                shrank(small_block(at as usize));
                $below.free()(ctx, at);
            }
        }
    };
}

small_hooks!(MEM, mem_malloc, mem_calloc, mem_realloc, mem_free);
small_hooks!(OBJ, obj_malloc, obj_calloc, obj_realloc, obj_free);

unsafe extern "C" fn raw_malloc(ctx: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let at = RAW.malloc()(ctx, size);
        large_made(at);
        at
    }
}

unsafe extern "C" fn raw_calloc(ctx: Pointer, count: usize, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let at = RAW.calloc()(ctx, count, size);
        large_made(at);
        at
    }
}

unsafe extern "C" fn raw_realloc(ctx: Pointer, at: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks.
    unsafe {
        let before = if at.is_null() { 0 } else { large_block(at) };
        let now = RAW.realloc()(ctx, at, size);
        if now.is_null() {
            ask_addresses();
        } else {
            large_changed(large_block(now) - before);
        }
        now
    }
}

unsafe extern "C" fn raw_free(ctx: Pointer, at: Pointer) {
    // SAFETY: as for the small hooks.
    unsafe {
        if !at.is_null() {
            large_changed(-large_block(at));
        }
        RAW.free()(ctx, at);
    }
}

unsafe extern "C" fn arena_alloc(_: Pointer, size: usize) -> Pointer {
    // SAFETY: as for the small hooks; `put_in` stored functions of these types.
    unsafe {
        let at = ARENAS.malloc()(ARENAS.ctx.load(Relaxed), size);
        if at.is_null() {
            ask_addresses();
        } else {
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
        ask_addresses();
        if holds_what_was_asked(PyMem_Malloc, PyMem_Free)
            && holds_what_was_asked(PyObject_Malloc, PyObject_Free)
        {
            ask_sizes();
        }
    }
}

/// Whether small blocks hold what is asked for, rounded: one of each size is made.
unsafe fn holds_what_was_asked(
    make: unsafe extern "C" fn(usize) -> Pointer,
    free: unsafe extern "C" fn(Pointer),
) -> bool {
    (1..=LARGEST).all(|size| {
        // SAFETY: the block is there until it is freed, by the function that belongs to `make`.
        unsafe {
            let block = make(size);
            let holds = small_block(block as usize);
            free(block);
            holds == rounded(size)
        }
    })
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
                let mut before = Allocator {
                    ctx: below.ctx.load(Relaxed),
                    malloc: below.malloc(),
                    calloc: below.calloc(),
                    realloc: below.realloc(),
                    free: below.free(),
                };
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
            arenas.alloc = ARENAS.malloc();
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
    let ((make, free), bytes): (Pair, fn() -> i64) = match domain {
        0 => ((PyMem_RawMalloc, PyMem_RawFree), large),
        1 => ((PyMem_Malloc, PyMem_Free), small),
        _ => ((PyObject_Malloc, PyObject_Free), small),
    };
    let before = bytes();
    // SAFETY: the block is freed by the function that belongs to the one that made it.
    unsafe {
        // Small: the C library would learn from a large one how to serve the program's.
        let block = make(48);
        let counted = bytes() != before;
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
