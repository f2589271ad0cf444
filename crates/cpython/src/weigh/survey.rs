//! Who holds what, in little memory: for a program that has hardly any left.
//!
//! No graph is built. Each object is met once and counted for the path that led to it, and objects near
//! named roots are met first: so `app.cache` is named, and all that is below it is counted there. What
//! it needs are a bit for every 16 bytes of the megabytes that objects are in, and a few tables with
//! fixed bounds.

use std::collections::VecDeque;

use deadweight_heap::{Addr, Bytes, EdgeKind, NameId, RootKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::seen::Seen;
use super::{Bench, Followed, NoReferences, Scale, TypeWeight};
use crate::family::Family;
use crate::header::Header;
use crate::holders::{self, FrameAt, Named};
use crate::memory::Memory;
use crate::object::{Context, Grounds, Link};
use crate::text;

/// Bits for as much: 2.5 GB in which objects are.
const MOST_MARKS: usize = 20 << 20;
/// Objects that wait to be looked at. Beyond that, what refers to more is looked at again later.
const MOST_PENDING: usize = 1 << 18;
const MOST_NEAR: usize = 1 << 15;
const MOST_AGAIN: usize = 1 << 14;
const MOST_DOUBTFUL: usize = 1 << 16;
/// Paths that are counted apart; steps of each.
const MOST_PATHS: usize = 1 << 14;
const MOST_STEPS: u8 = 6;
/// Text, bytes and numbers have a path of their own from this size on.
const LARGE: u64 = 4096;
/// What only leads to code.
const CODE_TYPES: [&str; 9] = [
    "builtin_function_or_method",
    "classmethod",
    "classmethod_descriptor",
    "getset_descriptor",
    "member_descriptor",
    "method_descriptor",
    "property",
    "staticmethod",
    "wrapper_descriptor",
];
/// Types that are counted apart for a path.
const MOST_ROWS: usize = 1 << 16;
/// Addresses of the interpreter's own data that no bit is for.
const MOST_ODD: usize = 1 << 16;
/// Names of one object's references that are kept.
const MOST_NAMES: usize = 1 << 12;
/// How often it is asked whether to go on: in objects.
const ROUND: u64 = 1 << 14;

/// What a path, and all that was first met below it, holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// As far as it is told apart.
    pub path: String,
    /// Objects.
    pub count: u64,
    /// Bytes that they hold.
    pub held: Bytes,
    /// The heaviest types among them, at most three, without what longer paths tell apart.
    pub by_type: Vec<TypeWeight>,
}

/// Who holds what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Objects that were met.
    pub count: u64,
    /// Bytes that they hold.
    pub held: Bytes,
    /// Whether any size follows a rule instead of an allocator's header.
    pub modelled: bool,
    /// Heaviest first.
    pub by_type: Vec<TypeWeight>,
    /// Heaviest first.
    pub holdings: Vec<Holding>,
    /// Whether everything was met that can be reached.
    pub complete: bool,
    /// References that were not followed because there was no room for marks, and interpreters with
    /// locks of their own, which were not looked at.
    pub left_out: u64,
}

impl Scale {
    /// Goes through everything that named roots, and objects with names for them, lead to.
    ///
    /// `go_on` is asked every few thousand objects, and can have the survey as it is then. `memory` and
    /// `doubtful` are as in [`Scale::weigh_deep`].
    pub fn survey<M: Memory, D: Memory>(
        &self,
        memory: &M,
        doubtful: &D,
        objects: &[(String, Addr)],
        go_on: &mut dyn FnMut(&dyn Fn() -> Survey) -> bool,
    ) -> Survey {
        let mut interpreters = self.runtime.interpreters_now(doubtful);
        // From 3.12 on others have locks of their own, and free what is theirs while we look.
        let ours = if self.runtime.layout.minor >= 12 { 1 } else { interpreters.len() };
        let others = interpreters.split_off(ours.min(interpreters.len()));
        // Frames of other threads are read by calls that cannot fault; the rest is alive.
        let named = self.ask(doubtful, |bench| {
            let mut all = Named::default();
            for interpreter in interpreters {
                let cx = Context { interpreter, ..*bench.cx };
                holders::named(&cx, &self.runtime, &[], &mut all);
            }
            all
        });
        let course = self.ask(memory, |bench| {
            let mut walk = Walk::new(bench, Course::new());
            walk.course.left_out += others.len() as u64;
            walk.seed(&named, objects);
            walk.drain(go_on);
            walk.course
        });
        if !course.goes_on || course.doubtful.is_empty() {
            return course.summary();
        }
        self.ask(doubtful, |bench| {
            let mut walk = Walk::new(bench, course);
            walk.run_doubtful(go_on);
            walk.course.summary()
        })
    }
}

