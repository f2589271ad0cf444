//! Damage that once did harm, each by its name.

use deadweight_cpython::WalkOptions;
use deadweight_heap::GapKind;

use crate::image::Image;
use crate::image::memory::FakeProcess;
use crate::image::numbers::Python;
use crate::oracle::read;
use crate::survival::{LITTLE_WORK, MOST_WORK, survives};

/// Nodes that are no objects, and gaps.
fn read_damaged(process: &FakeProcess) -> (usize, Vec<GapKind>) {
    let (walked, _) = read(process, process, WalkOptions::default());
    let pseudo = walked.heap.nodes.len() - walked.heap.objects() as usize;
    (pseudo, walked.gaps.iter().map(|gap| gap.kind).collect())
}

fn named_list(image: &mut Image) -> crate::image::model::Obj {
    let list = image.list(&[]);
    image.module("app", &[("cache", list)]);
    list
}

#[test]
fn a_list_of_the_collector_that_runs_in_a_circle_is_told() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        let list = named_list(&mut image);
        let node = image.address(list) - 16;
        let (mut process, _) = image.finish();
        process.poke(node, node);
        let (_, gaps) = read_damaged(&process);
        assert_eq!(gaps, [GapKind::BrokenList], "{}", python.text());
        assert!(survives(&process, LITTLE_WORK).is_ok());
    }
}

#[test]
fn a_thread_that_follows_itself_is_told_of_once() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        let thread = image.thread(4242);
        let (state, next) = (image.thread_state(thread), image.numbers.thread_next);
        let (mut process, _) = image.finish();
        let whole = read_damaged(&process);
        process.poke(state + next, state);
        assert_eq!(read_damaged(&process), whole, "{}", python.text());
    }
}

#[test]
fn a_frame_that_called_itself_is_told_of_once() {
    for python in Python::ALL.into_iter().filter(|&python| python > Python::V3_10) {
        let mut image = Image::new(python);
        let (thread, _) = image.running_thread();
        let (place, previous) = (image.current_frame(thread), image.numbers.frame_previous);
        let (mut process, _) = image.finish();
        let whole = read_damaged(&process);
        let frame = process.peek(place).expect("it runs");
        process.poke(frame + previous, frame);
        assert_eq!(read_damaged(&process), whole, "{}", python.text());
    }
}

/// 3.12 marks a pointer to values by its lowest bit, and leads to one byte further on.
#[test]
fn values_at_the_end_of_all_memory_are_not_there() {
    let mut image = Image::new(Python::V3_12);
    let class = image.class("app", "Point", &["x"]);
    let one = image.int(1);
    let point = image.instance(class, &[("x", one)]);
    image.module("app", &[("point", point)]);
    let pointer = image.address(point) - 24;
    let (mut process, _) = image.finish();
    process.poke(pointer, u64::MAX);
    assert_eq!(read_damaged(&process).1, [GapKind::Unreadable]);
}

#[test]
fn a_stack_at_the_end_of_all_memory_is_not_there() {
    let mut image = Image::new(Python::V3_13);
    image.thread(4242);
    let (mut process, _) = image.finish();
    let whole = read_damaged(&process);
    process.threads[0].stack_pointer = u64::MAX - 2;
    assert_eq!(read_damaged(&process), whole);
}

/// Each of many tuples claims all that follows it.
#[test]
fn what_many_claim_is_read_only_so_often() {
    for (tuples, items) in [(300, 4000), (6000, 4000)] {
        let mut image = Image::new(Python::V3_11);
        let all: Vec<_> = (0..tuples).map(|_| image.tuple(&[])).collect();
        let places: Vec<u64> = all.iter().map(|&tuple| image.address(tuple)).collect();
        let held = image.list(&all);
        image.module("app", &[("held", held)]);
        let (mut process, _) = image.finish();
        for at in places {
            process.poke(at + 16, items);
        }
        let seen = survives(&process, MOST_WORK).expect("it is recognised");
        assert!(!seen.gaps.is_empty());
    }
}

/// What a collector says of itself is read as it stands, and where its statistics cannot be, they are none.
#[test]
fn numbers_of_a_collector_may_be_anything() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        named_list(&mut image);
        let (gc, generations) = (image.numbers.interpreter_gc, image.numbers.gc_generations);
        let (mut process, model) = image.finish();
        let state = model.interpreters[0] + gc;
        // The second generation's threshold and count.
        process.poke(state + generations + 24 + 16, u64::MAX).expect("it is there");
        // `generation_stats` is a pointer in 3.15 (internal/pycore_interp_structs.h).
        if python == Python::V3_15 {
            process.poke(state + 104, u64::MAX - 8).expect("it is there");
        }
        let (walked, _) = read(&process, &process, WalkOptions::default());
        let collector = walked.collector.expect("there is an interpreter");
        let [_, second, _] = collector.generations;
        assert_eq!((second.threshold, second.count), (-1, -1), "{}", python.text());
        assert_eq!(second.collections, 0, "{}", python.text());
        let objects: u64 = collector.generations.iter().map(|one| one.objects).sum();
        assert_eq!(objects + walked.permanent, walked.tracked, "{}", python.text());
    }
}
