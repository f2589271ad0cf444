//! A builder of fake process images: writes the bytes that CPython would have in memory, and keeps a
//! model of what it wrote.
//!
//! It shares nothing with the reader under test: its numbers come from CPython's headers
//! (`numbers.rs`), its rules from CPython's sources, named where they are used.
//!
//! ```ignore
//! let mut image = Image::new(Python::V3_12);
//! let (a, b) = (image.int(7), image.str("b"));
//! let list = image.list(&[a, b]);
//! image.module("app", &[("cache", list)]);
//! let (process, model) = image.finish();
//! ```

pub(crate) mod blocks;
pub(crate) mod code;
mod containers;
mod debug_offsets;
mod dicts;
mod foreign;
pub(crate) mod frames;
mod instances;
mod interpreter;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod numbers;
mod scalars;
pub(crate) mod tour;
mod types;

use std::collections::HashMap;

use deadweight_cpython::RegionKind;
use deadweight_heap::EdgeKind;

use blocks::{Block, Blocks};
use code::CodeFacts;
use dicts::Keys;
use interpreter::Interpreter;
use memory::{Area, FakeProcess, PAGE, Pages};
use model::{Gc, Holder, Label, Model, Obj, Object, Sight, Slot};
use numbers::{Numbers, Python};
use types::{Core, Type};

/// Where the parts of the process lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// As a position-independent program has them.
    High,
    /// As a program that is not position-independent has them: static data and heap below 4 GiB,
    /// where an address looks like a reference count.
    Low,
}

/// A process image that is being made.
pub(crate) struct Image {
    pub(crate) python: Python,
    pub(crate) numbers: Numbers,
    areas: Vec<Area>,
    memory: Pages,
    blocks: Blocks,
    /// Where the next constant, static object and stack frame go.
    next_constant: u64,
    next_static: u64,
    objects: Vec<Object>,
    holders: Vec<Holder>,
    core: Core,
    types: HashMap<Obj, Type>,
    codes: HashMap<Obj, CodeFacts>,
    /// Attribute names and the like: equal text, one object.
    names: HashMap<String, Obj>,
    ints: HashMap<i64, Obj>,
    keys: Vec<Keys>,
    runtime: u64,
    interpreters: Vec<Interpreter>,
    symbols: deadweight_cpython::Symbols,
    threads: Vec<deadweight_cpython::Thread>,
    none: Obj,
}

impl Image {
    pub(crate) fn new(python: Python) -> Image {
        Image::placed(python, Placement::High)
    }

    pub(crate) fn placed(python: Python, placement: Placement) -> Image {
        Image::of_build(python, Numbers::of(python), placement)
    }

    /// An interpreter whose numbers are not those of the headers.
    pub(crate) fn of_build(python: Python, numbers: Numbers, placement: Placement) -> Image {
        let low = placement == Placement::Low;
        let (constants, data, heap) = if low {
            (0x40_0000, 0x9a_0000, 0x1f0_0000)
        } else {
            (0x5555_5555_4000, 0x5555_5580_0000, 0x5555_5640_0000)
        };
        let (maps, pools, stacks) = (0x7f10_0000_0000, 0x7f20_0000_0000, 0x7ffc_8000_0000);
        let part = |start, len, kind| Area { range: start..start + len, kind };
        let areas = vec![
            part(constants, 2 << 20, None),
            part(data, 8 << 20, Some(RegionKind::Image(0))),
            part(heap, 256 << 20, Some(RegionKind::Anonymous)),
            part(maps, 1 << 36, Some(RegionKind::Anonymous)),
            part(pools, 1 << 36, Some(RegionKind::Anonymous)),
            part(stacks, 1 << 30, Some(RegionKind::Anonymous)),
        ];
        let mut image = Image {
            python,
            numbers,
            areas,
            memory: Pages::default(),
            blocks: Blocks::new(heap, maps, pools),
            next_constant: constants,
            next_static: data,
            objects: Vec::new(),
            holders: Vec::new(),
            core: Core::default(),
            types: HashMap::new(),
            codes: HashMap::new(),
            names: HashMap::new(),
            ints: HashMap::new(),
            keys: Vec::new(),
            runtime: 0,
            interpreters: Vec::new(),
            symbols: deadweight_cpython::Symbols::default(),
            threads: Vec::new(),
            none: Obj(0),
        };
        image.add_runtime();
        image.add_core_types();
        image
    }

