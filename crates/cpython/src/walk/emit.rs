//! The second pass: sizes and named references, object by object in the order of memory.

use deadweight_heap::{
    Addr, BuildError, Bytes, EdgeKind, Heap, HeapBuilder, Interner, Label, Layer, NameId,
    NodeFlags, NodeId, Pymalloc, RootKind, SizeModel, TypeId, TypeKind, TypeRow,
};
use rustc_hash::{FxHashMap, FxHashSet};

use super::mark::Marks;
use super::scales::{getsizeof, is_tracked};
use super::{Adopted, Ledger, Subject, WalkOptions, cached_ints};
use crate::allowance::Allowance;
use crate::arenas::Arenas;
use crate::bitmap::{Bitmap, Ranked};
use crate::blocks::{Allocators, FittedBlock, Held, Requested};
use crate::family::Family;
use crate::header::Header;
use crate::holders::{FrameAt, Holder, Named};
use crate::layout::{GC_HEAD, PRE_HEADER};
use crate::memory::Memory;
use crate::object::{self, Context, Grounds, Link, Visitor};
use crate::space::{Granule, Place, Space};
use crate::text;
use crate::types::{TypeInfo, TypeTable};

/// Keys longer than this are not kept, even with `--values`.
const LONGEST_KEY: usize = 64;

/// References that words outside the regions may hold: those of interpreters and threads.
const MOST_OUTSIDE: u64 = 1 << 16;

/// Records objects.
pub(super) struct Emitter<'a, M> {
    subject: &'a Subject<'a, Allowance<'a, M>>,
    cx: &'a Context<'a, Allowance<'a, M>>,
    space: &'a Space,
    ranked: Ranked,
    named: Bitmap,
    certain: Option<Bitmap>,
    /// Blocks that have their owner.
    claimed: Bitmap,
    namespaces: Bitmap,
    closures: FxHashMap<Addr, Addr>,
    types: TypeTable,
    layers: FxHashMap<Addr, Layer>,
    adopters: Vec<Holder>,
    type_keys: FxHashSet<Addr>,
    options: WalkOptions<'a>,
    /// How many references to make room for.
    references: usize,
    /// Names of `str` objects met as labels.
    name_of: FxHashMap<Addr, NameId>,
}

/// What the pass made.
pub(super) struct Emitted {
    pub(super) heap: Heap,
    /// Objects or buffers that could not be read whole.
    pub(super) unreadable: u64,
    pub(super) pymalloc: Option<Pymalloc>,
    pub(super) lists: Vec<NodeId>,
}

