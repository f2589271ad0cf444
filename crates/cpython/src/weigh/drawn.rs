//! What objects hold together that are too many to weigh each: some that are drawn at random stand for all.
//!
//! An object with more references than may be followed passes on how many times over those that are count. What has
//! several references is met by several ways, so that it counts so many times less; but some of them may come from what is
//! not asked about: how many do is told by how often a draw meets an object again, and then it is repeated. The draw is
//! always the same.

use deadweight_heap::Addr;
use rustc_hash::FxHashSet;

use super::bounded::Ways;
use super::left_out::LeftOut;
use super::{Bench, Bounds, Followed, Native, Scale};
use crate::header::Header;
use crate::memory::Memory;
use crate::object::{Grounds, Link};

/// How many objects are to be weighed.
const SAMPLE: u64 = 5_000;
/// How many are weighed at most: every way that was taken is followed to where it ends.
const MOST: u64 = 10_000;
/// How many are to be weighed behind one that has references itself.
const SHARE: u64 = 4;
/// References of an object that is no container of many.
const NARROW: u64 = 16;
/// How many times over such objects along one way may make what is behind them count: by the chance of draws among
/// few, one after the other, a long chain would count for millions of objects or for none.
const MOST_NARROW: f64 = 1024.0;
/// Which part of further references from inside is too small to be taken for all of them.
const FEW_INSIDE: f64 = 0.4;

impl Scale {
    /// About what `roots` and everything they lead to weigh, and how many objects that was taken from.
    pub(super) fn estimate<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        roots: &[Addr],
        bounds: Bounds<'_>,
    ) -> (u64, u64) {
        let first = self.draw(memory, doubtful, roots, bounds, 1.0);
        let inside = first.inside();
        // What did not end of itself says nothing of how often objects are met.
        if inside >= FEW_INSIDE || first.count >= MOST {
            return (first.held as u64, first.count);
        }
        let second = self.draw(memory, doubtful, roots, bounds, inside);
        let trail = if second.count < MOST { &second } else { &first };
        (trail.held as u64, first.count + second.count)
    }

    fn draw<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        roots: &[Addr],
        bounds: Bounds<'_>,
        inside: f64,
    ) -> Trail {
        let mut trail = Trail { inside, ..Trail::default() };
        self.ask_briefly(memory, |bench| {
            let roots = Branch { targets: roots.to_vec(), stands: Stands::ONE, left: SAMPLE };
            Walk::new(bench, bounds, &mut trail).run(roots);
        });
        if !trail.doubtful.is_empty() {
            let bounds = Bounds { native: None, ..bounds };
            self.ask_briefly(doubtful, |bench| Walk::new(bench, bounds, &mut trail).run_doubtful());
        }
        trail
    }
}

/// How many objects one stands for.
#[derive(Clone, Copy)]
struct Stands {
    times: f64,
    /// Of that, what comes of objects with few references.
    narrow: f64,
}

impl Stands {
    const ONE: Stands = Stands { times: 1.0, narrow: 1.0 };

    /// Those of an object with so many references: by each of them it may be met.
    fn shared(self, references: f64) -> Stands {
        let each = |times: f64| (times / references).max(1.0);
        Stands { times: each(self.times), narrow: each(self.narrow) }
    }
}

/// References of one object that are to be followed.
struct Branch {
    targets: Vec<Addr>,
    stands: Stands,
    /// How many objects may be weighed yet.
    left: u64,
}

/// References of one object; of very many, some at random.
struct Draw {
    kept: Vec<Addr>,
    met: u64,
    /// State of a generator (xorshift64*).
    random: u64,
}

impl Default for Draw {
    fn default() -> Draw {
        Draw { kept: Vec::new(), met: 0, random: 0x9e37_79b9_7f4a_7c15 }
    }
}

impl Draw {
    #[inline]
    fn meet(&mut self, target: Addr) {
        self.met += 1;
        if (self.kept.len() as u64) < MOST {
            self.kept.push(target);
        } else {
            let place = self.below(self.met) as usize;
            if let Some(kept) = self.kept.get_mut(place) {
                *kept = target;
            }
        }
    }