/// A name on a path, below another. `None` is any item.
type Place = (u32, Option<String>);

/// A path, and what was counted for it alone.
#[derive(Clone, Debug, Default)]
struct Path {
    above: u32,
    name: Option<String>,
    steps: u8,
    count: u64,
    held: u64,
}

/// Everything that is known so far, whichever memory it was read from.
#[derive(Default)]
struct Course {
    marks: Seen<4>,
    odd: FxHashSet<Addr>,
    /// Near to a root, in order: the object, its path, and whether it is a dict of names.
    near: VecDeque<(Addr, u32, bool)>,
    far: Vec<(Addr, u32)>,
    /// Objects with more references than there was room for.
    again: Vec<(Addr, u32, Option<bool>)>,
    doubtful: Vec<(Addr, u32)>,
    /// The first is no path: what is above roots.
    paths: Vec<Path>,
    places: FxHashMap<Place, u32>,
    types: Vec<TypeWeight>,
    type_rows: FxHashMap<String, u32>,
    by_path: FxHashMap<(u32, u32), (u64, u64)>,
    modelled: bool,
    count: u64,
    left_out: u64,
    goes_on: bool,
}

impl Course {
    fn new() -> Course {
        Course { paths: vec![Path::default()], goes_on: true, ..Course::default() }
    }

    /// Marks an object; `false` if it was met, or cannot be marked.
    fn mark(&mut self, addr: Addr) -> bool {
        if !addr.0.is_multiple_of(16) {
            return self.odd.len() < MOST_ODD && self.odd.insert(addr);
        }
        if self.marks.size() >= MOST_MARKS {
            self.left_out += 1;
            return false;
        }
        self.marks.insert(addr)
    }

    /// A path one step longer; the same path where no more are told apart.
    fn below(&mut self, path: u32, name: Option<&str>) -> u32 {
        let steps = self.paths[path as usize].steps + 1;
        let place = (path, name.map(str::to_owned));
        if let Some(&known) = self.places.get(&place) {
            return known;
        }
        // Roots always have a path of their own.
        if path != 0 && (steps > MOST_STEPS || self.paths.len() >= MOST_PATHS) {
            return path;
        }
        let new = self.paths.len() as u32;
        let name = place.1.clone();
        self.paths.push(Path { above: path, name, steps, ..Path::default() });
        self.places.insert(place, new);
        new
    }

    /// Whether there was room.
    fn push_near(&mut self, target: Addr, path: u32, names: bool) -> bool {
        if self.near.len() >= MOST_NEAR {
            return self.push_far(target, path);
        }
        if self.mark(target) {
            self.near.push_back((target, path, names));
        }
        true
    }

    /// Whether there was room.
    fn push_far(&mut self, target: Addr, path: u32) -> bool {
        if self.far.len() >= MOST_PENDING {
            return false;
        }
        if self.mark(target) {
            self.far.push((target, path));
        }
        true
    }

    fn text_of(&self, path: u32) -> String {
        let (mut names, mut at) = (Vec::new(), path);
        while at != 0 {
            let Path { above, name, .. } = &self.paths[at as usize];
            names.push(name.as_deref().unwrap_or("[*]"));
            at = *above;
        }
        names.reverse();
        names.concat()
    }

