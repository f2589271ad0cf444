//! What a collector says of itself (`struct _gc_runtime_state`; `internal/pycore_gc.h`, from 3.14 on
//! `internal/pycore_interp_structs.h`).

use deadweight_heap::{Addr, Collector, Generation};

use crate::gc_list::Tracked;
use crate::layout::{CollectorStats, GcLayout, OB_SIZE};
use crate::memory::Memory;
use crate::runtime::Runtime;

/// The state of one interpreter's collector, of whose lists the members are counted already. What cannot be
/// read is 0.
pub(crate) fn read<M: Memory>(
    memory: &M,
    runtime: &Runtime,
    interpreter: Addr,
    tracked: &Tracked,
) -> Collector {
    let layout = &runtime.layout.gc;
    let at = interpreter + runtime.layout.interpreter.gc;
    let int = |at: Addr| memory.array(at).map_or(0, i32::from_le_bytes);
    let generation = |number: usize| {
        let head = at + layout.generations + number as u64 * layout.generation_size;
        Generation {
            threshold: int(head + layout.generation_threshold),
            count: int(head + layout.generation_count),
            objects: tracked.generations[number],
            ..statistics(memory, layout, at, number)
        }
    };
    let version = runtime.version;
    let garbage = memory.word(at + layout.garbage).map_or(Addr::NULL, Addr);
    Collector {
        enabled: int(at + layout.enabled) != 0,
        collecting: tracked.collecting,
        // cpython issue 148726.
        incremental: version.minor == 14 && version.micro < 5,
        generations: [0, 1, 2].map(generation),
        garbage: if garbage.is_null() { 0 } else { size(memory, garbage + OB_SIZE) },
        long_lived_total: size(memory, at + layout.long_lived_total),
        long_lived_pending: size(memory, at + layout.long_lived_pending),
        interpreters: runtime.interpreters.len() as u64,
    }
}

/// A `Py_ssize_t` that is never negative.
fn size<M: Memory>(memory: &M, at: Addr) -> u64 {
    memory.word(at).filter(|&word| i64::try_from(word).is_ok()).unwrap_or(0)
}

fn statistics<M: Memory>(
    memory: &M,
    layout: &GcLayout,
    state: Addr,
    generation: usize,
) -> Generation {
    let Some(row) = row(memory, layout, state, generation) else { return Generation::default() };
    Generation {
        collections: size(memory, row + layout.stats_collections),
        collected: size(memory, row + layout.stats_collected),
        uncollectable: size(memory, row + layout.stats_uncollectable),
        ..Generation::default()
    }
}

/// Where the statistics of a generation stand: in 3.15 those of its last collection, which go on from those of
/// the one before.
fn row<M: Memory>(memory: &M, layout: &GcLayout, state: Addr, generation: usize) -> Option<Addr> {
    match layout.stats {
        CollectorStats::Embedded(at) => Some(state + at + generation as u64 * layout.stats_size),
        CollectorStats::Rings { pointer, starts, indexes, rows } => {
            let rings = Addr(memory.word(state + pointer).filter(|&word| word != 0)?);
            let [index] = memory.array(rings + indexes[generation])?;
            let rows = rows[generation.min(1)];
            let index = Some(u64::from(index)).filter(|&index| index < rows)?;
            Some(rings + starts[generation] + index * layout.stats_size)
        }
    }
}
