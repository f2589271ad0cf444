//! `deadweight gc`, as a person reads it.

use std::fs::File;

use deadweight_heap::{Bytes, snapshot};
use serde_json::json;

use crate::program::{Program, pythons};
use crate::shape::shape;
use crate::verb::{Folder, deadweight, document, printed};

/// Makes 600 rings of two objects that nothing holds, and one of three that something does.
const RINGS: &str = "
import gc, sys
gc.set_threshold(123, 4, 5)
gc.disable()
class Node:
    __slots__ = ('next',)
class Other:
    __slots__ = ('next',)
def ring(*nodes):
    for one, other in zip(nodes, nodes[1:] + nodes[:1]):
        one.next = other
    return nodes[0]
for _ in range(600):
    ring(Node(), Other())
kept = ring(Node(), Node(), Node())
gc.garbage.extend([None] * 7)
print('ready', flush=True)
sys.stdin.read()";

#[test]
fn it_says_how_the_collector_is_set_and_which_types_make_cycles() {
    for python in pythons() {
        let program = Program::start(std::process::Command::new(&python).args(["-I", "-c", RINGS]));
        let text = printed(&["gc", &program.pid(), "--top", "50"]);
        let shaped = shape(&text);
        let lines: Vec<&str> = shaped.lines().collect();
        assert_eq!(lines[1], "Collector: off (gc.disable), generational", "{python}");
        assert_eq!(
            lines[3], "generation threshold count objects collections collected uncollectable",
            "{python}"
        );
        for wanted in [
            "\ngc.garbage: 7 objects\n",
            "\nGarbage that waits: 1,200 objects in cycles; with what goes with them 58 kB, 1,200 objects as \
             gc.collect() counts\n",
            "\nAdvice: The collector does not run by itself, so cycles stay until gc.collect() is \
             called: 1,200 objects in cycles wait for that.\n",
            "\nAdvice: gc.garbage holds 7 objects, and with them all they lead to. They go when the \
             list is cleared; gc.DEBUG_LEAK and gc.DEBUG_SAVEALL fill it again.\n",
            "\nAdvice: 1,200 objects wait in cycles. Were one reference of each cycle weak (weakref), \
             they would go at once, without the collector.\n",
        ] {
            assert!(text.contains(wanted), "{python}: {wanted}\n{text}");
        }
        let json = document(&["gc", &program.pid(), "--top", "50"]);
        let waiting = &json["waiting"][0];
        assert_eq!((&waiting["cycles"], &waiting["objects"]), (&json!(600), &json!(1200)));
        let whole =
            json!({"objects": 1200, "tracked": 1200, "retained_bytes": waiting["shallow_bytes"]});
        assert_eq!((&waiting["would_free"], &json["would_free"]), (&whole, &whole), "{python}");
        for member in waiting["types"].as_array().unwrap() {
            assert_eq!(member["count"], 600, "{python}: {json}");
        }
        let only = json!([{"name": "__main__.Node", "count": 3}]);
        let live = json["cycles"].as_array().unwrap().iter().find(|row| row["types"] == only);
        assert_eq!(live.map(|row| &row["cycles"]), Some(&json!(1)), "{python}");
        let thresholds: Vec<_> = (0..3).map(|at| &json["generations"][at]["threshold"]).collect();
        assert_eq!(thresholds, [&json!(123), &json!(4), &json!(5)], "{python}");
        assert_eq!(json["garbage"], 7);
    }
}

#[test]
fn a_threshold_of_zero_is_off() {
    let program = Program::python(
        "import gc, sys; gc.set_threshold(0); print('ready', flush=True); sys.stdin.read()",
    );
    let text = printed(&["gc", &program.pid()]);
    assert!(text.contains("\nCollector: off (its first threshold is 0), generational\n"), "{text}");
    let codes: Vec<_> = document(&["gc", &program.pid()])["advice"].as_array().unwrap().clone();
    assert_eq!(codes[0]["code"], "off");
}

#[test]
fn a_snapshot_says_the_same_or_that_it_does_not_know() {
    let folder = Folder::new("collector");
    let (file, old) = (folder.file("now.dwsnap"), folder.file("old.dwsnap"));
    let program = Program::python(RINGS);
    printed(&["snapshot", &program.pid(), "-o", &file]);
    let (live, saved) = (document(&["gc", &program.pid()]), document(&["gc", &file]));
    for key in
        ["generations", "full_collection", "types", "waiting", "would_free", "cycles", "advice"]
    {
        assert_eq!(live[key], saved[key], "{key}");
    }
    let mut capture = snapshot::read(File::open(&file).unwrap(), Bytes(1 << 30)).unwrap();
    capture.provenance.collector = None;
    snapshot::write(&capture, File::create(&old).unwrap()).unwrap();
    let refused = deadweight(&["gc", &old]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("this snapshot does not hold the state of the collector"),
        "{}",
        refused.err
    );
}