    fn summary(&self) -> Survey {
        let mut sums: Vec<(u64, u64)> = self.paths.iter().map(|it| (it.count, it.held)).collect();
        // A path is always after the one that it continues.
        for number in (1..self.paths.len()).rev() {
            let (above, (count, held)) = (self.paths[number].above as usize, sums[number]);
            sums[above].0 += count;
            sums[above].1 += held;
        }
        let held = sums.first().map_or(0, |sum| sum.1);
        let mut heavy: Vec<u32> = (1..self.paths.len() as u32)
            .filter(|&path| sums[path as usize].1.saturating_mul(200) >= held.max(1))
            .collect();
        heavy.sort_by_key(|&path| (std::cmp::Reverse(sums[path as usize].1), path));
        let mut types: FxHashMap<u32, Vec<TypeWeight>> = FxHashMap::default();
        for (&(path, row), &(count, bytes)) in &self.by_path {
            if sums[path as usize].1.saturating_mul(200) >= held.max(1) {
                let name = self.types[row as usize].name.clone();
                let (held, requested) = (Bytes(bytes), Bytes(0));
                types.entry(path).or_default().push(TypeWeight { name, count, held, requested });
            }
        }
        let holding = |path: u32| {
            let mut by_type = types.remove(&path).unwrap_or_default();
            heaviest_first(&mut by_type);
            by_type.truncate(3);
            let (count, held) = sums[path as usize];
            Holding { path: self.text_of(path), count, held: Bytes(held), by_type }
        };
        let holdings = heavy.into_iter().map(holding).collect();
        let mut by_type = self.types.clone();
        by_type.retain(|row| row.count > 0);
        heaviest_first(&mut by_type);
        Survey {
            count: self.count,
            held: Bytes(held),
            modelled: self.modelled,
            by_type,
            holdings,
            complete: self.goes_on && self.left_out == 0,
            left_out: self.left_out,
        }
    }
}

fn heaviest_first(rows: &mut [TypeWeight]) {
    rows.sort_by(|a, b| b.held.cmp(&a.held).then_with(|| a.name.cmp(&b.name)));
}

struct Walk<'a, M> {
    bench: Bench<'a, M>,
    course: Course,
    /// By the type table's row: ours.
    rows: Vec<Option<u32>>,
}

/// Follows the references of one object.
struct Follow<'a> {
    course: &'a mut Course,
    path: u32,
    /// Near to a root, longer paths than this are told apart; and whether it is a dict of names.
    near: Option<bool>,
    skipped: [NameId; 2],
    named: Vec<(Addr, Link)>,
    /// Whether its blocks were counted before.
    is_again: bool,
    full: bool,
}

impl Followed for Follow<'_> {
    #[inline]
    fn reference(&mut self, target: Addr, link: Link, grounds: Grounds) {
        match link {
            Link::Named(EdgeKind::Weak, _) => return,
            // What leads out of functions into their module.
            Link::Named(_, name) if self.skipped.contains(&name) => return,
            _ => {}
        }
        match grounds {
            Grounds::OnlyVisited => return,
            Grounds::Conservative => {
                if self.course.doubtful.len() < MOST_DOUBTFUL {
                    self.course.doubtful.push((target, self.path));
                } else {
                    self.course.left_out += 1;
                }
                return;
            }
            Grounds::Visible | Grounds::Hidden => {}
        }
        let Some(names) = self.near else {
            self.full |= !self.course.push_far(target, self.path);
            return;
        };
        let is_item = match link {
            Link::Entry { .. } => !names,
            Link::At(EdgeKind::Class, _) => {
                self.full |= !self.course.push_far(target, self.path);
                return;
            }
            Link::At(..) => true,
            _ => false,
        };
        if is_item || self.named.len() >= MOST_NAMES {
            let path = self.course.below(self.path, None);
            self.full |= !self.course.push_far(target, path);
        } else {
            self.named.push((target, link));
        }
    }

    fn block(&mut self, start: Addr) -> bool {
        self.is_again || self.course.mark(start)
    }
}

impl<'a, M: Memory> Walk<'a, M> {
    fn new(bench: Bench<'a, M>, course: Course) -> Self {
        Walk { bench, course, rows: Vec::new() }
    }

