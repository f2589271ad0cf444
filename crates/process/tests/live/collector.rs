//! The state of a collector, against what the program's own `gc` module says.

use deadweight_heap::{Collector, Gone, NodeId, cycles};
use deadweight_process::{ReadOptions, read};

use crate::target::{Target, pythons_of_this_machine};

/// Says what `gc` says, and makes 5,000 lists at each line it is sent. What it prints itself leaves
/// changes the young: those are held by the difference of two readings.
const SCRIPT: &str = "
import gc, sys
class Kept:
    pass
def ring():
    a, b = Kept(), []
    a.other = b
    b.append(a)
gc.set_threshold(901, 7, 8)
for _ in range(300):
    ring()
gc.collect()
oldest = [Kept() for _ in range(1234)]
gc.freeze()
old = [Kept() for _ in range(567)]
gc.collect()
middle = [Kept() for _ in range(89)]
gc.collect(0)
gc.disable()
gc.garbage.extend('abc')
for _ in range(400):
    ring()
made = []
stats = [row[key] for row in gc.get_stats() for key in ('collections', 'collected', 'uncollectable')]
print(*gc.get_threshold(), *stats, *gc.get_count()[1:], gc.get_freeze_count(), len(gc.garbage),
      len(gc.get_objects(generation=1)), len(gc.get_objects(generation=2)), flush=True)
for line in sys.stdin:
    for _ in range(5000):
        made.append([])
    print('pong', flush=True)
    del _
";

#[test]
fn a_collector_says_from_outside_what_it_says_inside() {
    for python in pythons_of_this_machine() {
        let python = python.to_str().unwrap();
        let mut target = Target::start(std::process::Command::new(python).args(["-c", SCRIPT]));
        let said = target.numbers();
        let mut states: Vec<(Collector, u64)> = Vec::new();
        // The first answer makes buffers, the second nothing but what it is told to.
        for _ in 0..3 {
            assert_eq!(target.ask(), "pong", "{python}");
            let capture = read(target.pid(), &ReadOptions::default(), |_| {}).unwrap();
            let provenance = capture.provenance;
            let waiting: Vec<_> =
                cycles(&capture.heap).into_iter().filter(|row| row.garbage).collect();
            let [rings] = &waiting[..] else { panic!("{python}: {waiting:?}") };
            assert_eq!(rings.cycles, 400, "{python}");
            states.push((provenance.collector.unwrap(), provenance.permanent));
        }
        let (state, permanent) = states.last().unwrap();
        let of = |value: fn(&deadweight_heap::Generation) -> u64| {
            state.generations.each_ref().map(value)
        };
        let mut ours = of(|one| one.threshold as u64).to_vec();
        for one in &state.generations {
            ours.extend([one.collections, one.collected, one.uncollectable]);
        }
        ours.extend(&of(|one| one.count as u64)[1..]);
        ours.extend([*permanent, state.garbage]);
        ours.extend(&of(|one| one.objects)[1..]);
        assert_eq!(ours, said, "{python}");
        assert!(
            of(|one| one.collected).iter().sum::<u64>() >= 600,
            "{python}: the rings of before"
        );
        assert_eq!((state.enabled, state.collecting), (false, false), "{python}");
        let young = |at: usize| states[at].0.generations[0];
        assert_eq!(young(2).objects - young(1).objects, 5000, "{python}");
        assert_eq!(young(2).count - young(1).count, 5000, "{python}");
    }
}

/// Drops sessions that hold themselves, each with a dict, a list, a text and a list that it shares with all,
/// and says how many objects a collection found.
const SESSIONS: &str = "
import gc, sys
class Session:
    pass
class Slim:
    __slots__ = ('me', 'more')
gc.collect()
gc.disable()
common = [object()]
def drop(number):
    one = Session()
    one.me, one.attributes, one.rows, one.common = one, {'one': []}, [(number,)], common
    one.text = 'text %d' % number
    slim = Slim()
    slim.me, slim.more = slim, [one.rows]
for number in range(500):
    drop(number)
del common
print('ready', flush=True)
sys.stdin.readline()
print(gc.collect(), flush=True)
sys.stdin.readline()
";

#[test]
fn what_a_collection_would_free_is_what_it_then_frees() {
    for python in pythons_of_this_machine() {
        let python = python.to_str().unwrap();
        let mut target = Target::start(std::process::Command::new(python).args(["-c", SESSIONS]));
        assert_eq!(target.line(), "ready", "{python}");
        let heap = read(target.pid(), &ReadOptions::default(), |_| {}).unwrap().heap;
        let gone = Gone::whole(&heap);
        let in_cycles: u64 =
            cycles(&heap).iter().filter(|row| row.garbage).map(|row| row.objects).sum();
        let counted: u64 = target.ask().parse().unwrap();
        assert_eq!(gone.tracked, counted, "{python}");
        assert!(
            (1000..counted).contains(&in_cycles),
            "{python}: what goes with them is in no cycle"
        );
        assert!(gone.objects > gone.tracked, "{python}: the texts go, too");
        let after = read(target.pid(), &ReadOptions::default(), |_| {}).unwrap().heap;
        assert_eq!(Gone::whole(&after), Gone::default(), "{python}");
    }
}

/// Says in which order the collector has instances of one class: the oldest first, then the youngest. A full
/// collection has put the oldest into the order of the list that was made after them.
const ORDER: &str = "
import gc, random
class Kept:
    pass
gc.disable()
first = [Kept() for _ in range(500)]
old = random.Random(1).sample(first, 500)
del first
gc.collect()
middle = [Kept() for _ in range(50)]
gc.collect(0)
young = [Kept() for _ in range(50)]
kept = [one for number in (2, 0, 1) for one in gc.get_objects(generation=number) if type(one) is Kept]
print(*map(id, kept), flush=True)
input()
";

#[test]
fn the_lists_come_in_the_order_in_which_a_collection_goes_through_them() {
    for python in pythons_of_this_machine() {
        let python = python.to_str().unwrap();
        let mut target = Target::start(std::process::Command::new(python).args(["-c", ORDER]));
        let said = target.numbers();
        assert!(said.len() == 600 && !said[..500].is_sorted(), "{python}");
        let capture = read(target.pid(), &ReadOptions::default(), |_| {}).unwrap();
        let heap = &capture.heap;
        let is_kept = |node: &NodeId| heap.type_name(*node) == "__main__.Kept";
        let kept = capture.lists.iter().copied().filter(is_kept);
        let ours: Vec<u64> = kept.map(|node| heap.nodes.address(node).0).collect();
        assert!(ours == said, "{python}");
        let listed: u64 =
            capture.provenance.collector.unwrap().generations.iter().map(|one| one.objects).sum();
        assert_eq!(capture.lists.len() as u64, listed, "{python}");
    }
}
