//! What given objects hold together: everything they lead to, each object and buffer once.

use deadweight_heap::{Addr, Bytes, EdgeKind, NameId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::left_out::LeftOut;
use super::seen::Seen;
use super::{Bench, Followed, Scale, Weight};
use crate::header::{Header, is_plausible};
use crate::memory::Memory;
use crate::object::{Grounds, Link};

/// The objects of one type among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeWeight {
    /// The type's full name.
    pub name: String,
    /// How many.
    pub count: u64,
    /// What they hold.
    pub held: Bytes,
    /// What was asked for.
    pub requested: Bytes,
}

/// What some objects hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deep {
    /// Everything.
    pub total: Weight,
    /// Of that, what something else holds too: it would stay if these objects went.
    pub shared: Bytes,
    /// How many objects.
    pub count: u64,
    /// By type, heaviest first.
    pub by_type: Vec<TypeWeight>,
}

impl Scale {
    /// What `roots` and everything they lead to weigh. Instances of `stop` and of its subclasses are
    /// left out, with what only they lead to. If `namespaces` is false, neither do functions and
    /// frames lead to the module they are of.
    ///
    /// The interpreter's own objects (immortal, cached, static) are left out, unless they are roots.
    ///
    /// `memory` is read for what known layouts lead to; words that only look like references, and all
    /// that they lead to, are read from `doubtful`, which must bear any address.
    #[must_use]
    pub fn weigh_deep<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        roots: &[Addr],
        stop: &[Addr],
        namespaces: bool,
    ) -> Deep {
        let mut trail = Trail { roots: roots.iter().copied().collect(), ..Trail::default() };
        let sums = self.sweep(memory, doubtful, roots, stop, namespaces, &mut trail);
        // What has more references than were met is held by something else too, and so is all that it leads to.
        // Roots are held by who asks; that says nothing.
        let mut rest = Trail::default();
        for &root in roots {
            rest.seen.insert(root);
        }
        let mut starts = Vec::new();
        for popular in trail.held_elsewhere() {
            (if popular.is_certain { &mut starts } else { &mut rest.doubtful }).push(popular.addr);
        }
        let shared = self.sweep(memory, doubtful, &starts, stop, namespaces, &mut rest);
        Deep { shared: shared.total.held, ..sums.into_deep() }
    }

    /// Weighs what the trail has not met yet: first what known layouts lead to, then the rest.
    fn sweep<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        starts: &[Addr],
        stop: &[Addr],
        namespaces: bool,
        trail: &mut Trail,
    ) -> Sums {
        let mut sums = Sums::default();
        self.ask(memory, |bench| {
            let mut closure = Closure::new(bench, stop, namespaces, trail);
            closure.run(starts);
            closure.finish(&mut sums);
        });
        if !trail.doubtful.is_empty() {
            self.ask(doubtful, |bench| {
                let mut closure = Closure::new(bench, stop, namespaces, trail);
                closure.run_doubtful();
                closure.finish(&mut sums);
            });
        }
        sums
    }
}

/// What was met so far, whichever memory it was read from.
#[derive(Default)]
struct Trail {
    /// What is asked about: left out on no account.
    roots: FxHashSet<Addr>,
    seen: Seen,
    /// Words that may be references.
    doubtful: Vec<Addr>,
    /// Further references to what was met already.
    again: FxHashMap<Addr, u64>,
    popular: Vec<Popular>,
}

impl Trail {
    /// Whether an address is met for the first time.
    #[inline]
    fn meets(&mut self, target: Addr) -> bool {
        let new = self.seen.insert(target);
        if !new {
            *self.again.entry(target).or_default() += 1;
        }
        new
    }

    fn held_elsewhere(&self) -> impl Iterator<Item = &Popular> {
        self.popular.iter().filter(|it| {
            let ours = 1 + self.again.get(&it.addr).copied().unwrap_or(0);
            it.references > ours && !self.roots.contains(&it.addr)
        })
    }
}

/// The numbers.
#[derive(Default)]
struct Sums {
    total: Weight,
    shared: Bytes,
    count: u64,
    rows: FxHashMap<String, TypeWeight>,
}

impl Sums {
    fn into_deep(self) -> Deep {
        let mut by_type: Vec<TypeWeight> = self.rows.into_values().collect();
        by_type.sort_by(|a, b| b.held.cmp(&a.held).then_with(|| a.name.cmp(&b.name)));
        Deep { total: self.total, shared: self.shared, count: self.count, by_type }
    }
}

/// How many objects are asked for before the first of them is looked at: a heap is larger than any
/// cache.
const LOOKAHEAD: usize = 16;

/// An object that has more than one reference.
struct Popular {
    addr: Addr,
    references: u64,
    /// Whether a known layout leads to it.
    is_certain: bool,
}

struct Closure<'a, M> {
    bench: Bench<'a, M>,
    left_out: LeftOut,
    steps: Steps<'a>,
    is_certain: bool,
    by_row: Vec<(u64, Weight)>,
}

