//! Type objects (Objects/typeobject.c): static ones of the interpreter and classes.

use deadweight_heap::EdgeKind;

use super::Image;
use super::dicts::KeysId;
use super::model::{Label, Obj, Sight};
use super::numbers::Python;

/// Offsets that all versions share (cpython/object.h).
const TP_NAME: u64 = 24;
const TP_FLAGS: u64 = 168;
const TP_WEAKLIST_OFFSET: u64 = 208;
const TP_MEMBERS: u64 = 240;
const TP_BASE: u64 = 256;
const TP_DICT: u64 = 264;
const TP_DICT_OFFSET: u64 = 288;
const TP_BASES: u64 = 336;
const TP_MRO: u64 = 344;
const TP_SUBCLASSES: u64 = 360;
/// `sizeof(PyMemberDef)` (descrobject.h): name, type, offset, flags, doc.
const MEMBER: u64 = 40;

/// `Py_TPFLAGS_…` (object.h).
pub(crate) mod flag {
    pub(crate) const INLINE_VALUES: u64 = 1 << 2;
    pub(crate) const MANAGED_WEAKREF: u64 = 1 << 3;
    pub(crate) const MANAGED_DICT: u64 = 1 << 4;
    pub(crate) const HEAP: u64 = 1 << 9;
    pub(crate) const BASE: u64 = 1 << 10;
    pub(crate) const READY: u64 = 1 << 12;
    pub(crate) const GC: u64 = 1 << 14;
    pub(crate) const INT: u64 = 1 << 24;
    pub(crate) const LIST: u64 = 1 << 25;
    pub(crate) const TUPLE: u64 = 1 << 26;
    pub(crate) const BYTES: u64 = 1 << 27;
    pub(crate) const STR: u64 = 1 << 28;
    pub(crate) const DICT: u64 = 1 << 29;
    pub(crate) const TYPE: u64 = 1 << 31;
}

/// The static types every image has.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Core {
    pub(crate) type_: Obj,
    pub(crate) object: Obj,
    pub(crate) none_type: Obj,
    pub(crate) int: Obj,
    pub(crate) float: Obj,
    pub(crate) str: Obj,
    pub(crate) bytes: Obj,
    pub(crate) list: Obj,
    pub(crate) tuple: Obj,
    pub(crate) dict: Obj,
    pub(crate) set: Obj,
    pub(crate) frozenset: Obj,
    pub(crate) cell: Obj,
    pub(crate) method: Obj,
    pub(crate) weakref: Obj,
    pub(crate) function: Obj,
    pub(crate) code: Obj,
    pub(crate) module: Obj,
    pub(crate) frame: Obj,
    pub(crate) generator: Obj,
}

/// What the image knows of a type.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    /// `module.qualname`, builtins bare.
    pub(crate) name: String,
    pub(crate) flags: u64,
    pub(crate) basic: u64,
    pub(crate) item: u64,
    /// `tp_dictoffset` where it is an offset.
    pub(crate) dict_offset: i64,
    /// Bytes in front of an instance.
    pub(crate) before: u64,
    pub(crate) heap: bool,
    pub(crate) keys: Option<KeysId>,
    /// `tp_members`, by name and offset.
    pub(crate) members: Vec<(String, u64)>,
}

impl Type {
    pub(crate) fn has_gc(&self) -> bool {
        self.flags & flag::GC != 0
    }

    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }
}

/// The numbers of a static type: `tp_basicsize` and so on, as `type.__basicsize__` shows them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spec<'a> {
    pub(crate) name: &'a str,
    pub(crate) basic: u64,
    pub(crate) item: u64,
    pub(crate) flags: u64,
    pub(crate) dict_offset: u64,
    pub(crate) weaklist_offset: u64,
}

