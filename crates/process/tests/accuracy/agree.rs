//! Every interpreter, all scenarios at once: every object, every reference, every size.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::process::Command;

use deadweight_heap::{Addr, Capture, Dominators, GapKind, NodeId};
use deadweight_process::{LiveCopy, Memory, ReadOptions, decode, decode_visible};

use crate::interpreters::Interpreter;
use crate::subject::Subject;
use crate::truth::{Seen, Truth};
use crate::{facts, interpreters, scenarios};

/// How often something differed, and an example.
#[derive(Default)]
pub(crate) struct Differences(BTreeMap<String, (u64, String)>);

impl Differences {
    fn add(&mut self, what: String, example: impl FnOnce() -> String) {
        let row = self.0.entry(what).or_insert_with(|| (0, example()));
        row.0 += 1;
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0
            .iter()
            .map(|(what, (count, example))| format!("{count} × {what}: {example}"))
            .collect()
    }
}

/// What is compared: an interpreter as it sees itself, and as it is read.
pub(crate) struct Reading {
    pub(crate) truth: Truth,
    copy: LiveCopy,
    pub(crate) visible: Capture,
    pub(crate) full: Capture,
}

impl Reading {
    pub(crate) fn of(subject: Subject) -> Reading {
        let copy = subject.copy();
        let visible = decode_visible(&copy, &subject.truth.seeds).unwrap();
        let full = decode(&copy, &ReadOptions::default()).unwrap();
        Reading { truth: subject.finish(), copy, visible, full }
    }

    /// What a visible walk and the interpreter's own say differently.
    pub(crate) fn differences(&self) -> Vec<String> {
        let mut found = Differences::default();
        let (truth, provenance) = (&self.truth, &self.visible.provenance);
        let tracked = provenance.tracked - provenance.permanent;
        let there = truth.tracked;
        if tracked != there {
            found.add("len(gc.get_objects())".into(), || format!("{there} there, {tracked} here"));
        }
        if provenance.permanent != truth.frozen {
            found.add("gc.get_freeze_count()".into(), || {
                format!("{} there, {} here", truth.frozen, provenance.permanent)
            });
        }
        self.objects(&mut found);
        self.columns(&mut found);
        found.lines()
    }

    /// An object with a reference count of 0 is on a free list. 3.12's `_asyncio` visits such objects.
    fn is_alive(&self, seen: &Seen) -> bool {
        self.copy.word(Addr(seen.address)).is_some_and(|word| word as u32 != 0)
    }
    /// One by one: where it is, what it is, what it refers to.
    fn objects(&self, found: &mut Differences) {
        let heap = &self.visible.heap;
        let mut theirs: HashSet<u64> = HashSet::new();
        let name = |node: NodeId| heap.type_name(node).to_owned();
        for seen in self.truth.objects.iter().filter(|seen| self.is_alive(seen)) {
            theirs.insert(seen.address);
            let Some(node) = heap.nodes.at(Addr(seen.address)) else {
                let kind = heap.types.iter().find(|(_, row)| row.address.0 == seen.type_address);
                let kind = kind.map_or("?", |(_, row)| heap.names.get(row.name));
                found.add(format!("{kind}: not found"), || format!("{:#x}", seen.address));
                continue;
            };
            let row = heap.types.get(heap.nodes.type_of(node));
            if row.address.0 != seen.type_address {
                found.add(format!("{}: of another type", name(node)), || {
                    format!("{:#x}", seen.address)
                });
            }
            let ours: BTreeSet<u64> = heap
                .edges
                .of(node)
                .filter(|edge| edge.label.is_strong())
                .map(|edge| heap.nodes.address(edge.target).0)
                .collect();
            let there: BTreeSet<u64> = seen.referents.iter().copied().collect();
            let is_opaque = ["module", "PyCapsule"].contains(&heap.type_name(node));
            let describe = |target: u64| {
                let kind = heap.nodes.at(Addr(target)).map_or("?".to_owned(), name);
                format!("{:#x} → {target:#x} {kind}", seen.address)
            };
            // What their traverse functions visit of C memory was given to us.
            for &target in there.difference(&ours).filter(|_| !is_opaque) {
                found.add(format!("{}: lacks a reference", name(node)), || describe(target));
            }
            for &target in ours.difference(&there) {
                found.add(format!("{}: a reference too many", name(node)), || describe(target));
            }
        }
        for node in heap.object_ids() {
            let address = heap.nodes.address(node);
            if !theirs.contains(&address.0) {
                found.add(format!("{}: not seen by the collector", name(node)), || {
                    // What it is in letters, if it is a text.
                    let bytes: [u8; 128] = self.copy.array(address).unwrap_or([0; 128]);
                    format!("{address} {}", bytes.escape_ascii())
                });
            }
        }
    }

