//! Defends `why`: the shortest path from the best ground, paths that merge into one, and that what
//! is printed can be typed.

#[path = "../../../fuzz/bodies/path.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
mod heaps;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;

use std::collections::HashMap;

use deadweight_heap::path::{PathError, PathExpr, ShownPath, resolve};
use deadweight_heap::{
    Dominators, Edge, EdgeKind, Heap, Holder, Holding, Label, Layer, MergedPath, NodeId, RootKind,
    ShortestPaths, Step, merged_paths,
};
use heaps::{
    Plan, PlanLabel, any_plan, attribute, counted_references, item, object, pseudo, reached,
};
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

    #[test]
    fn what_is_printed_can_be_typed(plan in any_plan()) {
        let heap = plan.build();
        let paths = ShortestPaths::of(&heap);
        for node in heap.nodes.ids() {
            let steps = paths.path_to(&heap, node);
            if steps.is_empty() {
                continue;
            }
            let text = ShownPath::of(&heap, &steps).to_string();
            let refused = |error: PathError| TestCaseError::fail(format!("{text}: {error}"));
            let parsed: PathExpr = text.parse().map_err(refused)?;
            prop_assert_eq!(parsed.to_string(), text.clone());
            let found = resolve(&heap, &parsed);
            let leads_back = found.as_ref().is_ok_and(|nodes| nodes.contains(&node));
            prop_assert!(leads_back, "{}: {:?} not in {:?}", text, node, found);
        }
    }

    #[test]
    fn any_text_is_a_path_or_an_error_that_can_be_shown(
        text in "(app|thread 7|<|interpreter|'x'|é)?([.\\[\\]'\"<>› a-z*#0-9\\\\{}:]{0,12})",
    ) {
        match text.parse::<PathExpr>() {
            Ok(path) => {
                let again = path.to_string();
                prop_assert_eq!(again.parse::<PathExpr>(), Ok(path), "{}", again);
            }
            Err(error) => prop_assert!(error.to_string().contains("not a path")),
        }
    }

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
fn keys_of_a_small_dict_are_kept_and_who_else_holds_is_named() {
    let mut plan = Plan::new();
    let (module, hold, all) = (
        plan.add(object("module", 64)),
        plan.add(object("dict", 64)),
        plan.add(object("list", 64)),
    );
    plan.root(RootKind::Module, "app", module);
    plan.link(module, all, attribute("all"));
    plan.link(module, hold, attribute("hold"));
    let mut nodes = Vec::new();
    for (tenant, count) in [("tenant-a", 100), ("tenant-b", 5)] {
        let list = plan.add(object("list", 64));
        plan.link(hold, list, PlanLabel::Named(EdgeKind::NamedEntry, tenant.into()));
        for index in 0..count {
            let only = plan.add(object("app.Only", 48));
            plan.link(list, only, item(index));
            // Further away than the dict, so that no path takes it.
            if tenant == "tenant-a" && index < 7 {
                let (far, farther) =
                    (plan.add(object("tuple", 16)), plan.add(object("app.Far", 16)));
                plan.link(all, far, item(index));
                plan.link(far, farther, item(0));
                plan.link(farther, only, attribute("only"));
            }
            nodes.push(NodeId::from(only));
        }
    }
    let heap = plan.build();
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let said = |nodes: &[NodeId]| -> Vec<String> {
        let one = |path: &MergedPath| {
            let others = path.also_held_by.iter();
            let others: Vec<String> =
                others.map(|other| format!("{} {}", other.count, other.path)).collect();
            let holder = path.holder.as_ref();
            let holder = holder.map(|holder| format!("{} {}", holder.path, holder.frees.0));
            format!("{} {} {others:?} {holder:?}", path.count, ShownPath::of_merged(&heap, path))
        };
        merged_paths(&heap, &paths, &dominators, nodes, 10).iter().map(one).collect()
    };
    assert_eq!(
        said(&nodes),
        [
            // The list alone keeps 93 of 48 bytes.
            "100 app.hold['tenant-a'][*] [\"7 app.all[*][0].only\"] \
             Some(\"app.hold['tenant-a'] 4464\")",
            "5 app.hold['tenant-b'][*] [] None",
        ]
    );
    assert_eq!(
        said(&nodes[3..4]),
        ["1 app.hold['tenant-a'][3] [\"1 app.all[3][0].only\"] Some(\"app.hold['tenant-a'] 0\")"]
    );
}

