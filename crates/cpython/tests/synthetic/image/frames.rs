//! Threads, and the frames of functions that run or wait: on a thread's stack, in a generator, in a
//! frame object that outlived its call.

use deadweight_cpython::Thread;
use deadweight_heap::{EdgeKind, RootKind};

use super::Image;
use super::code::CodeSpec;
use super::model::{Frame, Holder, Label, Obj, Sight, Slot};
use super::numbers::Python;

/// A reference on a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnFrame {
    Empty,
    Owned(Obj),
    /// 3.14+: somebody else keeps the object alive. Before, as owned.
    Borrowed(Obj),
    /// 3.14+: a small number in the word itself.
    Number(u32),
}

/// Whose frame it is (`enum _frameowner`, `internal/pycore_frame.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Thread = 0,
    Generator = 1,
    FrameObject = 2,
    /// 3.12, 3.13: the C stack; later: the interpreter.
    Foreign = 3,
}

/// What a frame is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameSpec<'a> {
    pub(crate) code: Obj,
    pub(crate) function: Obj,
    /// The code unit it stands at.
    pub(crate) unit: u64,
    pub(crate) locals: &'a [OnFrame],
    /// What waits on the value stack; `None` while the frame runs, when nobody has written its height.
    pub(crate) stack: Option<&'a [OnFrame]>,
}

/// A thread of the image, by the number of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadId(usize);

impl Image {
    /// A thread of the main interpreter, newest first as in CPython.
    pub(crate) fn thread(&mut self, tid: u32) -> ThreadId {
        self.thread_of(0, tid)
    }

    /// A thread in the middle of a plain function, and the function's code.
    pub(crate) fn running_thread(&mut self) -> (ThreadId, Obj) {
        let thread = self.thread(4242);
        let code = self.code(CodeSpec::PLAIN);
        let globals = self.namespace(&[]);
        let function = self.function(code, globals, &[]);
        self.call(thread, FrameSpec { code, function, unit: 0, locals: &[], stack: None });
        (thread, code)
    }

    pub(crate) fn thread_of(&mut self, interpreter: usize, tid: u32) -> ThreadId {
        let n = self.numbers.clone();
        // Apart from all allocators, as the first thread's state is; what comes after is C's.
        let at = self.blocks.map(&mut self.memory, n.thread_size.next_multiple_of(8) + 64);
        let ident = 0x7fee_0000_0000 + u64::from(tid) * 0x1000;
        self.memory.put_word(at + n.thread_id, ident);
        if self.since(Python::V3_11) {
            self.memory.put_word(at + n.thread_native_id, u64::from(tid));
            self.memory.put_word(at + n.thread_exc_info, at + n.thread_exc_state);
        } else {
            self.memory.put_word(at + n.thread_exc_info, at + n.thread_exc_state);
        }
        if matches!(self.python, Python::V3_11 | Python::V3_12) {
            self.memory.put_word(at + n.thread_frame, at + n.thread_root_cframe);
        }
        let head = self.interpreters[interpreter].at + n.interpreter_threads;
        self.memory.put_word(at + n.thread_next, self.memory.word(head));
        self.memory.put_word(head, at);
        let root = Some((RootKind::Thread, tid.to_string()));
        let (slots, frames) = (Vec::new(), Vec::new());
        self.holders.push(Holder { kind: "<thread>", address: at, root, slots, frames });
        let id = ThreadId(self.holders.len() - 1);
        if self.since(Python::V3_12) {
            self.push_sentinel(id);
        }
        // The kernel's own view of it: a C stack with nothing on it but zeros.
        let stack = self.areas[5].range.start + self.threads.len() as u64 * 0x10_0000;
        self.memory.touch(stack, 4096);
        self.threads.push(Thread {
            tid,
            thread_pointer: ident,
            stack_pointer: stack + 0x800,
            registers: Vec::new(),
        });
        id
    }

    /// A word on a thread's C stack, as many words above the stack pointer.
    pub(crate) fn stack_word(&mut self, tid: u32, offset: u64, target: Obj) {
        let stack = self.thread_by_tid(tid).stack_pointer + offset * 8;
        self.memory.put_word(stack, self.address(target));
        self.hold_outside(target);
    }

    /// A register of a thread.
    pub(crate) fn register(&mut self, tid: u32, target: Obj) {
        let address = self.address(target);
        self.thread_by_tid(tid).registers.push(address);
        self.hold_outside(target);
    }

    fn thread_by_tid(&mut self, tid: u32) -> &mut Thread {
        self.threads.iter_mut().find(|thread| thread.tid == tid).expect("a thread of the image")
    }

