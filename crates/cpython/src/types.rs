//! What a type object says about its instances: read once a type, then looked up by address.

use std::rc::Rc;

use deadweight_heap::{Addr, EdgeKind, Interner, NameId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::family::{self, Family};
use crate::fields;
use crate::layout::{GC_HEAD, Layout, OB_SIZE, OB_TYPE, OBJECT_SIZE, PRE_HEADER};
use crate::memory::{Memory, addr_at, c_string, u32_at, u64_at};
use crate::object::{dict, entries};
use crate::text;

/// Flags of `tp_flags` (object.h).
pub(crate) mod flag {
    pub(crate) const INLINE_VALUES: u64 = 1 << 2;
    pub(crate) const MANAGED_WEAKREF: u64 = 1 << 3;
    pub(crate) const MANAGED_DICT: u64 = 1 << 4;
    pub(crate) const HEAP_TYPE: u64 = 1 << 9;
    pub(crate) const HAVE_GC: u64 = 1 << 14;
    pub(crate) const UNICODE_SUBCLASS: u64 = 1 << 28;
    pub(crate) const TYPE_SUBCLASS: u64 = 1 << 31;
}

/// `sizeof(PyMemberDef)` and the offsets in it (descrobject.h): name, type, offset.
const MEMBER_SIZE: u64 = 40;
const MEMBER_TYPE: u64 = 8;
const MEMBER_OFFSET: u64 = 16;
/// `Py_T_OBJECT_EX` and the older `T_OBJECT`: a strong reference.
const OBJECT_MEMBERS: [u32; 2] = [16, 6];

/// No real type is larger; anything that claims to be is no type.
const LARGEST_BASIC_SIZE: u64 = 1 << 20;
/// No chain of bases is longer.
const LONGEST_CHAIN: usize = 512;

/// A reference at a fixed place in every instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) offset: u64,
    pub(crate) kind: EdgeKind,
    pub(crate) name: NameId,
    /// Whether the type's `tp_traverse` visits it.
    pub(crate) visible: bool,
}

/// Where instances keep their attribute dict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DictPlace {
    None,
    /// A pointer in the object; negative counts from the end of the object with its items.
    Offset(i64),
    /// In front of the object, and possibly as inline values: version by version.
    Managed,
}

/// One type.
#[derive(Debug)]
pub(crate) struct TypeInfo {
    /// Its row in the table.
    pub(crate) row: u32,
    pub(crate) addr: Addr,
    pub(crate) name: NameId,
    pub(crate) module: NameId,
    pub(crate) basic_size: u64,
    pub(crate) item_size: u64,
    pub(crate) flags: u64,
    /// Made by a `class` statement.
    pub(crate) python: bool,
    /// Bytes of an instance's block in front of the object: GC head, pre-header.
    pub(crate) before: u64,
    pub(crate) family: Family,
    pub(crate) fields: Box<[Field]>,
    /// Ranges of the body that no layout of ours covers: scanned for words that look like references.
    pub(crate) unknown: Box<[(u64, u64)]>,
    pub(crate) dict: DictPlace,
    pub(crate) weaklist_offset: u64,
    /// Struct sequences hold more items than their length says.
    pub(crate) sequence_fields: Option<u64>,
    /// Keys table shared by the instances' attribute dicts.
    pub(crate) cached_keys: Addr,
    /// Where a container of the package's own says that its entries lie.
    pub(crate) entries: Option<entries::Entries>,
    /// Instances refer to nothing, ever.
    pub(crate) leaf: bool,
}

impl TypeInfo {
    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// Whether instances can be tracked by the collector. For types themselves it depends on the
    /// instance: static types are not.
    pub(crate) fn has_gc(&self) -> bool {
        self.has(flag::HAVE_GC)
    }
}

/// All types met so far.
#[derive(Debug)]
pub(crate) struct TypeTable {
    pub(crate) names: Interner,
    pub(crate) rows: Vec<Rc<TypeInfo>>,
    by_addr: FxHashMap<Addr, Option<u32>>,
    /// Types found last, by the low bits of their address.
    recent: Box<[(Addr, u32); RECENT]>,
    type_type: Addr,
    /// Of this patch release: see [`fields::visits_late_fields`].
    visits_late_fields: bool,
}

const RECENT: usize = 256;

/// Addresses known not to be types are remembered, but not without bound.
const MOST_REJECTED: usize = 1 << 20;

