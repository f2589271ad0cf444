//! What given objects hold together: everything they lead to, each object and buffer once.

use deadweight_heap::{Addr, Bytes, EdgeKind, NameId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::left_out::{LeftOut, base};
use super::seen::Seen;
use super::{Bench, Followed, Scale, Weight};
use crate::header::Header;
use crate::memory::Memory;
use crate::object::{Grounds, Link};
use crate::types::TypeInfo;

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

/// Where a question about objects ends, and what is known of some that is not in their bytes.
#[derive(Clone, Copy)]
pub struct Bounds<'a> {
    /// Classes. Their instances, and those of their subclasses, are left out, with what only they lead to.
    pub stop: &'a [Addr],
    /// Whether functions and frames lead to the module they are of.
    pub namespaces: bool,
    /// Objects that say themselves what they hold.
    pub native: Option<Native<'a>>,
}

/// Objects whose memory is laid out by a library that we can ask.
#[derive(Clone, Copy)]
pub struct Native<'a> {
    /// Their classes.
    pub classes: &'a [Addr],
    /// Asked of instances that known layouts have led to, with which of the classes they are of, and of no others.
    pub tells: &'a dyn Fn(Addr, Addr) -> Told,
}

impl Native<'_> {
    /// What an object says, if it is one of these.
    pub(super) fn told<M: Memory>(
        &self,
        bench: &Bench<'_, M>,
        info: &TypeInfo,
        addr: Addr,
    ) -> Option<Told> {
        if info.unknown.is_empty() && info.entries.is_none() {
            return None;
        }
        let class = base(bench, info.addr, |class| self.classes.contains(&class))?;
        Some((self.tells)(addr, class))
    }
}

/// What such an object says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What it holds besides its own block, and nothing else does.
    pub held: Bytes,
    /// Blocks that others may hold too: where they begin, and what they take.
    pub blocks: Vec<(Addr, Bytes)>,
    /// The objects that it refers to.
    pub references: Vec<Addr>,
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
    /// What `roots` and everything they lead to weigh.
    ///
    /// The interpreter's own objects (immortal, cached, static) are left out, unless they are roots. Each of the
    /// objects in `lent` has a reference of who asks, which does not count.
    ///
    /// `memory` is read for what known layouts lead to; words that only look like references, and all
    /// that they lead to, are read from `doubtful`, which must bear any address.
    #[must_use]
    pub fn weigh_deep<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        roots: &[Addr],
        lent: &[Addr],
        bounds: Bounds<'_>,
    ) -> Deep {
        let mut trail = Trail {
            roots: roots.iter().copied().collect(),
            lent: lent.iter().copied().collect(),
            ..Trail::default()
        };
        let sums = self.sweep(memory, doubtful, roots, bounds, &mut trail);
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
        let shared = self.sweep(memory, doubtful, &starts, bounds, &mut rest);
        Deep { shared: shared.total.held, ..sums.into_deep() }
    }

    /// Weighs what the trail has not met yet: first what known layouts lead to, then the rest.
    fn sweep<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        starts: &[Addr],
        bounds: Bounds<'_>,
        trail: &mut Trail,
    ) -> Sums {
        let mut sums = Sums::default();
        self.ask(memory, |bench| {
            let mut closure = Closure::new(bench, bounds, trail);
            closure.run(starts);
            closure.finish(&mut sums);
        });
        if !trail.doubtful.is_empty() {
            self.ask(doubtful, |bench| {
                let mut closure = Closure::new(bench, bounds, trail);
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
    /// What has one reference that does not count.
    lent: FxHashSet<Addr>,
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
            let lent = u64::from(self.lent.contains(&it.addr));
            let ours = 1 + lent + self.again.get(&it.addr).copied().unwrap_or(0);
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
    native: Option<Native<'a>>,
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
    /// Whether words that look like references may be some. Those of an object that tells are not.
    guesses: bool,
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
            Grounds::Conservative if self.guesses => self.trail.doubtful.push(target),
            Grounds::OnlyVisited | Grounds::Conservative => {}
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
    fn new(bench: Bench<'a, M>, bounds: Bounds<'a>, trail: &'a mut Trail) -> Self {
        let words = bench.cx.words;
        let classes = !bounds.stop.contains(&bench.scale.runtime.type_type);
        let names = (!bounds.namespaces).then_some([words.globals, words.builtins]);
        Closure {
            left_out: LeftOut::new(bounds.stop),
            bench,
            native: bounds.native,
            steps: Steps { trail, pending: Vec::new(), namespaces: names, guesses: true, classes },
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

    fn run_doubtful(&mut self) {
        self.is_certain = false;
        while let Some(addr) = self.steps.trail.doubtful.pop() {
            if self.bench.is_object(addr) && self.steps.trail.meets(addr) {
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
        let told = self.told(&info, addr);
        self.steps.guesses = told.is_none();
        let weight = self.bench.weigh(&info, addr, &mut self.steps);
        self.steps.guesses = true;
        let Some(mut weight) = weight else { return };
        if let Some(told) = told {
            let blocks = told.blocks.iter().filter(|(start, _)| self.steps.block(*start));
            let held = told.held + blocks.map(|(_, bytes)| *bytes).sum();
            weight.held += held;
            weight.requested += held;
            weight.modelled |= held > Bytes(0);
            for (index, target) in told.references.into_iter().enumerate() {
                let link = Link::At(EdgeKind::Item, index as u64);
                self.steps.reference(target, link, Grounds::Visible);
            }
        }
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

    /// What an object says itself. Where only words that look like references have led to, there may be none.
    fn told(&self, info: &TypeInfo, addr: Addr) -> Option<Told> {
        self.native.filter(|_| self.is_certain)?.told(&self.bench, info, addr)
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