impl<'a, M: Memory> Emitter<'a, M> {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once; a struct of them would say no more"
    )]
    pub(super) fn new(
        subject: &'a Subject<'a, Allowance<'a, M>>,
        cx: &'a Context<'a, Allowance<'a, M>>,
        space: &'a Space,
        marks: Marks,
        named: Bitmap,
        adopted: Adopted,
        type_keys: FxHashSet<Addr>,
        options: WalkOptions<'a>,
    ) -> Self {
        Emitter {
            subject,
            cx,
            space,
            ranked: Ranked::new(marks.seen),
            named,
            certain: marks.certain,
            claimed: Bitmap::new(space.granules()),
            namespaces: marks.namespaces,
            closures: marks.closures,
            types: adopted.types,
            layers: adopted.layers,
            adopters: adopted.holders,
            type_keys,
            options,
            references: marks.references as usize,
            name_of: FxHashMap::default(),
        }
    }

    pub(super) fn emit<L: Ledger>(
        mut self,
        named: Named,
        listed: Vec<u32>,
        arenas: Option<&Arenas>,
        ledger: &mut L,
    ) -> Result<Emitted, BuildError> {
        let objects = self.ranked.bits().count() as usize;
        let mut builder = HeapBuilder::with_capacity(model(self.cx), objects + 64, self.references);
        builder.names = std::mem::take(&mut self.types.names);
        let mut holders = named.holders;
        holders.append(&mut self.adopters);
        let first_object = holders.len() as u32 + 2;
        let type_base = self.push_types(&mut builder, &holders);
        self.push_holders(&mut builder, &named.modules, &holders, first_object)?;

        let allocators = Allocators::new(self.subject.memory, arenas);
        let mut sink = Sink {
            subject: self.subject,
            cx: self.cx,
            space: self.space,
            ranked: &self.ranked,
            claimed: self.claimed,
            namespaces: &self.namespaces,
            closures: &self.closures,
            type_keys: &self.type_keys,
            cached_ints: cached_ints(self.subject),
            name_of: self.name_of,
            options: self.options,
            builder,
            ledger,
            lead: arenas.map_or(0, Arenas::lead),
            allocators,
            first_object,
            most_references: self.subject.memory.words() + MOST_OUTSIDE,
            held: Held::default(),
            in_doubt: false,
            unreadable: 0,
        };
        let mut mismatched = 0;
        for Place { granule, addr, is_static } in self.space.places(self.ranked.bits().iter()) {
            // Every object seen must get its row, whatever is left of the allowance.
            let memory = self.subject.memory.unbounded();
            let Some(header) = Header::read(memory, addr) else { continue };
            let layout = &self.subject.runtime.layout;
            let Some(info) = self.types.get(memory, layout, header.type_addr).cloned() else {
                continue;
            };
            let layer = if self.named.has(granule) {
                Layer::Named
            } else {
                self.layers.get(&addr).copied().unwrap_or(Layer::Named)
            };
            let flags = sink.flags(&info, addr, header.refcount, is_static).in_layer(layer);
            let type_id = TypeId(type_base + info.row);
            sink.in_doubt = self.certain.as_ref().is_some_and(|certain| !certain.has(granule));
            mismatched += u64::from(!sink.object(&info, addr, type_id, flags, is_static)?);
        }
        let unreadable = sink.unreadable;
        let pymalloc = arenas.map(|arenas| sink.sweep(arenas));
        let heap = sink.builder.finish()?;
        let rank = |granule| self.ranked.rank(Granule(u64::from(granule)));
        let lists =
            listed.into_iter().filter_map(rank).map(|rank| NodeId(first_object + rank)).collect();
        Ok(Emitted { heap, unreadable: unreadable + mismatched, pymalloc, lists })
    }

    /// Rows for pseudo nodes, then one for each type of the target; returns the number of its first.
    fn push_types(&mut self, builder: &mut HeapBuilder, holders: &[Holder]) -> u32 {
        let mut pseudo = vec!["<root>", "<immortal>"];
        for holder in holders {
            if !pseudo.contains(&holder.type_name) {
                pseudo.push(holder.type_name);
            }
        }
        for name in &pseudo {
            builder.add_pseudo_type(name);
        }
        for info in &self.types.rows {
            builder.add_type_row(TypeRow {
                name: info.name,
                module: info.module,
                address: info.addr,
                basic_size: info.basic_size as u32,
                item_size: info.item_size as u32,
                kind: if info.python { TypeKind::Python } else { TypeKind::Native },
                getsizeof: Bytes(0),
            });
        }
        pseudo.len() as u32
    }

    fn is_class(&mut self, addr: Addr) -> bool {
        let (memory, layout) = (self.subject.memory.unbounded(), &self.subject.runtime.layout);
        let header = Header::read(memory, addr);
        let info = header.and_then(|header| self.types.get(memory, layout, header.type_addr));
        info.is_some_and(|info| info.family.is_type())
    }

    /// The root, the owner of immortal objects, and the holders.
    fn push_holders(
        &mut self,
        builder: &mut HeapBuilder,
        modules: &[(String, Addr)],
        holders: &[Holder],
        first_object: u32,
    ) -> Result<(), BuildError> {
        let type_of = |builder: &mut HeapBuilder, name: &str| {
            let wanted = builder.names.intern(name);
            builder.find_type(wanted).unwrap_or_default()
        };
        let root_type = type_of(builder, "<root>");
        builder.push_pseudo(root_type, Addr::NULL)?;
        for (name, module) in modules {
            // A class there (`typing.io`, to 3.12) is an attribute of a real module too. As a root it would be
            // the shortest path to what all classes lead to, such as `object`.
            if self.is_class(*module) {
                continue;
            }
            if let Some(node) = self.node(*module, first_object) {
                let name = builder.names.intern(name);
                let row = builder.add_root(RootKind::Module, name, node);
                builder.push_edge(node, Label::at(EdgeKind::Root, u64::from(row)));
            }
        }
        let immortal = (RootKind::Immortal, NodeId(1), NameId(0));
        let mut roots = vec![immortal];
        for (number, holder) in holders.iter().enumerate() {
            if let Some((kind, name)) = &holder.root {
                let name = builder.names.intern(name);
                roots.push((*kind, NodeId::from(number + 2), name));
            }
        }
        roots.sort_by_key(|&(kind, node, _)| (kind, node));
        for (kind, node, name) in roots {
            let row = builder.add_root(kind, name, node);
            builder.push_edge(node, Label::at(EdgeKind::Root, u64::from(row)));
        }
        let immortal_type = type_of(builder, "<immortal>");
        builder.push_pseudo(immortal_type, Addr::NULL)?;
        for holder in holders {
            let type_id = type_of(builder, holder.type_name);
            builder.push_pseudo(type_id, holder.address)?;
            for (frame, title) in &holder.frames {
                let target = match *frame {
                    FrameAt::Holder(number) => Some(NodeId::from(number + 2)),
                    FrameAt::Object(addr) => self.node(addr, first_object),
                };
                let name = builder.names.intern(title);
                if let Some(target) = target {
                    builder.push_edge(target, Label::named(EdgeKind::Frame, name));
                }
            }
            for &(target, link, grounds) in &holder.references {
                let Some(node) = self.node(target, first_object) else { continue };
                let label = label(
                    self.cx,
                    &mut builder.names,
                    &mut self.name_of,
                    self.options.values,
                    link,
                );
                let conservative = grounds.is_conservative();
                builder.push_edge(node, if conservative { label.conservative() } else { label });
            }
        }
        Ok(())
    }

    fn node(&self, addr: Addr, first_object: u32) -> Option<NodeId> {
        let rank = self.ranked.rank(self.space.granule(addr)?)?;
        Some(NodeId(first_object + rank))
    }
}