impl Image {
    pub(super) fn add_core_types(&mut self) {
        let n = self.numbers.clone();
        let spec = |name, basic, item, flags| Spec { name, basic, item, flags, ..Spec::default() };
        let gc = flag::GC;
        let weak = if self.python == Python::V3_10 { "weakref" } else { "weakref.ReferenceType" };
        let generator_items = if self.since(Python::V3_11) { 8 } else { 0 };
        let code_items = if self.since(Python::V3_11) { 2 } else { 0 };
        let frame_basic = if self.since(Python::V3_11) {
            n.frame_object_data + n.frame_locals_plus
        } else {
            n.frame_object_data + 8
        };
        let type_spec = Spec {
            dict_offset: 264,
            weaklist_offset: 368,
            ..spec("type", n.heap_type_size, MEMBER, gc | flag::TYPE | flag::BASE)
        };
        let set = |name| Spec { weaklist_offset: 192, ..spec(name, 200, 0, gc) };
        let function = Spec {
            dict_offset: 88,
            weaklist_offset: 96,
            ..spec("function", n.function_size, 0, gc)
        };
        let module = Spec {
            dict_offset: 16,
            weaklist_offset: n.module_weaklist,
            ..spec("module", n.module_size, 0, gc)
        };
        let method = Spec { weaklist_offset: 32, ..spec("method", 48, 0, gc) };
        let legacy = n.str_legacy;
        // `type` first: it is the type of all the others, and of itself.
        self.core.type_ = Obj(self.objects.len());
        self.core.type_ = self.static_type(type_spec);
        self.symbols.type_type = deadweight_heap::Addr(self.address(self.core.type_));
        self.core.object = self.static_type(spec("object", 16, 0, flag::BASE));
        let base = flag::BASE;
        self.core = Core {
            none_type: self.static_type(spec("NoneType", 16, 0, 0)),
            int: self.static_type(spec("int", 24, 4, flag::INT | base)),
            float: self.static_type(spec("float", 24, 0, base)),
            str: self.static_type(spec("str", legacy, 0, flag::STR | base)),
            bytes: self.static_type(spec("bytes", 33, 1, flag::BYTES | base)),
            list: self.static_type(spec("list", 40, 0, gc | flag::LIST | base)),
            tuple: self.static_type(spec("tuple", n.tuple_items, 8, gc | flag::TUPLE | base)),
            dict: self.static_type(spec("dict", 48, 0, gc | flag::DICT | base)),
            set: self.static_type(set("set")),
            frozenset: self.static_type(set("frozenset")),
            cell: self.static_type(spec("cell", 24, 0, gc)),
            method: self.static_type(method),
            weakref: self.static_type(spec(weak, n.weakref_size, 0, gc | base)),
            function: self.static_type(function),
            code: self.static_type(spec("code", n.code_size, code_items, 0)),
            module: self.static_type(module),
            frame: self.static_type(spec("frame", frame_basic, 8, gc)),
            generator: self.static_type(spec("generator", n.generator_size, generator_items, gc)),
            ..self.core
        };
        self.none = self.static_object(self.core.none_type, 16);
        for object in (self.core.type_.0..self.none.0).map(Obj) {
            self.complete_static_type(object);
        }
        self.add_builtins(0);
    }

    /// A static type, without what needs other objects.
    fn static_type(&mut self, spec: Spec<'_>) -> Obj {
        let object = self.static_object(self.core.type_, self.numbers.type_size);
        let name = self.constant_text(spec.name);
        let at = self.address(object);
        let flags = spec.flags | flag::READY;
        self.memory.put_words(at + TP_NAME, &[name, spec.basic, spec.item]);
        self.memory.put_word(at + TP_FLAGS, flags);
        self.memory.put_word(at + TP_WEAKLIST_OFFSET, spec.weaklist_offset);
        self.memory.put_word(at + TP_DICT_OFFSET, spec.dict_offset);
        let info = Type {
            name: spec.name.to_string(),
            flags,
            basic: spec.basic,
            item: spec.item,
            dict_offset: spec.dict_offset.cast_signed(),
            before: if flags & flag::GC != 0 { 16 } else { 0 },
            heap: false,
            keys: None,
            members: Vec::new(),
        };
        self.types.insert(object, info);
        object
    }

