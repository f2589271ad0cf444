//! CPython's small-block allocator (Objects/obmalloc.c, `pycore_obmalloc.h)`: every block it has given
//! out, and what it keeps for itself.
//!
//! An arena (1 MiB) is cut into pools (16 KiB, aligned), a pool into blocks of one size. These are
//! the numbers of every 64-bit build since 3.10 (`WITH_PYMALLOC_RADIX_TREE`).

use std::cell::{Cell, Ref, RefCell};
use std::sync::{Arc, Mutex, PoisonError};

use deadweight_heap::{Addr, Bytes, Pymalloc};

use crate::layout::{Layout, Obmalloc};
use crate::memory::{Memory, Region, RegionKind, addr_at, u32_at, u64_at};

pub(crate) const POOL: u64 = 16 << 10;
const POOL_HEADER: u64 = 48;
const BLOCK_STEP: u64 = 16;
const CLASSES: u32 = 32;
/// Larger blocks are `malloc`'s (`SMALL_REQUEST_THRESHOLD`).
const SMALL_REQUEST: u64 = 512;
/// `struct arena_object`: address, `pool_address`, nfreepools and ntotalpools, freepools, two links.
const ARENA_OBJECT: u64 = 48;
const NEXT_POOL: u64 = 8;
const FREE_AND_TOTAL: u64 = 16;
const FREE_POOLS: u64 = 24;
/// `struct pool_header`: count, freeblock, two links, arenaindex, szidx, nextoffset, maxnextoffset.
const FREE_BLOCK: u64 = 8;
const POOL_NEXT: u64 = 16;
const ARENA_INDEX: u64 = 32;
const SIZE_CLASS: u64 = 36;
const NEXT_OFFSET: u64 = 40;
/// An arena of 3.15 may be 2 MiB (`PYMALLOC_USE_HUGEPAGES`); pools tell, not a constant.
const LARGEST_ARENA: u64 = 16 << 20;
const MOST_ARENAS: u64 = 1 << 24;

/// One arena: where its pools lie and which size each of them serves.
#[derive(Clone, Debug)]
struct Arena {
    /// What the system gave.
    start: Addr,
    /// The first pool: `start` rounded up.
    first_pool: Addr,
    /// Bytes of the arena.
    size: u64,
    pools: Pools,
}

/// What is known of the pools of an arena.
#[derive(Clone, Debug)]
enum Pools {
    /// Size class + 1 of every pool ever used; 0 for pools that are free.
    Read(Box<[u8]>),
    /// As many were ever used; each is looked at when it is asked for.
    Unread(u64),
}

/// All arenas of one interpreter, or those that were met.
///
/// Invariant: sorted by `start`, not overlapping; `last` is a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arenas {
    list: Vec<Arena>,
    /// The arena found last: objects made together lie together.
    last: Cell<usize>,
    /// Bytes in front of what was asked for, in every block: 16 under the allocators' debug hooks
    /// (`PYTHONMALLOC=debug`, `-X dev`), else none.
    lead: u64,
    unlisted: Option<Box<Unlisted>>,
}

/// Arenas that are looked for when an address is asked about: there may be thousands of them, and few addresses.
#[derive(Clone, Debug)]
struct Unlisted {
    records: Addr,
    count: u64,
    met: RefCell<Arenas>,
    hints: Hints,
}

/// Where arenas began when they were asked about before, by rising address, and the number of each one's record.
pub(crate) type Hints = Arc<Mutex<Vec<(Addr, u64)>>>;

