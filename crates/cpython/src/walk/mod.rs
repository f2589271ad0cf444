//! The walk: from an interpreter's memory to a frozen heap.
//!
//! Two passes with the same decoders. The first marks: it follows references from the named roots,
//! then from everything else that keeps objects alive. The second goes through the marked objects by
//! rising address, where memory is read in order, and records sizes and named references.

mod emit;
pub(crate) mod interned;
mod mark;
mod native;
mod scales;
mod unreached;

use deadweight_heap::{
    Addr, BuildError, Collector, Gap, GapKind, Heap, Layer, NodeId, Pymalloc, Tally,
};
use rustc_hash::FxHashSet;

use crate::allowance::Allowance;
use crate::arenas::Arenas;
use crate::bitmap::Bitmap;
use crate::blocks::Allocators;
use crate::collector;
use crate::gc_list::{self, Tracked};
use crate::holders::{self, Holder, Named, Stacked, Thread};
use crate::layout::GC_HEAD;
use crate::memory::Memory;
use crate::object::{Context, Grounds};
use crate::runtime::Runtime;
use crate::space::Space;
use crate::types::TypeTable;
use crate::words::Vocabulary;

use emit::Emitter;
use mark::Marker;
use scales::Counts;

/// What is to be walked.
pub struct Subject<'a, M> {
    /// The target's memory.
    pub memory: &'a M,
    /// Its interpreter.
    pub runtime: &'a Runtime,
    /// Its threads.
    pub threads: &'a [Thread],
    /// File names of its program files and libraries, by image number.
    pub images: &'a [String],
}

impl<'a, M> Subject<'a, M> {
    /// The same, read through an allowance.
    fn within<'b>(&'b self, memory: &'b Allowance<'a, M>) -> Subject<'b, Allowance<'a, M>> {
        let Subject { runtime, threads, images, .. } = *self;
        Subject { memory, runtime, threads, images }
    }
}

/// How to walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkOptions<'a> {
    /// Keep short `str` keys of dicts as names of their values.
    pub values: bool,
    /// Follow only what a closure over `gc.get_referents` would follow, from `gc.get_objects` and
    /// these objects: for comparisons with the interpreter's own view. What a module's `m_traverse`
    /// visits of its C state only its code knows, so the interpreter must say it.
    pub visible_from: Option<&'a [Addr]>,
}

/// Told where blocks lie, so that resident memory can be accounted for.
pub trait Ledger {
    /// A block that belongs to an object; `small` if it is the small-block allocator's.
    fn owned(&mut self, start: Addr, held: u64, small: bool);
    /// A block of the small-block allocator that is in use but belongs to no object.
    fn unowned(&mut self, start: Addr, held: u64);
}

/// What a walk found.
#[derive(Debug)]
pub struct Walked {
    /// The graph.
    pub heap: Heap,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// The small-block allocator's books, if it is in use.
    pub pymalloc: Option<Pymalloc>,
    /// First byte and length of every arena.
    pub arenas: Vec<(Addr, u64)>,
    /// Objects in the collector's lists.
    pub tracked: u64,
    /// Of these, in the permanent generation.
    pub permanent: u64,
    /// The state of the main interpreter's collector.
    pub collector: Option<Collector>,
    /// What its lists hold, as [`Capture::lists`](deadweight_heap::Capture::lists).
    pub lists: Vec<NodeId>,
}

/// What counting found.
#[derive(Debug)]
pub struct Counted {
    /// Counts and sizes by type.
    pub tally: Tally,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Of the tracked objects, those in the permanent generation.
    pub permanent: u64,
}