impl TypeTable {
    pub(crate) fn new(type_type: Addr, minor: u32, micro: u32, names: Interner) -> TypeTable {
        TypeTable {
            names,
            rows: Vec::new(),
            by_addr: FxHashMap::default(),
            recent: Box::new([(Addr::NULL, 0); RECENT]),
            type_type,
            visits_late_fields: fields::visits_late_fields(minor, micro),
        }
    }

    /// The type at an address, or `None` if there is no type there.
    #[inline]
    pub(crate) fn get<M: Memory>(
        &mut self,
        memory: &M,
        layout: &Layout,
        addr: Addr,
    ) -> Option<&Rc<TypeInfo>> {
        // Type objects are 16-aligned; their lowest bits say nothing.
        let slot = (addr.0 >> 4) as usize % RECENT;
        let (known, row) = self.recent[slot];
        if known == addr && !addr.is_null() {
            return self.rows.get(row as usize);
        }
        let row = match self.by_addr.get(&addr) {
            Some(&known) => known?,
            None => self.resolve(memory, layout, addr)?,
        };
        self.recent[slot] = (addr, row);
        self.rows.get(row as usize)
    }

    /// The keys tables that types share with their instances.
    pub(crate) fn shared_keys(&self) -> FxHashSet<Addr> {
        let keys = self.rows.iter().map(|info| info.cached_keys);
        keys.filter(|keys| !keys.is_null()).collect()
    }

    /// Reads a type and its bases, base first, so that no recursion is needed.
    fn resolve<M: Memory>(&mut self, memory: &M, layout: &Layout, addr: Addr) -> Option<u32> {
        let mut chain = vec![addr];
        let mut base_row = None;
        loop {
            let top = *chain.last()?;
            let base = if chain.len() > LONGEST_CHAIN {
                None
            } else {
                type_base(memory, layout, self.type_type, top)
            };
            let Some(base) = base else {
                self.reject(addr);
                return None;
            };
            if base.is_null() {
                break;
            }
            match self.by_addr.get(&base) {
                Some(Some(row)) => {
                    base_row = Some(*row);
                    break;
                }
                Some(None) => {
                    self.reject(addr);
                    return None;
                }
                None if chain.contains(&base) => {
                    self.reject(addr);
                    return None;
                }
                None => chain.push(base),
            }
        }
        while let Some(next) = chain.pop() {
            let base = base_row.and_then(|row| self.rows.get(row as usize)).cloned();
            let Some(info) = self.describe(memory, layout, next, base.as_deref()) else {
                self.reject(addr);
                return None;
            };
            let row = info.row;
            self.rows.push(Rc::new(info));
            self.by_addr.insert(next, Some(row));
            base_row = Some(row);
        }
        base_row
    }

    fn reject(&mut self, addr: Addr) {
        if self.by_addr.len() < MOST_REJECTED {
            self.by_addr.insert(addr, None);
        }
    }

