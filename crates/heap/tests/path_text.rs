//! Defends that what is printed of a path can be typed, and that whatever is typed is a path or an
//! error that says what was there instead.

#[path = "../../../fuzz/bodies/path.rs"]
mod body;
#[path = "../../../fuzz/bodies/corpus.rs"]
mod corpus;
mod heaps;
#[path = "../../../fuzz/bodies/noise.rs"]
mod noise;

use deadweight_heap::path::{PathError, PathExpr, ShownPath, resolve};
use deadweight_heap::{EdgeKind, NodeId, RootKind, ShortestPaths};
use heaps::{Plan, PlanLabel, any_plan, attribute, item, object};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

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