    /// Modules first, then given objects and what threads run, and the interpreter's own fields last:
    /// those are tables of what others hold too.
    fn seed(&mut self, named: &Named, objects: &[(String, Addr)]) {
        let modules = named.modules.iter().map(|(name, at)| (name, *at));
        for (name, at) in modules.chain(objects.iter().map(|(name, at)| (name, *at))) {
            let path = self.course.below(0, Some(name));
            self.seed_one(at, path);
        }
        // A module's names are its own, though the frame of its code has them too.
        for _ in 0..self.course.near.len() {
            if let Some((addr, path, names)) = self.course.near.pop_front() {
                self.visit(addr, path, Some(names), true);
            }
        }
        for holder in &named.holders {
            let Some((RootKind::Thread, tid)) = &holder.root else { continue };
            let thread = self.course.below(0, Some(&format!("thread {tid}")));
            self.links(thread, &holder.references);
            for (frame, title) in &holder.frames {
                let path = self.course.below(thread, Some(&format!(" › {title}")));
                match frame {
                    FrameAt::Object(object) => self.seed_one(*object, path),
                    FrameAt::Holder(number) => {
                        let references = named.holders.get(*number).map(|it| &it.references);
                        self.links(path, references.map_or(&[], |it| it));
                    }
                }
            }
        }
        for holder in &named.holders {
            if matches!(holder.root, Some((RootKind::Interpreter, _))) {
                let path = self.course.below(0, Some("interpreter"));
                self.links(path, &holder.references);
            }
        }
    }

    fn links(&mut self, path: u32, references: &[(Addr, Link, Grounds)]) {
        for &(target, link, grounds) in references {
            // Words on stacks that only may be references lead to what others hold.
            if !grounds.is_conservative() && !self.link(path, false, target, link) {
                self.course.left_out += 1;
            }
        }
    }

    fn seed_one(&mut self, object: Addr, path: u32) {
        if !self.course.push_near(object, path, false) {
            self.course.left_out += 1;
        }
    }

    /// A reference with a name: the path goes on by it. Whether there was room.
    fn link(&mut self, path: u32, names: bool, target: Addr, link: Link) -> bool {
        let words = self.bench.cx.words;
        let (memory, layout) = (self.bench.cx.memory, self.bench.cx.layout);
        let (name, is_namespace) = match link {
            Link::Named(_, name) if name == words.dict => (None, true),
            Link::Named(_, name) if name == words.closure => (Some(".<closure>".to_owned()), false),
            Link::Named(EdgeKind::Local, name) => {
                (Some(format!(" › {}", self.bench.types.names.get(name))), false)
            }
            Link::Named(_, name) => (Some(format!(".{}", self.bench.types.names.get(name))), false),
            Link::Static(_, name) => (Some(format!(".{name}")), false),
            Link::Text(kind, text) => {
                let before = if kind == EdgeKind::Local { " › " } else { "." };
                (text::read_str(memory, layout, text).map(|text| before.to_owned() + &text), false)
            }
            Link::Entry { key, .. } if names => {
                (text::read_str(memory, layout, key).map(|text| format!(".{text}")), false)
            }
            Link::Entry { .. } | Link::At(..) => (None, false),
        };
        let path = match name {
            Some(name) if self.may_hold_much(target) => self.course.below(path, Some(&name)),
            _ => path,
        };
        self.course.push_near(target, path, is_namespace)
    }

    /// Paths are few: none are spent on code and small values.
    fn may_hold_much(&mut self, target: Addr) -> bool {
        let Some(info) = self.bench.type_of(target) else { return false };
        match info.family {
            Family::Code | Family::Module => false,
            Family::Function => {
                let closure = self.bench.layout().function.closure;
                self.bench.cx.memory.word(target + closure).is_some_and(|word| word != 0)
            }
            family if family.is_payload() => {
                let weight = self.bench.weigh(&info, target, &mut NoReferences);
                weight.is_some_and(|weight| weight.held.0 >= LARGE)
            }
            Family::Plain => !CODE_TYPES.contains(&self.bench.types.names.get(info.name)),
            _ => true,
        }
    }

