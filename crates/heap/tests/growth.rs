//! Defends `growth`: what grows is found whichever nameless holder its references are found in.

mod heaps;

use deadweight_heap::{EdgeKind, Growth, Heap, RootKind};
use heaps::{Plan, PlanLabel, object, pseudo};

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