/// What `why` says of some nodes: each path, who else holds, what would go with the holder.
fn said(heap: &Heap, nodes: &[usize]) -> Vec<String> {
    let nodes: Vec<NodeId> = nodes.iter().copied().map(NodeId::from).collect();
    let (paths, dominators) = (ShortestPaths::of(heap), Dominators::of(heap));
    let mut lines = Vec::new();
    for path in merged_paths(heap, &paths, &dominators, &nodes, 10) {
        lines.push(format!("{} {}", path.count, ShownPath::of_merged(heap, &path)));
        let shared = path.shared.as_ref();
        let shared = shared.map_or(String::new(), |(path, count)| format!(" {count} {path} by"));
        lines.extend(path.also_held_by.iter().map(|Holding { path, count, references }| {
            format!("also{shared} {path}: {count} by {references}")
        }));
        lines.extend(
            path.holder.map(|Holder { path, frees, .. }| format!("without {path}: {}", frees.0)),
        );
    }
    lines
}

/// `app` with attributes in a dict of its own, which a function refers to as well.
fn app() -> (Plan, usize) {
    let mut plan = Plan::new();
    let (module, names, function) = (
        plan.add(object("module", 64)),
        plan.add(object("dict", 500)),
        plan.add(object("function", 100)),
    );
    plan.root(RootKind::Module, "app", module);
    plan.link(module, names, attribute("__dict__"));
    plan.link(names, function, attribute("handle"));
    plan.link(function, names, attribute("__globals__"));
    // A thread runs the function: the names do not go with the module.
    let other = plan.add(object("module", 64));
    plan.root(RootKind::Module, "web", other);
    plan.link(other, function, attribute("handler"));
    (plan, names)
}

#[test]
fn of_one_object_it_is_said_how_many_references_hold_it() {
    let (mut plan, names) = app();
    let conf = plan.add(object("app.Conf", 48));
    let blob = plan.add(object("bytearray", 3000));
    plan.link(conf, blob, attribute("blob"));
    let (users, weak) = (plan.add(object("list", 64)), plan.add(object("list", 64)));
    plan.link(names, users, attribute("users"));
    plan.link(names, weak, attribute("weak"));
    for index in 0..500 {
        let user = plan.add(object("app.User", 48));
        plan.link(users, user, item(index));
        plan.link(user, conf, attribute("conf"));
        if index < 20 {
            let tuple = plan.add(object("tuple", 48));
            plan.link(weak, tuple, item(index));
            plan.link(tuple, conf, item(0));
        }
    }
    let heap = plan.build();
    assert_eq!(
        said(&heap, &[conf]),
        [
            "1 app.users[0].conf",
            "also app.users[*].conf: 1 by 499",
            "also app.weak[*][0]: 1 by 20",
            "without app.users[0]: 0",
        ]
    );
    // What it holds is shared with it.
    assert_eq!(
        said(&heap, &[blob]),
        [
            "1 app.users[0].conf.blob",
            "also 1 app.users[0].conf by app.users[*].conf: 1 by 499",
            "also 1 app.users[0].conf by app.weak[*][0]: 1 by 20",
        ]
    );
}

#[test]
fn references_of_one_list_to_one_object_are_counted() {
    let (mut plan, names) = app();
    let (list, shared) = (plan.add(object("list", 64)), plan.add(object("app.Conf", 48)));
    plan.link(names, list, attribute("many"));
    for index in [3, 7, 9] {
        plan.link(list, shared, item(index));
    }
    let twice = plan.add(object("app.Conf", 48));
    plan.link(list, twice, item(11));
    plan.link(list, twice, item(12));
    let heap = plan.build();
    assert_eq!(said(&heap, &[shared]), ["1 app.many[3]", "also app.many[*]: 1 by 2"]);
    assert_eq!(said(&heap, &[twice]), ["1 app.many[11]", "also app.many[12]: 1 by 1"]);
    assert_eq!(said(&heap, &[shared, twice]), ["2 app.many[*]", "also app.many[*]: 2 by 3"]);
}

