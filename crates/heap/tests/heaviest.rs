//! Defends the list of what is heaviest: what is named, by which holder, and that no byte is twice.

mod heaps;

use std::collections::BTreeMap;

use deadweight_heap::{
    Bytes, Dominators, EdgeKind, Heap, HeavyRow, Layer, NodeFlags, NodeId, RootKind, ShortestPaths,
    heaviest,
};
use heaps::{Plan, PlanLabel, any_plan, attribute, item, object, pseudo};
use proptest::prelude::*;

/// What each row accounts for, found the slow way: every node belongs to the first row met on the way
/// from it to the root.
fn accounted(heap: &Heap, dominators: &Dominators, rows: &[HeavyRow]) -> Vec<Bytes> {
    let mut row_of: BTreeMap<u32, usize> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let things = if row.things.is_empty() { vec![row.holder] } else { row.things.clone() };
        for node in things {
            assert_eq!(row_of.insert(node.0, number), None, "one node has two rows");
        }
    }
    let mut bytes = vec![Bytes(0); rows.len()];
    for node in heap.nodes.ids() {
        let mut above = node;
        while above != Heap::ROOT && !row_of.contains_key(&above.0) {
            above = dominators.idom(above);
        }
        if let Some(&row) = row_of.get(&above.0) {
            bytes[row] += heap.nodes.held(node);
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn no_two_heaviest_rows_claim_the_same_byte(plan in any_plan()) {
        let heap = plan.build();
        let dominators = Dominators::of(&heap);
        let rows = heaviest(&heap, &dominators, &ShortestPaths::of(&heap), usize::MAX);
        prop_assert!(rows.is_sorted_by(|a, b| a.bytes >= b.bytes));
        let bytes: Vec<Bytes> = rows.iter().map(|row| row.bytes).collect();
        prop_assert_eq!(bytes, accounted(&heap, &dominators, &rows));
        for row in &rows {
            let things = if row.things.is_empty() { &vec![row.holder] } else { &row.things };
            prop_assert_eq!(row.retained, dominators.retained_by_all(things));
            let is_own = |node: &NodeId| heap.nodes.flags(*node).has(NodeFlags::INTERPRETER);
            prop_assert!(!things.iter().any(is_own) && things.contains(&row.holder));
            if let Some(group) = row.group {
                prop_assert!(group.retained <= row.bytes && group.count > 0);
            }
        }
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
        heaviest(&heap, &dominators, &paths, 20).iter().map(|row| text(&heap, row)).collect()
    }
}

fn text(heap: &Heap, row: &HeavyRow) -> String {
    let group = row.group.map_or("itself".to_owned(), |group| {
        format!("{} {}", group.count, heap.names.get(heap.types.get(group.type_id).name))
    });
    let held_by: Vec<String> = row.held_by.iter().map(ToString::to_string).collect();
    let held_by = held_by.join(", ");
    if !row.things.is_empty() {
        return format!("{group} held by {held_by}");
    }
    let also = if held_by.is_empty() { held_by } else { format!(" also {held_by}") };
    format!("{group} ← {} {}{also}", heap.type_name(row.holder), row.path)
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
    assert_eq!(program.first(), "1000 app.User held by app.a[*], app.b[*]");
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
    assert!(rows.contains(&"1000 str held by app.a[*], app.b[*]".to_owned()), "{rows:#?}");
    assert!(rows.contains(&"2 list ← module app".to_owned()), "{rows:#?}");
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
    assert_eq!(program.first(), "1000 bytes ← dict app.fetch.<cache>");
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
    program.fill(postings, 1000, "app.Posting");
    assert_eq!(program.first(), "1000 app.Posting ← dict app.Index.posting");
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

impl Program {
    /// A second module's dict.
    fn module(&mut self, name: &str) -> usize {
        let (module, dict) =
            (self.plan.add(object("module", 64)), self.plan.add(object("dict", 256)));
        self.plan.root(RootKind::Module, name, module);
        self.plan.link(module, dict, attribute("__dict__"));
        dict
    }

    /// A container below a name.
    fn named(&mut self, holder: usize, type_name: &'static str, name: &str) -> usize {
        let container = self.plan.add(object(type_name, 800));
        self.plan.link(holder, container, attribute(name));
        container
    }

    /// Objects, each of them an item of all the containers.
    fn share(&mut self, containers: &[usize], count: u64, type_name: &'static str, held: u64) {
        for index in 0..count {
            let thing = self.plan.add(object(type_name, held));
            for &container in containers {
                self.plan.link(container, thing, item(index));
            }
        }
    }

    fn assert_has(&self, wanted: &[&str]) {
        let rows = self.rows();
        for wanted in wanted {
            assert!(rows.iter().any(|row| row == wanted), "{wanted}\nin\n{rows:#?}");
        }
    }
}

#[test]
fn what_two_modules_share_has_a_row() {
    let mut program = program();
    let other = program.module("other");
    let (store, names) =
        (program.named(program.dict, "dict", "store"), program.named(other, "dict", "names"));
    program.share(&[store, names], 1000, "app.Rec", 5000);
    assert_eq!(program.first(), "1000 app.Rec held by app.store[*], other.names[*]");
}

#[test]
fn what_groups_of_one_module_share_has_a_row_a_group() {
    let mut program = program();
    let lists = ["a", "b", "c", "d"].map(|name| program.named(program.dict, "list", name));
    program.share(&lists[..2], 1000, "app.X", 2000);
    program.share(&lists[2..], 1000, "app.Cached", 3000);
    program.share(&lists[1..3], 1000, "app.X", 1000);
    assert_eq!(
        program.rows()[..3],
        [
            "1000 app.Cached held by app.c[*], app.d[*]",
            "1000 app.X held by app.a[*], app.b[*]",
            "1000 app.X held by app.b[*], app.c[*]",
        ]
    );
}

#[test]
fn what_the_lists_of_one_instance_share_names_them() {
    let mut program = program();
    let state = program.named(program.dict, "app.State", "state");
    let lists = ["by_id", "by_name"].map(|name| program.named(state, "list", name));
    program.share(&lists, 1000, "app.User", 480);
    assert_eq!(program.first(), "1000 app.User held by app.state.by_id[*], app.state.by_name[*]");
}

#[test]
fn the_two_ends_of_a_linked_list_hold_all_of_it() {
    let mut program = program();
    let mut last = program.plan.add(object("app.DL", 96));
    program.plan.link(program.dict, last, attribute("first"));
    for _ in 0..3000 {
        let next = program.plan.add(object("app.DL", 96));
        program.plan.link(last, next, attribute("n"));
        program.plan.link(next, last, attribute("p"));
        last = next;
    }
    program.plan.link(program.dict, last, attribute("last"));
    assert_eq!(program.first(), "3001 app.DL held by app.first, app.last");
    let heap = program.plan.build();
    let rows = heaviest(&heap, &Dominators::of(&heap), &ShortestPaths::of(&heap), 1);
    assert_eq!(rows[0].bytes, Bytes(3001 * 96));
}

#[test]
fn one_thing_that_others_hold_too_says_so() {
    let mut program = program();
    let other = program.module("other");
    let plug = program.named(program.dict, "app.Plug", "one");
    program.plan.link(other, plug, attribute("mine"));
    let big = program.plan.add(object("bytearray", 500_000));
    program.plan.link(plug, big, attribute("big"));
    assert_eq!(program.first(), "itself ← bytearray app.one.big also other.mine");
}

#[test]
fn a_label_looks_through_containers_for_what_weighs() {
    let mut program = program();
    let cache = program.named(program.dict, "dict", "cache");
    for tenant in 0..200 {
        let entry = program.plan.add(object("dict", 200));
        program.plan.link(cache, entry, PlanLabel::At(EdgeKind::Entry, tenant));
        let (rows, meta) =
            (program.plan.add(object("list", 500)), program.plan.add(object("dict", 64)));
        program.plan.link(entry, rows, PlanLabel::At(EdgeKind::Entry, 0));
        program.plan.link(entry, meta, PlanLabel::At(EdgeKind::Entry, 1));
        program.fill(rows, 50, "app.P");
    }
    assert_eq!(program.first(), "10000 app.P ← dict app.cache");
}

#[test]
fn of_containers_alone_the_outermost_are_counted_and_not_the_holder() {
    let mut program = program();
    let rows = program.named(program.dict, "list", "rows");
    for index in 0..300 {
        let row = program.plan.add(object("list", 2000));
        let inner = program.plan.add(object("list", 100));
        program.plan.link(rows, row, item(index));
        program.plan.link(row, inner, item(0));
    }
    assert_eq!(program.first(), "300 list ← list app.rows");
}

#[test]
fn one_object_that_weighs_most_is_one() {
    let mut program = program();
    let cache = program.named(program.dict, "list", "answers");
    program.share(&[cache], 20, "str", 50);
    program.share(&[cache], 1, "str", 50_000);
    program.share(&[cache], 20, "app.User", 500);
    program.assert_has(&["itself ← str app.answers[0]"]);

    let mut program = self::program();
    let cache = program.named(program.dict, "list", "answers");
    program.share(&[cache], 60, "str", 1000);
    assert_eq!(program.first(), "60 str ← list app.answers");
}

#[test]
fn lists_within_lists_without_end_are_named_by_the_first() {
    let mut program = program();
    let mut holder = program.named(program.dict, "list", "deep");
    for _ in 0..5000 {
        let inner = program.plan.add(object("list", 80));
        program.plan.link(holder, inner, item(0));
        holder = inner;
    }
    assert_eq!(program.first(), "5000 list ← list app.deep");
}

#[test]
fn garbage_has_a_row_a_type() {
    let mut program = program();
    // Pseudo nodes come first, so the holder takes the place of a plan of its own.
    let mut plan = Plan::new();
    let garbage = plan.add(pseudo());
    plan.root(RootKind::Garbage, "", garbage);
    program.plan = plan;
    for (name, held) in [("app.Node", 400), ("app.Small", 300)] {
        program.share(&[garbage], 1000, name, held);
    }
    program.plan.nodes[2..].iter_mut().for_each(|node| node.layer = Layer::Garbage);
    assert_eq!(
        program.rows(),
        [
            "1000 app.Node held by <garbage not yet collected>[*]",
            "1000 app.Small held by <garbage not yet collected>[*]"
        ]
    );
}