    fn describe<M: Memory>(
        &mut self,
        memory: &M,
        layout: &Layout,
        addr: Addr,
        base: Option<&TypeInfo>,
    ) -> Option<TypeInfo> {
        let t = &layout.type_;
        let mut scratch = Vec::new();
        let body = memory.bytes(addr, t.size as usize, &mut scratch)?.to_vec();
        let flags = u64_at(&body, t.flags);
        let basic_size = u64_at(&body, t.basic_size);
        let item_size = u64_at(&body, t.item_size);
        if basic_size > LARGEST_BASIC_SIZE || item_size > LARGEST_BASIC_SIZE {
            return None;
        }
        let heap_type = flags & flag::HEAP_TYPE != 0;
        let heap_body = if heap_type {
            let mut scratch = Vec::new();
            memory.bytes(addr, layout.heap_type.size as usize, &mut scratch)?.to_vec()
        } else {
            Vec::new()
        };
        let native_name = c_string(memory, addr_at(&body, t.name), 512)?;
        let python = heap_type && is_python_made(memory, layout, &body, &heap_body);
        let dict = addr_at(&body, t.dict);
        let (module, full) = if heap_type {
            heap_type_name(memory, layout, dict, &heap_body, &native_name)
        } else {
            match native_name.rsplit_once('.') {
                Some((module, _)) => (module.to_string(), native_name.clone()),
                None => (String::new(), native_name.clone()),
            }
        };

        let before = before_object(layout, flags);
        let mut family = base.map_or(Family::Plain, |base| base.family);
        let mut all: Vec<Field> = base.map_or(Vec::new(), |base| base.fields.to_vec());
        let mut unknown: Vec<(u64, u64)> = base.map_or(Vec::new(), |base| base.unknown.to_vec());
        let own_start = base.map_or(OBJECT_SIZE, |base| base.basic_size.max(OBJECT_SIZE));
        let dict_offset = u64_at(&body, t.dict_offset).cast_signed();
        let weaklist = u64_at(&body, t.weaklist_offset).cast_signed();

        let mut entries = base.and_then(|base| base.entries);
        let is_ours = heap_type && !python && native_name.starts_with(entries::MODULE);
        let own_entries = is_ours.then(|| entries::of_class(memory, layout, dict)).flatten();
        if python {
            self.add_members(memory, layout, &body, &mut all);
        } else if let Some(known) = family::of_name(&native_name) {
            family = known;
        } else if let Some(rows) = fields::of(&native_name, layout.minor) {
            for &(offset, name) in rows {
                all.push(self.field(offset, name));
            }
        } else if let Some(found) = own_entries {
            entries = Some(found);
        } else if basic_size > own_start {
            self.add_members(memory, layout, &body, &mut all);
            unknown.push((own_start, basic_size));
        }
        all.sort_by_key(|field| field.offset);
        all.dedup_by_key(|field| field.offset);

        let place = if layout.minor >= 11 && flags & flag::MANAGED_DICT != 0 {
            DictPlace::Managed
        } else if dict_offset != 0 && !family.has_own_dict() {
            DictPlace::Offset(dict_offset)
        } else {
            DictPlace::None
        };
        if let DictPlace::Offset(offset) = place
            && offset > 0
        {
            all.retain(|field| field.offset != offset.cast_unsigned());
        }
        let sequence_fields = if family == Family::Tuple && !python && dict.is_null() {
            // A static type of 3.12+, whose dict the interpreter keeps: it describes all its fields.
            Some(count_members(memory, addr_at(&body, t.members)))
        } else if family == Family::Tuple && !python {
            dict::get(memory, layout, dict, "n_fields")
                .and_then(|value| crate::object::int::small(memory, layout, value))
                .and_then(|value| u64::try_from(value).ok())
                .filter(|&fields| fields < 1 << 20)
        } else {
            base.and_then(|base| base.sequence_fields)
        };
        let leaf = family.is_payload()
            && all.is_empty()
            && unknown.is_empty()
            && place == DictPlace::None
            && !heap_type;
        let cached_keys =
            if heap_type { addr_at(&heap_body, layout.heap_type.cached_keys) } else { Addr::NULL };
        Some(TypeInfo {
            row: self.rows.len() as u32,
            addr,
            name: self.names.intern(&full),
            module: self.names.intern(&module),
            basic_size,
            item_size,
            flags,
            python,
            before,
            family,
            fields: all.into(),
            unknown: unknown.into(),
            dict: place,
            weaklist_offset: if weaklist > 0 { weaklist.cast_unsigned() } else { 0 },
            sequence_fields,
            cached_keys,
            entries,
            leaf,
        })
    }

    /// A field by its name in the tables; `fields.rs` says what the marks mean.
    fn field(&mut self, offset: u64, name: &str) -> Field {
        let visible =
            !name.starts_with(['-', '~']) && (self.visits_late_fields || !name.starts_with('+'));
        let weak = name.starts_with('~');
        let name = name.trim_start_matches(['-', '~', '+']);
        let inner = name.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
        let kind = match (weak, inner) {
            (true, _) => EdgeKind::Weak,
            (false, Some(_)) => EdgeKind::Internal,
            (false, None) => EdgeKind::Attribute,
        };
        Field { offset, kind, name: self.names.intern(inner.unwrap_or(name)), visible }
    }

    /// The object members a type describes itself (`__slots__`, or a C type's `tp_members`).
    fn add_members<M: Memory>(
        &mut self,
        memory: &M,
        layout: &Layout,
        body: &[u8],
        out: &mut Vec<Field>,
    ) {
        let members = addr_at(body, layout.type_.members);
        if members.is_null() {
            return;
        }
        // A heap type has one for each of its items; a static type's end with one without a name.
        let heap_type = u64_at(body, layout.type_.flags) & flag::HEAP_TYPE != 0;
        let most = if heap_type { u64_at(body, OB_SIZE).min(1 << 16) } else { 1 << 10 };
        let basic_size = u64_at(body, layout.type_.basic_size);
        let mut scratch = Vec::new();
        for index in 0..most {
            let at = members + index * MEMBER_SIZE;
            let Some(member) = memory.bytes(at, MEMBER_SIZE as usize, &mut scratch) else { return };
            let name = addr_at(member, 0);
            if name.is_null() {
                return;
            }
            let offset = u64_at(member, MEMBER_OFFSET);
            let is_object = OBJECT_MEMBERS.contains(&u32_at(member, MEMBER_TYPE));
            let fits = offset >= OBJECT_SIZE && offset.saturating_add(8) <= basic_size;
            if is_object
                && fits
                && offset.is_multiple_of(8)
                && let Some(name) = c_string(memory, name, 512)
            {
                let name = self.names.intern(&name);
                out.push(Field { offset, kind: EdgeKind::Attribute, name, visible: true });
            }
        }
    }
}