#[test]
fn what_would_go_with_the_holder_is_part_of_the_objects() {
    let (mut plan, names) = app();
    let (module, other) = (plan.add(object("module", 64)), plan.add(object("dict", 64)));
    plan.root(RootKind::Module, "cache", module);
    plan.link(module, other, attribute("__dict__"));
    let one = plan.add(object("app.Plug", 1000));
    plan.link(names, one, attribute("one"));
    plan.link(other, one, attribute("one"));
    // Each object has a holder of its own, in one list and in another; one of them in a third alone.
    let (first, second) = (plan.add(object("list", 400)), plan.add(object("list", 400)));
    plan.link(names, first, attribute("first"));
    plan.link(names, second, attribute("second"));
    let mut nodes = Vec::new();
    let mut bodies = Vec::new();
    for index in 0..10 {
        let node = plan.add(object("app.X", 50));
        let body = plan.add(object("bytearray", 500));
        plan.link(node, body, attribute("body"));
        for (list, name) in [(first, "app.A"), (second, "app.B")] {
            if index == 9 && name == "app.B" {
                continue;
            }
            let wrapper = plan.add(object(name, 70));
            plan.link(list, wrapper, item(index));
            plan.link(wrapper, node, attribute("x"));
        }
        nodes.push(node);
        bodies.push(body);
    }
    let heap = plan.build();
    // A namespace is not let go of for the sake of one.
    assert_eq!(said(&heap, &[one]), ["1 app.one", "also cache.one: 1 by 1"]);
    assert_eq!(
        said(&heap, &nodes),
        ["10 app.first[*].x", "also app.second[*].x: 9 by 9", "without app.first: 550"]
    );
    assert_eq!(
        said(&heap, &bodies),
        [
            "10 app.first[*].x.body",
            "also 10 app.first[*].x by app.second[*].x: 9 by 9",
            "without app.first: 500",
        ]
    );
}

#[test]
fn what_holds_all_of_them_may_itself_be_shared() {
    let (mut plan, names) = app();
    let table = plan.add(object("app.Table", 48));
    let rows = plan.add(object("list", 400));
    let keeper = plan.add(object("dict", 400));
    plan.link(names, table, attribute("table"));
    plan.link(names, keeper, attribute("keeper"));
    plan.link(keeper, table, PlanLabel::At(EdgeKind::Entry, 2));
    plan.link(table, rows, attribute("rows"));
    let add = |index| {
        let row = plan.add(object("app.Row", 50));
        plan.link(rows, row, item(index));
        row
    };
    let nodes: Vec<usize> = (0..10).map(add).collect();
    let heap = plan.build();
    assert_eq!(
        said(&heap, &nodes),
        ["10 app.table.rows[*]", "also 1 app.table by app.keeper[#2]: 1 by 1"]
    );
}

#[test]
fn an_index_that_all_have_in_common_is_kept() {
    let (mut plan, names) = app();
    let pairs = plan.add(object("list", 400));
    plan.link(names, pairs, attribute("pairs"));
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
    assert_eq!(said(&heap, &second), ["10 app.pairs[*][1]"]);
    assert_eq!(said(&heap, &both), ["20 app.pairs[*][*]"]);
}

#[test]
fn one_object_far_down_a_chain_has_its_own_path() {
    let (mut plan, names) = app();
    let mut node = plan.add(object("list", 64));
    plan.link(names, node, attribute("deep"));
    let mut deepest = Vec::new();
    for _ in 0..100 {
        let next = plan.add(object("list", 64));
        plan.link(node, next, item(0));
        node = next;
        deepest.push(node);
    }
    let heap = plan.build();
    assert_eq!(said(&heap, &deepest[3..4]), ["1 app.deep[0][0][0][0]"]);
    assert_eq!(said(&heap, &deepest[99..]), ["1 app.deep[0][0]…"]);
}