    fn drain(&mut self, go_on: &mut dyn FnMut(&dyn Fn() -> Survey) -> bool) {
        loop {
            if self.course.count.is_multiple_of(ROUND) && !self.asked(go_on) {
                return;
            }
            if let Some((addr, path, names)) = self.course.near.pop_front() {
                self.visit(addr, path, Some(names), true);
            } else if let Some((addr, path)) = self.course.far.pop() {
                self.visit(addr, path, None, true);
            } else if let Some((addr, path, near)) = self.course.again.pop() {
                // Nothing else is pending: there is all the room for what is new this time.
                self.visit(addr, path, near, false);
            } else {
                return;
            }
        }
    }

    fn asked(&mut self, go_on: &mut dyn FnMut(&dyn Fn() -> Survey) -> bool) -> bool {
        let course = &self.course;
        let goes_on = go_on(&|| Survey { complete: false, ..course.summary() });
        self.course.goes_on &= goes_on;
        goes_on
    }

    fn visit(&mut self, addr: Addr, path: u32, near: Option<bool>, counts: bool) {
        let Some(header) = Header::read(self.bench.cx.memory, addr) else { return };
        let layout = self.bench.cx.layout;
        let found = self.bench.types.get(self.bench.cx.memory, layout, header.type_addr);
        let Some(info) = found.cloned() else { return };
        let words = self.bench.cx.words;
        let mut follow = Follow {
            course: &mut self.course,
            path,
            near,
            skipped: [words.globals, words.builtins],
            named: Vec::new(),
            is_again: !counts,
            full: false,
        };
        let weight = self.bench.weigh(&info, addr, &mut follow);
        let Follow { named, mut full, .. } = follow;
        // Of a class and a function, what a program keeps there has a name, but not their own parts.
        let only = match info.family {
            family if family.is_type() => Some(words.dict),
            Family::Function => Some(words.closure),
            _ => None,
        };
        for (target, link) in named {
            let has_name = match (only, link) {
                (Some(only), Link::Named(_, name)) => name == only,
                (only, _) => only.is_none(),
            };
            let pushed = if has_name {
                self.link(path, near == Some(true), target, link)
            } else {
                self.course.push_far(target, path)
            };
            full |= !pushed;
        }
        if full && self.course.again.len() < MOST_AGAIN {
            self.course.again.push((addr, path, near));
        } else if full {
            self.course.left_out += 1;
        }
        let Some(weight) = weight.filter(|_| counts && !self.bench.is_static(addr)) else {
            return;
        };
        let row = self.row(info.row as usize, info.name);
        let course = &mut self.course;
        let held = weight.held.0;
        course.count += 1;
        course.modelled |= weight.modelled;
        let sum = &mut course.types[row as usize];
        sum.count += 1;
        sum.held += weight.held;
        sum.requested += weight.requested;
        course.paths[path as usize].count += 1;
        course.paths[path as usize].held += held;
        let known = course.by_path.len();
        match course.by_path.entry((path, row)) {
            std::collections::hash_map::Entry::Vacant(_) if known >= MOST_ROWS => {}
            entry => {
                let tally = entry.or_default();
                *tally = (tally.0 + 1, tally.1 + held);
            }
        }
    }

    /// The row of a type in our own table, by its name: types of two readings are the same there.
    fn row(&mut self, row: usize, name: NameId) -> u32 {
        if let Some(Some(known)) = self.rows.get(row) {
            return *known;
        }
        let name = self.bench.types.names.get(name);
        let course = &mut self.course;
        let next = course.types.len() as u32;
        let ours = *course.type_rows.entry(name.to_owned()).or_insert(next);
        if ours == next {
            course.types.push(TypeWeight { name: name.to_owned(), ..TypeWeight::default() });
        }
        if self.rows.len() <= row {
            self.rows.resize(row + 1, None);
        }
        self.rows[row] = Some(ours);
        ours
    }

    /// Words that look like references count if what they lead to is an object in every respect.
    fn run_doubtful(&mut self, go_on: &mut dyn FnMut(&dyn Fn() -> Survey) -> bool) {
        while let Some((addr, path)) = self.course.doubtful.pop() {
            if !self.bench.is_object(addr) || !self.course.mark(addr) {
                continue;
            }
            self.course.far.push((addr, path));
            self.drain(go_on);
            if !self.course.goes_on {
                return;
            }
        }
    }
}