    fn take(&mut self) -> Option<Addr> {
        let place = self.below(self.kept.len() as u64) as usize;
        (place < self.kept.len()).then(|| self.kept.swap_remove(place))
    }

    fn below(&mut self, most: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let random = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d);
        ((u128::from(random) * u128::from(most)) >> 64) as u64
    }
}

/// What was met so far, whichever memory it was read from.
#[derive(Default)]
struct Trail {
    seen: FxHashSet<Addr>,
    draw: Draw,
    guesses: Vec<Addr>,
    doubtful: Vec<(Addr, Stands)>,
    ways: Ways,
    held: f64,
    count: u64,
    /// Which part of the further references to an object comes from what is asked about.
    inside: f64,
    /// How many objects would be met again if that were all of them.
    expected: f64,
    /// Objects that were met again.
    again: FxHashSet<Addr>,
}

impl Trail {
    /// What the draw says of `inside`.
    fn inside(&self) -> f64 {
        ((self.again.len() as f64 + 1.0) / (self.expected + 1.0)).min(1.0)
    }
}

impl Followed for Trail {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        if !self.ways.has(link) {
            return;
        }
        match grounds {
            Grounds::OnlyVisited => {}
            Grounds::Conservative => self.guesses.push(target),
            Grounds::Visible | Grounds::Hidden => self.draw.meet(target),
        }
    }

    fn block(&mut self, start: Addr) -> bool {
        self.seen.insert(start)
    }
}

struct Walk<'a, 'b, M> {
    bench: Bench<'a, M>,
    left_out: LeftOut,
    native: Option<Native<'a>>,
    trail: &'b mut Trail,
}

impl<'a, 'b, M: Memory> Walk<'a, 'b, M> {
    fn new(bench: Bench<'a, M>, bounds: Bounds<'a>, trail: &'b mut Trail) -> Self {
        let words = bench.cx.words;
        trail.ways.namespaces = (!bounds.namespaces).then_some([words.globals, words.builtins]);
        Walk { left_out: LeftOut::new(bounds.stop), bench, native: bounds.native, trail }
    }

    /// Follows references, those first that were met last. What one of them does not need is for the others.
    fn run(&mut self, first: Branch) {
        let mut branches = vec![first];
        while let Some(branch) = branches.last_mut() {
            let others = branch.targets.len() as u64;
            if let Some(target) = branch.targets.pop() {
                let share = branch.left / others;
                branch.left -= share;
                let branch = self.visit(target, branch.stands, share);
                branches.push(branch);
            } else {
                let left = branch.left;
                branches.pop();
                if let Some(before) = branches.last_mut() {
                    before.left += left;
                }
            }
        }
    }

    fn run_doubtful(&mut self) {
        while let Some((addr, stands)) = self.trail.doubtful.pop() {
            if self.trail.count < MOST && self.bench.is_object(addr) {
                self.run(Branch { targets: vec![addr], stands, left: SHARE });
            }
        }
    }