    /// Base, bases, method resolution order and dict of a static type.
    fn complete_static_type(&mut self, object: Obj) {
        let at = self.address(object);
        let base = (object != self.core.object).then_some(self.core.object);
        if let Some(base) = base {
            let label = Label::attribute("__base__");
            self.refer(object, at + TP_BASE, label, Sight::Hidden, base);
        }
        let bases = self.tuple(base.as_slice());
        let order: Vec<Obj> = [Some(object), base].into_iter().flatten().collect();
        let order = self.tuple(&order);
        let fields = [(TP_BASES, "__bases__", bases), (TP_MRO, "__mro__", order)];
        self.attributes(object, Sight::Hidden, &fields);
        let dict = self.namespace(&[("__doc__", self.none)]);
        let label = Label::attribute("__dict__");
        if self.since(Python::V3_12) {
            // `tp_subclasses` is the number of a row of the interpreter's, plus one; the row has the
            // dict.
            let number = (object.0 - self.core.type_.0) as u64;
            self.memory.put_word(at + TP_SUBCLASSES, number + 1);
            let rows = self.interpreters[0].at + self.numbers.interpreter_static_types;
            let row = rows + number * self.numbers.static_type_size;
            self.memory.put_word(row, at);
            let place = row + self.numbers.static_type_dict;
            self.refer(object, place, label, Sight::Hidden, dict);
        } else {
            self.refer(object, at + TP_DICT, label, Sight::Hidden, dict);
        }
    }

    /// A type of an extension module, static, whose struct nobody here knows.
    pub(crate) fn native_type(&mut self, spec: Spec<'_>, members: &[(&str, u64)]) -> Obj {
        let object = self.static_type(spec);
        let at = self.address(object);
        let base = self.core.object;
        let fields = [(TP_BASE, "__base__", base)];
        self.attributes(object, Sight::Hidden, &fields);
        let dict = self.namespace(&[]);
        // Types of extensions keep their dict themselves, in every version.
        self.attributes(object, Sight::Hidden, &[(TP_DICT, "__dict__", dict)]);
        if !members.is_empty() {
            let array = self.reserve_static((members.len() as u64 + 1) * MEMBER);
            self.memory.zero(array, (members.len() as u64 + 1) * MEMBER);
            self.write_members(array, members);
            self.memory.put_word(at + TP_MEMBERS, array);
            let owned = members.iter().map(|&(name, offset)| (name.to_string(), offset));
            self.types.get_mut(&object).expect("a type just made").members = owned.collect();
        }
        object
    }

    /// `PyMemberDef` rows of strong references (`Py_T_OBJECT_EX`).
    fn write_members(&mut self, at: u64, members: &[(&str, u64)]) {
        for (index, &(name, offset)) in (0..).zip(members) {
            let name = self.constant_text(name);
            self.memory.put_words(at + index * MEMBER, &[name, 16, offset]);
        }
    }

    /// A class made by a `class` statement whose instances keep these attributes in a dict.
    pub(crate) fn class(&mut self, module: &str, name: &str, attributes: &[&str]) -> Obj {
        self.class_over(self.core.object, module, name, attributes)
    }

    /// The same, derived from a class or builtin type.
    pub(crate) fn class_over(
        &mut self,
        base: Obj,
        module: &str,
        name: &str,
        attributes: &[&str],
    ) -> Obj {
        let info = self.types[&base].clone();
        let mut flags = info.flags | flag::HEAP | flag::GC;
        let (mut basic, mut dict_offset, mut weaklist) = (info.basic, info.dict_offset, 0);
        match self.python {
            Python::V3_10 if dict_offset == 0 && info.item == 0 => {
                // `type_new_descriptors`: a pointer to the dict, then one to the weak references.
                dict_offset = basic.cast_signed();
                weaklist = basic + 8;
                basic += 16;
            }
            Python::V3_10 if dict_offset == 0 => {
                // Items come last, so the dict is found from the end.
                dict_offset = -8;
                basic += 8;
            }
            Python::V3_10 => {}
            _ => {
                flags |= flag::MANAGED_DICT;
                if self.python == Python::V3_11 && info.item == 0 && !info.has(flag::MANAGED_DICT) {
                    weaklist = basic;
                    basic += 8;
                }
                if self.since(Python::V3_12) {
                    flags |= flag::MANAGED_WEAKREF;
                }
                // Only where nothing else follows the header.
                if self.since(Python::V3_13) && basic == 16 {
                    flags |= flag::INLINE_VALUES;
                }
            }
        }
        let keys = self.shared_keys(attributes);
        let spec = Spec {
            name,
            basic,
            item: info.item,
            flags,
            dict_offset: dict_offset.cast_unsigned(),
            weaklist_offset: weaklist,
        };
        self.heap_type(base, module, spec, Some(keys), &[])
    }

