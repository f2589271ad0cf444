//! Functions and the code behind them (Objects/codeobject.c, funcobject.c), modules.

use deadweight_heap::EdgeKind;

use super::Image;
use super::model::{Label, Obj, Sight};
use super::numbers::Python;

/// What a code object is to say of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeSpec<'a> {
    pub(crate) file: &'a str,
    pub(crate) name: &'a str,
    pub(crate) first_line: u32,
    pub(crate) locals: &'a [&'a str],
    /// Free variables: the cells of a closure.
    pub(crate) free: &'a [&'a str],
    pub(crate) stack: u64,
    /// Code units and their line, in order; `None` for no line.
    pub(crate) lines: &'a [(u64, Option<u32>)],
}

impl CodeSpec<'_> {
    pub(crate) const PLAIN: CodeSpec<'static> = CodeSpec {
        file: "/srv/app.py",
        name: "handle",
        first_line: 40,
        locals: &[],
        free: &[],
        stack: 3,
        lines: &[(4, Some(40)), (4, Some(42))],
    };
}

/// What frames need to know of a code object.
#[derive(Clone, Debug)]
pub(crate) struct CodeFacts {
    pub(crate) locals: Vec<String>,
    pub(crate) free: Vec<String>,
    pub(crate) stack: u64,
    /// `app.py`, and the name.
    file: String,
    name: String,
    lines: Vec<(u64, Option<u32>)>,
}

impl CodeFacts {
    /// `app.py:42 handle`, at a code unit.
    pub(crate) fn title(&self, unit: u64) -> String {
        let mut end = 0;
        let here = self.lines.iter().find(|&&(units, _)| {
            end += units;
            unit < end
        });
        match here.and_then(|&(_, line)| line) {
            Some(line) => format!("{}:{line} {}", self.file, self.name),
            None => format!("{} {}", self.file, self.name),
        }
    }

    /// Local and free variables: what a frame has names for.
    pub(crate) fn variables(&self) -> Vec<String> {
        self.locals.iter().chain(&self.free).cloned().collect()
    }
}

impl Image {
    pub(crate) fn code(&mut self, spec: CodeSpec<'_>) -> Obj {
        let n = self.numbers.clone();
        let units: u64 = spec.lines.iter().map(|&(units, _)| units).sum();
        let old = self.python == Python::V3_10;
        let size = if old { n.code_size } else { (n.code_size + units * 2).next_multiple_of(8) };
        let object = self.object(self.core.code, size);
        let at = self.address(object);
        let variables: Vec<&str> = spec.locals.iter().chain(spec.free).copied().collect();
        self.memory.put_int(at + n.code_stack_size, spec.stack as u32);
        self.memory.put_int(at + n.code_first_line, spec.first_line);
        let consts = self.tuple(&[self.none]);
        let names = self.tuple(&[]);
        let (file, name) = (self.name(spec.file), self.name(spec.name));
        let table = if old { old_lines(&spec) } else { locations(&spec) };
        let table = self.bytes(&table);
        let mut fields = vec![
            (n.code_consts, "co_consts", consts),
            (n.code_names, "co_names", names),
            (n.code_filename, "co_filename", file),
            (n.code_name, "co_name", name),
            (n.code_line_table, "co_linetable", table),
        ];
        if old {
            self.memory.put_int(at + n.code_locals, spec.locals.len() as u32);
            // codeobject.h of 3.10: `co_code`, `co_freevars`, `co_cellvars`.
            let bytecode = self.bytes(&vec![9; units as usize * 2]);
            let locals = self.name_tuple(spec.locals);
            let (free, cells) = (self.name_tuple(spec.free), self.name_tuple(&[]));
            fields.extend([
                (48, "co_code", bytecode),
                (72, "co_varnames", locals),
                (80, "co_freevars", free),
                (88, "co_cellvars", cells),
            ]);
        } else {
            self.memory.put_word(at + 16, units);
            self.memory.put_int(at + n.code_locals, variables.len() as u32);
            self.memory.put_int(at + n.code_free, spec.free.len() as u32);
            let locals = self.name_tuple(&variables);
            let kinds = self.bytes(&vec![0x20; variables.len()]);
            let exceptions = self.bytes(&[]);
            fields.extend([
                (n.code_local_names, "co_localsplusnames", locals),
                (n.code_local_kinds, "co_localspluskinds", kinds),
                (n.code_exception_table, "co_exceptiontable", exceptions),
                (n.code_qualname, "co_qualname", name),
            ]);
        }
        self.attributes(object, Sight::Hidden, &fields);
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_string()).collect();
        let facts = CodeFacts {
            locals: owned(spec.locals),
            free: owned(spec.free),
            stack: spec.stack,
            file: spec.file.rsplit('/').next().unwrap_or_default().to_string(),
            name: spec.name.to_string(),
            lines: spec.lines.to_vec(),
        };
        self.codes.insert(object, facts);
        object
    }

    fn name_tuple(&mut self, names: &[&str]) -> Obj {
        let names: Vec<Obj> = names.iter().map(|name| self.name(name)).collect();
        self.tuple(&names)
    }

    /// Where the instruction pointer of a frame stands at a code unit.
    pub(crate) fn instruction(&self, code: Obj, unit: u64) -> u64 {
        self.address(code) + self.numbers.code_size + unit * 2
    }

    /// A function with these globals, closing over these cells.
    pub(crate) fn function(&mut self, code: Obj, globals: Obj, cells: &[Obj]) -> Obj {
        let n = self.numbers.clone();
        let object = self.object(self.core.function, n.function_size);
        self.objects[globals.0].namespace = true;
        let builtins = self.interpreters[0].builtins;
        let name = self.codes[&code].name.clone();
        let name = self.name(&name);
        // funcobject.h: the fields up to the code are the same everywhere.
        let fields = [
            (16, "__globals__", globals),
            (24, "__builtins__", builtins),
            (32, "__name__", name),
            (40, "__qualname__", name),
            (48, "__code__", code),
        ];
        self.attributes(object, Sight::Visible, &fields);
        if !cells.is_empty() {
            let closure = self.closure(code, cells);
            self.attributes(object, Sight::Visible, &[(72, "__closure__", closure)]);
        }
        object
    }

    /// The tuple of a closure: its items are called like the code's free variables.
    fn closure(&mut self, code: Obj, cells: &[Obj]) -> Obj {
        let tuple = self.tuple(cells);
        let names = self.codes[&code].free.clone();
        for (slot, name) in self.objects[tuple.0].slots.iter_mut().zip(names) {
            slot.label = Label::Named(EdgeKind::Closure, name);
        }
        tuple
    }

    /// Gives a function defaults, annotations and attributes of its own.
    pub(crate) fn dress_function(&mut self, function: Obj, defaults: &[Obj], dict: Obj) {
        let defaults = self.tuple(defaults);
        self.objects[dict.0].namespace = true;
        let fields = [(56, "__defaults__", defaults), (88, "__dict__", dict)];
        self.attributes(function, Sight::Visible, &fields);
    }

    /// A module in `sys.modules`.
    pub(crate) fn module(&mut self, name: &str, contents: &[(&str, Obj)]) -> Obj {
        self.module_of(0, name, contents)
    }

    /// A module of another interpreter.
    pub(crate) fn module_of(
        &mut self,
        interpreter: usize,
        name: &str,
        contents: &[(&str, Obj)],
    ) -> Obj {
        let object = self.loose_module(name, contents);
        self.interpreters[interpreter].modules.push((name.to_string(), object));
        object
    }

    /// A module object that `sys.modules` does not list.
    pub(crate) fn loose_module(&mut self, name: &str, contents: &[(&str, Obj)]) -> Obj {
        let n = self.numbers.clone();
        let object = self.object(self.core.module, n.module_size);
        let dict = self.namespace(contents);
        let name = self.name(name);
        self.attributes(object, Sight::Visible, &[(16, "__dict__", dict)]);
        self.attributes(object, Sight::Hidden, &[(n.module_name, "__name__", name)]);
        object
    }

    /// Gives a module a C struct that holds these objects.
    pub(crate) fn module_state(&mut self, module: Obj, held: &[Obj]) {
        let n = self.numbers.clone();
        let at = self.address(module);
        let size = held.len() as u64 * 8;
        if self.since(Python::V3_15) {
            self.memory.put_word(at + n.module_state_size, size);
        } else {
            // moduleobject.h: `m_size` of the definition.
            let definition = self.reserve_static(104);
            self.memory.zero(definition, 104);
            self.memory.put_word(definition + 56, size);
            self.memory.put_word(at + n.module_def, definition);
        }
        let block = self.blocks.allocate(&mut self.memory, size);
        self.memory.put_word(at + n.module_state, block.start);
        self.objects[module.0].blocks.push(block);
        for (offset, &target) in (0..).step_by(8).zip(held) {
            let label = Label::At(EdgeKind::State, offset);
            self.refer(module, block.start + offset, label, Sight::Guessed, target);
        }
    }
}

