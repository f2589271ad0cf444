//! Whole images, walked and compared object by object with what was written.

use std::collections::BTreeSet;

use deadweight_cpython::{WalkOptions, Walked};
use deadweight_heap::{GapKind, Layer, RootKind};
use proptest::prelude::*;

use crate::image::Image;
use crate::image::Placement;
use crate::image::memory::{Copying, FakeProcess};
use crate::image::model::{Model, Obj};
use crate::image::numbers::Python;
use crate::image::tour::tour;
use crate::oracle::{Blocks, Expected, Found, read};

/// Fails with the first lines that differ.
#[track_caller]
pub(crate) fn assert_same_lines(what: &str, found: &[String], expected: &[String]) {
    let (found, expected): (BTreeSet<_>, BTreeSet<_>) =
        (found.iter().collect(), expected.iter().collect());
    let list = |lines: BTreeSet<&&String>| {
        lines.iter().take(8).flat_map(|line| ["    ", line.as_str(), "\n"]).collect::<String>()
    };
    let surplus = list(found.difference(&expected).collect());
    let missing = list(expected.difference(&found).collect());
    assert!(
        surplus.is_empty() && missing.is_empty(),
        "{what}\n  found but not expected:\n{surplus}  expected but not found:\n{missing}"
    );
}

/// Walks an image and compares everything with the model of it.
#[track_caller]
pub(crate) fn check(process: &FakeProcess, model: &Model, options: WalkOptions<'_>) {
    let python = model.python.text();
    let expected = Expected::of(model, process, options);
    let (walked, blocks) = read(process, process, options);
    assert_eq!(walked.gaps, [], "{python}");
    compare(&walked, &blocks, model, &expected);
}

#[track_caller]
fn compare(walked: &Walked, blocks: &Blocks, model: &Model, expected: &Expected<'_>) {
    let python = model.python.text();
    let found = Found(&walked.heap);
    assert_same_lines(python, &found.object_lines(), &expected.object_lines());
    assert_same_lines(python, &found.holder_lines(), &expected.holder_lines());
    assert_same_lines(python, &found.native_lines(), &expected.native_lines());
    check_garbage(&found, expected);
    let mut modules: Vec<(String, u64)> = model
        .modules
        .iter()
        .map(|(name, module)| (name.clone(), model.object(*module).address))
        .collect();
    modules.sort_unstable();
    assert_eq!(found.modules(), modules, "{python}");
    assert_eq!(blocks.twice, Vec::<u64>::new(), "{python}");
    assert_eq!(blocks.owned, expected.blocks(), "{python}");
    check_books(walked, blocks, model);
}

/// Garbage needs no more entries than it has objects, and together they lead to all of it.
fn check_garbage(found: &Found<'_>, expected: &Expected<'_>) {
    let heap = found.0;
    let unnamed = found.unnamed();
    let entries = unnamed.iter().filter(|&&(kind, _, _)| kind == RootKind::Garbage);
    let mut seen: BTreeSet<_> = entries.map(|&(_, _, node)| node).collect();
    let mut pending: Vec<_> = seen.iter().copied().collect();
    while let Some(node) = pending.pop() {
        for edge in heap.edges.of(node) {
            let garbage = heap.nodes.flags(edge.target).layer() == Layer::Garbage;
            if garbage && edge.label.is_strong() && seen.insert(edge.target) {
                pending.push(edge.target);
            }
        }
    }
    assert_eq!(seen.len(), expected.in_layer(Layer::Garbage).len());
}

fn check_books(walked: &Walked, blocks: &Blocks, model: &Model) {
    let books = walked.pymalloc.expect("every image has arenas");
    let truth = model.books;
    let found = [
        books.arenas,
        books.used_block_count,
        books.used_blocks.0,
        books.free_blocks.0,
        books.free_pools.0,
        books.pool_headers.0,
        books.quantization.0,
        books.arena_alignment.0,
    ];
    let expected = [
        truth.arenas,
        truth.used_blocks,
        truth.used_bytes,
        truth.free_bytes,
        truth.free_pools,
        truth.headers,
        truth.quantization,
        truth.alignment,
    ];
    assert_eq!(found, expected, "{}", model.python.text());
    let small = blocks.owned.values().filter(|&&(_, small)| small);
    let owned: u64 = small.map(|&(held, _)| held).sum();
    let unowned: u64 = blocks.unowned.values().sum();
    assert_eq!((owned, owned + unowned), (books.owned_blocks.0, books.used_blocks.0));
}