impl Unlisted {
    /// The arenas that were met, with the one that has an address, if there is one.
    fn with<M: Memory>(&self, memory: &M, addr: Addr) -> Ref<'_, Arenas> {
        if !self.met.borrow().has(addr)
            && let Some(arena) = self.remembered(memory, addr).or_else(|| self.find(memory, addr))
        {
            let list = &mut self.met.borrow_mut().list;
            list.insert(list.partition_point(|known| known.start < arena.start), arena);
        }
        self.met.borrow()
    }

    /// As the allocator itself told its blocks from others' before 3.10 (obmalloc.c, `address_in_range`): what would
    /// be the header of a pool says which arena that is of, and the arena's record whether that is true.
    fn find<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Arena> {
        let header = Addr(addr.0 / POOL * POOL + ARENA_INDEX);
        let index = memory.unknown_word(header)? & 0xffff_ffff;
        let arena = self.recorded(memory, index, addr)?;
        let mut hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
        hints.retain(|&(start, number)| start != arena.start && number != index);
        let place = hints.partition_point(|&(start, _)| start < arena.start);
        hints.insert(place, (arena.start, index));
        Some(arena)
    }

    /// The same without a look at an address that may not be there.
    fn remembered<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Arena> {
        let index = {
            let hints = self.hints.lock().unwrap_or_else(PoisonError::into_inner);
            let place = hints.partition_point(|&(start, _)| start <= addr).checked_sub(1)?;
            hints.get(place)?.1
        };
        self.recorded(memory, index, addr)
    }

    /// The arena of a record, if it has an address.
    fn recorded<M: Memory>(&self, memory: &M, index: u64, addr: Addr) -> Option<Arena> {
        if index >= self.count {
            return None;
        }
        let mut scratch = Vec::new();
        let at = self.records + index * ARENA_OBJECT;
        let arena = unread_arena(memory.bytes(at, ARENA_OBJECT as usize, &mut scratch)?)?;
        (addr.since(arena.start) < arena.size).then_some(arena)
    }
}

/// What the debug hooks keep in front of a block, and behind it (obmalloc.c, `_PyMem_DebugRawAlloc`):
/// its size, its kind and a guard; another guard.
const DEBUG_LEAD: u64 = 16;
/// The kind of the raw domain and the guard; the word before has the size, highest byte first.
const DEBUG_GUARD: u64 = 0xfdfd_fdfd_fdfd_fd00 | b'r' as u64;
pub(crate) const DEBUG_EXTRA: u64 = 24;

/// A block the allocator has given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) start: Addr,
    pub(crate) size: u64,
}

impl Arenas {
    /// Reads the arenas of one interpreter; `None` if there are none to be found (another allocator).
    pub(crate) fn read<M: Memory>(
        memory: &M,
        layout: &Layout,
        interpreter: Addr,
    ) -> Option<Arenas> {
        let records = match layout.interpreter.obmalloc {
            Obmalloc::Static => {
                let variable = find_records(memory)?;
                records_behind(memory, variable)?
            }
            _ => records_of(memory, layout, interpreter)?,
        };
        Arenas::of(memory, records, read_arena)
    }

    /// Where the arenas of one interpreter lie, without a look into them: quick enough to be asked for
    /// each time. `variable` is where a static array of records is kept, where it is static.
    pub(crate) fn glance<M: Memory>(
        memory: &M,
        layout: &Layout,
        interpreter: Addr,
        variable: Option<Addr>,
    ) -> Option<Arenas> {
        let records = records_now(memory, layout, interpreter, variable)?;
        Arenas::of(memory, records, |_, record| unread_arena(record))
    }

    /// The same, each arena when an address in it is asked about.
    pub(crate) fn unlisted<M: Memory>(
        memory: &M,
        layout: &Layout,
        interpreter: Addr,
        variable: Option<Addr>,
        hints: &Hints,
    ) -> Option<Arenas> {
        let (records, count) = records_now(memory, layout, interpreter, variable)?;
        let unlisted =
            Unlisted { records, count, met: RefCell::default(), hints: Arc::clone(hints) };
        Some(Arenas { unlisted: Some(Box::new(unlisted)), ..Arenas::default() })
    }

    /// The variable that leads to the records, if it is a static one.
    pub(crate) fn find_variable<M: Memory>(memory: &M, layout: &Layout) -> Option<Addr> {
        (layout.interpreter.obmalloc == Obmalloc::Static).then(|| find_records(memory)).flatten()
    }

