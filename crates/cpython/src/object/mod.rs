//! Decoders: what an object refers to, which blocks are its own, and what it weighs.
//!
//! One file an object family. A decoder fetches an object's bytes once and tells a [`Visitor`]; the
//! same decoder serves the pass that marks (which ignores names) and the pass that records.

mod array;
mod buffer_info;
pub(crate) mod code;
mod ctypes;
mod deque;
pub(crate) mod dict;
mod dtype;
mod element;
pub(crate) mod entries;
pub(crate) mod frame;
mod function;
mod instance;
pub(crate) mod int;
mod io;
mod itertools;
mod list;
mod lock;
mod module;
mod ndarray;
mod ordered_dict;
mod pickle;
mod queue;
mod set;
mod str;
mod thread_local;
mod tuple;
mod type_;

use deadweight_heap::{Addr, EdgeKind, NameId};

use crate::blocks::Requested;
use crate::family::Family;
use crate::layout::{Layout, OB_SIZE};
use crate::memory::{Memory, addr_at, u32_at, u64_at};
use crate::types::TypeInfo;
use crate::words::Words;

/// What decoders read from.
pub(crate) struct Context<'a, M> {
    pub(crate) memory: &'a M,
    pub(crate) layout: &'a Layout,
    pub(crate) words: &'a Words,
    /// The interpreter whose table says what static types hold (3.12+).
    pub(crate) interpreter: Addr,
    /// The patch release: which of two holders `tp_traverse` visits something for can differ.
    pub(crate) micro: u32,
    /// The dict of interned strings; null if it was not found.
    pub(crate) interned: Addr,
}

/// How a reference is called, before names are looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Link {
    /// With a name known from a type or a table.
    Named(EdgeKind, NameId),
    /// With a name of our own.
    Static(EdgeKind, &'static str),
    /// Named by a `str` object of the target.
    Text(EdgeKind, Addr),
    /// With an index or offset.
    At(EdgeKind, u64),
    /// The value of a dict entry; its key may be kept as its name.
    Entry { index: u64, key: Addr },
}

/// Why a reference is believed, and who else would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grounds {
    /// A field of a known layout that `tp_traverse` visits too.
    Visible,
    /// A field of a known layout that `tp_traverse` does not visit.
    Hidden,
    /// Not a reference of this object, but its `tp_traverse` visits it: for comparisons only.
    OnlyVisited,
    /// A word that looks like a reference.
    Conservative,
}

impl Grounds {
    /// Whether the word may be no reference at all.
    pub(crate) fn is_conservative(self) -> bool {
        self == Grounds::Conservative
    }

    /// Whether a walk follows it: all there is, or what a closure over `gc.get_referents` would.
    pub(crate) fn is_followed(self, only_visible: bool) -> bool {
        match self {
            Grounds::Visible => true,
            Grounds::Hidden | Grounds::Conservative => !only_visible,
            Grounds::OnlyVisited => only_visible,
        }
    }
}

/// What a decoder tells. Only references must be heard; who does not care about the rest leaves it.
pub(crate) trait Visitor {
    /// A reference.
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds);

    /// One more reference to what the object leads to in another way. Paths do without; a count of references
    /// does not.
    fn repeated(&mut self, target: Addr) {
        let _ = target;
    }

    /// A block of its own besides its object: first byte and what was asked of the allocator.
    /// `false` if the block has an owner already; its contents are then not to be visited again.
    fn buffer(&mut self, start: Addr, requested: u64) -> bool {
        let _ = (start, requested);
        true
    }

    /// The same for values of an instance: of what was asked no more is known than from where to where
    /// it is.
    fn values(&mut self, start: Addr, requested: Requested) -> bool {
        self.buffer(start, requested.least)
    }

    /// The same for a keys table that instances share: if a type keeps it, it is the type's.
    fn shared_buffer(&mut self, start: Addr, requested: u64) {
        let _ = (start, requested);
    }

    /// Whether the visit is compared with what the collector sees.
    fn compares(&self) -> bool {
        false
    }

    /// Bytes that should be there and are not, or make no sense.
    fn unreadable(&mut self) {}

    /// A dict whose keys are names, not data.
    fn namespace(&mut self, dict: Addr) {
        let _ = dict;
    }

    /// Whether a dict was announced by [`Visitor::namespace`].
    fn is_namespace(&self, dict: Addr) -> bool {
        let _ = dict;
        false
    }

    /// The tuple of a function's cells, with the function's code, which knows their names.
    fn closure(&mut self, tuple: Addr, code: Addr) {
        let _ = (tuple, code);
    }

    /// The code announced for a tuple by [`Visitor::closure`].
    fn closure_code(&self, tuple: Addr) -> Option<Addr> {
        let _ = tuple;
        None
    }
}