    /// An object that a thread's state holds: its dict, its context, the exception it raises.
    pub(crate) fn thread_holds(&mut self, thread: ThreadId, field: &str, target: Obj) {
        let n = &self.numbers;
        let (offset, name) = match field {
            "dict" => (n.thread_dict, "dict"),
            "context" => (n.thread_context, "context"),
            "current_exception" => (n.thread_exception, "current_exception"),
            "handled_exception" => (n.thread_exc_state + n.exc_value, "handled_exception"),
            other => panic!("no such field: {other}"),
        };
        if field == "dict" {
            self.objects[target.0].namespace = true;
        }
        let at = self.holders[thread.0].address + offset;
        self.memory.put_word(at, self.address(target));
        let slot =
            Slot { at, label: Label::attribute(name), sight: Sight::Hidden, target: Some(target) };
        self.holders[thread.0].slots.push(slot);
    }

    /// Calls a function: puts a frame on top of a thread's stack.
    pub(crate) fn call(&mut self, thread: ThreadId, spec: FrameSpec<'_>) {
        if self.python == Python::V3_10 {
            let frame = self.frame_object(spec);
            let previous = self.memory.word(self.current_frame(thread));
            let back = self.objects.iter().position(|object| object.address == previous);
            if let Some(back) = back {
                let fields = [(self.numbers.frame_object_back, "f_back", Obj(back))];
                self.attributes(frame, Sight::Visible, &fields);
            }
            // The evaluation loop owns the frame that runs.
            self.hold_outside(frame);
            self.push_frame(thread, self.address(frame), Frame::Object(frame), spec);
            return;
        }
        let at = self.data_stack(spec.code);
        let (slots, _) = self.write_frame(at, &spec, Owner::Thread);
        let (root, frames) = (None, Vec::new());
        let holder = Holder { kind: "<frame>", address: at, root, slots, frames };
        self.holders.push(holder);
        let number = self.holders.len() - 1;
        self.link_frame(thread, at);
        self.push_frame(thread, at, Frame::Holder(number), spec);
    }

    /// Where on a frame the value stack of a function begins.
    pub(crate) fn value_stack(&self, code: Obj) -> u64 {
        let n = &self.numbers;
        let values = match self.python {
            Python::V3_10 => n.frame_object_data,
            _ => n.frame_locals_plus,
        };
        values + self.codes[&code].variables().len() as u64 * 8
    }

    /// Where a thread's state is.
    pub(crate) fn thread_state(&self, thread: ThreadId) -> u64 {
        self.holders[thread.0].address
    }

    /// Runs a generator on top of a thread's stack (3.11+).
    pub(crate) fn resume(&mut self, thread: ThreadId, generator: Obj, spec: FrameSpec<'_>) {
        let at = self.address(generator) + self.numbers.generator_frame;
        self.link_frame(thread, at);
        self.push_frame(thread, at, Frame::Object(generator), spec);
    }

    fn push_frame(&mut self, thread: ThreadId, at: u64, frame: Frame, spec: FrameSpec<'_>) {
        let title = self.codes[&spec.code].title(spec.unit);
        self.holders[thread.0].frames.insert(0, (frame, title));
        let place = self.current_frame(thread);
        self.memory.put_word(place, at);
    }

    fn link_frame(&mut self, thread: ThreadId, at: u64) {
        let previous = self.memory.word(self.current_frame(thread));
        self.memory.put_word(at + self.numbers.frame_previous, previous);
    }

    /// The word that leads to a thread's innermost frame.
    pub(crate) fn current_frame(&self, thread: ThreadId) -> u64 {
        let (at, n) = (self.holders[thread.0].address, &self.numbers);
        match self.python {
            Python::V3_11 | Python::V3_12 => at + n.thread_root_cframe + n.cframe_frame,
            _ => at + n.thread_frame,
        }
    }

    /// The frame at the bottom of a thread that belongs to no function (3.12+).
    fn push_sentinel(&mut self, thread: ThreadId) {
        let n = self.numbers.clone();
        let at = self.blocks.map(&mut self.memory, n.frame_locals_plus + 16);
        self.memory.put_word(at + n.frame_code, self.address(self.none));
        self.memory.put(at + n.frame_owner, &[Owner::Foreign as u8]);
        let place = self.current_frame(thread);
        self.memory.put_word(place, at);
    }