/// Follows references.
struct Steps<'a> {
    trail: &'a mut Trail,
    pending: Vec<Addr>,
    /// The names of references that lead out of objects into modules.
    namespaces: Option<[NameId; 2]>,
    /// Whether classes are followed. If not, the commonest reference of all need not be looked at.
    classes: bool,
}

impl Followed for Steps<'_> {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        match link {
            Link::Named(EdgeKind::Weak, _) => return,
            Link::At(EdgeKind::Class, _) if !self.classes => return,
            Link::Named(_, name) if self.namespaces.is_some_and(|names| names.contains(&name)) => {
                return;
            }
            _ => {}
        }
        match grounds {
            Grounds::OnlyVisited => {}
            Grounds::Conservative => self.trail.doubtful.push(target),
            Grounds::Visible | Grounds::Hidden => {
                if self.trail.meets(target) {
                    self.pending.push(target);
                }
            }
        }
    }

    fn repeated(&mut self, target: Addr) {
        *self.trail.again.entry(target).or_default() += 1;
    }

    fn block(&mut self, start: Addr) -> bool {
        self.trail.seen.insert(start)
    }
}

impl<'a, M: Memory> Closure<'a, M> {
    fn new(bench: Bench<'a, M>, stop: &[Addr], namespaces: bool, trail: &'a mut Trail) -> Self {
        let words = bench.cx.words;
        let classes = !stop.contains(&bench.scale.runtime.type_type);
        let names = (!namespaces).then_some([words.globals, words.builtins]);
        Closure {
            left_out: LeftOut::new(&bench, stop),
            bench,
            steps: Steps { trail, pending: Vec::new(), namespaces: names, classes },
            is_certain: true,
            by_row: Vec::new(),
        }
    }

    fn run(&mut self, starts: &[Addr]) {
        for &start in starts {
            if self.steps.trail.seen.insert(start) {
                self.visit(start);
            }
        }
        self.drain();
    }

    fn drain(&mut self) {
        // A ring of objects asked for; a null address is an empty place.
        let mut window = [Addr::NULL; LOOKAHEAD];
        let mut waiting = 0;
        for place in (0..LOOKAHEAD).cycle() {
            let addr = std::mem::replace(&mut window[place], Addr::NULL);
            if !addr.is_null() {
                waiting -= 1;
                self.visit(addr);
            }
            if let Some(next) = self.steps.pending.pop() {
                self.bench.cx.memory.prefetch(next);
                window[place] = next;
                waiting += 1;
            } else if waiting == 0 {
                return;
            }
        }
    }

    /// Words that look like references count if what they lead to is an object in every respect.
    fn run_doubtful(&mut self) {
        self.is_certain = false;
        while let Some(addr) = self.steps.trail.doubtful.pop() {
            if !addr.0.is_multiple_of(8) || addr.0 < 4096 || !self.steps.trail.meets(addr) {
                continue;
            }
            let Some(header) = Header::read(self.bench.cx.memory, addr) else { continue };
            let is_there = |low| self.bench.cx.memory.word(low).is_some();
            if is_plausible(self.bench.layout(), header.refcount, is_there)
                && self.bench.type_of(addr).is_some()
            {
                self.visit(addr);
                self.drain();
            }
        }
    }

    fn visit(&mut self, addr: Addr) {
        let memory = self.bench.cx.memory;
        let Some(header) = Header::read(memory, addr) else { return };
        let layout = self.bench.cx.layout;
        let Some(info) = self.bench.types.get(memory, layout, header.type_addr).cloned() else {
            return;
        };
        let left_out = self.left_out.has(&self.bench, &info, addr, header);
        if left_out && !self.steps.trail.roots.contains(&addr) {
            return;
        }
        let Some(weight) = self.bench.weigh(&info, addr, &mut self.steps) else { return };
        let row = info.row as usize;
        if self.by_row.len() <= row {
            self.by_row.resize(row + 1, (0, Weight::default()));
        }
        let (count, sum) = &mut self.by_row[row];
        *count += 1;
        sum.held += weight.held;
        sum.requested += weight.requested;
        sum.modelled |= weight.modelled;
        let references = layout.object.refcount.count(header.refcount).unwrap_or(0);
        if references > 1 {
            let is_certain = self.is_certain;
            self.steps.trail.popular.push(Popular { addr, references, is_certain });
        }
    }

    /// Adds the rows up.
    fn finish(self, sums: &mut Sums) {
        for (row, (count, weight)) in self.by_row.iter().enumerate() {
            let Some(info) = self.bench.types.rows.get(row).filter(|_| *count > 0) else {
                continue;
            };
            let name = self.bench.types.names.get(info.name).to_owned();
            let sum = sums.rows.entry(name.clone()).or_default();
            sum.name = name;
            sum.count += count;
            sum.held += weight.held;
            sum.requested += weight.requested;
            sums.count += count;
            sums.total.held += weight.held;
            sums.total.requested += weight.requested;
            sums.total.modelled |= weight.modelled;
        }
    }
}