    /// Weighs an object, and says which of its references are to be followed.
    fn visit(&mut self, addr: Addr, stands: Stands, share: u64) -> Branch {
        let nothing = Branch { targets: Vec::new(), stands, left: share };
        if self.trail.count >= MOST {
            return nothing;
        }
        if !self.trail.seen.insert(addr) {
            if stands.times > 1.0 {
                self.trail.again.insert(addr);
            }
            return nothing;
        }
        let (memory, layout) = (self.bench.cx.memory, self.bench.cx.layout);
        let Some(header) = Header::read(memory, addr) else { return nothing };
        let Some(info) = self.bench.types.get(memory, layout, header.type_addr).cloned() else {
            return nothing;
        };
        if self.left_out.has(&self.bench, &info, addr, header) {
            return nothing;
        }
        let references = layout.object.refcount.count(header.refcount).unwrap_or(1).max(1);
        let others = (references - 1) as f64;
        if stands.times > 1.0 && others > 0.0 {
            self.trail.expected += 1.0 - (1.0 - 1.0 / stands.times).powf(others);
        }
        let stands = stands.shared(1.0 + others * self.trail.inside);
        (self.trail.draw.met, self.trail.ways.is_cache) = (0, info.entries.is_some());
        self.trail.draw.kept.clear();
        self.trail.guesses.clear();
        let Some(weight) = self.bench.weigh(&info, addr, self.trail) else { return nothing };
        let mut held = weight.held;
        if let Some(told) = self.native.and_then(|native| native.told(&self.bench, &info, addr)) {
            let blocks = told.blocks.iter().filter(|(start, _)| self.trail.block(*start));
            held += told.held + blocks.map(|(_, bytes)| *bytes).sum();
            // What only looks like a reference is none of those it tells of.
            self.trail.guesses.clear();
            for target in told.references {
                self.trail.draw.meet(target);
            }
        }
        let guesses = self.trail.guesses.drain(..).map(|guess| (guess, stands));
        self.trail.doubtful.extend(guesses);
        self.trail.held += held.0 as f64 * stands.times;
        self.trail.count += 1;
        self.drawn(stands, share.saturating_sub(1))
    }

    /// Draws among the references of an object.
    fn drawn(&mut self, stands: Stands, left: u64) -> Branch {
        if self.trail.draw.met <= NARROW {
            self.drawn_of_few(stands, left)
        } else {
            self.drawn_of_many(stands, left)
        }
    }

    /// What has no references itself is weighed: only the others are drawn.
    fn drawn_of_few(&mut self, stands: Stands, left: u64) -> Branch {
        let (mut targets, mut leaves) = (Vec::new(), Vec::new());
        while let Some(target) = self.trail.draw.take() {
            let Some(cost) = self.cost(target) else { continue };
            (if cost < SHARE { &mut leaves } else { &mut targets }).push(target);
        }
        let left = left.saturating_sub(leaves.len() as u64);
        for leaf in leaves {
            self.visit(leaf, stands, 0);
        }
        let all = targets.len();
        // One at least, so that every way is followed to its end.
        targets.truncate((left / SHARE).max(1) as usize);
        let over = all.max(1) as f64 / targets.len().max(1) as f64;
        let stands = Stands { times: stands.times * over, narrow: stands.narrow * over };
        if stands.narrow > MOST_NARROW {
            targets.clear();
        }
        Branch { targets, stands, left }
    }

    /// Those to what has no references itself come last, to be followed first: what they do not need is known then.
    fn drawn_of_many(&mut self, stands: Stands, left: u64) -> Branch {
        let (mut targets, mut leaves) = (Vec::new(), Vec::new());
        let (mut drawn, mut free) = (0_u64, left);
        while drawn == 0 || free > 0 {
            let Some(target) = self.trail.draw.take() else { break };
            drawn += 1;
            let Some(cost) = self.cost(target) else { continue };
            free = free.saturating_sub(cost);
            (if cost < SHARE { &mut leaves } else { &mut targets }).push(target);
        }
        targets.append(&mut leaves);
        let times = stands.times * (self.trail.draw.met as f64 / drawn.max(1) as f64).max(1.0);
        Branch { targets, stands: Stands { times, ..stands }, left }
    }

    /// How many objects are to be weighed for one, itself included: none for what was met already, one for what
    /// has no references. `None` if it is left out.
    fn cost(&mut self, addr: Addr) -> Option<u64> {
        if self.trail.seen.contains(&addr) {
            return Some(0);
        }
        let header = Header::read(self.bench.cx.memory, addr)?;
        let types = &mut self.bench.types;
        let info = types.get(self.bench.cx.memory, self.bench.cx.layout, header.type_addr)?.clone();
        let cost = if info.leaf { 1 } else { SHARE };
        (!self.left_out.has(&self.bench, &info, addr, header)).then_some(cost)
    }
}