    /// Whether the version is this one or a later one.
    fn since(&self, python: Python) -> bool {
        self.python >= python
    }

    // --- places ---

    /// A NUL-terminated text in read-only data.
    fn constant_text(&mut self, text: &str) -> u64 {
        let at = self.next_constant;
        self.memory.put(at, text.as_bytes());
        self.memory.put(at + text.len() as u64, &[0]);
        self.next_constant += (text.len() as u64 + 1).next_multiple_of(16);
        at
    }

    /// Static data that reads as zeros until it is written; its pages are there once they are.
    fn reserve_static(&mut self, len: u64) -> u64 {
        let at = self.next_static;
        self.next_static += len.next_multiple_of(8);
        at
    }

    /// A word of the program's static data that leads to an object.
    pub(crate) fn static_word(&mut self, target: Obj) {
        let at = self.reserve_static(8);
        self.memory.put_word(at, self.address(target));
        self.hold_outside(target);
    }

    /// A small block of native code, filled with these words; returns where.
    pub(crate) fn native_block(&mut self, words: &[u64]) -> u64 {
        let block = self.blocks.allocate(&mut self.memory, words.len() as u64 * 8);
        self.memory.put_words(block.start, words);
        block.start
    }

    /// The same, holding these objects.
    pub(crate) fn native_holder(&mut self, targets: &[Obj]) {
        let words: Vec<u64> = targets.iter().map(|&target| self.address(target)).collect();
        self.native_block(&words);
        for &target in targets {
            self.hold_outside(target);
        }
    }

    /// Allocates small blocks and frees them again, so that pools have holes.
    pub(crate) fn churn(&mut self, sizes: &[u64], keep_each: usize) {
        let blocks: Vec<Block> =
            sizes.iter().map(|&size| self.blocks.allocate(&mut self.memory, size)).collect();
        for (index, block) in blocks.into_iter().enumerate() {
            if index % keep_each != 0 {
                self.blocks.free(&mut self.memory, block);
            }
        }
    }

    // --- objects ---

    pub(crate) fn address(&self, object: Obj) -> u64 {
        self.objects[object.0].address
    }

    /// A reference from something that is no object of the model.
    pub(crate) fn hold_outside(&mut self, target: Obj) {
        self.objects[target.0].held_outside += 1;
    }

    /// An object in a block of its own: heads as its type says, then `body` bytes.
    fn object(&mut self, type_of: Obj, body: u64) -> Obj {
        let before = self.types[&type_of].before;
        let block = self.blocks.allocate(&mut self.memory, before + body);
        let object = self.record(type_of, block.start + before);
        self.objects[object.0].blocks.push(block);
        object
    }

    /// An object in static data.
    fn static_object(&mut self, type_of: Obj, size: u64) -> Obj {
        let at = self.reserve_static(size);
        self.memory.zero(at, size);
        let object = self.record(type_of, at);
        let row = &mut self.objects[object.0];
        row.static_size = Some(size);
        row.gc = Gc::None;
        object
    }

    fn record(&mut self, type_of: Obj, address: u64) -> Obj {
        let has_gc = self.types.get(&type_of).is_some_and(Type::has_gc);
        let generation = self.objects.len() % 3;
        let gc = if has_gc { Gc::Tracked(generation) } else { Gc::None };
        self.objects.push(Object { type_of, address, gc, ..Object::default() });
        let object = Obj(self.objects.len() - 1);
        if let Some(&Object { address, .. }) = self.objects.get(type_of.0) {
            self.memory.put_word(self.address(object) + 8, address);
        }
        if self.types.get(&type_of).is_some_and(|info| info.heap) {
            let label = Label::At(EdgeKind::Class, 0);
            let sight = if has_gc { Sight::Visible } else { Sight::Hidden };
            let slot = Slot { at: self.address(object) + 8, label, sight, target: Some(type_of) };
            self.objects[object.0].slots.push(slot);
        }
        object
    }

