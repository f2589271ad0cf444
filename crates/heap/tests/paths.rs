//! Defends which path `why` takes: the shortest from the best ground.

mod heaps;

use deadweight_heap::path::ShownPath;
use deadweight_heap::{
    Dominators, Edge, EdgeKind, Heap, Label, Layer, NodeId, RootKind, ShortestPaths, merged_paths,
};
use heaps::{Plan, PlanLabel, any_plan, attribute, item, object, pseudo};
use proptest::prelude::*;

/// Distances from the roots of some kinds by some references, by relaxing until nothing changes.
fn distances(
    heap: &Heap,
    roots: impl Fn(RootKind) -> bool,
    admits: impl Fn(Label) -> bool,
    start: Vec<Option<usize>>,
) -> Vec<Option<usize>> {
    let mut distances = start;
    for edge in heap.edges.of(Heap::ROOT) {
        let kind = heap.root(edge.label.payload()).map(|root| root.kind);
        if kind.is_some_and(&roots) && distances[edge.target.index()].is_none() {
            distances[edge.target.index()] = Some(1);
        }
    }
    let fixed: Vec<bool> = distances.iter().map(Option::is_some).collect();
    loop {
        let mut changed = false;
        for source in heap.nodes.ids().skip(1) {
            let Some(distance) = distances[source.index()] else { continue };
            for edge in heap.edges.of(source) {
                let known = &mut distances[edge.target.index()];
                let shorter = known.is_none_or(|known| known > distance + 1);
                let better = shorter && !(fixed[edge.target.index()] && known.is_some());
                if edge.label.is_strong()
                    && admits(edge.label)
                    && better
                    && edge.target != Heap::ROOT
                {
                    *known = Some(distance + 1);
                    changed = true;
                }
            }
        }
        if !changed {
            return distances;
        }
    }
}

/// The length of the path each node should have.
fn expected_lengths(heap: &Heap) -> Vec<Option<usize>> {
    let none = vec![None; heap.nodes.len()];
    let lasts = |label: Label| !label.is_conservative() && label.kind() != EdgeKind::Stack;
    let strict = distances(heap, RootKind::is_named, lasts, none);
    let named = distances(heap, RootKind::is_named, |_| true, strict);
    let unnamed = distances(heap, |kind| kind != RootKind::Garbage, |_| true, named);
    distances(heap, |_| true, |_| true, unnamed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn paths_are_real_and_as_short_as_their_ground_allows(plan in any_plan()) {
        let heap = plan.build();
        let paths = ShortestPaths::of(&heap);
        let expected = expected_lengths(&heap);
        for node in heap.nodes.ids() {
            let path = paths.path_to(&heap, node);
            prop_assert_eq!((!path.is_empty()).then_some(path.len()), expected[node.index()]);
            let mut source = Heap::ROOT;
            for step in &path {
                let is_step =
                    |edge: Edge| edge.label == step.label && edge.target == step.node;
                prop_assert!(step.label.is_strong() && heap.edges.of(source).any(is_step));
                source = step.node;
            }
            prop_assert!(path.is_empty() || source == node);
        }
    }

}

#[test]
fn what_lasts_is_named_before_a_temporary() {
    let mut plan = Plan::new();
    let [thread, frame, module, cache, user] =
        ["thread", "frame", "module", "dict", "app.User"].map(|name| plan.add(object(name, 48)));
    plan.root(RootKind::Thread, "7", thread);
    plan.link(thread, frame, attribute("main"));
    plan.link(frame, user, PlanLabel::At(EdgeKind::Stack, 2));
    plan.root(RootKind::Module, "app", module);
    plan.link(module, cache, attribute("cache"));
    plan.link(cache, user, attribute("first"));
    let heap = plan.build();
    let paths = ShortestPaths::of(&heap);
    let path = paths.path_to(&heap, NodeId::from(user));
    let nodes: Vec<NodeId> = path.iter().map(|step| step.node).collect();
    assert_eq!(nodes, [module, cache, user].map(NodeId::from));
}

#[test]
fn a_named_strict_path_wins_over_shorter_ones_without_a_name() {
    let mut plan = Plan::new();
    let stack = plan.add(pseudo());
    plan.root(RootKind::CStack, "7", stack);
    let module = plan.add(object("module", 64));
    plan.root(RootKind::Module, "app", module);
    let (outer, inner) = (plan.add(object("list", 64)), plan.add(object("list", 64)));
    plan.link(stack, inner, PlanLabel::At(EdgeKind::Native, 16));
    plan.edges.push((module, inner, PlanLabel::At(EdgeKind::Field, 16), true));
    plan.link(module, outer, attribute("outer"));
    plan.link(outer, inner, item(3));
    let heap = plan.build();
    let path = ShortestPaths::of(&heap).path_to(&heap, NodeId::from(inner));
    assert_eq!(ShownPath::of(&heap, &path).to_string(), "app.outer[3]");
}

#[test]
fn of_equally_short_paths_that_of_the_earlier_root_wins() {
    let mut plan = Plan::new();
    let modules: Vec<usize> = (0..9).map(|_| plan.add(object("module", 8))).collect();
    let shared = plan.add(object("list", 8));
    for (number, &module) in modules.iter().enumerate() {
        plan.root(RootKind::Module, &format!("m{number}"), modules[8 - number]);
        plan.link(module, shared, attribute("shared"));
    }
    let heap = plan.build();
    let path = ShortestPaths::of(&heap).path_to(&heap, NodeId::from(shared));
    assert_eq!(ShownPath::of(&heap, &path).to_string(), "m0.shared");
}

#[test]
fn nothing_leads_to_what_nothing_reaches() {
    let mut plan = Plan::new();
    let node = plan.add(heaps::PlanNode { layer: Layer::Garbage, ..object("list", 8) });
    let heap = plan.build();
    let paths = ShortestPaths::of(&heap);
    assert_eq!(paths.path_to(&heap, NodeId::from(node)), []);
    let merged = merged_paths(&heap, &paths, &Dominators::of(&heap), &[NodeId::from(node)], 1);
    assert_eq!((merged[0].count, merged[0].steps.len()), (1, 0));
}
