//! Defends `growth`: what grows is found whichever nameless holder its references are found in, and
//! whichever keys of dicts were kept.

mod heaps;

use deadweight_heap::{EdgeKind, Growth, Heap, Leak, RootKind};
use heaps::{Plan, PlanLabel, attribute, item, object, pseudo};

/// A heap with as many objects that only native code holds. One of them is found by a word of the
/// interpreter's state, if `strays`; the others in the list of what has no holder.
fn forgotten(count: usize, strays: bool) -> Heap {
    let mut plan = Plan::new();
    let (native, state) = (plan.add(pseudo()), plan.add(pseudo()));
    let records: Vec<usize> = (0..count).map(|_| plan.add(object("app.Record", 48))).collect();
    plan.root(RootKind::NativeCode, "", native);
    plan.root(RootKind::InterpreterState, "", state);
    for (index, &record) in records.iter().enumerate() {
        if index == 0 && strays {
            plan.link(state, record, PlanLabel::At(EdgeKind::Native, 216));
        } else {
            plan.link(native, record, PlanLabel::At(EdgeKind::Item, index as u64));
        }
    }
    plan.build()
}

#[test]
fn holders_without_a_name_are_one() {
    let mut growth = Growth::default();
    for (count, strays) in [(3, false), (4, false), (5, true), (6, true), (7, false)] {
        growth.observe(&forgotten(count, strays));
    }
    let [leak] = growth.leaks() else { panic!("{:?}", growth.leaks()) };
    assert_eq!((leak.type_name.as_str(), leak.count, leak.bytes.0), ("app.Record", 4, 4 * 48));
    assert!(leak.holder.starts_with('<'), "{}", leak.holder);
}

#[test]
fn what_only_moves_does_not_grow() {
    let mut growth = Growth::default();
    for strays in [false, true, true, false] {
        growth.observe(&forgotten(3, strays));
    }
    assert_eq!(growth.leaks(), []);
}

/// A program whose cache holds so many records, each of which takes so many bytes; the cache takes some itself.
fn cached(count: usize, each: u64, cache: u64) -> Heap {
    let mut plan = Plan::new();
    let module = plan.add(pseudo());
    plan.root(RootKind::Module, "app", module);
    let list = plan.add(object("list", cache));
    plan.link(module, list, attribute("cache"));
    for index in 0..count {
        let record = plan.add(object("app.Record", each));
        plan.link(list, record, item(index as u64));
    }
    plan.build()
}

/// What is said to leak in the end, of caches of so many records.
fn leaking(counts: &[usize]) -> Vec<Leak> {
    let mut growth = Growth::default();
    for &count in counts {
        growth.observe(&cached(count, 48, 100));
    }
    growth.leaks().to_vec()
}

#[test]
fn what_grows_in_every_round_leaks_all_that_was_added() {
    let [leak] = &leaking(&[5, 6, 8, 9])[..] else { panic!() };
    assert_eq!((leak.holder.as_str(), leak.type_name.as_str()), ("app.cache", "app.Record"));
    assert_eq!((leak.count, leak.objects, leak.bytes.0), (4, 4, 4 * 48));
}

#[test]
fn one_round_without_growth_is_enough_to_say_nothing() {
    for counts in
        [[5, 5, 6, 7], [5, 6, 6, 7], [5, 6, 7, 7], [5, 6, 7, 6], [5, 9, 8, 9], [9, 8, 7, 6]]
    {
        assert_eq!(leaking(&counts), [], "{counts:?}");
    }
}

#[test]
fn what_was_given_up_does_not_count_when_it_grows_again() {
    assert_eq!(leaking(&[5, 6, 5, 6, 7, 8, 9]), []);
}

#[test]
fn a_heap_alone_or_a_growth_that_has_seen_none_has_no_leaks() {
    assert_eq!(leaking(&[5]), []);
    assert_eq!(leaking(&[]), []);
    assert_eq!(Growth::default().rounds(), 0);
}

