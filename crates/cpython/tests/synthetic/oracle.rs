//! What a walk must find, worked out from the model of an image by the most obvious means.

use std::collections::{BTreeMap, BTreeSet};

use deadweight_cpython::{Ledger, Memory, RegionKind, Runtime, Subject, WalkOptions, Walked, walk};
use deadweight_heap::{Addr, EdgeKind, Heap, Layer, NodeFlags, NodeId, RootKind};

use crate::image::memory::FakeProcess;
use crate::image::model::{Frame, Gc, Label, Model, Obj, Object, Sight, Slot};

/// The blocks a walk reports, by address.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Blocks {
    pub(crate) owned: BTreeMap<u64, (u64, bool)>,
    pub(crate) unowned: BTreeMap<u64, u64>,
    /// Blocks reported more than once.
    pub(crate) twice: Vec<u64>,
}

impl Ledger for Blocks {
    fn owned(&mut self, start: Addr, held: u64, small: bool) {
        if self.owned.insert(start.0, (held, small)).is_some() {
            self.twice.push(start.0);
        }
    }

    fn unowned(&mut self, start: Addr, held: u64) {
        if self.unowned.insert(start.0, held).is_some() {
            self.twice.push(start.0);
        }
    }
}

/// Recognises and walks.
pub(crate) fn read<M: Memory>(
    memory: &M,
    process: &FakeProcess,
    options: WalkOptions<'_>,
) -> (Walked, Blocks) {
    let runtime = Runtime::attach(memory, &process.symbols).expect("a whole image is recognised");
    let subject =
        Subject { memory, runtime: &runtime, threads: &process.threads, images: &process.images };
    let mut blocks = Blocks::default();
    let walked = walk(&subject, options, &mut blocks).expect("a small image is walked");
    (walked, blocks)
}

/// What is expected of one image and one way of walking it.
pub(crate) struct Expected<'a> {
    model: &'a Model,
    options: WalkOptions<'a>,
    /// Layer of every object that is found.
    layers: BTreeMap<Obj, Layer>,
    /// Words outside all objects and names that lead to native objects: kind and name of the holder.
    unnamed: BTreeSet<(RootKind, String, Obj)>,
    /// Unreached objects that something else than the unreached holds.
    held: Vec<Obj>,
}

