//! What a person may ask about: an address, the instances of a type, or a path.

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::heap::Heap;
use crate::path::{PathError, PathExpr, RootExpr, leading, nearest, resolve};
use crate::roots::RootKind;
use crate::types::TypeKind;
use crate::units::{Addr, NameId, NodeId, grouped};

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `0x7f…`: the object at an address.
    Object(NodeId),
    /// `module.Type` or `Type`: all instances of the types of that name.
    Type {
        /// The full name.
        name: String,
        /// The instances, by rising address.
        nodes: Vec<NodeId>,
    },
    /// A path: all nodes it leads to.
    Path(Vec<NodeId>),
}

impl Subject {
    /// The nodes in question.
    #[must_use]
    pub fn nodes(&self) -> &[NodeId] {
        match self {
            Subject::Object(node) => std::slice::from_ref(node),
            Subject::Type { nodes, .. } | Subject::Path(nodes) => nodes,
        }
    }
}

/// Why a question is about nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum QueryError {
    /// Begins with `0x` and is no address.
    #[error("`{0}` is not an address: expected up to 16 hexadecimal digits after `0x`")]
    NotAnAddress(String),
    /// No object begins there.
    #[error("no object begins at {address}{}", nearest_below(*.below))]
    NoObject {
        /// The address asked for.
        address: Addr,
        /// The nearest object below it.
        below: Option<Addr>,
    },
    /// Types of several modules have that name.
    #[error("several types are called `{name}`: {}", list(.candidates))]
    Ambiguous {
        /// The name asked for.
        name: String,
        /// Their full names and how many instances each has, most first.
        candidates: Vec<(String, u64)>,
    },
    /// Neither a type nor a path.
    #[error("no type and no module is called `{name}`{}", meant(.absent.as_deref(), .paths, .near))]
    Unknown {
        /// The name asked for.
        name: String,
        /// What it begins with, if no module has that name.
        absent: Option<String>,
        /// Paths that end with it: what was left out is the module.
        paths: Vec<String>,
        /// Types with like names.
        near: Vec<String>,
    },
    /// A path that leads nowhere.
    #[error(transparent)]
    Path(#[from] PathError),
}

fn nearest_below(below: Option<Addr>) -> String {
    below.map_or(String::new(), |at| format!("; the nearest one below begins at {at}"))
}

fn list(candidates: &[(String, u64)]) -> String {
    let one = |(name, count): &(String, u64)| format!("`{name}` ({})", grouped(*count));
    candidates.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn meant(absent: Option<&str>, paths: &[String], near: &[String]) -> String {
    if !paths.is_empty() {
        return format!("; a path begins with a module: `{}`", paths.join("`, `"));
    }
    let absent = absent.map(|name| format!("; no module `{name}` is loaded"));
    let near = (!near.is_empty()).then(|| format!("; nearest: `{}`", near.join("`, `")));
    absent.into_iter().chain(near).collect()
}

/// Finds what a text asks about: `0xADDRESS`, `module.Type`, `Type`, or a path.
///
/// Types come before paths: `app.User` asks about the instances, not about the class
/// (`app.__dict__.User`), and `datetime` about the type, not about the module. Only a type that has no
/// instances comes after them, unless its name is given in full.
///
/// # Errors
/// When there is no such thing, when no object begins at the address, when several types have the
/// bare name, or when a path leads nowhere.
pub fn query(heap: &Heap, text: &str) -> Result<Subject, QueryError> {
    let text = text.trim();
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return at_address(heap, text, digits);
    }
    let mut named = vec![None; heap.types.len()];
    for id in heap.types_called(text) {
        named[id.index()] = Some(heap.types.get(id).name);
    }
    let counts = instances(heap, &named);
    let (mut candidates, mut idle): (Vec<_>, Vec<_>) = counts
        .into_iter()
        .map(|(name, count)| (heap.names.get(name).to_owned(), count))
        .partition(|&(_, count)| count > 0);
    candidates.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    idle.sort_unstable();
    let nothing = |name: &String| Ok(Subject::Type { name: name.clone(), nodes: Vec::new() });
    match (candidates.as_slice(), idle.as_slice()) {
        ([], [(name, _)]) if name == text => nothing(name),
        ([], idle) => at_path(heap, text).or_else(|error| match idle {
            [] => Err(error),
            [(name, _)] => nothing(name),
            _ => Err(QueryError::Ambiguous { name: text.to_owned(), candidates: idle.to_vec() }),
        }),
        ([(name, _)], _) => {
            Ok(Subject::Type { name: name.clone(), nodes: instances_of(heap, &named) })
        }
        _ => Err(QueryError::Ambiguous { name: text.to_owned(), candidates }),
    }
}