    /// Room for a frame on the data stack.
    fn data_stack(&mut self, code: Obj) -> u64 {
        let facts = &self.codes[&code];
        let slots = facts.variables().len() as u64 + facts.stack;
        let size = self.numbers.frame_locals_plus + slots * 8;
        self.blocks.map(&mut self.memory, size)
    }

    /// `_PyInterpreterFrame`; returns what it refers to, variables as places.
    fn write_frame(&mut self, at: u64, spec: &FrameSpec<'_>, owner: Owner) -> (Vec<Slot>, u64) {
        let n = self.numbers.clone();
        let facts = self.codes[&spec.code].clone();
        let sight = if owner == Owner::Thread { Sight::Hidden } else { Sight::Visible };
        let mut slots = Vec::new();
        for (offset, name, target) in
            [(n.frame_function, "__func__", spec.function), (n.frame_code, "__code__", spec.code)]
        {
            self.memory.put_word(at + offset, self.address(target));
            let label = Label::internal(name);
            slots.push(Slot { at: at + offset, label, sight, target: Some(target) });
        }
        // Borrowed from the function: no references of the frame's own.
        let globals = self.memory.word(self.address(spec.function) + 16);
        self.memory.put_word(at + n.frame_globals, globals);
        self.memory.put_word(at + n.frame_builtins, self.address(self.interpreters[0].builtins));
        self.memory.put_word(at + n.frame_instruction, self.instruction(spec.code, spec.unit));
        self.memory.put(at + n.frame_owner, &[owner as u8]);
        let variables = facts.variables();
        let first = at + n.frame_locals_plus;
        let on_stack = spec.stack.unwrap_or_default();
        assert!(spec.locals.len() <= variables.len() && on_stack.len() as u64 <= facts.stack);
        for (index, &value) in (0..).zip(spec.locals) {
            let label = Label::Named(EdgeKind::Local, variables[index as usize].clone());
            slots.extend(self.write_on_frame(first + index * 8, label, sight, value));
        }
        // What has no value is null, which from 3.14 on has a bit set.
        for index in spec.locals.len()..variables.len() {
            let label = Label::At(EdgeKind::Stack, 0);
            let place = first + index as u64 * 8;
            slots.extend(self.write_on_frame(place, label, sight, OnFrame::Empty));
        }
        let count = variables.len() as u64;
        for (index, &value) in (0..).zip(on_stack) {
            let label = Label::At(EdgeKind::Stack, index);
            slots.extend(self.write_on_frame(first + (count + index) * 8, label, sight, value));
        }
        let height = count + on_stack.len() as u64;
        match (self.since(Python::V3_14), spec.stack) {
            (true, Some(_)) => self.memory.put_word(at + n.frame_stack, first + height * 8),
            (true, None) => self.memory.put_word(at + n.frame_stack, 0),
            (false, Some(_)) => self.memory.put_int(at + n.frame_stack, height as u32),
            (false, None) => self.memory.put_int(at + n.frame_stack, u32::MAX),
        }
        (slots, height)
    }

    /// One word of a frame; `None` if it is no reference of the frame's own.
    fn write_on_frame(
        &mut self,
        at: u64,
        label: Label,
        sight: Sight,
        value: OnFrame,
    ) -> Option<Slot> {
        let tagged = self.since(Python::V3_14);
        let (word, target) = match value {
            // pycore_stackref.h: `PyStackRef_NULL`, `Py_TAG_REFCNT`, `Py_INT_TAG`.
            OnFrame::Empty => (u64::from(tagged), None),
            OnFrame::Number(number) if tagged => (u64::from(number) << 2 | 3, None),
            OnFrame::Number(_) => (0, None),
            OnFrame::Borrowed(target) if tagged => (self.address(target) | 1, None),
            OnFrame::Owned(target) | OnFrame::Borrowed(target) => {
                (self.address(target), Some(target))
            }
        };
        self.memory.put_word(at, word);
        target.map(|target| Slot { at, label, sight, target: Some(target) })
    }

    /// A frame object: 3.10 has nothing else; later it holds the frame of a call that is over.
    pub(crate) fn frame_object(&mut self, spec: FrameSpec<'_>) -> Obj {
        let facts = self.codes[&spec.code].clone();
        let slots = facts.variables().len() as u64 + facts.stack;
        if self.python == Python::V3_10 {
            return self.old_frame_object(spec, slots);
        }
        let basic = self.types[&self.core.frame].basic;
        let object = self.object(self.core.frame, basic + slots * 8);
        let at = self.address(object);
        let frame = at + self.numbers.frame_object_data;
        self.memory.put_word(at + 24, frame);
        let (slots, _) = self.write_frame(frame, &spec, Owner::FrameObject);
        self.objects[object.0].slots.extend(slots);
        object
    }

