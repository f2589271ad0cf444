//! One object, byte by byte.

use deadweight_heap::{Addr, Bytes};

use super::{Bench, Followed, Scale};
use crate::blocks::HeldBlock;
use crate::family::Family;
use crate::layout::{GC_HEAD, OB_SIZE, OBJECT_SIZE, PRE_HEADER};
use crate::memory::Memory;
use crate::object::{Grounds, Link, dict};
use crate::text;
use crate::types::{DictPlace, TypeInfo, flag};

/// A block of memory that an object is, or owns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// `object`, or what the buffer is for.
    pub name: String,
    /// First byte of what was asked for.
    pub address: Addr,
    /// What was asked for.
    pub requested: Bytes,
    /// What the allocator gave.
    pub held: Bytes,
    /// Whether a size follows a rule instead of the allocator's own header.
    pub modelled: bool,
    /// All its bytes, from first to last: the sizes add up to `held`.
    pub parts: Vec<Part>,
}

/// Some bytes of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// From the first byte of the block.
    pub offset: u64,
    /// How many.
    pub size: Bytes,
    /// What sort.
    pub kind: PartKind,
    /// What they are.
    pub name: String,
}

/// The sorts of bytes in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The pointers in front of an instance (3.11+).
    PreHeader,
    /// The collector's links.
    GcHead,
    /// Reference count, type, and length.
    Header,
    /// A field with a name: a slot, an attribute, a member.
    Field,
    /// Fields of a C struct without names of their own.
    Struct,
    /// Items, characters, digits, entries.
    Items,
    /// Room that is not used now.
    Spare,
    /// What the allocator added.
    Rounding,
}

impl PartKind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            PartKind::PreHeader => "pre-header",
            PartKind::GcHead => "gc head",
            PartKind::Header => "header",
            PartKind::Field => "field",
            PartKind::Struct => "struct",
            PartKind::Items => "items",
            PartKind::Spare => "spare",
            PartKind::Rounding => "rounding",
        }
    }
}

impl Scale {
    /// The blocks of an object: itself first, then its buffers. `None` if there is no object.
    #[must_use]
    pub fn anatomy<M: Memory>(&self, memory: &M, addr: Addr) -> Option<Vec<Block>> {
        self.ask(memory, |mut bench| {
            let info = bench.type_of(addr)?;
            let mut blocks = Blocks(Vec::new());
            bench.weigh(&info, addr, &mut blocks)?;
            let own = blocks.0.pop()?;
            let before = addr.since(own.address);
            let parts = object_parts(&bench, &info, addr, before, own.requested.0);
            let own = Block { name: "object".to_owned(), ..own };
            let mut all = vec![own.with(parts)];
            for block in blocks.0 {
                let (name, parts) = buffer_parts(&bench, &info, addr, &block);
                all.push(Block { name: name.to_owned(), ..block }.with(parts));
            }
            Some(all)
        })
    }
}

struct Blocks(Vec<Block>);

impl Followed for Blocks {
    fn reference(&mut self, _: Addr, _: Link, _: Grounds) {}

    fn block(&mut self, _: Addr) -> bool {
        true
    }

    fn weighed(&mut self, start: Addr, requested: u64, held: HeldBlock) {
        self.0.push(Block {
            address: start,
            requested: Bytes(requested),
            held: Bytes(held.bytes),
            modelled: held.modelled,
            ..Block::default()
        });
    }
}

impl Block {
    /// With its parts, and what the allocator added after them.
    fn with(mut self, mut parts: Parts) -> Block {
        parts.up_to(self.requested.0, PartKind::Struct, "");
        parts.up_to(self.held.0, PartKind::Rounding, "");
        self.parts = parts.list;
        self
    }
}

/// Parts one after the other.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    end: u64,
}

impl Parts {
    /// The next `size` bytes. What is spare is one part, however many slots it is.
    fn add(&mut self, size: u64, kind: PartKind, name: &str) {
        let before = self.list.last_mut().filter(|before| before.kind == kind);
        match before.filter(|before| kind == PartKind::Spare && before.name == name) {
            Some(before) => before.size += Bytes(size),
            None if size > 0 => {
                let name = name.to_owned();
                self.list.push(Part { offset: self.end, size: Bytes(size), kind, name });
            }
            None => {}
        }
        self.end += size;
    }

    /// All bytes before `end` that have no part yet.
    fn up_to(&mut self, end: u64, kind: PartKind, name: &str) {
        self.add(end.saturating_sub(self.end), kind, name);
    }
}