fn at_address(heap: &Heap, text: &str, digits: &str) -> Result<Subject, QueryError> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let Some(address) = u64::from_str_radix(digits, 16).ok().filter(|_| plain) else {
        return Err(QueryError::NotAnAddress(text.to_owned()));
    };
    let address = Addr(address);
    let missing = || {
        let objects: Vec<NodeId> = heap.object_ids().collect();
        let end = objects.partition_point(|&node| heap.nodes.address(node) < address);
        let below = end.checked_sub(1).map(|last| heap.nodes.address(objects[last]));
        QueryError::NoObject { address, below }
    };
    heap.nodes.at(address).map(Subject::Object).ok_or_else(missing)
}

/// How many instances the types of each name have; types that are not asked about have none here.
fn instances(heap: &Heap, named: &[Option<NameId>]) -> FxHashMap<NameId, u64> {
    let mut counts: FxHashMap<NameId, u64> =
        named.iter().flatten().map(|&name| (name, 0)).collect();
    if !counts.is_empty() {
        for node in heap.object_ids() {
            if let Some(name) = named[heap.nodes.type_of(node).index()] {
                *counts.entry(name).or_default() += 1;
            }
        }
    }
    counts
}

fn instances_of(heap: &Heap, named: &[Option<NameId>]) -> Vec<NodeId> {
    let is = |node: &NodeId| named[heap.nodes.type_of(*node).index()].is_some();
    heap.object_ids().filter(is).collect()
}

/// The text as a path.
fn at_path(heap: &Heap, text: &str) -> Result<Subject, QueryError> {
    match text.parse::<PathExpr>().and_then(|path| resolve(heap, &path)) {
        Ok(nodes) => Ok(Subject::Path(nodes)),
        Err(PathError::NoRoot { near, .. }) => {
            let mut alive = vec![false; heap.types.len()];
            heap.object_ids().for_each(|node| alive[heap.nodes.type_of(node).index()] = true);
            // Of types without instances, those of programs only: there are a thousand others.
            let types = heap.types.iter().zip(&alive).filter(|((_, row), alive)| match row.kind {
                TypeKind::Python => true,
                TypeKind::Native => **alive,
                TypeKind::Pseudo => false,
            });
            let types = types.map(|((_, row), _)| heap.names.get(row.name));
            let near = nearest(text, types.chain(near.iter().map(String::as_str)));
            let paths = without_module(heap, text);
            let absent = absent_module(heap, text);
            Err(QueryError::Unknown { name: text.to_owned(), absent, paths, near })
        }
        Err(error) => Err(error.into()),
    }
}

/// What a text with several parts begins with, if no module has that name.
fn absent_module(heap: &Heap, text: &str) -> Option<String> {
    let (first, _) = text.split_once('.')?;
    let mut modules = heap.roots.iter().filter(|root| root.kind == RootKind::Module);
    let is_loaded = modules.any(|root| heap.names.get(root.name) == first);
    (!is_loaded).then(|| first.to_owned())
}

/// Paths that a text may mean which does not begin with a module, or begins with one that was run as
/// `__main__`: those that lead somewhere.
fn without_module(heap: &Heap, text: &str) -> Vec<String> {
    const MAIN: &str = "__main__";
    const LISTED: usize = 3;
    let rest = text.split_once('.').map(|(_, rest)| rest);
    let of_main = [Some(text), rest].into_iter().flatten().map(|rest| format!("{MAIN}.{rest}"));
    let found = leading(heap, of_main, 1);
    if !found.is_empty() {
        return found;
    }
    let modules = heap.roots.iter().filter(|root| root.kind == RootKind::Module);
    let of_others = modules.map(|root| format!("{}.{text}", RootExpr::of(heap, root)));
    leading(heap, of_others, LISTED)
}
