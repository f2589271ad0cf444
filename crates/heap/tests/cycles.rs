//! Cycles, against an oracle that asks of every two objects whether each leads to the other.

mod heaps;

use std::collections::{BTreeMap, BTreeSet};

use deadweight_heap::{
    Bytes, CycleRow, FullCollection, Heap, Layer, NodeFlags, NodeId, TypeId, cycles,
};
use proptest::collection::vec;
use proptest::prelude::*;

use heaps::{Plan, any_plan, attribute, item, object};

type Key = (bool, Vec<TypeId>);

fn oracle(heap: &Heap) -> BTreeMap<Key, (u64, u64, Bytes)> {
    let tracked = |node: NodeId| heap.nodes.flags(node).has(NodeFlags::TRACKED);
    let objects: Vec<NodeId> = heap.object_ids().filter(|&node| tracked(node)).collect();
    let reached = |from: NodeId| {
        let mut seen = BTreeSet::new();
        let mut pending = vec![from];
        while let Some(node) = pending.pop() {
            for edge in heap.edges.of(node) {
                let firm = edge.label.is_strong() && !edge.label.is_conservative();
                if firm && tracked(edge.target) && seen.insert(edge.target) {
                    pending.push(edge.target);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<NodeId, BTreeSet<NodeId>> =
        objects.iter().map(|&node| (node, reached(node))).collect();
    let mut rows: BTreeMap<Key, (u64, u64, Bytes)> = BTreeMap::new();
    let mut done = BTreeSet::new();
    for node in objects.iter().filter(|node| reached[node].contains(node)) {
        let members: Vec<NodeId> = objects
            .iter()
            .filter(|other| reached[node].contains(other) && reached[other].contains(node))
            .copied()
            .collect();
        if !done.insert(members[0]) {
            continue;
        }
        let garbage = members.iter().all(|&one| heap.nodes.flags(one).layer() == Layer::Garbage);
        let types: BTreeSet<TypeId> = members.iter().map(|&one| heap.nodes.type_of(one)).collect();
        let row = rows.entry((garbage, types.into_iter().collect())).or_default();
        row.0 += 1;
        row.1 += members.len() as u64;
        row.2 += members.iter().map(|&one| heap.nodes.held(one)).sum();
    }
    rows
}

fn key(row: &CycleRow) -> Key {
    let types: BTreeSet<TypeId> = row.types.iter().map(|&(id, _)| id).collect();
    (row.garbage, types.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn cycles_are_those_an_oracle_finds(
        mut plan in any_plan(),
        tracked in vec(prop::bool::weighted(0.9), 40),
    ) {
        for (node, is_tracked) in plan.nodes.iter_mut().zip(tracked) {
            node.is_tracked = is_tracked;
        }
        let heap = plan.build();
        let found = cycles(&heap);
        let rows: BTreeMap<Key, (u64, u64, Bytes)> =
            found.iter().map(|row| (key(row), (row.cycles, row.objects, row.held))).collect();
        prop_assert_eq!(rows.len(), found.len());
        prop_assert_eq!(rows, oracle(&heap));
        for row in &found {
            prop_assert_eq!(row.types.iter().map(|&(_, count)| count).sum::<u64>(), row.objects);
        }
    }
}

/// No stack overflows on the longest chain there is.
#[test]
fn one_long_ring_is_one_cycle() {
    let mut plan = Plan::new();
    let first = plan.add(object("app.Node", 64));
    let last = (1..300_000).fold(first, |before, _| {
        let next = plan.add(object("app.Node", 64));
        plan.link(before, next, attribute("next"));
        next
    });
    plan.link(last, first, attribute("next"));
    let rows = cycles(&plan.build());
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].cycles, rows[0].objects), (1, 300_000));
}

#[test]
fn what_is_frozen_is_no_work() {
    let mut plan = Plan::new();
    let list = plan.add(object("list", 64));
    for number in 0..9 {
        let node = plan.add(object("app.Node", 64));
        plan.link(list, node, item(number));
    }
    let heap = plan.build();
    let whole = FullCollection::of(&heap, &[], 0);
    assert_eq!((whole.objects, whole.references, whole.held), (10, 9, Bytes(640)));
    assert_eq!(FullCollection::of(&heap, &[], 10), FullCollection::default());
    assert_eq!(FullCollection::of(&heap, &[], 11).objects, 0, "more than there are is damage");
    let half = FullCollection::of(&heap, &[], 5);
    assert_eq!((half.objects, half.references, half.held), (5, 4, Bytes(320)));
    assert!(half.micros("3.12.1") <= whole.micros("3.12.1"));
}

/// The same objects and references, but the lists lead back and forth.
#[test]
fn a_list_in_another_order_than_that_of_memory_is_more_work() {
    let mut plan = Plan::new();
    let first = plan.add(object("app.Node", 64));
    (1..200_000).fold(first, |before, _| {
        let next = plan.add(object("app.Node", 64));
        plan.link(before, next, attribute("next"));
        next
    });
    let heap = plan.build();
    let sorted: Vec<NodeId> = heap.object_ids().collect();
    let count = sorted.len();
    // A prime that does not divide their number leads to each of them once.
    let scattered: Vec<NodeId> = (0..count).map(|row| sorted[row * 7919 % count]).collect();
    let by_address = FullCollection::of(&heap, &sorted, 0);
    assert_eq!(
        FullCollection::of(&heap, &[], 0),
        by_address,
        "what is assumed of lists that are not known"
    );
    let jumping = FullCollection::of(&heap, &scattered, 0);
    assert_eq!((jumping.objects, jumping.references), (by_address.objects, by_address.references));
    assert!(by_address.steps.far < count as u64 / 100, "{by_address:?}");
    assert!(jumping.steps.far > count as u64 / 2, "{jumping:?}");
    assert!(jumping.micros("3.12.1") > 2 * by_address.micros("3.12.1"), "{jumping:?}");
    let part = FullCollection::of(&heap, &sorted[..1000], 5);
    assert_eq!(part.objects, 1000, "lists leave out what is frozen");
}
