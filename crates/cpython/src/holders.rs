//! Named roots: modules, the interpreter's own fields, and threads with their frames.
//!
//! A holder is something that keeps objects alive and is no object itself. It becomes a pseudo node
//! of the graph.

use deadweight_heap::{Addr, EdgeKind, RootKind};
use rustc_hash::FxHashSet;

use crate::layout::{CurrentFrame, Layout};
use crate::line_table;
use crate::memory::{Memory, addr_at, u8_at, u32_at, u64_at};
use crate::object::{Context, Grounds, Link, Visitor, code, dict, frame};
use crate::runtime::Runtime;
use crate::text;

/// A thread of the target, as the kernel knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// The kernel's number.
    pub tid: u32,
    /// The thread pointer (`fs_base`): what `pthread_self()` returns.
    pub thread_pointer: u64,
    /// Where its C stack ends.
    pub stack_pointer: u64,
    /// All general registers: they may hold the only reference to an object.
    pub registers: Vec<u64>,
}

/// One pseudo node.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holder {
    /// The name of its row in the type table.
    pub(crate) type_name: &'static str,
    pub(crate) address: Addr,
    /// Which root it is, if paths begin here.
    pub(crate) root: Option<(RootKind, String)>,
    pub(crate) references: Vec<(Addr, Link, Grounds)>,
    /// Frames of a thread: another holder or an object (a generator), and how it is called.
    pub(crate) frames: Vec<(FrameAt, String)>,
}

/// Where a frame of a thread's stack is to be found in the graph.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FrameAt {
    /// A holder, by its number.
    Holder(usize),
    /// An object: a generator that runs, or a frame object (3.10).
    Object(Addr),
}

/// A word that may be a reference of a function that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stacked {
    /// The function's frame or thread, by its number.
    pub(crate) holder: usize,
    pub(crate) target: Addr,
    pub(crate) link: Link,
}

/// Everything paths can begin with.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Modules: name and object.
    pub(crate) modules: Vec<(String, Addr)>,
    pub(crate) holders: Vec<Holder>,
    /// Dicts whose keys are names.
    pub(crate) namespaces: Vec<Addr>,
    /// What may lie on the value stacks of functions that run.
    pub(crate) stacked: Vec<Stacked>,
    /// Thread states, frames and handled exceptions met so far: damaged lists of them may run in
    /// circles, or into each other.
    met: FxHashSet<Addr>,
}

/// Python/frame.c: frames that are no functions (C calls, the sentinel at the bottom of a thread).
const FIRST_FOREIGN_OWNER: u8 = 3;

/// Finds the named roots of one interpreter.
pub(crate) fn named<M: Memory>(
    cx: &Context<'_, M>,
    runtime: &Runtime,
    threads: &[Thread],
    named: &mut Named,
) {
    let l = &cx.layout.interpreter;
    let number = cx.memory.word(cx.interpreter + l.id).unwrap_or(0);
    let main = runtime.interpreters.first() == Some(&cx.interpreter);
    let suffix = if main { String::new() } else { format!(" (interpreter {number})") };
    let pointer = |offset| cx.memory.word(cx.interpreter + offset).map_or(Addr::NULL, Addr);

    let modules = pointer(l.modules);
    for (key, module) in dict::entries(cx.memory, cx.layout, modules) {
        if let Some(name) = text::read_str(cx.memory, cx.layout, key) {
            named.modules.push((format!("{name}{suffix}"), module));
        }
    }
    let fields = [
        ("modules", l.modules),
        ("sysdict", l.sysdict),
        ("builtins", l.builtins),
        ("dict", l.dict),
        ("importlib", l.importlib),
        ("codec_search_path", l.codec_search_path),
        ("codec_search_cache", l.codec_search_cache),
        ("codec_error_registry", l.codec_error_registry),
        ("before_forkers", l.before_forkers),
        ("after_forkers_parent", l.after_forkers_parent),
        ("after_forkers_child", l.after_forkers_child),
        ("gc.garbage", l.gc + cx.layout.gc.garbage),
        ("gc.callbacks", l.gc + cx.layout.gc.callbacks),
    ];
    let mut holder = Holder {
        type_name: "<interpreter>",
        address: cx.interpreter,
        root: Some((RootKind::Interpreter, if main { String::new() } else { number.to_string() })),
        ..Holder::default()
    };
    // Before 3.12 the table is shared by all interpreters.
    let interned = match l.interned_strings {
        Some(offset) => pointer(offset),
        None if main => cx.interned,
        None => Addr::NULL,
    };
    let fields = fields.map(|(name, offset)| (name, pointer(offset)));
    for (name, target) in fields.into_iter().chain([("interned_strings", interned)]) {
        if !target.is_null() {
            let link = Link::Static(EdgeKind::Attribute, name);
            holder.references.push((target, link, Grounds::Hidden));
        }
    }
    named.namespaces.extend([pointer(l.sysdict), pointer(l.builtins)]);
    named.holders.push(holder);

    let mut at = pointer(l.threads_head);
    while !at.is_null() && named.met.insert(at) {
        thread(cx, at, threads, named);
        at = cx.memory.word(at + cx.layout.thread.next).map_or(Addr::NULL, Addr);
    }
}