/// Walks an interpreter.
///
/// # Errors
/// When there are more objects or references than 32-bit ids can name.
pub fn walk<M: Memory, L: Ledger>(
    subject: &Subject<'_, M>,
    options: WalkOptions<'_>,
    ledger: &mut L,
) -> Result<Walked, BuildError> {
    let allowance = Allowance::new(subject.memory);
    let subject = &subject.within(&allowance);
    let space = Space::new(subject.memory.regions());
    let arenas = read_arenas(subject);
    let mut found = Found::default();
    with_context(subject, |cx, types| {
        let marker = Marker::new(
            subject,
            &space,
            types,
            None,
            arenas.as_ref(),
            options.visible_from.is_some(),
        );
        let all = mark(subject, cx, &space, marker, arenas.as_ref(), options, &mut found);
        let Marked { marker, named, unnamed } = all;
        let Marker { types, marks, .. } = marker;
        allowance.renew();
        let words = unreached::Words { unnamed: &unnamed, stacked: &found.named.stacked };
        let mut adopted = unreached::classify(subject, cx, &space, types, &marks, &named, words);
        for Stacked { holder, target, link } in adopted.stacked.drain(..) {
            let references = &mut found.named.holders[holder].references;
            references.push((target, link, Grounds::Conservative));
        }
        allowance.renew();
        let gaps = gaps(&marks, &found.tracked, arenas.as_ref(), subject);
        let unread = marks.unreadable;
        let type_keys = adopted.types.shared_keys();
        let recorder = Emitter::new(subject, cx, &space, marks, named, adopted, type_keys, options);
        let (named, listed) = (std::mem::take(&mut found.named), std::mem::take(&mut found.listed));
        let emitted = recorder.emit(named, listed, arenas.as_ref(), ledger)?;
        Ok(Walked {
            heap: emitted.heap,
            gaps: gaps
                .into_iter()
                .chain(unreadable(emitted.unreadable.max(unread)))
                .chain(exhausted(&allowance))
                .collect(),
            pymalloc: emitted.pymalloc,
            arenas: arenas.iter().flat_map(Arenas::ranges).collect(),
            tracked: found.tracked.objects,
            permanent: found.tracked.permanent,
            collector: found.collector,
            lists: emitted.lists,
        })
    })
}

/// Counts and weighs all objects in one pass, without the graph.
#[must_use]
pub fn count<M: Memory>(subject: &Subject<'_, M>) -> Counted {
    let allowance = Allowance::new(subject.memory);
    let subject = &subject.within(&allowance);
    let space = Space::new(subject.memory.regions());
    let arenas = read_arenas(subject);
    let mut found = Found::default();
    with_context(subject, |cx, types| {
        let allocators = Allocators::new(subject.memory, arenas.as_ref());
        let counts = Counts::new(allocators, subject.runtime.layout.minor);
        let marker = Marker::new(subject, &space, types, Some(counts), arenas.as_ref(), false);
        let options = WalkOptions::default();
        let all = mark(subject, cx, &space, marker, arenas.as_ref(), options, &mut found);
        let Marker { types, marks, counts, .. } = all.marker;
        let mut gaps = gaps(&marks, &found.tracked, arenas.as_ref(), subject);
        gaps.extend(unreadable(marks.unreadable).into_iter().chain(exhausted(&allowance)));
        let tally = counts.map_or_else(Tally::default, |counts| counts.finish(types));
        Counted { tally, gaps, permanent: found.tracked.permanent }
    })
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    named: Named,
    tracked: Tracked,
    /// Of the main interpreter.
    collector: Option<Collector>,
    /// What its lists hold, oldest first: granules, or the largest number where there is no such granule.
    listed: Vec<u32>,
}

/// What is known when everything is marked.
struct Marked<'a, M> {
    marker: Marker<'a, M>,
    /// What a name leads to.
    named: Bitmap,
    /// Words outside all objects that lead to the rest.
    unnamed: Vec<native::Unnamed>,
}

