//! Processes that were stopped in the middle of a change.

use deadweight_cpython::{Runtime, Scale, WalkOptions, Walked};
use deadweight_heap::{Addr, EdgeKind, GapKind, Layer, NodeId};

use crate::image::Image;
use crate::image::code::CodeSpec;
use crate::image::frames::{FrameSpec, OnFrame};
use crate::image::memory::{FakeProcess, Segment};
use crate::image::model::{Model, Obj};
use crate::image::numbers::Python;
use crate::oracle::read;

fn walked(process: &FakeProcess) -> Walked {
    read(process, process, WalkOptions::default()).0
}

fn gaps(walked: &Walked) -> Vec<GapKind> {
    walked.gaps.iter().map(|gap| gap.kind).collect()
}

fn node(walked: &Walked, model: &Model, object: Obj) -> NodeId {
    let address = model.object(object).address;
    let mut all = walked.heap.object_ids();
    all.find(|&node| walked.heap.nodes.address(node).0 == address).expect("it is found")
}

/// `CALL_ALLOC_AND_ENTER_INIT` runs a frame whose code is a constant of the interpreter.
#[test]
fn code_in_read_only_data_is_a_constant() {
    for python in [Python::V3_12, Python::V3_13] {
        let mut image = Image::new(python);
        let (thread, code) = image.running_thread();
        let (place, offset) = (image.current_frame(thread), image.numbers.frame_code);
        let (mut process, model) = image.finish();
        let frame = process.peek(place).expect("it runs");
        let from = model.object(code).address;
        let words = (0..64).map(|index| process.peek(from + index * 8).unwrap_or(0));
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let constant = 0x10_0000;
        process.segments.insert(0, Segment { start: constant, bytes, kind: None });
        process.poke(frame + offset, constant);
        process.poke(constant, 0xffff_ffff);
        assert_eq!(gaps(&walked(&process)), [], "{}", python.text());
        // What can die cannot be there.
        process.poke(constant, 1);
        assert_eq!(gaps(&walked(&process)), [GapKind::InvalidReference], "{}", python.text());
    }
}

/// A loop keeps a small number on its stack, and calls a class: a count and a type, to the eye.
#[test]
fn a_number_before_a_class_on_a_stack_is_no_object() {
    for python in [Python::V3_14, Python::V3_15] {
        let mut image = Image::new(python);
        let thread = image.thread(4242);
        let class = image.slotted("app", "Record", &["first", "second"]);
        let one = image.int(1);
        let code = image.code(CodeSpec { stack: 6, ..CodeSpec::PLAIN });
        let globals = image.namespace(&[("Record", class)]);
        let function = image.function(code, globals, &[]);
        // Twice: objects begin at multiples of 16, and the two frames below lie differently.
        let call = [OnFrame::Number(7), OnFrame::Owned(class), OnFrame::Borrowed(one)];
        let stack = [call, call].concat();
        let spec = FrameSpec { code, function, unit: 1, locals: &[], stack: Some(&stack) };
        let generator = image.generator(spec);
        image.module("app", &[("generator", generator), ("function", function)]);
        image.call(thread, spec);
        let (place, numbers) = (image.current_frame(thread), image.numbers.clone());
        let state = image.thread_state(thread);
        let values = image.address(generator) + numbers.generator_frame + numbers.frame_locals_plus;
        let inside = values + 24;
        assert_eq!(inside % 16, 0);
        let (mut process, model) = image.finish();
        let frame = process.peek(place).expect("it runs");
        let before = walked(&process).heap.objects();

        // The interpreter's C code has a pointer to both.
        let c_stack = process.threads[0].stack_pointer;
        process.poke(c_stack + 64, inside);
        assert_eq!(walked(&process).heap.objects(), before, "{} generator", python.text());
        process.poke(c_stack + 64, frame + numbers.frame_locals_plus);
        // A chunk from behind the thread's state to behind the frame.
        let chunk = state + numbers.thread_size.next_multiple_of(8);
        process.poke(state + numbers.thread_data_stack, chunk);
        process.poke(chunk + 8, frame + 0x400 - chunk);
        let again = walked(&process);
        assert_eq!(again.heap.objects(), before, "{} data stack", python.text());
        assert_eq!(gaps(&again), [], "{}", python.text());
        node(&again, &model, generator);
    }
}

/// Only a word leads to a tuple that is being filled, on a C stack or in a list of free ones: not all
/// that it holds can be believed.
#[test]
fn what_only_a_word_leads_to_is_not_believed() {
    for (python, on_stack) in Python::ALL.into_iter().flat_map(|it| [(it, true), (it, false)]) {
        let mut image = Image::new(python);
        image.thread(4242);
        let (filled, text) = (image.list(&[]), image.str("about to be"));
        let tuple = image.tuple(&[filled, text]);
        image.untrack(tuple);
        if on_stack {
            image.stack_word(4242, 3, tuple);
        } else {
            image.interpreter_word(tuple);
        }
        let second = image.address(tuple) + image.numbers.tuple_items + 8;
        let (mut process, model) = image.finish();
        process.poke(second, 0x21_0750);
        let found = walked(&process);
        assert_eq!(gaps(&found), [], "{}", python.text());
        let tuple = node(&found, &model, tuple);
        let edges: Vec<_> = found.heap.edges.of(tuple).collect();
        assert_eq!(edges.len(), 1, "{}", python.text());
        assert_eq!(edges[0].target, node(&found, &model, filled));
        assert!(edges[0].label.is_conservative(), "{}", python.text());
    }
}