/// What one object weighs, apart from its buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Bytes from the object's start to the end of its block.
    pub(crate) body: u64,
    /// What its `__sizeof__` says: no heads, but some buffers.
    pub(crate) sizeof: u64,
}

impl Sizes {
    pub(crate) fn same(size: u64) -> Sizes {
        Sizes { body: size, sizeof: size }
    }
}

/// Visits everything one object refers to and owns. `None` if its own bytes are not there.
pub(crate) fn decode<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    visitor: &mut V,
) -> Option<Sizes> {
    let mut sizes = match info.family {
        Family::Plain | Family::Leaf | Family::Bytes => plain(cx, info, addr)?,
        Family::List => list::decode(cx, info, addr, visitor)?,
        Family::Tuple => tuple::decode(cx, info, addr, visitor)?,
        Family::Dict => dict::decode(cx, info, addr, visitor)?,
        Family::OrderedDict => ordered_dict::decode(cx, info, addr, visitor)?,
        Family::Set => set::decode(cx, info, addr, visitor)?,
        Family::Str => str::decode(cx, info, addr, visitor)?,
        Family::ByteArray => array::bytearray(cx, info, addr, visitor)?,
        Family::Int => int::decode(cx, info, addr)?,
        Family::Decimal => int::decimal(cx, info, addr, visitor)?,
        Family::Type | Family::CType => type_::decode(cx, info, addr, visitor)?,
        Family::Function => function::decode(cx, info, addr, visitor)?,
        Family::Method => function::method(cx, info, addr, visitor)?,
        Family::Code => code::decode(cx, addr, visitor)?,
        Family::Frame => frame::object(cx, info, addr, visitor)?,
        Family::Generator | Family::Coroutine => frame::generator(cx, info, addr, visitor)?,
        Family::Module => module::decode(cx, info, addr, visitor)?,
        Family::Deque => deque::decode(cx, info, addr, visitor)?,
        Family::Array => array::decode(cx, info, addr, visitor)?,
        Family::Dtype => dtype::decode(cx, info, addr, visitor)?,
        Family::NdArray => ndarray::decode(cx, info, addr, visitor)?,
        Family::NumPyVoid => ndarray::void(cx, info, addr, visitor)?,
        Family::ThreadLocal => thread_local::local(cx, info, addr, visitor)?,
        Family::ThreadLocalDummy => thread_local::dummy(cx, info, addr, visitor)?,
        Family::LruCache => function::lru_cache(cx, info, addr, visitor)?,
        Family::MemoryView => array::memoryview(cx, info, addr, visitor)?,
        Family::Buffered => io::buffered(cx, info, addr, visitor)?,
        Family::StringIo => io::string_io(cx, info, addr, visitor)?,
        Family::Struct => io::struct_(cx, info, addr, visitor)?,
        Family::Items(at) => tuple::items_at(cx, info, addr, at, visitor)?,
        Family::Row(at, count) => {
            pointers(cx, addr + at, count, EdgeKind::Item, grounds_of(info), visitor);
            plain(cx, info, addr)?
        }
        Family::Zoned(at) => zoned(cx, info, addr, at, visitor)?,
        Family::BytesIo => io::bytes_io(cx, info, addr, visitor)?,
        Family::Pickler => pickle::pickler(cx, info, addr, visitor)?,
        Family::Unpickler => pickle::unpickler(cx, info, addr, visitor)?,
        Family::Combinations => itertools::combinations(cx, info, addr, visitor)?,
        Family::Permutations => itertools::permutations(cx, info, addr, visitor)?,
        Family::Product => itertools::product(cx, info, addr, visitor)?,
        Family::TeeData => itertools::tee_data(cx, info, addr, visitor)?,
        Family::Element => element::decode(cx, info, addr, visitor)?,
        Family::Lock(last) => lock::decode(cx, info, addr, last, visitor)?,
        Family::SimpleQueue => queue::decode(cx, info, addr, visitor)?,
        Family::CTypesDict => ctypes::dict(cx, info, addr, visitor)?,
        Family::CTypesData => ctypes::data(cx, info, addr, visitor)?,
    };
    if let Some(entries) = &info.entries {
        entries::decode(cx, addr, entries, visitor);
    }
    if !info.leaf {
        instance::decode(cx, info, addr, &mut sizes, visitor)?;
    }
    Some(sizes)
}