impl<'a> Expected<'a> {
    pub(crate) fn of(
        model: &'a Model,
        process: &FakeProcess,
        options: WalkOptions<'a>,
    ) -> Expected<'a> {
        let mut expected = Expected { options, ..Expected::empty(model) };
        let by_address: BTreeMap<u64, Obj> =
            model.ids().map(|object| (model.object(object).address, object)).collect();
        let named = expected.named(&by_address);
        for &object in &named {
            expected.layers.insert(object, Layer::Named);
        }
        let tracked: Vec<Obj> = model
            .ids()
            .filter(|&object| match model.object(object).gc {
                Gc::Tracked(_) => true,
                Gc::Permanent => !expected.compares(),
                Gc::None | Gc::Untracked => false,
            })
            .collect();
        let mut alive: BTreeSet<Obj> = &named | &expected.closure(&tracked);
        if !expected.compares() {
            let words = outside_words(model, process, &by_address);
            let new = words.iter().filter(|(_, _, target)| !named.contains(target));
            let targets: Vec<Obj> = new.clone().map(|&(_, _, target)| target).collect();
            alive = &alive | &expected.closure(&targets);
            expected.unnamed = new.cloned().collect();
            // Small blocks are looked through, so nothing that sits in one is missed.
            let in_blocks = |object: &Obj| {
                model.object(*object).blocks.first().is_some_and(|block| block.small)
            };
            let small: Vec<Obj> = model.ids().filter(in_blocks).collect();
            alive = &alive | &expected.closure(&small);
        }
        expected.sort_unreached(&alive);
        expected
    }

    fn empty(model: &'a Model) -> Expected<'a> {
        Expected {
            model,
            options: WalkOptions::default(),
            layers: BTreeMap::new(),
            unnamed: BTreeSet::new(),
            held: Vec::new(),
        }
    }

    fn compares(&self) -> bool {
        self.options.visible_from.is_some()
    }

    /// Whether a reference is part of the graph.
    fn is_told(&self, slot: &Slot) -> bool {
        match slot.sight {
            Sight::Visible => true,
            Sight::Hidden | Sight::Guessed => !self.compares(),
            Sight::OnlyVisited => self.compares(),
        }
    }

    /// What named holders lead to; for comparisons, what the given addresses lead to.
    fn named(&self, by_address: &BTreeMap<u64, Obj>) -> BTreeSet<Obj> {
        if let Some(seeds) = self.options.visible_from {
            let seeds: Vec<Obj> =
                seeds.iter().filter_map(|seed| by_address.get(&seed.0).copied()).collect();
            return self.closure(&seeds);
        }
        let mut seeds: Vec<Obj> = self.model.modules.iter().map(|&(_, module)| module).collect();
        for holder in &self.model.holders {
            seeds.extend(holder.slots.iter().filter_map(|slot| slot.target));
            seeds.extend(holder.frames.iter().filter_map(|&(frame, _)| match frame {
                Frame::Object(object) => Some(object),
                Frame::Holder(_) => None,
            }));
        }
        self.closure(&seeds)
    }

    fn closure(&self, from: &[Obj]) -> BTreeSet<Obj> {
        let mut seen = BTreeSet::new();
        let mut pending = from.to_vec();
        while let Some(object) = pending.pop() {
            if seen.insert(object) {
                let slots = &self.model.object(object).slots;
                let told = slots.iter().filter(|slot| self.is_told(slot) && slot.label.is_strong());
                pending.extend(told.filter_map(|slot| slot.target));
            }
        }
        seen
    }

    /// Unreached objects are native code's if they, or what leads to them, have more references than
    /// the unreached give them; else they are garbage.
    fn sort_unreached(&mut self, alive: &BTreeSet<Obj>) {
        let unreached: Vec<Obj> =
            alive.iter().copied().filter(|object| !self.layers.contains_key(object)).collect();
        // Who holds whom does not depend on what the collector sees.
        let whole = Expected { options: WalkOptions::default(), ..Expected::empty(self.model) };
        let rows = unreached.iter().map(|&object| self.model.object(object));
        let known = count(rows.flat_map(|row| &row.slots));
        let objects = self.model.objects.iter().flat_map(|row| &row.slots);
        let holders = self.model.holders.iter().flat_map(|holder| &holder.slots);
        let all = count(objects.chain(holders));
        let is_held = |object: &Obj| {
            let row = self.model.object(*object);
            let from_unreached = known.get(object).copied().unwrap_or(0);
            let total = all.get(object).copied().unwrap_or(0) + row.held_outside;
            row.immortal || row.is_static() || total > from_unreached
        };
        self.held = unreached.iter().copied().filter(is_held).collect();
        let native = whole.closure(&self.held);
        for object in unreached {
            let layer = if native.contains(&object) { Layer::Native } else { Layer::Garbage };
            self.layers.insert(object, layer);
        }
    }

    /// One line an object.
    pub(crate) fn object_lines(&self) -> Vec<String> {
        self.layers.iter().map(|(&object, &layer)| self.object_line(object, layer)).collect()
    }

    fn object_line(&self, object: Obj, layer: Layer) -> String {
        let row = self.model.object(object);
        let (held, requested) = match row.static_size {
            Some(size) => (size, size),
            None => (
                row.blocks.iter().map(|block| block.held).sum(),
                row.blocks.iter().map(|block| block.requested).sum(),
            ),
        };
        let line = Line {
            address: row.address,
            type_name: self.model.type_name(object),
            held,
            requested,
            tracked: matches!(row.gc, Gc::Tracked(_) | Gc::Permanent),
            interpreter: row.is_static() || row.immortal || row.cached,
            modelled: false,
            layer,
        };
        line.text(self.slot_lines(row))
    }

    fn slot_lines(&self, row: &Object) -> Vec<String> {
        let told = row.slots.iter().filter(|slot| self.is_told(slot));
        told.filter_map(|slot| self.slot_line(slot, row.namespace)).collect()
    }

    /// `None` for empty slots, and for weak references to what nothing else holds.
    fn slot_line(&self, slot: &Slot, namespace: bool) -> Option<String> {
        let target = slot.target?;
        self.layers.get(&target)?;
        let address = self.model.object(target).address;
        let (kind, name) = match &slot.label {
            Label::Named(kind, name) => (*kind, name.clone()),
            Label::At(kind, index) => (*kind, index.to_string()),
            Label::Value { index, key } => {
                let text = self.model.object(*key).text.as_deref();
                match text {
                    _ if namespace => (EdgeKind::Attribute, text.unwrap_or("?").to_string()),
                    Some(text) if self.options.values && text.len() <= 64 => {
                        (EdgeKind::NamedEntry, text.to_string())
                    }
                    _ => (EdgeKind::Entry, index.to_string()),
                }
            }
        };
        Some(edge_line(kind, &name, slot.sight == Sight::Guessed, address))
    }

    /// One line a named holder, frames among them.
    pub(crate) fn holder_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for holder in &self.model.holders {
            let root = holder.root.as_ref().map(|(kind, name)| format!("{kind:?} {name}"));
            let mut edges: Vec<String> =
                holder.slots.iter().filter_map(|slot| self.slot_line(slot, false)).collect();
            for (frame, title) in &holder.frames {
                let address = match *frame {
                    Frame::Holder(number) => self.model.holders[number].address,
                    Frame::Object(object) => self.model.object(object).address,
                };
                edges.push(edge_line(EdgeKind::Frame, title, false, address));
            }
            lines.push(holder_line(holder.kind, holder.address, root.as_deref(), edges));
        }
        lines
    }

    /// What native code holds, and through which words.
    pub(crate) fn native_lines(&self) -> Vec<String> {
        let native = |object: &Obj| self.layers.get(object) == Some(&Layer::Native);
        let address = |object: Obj| self.model.object(object).address;
        let mut lines: BTreeSet<String> = BTreeSet::new();
        let mut explained = BTreeSet::new();
        for (kind, name, target) in &self.unnamed {
            if native(target) {
                lines.insert(format!("{kind:?} {name}: {:#x}", address(*target)));
                explained.insert(*target);
            }
        }
        for &object in self.held.iter().filter(|object| !explained.contains(object)) {
            lines.insert(format!("{:?} : {:#x}", RootKind::NativeCode, address(object)));
        }
        lines.into_iter().collect()
    }

    /// The blocks of all objects that are found, and the small blocks that are nobody's.
    pub(crate) fn blocks(&self) -> BTreeMap<u64, (u64, bool)> {
        let rows = self.layers.keys().map(|&object| self.model.object(object));
        rows.flat_map(|row| &row.blocks)
            .map(|block| (block.start, (block.held, block.small)))
            .collect()
    }

    pub(crate) fn in_layer(&self, layer: Layer) -> Vec<Obj> {
        let members = self.layers.iter().filter(|&(_, &this)| this == layer);
        members.map(|(&object, _)| object).collect()
    }
}