fn with_context<M: Memory, T>(
    subject: &Subject<'_, M>,
    run: impl FnOnce(&Context<'_, M>, TypeTable) -> T,
) -> T {
    let interned = interned::table(subject.memory, subject.runtime).unwrap_or(Addr::NULL);
    context_of(subject.memory, subject.runtime, interned, &Vocabulary::default(), run)
}

/// What the decoders read from, and an empty table of types.
pub(crate) fn context_of<M: Memory, T>(
    memory: &M,
    runtime: &Runtime,
    interned: Addr,
    vocabulary: &Vocabulary,
    run: impl FnOnce(&Context<'_, M>, TypeTable) -> T,
) -> T {
    let layout = &runtime.layout;
    let micro = runtime.version.micro;
    let names = vocabulary.names.clone();
    let types = TypeTable::new(runtime.type_type, layout.minor, micro, names);
    let interpreter = runtime.interpreters.first().copied().unwrap_or_default();
    let words = &vocabulary.words;
    run(&Context { memory, layout, words, interpreter, micro, interned }, types)
}

/// Marks everything: what names lead to, what the collector lists, and what native code holds.
fn mark<'a, M: Memory>(
    subject: &'a Subject<'a, M>,
    cx: &Context<'_, M>,
    space: &Space,
    mut marker: Marker<'a, M>,
    arenas: Option<&Arenas>,
    options: WalkOptions<'_>,
    found: &mut Found,
) -> Marked<'a, M> {
    for &interpreter in &subject.runtime.interpreters {
        let cx = Context { interpreter, ..*cx };
        holders::named(&cx, subject.runtime, subject.threads, &mut found.named);
    }
    match options.visible_from {
        None => mark_named(&mut marker, cx, &found.named),
        Some(seeds) => {
            for &seed in seeds {
                marker.seed(seed, Grounds::Visible);
            }
        }
    }
    let named = marker.marks.seen.clone();

    // The lists of the collector find what no name leads to.
    let only_visible = options.visible_from.is_some();
    for &interpreter in &subject.runtime.interpreters {
        let layout = &subject.runtime.layout;
        let is_main = found.collector.is_none();
        // Who only counts has no nodes.
        let keeps_lists = is_main && marker.counts.is_none();
        let listed = &mut found.listed;
        let tracked = gc_list::each(subject.memory, layout, interpreter, |object, permanent| {
            if keeps_lists && !permanent {
                let granule = space.granule(object).and_then(|granule| granule.0.try_into().ok());
                listed.push(granule.unwrap_or(u32::MAX));
            }
            // `gc.get_objects` does not list the permanent generation.
            if !(permanent && only_visible) {
                marker.seed(object, Grounds::Visible);
            }
        });
        if is_main {
            // A full collection joins the younger lists to the end of the oldest (`gc_list_merge`).
            let [youngest, young, _] = tracked.generations;
            let younger = ((youngest + young) as usize).min(found.listed.len());
            found.listed.rotate_left(younger);
            found.collector =
                Some(collector::read(subject.memory, subject.runtime, interpreter, &tracked));
        }
        found.tracked.objects += tracked.objects;
        found.tracked.permanent += tracked.permanent;
        found.tracked.broken += tracked.broken;
        found.tracked.collecting |= tracked.collecting;
    }
    marker.drain(cx);

    let mut unnamed = Vec::new();
    if !only_visible {
        let stacked = &found.named.stacked;
        unnamed = native::mark_rest(subject, space, &mut marker, cx, &named, stacked, arenas);
    }
    Marked { marker, named, unnamed }
}

fn mark_named<M: Memory>(marker: &mut Marker<'_, M>, cx: &Context<'_, M>, named: &Named) {
    use crate::object::Visitor;
    for &dict in &named.namespaces {
        marker.namespace(dict);
    }
    for &(_, module) in &named.modules {
        marker.seed(module, Grounds::Visible);
    }
    for holder in &named.holders {
        for &(target, link, grounds) in &holder.references {
            marker.reference(target, link, grounds);
        }
        for (frame, _) in &holder.frames {
            if let holders::FrameAt::Object(object) = frame {
                marker.seed(*object, Grounds::Visible);
            }
        }
    }
    marker.drain(cx);
}

fn read_arenas<M: Memory>(subject: &Subject<'_, M>) -> Option<Arenas> {
    let layout = &subject.runtime.layout;
    let arenas = subject
        .runtime
        .interpreters
        .iter()
        .filter_map(|&at| Arenas::read(subject.memory, layout, at))
        .reduce(Arenas::merge)?;
    // `sys.modules` is a dict like any other: a GC head, and the object.
    let main = *subject.runtime.interpreters.first()?;
    let modules = subject.memory.word(main + layout.interpreter.modules).map(Addr)?;
    Some(arenas.with_lead_of(subject.memory, modules - GC_HEAD))
}

