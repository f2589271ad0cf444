//! Cycles, against an oracle that asks of every two objects whether each leads to the other.

mod heaps;

use std::collections::{BTreeMap, BTreeSet};

use deadweight_heap::{
    Bytes, CycleRow, FullCollection, Gone, Heap, Layer, NodeFlags, NodeId, TypeId, cycles,
};
use proptest::collection::vec;
use proptest::prelude::*;

use heaps::{Plan, PlanNode, any_plan, attribute, item, object};

type Key = (bool, Vec<TypeId>);
type Row = (u64, u64, Bytes, Option<Gone>);

fn is_garbage(heap: &Heap, node: NodeId) -> bool {
    heap.nodes.flags(node).layer() == Layer::Garbage
}

fn oracle(heap: &Heap) -> BTreeMap<Key, Row> {
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
    let mut rows: BTreeMap<Key, Row> = BTreeMap::new();
    let mut waiting: BTreeMap<NodeId, Key> = BTreeMap::new();
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
        let garbage = members.iter().all(|&one| is_garbage(heap, one));
        let types: BTreeSet<TypeId> = members.iter().map(|&one| heap.nodes.type_of(one)).collect();
        let key: Key = (garbage, types.into_iter().collect());
        if garbage {
            waiting.extend(members.iter().map(|&one| (one, key.clone())));
        }
        let row = rows.entry(key).or_default();
        row.0 += 1;
        row.1 += members.len() as u64;
        row.2 += members.iter().map(|&one| heap.nodes.held(one)).sum();
    }
    // Whose cycles lead to each object of the garbage, on ways through no other cycle of it.
    let mut led_to: BTreeMap<NodeId, BTreeSet<&Key>> = BTreeMap::new();
    for (&member, key) in &waiting {
        led_to.entry(member).or_default().insert(key);
        let (mut pending, mut seen) = (vec![member], BTreeSet::new());
        while let Some(node) = pending.pop() {
            for edge in heap.edges.of(node) {
                let firm = edge.label.is_strong() && !edge.label.is_conservative();
                let is_kept = is_garbage(heap, edge.target) && !waiting.contains_key(&edge.target);
                if firm && is_kept && seen.insert(edge.target) {
                    led_to.entry(edge.target).or_default().insert(key);
                    pending.push(edge.target);
                }
            }
        }
    }
    for (key, row) in rows.iter_mut().filter(|(key, _)| key.0) {
        let mut gone = Gone::default();
        for (&node, _) in led_to.iter().filter(|(_, keys)| keys.iter().eq([&key])) {
            gone.objects += 1;
            gone.tracked += u64::from(tracked(node));
            gone.held += heap.nodes.held(node);
        }
        row.3 = Some(gone);
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
        let told = |row: &CycleRow| (row.cycles, row.objects, row.held, row.retained);
        let rows: BTreeMap<Key, Row> = found.iter().map(|row| (key(row), told(row))).collect();
        prop_assert_eq!(rows.len(), found.len());
        prop_assert_eq!(rows, oracle(&heap));
        for row in &found {
            prop_assert_eq!(row.types.iter().map(|&(_, count)| count).sum::<u64>(), row.objects);
        }
    }
}

/// What two rows of cycles keep together is in what a collection frees, and in neither row.
#[test]
fn what_goes_with_cycles_is_told_with_them() {
    let mut plan = Plan::new();
    let garbage = |type_name, held| PlanNode { layer: Layer::Garbage, ..object(type_name, held) };
    let ring = plan.add(garbage("app.Ring", 64));
    let other = plan.add(garbage("app.Other", 64));
    let own = plan.add(garbage("dict", 100));
    let text = plan.add(PlanNode { is_tracked: false, ..garbage("str", 50) });
    let common = plan.add(garbage("list", 30));
    let below = plan.add(garbage("list", 7));
    let alive = plan.add(object("list", 1000));
    for (source, target) in [
        (ring, ring),
        (other, other),
        (ring, own),
        (own, text),
        (ring, common),
        (other, common),
        (common, below),
        (text, alive),
    ] {
        plan.link(source, target, attribute("next"));
    }
    let heap = plan.build();
    let retained: Vec<_> = cycles(&heap).iter().filter_map(|row| row.retained).collect();
    let gone = |objects, tracked, held| Gone { objects, tracked, held: Bytes(held) };
    assert_eq!(retained, [gone(3, 2, 214), gone(1, 1, 64)]);
    assert_eq!(Gone::whole(&heap), gone(6, 5, 315));
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