    fn of<M: Memory>(
        memory: &M,
        (records, count): (Addr, u64),
        arena_of: impl Fn(&M, &[u8]) -> Option<Arena>,
    ) -> Option<Arenas> {
        let mut arenas = Vec::new();
        let mut scratch = Vec::new();
        for index in 0..count.min(MOST_ARENAS) {
            let at = records + index * ARENA_OBJECT;
            let record = memory.bytes(at, ARENA_OBJECT as usize, &mut scratch)?;
            arenas.extend(arena_of(memory, record));
        }
        arenas.sort_by_key(|arena| arena.start);
        arenas.dedup_by(|next, before| next.start < before.start + before.size);
        (!arenas.is_empty()).then_some(Arenas { list: arenas, ..Arenas::default() })
    }

    /// The arenas of several interpreters together.
    pub(crate) fn merge(mut self, other: Arenas) -> Arenas {
        self.list.extend(other.list);
        self.list.sort_by_key(|arena| arena.start);
        self.list.dedup_by(|next, before| next.start < before.start + before.size);
        self
    }

    /// Finds out whether debug hooks are on, from a place where a block begins for who asked for it.
    pub(crate) fn with_lead_of<M: Memory>(mut self, memory: &M, start: Addr) -> Arenas {
        let found =
            self.block_of(memory, start).is_some_and(|block| block.start + DEBUG_LEAD == start);
        self.lead = if found { DEBUG_LEAD } else { 0 };
        self
    }

    /// Bytes of a block in front of what was asked for.
    pub(crate) fn lead(&self) -> u64 {
        self.lead
    }

    /// First byte and length of every arena.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (Addr, u64)> + '_ {
        self.list.iter().map(|arena| (arena.start, arena.size))
    }

    /// Whether a block of so many bytes may be one of the small-block allocator's.
    #[inline]
    pub(crate) fn may_have(&self, requested: u64) -> bool {
        // Of others, what lies in front would be looked at in vain each time.
        self.unlisted.is_none() || requested <= SMALL_REQUEST
    }

    /// Whether an address lies in an arena.
    #[inline]
    pub(crate) fn contains<M: Memory>(&self, memory: &M, addr: Addr) -> bool {
        match &self.unlisted {
            None => self.has(addr),
            Some(unlisted) => unlisted.with(memory, addr).has(addr),
        }
    }

    #[inline]
    fn has(&self, addr: Addr) -> bool {
        self.arena_of(addr).is_some()
    }

    #[inline]
    fn arena_of(&self, addr: Addr) -> Option<&Arena> {
        let last = self.list.get(self.last.get())?;
        if addr.since(last.start) < last.size { Some(last) } else { self.arena_elsewhere(addr) }
    }

    fn arena_elsewhere(&self, addr: Addr) -> Option<&Arena> {
        let index = self.list.partition_point(|arena| arena.start <= addr);
        let index = index.checked_sub(1)?;
        let arena = self.list.get(index)?;
        if addr.since(arena.start) >= arena.size {
            return None;
        }
        self.last.set(index);
        Some(arena)
    }

    /// The block an address lies in, whether it is in use or not.
    #[inline]
    pub(crate) fn block_of<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Block> {
        match &self.unlisted {
            None => self.block_in(memory, addr),
            Some(unlisted) => unlisted.with(memory, addr).block_in(memory, addr),
        }
    }

    fn block_in<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Block> {
        let arena = self.arena_of(addr)?;
        if addr < arena.first_pool {
            return None;
        }
        let pool = addr.since(arena.first_pool) / POOL;
        let class = match &arena.pools {
            Pools::Read(classes) => *classes.get(pool as usize)?,
            Pools::Unread(used) if pool < *used => {
                class_of_pool(memory, arena.first_pool + pool * POOL)?
            }
            Pools::Unread(_) => return None,
        };
        let size = u32::from(class) * BLOCK_STEP as u32;
        // Pools are aligned: the low bits of an address are its offset in its pool.
        let offset = (addr.0 % POOL).checked_sub(POOL_HEADER)? as u32;
        let into = offset.checked_rem(size)?;
        Some(Block { start: addr - u64::from(into), size: u64::from(size) })
    }

    /// Calls `each` with every block in use, by rising address, and keeps the allocator's books.
    pub(crate) fn each_live<M: Memory>(&self, memory: &M, mut each: impl FnMut(Block)) -> Pymalloc {
        let mut books = Pymalloc { arenas: self.list.len() as u64, ..Pymalloc::default() };
        let mut scratch = Vec::new();
        for arena in &self.list {
            books.arena_size = Bytes(arena.size);
            books.arena_alignment += alignment_loss(arena);
            let mut live_in_arena = (0, 0);
            let pools = (arena.size - arena.first_pool.since(arena.start)) / POOL;
            let classes = match &arena.pools {
                Pools::Read(classes) => &**classes,
                Pools::Unread(_) => &[],
            };
            for (number, &class) in (0..pools).zip(classes.iter().chain(&[0; 1024])) {
                if class == 0 {
                    books.free_pools += Bytes(POOL);
                    continue;
                }
                let start = arena.first_pool + number * POOL;
                let Some(pool) = memory.bytes(start, POOL as usize, &mut scratch) else {
                    // The later pages of a pool may never have been touched: then it has no
                    // blocks there. Read what there is.
                    let live = partial_pool(memory, start, class, &mut books, &mut each);
                    live_in_arena.0 += live.0;
                    live_in_arena.1 += live.1;
                    continue;
                };
                let live = pool_blocks(start, pool, class, &mut books, &mut each);
                live_in_arena.0 += live.0;
                live_in_arena.1 += live.1;
            }
            // Less than a quarter full, yet not empty: the system cannot have it back.
            if live_in_arena.0 > 0 && live_in_arena.1 < arena.size / 4 {
                books.sparse_arenas += 1;
                books.sparse_blocks += live_in_arena.0;
            }
        }
        books
    }
}