/// One Python thread: what its state holds, and its frames, innermost first.
fn thread<M: Memory>(cx: &Context<'_, M>, state: Addr, threads: &[Thread], named: &mut Named) {
    let l = &cx.layout.thread;
    let mut scratch = Vec::new();
    let Some(body) = cx.memory.bytes(state, l.size as usize, &mut scratch) else { return };
    let ident = u64_at(body, l.thread_id);
    let told = l.native_thread_id.map(|at| u64_at(body, at)).filter(|&tid| tid != 0);
    let by_pointer = threads.iter().find(|thread| thread.thread_pointer == ident);
    let tid = by_pointer.map(|thread| u64::from(thread.tid)).or(told).unwrap_or(ident);

    let mut holder = Holder {
        type_name: "<thread>",
        address: state,
        root: Some((RootKind::Thread, tid.to_string())),
        ..Holder::default()
    };
    let fields = [
        ("dict", l.dict),
        ("context", l.context),
        ("current_exception", l.current_exception),
        ("async_exc", l.async_exc),
        ("profile_object", l.profile_object),
        ("trace_object", l.trace_object),
        ("async_gen_firstiter", l.async_gen_firstiter),
        ("async_gen_finalizer", l.async_gen_finalizer),
    ];
    for (name, offset) in fields {
        let target = addr_at(body, offset);
        if !target.is_null() {
            let link = Link::Static(EdgeKind::Attribute, name);
            holder.references.push((target, link, Grounds::Hidden));
        }
    }
    named.namespaces.push(addr_at(body, l.dict));
    handled_exceptions(cx, addr_at(body, l.exc_info), &mut holder, &mut named.met);
    let current = match l.frame {
        CurrentFrame::Object(at) | CurrentFrame::Direct(at) => addr_at(body, at),
        CurrentFrame::ThroughCframe { cframe, current_frame } => {
            let cframe = addr_at(body, cframe);
            cx.memory.word(cframe + current_frame).map_or(Addr::NULL, Addr)
        }
    };
    let number = named.holders.len();
    named.holders.push(holder);
    let frames = frames(cx, current, number, named);
    named.holders[number].frames = frames;
}

/// Exceptions being handled, innermost first.
fn handled_exceptions<M: Memory>(
    cx: &Context<'_, M>,
    first: Addr,
    holder: &mut Holder,
    met: &mut FxHashSet<Addr>,
) {
    let l = &cx.layout.exception_stack;
    let mut item = first;
    while !item.is_null() && met.insert(item) {
        for offset in [Some(l.value), l.type_, l.traceback].into_iter().flatten() {
            let target = cx.memory.word(item + offset).map_or(Addr::NULL, Addr);
            if !target.is_null() {
                let link = Link::Static(EdgeKind::Attribute, "handled_exception");
                holder.references.push((target, link, Grounds::Hidden));
            }
        }
        item = cx.memory.word(item + l.previous).map_or(Addr::NULL, Addr);
    }
}

