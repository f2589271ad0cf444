//! Defends how paths merge: those that differ in an index alone, and steps that come again and again.

mod heaps;

use std::collections::HashMap;

use deadweight_heap::path::{ShownPath, resolve};
use deadweight_heap::{
    Dominators, EdgeKind, Heap, MergedPath, NodeId, RootKind, ShortestPaths, Step, merged_paths,
};
use heaps::{Plan, PlanLabel, any_plan, attribute, counted_references, item, object, reached};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn merged_paths_are_the_paths_that_differ_in_an_index_alone(
        plan in any_plan(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let heap = plan.build();
        let pick = |pick: &prop::sample::Index| NodeId::from(pick.index(heap.nodes.len()));
        assert_merged(&heap, &picks.iter().map(pick).collect::<Vec<_>>())?;
    }

    #[test]
    fn steps_that_come_again_and_again_are_merged(names in prop::collection::vec(0_usize..3, 0..60)) {
        let mut plan = Plan::new();
        let mut node = plan.add(object("app.Node", 8));
        plan.root(RootKind::Module, "app", node);
        for name in names {
            let next = plan.add(object("app.Node", 8));
            plan.link(node, next, attribute(["a", "b", "c"][name]));
            node = next;
        }
        let heap = plan.build();
        assert_merged(&heap, &heap.object_ids().collect::<Vec<_>>())?;
    }
}

/// Compares merged paths with the grouping of whole paths.
fn assert_merged(heap: &Heap, picked: &[NodeId]) -> Result<(), TestCaseError> {
    let (paths, dominators) = (ShortestPaths::of(heap), Dominators::of(heap));
    let mut groups: HashMap<Vec<String>, Vec<NodeId>> = HashMap::new();
    for &node in picked {
        let group = groups.entry(generalised(heap, &paths.path_to(heap, node))).or_default();
        if !group.contains(&node) {
            group.push(node);
        }
    }
    let merged = merged_paths(heap, &paths, &dominators, picked, usize::MAX);
    prop_assert_eq!(merged.len(), groups.len());
    for path in &merged {
        let steps = generalised(heap, &paths.path_to(heap, path.example));
        let group = &groups[&steps];
        prop_assert!(group.contains(&path.example));
        prop_assert_eq!(path.count, group.len() as u64);
        prop_assert_eq!(path.retained, dominators.retained_by_all(group));
        let whole = paths.path_to(heap, path.example).len();
        let is_exact = path.count == 1 && whole <= MergedPath::LONGEST;
        prop_assert_eq!(path.steps.len(), if is_exact { whole } else { steps.len() });
        assert_holder(heap, path, group)?;
    }
    prop_assert!(merged.is_sorted_by(|a, b| (a.retained, a.count) >= (b.retained, b.count)));
    Ok(())
}

/// Takes the holder away, and looks what is left of what the nodes retained.
fn assert_holder(heap: &Heap, path: &MergedPath, nodes: &[NodeId]) -> Result<(), TestCaseError> {
    let Some(holder) = &path.holder else { return Ok(()) };
    prop_assert!(holder.frees <= path.retained);
    let references = counted_references(heap);
    let all = reached(&references, None);
    let without = |node| reached(&references, Some(node));
    let goes_with = |left: &[bool], id: NodeId| all[id.index()] && !left[id.index()];
    let left: Vec<Vec<bool>> = nodes.iter().map(|&node| without(node)).collect();
    let gone = without(holder.node);
    let frees = heap
        .nodes
        .ids()
        .filter(|&id| goes_with(&gone, id) && left.iter().any(|left| goes_with(left, id)));
    prop_assert_eq!(holder.frees, frees.map(|id| heap.nodes.held(id)).sum());
    Ok(())
}

/// The steps of a path without indices, and without the third and later rounds of up to four steps
/// that come again and again.
fn generalised(heap: &Heap, path: &[Step]) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut source = Heap::ROOT;
    for step in path {
        let label = step.label;
        // The keys of a small dict are kept, if it is one object.
        let is_few = heap.edges.range(source).len() <= 32;
        let is_one = !steps.iter().any(|step| step.contains("None"));
        let kind = match label.kind() {
            EdgeKind::NamedEntry if is_few && is_one => EdgeKind::NamedEntry,
            EdgeKind::NamedEntry => EdgeKind::Entry,
            kind => kind,
        };
        source = step.node;
        let index = match kind {
            EdgeKind::Item | EdgeKind::Entry | EdgeKind::Key | EdgeKind::Stack => None,
            _ => Some(label.payload()),
        };
        let strict = !label.is_conservative();
        steps.push(format!("{kind:?} {index:?} {strict} {}", heap.type_name(step.node)));
        for round in 1..=4 {
            let Some(start) = steps.len().checked_sub(3 * round) else { break };
            let (first, rest) = steps[start..].split_at(round);
            if first == &rest[..round] && first == &rest[round..] {
                steps.truncate(steps.len() - round);
                break;
            }
        }
    }
    steps
}

/// How the paths to some nodes are printed, with how many take each.
fn shown(heap: &Heap, nodes: &[usize]) -> Vec<String> {
    let nodes: Vec<NodeId> = nodes.iter().copied().map(NodeId::from).collect();
    let (paths, dominators) = (ShortestPaths::of(heap), Dominators::of(heap));
    let text = |path: &MergedPath| format!("{} {}", path.count, ShownPath::of_merged(heap, path));
    merged_paths(heap, &paths, &dominators, &nodes, 10).iter().map(text).collect()
}

