//! Defends docs/paths.md: every example in it is run.

mod heaps;

use deadweight_heap::path::{PathExpr, resolve};
use deadweight_heap::{EdgeKind, Heap, Label, NodeId, RootKind, Subject, query};
use heaps::{Plan, PlanLabel, attribute, item, object, pseudo_of};

const DOC: &str = include_str!("../../../docs/paths.md");

fn named(kind: EdgeKind, name: &str) -> PlanLabel {
    PlanLabel::Named(kind, name.to_owned())
}

fn at(kind: EdgeKind, index: u64) -> PlanLabel {
    PlanLabel::At(kind, index)
}

/// The heap of the program in the document.
fn program() -> Heap {
    let mut plan = Plan::new();
    let (interpreter, thread) = (plan.add(pseudo_of("interpreter")), plan.add(pseudo_of("thread")));
    let (top, frame) = (plan.add(pseudo_of("frame")), plan.add(pseudo_of("frame")));
    let library = plan.add(pseudo_of("static data"));
    let mut add = |type_name| plan.add(object(type_name, 64));
    let (app, models, codecs) = (add("module"), add("module"), add("dict"));
    let (names, model_names, user) = (add("dict"), add("dict"), add("type"));
    let (cache, ada, grace) = (add("list"), add("app.models.User"), add("app.models.User"));
    let (table, tags, red, green) = (add("dict"), add("set"), add("str"), add("str"));
    let (index, index_names, posting) = (add("type"), add("dict"), add("dict"));
    let (word, other) = (add("str"), add("str"));
    let lists: Vec<usize> = (0..6).map(|_| add("list")).collect();
    let (handler, cells, cell, body) =
        (add("function"), add("tuple"), add("cell"), add("bytearray"));
    let (fetch, fetched) = (add("functools._lru_cache_wrapper"), add("dict"));
    let (ticker, first, payload) = (add("generator"), add("weakref"), add("dict"));
    let frame_object = add("frame");

    for (kind, name, node) in [
        (RootKind::Module, "app", app),
        (RootKind::Module, "app.models", models),
        (RootKind::Interpreter, "", interpreter),
        (RootKind::Thread, "7", thread),
        (RootKind::StaticData, "libfoo.so", library),
    ] {
        plan.root(kind, name, node);
    }
    for (name, value) in [
        ("cache", cache),
        ("table", table),
        ("tags", tags),
        ("Index", index),
        ("handler", handler),
        ("fetch", fetch),
        ("ticker", ticker),
        ("first", first),
        ("a name", lists[0]),
        ("models", models),
    ] {
        plan.link(names, value, attribute(name));
    }
    plan.link(interpreter, codecs, attribute("codec_search_cache"));
    plan.link(app, names, attribute("__dict__"));
    plan.link(models, model_names, attribute("__dict__"));
    plan.link(model_names, user, attribute("User"));
    for (number, record) in [ada, grace].into_iter().enumerate() {
        plan.link(cache, record, item(number as u64));
        plan.link(record, user, at(EdgeKind::Class, 0));
    }
    plan.link(table, lists[1], named(EdgeKind::NamedEntry, "key"));
    plan.link(table, lists[2], at(EdgeKind::Entry, 1));
    plan.link(tags, red, at(EdgeKind::Key, 0));
    plan.link(tags, green, at(EdgeKind::Key, 1));
    plan.link(index, index_names, attribute("__dict__"));
    plan.link(index_names, posting, attribute("posting"));
    for (number, (key, value)) in [(word, lists[3]), (other, lists[4])].into_iter().enumerate() {
        plan.link(posting, key, at(EdgeKind::Key, number as u64));
        plan.link(posting, value, at(EdgeKind::Entry, number as u64));
    }
    plan.link(handler, cells, attribute("__closure__"));
    plan.link(cells, cell, named(EdgeKind::Closure, "body"));
    plan.link(cell, body, attribute("cell_contents"));
    plan.link(fetch, fetched, named(EdgeKind::Internal, "cache"));
    plan.link(ticker, lists[5], named(EdgeKind::Local, "rows"));
    plan.link(first, ada, named(EdgeKind::Weak, "__referent__"));
    plan.link(thread, top, named(EdgeKind::Frame, "app.py:1 <module>"));
    plan.link(thread, frame, named(EdgeKind::Frame, "app.py:42 handle"));
    plan.link(top, cache, named(EdgeKind::Local, "cache"));
    plan.link(frame, payload, named(EdgeKind::Local, "payload"));
    plan.link(frame, lists[1], at(EdgeKind::Stack, 0));
    plan.link(frame, frame_object, named(EdgeKind::Internal, "frame object"));
    plan.link(payload, lists[2], at(EdgeKind::Entry, 0));
    plan.link(library, lists[3], at(EdgeKind::Native, 64));
    plan.link(lists[3], lists[4], at(EdgeKind::Field, 24));
    plan.build()
}

/// The lines of all blocks of a sort, as their two columns.
fn examples(sort: &str) -> Vec<(&'static str, &'static str)> {
    let blocks = DOC.split("\n```").skip(1).step_by(2);
    let lines = blocks.filter_map(|block| block.strip_prefix(sort)).flat_map(str::lines);
    let columns = |line: &'static str| {
        let (left, right) = line.split_once("  ").unwrap_or_else(|| panic!("two columns: {line}"));
        (left.trim(), right.trim())
    };
    lines.filter(|line| !line.is_empty()).map(columns).collect()
}

#[test]
fn every_path_leads_where_the_document_says() {
    let heap = program();
    let examples = examples("paths");
    assert!(examples.len() > 35, "{examples:?}");
    for (text, types) in examples {
        let path: PathExpr = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(path.to_string(), text);
        let nodes = resolve(&heap, &path).unwrap_or_else(|error| panic!("{text}: {error}"));
        let found: Vec<&str> = nodes.iter().map(|&node| heap.type_name(node)).collect();
        assert_eq!(found.join(", "), types, "{text}");
    }
}

#[test]
fn other_ways_to_write_a_path_mean_the_same() {
    let examples = examples("same");
    assert!(examples.len() > 3);
    for (text, written) in examples {
        let path: PathExpr = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(path.to_string(), written);
        assert!(resolve(&program(), &path).is_ok(), "{text}");
    }
}

#[test]
fn errors_read_as_the_document_says() {
    let heap = program();
    let examples = examples("errors");
    assert!(examples.len() > 3);
    for (text, message) in examples {
        let found = text.parse::<PathExpr>().and_then(|path| resolve(&heap, &path));
        assert_eq!(found.expect_err(text).to_string(), message);
    }
}

#[test]
fn types_come_before_paths_when_objects_are_asked_for() {
    let heap = program();
    let instances = query(&heap, "app.models.User").expect("a type");
    assert!(matches!(instances, Subject::Type { ref nodes, .. } if nodes.len() == 2));
    assert_eq!(query(&heap, "User"), Ok(instances));
    let class = query(&heap, "app.models.__dict__.User").expect("a path");
    assert!(matches!(class, Subject::Path(ref nodes) if heap.type_name(nodes[0]) == "type"));
}

#[test]
fn the_last_index_stands_for_all_further_ones() {
    assert_eq!(Label::at(EdgeKind::Item, u64::MAX), Label::at(EdgeKind::Item, 67_108_863));
    assert!(Label::at(EdgeKind::Item, 67_108_862) != Label::at(EdgeKind::Item, 67_108_863));
    assert_eq!(NodeId(0), Heap::ROOT);
}
