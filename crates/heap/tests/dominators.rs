//! Defends retained sizes: the tree must say exactly what deleting a node would free, and must stay
//! linear on the shapes that defeat simpler algorithms.

mod heaps;

use deadweight_heap::{Bytes, Dominators, EdgeKind, Heap, Layer, NodeId, RootKind};
use heaps::{
    Plan, PlanLabel, any_plan, attribute, counted_references, item, object, pseudo, reached,
};
use proptest::prelude::*;

/// For each node the set of nodes that deleting it would free, itself included.
fn freed_with_each(heap: &Heap) -> Vec<Vec<bool>> {
    let references = counted_references(heap);
    let all = reached(&references, None);
    heap.nodes
        .ids()
        .map(|node| {
            let left = match node {
                Heap::ROOT => vec![false; all.len()],
                node => reached(&references, Some(node)),
            };
            let freed = |id: NodeId| {
                let (was, is) = (all[id.index()], left[id.index()]);
                // What nothing reaches hangs from the super root and frees only itself.
                if was { !is } else { id == node || node == Heap::ROOT }
            };
            heap.nodes.ids().map(freed).collect()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_node_retains_what_deleting_it_frees(plan in any_plan()) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let freed = freed_with_each(&heap);
        for node in heap.nodes.ids() {
            let held = |id: &NodeId| heap.nodes.held(*id);
            let expected: Vec<NodeId> =
                heap.nodes.ids().filter(|id| freed[node.index()][id.index()]).collect();
            let mut subtree = dominators.subtree(node).to_vec();
            subtree.sort_unstable();
            prop_assert_eq!(&subtree, &expected, "{:?} of {:?}", node, &heap.edges);
            prop_assert_eq!(dominators.retained(node), expected.iter().map(held).sum::<Bytes>());
            for &other in &expected {
                prop_assert!(dominators.dominates(node, other));
            }
            // The immediate dominator frees the node, and no other dominator frees less.
            let idom = dominators.idom(node);
            if node != Heap::ROOT {
                prop_assert!(idom != node && freed[idom.index()][node.index()]);
                let size = |id: NodeId| freed[id.index()].iter().filter(|&&gone| gone).count();
                let others = heap.nodes.ids().filter(|id| freed[id.index()][node.index()]);
                let least = others.filter(|&id| id != node).map(size).min();
                prop_assert_eq!(Some(size(idom)), least);
                prop_assert!(dominators.children(idom).any(|child| child == node));
            }
        }
        let children: usize = heap.nodes.ids().map(|id| dominators.children(id).count()).sum();
        prop_assert_eq!(children, heap.nodes.len() - 1);
    }

    #[test]
    fn a_union_counts_what_is_nested_once(
        plan in any_plan(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let freed = freed_with_each(&heap);
        let pick = |pick: &prop::sample::Index| NodeId::from(pick.index(heap.nodes.len()));
        let picked: Vec<NodeId> = picks.iter().map(pick).collect();
        let is_gone = |id: &NodeId| picked.iter().any(|node| freed[node.index()][id.index()]);
        let gone = heap.nodes.ids().filter(is_gone);
        let expected: Bytes = gone.map(|id| heap.nodes.held(id)).sum();
        prop_assert_eq!(dominators.retained_by_all(&picked), expected);
    }
}

const LONG: usize = 1_000_000;

/// `app` holds the first of a million nodes, each holds the next; `back` links both ways.
fn linked_list(back: bool) -> Plan {
    let mut plan = Plan::new();
    let first = plan.nodes.len();
    for _ in 0..LONG {
        plan.add(object("app.Node", 16));
    }
    for node in first..first + LONG - 1 {
        plan.link(node, node + 1, attribute("next"));
        if back {
            plan.link(node + 1, node, attribute("previous"));
        }
    }
    plan.root(RootKind::Module, "app", first);
    plan
}

#[test]
fn a_million_linked_nodes_retain_what_comes_after_them() {
    for back in [false, true] {
        let heap = linked_list(back).build();
        let dominators = Dominators::of(&heap);
        for steps in [0, 1, LONG / 2, LONG - 1] {
            let node = NodeId::from(1 + steps);
            assert_eq!(dominators.retained(node), Bytes(16 * (LONG - steps) as u64));
            assert_eq!(dominators.idom(node), NodeId::from(steps));
        }
    }
}

#[test]
fn a_doubly_linked_list_rooted_at_both_ends_retains_nothing_inside() {
    let mut plan = linked_list(true);
    plan.root(RootKind::Module, "tail", LONG);
    let heap = plan.build();
    let dominators = Dominators::of(&heap);
    for node in [1, 2, LONG / 2, LONG] {
        assert_eq!(dominators.idom(NodeId::from(node)), Heap::ROOT);
        assert_eq!(dominators.retained(NodeId::from(node)), Bytes(16));
    }
}

/// Each of many items hangs both from the end of a long list and from somewhere near the root: an
/// algorithm that climbs the tree from the end for each of them is quadratic.
#[test]
fn many_shared_items_at_the_end_of_a_long_list_stay_linear() {
    let items = LONG / 4;
    let mut plan = linked_list(false);
    let registry = plan.add(object("list", 16));
    plan.root(RootKind::Module, "registry", registry);
    for index in 0..items {
        let (shared, below) = (plan.add(object("list", 16)), plan.add(object("str", 16)));
        plan.link(LONG, shared, item(index as u64));
        plan.link(registry, shared, item(index as u64));
        plan.link(shared, below, item(0));
    }
    let heap = plan.build();
    let dominators = Dominators::of(&heap);
    assert_eq!(dominators.children(Heap::ROOT).count(), 2 + items);
    assert_eq!(dominators.retained(NodeId::from(LONG)), Bytes(16));
    assert_eq!(dominators.retained(NodeId::from(heap.nodes.len() - 2)), Bytes(32));
}

#[test]
fn native_code_adopts_only_what_no_name_reaches() {
    let mut plan = Plan::new();
    let stack = plan.add(pseudo());
    plan.root(RootKind::CStack, "7", stack);
    let native = |held| heaps::PlanNode { layer: Layer::Native, ..object("list", held) };
    let (app, shared, lone) =
        (plan.add(object("module", 8)), plan.add(object("list", 16)), plan.add(native(32)));
    plan.root(RootKind::Module, "app", app);
    plan.link(app, shared, attribute("shared"));
    plan.edges.push((stack, shared, PlanLabel::At(EdgeKind::Native, 0), true));
    plan.edges.push((stack, lone, PlanLabel::At(EdgeKind::Native, 8), true));
    plan.link(lone, shared, item(0));
    let heap = plan.build();
    let dominators = Dominators::of(&heap);
    assert_eq!(dominators.retained(NodeId::from(app)), Bytes(24));
    assert_eq!(dominators.retained(NodeId::from(stack)), Bytes(32));
}