/// A module.
fn app() -> (Plan, usize) {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 64));
    plan.root(RootKind::Module, "app", module);
    (plan, module)
}

#[test]
fn a_million_items_have_one_path() {
    let mut plan = Plan::new();
    let (module, list) = (plan.add(object("module", 64)), plan.add(object("list", 64)));
    plan.root(RootKind::Module, "app", module);
    plan.link(module, list, attribute("cache"));
    let records: Vec<NodeId> = (0..1_000_000)
        .map(|index| {
            let record = plan.add(object("app.User", 48));
            plan.link(list, record, item(index));
            NodeId::from(record)
        })
        .collect();
    let heap = plan.build();
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let merged = merged_paths(&heap, &paths, &dominators, &records, 10);
    assert_eq!(merged.len(), 1);
    assert_eq!((merged[0].count, merged[0].retained.0), (1_000_000, 48_000_000));
    assert_eq!(ShownPath::of_merged(&heap, &merged[0]).to_string(), "app.cache[*]");
}

#[test]
fn an_index_that_all_have_in_common_is_kept() {
    let (mut plan, app) = app();
    let pairs = plan.add(object("list", 400));
    plan.link(app, pairs, attribute("pairs"));
    let (mut second, mut both) = (Vec::new(), Vec::new());
    for index in 0..10 {
        let pair = plan.add(object("app.Pair", 56));
        plan.link(pairs, pair, item(index));
        for side in 0..2 {
            let text = plan.add(object("str", 60));
            plan.link(pair, text, item(side));
            both.push(text);
            second.extend((side == 1).then_some(text));
        }
    }
    let heap = plan.build();
    assert_eq!(shown(&heap, &second), ["10 app.pairs[*][1]"]);
    assert_eq!(shown(&heap, &both), ["20 app.pairs[*][*]"]);
}

#[test]
fn one_object_far_down_a_chain_has_its_own_path() {
    let (mut plan, app) = app();
    let mut node = plan.add(object("list", 64));
    plan.link(app, node, attribute("deep"));
    let mut deepest = Vec::new();
    for _ in 0..100 {
        let next = plan.add(object("list", 64));
        plan.link(node, next, item(0));
        node = next;
        deepest.push(node);
    }
    let heap = plan.build();
    assert_eq!(shown(&heap, &deepest[3..4]), ["1 app.deep[0][0][0][0]"]);
    assert_eq!(shown(&heap, &deepest[99..]), ["1 app.deep[0][0]…"]);
}

/// A chain of a million nodes, each called by the one before as `name` says.
fn chain(name: impl Fn(u64) -> String) -> (Heap, Vec<NodeId>) {
    let mut plan = Plan::new();
    let first = plan.nodes.len();
    plan.root(RootKind::Module, "app", first);
    let nodes: Vec<NodeId> =
        (0..1_000_000).map(|_| NodeId::from(plan.add(object("app.Node", 16)))).collect();
    for number in 0..nodes.len() - 1 {
        plan.link(first + number, first + number + 1, attribute(&name(number as u64)));
    }
    (plan.build(), nodes)
}

#[test]
fn a_million_linked_nodes_have_few_paths() {
    let (heap, nodes) = chain(|_| "next".into());
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let last = nodes[999_999];
    let path = paths.path_to(&heap, last);
    assert_eq!(path.len(), 1_000_000);
    let typed = ShownPath::of(&heap, &path).to_string().parse().expect("a path");
    assert_eq!(resolve(&heap, &typed), Ok(vec![last]));
    let merged = merged_paths(&heap, &paths, &dominators, &nodes, usize::MAX);
    let text = |path: &MergedPath| format!("{} {}", path.count, ShownPath::of_merged(&heap, path));
    let texts: Vec<String> = merged.iter().map(text).collect();
    assert_eq!(texts, ["1 app", "1 app.next", "999998 app.next.next…"]);
}

#[test]
fn a_million_steps_without_a_pattern_have_few_paths() {
    // The parity of the ones of a number never comes three times in a row (Thue and Morse).
    let (heap, nodes) = chain(|number| ["left", "right"][number.count_ones() as usize % 2].into());
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let merged = merged_paths(&heap, &paths, &dominators, &nodes, usize::MAX);
    assert_eq!(merged.len(), MergedPath::LONGEST + 3);
    let longest = merged.iter().max_by_key(|path| path.count).expect("not empty");
    assert!(longest.count > 400_000 && longest.shortened);
    assert!(ShownPath::of_merged(&heap, longest).to_string().contains('…'));
}

/// Every node of a long list also holds the last one, each by a name of its own.
#[test]
fn the_edge_to_a_cell_is_not_written_as_what_the_cell_holds() {
    let mut plan = Plan::new();
    let (function, cells) = (plan.add(object("function", 16)), plan.add(object("tuple", 16)));
    let (cell, body) = (plan.add(object("cell", 16)), plan.add(object("bytes", 16)));
    plan.root(RootKind::Module, "app", function);
    plan.link(function, cells, attribute("__closure__"));
    plan.link(cells, cell, PlanLabel::Named(EdgeKind::Closure, "body".into()));
    plan.link(cell, body, attribute("cell_contents"));
    let heap = plan.build();
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let merged = merged_paths(&heap, &paths, &dominators, &[NodeId::from(body)], 1);
    let edges = merged[0].steps.iter().map(|&step| ShownPath::of_step(&heap, step).to_string());
    assert_eq!(
        edges.collect::<Vec<_>>(),
        ["app", ".__closure__", ".<cell>.body", ".cell_contents"]
    );
}
