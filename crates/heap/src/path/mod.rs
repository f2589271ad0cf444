//! Paths: one grammar for people, flags and tests.
//!
//! [`PathExpr`] is a path as text says it; [`resolve`] finds the nodes it leads to; [`ShownPath`]
//! writes a chain of references in the same grammar, so that what is printed can be typed. The
//! grammar is described in `docs/paths.md`, whose examples are tests.

mod near;
mod parse;
mod resolve;
mod shown;

use std::fmt::{self, Write};

use thiserror::Error;

use crate::roots::RootKind;

pub use resolve::resolve;
pub use shown::{ShownPath, ShownStep};

pub(crate) use near::nearest;
pub(crate) use resolve::leading;
pub(crate) use shown::DICT;

/// A path as a person writes it: where it begins, and the steps from there.
///
/// ```
/// use deadweight_heap::path::PathExpr;
/// let path: PathExpr = "thread 7 > app.py:42 handle > payload.rows[*]".parse()?;
/// assert_eq!(path.to_string(), "thread 7 › app.py:42 handle › payload.rows[*]");
/// # Ok::<(), deadweight_heap::path::PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathExpr {
    /// Where it begins.
    pub root: RootExpr,
    /// The steps from there.
    pub steps: Vec<StepExpr>,
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootExpr {
    /// `app`: a module. Plain names that follow may belong to its name: `package.module`.
    Module(String),
    /// `'my-script'`: a module by its whole name.
    QuotedModule(String),
    /// `interpreter`, or `interpreter 1` where there are several.
    Interpreter(String),
    /// `thread 7`.
    Thread(String),
    /// `<static data of libfoo.so>`: a holder that has no name in the program.
    Holder(RootKind, String),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepExpr {
    /// `.name`: an attribute, by way of `__dict__` if need be; also a C field by that name.
    Name(String),
    /// `.'a name'`: the same, but never a part of a module's name.
    QuotedName(String),
    /// `.<iterator>`: a C field that no attribute shows.
    Internal(String),
    /// `› name`: a frame of a thread, or a local variable of a frame.
    Segment(String),
    /// `.<locals>.name`: a local variable of a generator or a frame object.
    Local(String),
    /// `.<closure>.name`: what a variable of a closure refers to.
    Closure(String),
    /// `.<cell>.name`: the cell of that variable.
    Cell(String),
    /// `.<weak>.name`: a weak reference.
    Weak(String),
    /// `[17]`
    Item(u32),
    /// `[#3]`: the value of a dict entry, by position.
    Entry(u32),
    /// `['key']`: the value of a dict entry whose key was kept.
    NamedEntry(String),
    /// `[key 3]`: the key of a dict entry, or an element of a set, by position.
    Key(u32),
    /// `[stack 3]`: a temporary of a frame.
    Stack(u32),
    /// `[*]`: all items, values of a dict, elements of a set.
    Elements,
    /// `[key *]`: all keys and elements of a set.
    Keys,
    /// `[stack *]`: all temporaries of a frame.
    Temporaries,
    /// `.<field 24>`: a word of a C struct, by its offset.
    Field(u32),
    /// `.<state 24>`: a word of a module's C state, by its offset.
    State(u32),
    /// `.<native 24>`: a word of a native block, by its offset.
    Native(u32),
}

/// Why a path leads nowhere.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PathError {
    /// Not in the grammar.
    #[error("not a path: expected {expected} here: {}⏵{}", head(.text, *at), tail(.text, *at))]
    Syntax {
        /// The whole text.
        text: String,
        /// Where it went wrong, in bytes.
        at: usize,
        /// What could have stood there.
        expected: &'static str,
    },
    /// No root by that name.
    #[error("nothing begins with `{name}`{}", nearest_of(.near))]
    NoRoot {
        /// What the path begins with.
        name: String,
        /// Roots with like names.
        near: Vec<String>,
    },
    /// A holder that has no name in the program, and is not there.
    #[error("there is no `{holder}` here{}", nearest_of(.near))]
    NoHolder {
        /// What the path begins with.
        holder: String,
        /// Holders of the same kind.
        near: Vec<String>,
    },
    /// An entry asked for by its key, where keys were not kept.
    #[error(
        "`{so_far}` ({found}): {} of its keys {} kept, so `{step}` cannot be looked up{}",
        if *.some { "only some" } else { "none" },
        if *.some { "were" } else { "was" },
        nearest_of(.near)
    )]
    KeyNotKept {
        /// The path up to the step.
        so_far: String,
        /// The types that were found there, and how many entries they have.
        found: String,
        /// The step.
        step: String,
        /// Whether some keys were kept.
        some: bool,
        /// Kept keys that are like it.
        near: Vec<String>,
    },
    /// A step that nothing before it can take.
    #[error("`{so_far}` ({found}) has no `{step}`{}", nearest_of(.near))]
    NoStep {
        /// The path up to the step.
        so_far: String,
        /// The types that were found there, and how many elements they have.
        found: String,
        /// The step.
        step: String,
        /// Steps with like names that could be taken there.
        near: Vec<String>,
    },
}

