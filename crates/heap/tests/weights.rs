//! Defends the census, the tree and the list of what is heaviest.

mod heaps;

use std::collections::BTreeMap;

use deadweight_heap::path::ShownPath;
use deadweight_heap::{
    Addr, Bytes, Census, Dominators, EdgeKind, Grouping, Heap, HeavyRow, How, NodeFlags, NodeId,
    QueryError, RootKind, ShortestPaths, SortKey, Subject, TreeOptions, TreeRow, TreeWhat,
    heaviest, query, tree,
};
use heaps::{Plan, PlanLabel, any_plan, attribute, item, object, pseudo};
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
    fn no_two_heaviest_rows_claim_the_same_byte(plan in any_plan()) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let rows = heaviest(&heap, &dominators, &ShortestPaths::of(&heap), usize::MAX);
        prop_assert!(rows.is_sorted_by(|a, b| a.bytes >= b.bytes));
        for row in &rows {
            let inner = rows.iter().filter(|other| {
                other.holder != row.holder && dominators.dominates(row.holder, other.holder)
            });
            prop_assert_eq!(row.retained, dominators.retained(row.holder));
            prop_assert_eq!(row.bytes + inner.map(|other| other.bytes).sum::<Bytes>(), row.retained);
            prop_assert!(!heap.nodes.flags(row.holder).has(NodeFlags::INTERPRETER));
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

/// A program to hang leaks on: a module with its dict, and a library that weighs a little.
struct Program {
    plan: Plan,
    dict: usize,
}

fn program() -> Program {
    let mut plan = Plan::new();
    let (module, dict) = (plan.add(object("module", 64)), plan.add(object("dict", 256)));
    plan.root(RootKind::Module, "app", module);
    plan.link(module, dict, attribute("__dict__"));
    for library in ["json", "logging", "email.mime"] {
        let (module, names) = (plan.add(object("module", 64)), plan.add(object("dict", 4000)));
        plan.root(RootKind::Module, library, module);
        plan.link(module, names, attribute("__dict__"));
        for number in 0..50 {
            let (function, code) =
                (plan.add(object("function", 160)), plan.add(object("code", 600)));
            plan.link(names, function, attribute(&format!("f{number}")));
            plan.link(function, code, attribute("__code__"));
        }
    }
    Program { plan, dict }
}

impl Program {
    /// Objects of a type, each with a str of its own, linked from a container.
    fn fill(&mut self, container: usize, count: u64, type_name: &'static str) {
        for index in 0..count {
            let (record, text) =
                (self.plan.add(object(type_name, 48)), self.plan.add(object("str", 60)));
            self.plan.link(container, record, item(index));
            self.plan.link(record, text, attribute("name"));
        }
    }

    /// The heaviest row as text: holder's type, path, the largest group.
    fn first(&self) -> String {
        self.rows()[0].clone()
    }

    fn rows(&self) -> Vec<String> {
        let heap = self.plan.build();
        let (dominators, paths) = (Dominators::of(&heap), ShortestPaths::of(&heap));
        let text = |row: &HeavyRow| {
            let group = row.group.map_or("itself".to_owned(), |group| {
                format!("{} {}", group.count, heap.names.get(heap.types.get(group.type_id).name))
            });
            let path = ShownPath::of(&heap, &row.path);
            let shared: Vec<String> = row.held_by.iter().map(ToString::to_string).collect();
            let shared = if shared.is_empty() { String::new() } else { format!(" {shared:?}") };
            format!("{group} ← {} {path}{shared}", heap.type_name(row.holder))
        };
        heaviest(&heap, &dominators, &paths, 10).iter().map(text).collect()
    }
}

#[test]
fn a_list_of_records_is_named_not_its_records() {
    let mut program = program();
    let list = program.plan.add(object("list", 8000));
    program.plan.link(program.dict, list, attribute("cache"));
    program.fill(list, 1000, "app.User");
    assert_eq!(program.first(), "1000 app.User ← list app.cache");
    let libraries: Vec<String> = program.rows()[1..].to_vec();
    assert!(libraries.iter().any(|row| row.ends_with("module email.mime")), "{libraries:?}");
}

#[test]
fn two_leaks_of_one_module_have_a_row_each() {
    let mut program = program();
    for (name, count) in [("cache", 2000), ("index", 1500)] {
        let list = program.plan.add(object("list", 800));
        program.plan.link(program.dict, list, attribute(name));
        program.fill(list, count, "app.User");
    }
    assert_eq!(
        program.rows()[..2],
        ["2000 app.User ← list app.cache", "1500 app.User ← list app.index"]
    );
}

#[test]
fn what_two_lists_share_names_both() {
    let mut program = program();
    let lists = ["a", "b"].map(|name| {
        let list = program.plan.add(object("list", 800));
        program.plan.link(program.dict, list, attribute(name));
        list
    });
    for index in 0..1000 {
        let user = program.plan.add(object("app.User", 480));
        for list in lists {
            program.plan.link(list, user, item(index));
        }
    }
    assert_eq!(program.first(), "1000 app.User ← module app [\"app.a[*]\", \"app.b[*]\"]");
}

#[test]
fn what_items_of_the_holder_share_goes_with_it() {
    let mut program = program();
    let cache = program.plan.add(object("list", 800));
    program.plan.link(program.dict, cache, attribute("cache"));
    let lists = [0, 1].map(|index| {
        let list = program.plan.add(object("list", 800));
        program.plan.link(cache, list, item(index));
        list
    });
    for index in 0..1000 {
        let user = program.plan.add(object("app.User", 480));
        for list in lists {
            program.plan.link(list, user, item(index));
        }
    }
    assert_eq!(program.first(), "1000 app.User ← list app.cache");
}

#[test]
fn a_row_is_labelled_by_the_bytes_that_are_left_to_it() {
    let mut program = program();
    // Dicts that have rows of their own and keep much more alive than what is left to their holder.
    for name in ["first", "second", "third"] {
        let dict = program.plan.add(object("dict", 800));
        program.plan.link(program.dict, dict, attribute(name));
        program.fill(dict, 2000, "app.Order");
    }
    let lists = ["a", "b"].map(|name| {
        let list = program.plan.add(object("list", 800));
        program.plan.link(program.dict, list, attribute(name));
        list
    });
    for index in 0..1000 {
        let text = program.plan.add(object("str", 60));
        for list in lists {
            program.plan.link(list, text, item(index));
        }
    }
    let rows = program.rows();
    let rest = rows.iter().find(|row| row.contains("← module app "));
    assert_eq!(
        rest.map(String::as_str),
        Some("1000 str ← module app [\"app.a[*]\", \"app.b[*]\"]"),
        "{rows:#?}"
    );
}

#[test]
fn a_registry_of_closures_is_named() {
    let mut program = program();
    let list = program.plan.add(object("list", 800));
    program.plan.link(program.dict, list, attribute("handlers"));
    for index in 0..200 {
        let function = program.plan.add(object("function", 160));
        let (tuple, cell) =
            (program.plan.add(object("tuple", 48)), program.plan.add(object("cell", 40)));
        let body = program.plan.add(object("bytes", 5000));
        program.plan.link(list, function, item(index));
        program.plan.link(function, tuple, attribute("__closure__"));
        program.plan.link(tuple, cell, PlanLabel::Named(EdgeKind::Closure, "body".into()));
        program.plan.link(cell, body, attribute("cell_contents"));
    }
    assert_eq!(program.first(), "200 function ← list app.handlers");
}

#[test]
fn a_list_that_one_closure_holds_is_named() {
    let mut program = program();
    let (function, tuple) =
        (program.plan.add(object("function", 160)), program.plan.add(object("tuple", 48)));
    let (cell, list) =
        (program.plan.add(object("cell", 40)), program.plan.add(object("list", 800)));
    program.plan.link(program.dict, function, attribute("handler"));
    program.plan.link(function, tuple, attribute("__closure__"));
    program.plan.link(tuple, cell, PlanLabel::Named(EdgeKind::Closure, "seen".into()));
    program.plan.link(cell, list, attribute("cell_contents"));
    program.fill(list, 1000, "app.User");
    assert_eq!(program.first(), "1000 app.User ← list app.handler.<closure>.seen");
}

#[test]
fn the_cache_of_a_decorated_function_is_named() {
    let mut program = program();
    let wrapper = program.plan.add(object("functools._lru_cache_wrapper", 128));
    let cache = program.plan.add(object("dict", 50_000));
    program.plan.link(program.dict, wrapper, attribute("fetch"));
    program.plan.link(wrapper, cache, PlanLabel::Named(EdgeKind::Internal, "cache".into()));
    for index in 0..1000 {
        let element = program.plan.add(object("functools._lru_list_elem", 64));
        let value = program.plan.add(object("bytes", 400));
        program.plan.link(cache, element, PlanLabel::At(EdgeKind::Entry, index));
        program.plan.link(element, value, PlanLabel::Named(EdgeKind::Internal, "result".into()));
    }
    assert_eq!(program.first(), "1000 functools._lru_list_elem ← dict app.fetch.<cache>");
}

#[test]
fn a_local_variable_of_a_thread_is_named() {
    let mut program = program();
    // Pseudo nodes come first, so the thread takes the place of a plan of its own.
    let mut plan = Plan::new();
    let (thread, frame) = (plan.add(pseudo()), plan.add(pseudo()));
    plan.root(RootKind::Thread, "7", thread);
    plan.link(thread, frame, PlanLabel::Named(EdgeKind::Frame, "app.py:42 handle".into()));
    let list = plan.add(object("list", 800));
    plan.link(frame, list, PlanLabel::Named(EdgeKind::Local, "rows".into()));
    program.plan = plan;
    program.fill(list, 1000, "app.User");
    assert_eq!(program.first(), "1000 app.User ← list thread 7 › app.py:42 handle › rows");
}

#[test]
fn a_dict_of_a_class_is_named() {
    let mut program = program();
    let (class, names) =
        (program.plan.add(object("type", 1000)), program.plan.add(object("dict", 500)));
    let postings = program.plan.add(object("dict", 5000));
    program.plan.link(program.dict, class, attribute("Index"));
    program.plan.link(class, names, attribute("__dict__"));
    program.plan.link(names, postings, attribute("posting"));
    program.fill(postings, 1000, "list");
    assert_eq!(program.first(), "1000 list ← dict app.Index.posting");
}

#[test]
fn the_parts_of_one_object_have_a_row_each() {
    let mut program = program();
    let (state, names) =
        (program.plan.add(object("app.State", 48)), program.plan.add(object("dict", 100)));
    program.plan.link(program.dict, state, attribute("state"));
    program.plan.link(state, names, attribute("__dict__"));
    for name in ["users", "orders", "items", "carts", "logs"] {
        let list = program.plan.add(object("list", 800));
        program.plan.link(names, list, attribute(name));
        program.fill(list, 1000, "app.Row");
    }
    let rows = program.rows();
    assert!(
        rows[..5].iter().all(|row| row.starts_with("1000 app.Row ← list app.state.")),
        "{rows:?}"
    );
    assert!(!rows.iter().any(|row| row.ends_with("app.state")), "{rows:?}");
}

#[test]
fn a_linked_list_and_a_tree_are_named_by_their_heads() {
    let mut program = program();
    let mut holder = program.dict;
    for number in 0..1000 {
        let node = program.plan.add(object("app.Node", 600));
        program.plan.link(holder, node, attribute(if number == 0 { "head" } else { "next" }));
        holder = node;
    }
    assert_eq!(program.first(), "1000 app.Node ← app.Node app.head");

    let mut program = self::program();
    let mut nodes = vec![program.dict];
    for number in 0_usize..1023 {
        let node = program.plan.add(object("app.Tree", 600));
        let holder = if number == 0 { nodes[0] } else { nodes[number.div_ceil(2)] };
        let name = if number == 0 { "top" } else { ["left", "right"][number % 2] };
        program.plan.link(holder, node, attribute(name));
        nodes.push(node);
    }
    assert_eq!(program.first(), "1023 app.Tree ← app.Tree app.top");
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

#[test]
fn one_big_buffer_is_its_own_holder() {
    let mut program = program();
    let array = program.plan.add(object("numpy.ndarray", 5_000_000));
    program.plan.link(program.dict, array, attribute("weights"));
    assert_eq!(program.first(), "itself ← numpy.ndarray app.weights");
}

#[test]
fn an_element_that_is_heavy_by_itself_has_a_row_beside_its_list() {
    let mut program = program();
    let (list, giant) =
        (program.plan.add(object("list", 800)), program.plan.add(object("bytearray", 100_000)));
    program.plan.link(program.dict, list, attribute("jobs"));
    program.fill(list, 1000, "app.Job");
    program.plan.link(list, giant, item(1000));
    let rows = program.rows();
    assert_eq!(rows[..2], ["1000 app.Job ← list app.jobs", "itself ← bytearray app.jobs[1000]"]);
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