#[test]
fn what_is_printed_of_a_class_or_a_module_does_not_mean_instances() {
    let mut plan = Plan::new();
    let (module, names, class) = (
        plan.add(object("module", 64)),
        plan.add(object("dict", 64)),
        plan.add(object("type", 64)),
    );
    let other = plan.add(object("module", 64));
    plan.root(RootKind::Module, "app", module);
    plan.root(RootKind::Module, "User", other);
    plan.link(module, names, attribute("__dict__"));
    plan.link(names, class, attribute("User"));
    let user = plan.add(object("app.User", 8));
    plan.link(class, user, attribute("first"));
    let heap = plan.build();
    let paths = ShortestPaths::of(&heap);
    for (node, text) in
        [(class, "app.__dict__.User"), (user, "app.User.first"), (other, "'User'"), (module, "app")]
    {
        let shown = ShownPath::of(&heap, &paths.path_to(&heap, NodeId::from(node))).to_string();
        assert_eq!(shown, text);
        let found = deadweight_heap::query(&heap, &shown).expect("it can be typed");
        assert_eq!(found, deadweight_heap::Subject::Path(vec![NodeId::from(node)]), "{text}");
    }
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
fn of_a_million_ways_to_hold_something_few_are_named() {
    const LONG: usize = 100_000;
    let mut plan = Plan::new();
    let first = plan.nodes.len();
    plan.root(RootKind::Module, "app", first);
    plan.nodes.extend((0..LONG).map(|_| object("app.Node", 16)));
    let shared = plan.add(object("list", 16));
    for node in first..shared {
        if node + 1 < shared {
            plan.link(node, node + 1, attribute("next"));
        }
        plan.link(node, shared, attribute(&format!("name_{node}")));
    }
    let heap = plan.build();
    let (paths, dominators) = (ShortestPaths::of(&heap), Dominators::of(&heap));
    let merged = merged_paths(&heap, &paths, &dominators, &[NodeId::from(shared)], 1);
    assert_eq!(ShownPath::of_merged(&heap, &merged[0]).to_string(), "app.name_1");
    assert_eq!(merged[0].other_ways, LONG as u64 - 1);
    assert_eq!(merged[0].also_held_by.len(), Holding::MOST);
    assert_eq!(merged[0].also_held_by[0].path.to_string(), "app.next.name_2");
}

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
fn the_longest_name_of_a_module_wins_and_attributes_are_kept_apart() {
    let mut plan = Plan::new();
    let (package, module, other) =
        (plan.add(object("module", 8)), plan.add(object("module", 8)), plan.add(object("list", 8)));
    plan.root(RootKind::Module, "app", package);
    plan.root(RootKind::Module, "app.models", module);
    plan.link(package, other, attribute("models"));
    let heap = plan.build();
    let at = |text: &str| resolve(&heap, &text.parse().expect("a path")).expect("leads somewhere");
    assert_eq!(at("app.models"), [NodeId::from(module)]);
    assert_eq!(at("app.'models'"), [NodeId::from(other)]);
    let path = ShortestPaths::of(&heap).path_to(&heap, NodeId::from(other));
    assert_eq!(ShownPath::of(&heap, &path).to_string(), "app.'models'");
}

#[test]
fn a_wrong_step_says_what_was_there_instead() {
    let mut plan = Plan::new();
    let (module, dict, list) =
        (plan.add(object("module", 8)), plan.add(object("dict", 8)), plan.add(object("list", 8)));
    plan.root(RootKind::Module, "app", module);
    plan.link(module, dict, attribute("__dict__"));
    plan.link(dict, list, attribute("cache"));
    plan.link(list, module, item(0));
    let heap = plan.build();
    let error =
        |text: &str| resolve(&heap, &text.parse().expect("a path")).expect_err("leads nowhere");
    let wrong = error("app.cahce[0]");
    assert_eq!(wrong.to_string(), "`app` (module) has no `.cahce`; nearest: `.cache`");
    assert_eq!(error("app.cache[7]").to_string(), "`app.cache` (list, items: 1) has no `[7]`");
    assert_eq!(error("ap.cache").to_string(), "nothing begins with `ap`; nearest: `app`");
    let nothing = error("<garbage not yet collected>");
    assert_eq!(nothing.to_string(), "there is no `<garbage not yet collected>` here");
    assert!(matches!(error("thread 1"), PathError::NoRoot { .. }));
}

#[test]
fn a_key_that_was_not_kept_is_not_said_to_be_missing() {
    let mut plan = Plan::new();
    let dict = plan.add(object("dict", 64));
    plan.root(RootKind::Module, "app", dict);
    for (index, key) in [Some("acme"), None, Some("")].into_iter().enumerate() {
        let value = plan.add(object("list", 8));
        let named = |key: &str| PlanLabel::Named(EdgeKind::NamedEntry, key.into());
        plan.link(dict, value, key.map_or(PlanLabel::At(EdgeKind::Entry, index as u64), named));
    }
    let heap = plan.build();
    let error =
        |text: &str| resolve(&heap, &text.parse().expect("a path")).expect_err("leads nowhere");
    assert_eq!(
        error("app[5]").to_string(),
        "`app` (dict, entries: 3): only some of its keys were kept, so `[5]` cannot be looked up"
    );
    assert_eq!(
        error("app['acne']").to_string(),
        "`app` (dict, entries: 3): only some of its keys were kept, so `['acne']` cannot be looked \
         up; nearest: `['acme']`, `['']`"
    );
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

#[test]
fn the_corpus_gives_paths_that_read_back_or_errors_that_can_be_shown() {
    corpus::replay("path", 60, body::run);
}

#[test]
#[ignore = "writes to the corpus"]
fn gather_corpus() {
    let seeds = [
        "app.cache[*]",
        "app.web.'a name'[3]['key']",
        "thread 7 › app.py:42 handle › payload",
        "interpreter 1.modules",
        "<static data of libfoo.so>.<field 24>.<closure>.body.<cell>.body",
        "app.<locals>.x.<weak>.y[#3][key 2][stack 1][stack *][key *].<native 8>.<state 16>",
        "'my-script'.<iterator>",
    ];
    let seeds = seeds.map(|seed| seed.as_bytes().to_vec());
    corpus::gather("path", seeds.to_vec(), 200_000, 250, body::run);
}