/// What an arena loses because its start is not pool-aligned: a pool's worth, or nothing.
fn alignment_loss(arena: &Arena) -> Bytes {
    Bytes(if arena.first_pool == arena.start { 0 } else { POOL })
}

/// Live blocks of a pool whose bytes are all there: their number and size.
fn pool_blocks(
    start: Addr,
    pool: &[u8],
    class: u8,
    books: &mut Pymalloc,
    each: &mut impl FnMut(Block),
) -> (u64, u64) {
    let size = u64::from(class) * BLOCK_STEP;
    let room = (POOL - POOL_HEADER) / size;
    // Blocks from nextoffset on were never given out.
    let carved =
        (u64::from(u32_at(pool, NEXT_OFFSET)).saturating_sub(POOL_HEADER) / size).min(room);
    let mut free = [0_u64; (POOL / BLOCK_STEP / 64) as usize];
    let mut next = u64_at(pool, FREE_BLOCK);
    for _ in 0..room {
        let offset = next.wrapping_sub(start.0);
        if !(POOL_HEADER..POOL).contains(&offset) {
            break;
        }
        let index = (offset - POOL_HEADER) / size;
        if index >= carved {
            break;
        }
        free[(index / 64) as usize] |= 1 << (index % 64);
        next = u64_at(pool, POOL_HEADER + index * size);
    }
    let mut live = 0;
    for index in 0..carved {
        if free[(index / 64) as usize] >> (index % 64) & 1 == 0 {
            live += 1;
            each(Block { start: start + POOL_HEADER + index * size, size });
        }
    }
    count_pool(books, size, room, live);
    (live, live * size)
}

/// The same for a pool of which only the first pages are there.
fn partial_pool<M: Memory>(
    memory: &M,
    start: Addr,
    class: u8,
    books: &mut Pymalloc,
    each: &mut impl FnMut(Block),
) -> (u64, u64) {
    let mut whole = Vec::with_capacity(POOL as usize);
    let mut scratch = Vec::new();
    for page in 0..POOL / 4096 {
        match memory.bytes(start + page * 4096, 4096, &mut scratch) {
            Some(bytes) => whole.extend_from_slice(bytes),
            None => whole.resize(whole.len() + 4096, 0),
        }
    }
    pool_blocks(start, &whole, class, books, each)
}

fn count_pool(books: &mut Pymalloc, size: u64, room: u64, live: u64) {
    books.used_blocks += Bytes(live * size);
    books.used_block_count += live;
    books.free_blocks += Bytes((room - live) * size);
    books.pool_headers += Bytes(POOL_HEADER);
    books.quantization += Bytes(POOL - POOL_HEADER - room * size);
}