/// Where the decoders' words become rows.
struct Sink<'a, M, L> {
    subject: &'a Subject<'a, Allowance<'a, M>>,
    cx: &'a Context<'a, Allowance<'a, M>>,
    space: &'a Space,
    ranked: &'a Ranked,
    claimed: Bitmap,
    namespaces: &'a Bitmap,
    closures: &'a FxHashMap<Addr, Addr>,
    type_keys: &'a FxHashSet<Addr>,
    cached_ints: FxHashSet<Addr>,
    name_of: FxHashMap<Addr, NameId>,
    options: WalkOptions<'a>,
    builder: HeapBuilder,
    ledger: &'a mut L,
    /// Bytes of a block in front of what was asked for.
    lead: u64,
    allocators: Allocators<'a, Allowance<'a, M>>,
    first_object: u32,
    /// A reference takes a word, so there are no more than words; claims to the contrary are not
    /// believed.
    most_references: u64,
    /// Blocks of the object being recorded.
    held: Held,
    /// It was found by a word that looks like a reference: a thread may have been about to fill it.
    in_doubt: bool,
    unreadable: u64,
}

impl<M: Memory, L: Ledger> Sink<'_, M, L> {
    fn flags(&self, info: &TypeInfo, addr: Addr, refcount: u64, is_static: bool) -> NodeFlags {
        let mut bits = 0;
        let layout = &self.subject.runtime.layout;
        let cached = info.family == Family::Int && self.cached_ints.contains(&addr);
        if cached || is_static || layout.object.refcount.is_immortal(refcount) {
            bits |= NodeFlags::INTERPRETER;
        }
        if is_tracked(self.subject, info, addr) {
            bits |= NodeFlags::TRACKED;
        }
        NodeFlags(bits)
    }

    /// Records one object; `false` if its own bytes were not there.
    fn object(
        &mut self,
        info: &TypeInfo,
        addr: Addr,
        type_id: TypeId,
        flags: NodeFlags,
        is_static: bool,
    ) -> Result<bool, BuildError> {
        self.held = Held::default();
        self.builder.push_object(addr, type_id, Bytes(0), Bytes(0), flags)?;
        let sizes = object::decode(self.cx, info, addr, self);
        let whole = sizes.is_some();
        let sizes = sizes.unwrap_or_default();
        if is_static {
            self.held.in_image(sizes.body);
        } else {
            let start = addr - info.before;
            let whole = info.before.saturating_add(sizes.body);
            self.own(start, Requested::exactly(whole));
        }
        self.builder.set_sizes(
            Bytes(self.held.bytes),
            Bytes(self.held.requested),
            self.held.modelled,
        );
        let minor = self.subject.runtime.layout.minor;
        let getsizeof = getsizeof(minor, info, sizes, is_static);
        self.builder.add_getsizeof(type_id, Bytes(getsizeof));
        Ok(whole)
    }

    /// A block of the object being recorded.
    fn own(&mut self, start: Addr, requested: Requested) -> bool {
        let Some(granule) = self.space.granule(start - self.lead) else { return true };
        if !requested.is_possible(self.subject.memory, start) {
            self.unreadable += 1;
            return true;
        }
        if !self.claimed.insert(granule) {
            return false;
        }
        // The table of all empty dicts is static data.
        if self.space.is_static(start) {
            return true;
        }
        let FittedBlock { held, requested, .. } = self.allocators.fitted(start, requested);
        self.held.add(held, requested);
        self.ledger.owned(start - self.lead, held.bytes, held.small);
        true
    }

    /// Blocks in use that nobody owns, and the allocator's books.
    fn sweep(&mut self, arenas: &Arenas) -> Pymalloc {
        let mut owned = 0;
        let mut granule = self.space.neighbours();
        let mut books = arenas.each_live(self.subject.memory, |block| {
            if granule(block.start).is_some_and(|at| self.claimed.has(at)) {
                owned += block.size;
            } else {
                self.ledger.unowned(block.start, block.size);
            }
        });
        books.owned_blocks = Bytes(owned);
        books
    }
}

