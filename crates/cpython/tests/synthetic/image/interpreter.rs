//! `_PyRuntime`, the interpreters, and the named fields through which they hold objects.

use deadweight_heap::{Addr, EdgeKind, RootKind};

use super::Image;
use super::model::{Holder, Label, Obj, Sight, Slot};
use super::numbers::Python;

/// One interpreter.
#[derive(Clone, Debug)]
pub(crate) struct Interpreter {
    pub(crate) at: u64,
    pub(crate) builtins: Obj,
    pub(crate) modules: Vec<(String, Obj)>,
    /// The number of its holder.
    holder: usize,
}

impl Image {
    /// The runtime and the main interpreter, before there are any objects.
    pub(super) fn add_runtime(&mut self) {
        let n = self.numbers.clone();
        self.runtime = self.reserve_static(n.runtime_size);
        self.symbols.runtime = Addr(self.runtime);
        if self.since(Python::V3_11) {
            let version = self.reserve_static(8);
            self.memory.put_word(version, self.python.hex());
            self.symbols.version = Some(Addr(version));
        } else {
            self.symbols.version_text = Some(self.python.text().to_string());
        }
        // From 3.11 on the main interpreter is static (`_PyRuntime._main_interpreter`).
        let at = if self.since(Python::V3_11) {
            self.reserve_static(n.interpreter_size)
        } else {
            self.blocks.map(&mut self.memory, n.interpreter_size)
        };
        self.push_interpreter(at);
        self.write_debug_offsets();
    }

    fn push_interpreter(&mut self, at: u64) {
        let n = self.numbers.clone();
        let number = self.interpreters.len() as u64;
        self.memory.touch(at + n.interpreter_gc, n.gc_size);
        self.memory.put_word(at + n.interpreter_id, number);
        // New interpreters are put at the head of the list.
        let head = self.runtime + n.runtime_head;
        self.memory.put_word(at + n.interpreter_next, self.memory.word(head));
        self.memory.put_word(head, at);
        let name = if number == 0 { String::new() } else { number.to_string() };
        let root = Some((RootKind::Interpreter, name));
        let (slots, frames) = (Vec::new(), Vec::new());
        self.holders.push(Holder { kind: "<interpreter>", address: at, root, slots, frames });
        let (builtins, modules, holder) = (Obj(0), Vec::new(), self.holders.len() - 1);
        self.interpreters.push(Interpreter { at, builtins, modules, holder });
    }

    /// `builtins` and `sys`, once there are types.
    pub(super) fn add_builtins(&mut self, interpreter: usize) {
        let core: Vec<(String, Obj)> = (self.core.type_.0..self.none.0)
            .map(|number| (self.types[&Obj(number)].name.clone(), Obj(number)))
            .collect();
        let entries: Vec<(&str, Obj)> =
            core.iter().map(|(name, object)| (name.as_str(), *object)).collect();
        let builtins = self.namespace(&entries);
        self.interpreters[interpreter].builtins = builtins;
        self.interpreter_holds(interpreter, "builtins", builtins);
        let version = self.str("3");
        let sysdict = self.namespace(&[("version", version)]);
        self.interpreter_holds(interpreter, "sysdict", sysdict);
    }

    /// Another interpreter (PEP 684), with its own modules and collector; returns its number.
    pub(crate) fn subinterpreter(&mut self) -> usize {
        let at = self.blocks.map(&mut self.memory, self.numbers.interpreter_size);
        self.push_interpreter(at);
        let number = self.interpreters.len() - 1;
        let first = self.objects.len();
        self.add_builtins(number);
        for object in first..self.objects.len() {
            self.owned_by(Obj(object), number);
        }
        number
    }

    /// Puts an object into a named field of an interpreter.
    pub(crate) fn interpreter_holds(&mut self, interpreter: usize, field: &str, target: Obj) {
        let n = &self.numbers;
        let offset = match field {
            "modules" => n.interpreter_modules,
            "sysdict" => n.interpreter_sysdict,
            "builtins" => n.interpreter_builtins,
            "dict" => n.interpreter_dict,
            "importlib" => n.interpreter_importlib,
            "codec_search_path" => n.interpreter_search_path,
            "interned_strings" => n.interpreter_interned,
            "gc.garbage" => n.interpreter_gc + n.gc_garbage,
            other => panic!("no such field: {other}"),
        };
        let Interpreter { at, holder, .. } = self.interpreters[interpreter];
        let (at, label) = (at + offset, Label::attribute(field));
        self.memory.put_word(at, self.address(target));
        let slot = Slot { at, label, sight: Sight::Hidden, target: Some(target) };
        self.holders[holder].slots.push(slot);
    }

    /// A word of the main interpreter's state that has no name here.
    pub(crate) fn interpreter_word(&mut self, target: Obj) {
        // In the last page of the state, where no field of ours lies.
        let n = &self.numbers;
        let mut at = (self.interpreters[0].at + n.interpreter_size - 512).next_multiple_of(8);
        while self.memory.word(at) != 0 {
            at += 8;
        }
        self.memory.put_word(at, self.address(target));
        self.hold_outside(target);
    }

    /// Says that a collection runs.
    pub(crate) fn collecting(&mut self) {
        let gc = self.interpreters[0].at + self.numbers.interpreter_gc;
        self.memory.put_int(gc + self.numbers.gc_collecting, 1);
    }

    /// 3.10 keeps its small ints in the interpreter state.
    pub(super) fn cache_int(&mut self, value: i64, object: Obj) {
        let at = self.interpreters[0].at + self.numbers.interpreter_small_ints;
        let index = (value + 5).cast_unsigned();
        self.memory.put_word(at + index * 8, self.address(object));
        self.objects[object.0].cached = true;
        self.hold_outside(object);
    }

    /// The table of interned strings (3.12+): its references are not counted.
    pub(crate) fn intern(&mut self, strings: &[Obj]) -> Obj {
        assert!(self.since(Python::V3_12), "older ones do not say where it is");
        let keys: Vec<Option<Obj>> = strings.iter().copied().map(Some).collect();
        let object = self.dict_of(&keys);
        // The value of each key is the key again.
        for (index, place) in (0..).zip(self.objects[object.0].places.clone()) {
            let key = &mut self.objects[object.0].slots[place - 1];
            key.label = Label::Named(EdgeKind::Weak, "interned".to_string());
            key.sight = Sight::Hidden;
            let Some(string) = key.target else { continue };
            let value = &mut self.objects[object.0].slots[place];
            value.label = Label::At(EdgeKind::Entry, index);
            value.sight = Sight::OnlyVisited;
            let at = value.at;
            self.memory.put_word(at, self.address(string));
            self.objects[object.0].slots[place].target = Some(string);
        }
        self.interpreter_holds(0, "interned_strings", object);
        object
    }

    /// `sys.modules` of every interpreter.
    pub(super) fn finish_interpreters(&mut self) {
        for interpreter in 0..self.interpreters.len() {
            let modules = self.interpreters[interpreter].modules.clone();
            let entries: Vec<(Obj, Obj)> =
                modules.into_iter().map(|(name, module)| (self.name(&name), module)).collect();
            let dict = self.dict(&entries);
            self.owned_by(dict, interpreter);
            self.interpreter_holds(interpreter, "modules", dict);
        }
    }
}
