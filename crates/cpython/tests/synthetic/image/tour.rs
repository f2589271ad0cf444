//! One small image with something of everything.

use super::Image;
use super::code::CodeSpec;
use super::frames::{FrameSpec, OnFrame};
use super::model::Obj;
use super::numbers::Python;
use super::types::{Spec, flag};

/// Builds the image; [`Image::finish`] is left to the caller.
pub(crate) fn tour(image: &mut Image) {
    image.churn(&[32, 48, 64, 64, 64, 400, 500, 16, 16], 3);
    let plain = scalars(image);
    let containers = containers(image, &plain);
    let (classes, instances) = instances(image, &containers);
    let globals = image.namespace(&[("debug", image.none())]);
    let functions = functions(image, globals, &instances);
    threads(image, &functions);
    let held = [plain, containers, classes, instances, functions].concat();
    let contents = image.list(&held);
    let app = image.module("app", &[("contents", contents)]);
    let (state, key) = (image.str("state"), image.str("π"));
    image.module_state(app, &[state, key]);
    outside(image);
}

fn scalars(image: &mut Image) -> Vec<Obj> {
    let mut all = vec![image.none(), image.int(7), image.int(0), image.int(-1), image.int(1 << 40)];
    all.extend([image.int(-100_000), image.big_int(300), image.float(2.5)]);
    for text in ["", "plain", "größer", "Ελλάδα", "🐍 snake"] {
        all.push(image.str(text));
    }
    all.extend([image.str_with_utf8("naïve"), image.str(&"long ".repeat(200))]);
    let text = image.class_over(image.core.str, "app", "Text", &["language"]);
    all.extend([text, image.str_apart(text, "subclass"), image.str_apart(text, "Untertöne")]);
    all.extend([image.bytes(b""), image.bytes(b"0123456"), image.bytes(&[7; 600])]);
    all
}

fn containers(image: &mut Image, items: &[Obj]) -> Vec<Obj> {
    let (one, two, three) = (items[1], items[4], items[9]);
    let empty = image.list(&[]);
    let spare = image.list_of(2, 40);
    image.put(spare, 1, one);
    let looped = image.list_of(1, 4);
    image.put(looped, 0, looped);
    let tuple = image.tuple(&[one, two, three]);
    image.untrack(tuple);
    let nothing = image.tuple(&[]);
    let set = image.set(&[one, two]);
    let wide: Vec<Obj> = (1000..1040).map(|value| image.int(value)).collect();
    let wide = image.frozenset(&wide);
    let names = image.dict(&[(items[9], two), (items[8], tuple)]);
    let mixed = image.dict(&[(one, items[9]), (items[10], one), (tuple, empty)]);
    let holes = [Some(items[8]), None, Some(items[9]), None];
    let holes = image.dict_of(&holes);
    image.put(holes, 0, two);
    image.put(holes, 1, tuple);
    let bare = image.dict(&[]);
    let large: Vec<(Obj, Obj)> =
        (0..60).map(|number| (image.str(&format!("key {number}")), one)).collect();
    let large = image.dict(&large);
    let orphan = image.orphan_dict(&[("a", one), ("b", two)]);
    image.freeze(mixed);
    let mut all = vec![empty, spare, looped, tuple, nothing, set, wide, names, mixed, holes, bare];
    all.extend([large, orphan]);
    let weak = image.weakref(all[5]);
    let cell = image.cell(looped);
    all.extend([weak, cell, image.empty_cell()]);
    all
}

/// Classes, then instances.
fn instances(image: &mut Image, items: &[Obj]) -> (Vec<Obj>, Vec<Obj>) {
    let (a, b) = (items[1], items[7]);
    let point = image.class("app", "Point", &["x", "y", "label"]);
    let derived = image.class_over(point, "app", "Point3", &["z"]);
    let pair = image.slotted("app.pairs", "Pair", &["left", "right"]);
    let stack = image.class_over(image.core.list, "app", "Stack", &["limit"]);
    let row = image.class_over(image.core.tuple, "app", "Row", &["table"]);
    let registry = image.class_over(image.core.dict, "builtins", "Registry", &[]);
    image.subclasses(point, &[derived]);
    let mut all = vec![
        image.instance(point, &[("x", a), ("label", b)]),
        image.instance(point, &[]),
        image.instance(derived, &[("z", a)]),
        image.instance_with_dict(point, &[("x", a), ("y", b)]),
        image.instance_with_own_dict(point, &[("x", a), ("other", b)]),
        image.slotted_instance(pair, &[("left", Some(a)), ("right", None)]),
    ];
    let list = image.derived_instance(stack, 0);
    image.fill_list(list, 2, 6);
    image.put(list, 0, a);
    let limits = image.namespace(&[("limit", b)]);
    image.point_to_dict(list, stack, limits);
    let tuple = image.derived_instance(row, 2);
    image.fill_tuple(tuple, 2);
    image.put(tuple, 1, b);
    let table = image.namespace(&[("table", a)]);
    image.point_to_dict(tuple, row, table);
    let dict = image.derived_instance(registry, 0);
    let key = image.str("registered");
    image.fill_dict(dict, &[Some(key)]);
    image.put(dict, 0, a);
    all.extend([list, tuple, dict]);
    let spec = Spec { name: "ext.Handle", basic: 48, flags: flag::GC, ..Spec::default() };
    let handle = image.native_type(spec, &[("owner", 24)]);
    all.push(image.native_instance(handle, &[(16, a), (24, b), (40, all[0])]));
    (vec![point, derived, pair, stack, row, registry, handle], all)
}