/// Whether the collector sees what instances of a type refer to.
pub(crate) fn grounds_of(info: &TypeInfo) -> Grounds {
    if info.has_gc() { Grounds::Visible } else { Grounds::Hidden }
}

/// `tp_basicsize` and `tp_itemsize` times `ob_size`: what `object.__sizeof__` computes.
fn plain<M: Memory>(cx: &Context<'_, M>, info: &TypeInfo, addr: Addr) -> Option<Sizes> {
    if info.item_size == 0 {
        return Some(Sizes::same(info.basic_size));
    }
    let items = cx.memory.word(addr + OB_SIZE)?.cast_signed().unsigned_abs();
    let items_size = items.checked_mul(info.item_size)?;
    let sizeof = info.basic_size.checked_add(items_size)?;
    if info.family == Family::Bytes && !info.python {
        // PyBytes_FromStringAndSize asks for just what it needs; all others round to words.
        return Some(Sizes::same(sizeof));
    }
    // PyType_GenericAlloc, which serves classes made in Python, adds an item as a sentinel.
    let sentinel = if info.python { info.item_size } else { 0 };
    let body = sizeof.checked_add(sentinel)?.checked_next_multiple_of(8)?;
    Some(Sizes { body, sizeof })
}

/// `datetime` and `time` hold a `tzinfo` only if a byte says so (_datetimemodule.c).
fn zoned<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    tzinfo: u64,
    visitor: &mut V,
) -> Option<Sizes> {
    const HAS_TZINFO: u64 = 24;
    let has = cx.memory.word(addr + HAS_TZINFO)?.to_le_bytes()[0] != 0;
    if has {
        let target = Addr(cx.memory.word(addr + tzinfo)?);
        let link = Link::Named(EdgeKind::Attribute, cx.words.tzinfo);
        visitor.reference(target, link, Grounds::Hidden);
    }
    let body = if has || info.python { info.basic_size } else { tzinfo };
    Some(Sizes { body, sizeof: info.basic_size })
}

/// Visits `count` pointers from `start` on, in bounded pieces; null pointers are skipped.
pub(crate) fn pointers<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    start: Addr,
    count: u64,
    kind: EdgeKind,
    grounds: Grounds,
    visitor: &mut V,
) {
    records(cx, start, count, 8, visitor, |visitor, index, bytes| {
        let target = addr_at(bytes, 0);
        if !target.is_null() {
            visitor.reference(target, Link::At(kind, index), grounds);
        }
    });
}

/// Visits `count` records of `size` bytes from `start` on, in pieces of at most 64 KiB: a source that
/// must copy never copies more, and a hostile count ends where the memory does.
pub(crate) fn records<M: Memory, V: Visitor>(
    cx: &Context<'_, M>,
    start: Addr,
    count: u64,
    size: u64,
    visitor: &mut V,
    mut each: impl FnMut(&mut V, u64, &[u8]),
) {
    const PIECE: u64 = 1 << 16;
    let mut scratch = Vec::new();
    let per_piece = (PIECE / size).max(1);
    let mut index = 0;
    while index < count {
        let now = per_piece.min(count - index);
        let at = start + index.wrapping_mul(size);
        let Some(bytes) = cx.memory.bytes(at, (now * size) as usize, &mut scratch) else {
            visitor.unreadable();
            return;
        };
        for (offset, record) in bytes.chunks_exact(size as usize).enumerate() {
            each(visitor, index + offset as u64, record);
        }
        index += now;
    }
}

/// A field that holds a strong reference, if it is not null.
pub(crate) fn strong<V: Visitor>(
    visitor: &mut V,
    body: &[u8],
    offset: u64,
    kind: EdgeKind,
    name: NameId,
    grounds: Grounds,
) {
    let target = addr_at(body, offset);
    if !target.is_null() {
        visitor.reference(target, Link::Named(kind, name), grounds);
    }
}

/// A 32-bit count, sign-extended; negative counts read as none.
pub(crate) fn count_at(body: &[u8], offset: u64) -> u64 {
    u64::try_from(u32_at(body, offset).cast_signed()).unwrap_or(0)
}

/// A 64-bit count; negative counts read as none.
pub(crate) fn size_at(body: &[u8], offset: u64) -> u64 {
    u64::try_from(u64_at(body, offset).cast_signed()).unwrap_or(0)
}
