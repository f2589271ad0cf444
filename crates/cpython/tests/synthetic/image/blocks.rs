//! The allocators of a fake process: small blocks in arenas (Objects/obmalloc.c), larger ones with a
//! chunk header in front (glibc's malloc/malloc.c).

use std::collections::{BTreeMap, BTreeSet};

use super::memory::{PAGE, Pages};

/// `ARENA_SIZE`, `POOL_SIZE`, `POOL_OVERHEAD`, `ALIGNMENT`, `SMALL_REQUEST_THRESHOLD`.
const ARENA: u64 = 1 << 20;
const POOL: u64 = 1 << 14;
const POOL_OVERHEAD: u64 = 48;
const STEP: u64 = 16;
const SMALL: u64 = 512;
/// `M_MMAP_THRESHOLD`: larger blocks get a map of their own.
const MAPPED: u64 = 128 << 10;

/// A block that was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) start: u64,
    /// What was asked for.
    pub(crate) requested: u64,
    /// What it takes.
    pub(crate) held: u64,
    pub(crate) small: bool,
}

/// What the small-block allocator would say of itself (`sys._debugmallocstats`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) arenas: u64,
    pub(crate) used_blocks: u64,
    pub(crate) used_bytes: u64,
    pub(crate) free_bytes: u64,
    pub(crate) free_pools: u64,
    pub(crate) headers: u64,
    pub(crate) quantization: u64,
    pub(crate) alignment: u64,
}

#[derive(Debug)]
struct Arena {
    start: u64,
    /// `pool_address`: the next pool never used.
    next: u64,
    end: u64,
    /// Pools that were used and are free again, the last one first.
    freed: Vec<u64>,
}

impl Arena {
    fn first_pool(&self) -> u64 {
        self.start.next_multiple_of(POOL)
    }

    /// `ntotalpools`.
    fn total(&self) -> u64 {
        (self.end - self.first_pool()) / POOL
    }

    /// `nfreepools`: those never used count too.
    fn free(&self) -> u64 {
        (self.end - self.next) / POOL + self.freed.len() as u64
    }
}

/// Both allocators.
#[derive(Debug)]
pub(crate) struct Blocks {
    next_chunk: u64,
    next_map: u64,
    /// The next arena's place: anything page-aligned will do.
    next_arena: u64,
    arenas: Vec<Arena>,
    /// Pools in use, with the size of their blocks.
    pools: BTreeMap<u64, u64>,
    /// Of these, those that can give out a block, by size.
    usable: BTreeMap<u64, BTreeSet<u64>>,
}

impl Blocks {
    pub(crate) fn new(heap: u64, maps: u64, arenas: u64) -> Blocks {
        Blocks {
            next_chunk: heap + 16,
            next_map: maps,
            next_arena: arenas,
            arenas: Vec::new(),
            pools: BTreeMap::new(),
            usable: BTreeMap::new(),
        }
    }

    /// `PyObject_Malloc`.
    pub(crate) fn allocate(&mut self, memory: &mut Pages, requested: u64) -> Block {
        let size = requested.max(1).next_multiple_of(STEP);
        if size > SMALL {
            return self.malloc(memory, requested);
        }
        let start = self.small(memory, size);
        memory.zero(start, size);
        Block { start, requested, held: size, small: true }
    }

    /// `malloc`.
    pub(crate) fn malloc(&mut self, memory: &mut Pages, requested: u64) -> Block {
        let (start, held, flags) = if requested >= MAPPED {
            let size = (requested + 16).next_multiple_of(PAGE);
            let start = self.next_map + 16;
            self.next_map += size + PAGE;
            (start, size, 2)
        } else {
            let size = (requested + 8).next_multiple_of(16).max(32);
            let start = self.next_chunk;
            self.next_chunk += size;
            (start, size, 1)
        };
        memory.put_word(start - 8, held | flags);
        memory.touch(start, requested);
        Block { start, requested, held, small: false }
    }

    /// Bytes that no allocator knows, as of a data stack: page-aligned, with a gap behind.
    pub(crate) fn map(&mut self, memory: &mut Pages, len: u64) -> u64 {
        let start = self.next_map;
        self.next_map += len.next_multiple_of(PAGE) + PAGE;
        memory.touch(start, len);
        start
    }