/// `_PyObject_GC_TRACK` links the last object to the new one first; the rest follows.
#[test]
fn a_list_of_the_collector_that_gets_one_more_is_whole() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        let many: Vec<_> = (0..12).map(|_| image.list(&[])).collect();
        let kept = image.list(&many);
        image.module("app", &[("cache", kept)]);
        let numbers = image.numbers.clone();
        let (mut process, model) = image.finish();
        let head = model.interpreters[0] + numbers.interpreter_gc + numbers.gc_generations;
        let whole = walked(&process);
        assert_eq!(gaps(&whole), [], "{}", python.text());
        let last = process.peek(head + 8).expect("there are some");
        let before = process.peek(last + 8).expect("more than one") & !3;
        process.poke(last, 0);
        process.poke(head + 8, before);
        let found = walked(&process);
        assert_eq!(gaps(&found), [], "{}", python.text());
        assert_eq!(found.tracked, whole.tracked, "{}", python.text());
        // In the middle of the list that is damage.
        let earlier = process.peek(before + 8).expect("more than two") & !3;
        process.poke(earlier, 0);
        assert_eq!(gaps(&walked(&process)), [GapKind::BrokenList], "{}", python.text());
    }
}

/// A function that is in the middle of a call has not written how high its stack is (up to 3.13 never while it
/// runs). What lies there may be all that holds an object; what has a name besides keeps that alone.
#[test]
fn the_stack_of_a_running_function_holds_what_nothing_else_does() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        let thread = image.thread(4242);
        let code = image.code(CodeSpec { stack: 6, ..CodeSpec::PLAIN });
        let (item, cached) = (image.list(&[]), image.list(&[]));
        let rows = image.list(&[item]);
        image.hold_outside(rows);
        let globals = image.namespace(&[("cached", cached)]);
        let function = image.function(code, globals, &[]);
        image.call(thread, FrameSpec { code, function, unit: 0, locals: &[], stack: None });
        image.module("app", &[("function", function)]);
        let (place, offset) = (image.current_frame(thread), image.value_stack(code));
        let (mut process, model) = image.finish();
        let [rows_at, item_at, cached_at] =
            [rows, item, cached].map(|object| model.object(object).address);
        let stack = process.peek(place).expect("it runs") + offset;
        // The last but one is no object, the item is found by its list.
        let words = [cached_at, 0, rows_at, item_at, place, 1];
        for (index, word) in (0..).zip(words) {
            process.poke(stack + index * 8, word);
        }
        let found = walked(&process);
        assert_eq!(gaps(&found), [], "{}", python.text());
        let heap = &found.heap;
        let scanned: Vec<_> = (0..heap.edges.len())
            .map(|row| heap.edges.row(row))
            .filter(|edge| edge.label.is_conservative())
            .map(|edge| (edge.label.kind(), edge.target))
            .collect();
        let rows = node(&found, &model, rows);
        assert_eq!(scanned, [(EdgeKind::Stack, rows)], "{}", python.text());
        for object in [rows, node(&found, &model, item)] {
            assert_eq!(heap.nodes.flags(object).layer(), Layer::Named, "{}", python.text());
        }
    }
}

/// A register, or a list of free objects, still leads to what is counted by who holds it.
#[test]
fn a_word_left_from_before_holds_nothing() {
    for python in Python::ALL {
        let mut image = Image::new(python);
        image.thread(4242);
        let inner = image.list(&[]);
        let outer = image.list(&[inner]);
        image.static_word(outer);
        let (mut process, model) = image.finish();
        process.threads[0].registers.push(model.object(inner).address);
        let found = walked(&process);
        assert_eq!(gaps(&found), [], "{}", python.text());
        let (heap, inner) = (&found.heap, node(&found, &model, inner));
        let to_inner = (0..heap.edges.len()).map(|row| heap.edges.row(row));
        let kinds: Vec<EdgeKind> =
            to_inner.filter(|edge| edge.target == inner).map(|edge| edge.label.kind()).collect();
        assert_eq!(kinds, [EdgeKind::Item], "{}", python.text());
    }
}

/// The head of a list of arenas leads to the array of all of them as long as the first one is its first.
#[test]
fn which_arena_is_filled_next_may_change() {
    for python in [Python::V3_10, Python::V3_11] {
        let mut image = Image::new(python);
        let number = image.int(123_456);
        let (mut process, model) = image.finish();
        let runtime = Runtime::attach(&process, &process.symbols).expect("it is recognised");
        let scale = Scale::new(&process, runtime);
        let place = model.usable_arenas.expect("it is static");
        let first = process.peek(place).expect("it is there");
        for usable in [first, first + 48, 0] {
            process.poke(place, usable);
            let weight = scale.weigh(&process, Addr(model.object(number).address));
            let weight = weight.expect("it is an object");
            assert_eq!((weight.held.0, weight.modelled), (32, false), "{}", python.text());
        }
    }
}