/// Words of the interpreters, of static data, of C stacks and registers that lead to objects.
fn outside_words(
    model: &Model,
    process: &FakeProcess,
    by_address: &BTreeMap<u64, Obj>,
) -> Vec<(RootKind, String, Obj)> {
    let mut ranges = Vec::new();
    for &at in &model.interpreters {
        let range = at..at + model.interpreter_size;
        ranges.push((range, RootKind::InterpreterState, String::new()));
    }
    for region in &process.regions {
        if let RegionKind::Image(number) = region.kind {
            let name = process.images[number as usize].clone();
            ranges.push((region.start.0..region.end.0, RootKind::StaticData, name));
        }
    }
    let mut found = Vec::new();
    for thread in &process.threads {
        let name = thread.tid.to_string();
        let stack = thread.stack_pointer;
        let top =
            process.regions.iter().find(|region| region.start.0 <= stack && stack < region.end.0);
        let top = top.map_or(stack, |region| region.end.0);
        ranges.push((stack..top, RootKind::CStack, name.clone()));
        for register in &thread.registers {
            if let Some(&object) = by_address.get(register) {
                found.push((RootKind::CStack, name.clone(), object));
            }
        }
    }
    for (at, word) in process.words() {
        let Some(&object) = by_address.get(&word) else { continue };
        for (_, kind, name) in ranges.iter().filter(|(range, _, _)| range.contains(&at)) {
            found.push((*kind, name.clone(), object));
        }
    }
    found
}

/// How often each object is referred to.
fn count<'s>(slots: impl Iterator<Item = &'s Slot>) -> BTreeMap<Obj, u64> {
    let mut counts = BTreeMap::new();
    for slot in slots.filter(|slot| slot.is_counted()) {
        if let Some(target) = slot.target {
            *counts.entry(target).or_insert(0) += 1;
        }
    }
    counts
}

/// What is compared of an object.
struct Line<'a> {
    address: u64,
    type_name: &'a str,
    held: u64,
    requested: u64,
    tracked: bool,
    interpreter: bool,
    modelled: bool,
    layer: Layer,
}

