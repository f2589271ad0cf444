//! Defends who else is said to hold what a path leads to, and what would go with its holder.

mod heaps;

use deadweight_heap::path::ShownPath;
use deadweight_heap::{
    Dominators, EdgeKind, Heap, Holder, Holding, MergedPath, NodeId, RootKind, ShortestPaths,
    merged_paths,
};
use heaps::{Plan, PlanLabel, attribute, item, object};

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