/// How many members a static type describes.
fn count_members<M: Memory>(memory: &M, members: Addr) -> u64 {
    const MOST: u64 = 1 << 10;
    let named =
        |index: &u64| memory.word(members + index * MEMBER_SIZE).is_some_and(|name| name != 0);
    if members.is_null() { 0 } else { (0..MOST).take_while(named).count() as u64 }
}

/// The base of a type: `Some(null)` for `object`, `None` if this is no type object at all.
fn type_base<M: Memory>(memory: &M, layout: &Layout, type_type: Addr, addr: Addr) -> Option<Addr> {
    let t = &layout.type_;
    if !addr.0.is_multiple_of(8) || addr.is_null() {
        return None;
    }
    let mut scratch = Vec::new();
    let body = memory.bytes(addr, t.size as usize, &mut scratch)?;
    if !layout.object.refcount.is_alive(u64_at(body, 0)) || u64_at(body, t.flags) & 1 << 12 == 0 {
        // Bit 12 is Py_TPFLAGS_READY.
        return None;
    }
    let base = addr_at(body, t.base);
    if !is_metatype(memory, layout, type_type, addr_at(body, OB_TYPE)) {
        return None;
    }
    Some(base)
}

/// Whether an address is `type` or derives from it.
fn is_metatype<M: Memory>(memory: &M, layout: &Layout, type_type: Addr, addr: Addr) -> bool {
    let mut at = addr;
    for _ in 0..LONGEST_CHAIN {
        if at == type_type {
            return true;
        }
        let t = &layout.type_;
        if at.is_null() || !at.0.is_multiple_of(8) {
            return false;
        }
        let mut scratch = Vec::new();
        let Some(body) = memory.bytes(at, t.size as usize, &mut scratch) else { return false };
        if u64_at(body, t.flags) & flag::TYPE_SUBCLASS == 0 {
            return false;
        }
        at = addr_at(body, t.base);
    }
    false
}

/// Bytes of an instance's block in front of the object (object.h, `pycore_typeobject.h`:
/// `_PyType_PreHeaderSize`).
fn before_object(layout: &Layout, flags: u64) -> u64 {
    let pre_header = match layout.minor {
        ..=10 => 0,
        11 => flag::MANAGED_DICT,
        _ => flag::MANAGED_DICT | flag::MANAGED_WEAKREF,
    };
    let mut before = 0;
    if flags & flag::HAVE_GC != 0 {
        before += GC_HEAD;
    }
    if flags & pre_header != 0 {
        before += PRE_HEADER;
    }
    before
}

/// Whether a heap type was made by a `class` statement: then `tp_name` points into its own name
/// object (typeobject.c, `type_new_set_names`); types made from a C spec have a name of their own.
fn is_python_made<M: Memory>(memory: &M, layout: &Layout, body: &[u8], heap_body: &[u8]) -> bool {
    let name = addr_at(heap_body, layout.heap_type.name);
    let pointer = addr_at(body, layout.type_.name);
    let mut scratch = Vec::new();
    let Some(bytes) = memory.bytes(name, layout.str.ascii_size as usize, &mut scratch) else {
        return false;
    };
    let shape = text::StrShape::of(layout, bytes);
    if shape.compact && shape.ascii {
        return pointer == name + layout.str.ascii_size;
    }
    // Also of an instance of a subclass of `str`: its characters are apart, ASCII or not.
    memory.word(name + layout.str.utf8) == Some(pointer.0)
}

/// Module and full name of a heap type: `__module__` of its dict and its qualified name.
fn heap_type_name<M: Memory>(
    memory: &M,
    layout: &Layout,
    dict: Addr,
    heap_body: &[u8],
    native_name: &str,
) -> (String, String) {
    let module = dict::get(memory, layout, dict, "__module__")
        .and_then(|value| text::read_str(memory, layout, value))
        .unwrap_or_default();
    let qualname = text::field(memory, layout, heap_body, layout.heap_type.qualname)
        .unwrap_or_else(|| native_name.rsplit('.').next().unwrap_or(native_name).to_string());
    if module.is_empty() || module == "builtins" {
        return (String::new(), qualname);
    }
    let full = format!("{module}.{qualname}");
    (module, full)
}
