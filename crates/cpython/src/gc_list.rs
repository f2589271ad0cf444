//! The garbage collector's own lists: every tracked object, youngest first, and what `gc.freeze` set
//! aside (Python/gc.c; before 3.13 Modules/gcmodule.c).

use deadweight_heap::Addr;

use crate::chain::Chain;
use crate::layout::{GC_HEAD, Layout};
use crate::memory::Memory;

/// Where the link back stands in a GC head.
const PREVIOUS: u64 = 8;

/// The low bits of both links carry flags.
const FLAGS: u64 = 3;

/// What the lists of one interpreter hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tracked {
    /// Objects in all lists, the permanent generation included.
    pub(crate) objects: u64,
    /// Of these, in the permanent generation.
    pub(crate) permanent: u64,
    /// And in each other one, youngest first.
    pub(crate) generations: [u64; 3],
    /// Lists that could not be followed to their end.
    pub(crate) broken: u64,
    /// A collection was running: some objects are in lists on the collector's C stack.
    pub(crate) collecting: bool,
}

/// Calls `each` with every tracked object of an interpreter, and whether it is permanent.
pub(crate) fn each<M: Memory>(
    memory: &M,
    layout: &Layout,
    interpreter: Addr,
    mut each: impl FnMut(Addr, bool),
) -> Tracked {
    let gc = interpreter + layout.interpreter.gc;
    let mut tracked = Tracked::default();
    for number in 0..3 {
        let head = layout.gc.generations + number * layout.gc.generation_size;
        let (count, whole) = follow(memory, gc + head, |object| each(object, false));
        tracked.generations[number as usize] = count;
        tracked.objects += count;
        tracked.broken += u64::from(!whole);
    }
    let (count, whole) = follow(memory, gc + layout.gc.permanent, |object| each(object, true));
    tracked.objects += count;
    tracked.permanent = count;
    tracked.broken += u64::from(!whole);
    tracked.collecting =
        memory.word(gc + layout.gc.collecting).is_some_and(|word| word as u32 != 0);
    tracked
}

/// Follows one list by its forward links only: while a collection runs, the links back hold counts.
/// A damaged list may run in circles that do not include its head.
///
/// `_PyObject_GC_TRACK` (`internal/pycore_gc.h`, `pycore_object.h`) puts an object at the end in four steps. In
/// the middle of them the last object leads to a new one that leads nowhere yet: that is the end, too.
fn follow<M: Memory>(memory: &M, head: Addr, mut each: impl FnMut(Addr)) -> (u64, bool) {
    let mut chain = Chain::new();
    let mut count = 0;
    let link = |at: Addr| memory.word(at).map(|word| Addr(word & !FLAGS));
    let mut at = link(head);
    let (mut before, mut last) = (head, head);
    loop {
        match at {
            Some(node) if node == head => return (count, true),
            Some(node) if chain.goes_on(node) => {
                count += 1;
                each(node + GC_HEAD);
                (before, last) = (last, node);
                at = link(node);
            }
            Some(Addr::NULL) => {
                let end = link(head + PREVIOUS);
                return (count, end == Some(before) || end == Some(last));
            }
            _ => return (count, false),
        }
    }
}

/// Whether an object that has a GC head is in a list.
pub(crate) fn is_tracked<M: Memory>(memory: &M, object: Addr) -> bool {
    memory.word(object - GC_HEAD).is_some_and(|next| next & !FLAGS != 0)
}