#[test]
fn what_only_gets_larger_leaks_its_bytes() {
    let mut growth = Growth::default();
    for size in [100, 120, 160] {
        growth.observe(&cached(5, 48, size));
    }
    assert_eq!(growth.rounds(), 2);
    let [leak] = growth.leaks() else { panic!("{:?}", growth.leaks()) };
    assert_eq!((leak.path.as_str(), leak.type_name.as_str()), ("app.cache", "list"));
    assert_eq!((leak.count, leak.bytes.0), (0, 60));
}

#[test]
fn more_and_smaller_and_fewer_and_larger_by_turns_is_no_growth() {
    let mut growth = Growth::default();
    for (count, each) in [(4, 64), (6, 32), (5, 80), (7, 48)] {
        growth.observe(&cached(count, each, 100));
    }
    assert_eq!(growth.leaks(), []);
}

/// A library whose static data refers to five strings, and as many in the interpreter's state.
fn found_in_state(count: usize) -> Heap {
    let mut plan = Plan::new();
    let (library, state) = (plan.add(pseudo()), plan.add(pseudo()));
    plan.root(RootKind::StaticData, "libfoo.so", library);
    plan.root(RootKind::InterpreterState, "", state);
    for (holder, count) in [(library, 5), (state, count)] {
        for index in 0..count {
            let name = plan.add(object("str", 56));
            plan.link(holder, name, PlanLabel::At(EdgeKind::Native, index as u64));
        }
    }
    plan.build()
}

#[test]
fn of_holders_without_a_name_the_one_that_grows_is_named() {
    let mut growth = Growth::default();
    for count in 1..4 {
        growth.observe(&found_in_state(count));
    }
    let [leak] = growth.leaks() else { panic!("{:?}", growth.leaks()) };
    assert_eq!((leak.type_name.as_str(), leak.count), ("str", 2));
    assert_eq!(leak.holder, "<interpreter state>");
    assert!(leak.path.starts_with("<interpreter state>"), "{}", leak.path);
}

/// A dict whose keys were kept, held by a module or a local variable of each thread; under each key a list
/// of so many records.
fn tables(roots: &[(RootKind, &str)], lists: &[(&str, usize)]) -> Heap {
    let mut plan = Plan::new();
    let nodes: Vec<usize> = roots.iter().map(|_| plan.add(pseudo())).collect();
    for (&(kind, name), root) in roots.iter().zip(nodes) {
        plan.root(kind, name, root);
        let dict = plan.add(object("dict", 200));
        plan.link(root, dict, attribute("tables"));
        for &(key, count) in lists {
            let list = plan.add(object("list", 100));
            let key = format!("{key}{}", if roots.len() > 1 { name } else { "" });
            plan.link(dict, list, PlanLabel::Named(EdgeKind::NamedEntry, key));
            for index in 0..count {
                let record = plan.add(object("app.Record", 48));
                plan.link(list, record, item(index as u64));
            }
        }
    }
    plan.build()
}

fn holders(heaps: &[Heap]) -> Vec<String> {
    let mut growth = Growth::default();
    for heap in heaps {
        growth.observe(heap);
    }
    growth.leaks().iter().map(|leak| leak.holder.clone()).collect()
}

#[test]
fn a_key_that_was_kept_is_in_the_path_if_all_is_below_it() {
    let app = [(RootKind::Module, "app")];
    let one = [5, 6, 7].map(|count| tables(&app, &[("users", count)]));
    assert_eq!(holders(&one), ["app.tables['users']"]);
    let two = [5, 6, 7].map(|count| tables(&app, &[("users", count), ("names", count)]));
    assert_eq!(holders(&two), ["app.tables[*]"]);
}

#[test]
fn new_keys_in_each_round_are_one_dict_that_grows() {
    let keys = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
    let heaps = [1, 2, 3, 4].map(|count| tables(&[(RootKind::Module, "app")], &keys[..count]));
    assert_eq!(holders(&heaps), ["app.tables"]);
}

#[test]
fn a_key_of_one_thread_is_not_said_to_be_of_all() {
    let threads = ["1", "2", "3"].map(|number| (RootKind::Thread, number));
    let heaps = [5, 6, 7].map(|count| tables(&threads, &[("rows", count)]));
    let found = holders(&heaps);
    assert!(found.len() == 1 && found[0].ends_with("tables[*]"), "{found:?}");
}