    /// A class with `__slots__` and no dict.
    pub(crate) fn slotted(&mut self, module: &str, name: &str, slots: &[&str]) -> Obj {
        let basic = 16 + slots.len() as u64 * 8;
        let spec = Spec { name, basic, flags: flag::HEAP | flag::GC, ..Spec::default() };
        self.heap_type(self.core.object, module, spec, None, slots)
    }

    fn heap_type(
        &mut self,
        base: Obj,
        module: &str,
        spec: Spec<'_>,
        keys: Option<KeysId>,
        slots: &[&str],
    ) -> Obj {
        let metatype = self.types[&self.core.type_].clone();
        // `PyType_GenericAlloc`: one item more than asked for.
        let size = metatype.basic + (slots.len() as u64 + 1) * MEMBER;
        let object = self.object(self.core.type_, size);
        let at = self.address(object);
        let n = self.numbers.clone();
        let flags = spec.flags | flag::READY | flag::BASE;
        let name = self.str(spec.name);
        let text = self.address(name) + n.str_ascii;
        self.memory.put_words(at + 16, &[slots.len() as u64, text, spec.basic, spec.item]);
        self.memory.put_word(at + TP_FLAGS, flags);
        self.memory.put_word(at + TP_WEAKLIST_OFFSET, spec.weaklist_offset);
        self.memory.put_word(at + TP_DICT_OFFSET, spec.dict_offset);
        if !slots.is_empty() {
            let fields: Vec<(&str, u64)> =
                slots.iter().zip((16..).step_by(8)).map(|(&name, at)| (name, at)).collect();
            let members = at + n.heap_type_size;
            self.write_members(members, &fields);
            self.memory.put_word(at + TP_MEMBERS, members);
        }
        let bases = self.tuple(&[base]);
        let mut order = vec![object, base];
        if base != self.core.object {
            order.push(self.core.object);
        }
        let order = self.tuple(&order);
        let module_name = self.name(module);
        let dict = self.namespace(&[("__module__", module_name), ("__doc__", self.none)]);
        let visible = [
            (TP_BASE, "__base__", base),
            (TP_DICT, "__dict__", dict),
            (TP_BASES, "__bases__", bases),
            (TP_MRO, "__mro__", order),
        ];
        self.attributes(object, Sight::Visible, &visible);
        let qualname = self.str(spec.name);
        let hidden = [
            (n.heap_type_name, "__name__", name),
            (n.heap_type_qualname, "__qualname__", qualname),
        ];
        self.attributes(object, Sight::Hidden, &hidden);
        if !slots.is_empty() {
            let names: Vec<Obj> = slots.iter().map(|slot| self.name(slot)).collect();
            let names = self.tuple(&names);
            self.attributes(object, Sight::Hidden, &[(n.heap_type_slots, "__slots__", names)]);
        }
        if let Some(keys) = keys {
            self.own_keys(object, keys);
            self.memory.put_word(at + n.heap_type_keys, self.keys[keys.0].block.start);
        }
        // pycore_object.h, `_PyType_PreHeaderSize`.
        let pre = match self.python {
            Python::V3_10 => 0,
            Python::V3_11 => flag::MANAGED_DICT,
            _ => flag::MANAGED_DICT | flag::MANAGED_WEAKREF,
        };
        let info = Type {
            name: if module == "builtins" {
                spec.name.to_string()
            } else {
                format!("{module}.{}", spec.name)
            },
            flags,
            basic: spec.basic,
            item: spec.item,
            dict_offset: spec.dict_offset.cast_signed(),
            before: 16 + if flags & pre != 0 { 16 } else { 0 },
            heap: true,
            keys,
            members: Vec::new(),
        };
        self.types.insert(object, info);
        object
    }

    /// Tells a class its subclasses.
    pub(crate) fn subclasses(&mut self, class: Obj, subclasses: &[Obj]) -> Obj {
        // A dict from address to weak reference (`add_subclass`).
        let entries: Vec<(Obj, Obj)> = subclasses
            .iter()
            .map(|&subclass| {
                let key = self.int(self.address(subclass).cast_signed());
                (key, self.weakref(subclass))
            })
            .collect();
        let dict = self.dict(&entries);
        let at = self.address(class) + TP_SUBCLASSES;
        let label = Label::Named(EdgeKind::Internal, "subclasses".to_string());
        self.refer(class, at, label, Sight::Hidden, dict);
        dict
    }
}