/// The array of arena records and its length, where a static variable that leads to it is known.
fn records_now<M: Memory>(
    memory: &M,
    layout: &Layout,
    interpreter: Addr,
    variable: Option<Addr>,
) -> Option<(Addr, u64)> {
    match layout.interpreter.obmalloc {
        Obmalloc::Static => records_behind(memory, variable?),
        _ => records_of(memory, layout, interpreter),
    }
}

/// The array of arena records that an interpreter's state leads to (3.12+), and its length.
fn records_of<M: Memory>(memory: &M, layout: &Layout, interpreter: Addr) -> Option<(Addr, u64)> {
    let state = match layout.interpreter.obmalloc {
        Obmalloc::Static => return None,
        Obmalloc::Embedded(at) => interpreter + at,
        Obmalloc::Pointer(at) => Addr(memory.word(interpreter + at)?),
    };
    let records = Addr(memory.word(state + layout.interpreter.arenas?)?);
    let count = memory.word(state + layout.interpreter.max_arenas?)? & 0xffff_ffff;
    (!records.is_null()).then_some((records, count))
}

/// The array that a static variable leads to (3.10, 3.11), and its length by the size of its block.
fn records_behind<M: Memory>(memory: &M, variable: Addr) -> Option<(Addr, u64)> {
    let records = Addr(memory.word(variable)?);
    if records.is_null() {
        return None;
    }
    let count = room_for_records(memory, records)?;
    Some((records, count))
}

/// One arena record, if it is in use and makes sense; its pools are not looked at.
fn unread_arena(record: &[u8]) -> Option<Arena> {
    if !is_arena(record) {
        return None;
    }
    let start = addr_at(record, 0);
    let total = u64::from(u32_at(record, FREE_AND_TOTAL + 4));
    let first_pool = Addr(start.0.checked_next_multiple_of(POOL)?);
    let padding = first_pool.since(start);
    let size = total * POOL + if padding == 0 { 0 } else { POOL };
    // Pools from pool_address on were never used; freed ones are chained.
    let used = addr_at(record, NEXT_POOL).since(first_pool) / POOL;
    Some(Arena { start, first_pool, size, pools: Pools::Unread(used.min(total)) })
}

/// The same with the size class of every pool.
fn read_arena<M: Memory>(memory: &M, record: &[u8]) -> Option<Arena> {
    let arena = unread_arena(record)?;
    let Pools::Unread(used) = arena.pools else { return Some(arena) };
    let first_pool = arena.first_pool;
    let free = u32_at(record, FREE_AND_TOTAL);
    let mut classes = vec![0_u8; used as usize].into_boxed_slice();
    for (number, class) in (0..used).zip(classes.iter_mut()) {
        *class = class_of_pool(memory, first_pool + number * POOL).unwrap_or(0);
    }
    let mut next = addr_at(record, FREE_POOLS);
    for _ in 0..free {
        let number = next.since(first_pool) / POOL;
        let Some(class) = classes.get_mut(number as usize) else { break };
        *class = 0;
        let Some(link) = memory.word(first_pool + number * POOL + POOL_NEXT) else { break };
        next = Addr(link);
    }
    Some(Arena { pools: Pools::Read(classes), ..arena })
}

/// Size class + 1 of a pool that was used.
fn class_of_pool<M: Memory>(memory: &M, pool: Addr) -> Option<u8> {
    let word = memory.array::<4>(pool + SIZE_CLASS)?;
    let index = u32::from_le_bytes(word);
    (index < CLASSES).then(|| index as u8 + 1)
}

/// Whether a record describes an arena: page-aligned, with pools enough for its size and no more.
fn is_arena(record: &[u8]) -> bool {
    let start = addr_at(record, 0);
    let next_pool = addr_at(record, NEXT_POOL);
    let (free, total) = (u32_at(record, FREE_AND_TOTAL), u32_at(record, FREE_AND_TOTAL + 4));
    let size = u64::from(total) * POOL;
    !start.is_null()
        && start.0.is_multiple_of(4096)
        && free <= total
        && (63..=LARGEST_ARENA / POOL).contains(&u64::from(total))
        && next_pool >= start
        && next_pool.since(start) <= size + POOL
}

