//! What a reading of a target yields: the heap, the account of its memory, what could not be read,
//! and where it all came from.

use std::fmt;

use crate::collector::Collector;
use crate::heap::Heap;
use crate::units::{Bytes, NodeId};

/// One reading of one target. Best effort is the normal case: what is missing stands in `gaps`.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The graph.
    pub heap: Heap,
    /// Where the resident memory is; empty where the source has none (a core file).
    pub account: Account,
    /// What could not be read or is not certain, counted.
    pub gaps: Vec<Gap>,
    /// Where it came from.
    pub provenance: Provenance,
    /// What the collector's lists hold, but for what is frozen, in the order in which a full collection goes
    /// through them. Empty where that is not known.
    pub lists: Vec<NodeId>,
}

/// The account of a process's resident memory. The rows add up to `rss` exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Resident bytes, by the kernel's own count of pages at the stop.
    pub rss: Bytes,
    /// Proportional share: pages shared by n processes count 1/n.
    pub pss: Option<Bytes>,
    /// Pages that no other process has.
    pub uss: Option<Bytes>,
    /// One row a kind of memory.
    pub rows: Vec<AccountRow>,
    /// The small-block allocator's own books, where it is in use.
    pub pymalloc: Option<Pymalloc>,
}

/// One kind of resident memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// Which kind.
    pub kind: AccountKind,
    /// Resident bytes of it.
    pub bytes: Bytes,
}

/// The kinds of memory an account tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// Objects and the buffers that belong to them.
    PythonObjects,
    /// Small blocks in use that no object owns: memory of C code.
    PymallocOther,
    /// Free blocks, free pools, and what the small-block allocator needs for itself.
    PymallocFree,
    /// Anonymous memory that is none of the others: `malloc` free lists, native structures, maps.
    OtherAnonymous,
    /// Thread stacks.
    Stacks,
    /// Static data that differs from its file, and zero-initialised data.
    ImageData,
    /// Pages of files: code, read-only data, mapped files.
    FileBacked,
    /// Memory shared with other processes that is no file's. A row only where there is some.
    SharedMemory,
}

impl AccountKind {
    /// Every kind, in the order they are printed.
    pub const ALL: [AccountKind; 8] = [
        AccountKind::PythonObjects,
        AccountKind::PymallocOther,
        AccountKind::PymallocFree,
        AccountKind::OtherAnonymous,
        AccountKind::Stacks,
        AccountKind::ImageData,
        AccountKind::FileBacked,
        AccountKind::SharedMemory,
    ];

    /// The word JSON and the snapshot use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AccountKind::PythonObjects => "python_objects",
            AccountKind::PymallocOther => "pymalloc_other",
            AccountKind::PymallocFree => "pymalloc_free",
            AccountKind::OtherAnonymous => "other_anonymous",
            AccountKind::Stacks => "stacks",
            AccountKind::ImageData => "image_data",
            AccountKind::FileBacked => "file_backed",
            AccountKind::SharedMemory => "shared_memory",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<AccountKind> {
        AccountKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// The books of CPython's small-block allocator, in the terms of `sys._debugmallocstats()`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pymalloc {
    /// Arenas allocated now.
    pub arenas: u64,
    /// Bytes of one arena.
    pub arena_size: Bytes,
    /// Bytes in allocated blocks.
    pub used_blocks: Bytes,
    /// Number of allocated blocks.
    pub used_block_count: u64,
    /// Bytes in blocks that are free inside pools in use.
    pub free_blocks: Bytes,
    /// Bytes in pools that are free.
    pub free_pools: Bytes,
    /// Bytes lost to pool headers.
    pub pool_headers: Bytes,
    /// Bytes at pool ends that no block fits into.
    pub quantization: Bytes,
    /// Bytes lost to the alignment of arenas.
    pub arena_alignment: Bytes,
    /// Bytes of used blocks that belong to an object or to a buffer with an owner.
    pub owned_blocks: Bytes,
    /// Arenas less than a quarter full.
    pub sparse_arenas: u64,
    /// Blocks in use that hold the sparse arenas open.
    pub sparse_blocks: u64,
}

/// Something that could not be read or is less certain than it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Which sort.
    pub kind: GapKind,
    /// How often.
    pub count: u64,
    /// One sentence for a person; may be empty.
    pub detail: String,
}

macro_rules! gap_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// The sorts of gaps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum GapKind { $($(#[$doc])* $name),+ }

        impl GapKind {
            /// The word JSON and the snapshot use.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(GapKind::$name => $word),+ }
            }

            /// The kind of a word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<GapKind> {
                match word { $($word => Some(GapKind::$name),)+ _ => None }
            }
        }
    };
}

gap_kinds! {
    /// A reference of a known layout that did not lead to an object.
    InvalidReference = "invalid_reference",
    /// An object or buffer whose bytes were not there or made no sense.
    Unreadable = "unreadable",
    /// The layout of this patch release was not proved against a real interpreter.
    UnprovenLayout = "unproven_layout",
    /// A garbage collection was running when the target was stopped.
    CollectorRunning = "collector_running",
    /// The lists of the collector could not be followed to their end.
    BrokenList = "broken_list",
    /// Small-block memory could not be enumerated.
    NoArenas = "no_arenas",
    /// The interpreter runs with debug hooks around its allocators.
    DebugAllocator = "debug_allocator",
    /// Page facts were not permitted; whole mappings were read instead.
    NoPagemap = "no_pagemap",
    /// Memory that changed or vanished between listing and reading.
    Vanished = "vanished",
    /// Numbers that the kernel and we count differently.
    AccountDifference = "account_difference",
    /// The same memory would have had to be read over and over; reading stopped.
    Exhausted = "exhausted",
    /// Values longer or more numerous than we keep.
    Truncated = "truncated",
}

/// Where a capture came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The process.
    pub pid: u32,
    /// Its command line, arguments joined by blanks.
    pub command: String,
    /// The interpreter's version, such as `3.12.1`.
    pub python: String,
    /// The file that holds the interpreter.
    pub executable: String,
    /// When it was read: seconds since 1970 (UTC).
    pub taken_at: u64,
    /// How long the target stood still, in microseconds.
    pub pause_micros: u64,
    /// Bytes copied during the pause.
    pub copied: Bytes,
    /// Threads that were stopped.
    pub threads: u32,
    /// The version of deadweight that read it.
    pub reader: String,
    /// Whether short values were kept (`--values`).
    pub values: bool,
    /// Tracked objects the collector's lists name, the permanent generation included.
    pub tracked: u64,
    /// Of these, in the permanent generation (`gc.freeze`).
    pub permanent: u64,
    /// The collector's own state; `None` in what an older deadweight saved.
    pub collector: Option<Collector>,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detail.is_empty() {
            write!(f, "{} × {}", self.count, self.kind.word())
        } else {
            f.write_str(&self.detail)
        }
    }
}