    /// `pymalloc_alloc`.
    fn small(&mut self, memory: &mut Pages, size: u64) -> u64 {
        let known = self.usable.get(&size).and_then(|pools| pools.first().copied());
        let pool = known.unwrap_or_else(|| self.new_pool(memory, size));
        let block = memory.word(pool + 8);
        let mut next = memory.word(block);
        if next == 0 {
            // `pymalloc_pool_extend`: carve the next block, which is free until it is asked for.
            let offset = memory.word(pool + 40) & 0xffff_ffff;
            if offset + size <= POOL {
                next = pool + offset;
                memory.put_int(pool + 40, (offset + size) as u32);
                memory.put_word(next, 0);
            } else {
                self.usable.get_mut(&size).expect("a pool in use").remove(&pool);
            }
        }
        memory.put_word(pool + 8, next);
        let count = memory.word(pool) as u32;
        memory.put_int(pool, count + 1);
        block
    }

    /// `init_pool` of `allocate_from_new_pool`.
    fn new_pool(&mut self, memory: &mut Pages, size: u64) -> u64 {
        let index = match self.arenas.iter().position(|arena| arena.free() > 0) {
            Some(index) => index,
            None => self.new_arena(),
        };
        let arena = &mut self.arenas[index];
        let pool = arena.freed.pop().unwrap_or_else(|| {
            arena.next += POOL;
            arena.next - POOL
        });
        memory.zero(pool, POOL_OVERHEAD);
        memory.put_word(pool + 8, pool + POOL_OVERHEAD);
        memory.put_int(pool + 32, index as u32);
        memory.put_int(pool + 36, (size / STEP - 1) as u32);
        memory.put_int(pool + 40, (POOL_OVERHEAD + size) as u32);
        memory.put_int(pool + 44, (POOL - size) as u32);
        memory.put_word(pool + POOL_OVERHEAD, 0);
        self.pools.insert(pool, size);
        self.usable.entry(size).or_default().insert(pool);
        pool
    }

    /// Every second arena is not aligned to pools, and loses one.
    fn new_arena(&mut self) -> usize {
        let start = self.next_arena + if self.arenas.len() % 2 == 1 { 3 * PAGE } else { 0 };
        self.next_arena += 2 * ARENA;
        let next = start.next_multiple_of(POOL);
        let end = next + (start + ARENA - next) / POOL * POOL;
        self.arenas.push(Arena { start, next, end, freed: Vec::new() });
        self.arenas.len() - 1
    }

    /// `pymalloc_free` of a small block.
    pub(crate) fn free(&mut self, memory: &mut Pages, block: Block) {
        assert!(block.small, "only small blocks leave traces worth reading");
        let pool = block.start / POOL * POOL;
        let count = memory.word(pool) as u32 - 1;
        memory.put_word(block.start, memory.word(pool + 8));
        memory.put_word(pool + 8, block.start);
        memory.put_int(pool, count);
        let usable = self.usable.entry(block.held).or_default();
        usable.insert(pool);
        if count == 0 {
            usable.remove(&pool);
            self.pools.remove(&pool);
            let arena = memory.word(pool + 32) as u32;
            let freed = &mut self.arenas[arena as usize].freed;
            memory.put_word(pool + 16, freed.last().copied().unwrap_or(0));
            freed.push(pool);
        }
    }

    /// `struct arena_object` of every arena.
    pub(crate) fn arena_records(&self) -> Vec<[u64; 6]> {
        let record = |arena: &Arena| {
            let freed = arena.freed.last().copied().unwrap_or(0);
            [arena.start, arena.next, arena.free() | arena.total() << 32, freed, 0, 0]
        };
        self.arenas.iter().map(record).collect()
    }

    pub(crate) fn books(&self, memory: &Pages) -> Books {
        let mut books = Books { arenas: self.arenas.len() as u64, ..Books::default() };
        for arena in &self.arenas {
            books.free_pools += arena.free() * POOL;
            books.alignment += ARENA - arena.total() * POOL;
        }
        for (&pool, &size) in &self.pools {
            let used = memory.word(pool) & 0xffff_ffff;
            let room = (POOL - POOL_OVERHEAD) / size;
            books.used_blocks += used;
            books.used_bytes += used * size;
            books.free_bytes += (room - used) * size;
            books.headers += POOL_OVERHEAD;
            books.quantization += POOL - POOL_OVERHEAD - room * size;
        }
        books
    }

    /// Where chunks, maps and arenas end.
    pub(crate) fn ends(&self) -> [u64; 3] {
        [self.next_chunk, self.next_map, self.next_arena]
    }
}
