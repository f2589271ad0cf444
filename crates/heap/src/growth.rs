//! What grows in every round: heaps of one program, looked at one after the other.
//!
//! Objects are counted by their pattern: how they are held, but for indices. That says the same of
//! each heap, whatever addresses were used again meanwhile, and a cache that replaces its entries
//! stays as it is.

use std::hash::{DefaultHasher, Hash, Hasher};

use rustc_hash::FxHashMap;

use crate::edges::EdgeKind;
use crate::heap::Heap;
use crate::patterns::{EMPTY, Patterns};
use crate::roots::{Root, RootKind};
use crate::shortest::ShortestPaths;
use crate::units::Bytes;

/// Objects that one holder holds more of after every round. All numbers are of all rounds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// What holds them, as a path.
    pub holder: String,
    /// The path to most of what is held more of, by bytes.
    pub path: String,
    /// The type of the objects there; of the holder itself, if that is what grows.
    pub type_name: String,
    /// How many more of them there are. 0 if it is one object that grows.
    pub count: u64,
    /// How many more objects there are, those included that only these lead to.
    pub objects: u64,
    /// What all these hold more, and what the holder itself does.
    pub bytes: Bytes,
}

/// Looks at heaps of one program, and knows what grew in every one of them.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    /// The first heap, by pattern.
    first: FxHashMap<u64, Sum>,
    /// How many objects each nameless holder had in the first heap, by pattern.
    first_nameless: FxHashMap<u64, u64>,
    /// What grew each time since, by pattern, as it was last.
    growing: FxHashMap<u64, Growing>,
    seen: u32,
    leaks: Vec<Leak>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    count: u64,
    bytes: u64,
}

#[derive(Clone, Copy, Debug)]
struct Growing {
    last: Sum,
    in_count: bool,
    in_bytes: bool,
}

/// What all holders without a name are called.
const NAMELESS: u64 = 1;

impl Growth {
    /// Looks at a heap: the first is what the others are compared with.
    pub fn observe(&mut self, heap: &Heap) {
        let paths = ShortestPaths::of(heap);
        let round = Round::of(heap, &paths);
        match self.seen {
            0 => {
                self.first = round.by_key().collect();
                let apart = round.nameless().into_iter();
                self.first_nameless = apart.map(|(place, (count, _))| (place, count)).collect();
            }
            1 => {
                let known = |key| self.first.get(&key).copied().unwrap_or_default();
                self.growing = round
                    .by_key()
                    .filter_map(|(key, now)| grown(key, now, known(key), None))
                    .collect();
            }
            _ => {
                let before = std::mem::take(&mut self.growing);
                let still = |(key, now)| {
                    let before = before.get(&key)?;
                    grown(key, now, before.last, Some(*before))
                };
                self.growing = round.by_key().filter_map(still).collect();
            }
        }
        self.seen += 1;
        self.leaks = if self.seen > 1 {
            round.leaks(&self.first, &self.first_nameless, &self.growing)
        } else {
            Vec::new()
        };
    }

    /// How many rounds there were: one less than heaps.
    #[must_use]
    pub fn rounds(&self) -> u32 {
        self.seen.saturating_sub(1)
    }

    /// What grew in every round, most bytes first.
    #[must_use]
    pub fn leaks(&self) -> &[Leak] {
        &self.leaks
    }
}

fn grown(key: u64, now: Sum, last: Sum, before: Option<Growing>) -> Option<(u64, Growing)> {
    let in_count = now.count > last.count && before.is_none_or(|before| before.in_count);
    let in_bytes = now.bytes > last.bytes && before.is_none_or(|before| before.in_bytes);
    (in_count || in_bytes).then_some((key, Growing { last: now, in_count, in_bytes }))
}

fn is_nameless(root: &Root) -> bool {
    !matches!(root.kind, RootKind::Garbage | RootKind::Immortal) && !root.kind.is_named()
}

/// One heap by patterns. All columns are by pattern; of those with one key, the first has it all.
struct Round<'a> {
    heap: &'a Heap,
    patterns: Patterns<'a>,
    /// The pattern before the last step.
    before: Vec<u32>,
    /// The first pattern with the same key.
    same: Vec<u32>,
    /// How many objects each has without those of the same key.
    apart: Vec<u64>,
    /// What the pattern is called in every heap.
    keys: Vec<u64>,
    sums: Vec<Sum>,
}