fn nearest_of(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; nearest: `{}`", near.join("`, `")),
    }
}

fn head(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or(text)
}

fn tail(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or("")
}

impl fmt::Display for PathExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        write_steps(f, &self.steps)
    }
}

/// Writes steps one after the other. A frame's label runs up to the next separator, so what is not
/// a local variable needs one before it.
fn write_steps<'a>(
    f: &mut fmt::Formatter<'_>,
    steps: impl IntoIterator<Item = &'a StepExpr>,
) -> fmt::Result {
    let mut after_label = false;
    for step in steps {
        match step {
            StepExpr::Segment(name) => after_label = !parse::is_name(name),
            _ if std::mem::take(&mut after_label) => f.write_str(" › ")?,
            _ => {}
        }
        write!(f, "{step}")?;
    }
    Ok(())
}

impl fmt::Display for RootExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RootExpr::Module(name) => f.write_str(name),
            RootExpr::QuotedModule(name) => quote(f, name),
            RootExpr::Interpreter(name) if name.is_empty() => f.write_str("interpreter"),
            RootExpr::Interpreter(name) => {
                f.write_str("interpreter ")?;
                plain_or_quoted(f, name, parse::is_number_name)
            }
            RootExpr::Thread(name) => {
                f.write_str("thread ")?;
                plain_or_quoted(f, name, parse::is_number_name)
            }
            RootExpr::Holder(kind, name) if name.is_empty() => write!(f, "<{}>", kind.word()),
            RootExpr::Holder(kind, name) => {
                write!(f, "<{} ", kind.word())?;
                plain_or_quoted(f, name, parse::is_bracketable)?;
                f.write_char('>')
            }
        }
    }
}

impl fmt::Display for StepExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |f: &mut fmt::Formatter<'_>, before: &str, name: &str| {
            f.write_str(before)?;
            write_name(f, name)
        };
        match self {
            StepExpr::Name(name) => named(f, ".", name),
            StepExpr::QuotedName(name) => {
                f.write_char('.')?;
                quote(f, name)
            }
            StepExpr::Internal(name) => {
                f.write_str(".<")?;
                plain_or_quoted(f, name, parse::is_internal)?;
                f.write_char('>')
            }
            StepExpr::Segment(name) => {
                f.write_str(" › ")?;
                plain_or_quoted(f, name, parse::is_segment)
            }
            StepExpr::Local(name) => named(f, ".<locals>.", name),
            StepExpr::Closure(name) => named(f, ".<closure>.", name),
            StepExpr::Cell(name) => named(f, ".<cell>.", name),
            StepExpr::Weak(name) => named(f, ".<weak>.", name),
            StepExpr::Item(index) => write!(f, "[{index}]"),
            StepExpr::Entry(index) => write!(f, "[#{index}]"),
            StepExpr::NamedEntry(key) => {
                f.write_char('[')?;
                quote(f, key)?;
                f.write_char(']')
            }
            StepExpr::Key(index) => write!(f, "[key {index}]"),
            StepExpr::Stack(index) => write!(f, "[stack {index}]"),
            StepExpr::Elements => f.write_str("[*]"),
            StepExpr::Keys => f.write_str("[key *]"),
            StepExpr::Temporaries => f.write_str("[stack *]"),
            StepExpr::Field(offset) => write!(f, ".<field {offset}>"),
            StepExpr::State(offset) => write!(f, ".<state {offset}>"),
            StepExpr::Native(offset) => write!(f, ".<native {offset}>"),
        }
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    plain_or_quoted(f, name, parse::is_name)
}

/// A name as it is, where it can stand so, or else in quotes.
fn plain_or_quoted(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    is_plain: impl Fn(&str) -> bool,
) -> fmt::Result {
    if is_plain(name) { f.write_str(name) } else { quote(f, name) }
}

/// A name in quotes. What could upset a terminal or reverse a line is escaped.
fn quote(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in name.chars() {
        match c {
            '\'' | '\\' => write!(f, "\\{c}")?,
            c if is_unprintable(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('\'')
}

/// Whether a character could upset a terminal: those that control it, and those that change the
/// direction of text.
#[must_use]
pub fn is_unprintable(c: char) -> bool {
    const ARABIC_LETTER_MARK: char = '\u{61c}';
    c.is_control()
        || c == ARABIC_LETTER_MARK
        || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