fn unreadable(count: u64) -> Option<Gap> {
    let detail = format!("{count} objects or buffers could not be read whole");
    (count > 0).then_some(Gap { kind: GapKind::Unreadable, count, detail })
}

fn exhausted<M: Memory>(allowance: &Allowance<'_, M>) -> Option<Gap> {
    let count = allowance.refused();
    let detail = format!(
        "the same memory would have had to be read over and over: {count} requests were not made"
    );
    (count > 0).then_some(Gap { kind: GapKind::Exhausted, count, detail })
}

fn gaps<M: Memory>(
    marks: &mark::Marks,
    tracked: &Tracked,
    arenas: Option<&Arenas>,
    subject: &Subject<'_, M>,
) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut note = |kind, count, detail: String| {
        if count > 0 {
            gaps.push(Gap { kind, count, detail });
        }
    };
    if marks.invalid > 0 {
        let samples: Vec<String> =
            marks.invalid_samples.iter().map(|(from, to)| format!("{from}→{to}")).collect();
        let detail =
            format!("{} references led to no object ({})", marks.invalid, samples.join(", "));
        note(GapKind::InvalidReference, marks.invalid, detail);
    }
    // The collector joins whole lists, in several steps.
    note(
        GapKind::BrokenList,
        if tracked.collecting { 0 } else { tracked.broken },
        format!("{} lists of the collector could not be followed to their end", tracked.broken),
    );
    note(
        GapKind::CollectorRunning,
        u64::from(tracked.collecting),
        format!(
            "a garbage collection was running: objects in its hands are found by reference only{}",
            if tracked.broken > 0 { "; one of its lists was being joined to another" } else { "" }
        ),
    );
    note(
        GapKind::NoArenas,
        u64::from(arenas.is_none()),
        "no small-block memory found (another allocator is in use): \
         objects that only native code holds are not found"
            .into(),
    );
    note(
        GapKind::DebugAllocator,
        u64::from(arenas.is_some_and(|arenas| arenas.lead() > 0)),
        "the allocators' debug hooks are on (PYTHONMALLOC=debug or -X dev): every block is 24 bytes \
         larger than it would be without them"
            .into(),
    );
    if !subject.runtime.version.is_proven() {
        let detail = format!(
            "the layout of Python {} is unproven: its table was made from {} and the start-up checks \
             passed, but this release was never tested",
            subject.runtime.version,
            subject.runtime.table_made_from()
        );
        note(GapKind::UnprovenLayout, 1, detail);
    }
    gaps
}

/// The cached ints of 3.10, which are objects like any other; later versions have them in static data.
fn cached_ints<M: Memory>(subject: &Subject<'_, M>) -> FxHashSet<Addr> {
    cached_ints_of(subject.memory, subject.runtime)
}

/// The same by memory and interpreter.
pub(crate) fn cached_ints_of<M: Memory>(memory: &M, runtime: &Runtime) -> FxHashSet<Addr> {
    /// -5 to 256 (`pycore_interp.h`, `_PY_NSMALLNEGINTS` and `_PY_NSMALLPOSINTS`).
    const COUNT: u64 = 262;
    let mut found = FxHashSet::default();
    if let Some(at) = runtime.layout.interpreter.small_ints {
        for &interpreter in &runtime.interpreters {
            let pointers = (0..COUNT).map(|index| interpreter + at + index * 8);
            found.extend(pointers.filter_map(|at| memory.word(at)).map(Addr));
        }
    }
    found
}

/// What the second pass needs to know of everything no name leads to.
struct Adopted {
    types: TypeTable,
    /// Layer of the unreached objects; the others are named.
    layers: rustc_hash::FxHashMap<Addr, Layer>,
    /// Holders that adopt them.
    holders: Vec<Holder>,
    /// What lies on the value stacks of functions that run.
    stacked: Vec<Stacked>,
}
