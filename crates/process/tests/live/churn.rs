//! A program that never stands still by itself, read again and again: neither side comes to harm.

use std::path::PathBuf;
use std::process::Command;

use deadweight_heap::GapKind;
use deadweight_process::{Phase, ReadOptions, read};

use crate::target::{Target, at_length, pythons, pythons_of_this_machine};

/// What a read of a program in motion may lack: objects that a running collection has taken off its
/// lists. A reference that leads to no object is not among it: a copy with one is taken again.
const ALLOWED: [GapKind; 1] = [GapKind::CollectorRunning];

#[test]
fn a_program_that_churns_collects_forks_and_maps_can_be_read_at_any_moment() {
    let (pythons, rounds): (Vec<PathBuf>, _) = if at_length() {
        (pythons_of_this_machine(), 100)
    } else {
        (pythons().into_iter().map(PathBuf::from).collect(), 10)
    };
    let mut failures = Vec::new();
    for python in &pythons {
        let mut target = Target::start(Command::new(python).args(["-c", include_str!("churn.py")]));
        assert_eq!(target.line(), "ready");
        let (mut collecting, mut again) = (0, 0);
        for round in 0..rounds {
            let count_again = |phase| again += u32::from(phase == Phase::CopyingAgain);
            let capture = read(target.pid(), &ReadOptions::default(), count_again).unwrap();
            assert!(capture.heap.objects() > 5000, "{} objects", capture.heap.objects());
            for gap in &capture.gaps {
                if !ALLOWED.contains(&gap.kind) {
                    failures.push(format!("{} round {round}: {gap:?}", python.display()));
                }
                collecting += u32::from(gap.kind == GapKind::CollectorRunning);
            }
            // A motion is rare (docs/safety.md); what comes often is a layout read wrong.
            assert!(
                again <= 2 + round / 20,
                "{}: {again} of {round} reads taken again",
                python.display()
            );
            if round % 10 == 9 {
                assert_eq!(target.ask(), "right", "{}", python.display());
            }
        }
        println!(
            "{}: {rounds} reads, {again} taken again, {collecting} in a collection",
            python.display()
        );
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