impl<'a> Round<'a> {
    fn of(heap: &'a Heap, paths: &'a ShortestPaths) -> Round<'a> {
        let mut patterns = Patterns::whatever_the_keys(heap, paths);
        let mut sums = Vec::new();
        for node in heap.object_ids() {
            let pattern = patterns.of(node) as usize;
            if sums.len() <= pattern {
                sums.resize(pattern + 1, Sum::default());
            }
            sums[pattern].count += 1;
            sums[pattern].bytes += heap.nodes.held(node).0;
        }
        sums.resize(patterns.len(), Sum::default());
        // What nothing reaches, and what waits for the collector, is no one's.
        sums[EMPTY as usize] = Sum::default();
        let mut round = Round {
            heap,
            before: vec![EMPTY; patterns.len()],
            same: vec![EMPTY; patterns.len()],
            apart: sums.iter().map(|sum| sum.count).collect(),
            keys: vec![0; patterns.len()],
            patterns,
            sums,
        };
        round.name();
        round
    }

    /// Gives the patterns their keys, and what they have in common with an earlier one to that.
    fn name(&mut self) {
        let mut first_of: FxHashMap<u64, u32> = FxHashMap::default();
        for pattern in 1..self.keys.len() {
            let before = self.same[self.patterns.before(pattern as u32) as usize];
            self.before[pattern] = before;
            let key = self.key(pattern as u32, before);
            let sum = std::mem::take(&mut self.sums[pattern]);
            if key == 0 {
                continue;
            }
            let same = *first_of.entry(key).or_insert(pattern as u32);
            self.same[pattern] = same;
            self.patterns.unite(same, pattern as u32);
            self.keys[same as usize] = key;
            self.sums[same as usize].count += sum.count;
            self.sums[same as usize].bytes += sum.bytes;
        }
        // Those that were united before the last of their sort came.
        for (pattern, &same) in self.same.iter().enumerate() {
            self.patterns.unite(same, pattern as u32);
        }
    }

    /// What a pattern is called in every heap, whatever numbers its names have there; 0 for what waits
    /// for the collector.
    fn key(&self, pattern: u32, before: u32) -> u64 {
        let (heap, step) = (self.heap, self.patterns.step(pattern));
        let label = step.label.label;
        let mut hasher = DefaultHasher::new();
        match label.kind() {
            EdgeKind::Root => {
                let root = heap.root(label.payload());
                let Some(root) = root.filter(|root| root.kind != RootKind::Garbage) else {
                    return 0;
                };
                // Which word of whose memory looks like a reference changes from time to time: all
                // holders without a name are one.
                if is_nameless(root) {
                    return NAMELESS;
                }
                // Of threads that are started in every round each has a number of its own.
                let name = match root.kind {
                    RootKind::Thread => "",
                    _ => heap.names.get(root.name),
                };
                (root.kind, name).hash(&mut hasher);
            }
            _ if before == EMPTY => return 0,
            // Which list of what has no name it is in says as little, and where in native memory a
            // reference was found.
            _ if self.keys[before as usize] == NAMELESS => {}
            kind @ EdgeKind::Native => kind.hash(&mut hasher),
            kind if kind.is_named() => (kind, heap.names.get(label.name())).hash(&mut hasher),
            kind => (kind, label.payload()).hash(&mut hasher),
        }
        let type_name = heap.names.get(heap.types.get(step.type_id).name);
        let before = self.keys[before as usize];
        let shortened = self.patterns.is_shortened(pattern);
        (before, type_name, shortened).hash(&mut hasher);
        hasher.finish().max(NAMELESS + 1)
    }

    fn by_key(&self) -> impl Iterator<Item = (u64, Sum)> + '_ {
        let rows = self.keys.iter().copied().zip(self.sums.iter().copied());
        rows.filter(|&(key, sum)| key != 0 && sum.count > 0)
    }

    /// What nameless holders have, each by itself: by pattern and holder, how many objects, and one
    /// of the patterns.
    fn nameless(&self) -> FxHashMap<u64, (u64, u32)> {
        let mut found: FxHashMap<u64, (u64, u32)> = FxHashMap::default();
        let mut holders: Vec<Option<&Root>> = vec![None; self.keys.len()];
        for pattern in 1..self.keys.len() as u32 {
            let step = self.patterns.step(pattern);
            let holder = match step.label.label.kind() {
                EdgeKind::Root => self.heap.root(step.label.label.payload()),
                _ => holders[self.patterns.before(pattern) as usize],
            };
            holders[pattern as usize] = holder;
            let (count, same) = (self.apart[pattern as usize], self.same[pattern as usize]);
            if let Some(root) = holder.filter(|root| is_nameless(root) && count > 0) {
                let mut hasher = DefaultHasher::new();
                let key = self.keys[same as usize];
                (key, root.kind, self.heap.names.get(root.name)).hash(&mut hasher);
                found.entry(hasher.finish()).or_insert((0, pattern)).0 += count;
            }
        }
        found
    }

    /// Of patterns that are one because their holders have no name, the one with most of what is new.
    fn most_new(&self, first: &FxHashMap<u64, u64>) -> FxHashMap<u32, u32> {
        let mut most: FxHashMap<u32, (i64, u32)> = FxHashMap::default();
        for (place, (count, pattern)) in self.nameless() {
            let new = count as i64 - first.get(&place).copied().unwrap_or_default() as i64;
            let row = most.entry(self.same[pattern as usize]).or_insert((new, pattern));
            // Of equals, the same one each time.
            *row = (*row).max((new, pattern));
        }
        most.into_iter().map(|(same, (_, pattern))| (same, pattern)).collect()
    }

    /// What grows, by holder.
    fn leaks(
        &self,
        first: &FxHashMap<u64, Sum>,
        first_nameless: &FxHashMap<u64, u64>,
        growing: &FxHashMap<u64, Growing>,
    ) -> Vec<Leak> {
        let most_new = self.most_new(first_nameless);
        let shown = |pattern: u32| most_new.get(&pattern).copied().unwrap_or(pattern);
        let status = |pattern: u32| growing.get(&self.keys[pattern as usize]);
        let more = |pattern: u32| {
            let (now, key) = (self.sums[pattern as usize], self.keys[pattern as usize]);
            let then = first.get(&key).copied().unwrap_or_default();
            [now.count as i64 - then.count as i64, now.bytes as i64 - then.bytes as i64]
        };
        // The first of its steps that leads to more objects each time. A pattern comes after the one
        // before it, whatever it leads to.
        let mut tops = vec![EMPTY; self.sums.len()];
        let mut gained: FxHashMap<u32, [i64; 2]> = FxHashMap::default();
        for pattern in (1..self.sums.len() as u32).filter(|&it| self.keys[it as usize] != 0) {
            let above = tops[self.before[pattern as usize] as usize];
            let top = match above {
                EMPTY if status(pattern).is_some_and(|it| it.in_count) => pattern,
                above => above,
            };
            tops[pattern as usize] = top;
            if top != EMPTY {
                let sum = gained.entry(top).or_default();
                let more = more(pattern);
                *sum = [sum[0] + more[0], sum[1] + more[1]];
            }
        }
        let mut by_holder: FxHashMap<u32, Vec<(u32, [i64; 2])>> = FxHashMap::default();
        for (top, sum) in gained {
            by_holder.entry(self.before[top as usize]).or_default().push((top, sum));
        }
        // One object that gets larger each time, unless that is because of what it holds.
        let mut explained = vec![false; self.sums.len()];
        for &holder in by_holder.keys() {
            let mut pattern = holder;
            while pattern != EMPTY && !std::mem::replace(&mut explained[pattern as usize], true) {
                pattern = self.before[pattern as usize];
            }
        }
        for pattern in (1..self.sums.len() as u32).filter(|&it| self.keys[it as usize] != 0) {
            let alone = tops[pattern as usize] == EMPTY && !explained[pattern as usize];
            if alone && status(pattern).is_some_and(|it| it.in_bytes) {
                by_holder.entry(pattern).or_default();
            }
        }
        let leak = |(holder, mut tops): (u32, Vec<(u32, [i64; 2])>)| {
            tops.sort_unstable_by_key(|&(top, [_, bytes])| (-bytes, top));
            let most = tops.first().map_or(holder, |&(top, _)| top);
            let positive = |number: i64| u64::try_from(number).unwrap_or(0);
            let sum = |which: usize| tops.iter().map(|(_, sum)| sum[which]).sum::<i64>();
            let own = status(holder).map_or(0, |_| more(holder)[1]);
            Leak {
                holder: self.path(match tops.first() {
                    Some(&(top, _)) => self.patterns.before(shown(top)),
                    None => shown(holder),
                }),
                path: self.path(shown(most)),
                type_name: self.type_name(most),
                count: if tops.is_empty() { 0 } else { positive(more(most)[0]) },
                objects: positive(sum(0)),
                bytes: Bytes(positive(sum(1) + own)),
            }
        };
        let mut leaks: Vec<Leak> = by_holder.into_iter().map(leak).collect();
        leaks.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
        leaks
    }

    fn path(&self, pattern: u32) -> String {
        self.patterns.shown_by_key(pattern).to_string()
    }

    fn type_name(&self, pattern: u32) -> String {
        let type_id = self.patterns.step(pattern).type_id;
        self.heap.names.get(self.heap.types.get(type_id).name).to_owned()
    }
}
