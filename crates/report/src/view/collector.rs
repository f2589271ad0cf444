//! `gc`: what the garbage collector has to do, and what to do about it.

use deadweight_heap::{
    Capture, Collector, CycleRow, FullCollection, Generation, Gone, NodeFlags, TypeId, TypeRow,
    cycles,
};

use super::Sum;
use crate::numbers::{count, duration};

/// `gc`: the collector of a program.
#[derive(Debug)]
pub struct CollectorView<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// What the collector says of itself.
    pub collector: &'a Collector,
    /// What a full collection has to do.
    pub work: FullCollection,
    /// About how long that takes, in microseconds of processor time.
    pub micros: u64,
    /// Tracked objects by type, most frequent first.
    pub types: Vec<TrackedRow<'a>>,
    /// Cycles that wait for a collection.
    pub garbage: Vec<CycleRow>,
    /// All that goes with them.
    pub gone: Gone,
    /// Cycles that something holds.
    pub live: Vec<CycleRow>,
    /// What to do, most pressing first.
    pub advice: Vec<Advice>,
    /// How many rows to show of each table.
    pub top: usize,
}

/// Tracked objects of one type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrackedRow<'a> {
    /// The type.
    pub name: &'a str,
    /// How many, and what they hold themselves.
    pub sum: Sum,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// A word for programs.
    pub code: &'static str,
    /// Sentences for people.
    pub text: String,
}

impl<'a> CollectorView<'a> {
    /// Looks at a capture and the state of its collector.
    #[must_use]
    pub fn of(capture: &'a Capture, collector: &'a Collector, top: usize) -> CollectorView<'a> {
        let heap = &capture.heap;
        let work = FullCollection::of(heap, &capture.lists, capture.provenance.permanent);
        let (garbage, live) = cycles(heap).into_iter().partition(|row| row.garbage);
        let mut view = CollectorView {
            capture,
            collector,
            work,
            micros: work.micros(&capture.provenance.python),
            types: tracked_by_type(capture),
            garbage,
            gone: Gone::whole(heap),
            live,
            advice: Vec::new(),
            top,
        };
        view.advice = view.advise();
        view
    }

    /// The name of a type of a cycle.
    #[must_use]
    pub fn type_name(&self, id: TypeId) -> &str {
        let heap = &self.capture.heap;
        heap.names.get(heap.types.get(id).name)
    }

    /// Objects in cycles that wait for a collection.
    #[must_use]
    pub fn waiting(&self) -> Sum {
        let mut sum = Sum::default();
        for row in &self.garbage {
            sum.objects += row.objects;
            sum.held += row.held;
        }
        sum
    }

    fn advise(&self) -> Vec<Advice> {
        let (collector, waiting) = (self.collector, self.waiting());
        let [young, ..] = &collector.generations;
        let sum = |of: fn(&Generation) -> u64| {
            collector.generations.iter().map(of).fold(0, u64::saturating_add)
        };
        let (runs, freed) = (sum(|one| one.collections), sum(|one| one.collected));
        let mut advice = Vec::new();
        let mut note = |holds, code, text: String| {
            if holds {
                advice.push(Advice { code, text });
            }
        };
        note(
            collector.incremental,
            "incremental",
            "Python 3.14.0 to 3.14.4 collect in small steps, which lets garbage pile up. 3.14.5 went back to \
             generations: update. None of this advice was tried on these releases."
                .to_owned(),
        );
        note(
            !collector.is_on(),
            "off",
            format!(
                "The collector does not run by itself, so cycles stay until gc.collect() is called: {} \
                 objects in cycles wait for that.",
                count(waiting.objects)
            ),
        );
        note(
            collector.garbage > 0,
            "garbage_list",
            format!(
                "gc.garbage holds {} objects, and with them all they lead to. They go when the list is \
                 cleared; gc.DEBUG_LEAK and gc.DEBUG_SAVEALL fill it again.",
                count(collector.garbage)
            ),
        );
        note(
            waiting.objects >= WAITING,
            "cycles",
            format!(
                "{} objects wait in cycles. Were one reference of each cycle weak (weakref), they would go \
                 at once, without the collector.",
                count(waiting.objects)
            ),
        );
        note(
            self.micros >= LONG_MICROS,
            "freeze",
            format!(
                "A full collection stops the program for ~{}. gc.freeze(), once it has loaded what stays, \
                 takes {} objects out: what remains to look at is what is made later. Collect first \
                 (gc.collect()), for what is frozen is never freed by the collector.",
                duration(self.micros),
                count(self.work.objects)
            ),
        );
        note(
            collector.is_on() && self.work.objects >= MANY && young.threshold < OFTEN,
            "threshold",
            format!(
                "The young are collected after {} new objects. Where much is made that stays, \
                 gc.set_threshold(50_000, {}, {}) or, for the time of loading, gc.disable() saves most of \
                 the collector's time.",
                count(u64::try_from(young.threshold).unwrap_or(0)),
                collector.generations[1].threshold,
                collector.generations[2].threshold,
            ),
        );
        note(
            collector.is_on() && runs >= 100 && freed == 0,
            "nothing_freed",
            format!(
                "It ran {} times and freed nothing: so far the program makes no cycles that it drops.",
                count(runs)
            ),
        );
        advice
    }
}

/// Objects in cycles that are worth a word.
const WAITING: u64 = 1000;
/// A stop that a service's slowest requests show.
const LONG_MICROS: u64 = 10_000;
/// So many objects make collections of the oldest generation long.
const MANY: u64 = 500_000;
/// A threshold below which they are frequent.
const OFTEN: i32 = 10_000;

fn tracked_by_type(capture: &Capture) -> Vec<TrackedRow<'_>> {
    let heap = &capture.heap;
    let mut sums = vec![Sum::default(); heap.types.len()];
    for node in heap.object_ids().filter(|&node| heap.nodes.flags(node).has(NodeFlags::TRACKED)) {
        sums[heap.nodes.type_of(node).index()].add(heap.nodes.held(node));
    }
    let row =
        |((_, row), sum): ((_, &TypeRow), Sum)| TrackedRow { name: heap.names.get(row.name), sum };
    let mut rows: Vec<TrackedRow<'_>> =
        heap.types.iter().zip(sums).filter(|(_, sum)| sum.objects > 0).map(row).collect();
    rows.sort_by_key(|row| (std::cmp::Reverse((row.sum.objects, row.sum.held)), row.name));
    rows
}