    /// A word of an object, where a reference can be put.
    fn add_slot(&mut self, owner: Obj, at: u64, label: Label, sight: Sight) -> usize {
        let slots = &mut self.objects[owner.0].slots;
        slots.push(Slot { at, label, sight, target: None });
        slots.len() - 1
    }

    /// Puts a reference where an object has a word for it.
    fn fill(&mut self, owner: Obj, slot: usize, target: Obj) {
        let at = self.objects[owner.0].slots[slot].at;
        self.memory.put_word(at, self.address(target));
        self.objects[owner.0].slots[slot].target = Some(target);
    }

    /// Both at once.
    fn refer(&mut self, owner: Obj, at: u64, label: Label, sight: Sight, target: Obj) {
        let slot = self.add_slot(owner, at, label, sight);
        self.fill(owner, slot, target);
    }

    /// Fields at fixed places: offset, name, target.
    fn attributes(&mut self, owner: Obj, sight: Sight, fields: &[(u64, &str, Obj)]) {
        for &(offset, name, target) in fields {
            let label = Label::attribute(name);
            self.refer(owner, self.address(owner) + offset, label, sight, target);
        }
    }

    /// Puts a reference into the n-th of an object's places: item, value, attribute, cell contents.
    pub(crate) fn put(&mut self, owner: Obj, place: usize, target: Obj) {
        let slot = self.objects[owner.0].places[place];
        self.fill(owner, slot, target);
    }

    /// How many places an object has.
    pub(crate) fn places(&self, owner: Obj) -> usize {
        self.objects[owner.0].places.len()
    }

    /// A place for [`Image::put`].
    fn add_place(&mut self, owner: Obj, at: u64, label: Label, sight: Sight) {
        let slot = self.add_slot(owner, at, label, sight);
        self.objects[owner.0].places.push(slot);
    }

    /// Takes an object out of the collector's lists.
    pub(crate) fn untrack(&mut self, object: Obj) {
        self.objects[object.0].gc = Gc::Untracked;
    }

    /// Puts an object into the permanent generation, as `gc.freeze()` does.
    pub(crate) fn freeze(&mut self, object: Obj) {
        self.objects[object.0].gc = Gc::Permanent;
    }

    /// Makes an object immortal (3.12+).
    pub(crate) fn immortalise(&mut self, object: Obj) {
        assert!(self.since(Python::V3_12), "nothing is immortal before 3.12");
        self.objects[object.0].immortal = true;
    }

    /// Puts an object into the lists of another interpreter's collector.
    pub(crate) fn owned_by(&mut self, object: Obj, interpreter: usize) {
        self.objects[object.0].interpreter = interpreter;
    }

    // --- the end ---

    /// Writes what is only known at the end, and hands out the process and the model of it.
    pub(crate) fn finish(mut self) -> (FakeProcess, Model) {
        self.finish_interpreters();
        let usable_arenas = self.write_arena_records();
        self.write_refcounts();
        self.write_gc_lists();
        let books = self.blocks.books(&self.memory);
        let end = self.reserve_static(0);
        let [heap, maps, arenas] = self.blocks.ends();
        for (area, end) in self.areas.iter().skip(1).zip([end, heap, maps, arenas]) {
            assert!(end <= area.range.end, "an area is too small");
        }
        let model = Model {
            python: self.python,
            types: self.types.into_iter().map(|(object, info)| (object, info.name)).collect(),
            objects: self.objects,
            holders: self.holders,
            modules: modules_by_name(&self.interpreters),
            interpreters: self.interpreters.iter().map(|one| one.at).collect(),
            interpreter_size: self.numbers.interpreter_size,
            books,
            usable_arenas,
        };
        let segments = self.memory.finish(&self.areas);
        let mut process = FakeProcess::new(segments, self.symbols);
        process.threads = self.threads;
        (process, model)
    }

