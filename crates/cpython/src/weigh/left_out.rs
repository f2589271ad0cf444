//! What is no part of what objects hold.

use deadweight_heap::Addr;
use rustc_hash::FxHashSet;

use super::Bench;
use crate::family::Family;
use crate::header::Header;
use crate::memory::Memory;
use crate::types::TypeInfo;

/// Instances of some classes and of their subclasses, and the interpreter's own objects.
pub(super) struct LeftOut {
    stop: FxHashSet<Addr>,
    /// By the type's row: whether its instances are left out.
    stopped: Vec<Option<bool>>,
    /// Found when the first int is asked about.
    cached_ints: Option<FxHashSet<Addr>>,
}

impl LeftOut {
    pub(super) fn new(stop: &[Addr]) -> LeftOut {
        LeftOut { stop: stop.iter().copied().collect(), stopped: Vec::new(), cached_ints: None }
    }

    pub(super) fn has<M: Memory>(
        &mut self,
        bench: &Bench<'_, M>,
        info: &TypeInfo,
        addr: Addr,
        header: Header,
    ) -> bool {
        self.is_stopped(bench, info) || self.is_interpreters(bench, info, addr, header)
    }

    /// The interpreter's own: immortal, cached or static.
    fn is_interpreters<M: Memory>(
        &mut self,
        bench: &Bench<'_, M>,
        info: &TypeInfo,
        addr: Addr,
        header: Header,
    ) -> bool {
        bench.layout().object.refcount.is_immortal(header.refcount)
            || (info.family == Family::Int && self.is_cached_int(bench, addr))
            || bench.is_static(addr)
    }

    fn is_cached_int<M: Memory>(&mut self, bench: &Bench<'_, M>, addr: Addr) -> bool {
        self.cached_ints.get_or_insert_with(|| bench.cached_ints()).contains(&addr)
    }

    fn is_stopped<M: Memory>(&mut self, bench: &Bench<'_, M>, info: &TypeInfo) -> bool {
        let row = info.row as usize;
        if let Some(Some(known)) = self.stopped.get(row) {
            return *known;
        }
        let stopped = base(bench, info.addr, |class| self.stop.contains(&class)).is_some();
        if self.stopped.len() <= row {
            self.stopped.resize(row + 1, None);
        }
        self.stopped[row] = Some(stopped);
        stopped
    }
}

/// A class itself, or the first that it derives from, that is such: its `__mro__`, as `issubclass` reads it when
/// nobody overrides that.
pub(super) fn base<M: Memory>(
    bench: &Bench<'_, M>,
    class: Addr,
    is_such: impl Fn(Addr) -> bool,
) -> Option<Addr> {
    let (memory, layout) = (bench.cx.memory, bench.layout());
    if is_such(class) {
        return Some(class);
    }
    let mro = memory.word(class + layout.type_.mro).map(Addr)?;
    let length = memory.word(mro + crate::layout::OB_SIZE)?;
    let items = mro + layout.tuple.items;
    let bases = (0..length.min(1 << 12)).map_while(|index| memory.word(items + index * 8));
    bases.map(Addr).find(|&class| is_such(class))
}
