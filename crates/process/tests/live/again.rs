//! A program caught in the middle of a change is taken again.

use deadweight_heap::{Capture, GapKind};
use deadweight_process::{Limits, Phase, ReadOptions, read, tally};

use crate::target::{Target, pythons};

/// A list whose first item is no object, as one has that is being changed, until a line is sent.
const HALF_CHANGED: &str = "
import ctypes, gc, sys
gc.disable()
held = [object(), object()]
ITEMS = 24  # listobject.h: PyVarObject, then ob_item
item = ctypes.c_uint64.from_address(ctypes.c_uint64.from_address(id(held) + ITEMS).value)
right = item.value
item.value = 8
print('changing', flush=True)
sys.stdin.readline()
item.value = right
print('changed', flush=True)
";

fn half_changed(python: &str) -> Target {
    let mut target = Target::python_of(python, HALF_CHANGED);
    assert_eq!(target.line(), "changing");
    target
}

fn invalid_references(capture: &Capture) -> u64 {
    let of_kind = |gap: &&deadweight_heap::Gap| gap.kind == GapKind::InvalidReference;
    capture.gaps.iter().filter(of_kind).map(|gap| gap.count).sum()
}

/// A list that is just being made: where it will say how many places it has, there still is an address.
const HALF_MADE: &str = "
import ctypes, gc, sys
gc.disable()
held = [object(), object()]
ALLOCATED = 32  # listobject.h: PyVarObject, ob_item, then allocated
ctypes.c_uint64.from_address(id(held) + ALLOCATED).value = id(held)
print('making', flush=True)
sys.stdin.readline()
";

/// Its size is not believed: it would own all that lies behind it, and the account would not add up.
#[test]
fn a_block_is_no_larger_than_what_is_mapped() {
    for python in pythons() {
        let mut target = Target::python_of(python, HALF_MADE);
        assert_eq!(target.line(), "making");
        let capture = read(target.pid(), &ReadOptions::default(), |_| {}).unwrap();
        let gaps: Vec<_> = capture.gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
        assert_eq!(gaps, [(GapKind::Unreadable, 1)], "{python}");
        let tallied = tally(target.pid(), &Limits::default(), |_| {}).unwrap();
        let gaps: Vec<_> = tallied.gaps.iter().map(|gap| (gap.kind, gap.count)).collect();
        assert_eq!(gaps, [(GapKind::Unreadable, 1)], "{python}");
    }
}

#[test]
fn what_is_changed_by_the_next_look_is_no_gap() {
    for python in pythons() {
        let mut target = half_changed(python);
        let mut phases = Vec::new();
        let capture = read(target.pid(), &ReadOptions::default(), |phase| {
            if phase == Phase::CopyingAgain {
                assert_eq!(target.ask(), "changed");
            }
            phases.push(phase);
        });
        assert_eq!(invalid_references(&capture.unwrap()), 0, "{python}");
        let expected = [Phase::Copying, Phase::Decoding, Phase::CopyingAgain, Phase::Decoding];
        assert_eq!(phases, expected, "{python}");
    }
}

#[test]
fn what_stays_is_told() {
    for python in pythons() {
        let target = half_changed(python);
        let mut copies = 0;
        let capture = read(target.pid(), &ReadOptions::default(), |phase| {
            copies += u32::from(phase != Phase::Decoding);
        });
        assert_eq!((invalid_references(&capture.unwrap()), copies), (1, 3), "{python}");
    }
}

/// The first look is not lost.
#[test]
fn a_program_that_ends_before_it_can_be_taken_again_is_reported_as_it_was() {
    let target = half_changed("python3");
    let capture = read(target.pid(), &ReadOptions::default(), |phase| {
        if phase == Phase::CopyingAgain {
            target.signal("KILL");
            target.await_state('Z');
        }
    });
    assert_eq!(invalid_references(&capture.unwrap()), 1);
}