/// Finds the array of arena records of 3.10 and 3.11, whose variable (`arenas`) is static and has no
/// name in a stripped program: a word of static data that leads to a `malloc` block of as many
/// records as the allocator would make (16, doubled as often as needed), the first in use of which
/// is an arena. Gives the address of that word.
///
/// `usable_arenas`, the head of a list, leads to the same place as long as the first arena is its first, and
/// elsewhere or nowhere later. Beside `arenas` there is `maxarenas`, how many records there are.
fn find_records<M: Memory>(memory: &M) -> Option<Addr> {
    let mut scratch = Vec::new();
    let mut block = Vec::new();
    let mut another = None;
    for region in memory.regions() {
        if !matches!(region.kind, RegionKind::Image(_)) {
            continue;
        }
        let mut at = region.start;
        while at < region.end {
            let length = region.end.since(at).min(1 << 16);
            if let Some(bytes) = memory.bytes(at, length as usize, &mut scratch) {
                for (place, word) in (0..).zip(bytes.chunks_exact(8)) {
                    let records = addr_at(word, 0);
                    if !is_record_array(memory, records, &mut block) {
                        continue;
                    }
                    let here = at + place * 8;
                    if is_beside_their_number(memory, here, records) {
                        return Some(here);
                    }
                    another.get_or_insert(here);
                }
            }
            at = at + length;
        }
    }
    another
}

fn is_beside_their_number<M: Memory>(memory: &M, variable: Addr, records: Addr) -> bool {
    let count = room_for_records(memory, records);
    [variable - 8, variable + 8]
        .into_iter()
        .any(|beside| memory.word(beside).map(|word| word & 0xffff_ffff) == count)
}

/// How many records a block of `malloc` holds, if it can be the array of them.
fn room_for_records<M: Memory>(memory: &M, block: Addr) -> Option<u64> {
    let before = memory.word(block - 8)?;
    if before == DEBUG_GUARD {
        let size = memory.word(block - DEBUG_LEAD)?.swap_bytes();
        let fits = size.is_multiple_of(ARENA_OBJECT) && size <= MOST_ARENAS * ARENA_OBJECT;
        return fits.then_some(size / ARENA_OBJECT).filter(|&count| count >= 16);
    }
    let room = (before & !7).checked_sub(8)?;
    if !(16 * ARENA_OBJECT..=MOST_ARENAS * ARENA_OBJECT).contains(&room) {
        return None;
    }
    let mut count = 16;
    while count * 2 * ARENA_OBJECT <= room {
        count *= 2;
    }
    // `malloc` rounds to 16 bytes, or to pages for what it maps.
    let spare = room.checked_sub(count * ARENA_OBJECT)?;
    (spare <= 16 || (spare < 4096 + 16 && room >= 100 << 10)).then_some(count)
}

/// Whether a block is the array of arena records.
fn is_record_array<M: Memory>(memory: &M, block: Addr, scratch: &mut Vec<u8>) -> bool {
    if !block.0.is_multiple_of(16) || !is_anonymous(memory.regions(), block) {
        return false;
    }
    let Some(count) = room_for_records(memory, block) else { return false };
    let mut in_use = 0;
    for index in 0..count.min(16) {
        let at = block + index * ARENA_OBJECT;
        let Some(record) = memory.bytes(at, ARENA_OBJECT as usize, scratch) else { return false };
        if addr_at(record, 0).is_null() {
            continue;
        }
        // The first page of an arena may never have been touched; its first pool was.
        let first_pool = addr_at(record, 0).0.checked_next_multiple_of(POOL);
        let in_memory = first_pool.is_some_and(|at| is_anonymous(memory.regions(), Addr(at)));
        if !is_arena(record) || !in_memory {
            return false;
        }
        in_use += 1;
    }
    in_use > 0
}

fn is_anonymous(regions: &[Region], addr: Addr) -> bool {
    let index = regions.partition_point(|region| region.start <= addr);
    index
        .checked_sub(1)
        .and_then(|index| regions.get(index))
        .is_some_and(|region| addr < region.end && region.kind == RegionKind::Anonymous)
}