fn object_parts<M: Memory>(
    bench: &Bench<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    before: u64,
    requested: u64,
) -> Parts {
    let layout = bench.layout();
    let mut parts = Parts::default();
    let managed_weakref = info.has(flag::MANAGED_WEAKREF) && layout.minor >= 12;
    if before >= PRE_HEADER + GC_HEAD {
        let first = match layout.minor {
            11 => "values",
            _ if managed_weakref => "__weakref__",
            _ => "unused",
        };
        parts.add(8, PartKind::PreHeader, first);
        let second = match (info.dict, layout.minor) {
            (DictPlace::Managed, 12) => "values or __dict__",
            (DictPlace::Managed, _) => "__dict__",
            _ => "unused",
        };
        parts.add(8, PartKind::PreHeader, second);
    }
    if before >= GC_HEAD {
        parts.add(GC_HEAD, PartKind::GcHead, "");
    }
    parts.add(8, PartKind::Header, "reference count");
    parts.add(OBJECT_SIZE - 8, PartKind::Header, "type");
    if info.item_size > 0 || HAVE_LENGTH.contains(&info.family) {
        parts.add(8, PartKind::Header, "length");
    }

    let mut fields: Vec<(u64, &str)> =
        info.fields.iter().map(|field| (field.offset, bench.types.names.get(field.name))).collect();
    if let DictPlace::Offset(offset) = info.dict
        && let Ok(offset) = u64::try_from(offset)
    {
        fields.push((offset, "__dict__"));
    }
    if info.weaklist_offset > 0 {
        fields.push((info.weaklist_offset, "__weakref__"));
    }
    fields.sort_unstable();
    for (offset, name) in fields {
        let at = before + offset;
        if at >= parts.end && at + 8 <= requested {
            parts.up_to(at, PartKind::Struct, "");
            parts.add(8, PartKind::Field, name);
        }
    }
    let inline = layout.minor >= 13 && info.has(flag::INLINE_VALUES);
    parts.up_to((before + info.basic_size).min(requested), PartKind::Struct, "");
    if inline && before + info.basic_size < requested {
        values_parts(
            bench,
            info.cached_keys,
            addr + info.basic_size,
            requested - before - info.basic_size,
            &mut parts,
        );
    } else if requested > parts.end {
        parts.up_to(requested, PartKind::Items, items_of(info.family));
    }
    parts
}

/// Objects with a length whose items are elsewhere.
const HAVE_LENGTH: [Family; 5] =
    [Family::List, Family::ByteArray, Family::Array, Family::Deque, Family::MemoryView];

fn items_of(family: Family) -> &'static str {
    match family {
        Family::Str => "characters",
        Family::Int => "digits",
        Family::Bytes => "bytes",
        Family::Code => "bytecode",
        Family::Frame | Family::Generator | Family::Coroutine => "frame",
        Family::Type | Family::CType => "members",
        _ => "items",
    }
}

/// What a buffer is for, and what is in it.
fn buffer_parts<M: Memory>(
    bench: &Bench<'_, M>,
    info: &TypeInfo,
    addr: Addr,
    block: &Block,
) -> (&'static str, Parts) {
    let mut parts = Parts::default();
    let requested = block.requested.0;
    let name = match info.family {
        Family::List => {
            let length = bench.cx.memory.word(addr + OB_SIZE).unwrap_or(0).saturating_mul(8);
            parts.add(length.min(requested), PartKind::Items, "items");
            parts.up_to(requested, PartKind::Spare, "items");
            "items"
        }
        Family::Dict | Family::OrderedDict => match keys_of(bench, addr) {
            Some(keys) if keys.start == block.address => {
                keys_parts(bench, &keys, &mut parts);
                "keys table"
            }
            Some(keys) if info.family == Family::Dict => {
                values_parts(bench, keys.start, block.address, requested, &mut parts);
                "values"
            }
            _ => "table",
        },
        _ if info.dict == DictPlace::Managed && bench.layout().minor <= 12 && info.python => {
            values_parts(bench, info.cached_keys, block.address, requested, &mut parts);
            "values"
        }
        Family::Set => "table",
        Family::Str => "characters",
        Family::NdArray | Family::Array | Family::ByteArray => "data",
        _ => "buffer",
    };
    (name, parts)
}

fn keys_of<M: Memory>(bench: &Bench<'_, M>, dict: Addr) -> Option<dict::Keys> {
    let at = bench.cx.memory.word(dict + bench.layout().dict.keys)?;
    dict::keys(bench.cx.memory, bench.layout(), Addr(at))
}

fn keys_parts<M: Memory>(bench: &Bench<'_, M>, keys: &dict::Keys, parts: &mut Parts) {
    parts.add(bench.layout().keys.indices, PartKind::Header, "");
    parts.up_to(keys.entries.since(keys.start), PartKind::Struct, "index");
    parts.add(keys.filled * keys.entry_size, PartKind::Items, "entries");
    parts.up_to(keys.size, PartKind::Spare, "entries");
}

/// Values by the names that a keys table has for them: those of an instance, or of its dict.
fn values_parts<M: Memory>(
    bench: &Bench<'_, M>,
    keys: Addr,
    start: Addr,
    size: u64,
    parts: &mut Parts,
) {
    let layout = bench.layout();
    let memory = bench.cx.memory;
    let from = parts.end;
    let Some(keys) = dict::keys(memory, layout, keys) else { return };
    // Behind the values in 3.13 and later, in front of them in 3.11 and 3.12: in which order the
    // attributes were set.
    let (head, room) = match layout.minor {
        ..=10 => (0, size / 8),
        11 | 12 => {
            // A byte of order for each value, and two more, to whole words.
            let room =
                (1..=size / 8).rev().find(|room| room * 8 + (room + 2).next_multiple_of(8) <= size);
            let room = room.unwrap_or(0);
            (size - room * 8, room)
        }
        _ => {
            let capacity = layout.values.capacity.and_then(|at| memory.array::<1>(start + at));
            (layout.values.items, capacity.map_or(0, |[capacity]| u64::from(capacity)))
        }
    };
    parts.add(head.min(size), PartKind::Struct, "order of attributes");
    for index in 0..room {
        let entry = keys.entries + index * keys.entry_size;
        let name = (index < keys.filled)
            .then(|| memory.word(entry + (keys.entry_size - 16)))
            .flatten()
            .and_then(|key| text::read_str(memory, layout, Addr(key)));
        let used = memory.word(start + head + index * 8).is_some_and(|value| value != 0);
        match name {
            Some(name) if used => parts.add(8, PartKind::Field, &name),
            _ => parts.add(8, PartKind::Spare, "attributes"),
        }
    }
    parts.up_to(from + size, PartKind::Struct, "order of attributes");
}