    /// Every object's count is the number of references the model knows, and those from outside.
    fn write_refcounts(&mut self) {
        let mut counts = vec![0_u64; self.objects.len()];
        let objects = self.objects.iter().flat_map(|object| &object.slots);
        let holders = self.holders.iter().flat_map(|holder| &holder.slots);
        for slot in objects.chain(holders) {
            if let (Some(target), true) = (slot.target, slot.is_counted()) {
                counts[target.0] += 1;
            }
        }
        for (object, count) in self.objects.iter().zip(counts) {
            let count = count + object.held_outside;
            let word = match (self.python, object.is_static()) {
                (Python::V3_10 | Python::V3_11, true) => 999_999_999,
                (Python::V3_12 | Python::V3_13, true) => 0xffff_ffff,
                // refcount.h: `_Py_STATIC_IMMORTAL_INITIAL_REFCNT` and `_Py_IMMORTAL_INITIAL_REFCNT`.
                (_, true) => 3 << 30 | 5 << 48,
                (Python::V3_12 | Python::V3_13, false) if object.immortal => 0xffff_ffff,
                (_, false) if object.immortal => 3 << 30,
                _ => count,
            };
            self.memory.put_word(object.address, word);
        }
    }

    /// The array of arena records, and how the interpreter finds it.
    fn write_arena_records(&mut self) -> Option<u64> {
        let records = self.blocks.arena_records();
        // `new_arena`: 16 records, doubled as often as needed.
        let room = (records.len() as u64).next_power_of_two().max(16);
        let array = self.blocks.malloc(&mut self.memory, room * 48);
        self.memory.zero(array.start, room * 48);
        for (index, record) in (0..).zip(&records) {
            self.memory.put_words(array.start + index * 48, record);
        }
        let state = match self.python {
            Python::V3_10 | Python::V3_11 => {
                // obmalloc.c: `usable_arenas`, `unused_arena_objects`, `maxarenas` and `arenas`, as compilers
                // lay them out, in the middle of other static variables. The first arena is the first usable.
                let at = self.reserve_static(64);
                self.memory.put_word(at + 16, array.start);
                self.memory.put_word(at + 24, array.start + (room - 1) * 48);
                self.memory.put_int(at + 32, room as u32);
                self.memory.put_word(at + 40, array.start);
                return Some(at + 16);
            }
            Python::V3_12 => self.interpreters[0].at + self.numbers.interpreter_obmalloc,
            _ => {
                let state = self.reserve_static(PAGE);
                let at = self.interpreters[0].at + self.numbers.interpreter_obmalloc;
                self.memory.put_word(at, state);
                state
            }
        };
        // pycore_obmalloc.h: `mgmt.arenas` and `mgmt.maxarenas`.
        self.memory.put_word(state + 512, array.start);
        self.memory.put_int(state + 520, room as u32);
        None
    }

    /// Links tracked objects into the lists of their generations (Modules/gcmodule.c, Python/gc.c).
    fn write_gc_lists(&mut self) {
        for interpreter in 0..self.interpreters.len() {
            let gc = self.interpreters[interpreter].at + self.numbers.interpreter_gc;
            let young = (0..3).map(|number| gc + self.numbers.gc_generations + number * 24);
            let heads: Vec<u64> = young.chain([gc + self.numbers.gc_permanent]).collect();
            self.memory.put_word(gc + self.numbers.gc_generation0, heads[0]);
            for (list, &head) in heads.iter().enumerate() {
                let member = |object: &&Object| {
                    object.interpreter == interpreter
                        && match object.gc {
                            Gc::Tracked(generation) => generation == list,
                            Gc::Permanent => list == 3,
                            Gc::None | Gc::Untracked => false,
                        }
                };
                let members = self.objects.iter().filter(member);
                let mut before = head;
                for object in members {
                    let node = object.address - 16;
                    self.memory.put_word(before, node);
                    // `_PyGC_PREV_MASK_FINALIZED` may be set beside the link.
                    self.memory.put_word(node + 8, before | object.address >> 5 & 1);
                    before = node;
                }
                self.memory.put_word(before, head);
                self.memory.put_word(head + 8, before);
            }
        }
    }
}

/// Modules by the names of their roots: those of other interpreters say so.
fn modules_by_name(interpreters: &[Interpreter]) -> Vec<(String, Obj)> {
    let all = interpreters.iter().enumerate().flat_map(|(number, interpreter)| {
        interpreter.modules.iter().map(move |(name, module)| match number {
            0 => (name.clone(), *module),
            _ => (format!("{name} (interpreter {number})"), *module),
        })
    });
    all.collect()
}