/// `co_linetable` of 3.11+ (Objects/locations.md): entries of up to eight code units.
fn locations(spec: &CodeSpec<'_>) -> Vec<u8> {
    let mut table = Vec::new();
    let mut line = i64::from(spec.first_line);
    for &(units, wanted) in spec.lines {
        let mut left = units;
        while left > 0 {
            let now = left.min(8);
            let head = |code: u8| 0x80 | code << 3 | (now - 1) as u8;
            match wanted {
                None => table.push(head(15)),
                Some(wanted) => {
                    let delta = i64::from(wanted) - line;
                    line = i64::from(wanted);
                    match delta {
                        // Same line, short form: columns in one byte.
                        0 => table.extend([head(2), 0x34]),
                        // One-line forms: two columns.
                        1 | 2 => table.extend([head(10 + delta as u8), 4, 9]),
                        // Long form: line, end line, columns.
                        _ => {
                            table.push(head(14));
                            table.extend(signed_varint(delta));
                            table.extend([0, 5, 9]);
                        }
                    }
                }
            }
            left -= now;
        }
    }
    table
}

/// Six bits a byte, lowest first, 64 set where more follow; the sign is the lowest bit.
fn signed_varint(value: i64) -> Vec<u8> {
    let mut rest = value.unsigned_abs() << 1 | u64::from(value < 0);
    let mut bytes = Vec::new();
    while rest >= 64 {
        bytes.push(0x40 | (rest & 63) as u8);
        rest >>= 6;
    }
    bytes.push(rest as u8);
    bytes
}

/// `co_linetable` of 3.10 (`Objects/lnotab_notes.txt`): pairs of a length in bytes and a line delta.
fn old_lines(spec: &CodeSpec<'_>) -> Vec<u8> {
    let mut table = Vec::new();
    let mut line = i64::from(spec.first_line);
    for &(units, wanted) in spec.lines {
        let mut delta = match wanted {
            None => i64::from(i8::MIN),
            Some(wanted) => i64::from(wanted) - line,
        };
        if let Some(wanted) = wanted {
            line = i64::from(wanted);
            while !(-127..=127).contains(&delta) {
                let step = delta.clamp(-127, 127);
                table.extend([0, step as i8 as u8]);
                delta -= step;
            }
        }
        let mut left = units * 2;
        while left > 0 {
            let now = left.min(254);
            table.extend([now as u8, delta as i8 as u8]);
            left -= now;
            delta = if wanted.is_none() { delta } else { 0 };
        }
    }
    table
}
