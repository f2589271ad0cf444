//! Where the table of interned strings is.
//!
//! Its references are not counted (Objects/unicodeobject.c), so it keeps nothing alive.

use deadweight_heap::Addr;

use super::native::scan;
use crate::layout::{Layout, OB_TYPE};
use crate::memory::{Memory, RegionKind};
use crate::object::dict;
use crate::runtime::Runtime;

/// A dict with fewer entries could look like the table by chance; an interpreter interns thousands.
const LEAST: usize = 64;
/// `interned:2`, the lowest bits of a string's state.
const INTERNED: u64 = 3;

/// From 3.12 on the interpreter says where. Before, it is a static variable without a symbol in
/// stripped programs: of the program's own data, the word that leads to a dict which maps interned strings to
/// themselves.
pub(crate) fn table<M: Memory>(memory: &M, runtime: &Runtime) -> Option<Addr> {
    let main = *runtime.interpreters.first()?;
    let l = &runtime.layout.interpreter;
    if let Some(at) = l.interned_strings {
        return memory.word(main + at).map(Addr);
    }
    let modules = memory.word(main + l.modules).map(Addr)?;
    let dict_type = memory.word(modules + OB_TYPE)?;
    let regions = memory.regions();
    let image =
        regions.iter().find(|it| it.start <= runtime.type_type && runtime.type_type < it.end)?.kind;
    if !matches!(image, RegionKind::Image(_)) {
        return None;
    }
    let mut found = None;
    for region in regions.iter().filter(|region| region.kind == image) {
        scan(memory, region.start, region.end, |word| {
            if found.is_none()
                && memory.word(word + OB_TYPE) == Some(dict_type)
                && maps_interned_to_themselves(memory, &runtime.layout, word)
            {
                found = Some(word);
            }
        });
    }
    found
}

fn maps_interned_to_themselves<M: Memory>(memory: &M, layout: &Layout, dict: Addr) -> bool {
    let places = 4 * LEAST as u64;
    let entries = dict::first_entries(memory, layout, dict, places);
    entries.len() >= LEAST
        && entries.iter().all(|&(key, value)| {
            let state = memory.word(key + layout.str.state);
            key == value && state.is_some_and(|state| state & INTERNED != 0)
        })
}
