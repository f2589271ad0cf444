//! Recognising an interpreter: is it a CPython we know, and do our numbers fit it?

use deadweight_heap::Addr;
use thiserror::Error;

use crate::layout::{self, Layout, OB_TYPE};
use crate::memory::{Memory, c_string};
use crate::version::Version;

/// What the symbol tables of the target's program files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// `_PyRuntime`, or the start of the `.PyRuntime` section.
    pub runtime: Addr,
    /// `PyType_Type`.
    pub type_type: Addr,
    /// `Py_Version` (3.11+).
    pub version: Option<Addr>,
    /// The version as text, where there is no such symbol (3.10).
    pub version_text: Option<String>,
    /// `_Py_NegativeRefcount`: exported by debug builds only.
    pub debug_build: bool,
}

/// Why a target cannot be read. Each says what it is and what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// Another minor version.
    #[error("Python {0} is not supported: deadweight reads CPython 3.10 to 3.15")]
    UnknownVersion(String),
    /// It looks like CPython, but does not say which.
    #[error(
        "the version of Python in this process cannot be told, and deadweight reads CPython 3.10 to 3.15 only"
    )]
    NoVersion,
    /// PEP 703.
    #[error("Python {0} is a free-threaded build, which deadweight cannot read yet")]
    FreeThreaded(Version),
    /// `--with-pydebug`, `Py_TRACE_REFS`.
    #[error("this is a debug build of Python, whose objects are laid out differently")]
    DebugBuild,
    /// No interpreter yet, or no longer.
    #[error("Python is not initialised in this process (yet, or any more)")]
    NotInitialised,
    /// Our numbers do not fit.
    #[error("Python {version} does not look as expected: {what}")]
    Mismatch {
        /// Which version it claims to be.
        version: Version,
        /// Which check failed.
        what: &'static str,
    },
}

/// A recognised interpreter: its layout, and where its states are.
#[derive(Clone, Debug)]
pub struct Runtime {
    pub(crate) layout: Layout,
    /// `_PyRuntime`.
    state: Addr,
    pub(crate) type_type: Addr,
    /// All interpreters, the main one first.
    pub(crate) interpreters: Vec<Addr>,
    /// Which CPython it is.
    pub version: Version,
    /// What the running interpreter's own numbers corrected in our table.
    pub corrected: Vec<&'static str>,
}

/// More interpreters than any program has; a longer list is damage.
const MOST_INTERPRETERS: usize = 1 << 12;

impl Runtime {
    /// Recognises the interpreter behind these symbols.
    ///
    /// # Errors
    /// When it is none that we know, or our numbers do not fit it.
    pub fn attach<M: Memory>(memory: &M, symbols: &Symbols) -> Result<Runtime, Refusal> {
        let told = layout::read_debug_offsets(memory, symbols.runtime);
        let version =
            version_of(memory, symbols, told.map(|told| told.version)).ok_or(Refusal::NoVersion)?;
        if told.is_some_and(|told| told.free_threaded) {
            return Err(Refusal::FreeThreaded(version));
        }
        let table = (version.major == 3).then(|| layout::of_minor(version.minor)).flatten();
        let Some(mut layout) = table else {
            return Err(Refusal::UnknownVersion(version.to_string()));
        };
        if symbols.debug_build {
            return Err(Refusal::DebugBuild);
        }
        let corrected = if told.is_some() {
            layout::apply_debug_offsets(&mut layout, memory, symbols.runtime)
        } else {
            Vec::new()
        };
        let interpreters = interpreters(memory, &layout, symbols.runtime);
        let Some(&main) = interpreters.first() else {
            return Err(Refusal::NotInitialised);
        };
        let modules = memory.word(main + layout.interpreter.modules).unwrap_or(0);
        if modules == 0 {
            return Err(Refusal::NotInitialised);
        }
        let mismatch = |what| Refusal::Mismatch { version, what };
        check_type(memory, &layout, symbols.type_type).map_err(mismatch)?;
        find_generations(memory, &mut layout, main).map_err(mismatch)?;
        let (state, type_type) = (symbols.runtime, symbols.type_type);
        Ok(Runtime { layout, state, type_type, interpreters, version, corrected })
    }

    /// The interpreters that there are now, the main one first: in a program that looks at itself they
    /// come and go.
    pub(crate) fn interpreters_now<M: Memory>(&self, memory: &M) -> Vec<Addr> {
        interpreters(memory, &self.layout, self.state)
    }

    /// The patch release whose headers gave the table.
    #[must_use]
    pub fn table_made_from(&self) -> &'static str {
        self.layout.made_from
    }
}

fn version_of<M: Memory>(memory: &M, symbols: &Symbols, told: Option<u32>) -> Option<Version> {
    let symbol = || Some(memory.word(symbols.version?)? as u32);
    let hex = told.or_else(symbol);
    hex.map(Version::from_hex).or_else(|| Version::parse(symbols.version_text.as_deref()?))
}

fn interpreters<M: Memory>(memory: &M, layout: &Layout, runtime: Addr) -> Vec<Addr> {
    let mut found = Vec::new();
    let mut next = memory.word(runtime + layout.runtime.interpreters_head).unwrap_or(0);
    while next != 0 && found.len() < MOST_INTERPRETERS && !found.contains(&Addr(next)) {
        found.push(Addr(next));
        next = memory.word(Addr(next) + layout.interpreter.next).unwrap_or(0);
    }
    // New interpreters are put at the head of the list: the main one is the last.
    found.sort_by_key(|&at| memory.word(at + layout.interpreter.id).unwrap_or(u64::MAX));
    found
}

/// `type` is its own type and is called "type".
fn check_type<M: Memory>(memory: &M, layout: &Layout, type_type: Addr) -> Result<(), &'static str> {
    if memory.word(type_type + OB_TYPE) != Some(type_type.0) {
        return Err("`type` is not its own type");
    }
    let name = memory.word(type_type + layout.type_.name).map(Addr);
    let name = name.and_then(|at| c_string(memory, at, 16));
    if name.as_deref() != Some("type") {
        return Err("`type` has another name");
    }
    Ok(())
}

/// Takes the collector's list heads from where its own `generation0` pointer says they are. Patch
/// releases of 3.13 differ there, and a head is not even 8-aligned from 3.13.6 or so on. Releases
/// that have no such pointer (3.14.0–3.14.4) keep the table's place.
fn find_generations<M: Memory>(
    memory: &M,
    layout: &mut Layout,
    interpreter: Addr,
) -> Result<(), &'static str> {
    let gc = interpreter + layout.interpreter.gc;
    let pointer = memory.word(gc + layout.gc.generation0).map_or(Addr::NULL, Addr);
    let offset = pointer.since(gc);
    if offset < layout.gc.size {
        layout.gc.generations = offset;
    }
    let heads = (0..3)
        .map(|number| layout.gc.generations + number * layout.gc.generation_size)
        .chain([layout.gc.permanent]);
    for head in heads {
        let head = gc + head;
        // The link back is not looked at: while a collection runs it holds a count.
        let linked = memory.word(head).is_some_and(|next| next != 0 && next.is_multiple_of(4));
        if !linked {
            return Err("the garbage collector's lists are not where they should be");
        }
    }
    Ok(())
}