fn toured(python: Python, placement: Placement) -> (FakeProcess, Model) {
    let mut image = Image::placed(python, placement);
    tour(&mut image);
    image.finish()
}

#[test]
fn every_version_and_placement_gives_back_the_graph_that_was_written() {
    for python in Python::ALL {
        for placement in [Placement::High, Placement::Low] {
            let (process, model) = toured(python, placement);
            check(&process, &model, WalkOptions::default());
        }
    }
}

#[test]
fn a_source_that_only_copies_gives_the_same_graph() {
    for python in Python::ALL {
        let (process, model) = toured(python, Placement::High);
        let options = WalkOptions::default();
        let (walked, blocks) = read(&Copying(&process), &process, options);
        compare(&walked, &blocks, &model, &Expected::of(&model, &process, options));
    }
}

#[test]
fn keys_that_were_kept_are_names() {
    for python in Python::ALL {
        let (process, model) = toured(python, Placement::High);
        check(&process, &model, WalkOptions { values: true, ..WalkOptions::default() });
    }
}

#[test]
fn a_running_collection_is_told() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        tour(&mut image);
        image.collecting();
        let (process, _) = image.finish();
        let (walked, _) = read(&process, &process, WalkOptions::default());
        let kinds: Vec<GapKind> = walked.gaps.iter().map(|gap| gap.kind).collect();
        assert_eq!(kinds, [GapKind::CollectorRunning], "{}", python.text());
    }
}

/// A container with so many places.
fn container(image: &mut Image, sort: u8, places: usize) -> Obj {
    match sort {
        0 => image.list_of(places, places + 3),
        1 => {
            // An entry without a value is no entry.
            let none = image.none();
            let entries: Vec<(Obj, Obj)> =
                (0..places).map(|number| (image.str(&format!("key {number}")), none)).collect();
            image.dict(&entries)
        }
        2 => image.empty_cell(),
        3 => {
            let class = image.slotted("app", "Pair", &["left", "right"]);
            image.slotted_instance(class, &[("left", None), ("right", None)])
        }
        _ => image.list_of(places, places),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Any containers, linked anyhow: some of them named, some held by native code, some garbage.
    #[test]
    fn random_graphs_are_given_back(
        python in prop::sample::select(&Python::ALL[..]),
        sorts in prop::collection::vec((0_u8..5, 1_usize..6, 0_u8..8), 1..30),
        links in prop::collection::vec(any::<[prop::sample::Index; 3]>(), 0..80),
    ) {
        let mut image = Image::new(python);
        let objects: Vec<Obj> =
            sorts.iter().map(|&(sort, places, _)| container(&mut image, sort, places)).collect();
        let mut filled = BTreeSet::new();
        let mut held = BTreeSet::new();
        for [from, place, to] in links {
            let (from, to) = (from.index(objects.len()), to.index(objects.len()));
            let places = image.places(objects[from]);
            if places > 0 && filled.insert((from, place.index(places))) {
                image.put(objects[from], place.index(places), objects[to]);
                held.insert(to);
            }
        }
        let mut named = Vec::new();
        for (index, (&object, &(.., fate))) in objects.iter().zip(&sorts).enumerate() {
            match fate {
                0 => named.push(object),
                1 => image.static_word(object),
                2 => image.native_holder(&[object]),
                // What nobody holds is dead, and in no list of the collector.
                _ if !held.contains(&index) => image.hold_outside(object),
                _ => {}
            }
        }
        let contents = image.list(&named);
        image.module("app", &[("contents", contents)]);
        let (process, model) = image.finish();
        check(&process, &model, WalkOptions::default());
    }
}