    /// Type by type: how many, what `sys.getsizeof` says of them all, and the type's own numbers.
    fn columns(&self, found: &mut Differences) {
        let (truth, heap) = (&self.truth, &self.visible.heap);
        let mut there: HashMap<u64, (u64, u64)> = HashMap::new();
        for seen in truth.objects.iter().filter(|seen| self.is_alive(seen)) {
            let row = there.entry(seen.type_address).or_default();
            row.0 += 1;
            row.1 += seen.getsizeof;
        }
        let mut counts = vec![0_u64; heap.types.len()];
        for node in heap.object_ids() {
            counts[heap.nodes.type_of(node).index()] += 1;
        }
        for (id, row) in heap.types.iter() {
            let name = heap.names.get(row.name);
            let (count, getsizeof) = there.get(&row.address.0).copied().unwrap_or_default();
            let ours = (counts[id.index()], row.getsizeof.0);
            if counts[id.index()] > 0 && ours != (count, getsizeof) {
                found.add(format!("{name}: count and sys.getsizeof"), || {
                    format!("{:?} there, {ours:?} here", (count, getsizeof))
                });
            }
            if let Some(layout) = truth.layouts.get(&row.address.0) {
                let ours = [i64::from(row.basic_size), i64::from(row.item_size)];
                if *layout != ours {
                    found.add(format!("{name}: __basicsize__, __itemsize__"), || {
                        format!("{layout:?} there, {ours:?} here")
                    });
                }
            }
        }
    }
}

/// The books of the small-block allocator, against `sys._debugmallocstats()`.
fn allocator(Reading { truth, full, .. }: &Reading) -> Vec<String> {
    let Some(books) = full.account.pymalloc else { return vec!["no books of pymalloc".into()] };
    let rows = [
        ("# arenas allocated current", books.arenas),
        ("# bytes in allocated blocks", books.used_blocks.0),
        ("# bytes in available blocks", books.free_blocks.0),
        ("# bytes lost to pool headers", books.pool_headers.0),
        ("# bytes lost to quantization", books.quantization.0),
        ("# bytes lost to arena alignment", books.arena_alignment.0),
    ];
    let mut wrong: Vec<String> = rows
        .iter()
        .filter_map(|&(name, here)| {
            let there = truth.allocator_total(name);
            (there != Some(here)).then(|| format!("{name}: {there:?} there, {here} here"))
        })
        .collect();
    let pools = truth.allocator.lines().find(|line| line.contains("unused pools"));
    let pools = pools
        .and_then(|line| line.rsplit('=').next())
        .map(|text| text.chars().filter(char::is_ascii_digit).collect::<String>());
    if pools.as_deref() != Some(&books.free_pools.0.to_string()) {
        wrong.push(format!("unused pools: {pools:?} there, {} here", books.free_pools.0));
    }
    wrong
}

/// Runs every interpreter, and fails with everything that any of them has against us.
fn on_every_interpreter(check: impl Fn(&Interpreter) -> Vec<String>) {
    let mut failures = Vec::new();
    for interpreter in interpreters::all() {
        let wrong = check(&interpreter);
        println!("{}: {} differences", interpreter.version, wrong.len());
        failures.extend(wrong.into_iter().map(|line| format!("{}: {line}", interpreter.version)));
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_interpreter_is_read_as_it_sees_itself() {
    let all = scenarios::all();
    on_every_interpreter(|interpreter| {
        let run = scenarios::together(&all, interpreter.minor());
        let names: Vec<&str> = run.iter().map(|scenario| scenario.name.as_str()).collect();
        let reading = Reading::of(Subject::start(&interpreter.path, &names));
        let mut wrong = reading.differences();
        let heap = &reading.full.heap;
        wrong.extend(facts::broken(heap, &Dominators::of(heap), &run, interpreter.minor()));
        wrong
    });
}

#[test]
fn frozen_objects_are_the_permanent_generation() {
    on_every_interpreter(|interpreter| {
        let names = ["--freeze", "plain_instances", "functions"];
        let reading = Reading::of(Subject::start(&interpreter.path, &names));
        assert!(reading.truth.frozen > 1000, "{} are frozen", reading.truth.frozen);
        let mut wrong = reading.differences();
        wrong.extend(allocator(&reading));
        wrong
    });
}

/// With other allocators the objects are the same, and what is not known is said.
#[test]
fn other_allocators_are_read_right_or_the_gap_is_said() {
    on_every_interpreter(|interpreter| {
        let hooked = Some(GapKind::DebugAllocator);
        let ways: [(&str, &[&str], Option<GapKind>); 4] = [
            ("pymalloc", &[], None),
            ("malloc", &[], Some(GapKind::NoArenas)),
            ("debug", &[], hooked),
            ("", &["-X", "dev"], hooked),
        ];
        let mut wrong = Vec::new();
        for (allocator, options, gap) in ways {
            let mut command = Command::new(&interpreter.path);
            command.args(options).env("PYTHONMALLOC", allocator);
            let names = ["plain_instances", "dict_kinds", "containers", "functions"];
            let reading = Reading::of(Subject::start_with(&mut command, &names));
            let way = format!("PYTHONMALLOC={allocator} {options:?}");
            wrong.extend(reading.differences().into_iter().map(|line| format!("{way}: {line}")));
            let kinds: Vec<GapKind> = reading.full.gaps.iter().map(|gap| gap.kind).collect();
            if kinds != Vec::from_iter(gap) {
                wrong.push(format!("{way}: gaps {:?}", reading.full.gaps));
            }
        }
        wrong
    });
}