impl Line<'_> {
    fn text(&self, mut edges: Vec<String>) -> String {
        edges.sort_unstable();
        let mut marks = String::new();
        for (set, mark) in [
            (self.tracked, " tracked"),
            (self.interpreter, " interpreter"),
            (self.modelled, " modelled"),
        ] {
            marks += if set { mark } else { "" };
        }
        format!(
            "{:#x} {} {}/{}{marks} {:?} [{}]",
            self.address,
            self.type_name,
            self.held,
            self.requested,
            self.layer,
            edges.join(", ")
        )
    }
}

fn edge_line(kind: EdgeKind, name: &str, conservative: bool, target: u64) -> String {
    let mark = if conservative { "?" } else { "" };
    format!("{kind:?} {name}{mark} → {target:#x}")
}

fn holder_line(kind: &str, address: u64, root: Option<&str>, mut edges: Vec<String>) -> String {
    edges.sort_unstable();
    format!("{kind} {address:#x} {} [{}]", root.unwrap_or("-"), edges.join(", "))
}

/// What a walk found, in the same words.
pub(crate) struct Found<'a>(pub(crate) &'a Heap);

impl Found<'_> {
    pub(crate) fn object_lines(&self) -> Vec<String> {
        self.0.object_ids().map(|node| self.object_line(node)).collect()
    }

    fn object_line(&self, node: NodeId) -> String {
        let nodes = &self.0.nodes;
        let flags = nodes.flags(node);
        let line = Line {
            address: nodes.address(node).0,
            type_name: self.0.type_name(node),
            held: nodes.held(node).0,
            requested: nodes.requested(node).0,
            tracked: flags.has(NodeFlags::TRACKED),
            interpreter: flags.has(NodeFlags::INTERPRETER),
            modelled: flags.has(NodeFlags::MODELLED),
            layer: flags.layer(),
        };
        line.text(self.edge_lines(node))
    }

    fn edge_lines(&self, node: NodeId) -> Vec<String> {
        let lines = self.0.edges.of(node).map(|edge| {
            let label = edge.label;
            let name = if label.kind().is_named() {
                self.0.names.get(label.name()).to_string()
            } else {
                label.payload().to_string()
            };
            let target = self.0.nodes.address(edge.target).0;
            edge_line(label.kind(), &name, label.is_conservative(), target)
        });
        lines.collect()
    }

    /// Interpreters, threads and frames.
    pub(crate) fn holder_lines(&self) -> Vec<String> {
        let pseudo = (2..self.0.first_object().0).map(NodeId);
        let named = pseudo.filter(|&node| self.0.type_name(node) != "<unnamed holder>");
        let lines = named.map(|node| {
            let root = self.0.roots.iter().find(|root| root.node == node);
            let root = root.map(|root| format!("{:?} {}", root.kind, self.0.names.get(root.name)));
            let (kind, address) = (self.0.type_name(node), self.0.nodes.address(node).0);
            holder_line(kind, address, root.as_deref(), self.edge_lines(node))
        });
        lines.collect()
    }

    /// Targets of the holders that have no name, by kind and name of their root.
    pub(crate) fn unnamed(&self) -> Vec<(RootKind, String, NodeId)> {
        let mut found = Vec::new();
        for root in &self.0.roots {
            if root.kind > RootKind::Immortal {
                let name = self.0.names.get(root.name);
                let edges = self.0.edges.of(root.node);
                found.extend(edges.map(|edge| (root.kind, name.to_string(), edge.target)));
            }
        }
        found
    }

    pub(crate) fn native_lines(&self) -> Vec<String> {
        let unnamed = self.unnamed().into_iter();
        let native = unnamed.filter(|&(kind, _, _)| kind != RootKind::Garbage);
        let lines: BTreeSet<String> = native
            .map(|(kind, name, node)| {
                format!("{kind:?} {name}: {:#x}", self.0.nodes.address(node).0)
            })
            .collect();
        lines.into_iter().collect()
    }

    /// Roots that are modules: their names and addresses.
    pub(crate) fn modules(&self) -> Vec<(String, u64)> {
        let modules = self.0.roots.iter().filter(|root| root.kind == RootKind::Module);
        let mut found: Vec<(String, u64)> = modules
            .map(|root| {
                (self.0.names.get(root.name).to_string(), self.0.nodes.address(root.node).0)
            })
            .collect();
        found.sort_unstable();
        found
    }
}