impl<M: Memory, L: Ledger> Visitor for Sink<'_, M, L> {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        if !grounds.is_followed(self.options.visible_from.is_some()) {
            return;
        }
        let Some(granule) = self.space.granule(target) else { return };
        let Some(rank) = self.ranked.rank(granule) else { return };
        if self.builder.references() as u64 >= self.most_references {
            self.unreadable += 1;
            return;
        }
        let values = self.options.values;
        let label = label(self.cx, &mut self.builder.names, &mut self.name_of, values, link);
        let conservative = grounds.is_conservative() || self.in_doubt;
        let label = if conservative { label.conservative() } else { label };
        self.builder.push_edge(NodeId(self.first_object + rank), label);
    }

    fn buffer(&mut self, start: Addr, requested: u64) -> bool {
        self.own(start, Requested::exactly(requested))
    }

    fn values(&mut self, start: Addr, requested: Requested) -> bool {
        self.own(start, requested)
    }

    fn shared_buffer(&mut self, start: Addr, requested: u64) {
        if !self.type_keys.contains(&start) {
            self.own(start, Requested::exactly(requested));
        }
    }

    fn compares(&self) -> bool {
        self.options.visible_from.is_some()
    }

    fn unreadable(&mut self) {
        self.unreadable += 1;
    }

    fn is_namespace(&self, dict: Addr) -> bool {
        self.space.granule(dict).is_some_and(|granule| self.namespaces.has(granule))
    }

    fn closure_code(&self, tuple: Addr) -> Option<Addr> {
        self.closures.get(&tuple).copied()
    }
}

/// Turns a link into a label.
#[inline]
fn label<M: Memory>(
    cx: &Context<'_, M>,
    names: &mut Interner,
    known: &mut FxHashMap<Addr, NameId>,
    values: bool,
    link: Link,
) -> Label {
    match link {
        Link::Named(kind, name) => Label::named(kind, name),
        Link::Static(kind, name) => Label::named(kind, names.intern(name)),
        Link::At(kind, index) => Label::at(kind, index),
        Link::Text(kind, text) => Label::named(kind, name_of(cx, names, known, text)),
        Link::Entry { index, key } => {
            if values
                && let Some(text) = text::read_str(cx.memory, cx.layout, key)
                && text.len() <= LONGEST_KEY
            {
                return Label::named(EdgeKind::NamedEntry, names.intern(&text));
            }
            Label::at(EdgeKind::Entry, index)
        }
    }
}

/// The name a `str` object holds; `?` for keys that are no `str`.
fn name_of<M: Memory>(
    cx: &Context<'_, M>,
    names: &mut Interner,
    known: &mut FxHashMap<Addr, NameId>,
    text: Addr,
) -> NameId {
    *known.entry(text).or_insert_with(|| {
        let name = text::read_str(cx.memory, cx.layout, text);
        names.intern(name.as_deref().unwrap_or("?"))
    })
}

/// The prices of this interpreter.
fn model<M>(cx: &Context<'_, M>) -> SizeModel {
    let minor = cx.layout.minor;
    SizeModel {
        gc_head: Bytes(GC_HEAD),
        pre_header: Bytes(if minor >= 11 { PRE_HEADER } else { 0 }),
        inline_values: minor >= 13,
        ..SizeModel::cpython_x86_64()
    }
}
