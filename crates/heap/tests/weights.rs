//! Defends the census, the tree and what may be asked about.

mod heaps;

use std::collections::BTreeMap;

use deadweight_heap::{
    Addr, Bytes, Census, Dominators, Grouping, Heap, How, NodeFlags, NodeId, QueryError, RootKind,
    ShortestPaths, SortKey, Subject, TreeOptions, TreeRow, TreeWhat, query, tree,
};
use heaps::{Plan, any_plan, attribute, item, object};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn a_census_counts_every_object_once_and_every_retained_byte_once(plan in any_plan()) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        for grouping in [Grouping::Type, Grouping::Module] {
            let name = |node: NodeId| {
                let row = heap.types.get(heap.nodes.type_of(node));
                let name = if grouping == Grouping::Type { row.name } else { row.module };
                heap.names.get(name).to_owned()
            };
            let mut groups: BTreeMap<String, Vec<NodeId>> = BTreeMap::new();
            heap.object_ids().for_each(|node| groups.entry(name(node)).or_default().push(node));
            let census = Census::of(&heap, Some(&dominators), grouping);
            prop_assert_eq!(census.rows.len(), groups.len());
            for row in &census.rows {
                let group = &groups[heap.names.get(row.name)];
                prop_assert_eq!(row.count, group.len() as u64);
                let held: Bytes = group.iter().map(|&node| heap.nodes.held(node)).sum();
                prop_assert_eq!((row.held, row.getsizeof), (held, held));
                prop_assert_eq!(row.retained, Some(dominators.retained_by_all(group)));
            }
            prop_assert!(census.rows.is_sorted_by(|a, b| a.retained >= b.retained));
            prop_assert_eq!(census.total.count, heap.objects());
            prop_assert_eq!(census.total.held, dominators.retained(Heap::ROOT));
            let mut shallow = Census::of(&heap, None, grouping);
            prop_assert!(shallow.rows.is_sorted_by(|a, b| a.held >= b.held));
            prop_assert!(shallow.rows.iter().all(|row| row.retained.is_none()));
            shallow.sort(&heap.names, SortKey::Count);
            prop_assert!(shallow.rows.is_sorted_by(|a, b| a.count >= b.count));
            shallow.sort(&heap.names, SortKey::Name);
            prop_assert!(shallow.rows.is_sorted_by_key(|row| heap.names.get(row.name)));
        }
    }

    #[test]
    fn a_whole_tree_shows_every_node_once_and_adds_up(plan in any_plan(), alike in any::<bool>()) {
        let mut plan = plan;
        if alike {
            // Lists and trees of one class are all that is left.
            plan.nodes.iter_mut().filter(|node| node.is_object).for_each(|n| n.type_name = "app.Node");
            plan.edges.iter_mut().for_each(|edge| edge.2 = attribute("next"));
        }
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let options = TreeOptions { depth: usize::MAX, width: usize::MAX, least: Bytes(0) };
        let rows = tree(&heap, &dominators, &ShortestPaths::of(&heap), Heap::ROOT, options);
        prop_assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), heap.nodes.len() as u64);
        prop_assert_eq!(rows[0].retained, dominators.retained(Heap::ROOT));
        for (number, row) in rows.iter().enumerate() {
            let below = rows[number + 1..].iter().take_while(|other| other.depth > row.depth);
            let children = below.filter(|other| other.depth == row.depth + 1);
            let weights: Vec<Bytes> = children.map(|child| child.retained).collect();
            prop_assert!(weights.is_sorted_by(|a, b| a >= b));
            prop_assert_eq!(row.held + weights.into_iter().sum::<Bytes>(), row.retained);
        }
    }

    #[test]
    fn a_narrow_tree_leaves_out_rows_but_no_bytes(plan in any_plan(), width in 0_usize..3, least in 0_u64..200) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let options = TreeOptions { depth: 1, width, least: Bytes(least) };
        let rows = tree(&heap, &dominators, &ShortestPaths::of(&heap), Heap::ROOT, options);
        let below: Bytes = rows[1..].iter().map(|row| row.retained).sum();
        prop_assert_eq!(below, dominators.retained(Heap::ROOT));
        let rest = |row: &&deadweight_heap::TreeRow| matches!(row.what, TreeWhat::Rest(_));
        prop_assert!(rows.len() <= width + 2 && rows.iter().filter(rest).count() <= 1);
        let shown = rows[1..].iter().filter(|row| !rest(row));
        prop_assert!(shown.into_iter().all(|row| row.retained >= Bytes(least)));
    }

    #[test]
    fn what_keeps_a_modelled_size_alive_says_so(plan in any_plan()) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        for node in heap.nodes.ids() {
            let is = |node: &NodeId| heap.nodes.flags(*node).has(NodeFlags::MODELLED);
            let any = dominators.subtree(node).iter().any(is);
            prop_assert_eq!(dominators.retains_modelled(node), any);
        }
    }

    #[test]
    fn an_address_is_found_exactly(plan in any_plan(), address in 0_u64..0x2000) {
        let heap = plan.build();
        let address = Addr(address);
        let exact = heap.object_ids().find(|&node| heap.nodes.address(node) == address);
        let addresses = heap.object_ids().map(|node| heap.nodes.address(node));
        let below = addresses.filter(|&at| at < address).max();
        let missing = QueryError::NoObject { address, below };
        prop_assert_eq!(query(&heap, &address.to_string()), exact.map(Subject::Object).ok_or(missing));
    }
}