/// The frames of a thread from the innermost out. What may lie on the value stack of a frame that is an
/// object is its thread's.
fn frames<M: Memory>(
    cx: &Context<'_, M>,
    innermost: Addr,
    thread: usize,
    named: &mut Named,
) -> Vec<(FrameAt, String)> {
    let l = &cx.layout.frame;
    let mut found = Vec::new();
    let mut at = innermost;
    while !at.is_null() && named.met.insert(at) {
        let mut scratch = Vec::new();
        let Some(body) = cx.memory.bytes(at, (l.local_values + 8) as usize, &mut scratch) else {
            break;
        };
        let previous = addr_at(body, l.previous);
        let code = frame::untagged(cx, u64_at(body, l.code));
        let owner = u8_at(body, l.owner);
        let known = found.len();
        match (l.owned_by_thread, l.owned_by_generator) {
            (None, _) => found.push((FrameAt::Object(at), title(cx, code, body))),
            (Some(_), _) if owner >= FIRST_FOREIGN_OWNER => {}
            (Some(_), Some(generator)) if u64::from(owner) == generator => {
                let object = at - cx.layout.generator.frame;
                found.push((FrameAt::Object(object), title(cx, code, body)));
            }
            _ => {
                let mut references = Collector::default();
                let visited = frame::interpreter_frame(cx, at, Grounds::Hidden, &mut references);
                // 3.11 and 3.12 begin a thread with a frame that has no code.
                if visited.is_some() {
                    let number = named.holders.len();
                    named.holders.push(Holder {
                        type_name: "<frame>",
                        address: at,
                        references: references.found,
                        ..Holder::default()
                    });
                    found.push((FrameAt::Holder(number), title(cx, code, body)));
                }
            }
        }
        let holder = found[known..].first().map(|(frame, _)| match *frame {
            FrameAt::Holder(number) => number,
            FrameAt::Object(_) => thread,
        });
        if let Some(holder) = holder {
            let mut stack = Collector::default();
            frame::unwritten_stack(cx, at, body, &mut stack);
            let words = stack.found.into_iter();
            named.stacked.extend(words.map(|(target, link, _)| Stacked { holder, target, link }));
        }
        at = previous;
    }
    found
}

/// `app.py:42 handle`.
fn title<M: Memory>(cx: &Context<'_, M>, code: Addr, frame: &[u8]) -> String {
    let Some((file, name)) = code::describe(cx, code) else { return "?".to_string() };
    let file = file.rsplit('/').next().unwrap_or(&file);
    match line(cx, code, frame) {
        Some(line) => format!("{file}:{line} {name}"),
        None => format!("{file} {name}"),
    }
}

fn line<M: Memory>(cx: &Context<'_, M>, code: Addr, frame: &[u8]) -> Option<u32> {
    let l = &cx.layout.code;
    let c: &Layout = cx.layout;
    let first_line = i64::from(cx.memory.word(code + l.first_line)?.cast_signed() as i32);
    let table = Addr(cx.memory.word(code + l.line_table)?);
    let size = cx.memory.word(table + crate::layout::OB_SIZE)?;
    let mut scratch = Vec::new();
    let table = cx.memory.bytes(table + c.bytes.data, size.min(1 << 20) as usize, &mut scratch)?;
    let offset = if c.minor >= 11 {
        // 3.11 and 3.12 keep the instruction before the next one; one code unit back of the
        // first is the function's start.
        let instruction = addr_at(frame, c.frame.instruction);
        instruction.since(code + l.bytecode).min(1 << 32)
    } else {
        // f_lasti counts code units (3.10).
        let last = i64::from(u32_at(frame, c.frame.instruction).cast_signed());
        u64::try_from(last).unwrap_or(0) * 2
    };
    line_table::line_of(table, c.minor, first_line, offset)
}

/// A visitor that only notes references.
#[derive(Default)]
struct Collector {
    found: Vec<(Addr, Link, Grounds)>,
}

impl Visitor for Collector {
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        self.found.push((target, link, grounds));
    }
}