/// Functions of every sort; none of them runs.
fn functions(image: &mut Image, globals: Obj, items: &[Obj]) -> Vec<Obj> {
    let plain = CodeSpec { locals: &["request", "payload"], ..CodeSpec::PLAIN };
    let plain = image.code(plain);
    let handle = image.function(plain, globals, &[]);
    let inner = CodeSpec {
        name: "outer.<locals>.inner",
        file: "/srv/lib/größe.py",
        free: &["body", "depth"],
        lines: &[(2, Some(41)), (1, None), (20, Some(300)), (1, Some(12))],
        ..CodeSpec::PLAIN
    };
    let inner = image.code(inner);
    let (body, depth) = (image.cell(items[0]), image.cell(items[1]));
    let closure = image.function(inner, globals, &[body, depth]);
    let attributes = image.namespace(&[("calls", items[1])]);
    image.dress_function(closure, &[items[2]], attributes);
    let method = image.method(handle, items[0]);
    vec![handle, closure, method, plain, inner]
}

fn threads(image: &mut Image, functions: &[Obj]) {
    let (handle, plain, inner) = (functions[0], functions[3], functions[4]);
    let closure = functions[1];
    let (request, payload) = (image.dict(&[]), image.list(&[handle]));
    let first = image.thread(4242);
    let locals = [OnFrame::Owned(request), OnFrame::Owned(payload)];
    let spec = FrameSpec { code: plain, function: handle, unit: 5, locals: &locals, stack: None };
    image.call(first, spec);
    let below = [OnFrame::Owned(payload), OnFrame::Number(9), OnFrame::Borrowed(handle)];
    let inner_spec =
        FrameSpec { code: inner, function: closure, unit: 4, locals: &[], stack: None };
    image.call(first, FrameSpec { stack: Some(&below), ..inner_spec });
    let locals = image.namespace(&[("user", request)]);
    image.thread_holds(first, "dict", locals);
    let error = image.tuple(&[payload]);
    image.thread_holds(first, "handled_exception", error);
    let second = image.thread(4243);
    let waiting = image.generator(FrameSpec { stack: Some(&below[..1]), ..spec });
    let finished = image.since(Python::V3_12).then(|| image.finished_generator(plain));
    let left = image.frame_object(FrameSpec { stack: Some(&[]), ..spec });
    let all = [Some(waiting), finished, Some(left)].into_iter().flatten().collect::<Vec<_>>();
    let all = image.list(&all);
    image.thread_holds(second, "current_exception", all);
    if image.since(Python::V3_11) {
        let running = FrameSpec { stack: None, ..spec };
        let generator = image.generator(running);
        image.hold_outside(generator);
        image.resume(second, generator, running);
    }
}

/// What no name leads to.
fn outside(image: &mut Image) {
    let by_data = image.str("held by static data");
    let by_data = image.list(&[by_data]);
    image.static_word(by_data);
    let by_stack = image.tuple(&[by_data]);
    image.stack_word(4242, 3, by_stack);
    let by_register = image.str("in a register");
    image.register(4243, by_register);
    let by_state = image.str("of the interpreter");
    image.interpreter_word(by_state);
    let by_block = image.dict(&[(by_state, by_stack)]);
    image.native_holder(&[by_block]);
    let ring = [image.list_of(2, 2), image.list_of(1, 1)];
    image.put(ring[0], 0, ring[1]);
    image.put(ring[1], 0, ring[0]);
    let lost = image.str("lost");
    image.put(ring[0], 1, lost);
    if image.since(Python::V3_12) {
        let name = image.name("x");
        image.immortalise(name);
        image.intern(&[name, lost]);
    }
    let other = image.subinterpreter();
    let inside = image.list(&[lost]);
    image.owned_by(inside, other);
    image.module_of(other, "app", &[("own", inside)]);
}