#[test]
fn all_nodes_of_a_linked_list_are_one_row_of_a_tree_and_those_of_a_tree_are_not() {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 8));
    plan.root(RootKind::Module, "app", module);
    let mut holder = module;
    for number in 0..1000 {
        let (node, text) = (plan.add(object("app.Node", 16)), plan.add(object("str", 4)));
        plan.link(holder, node, attribute(if number == 0 { "head" } else { "next" }));
        plan.link(node, text, attribute("text"));
        holder = node;
    }
    let mut nodes = vec![module];
    for number in 0_usize..7 {
        let node = plan.add(object("app.Tree", 10));
        let holder = if number == 0 { module } else { nodes[number.div_ceil(2)] };
        let name = if number == 0 { "top" } else { ["right", "left"][number % 2] };
        plan.link(holder, node, attribute(name));
        nodes.push(node);
    }
    let heap = plan.build();
    let options = TreeOptions { depth: 4, width: 9, least: Bytes(0) };
    let rows = tree(
        &heap,
        &Dominators::of(&heap),
        &ShortestPaths::of(&heap),
        NodeId::from(module),
        options,
    );
    let text = |row: &TreeRow| match &row.what {
        TreeWhat::Alike { how: How::Directly(path), .. } => {
            format!("{} {path} {} {} {}", row.depth, row.count, row.held.0, row.retained.0)
        }
        what => format!("{what:?}"),
    };
    let rows: Vec<String> = rows[1..].iter().map(text).collect();
    assert_eq!(
        rows,
        [
            "1 .head 1 16 20000",
            "2 .next… 999 15984 19980",
            "3 .text 999 3996 3996",
            "2 .text 1 4 4",
            "1 .top 1 10 70",
            "2 .left 1 10 30",
            "3 .left 1 10 10",
            "3 .right 1 10 10",
            "2 .right 1 10 30",
            "3 .left 1 10 10",
            "3 .right 1 10 10",
        ]
    );
}

/// What is shared is named as all of it is, and is not said to hold itself.
#[test]
fn a_row_of_a_tree_names_who_holds_all_of_it() {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 8));
    plan.root(RootKind::Module, "app", module);
    let lists = ["q", "d"].map(|name| {
        let list = plan.add(object("list", 8));
        plan.link(module, list, attribute(name));
        list
    });
    let mut things = Vec::new();
    for index in 0..50 {
        let thing = plan.add(object("app.Cached", 80));
        for list in lists {
            plan.link(list, thing, item(index));
        }
        things.push(thing);
    }
    // They hold each other too, which keeps none of them alive.
    for pair in things.windows(2) {
        plan.link(pair[0], pair[1], attribute("next"));
    }
    let heap = plan.build();
    let (dominators, paths) = (Dominators::of(&heap), ShortestPaths::of(&heap));
    let options = TreeOptions { depth: 2, width: 9, least: Bytes(0) };
    let rows = tree(&heap, &dominators, &paths, Heap::ROOT, options);
    let row = rows.iter().find(|row| row.count == 50).expect("the things are one row");
    let held_by: Vec<String> = row.held_by.iter().map(ToString::to_string).collect();
    assert_eq!(held_by, ["app.q[*]", "app.d[*]"]);
}

#[test]
fn a_path_without_its_module_is_looked_for_in_all_of_them() {
    let mut plan = Plan::new();
    for name in ["app", "my-script", "interpreter.tools"] {
        let (module, cache) = (plan.add(object("module", 8)), plan.add(object("list", 8)));
        plan.root(RootKind::Module, name, module);
        plan.link(module, cache, attribute(if name == "app" { "other" } else { "cache" }));
    }
    let heap = plan.build();
    let unknown = query(&heap, "cache").expect_err("no module is called so");
    assert_eq!(
        unknown.to_string(),
        "no type and no module is called `cache`; a path begins with a module: \
         `'my-script'.cache`, `'interpreter.tools'.cache`"
    );
}

#[test]
fn of_a_module_that_is_not_loaded_that_is_said_first() {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 8));
    plan.root(RootKind::Module, "app", module);
    let heap = plan.build();
    let unknown = query(&heap, "ap.User").expect_err("no module is called so");
    let said = unknown.to_string();
    let begins = "no type and no module is called `ap.User`; no module `ap` is loaded; nearest: `";
    assert!(said.starts_with(begins), "{said}");
}

#[test]
fn a_bare_type_name_means_all_instances_unless_it_is_ambiguous() {
    let mut plan = Plan::new();
    let module = plan.add(object("module", 8));
    plan.root(RootKind::Module, "app", module);
    let users: Vec<NodeId> =
        (0..3).map(|_| NodeId::from(plan.add(object("app.User", 8)))).collect();
    let (a, b) = (plan.add(object("a.Row", 8)), plan.add(object("b.Row", 8)));
    plan.add(object("b.Row", 8));
    plan.link(module, a, attribute("first"));
    plan.link(module, b, attribute("User"));
    let heap = plan.build();
    let all = Subject::Type { name: "app.User".into(), nodes: users };
    assert_eq!(query(&heap, "User"), Ok(all.clone()));
    assert_eq!(query(&heap, " app.User "), Ok(all));
    assert_eq!(query(&heap, "a.Row").map(|subject| subject.nodes().len()), Ok(1));
    assert_eq!(query(&heap, "app.first"), Ok(Subject::Path(vec![NodeId::from(a)])));
    let ambiguous = query(&heap, "Row").expect_err("two types");
    assert_eq!(ambiguous.to_string(), "several types are called `Row`: `b.Row` (2), `a.Row` (1)");
    let unknown = query(&heap, "Usr").expect_err("no type");
    assert!(unknown.to_string().contains("nearest: `app.User`"), "{unknown}");
    assert!(matches!(query(&heap, "0xzz"), Err(QueryError::NotAnAddress(_))));
    assert!(matches!(query(&heap, "0x1"), Err(QueryError::NoObject { below: None, .. })));
    assert!(matches!(query(&heap, "app.nothing"), Err(QueryError::Path(_))));
}