    /// `PyFrameObject` of 3.10: locals, then the value stack.
    fn old_frame_object(&mut self, spec: FrameSpec<'_>, slots: u64) -> Obj {
        // `tp_basicsize` counts the first word of both.
        let basic = self.types[&self.core.frame].basic;
        let object = self.object(self.core.frame, basic + slots * 8);
        let at = self.address(object);
        let facts = self.codes[&spec.code].clone();
        let (variables, on_stack) = (facts.variables(), spec.stack.unwrap_or_default());
        let globals = self.memory.word(self.address(spec.function) + 16);
        let globals = self.objects.iter().position(|object| object.address == globals);
        let globals = Obj(globals.expect("a function has globals"));
        let fields = [
            (32, "__code__", spec.code),
            (40, "__builtins__", self.interpreters[0].builtins),
            (48, "__globals__", globals),
        ];
        for (offset, name, target) in fields {
            self.refer(object, at + offset, Label::internal(name), Sight::Visible, target);
        }
        let first = at + self.numbers.frame_object_data;
        let stack = first + variables.len() as u64 * 8;
        self.memory.put_word(at + 16, slots);
        self.memory.put_word(at + 64, stack);
        let depth = if spec.stack.is_some() { on_stack.len() as u32 } else { u32::MAX };
        self.memory.put_int(at + 80, depth);
        self.memory.put_int(at + 96, spec.unit as u32);
        let locals = (0..).zip(spec.locals).map(|(index, &value)| {
            (
                first + index * 8,
                Label::Named(EdgeKind::Local, variables[index as usize].clone()),
                value,
            )
        });
        let temporaries = (0..)
            .zip(on_stack)
            .map(|(index, &value)| (stack + index * 8, Label::At(EdgeKind::Stack, index), value));
        let all: Vec<_> = locals.chain(temporaries).collect();
        for (at, label, value) in all {
            let slot = self.write_on_frame(at, label, Sight::Visible, value);
            self.objects[object.0].slots.extend(slot);
        }
        object
    }

    /// A generator that waits at a `yield`.
    pub(crate) fn generator(&mut self, spec: FrameSpec<'_>) -> Obj {
        let n = self.numbers.clone();
        let facts = self.codes[&spec.code].clone();
        if self.python == Python::V3_10 {
            let object = self.object(self.core.generator, n.generator_size);
            let frame = self.frame_object(spec);
            let fields =
                [(n.generator_frame, "frame", frame), (n.generator_code, "gi_code", spec.code)];
            self.attributes(object, Sight::Visible, &fields);
            self.name_generator(object, spec.code);
            return object;
        }
        let slots = facts.variables().len() as u64 + facts.stack;
        let object = self.object(self.core.generator, n.generator_size + slots * 8);
        let at = self.address(object);
        self.memory.put(at + n.generator_state, &[n.generator_suspended as u8]);
        self.name_generator(object, spec.code);
        if self.python == Python::V3_11 {
            let fields = [(n.generator_code, "gi_code", spec.code)];
            self.attributes(object, Sight::Visible, &fields);
        }
        let (slots, _) = self.write_frame(at + n.generator_frame, &spec, Owner::Generator);
        self.objects[object.0].slots.extend(slots);
        object
    }

    /// A generator that ran to its end (3.12+: only its code is left).
    pub(crate) fn finished_generator(&mut self, code: Obj) -> Obj {
        assert!(self.since(Python::V3_12), "older ones keep their code in a field of their own");
        let n = self.numbers.clone();
        let facts = self.codes[&code].clone();
        let slots = facts.variables().len() as u64 + facts.stack;
        let object = self.object(self.core.generator, n.generator_size + slots * 8);
        self.name_generator(object, code);
        let at = self.address(object);
        self.memory.put(at + n.generator_state, &[n.generator_cleared as u8]);
        let place = at + n.generator_frame + n.frame_code;
        self.refer(object, place, Label::attribute("gi_code"), Sight::Hidden, code);
        object
    }

    fn name_generator(&mut self, object: Obj, code: Obj) {
        let n = self.numbers.clone();
        let title = self.codes[&code].title(0);
        let name = self.name(title.rsplit(' ').next().unwrap_or_default());
        let fields =
            [(n.generator_name, "__name__", name), (n.generator_qualname, "__qualname__", name)];
        self.attributes(object, Sight::Visible, &fields);
    }
}
